# SPDX-License-Identifier: Apache-2.0
"""One TOML a design, eight stages, a manifest each."""
