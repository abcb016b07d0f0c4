# SPDX-License-Identifier: Apache-2.0
"""Hardware codesign for neural networks on streams: pay only for what changed."""

__version__ = "0.1.0"
