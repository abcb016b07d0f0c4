# SPDX-License-Identifier: Apache-2.0
"""One TOML per design, eight stages, one manifest per stage."""
