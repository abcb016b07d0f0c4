# SPDX-License-Identifier: Apache-2.0
"""The tool chains that make a bitstream: `toolchain` says what one is, `registry` lists them."""
