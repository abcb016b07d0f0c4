# SPDX-License-Identifier: Apache-2.0
"""The host's side of a board: `link` is the wire."""
