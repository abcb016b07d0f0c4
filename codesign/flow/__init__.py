# SPDX-License-Identifier: Apache-2.0
"""One TOML per design, nine stages, one manifest per stage."""
