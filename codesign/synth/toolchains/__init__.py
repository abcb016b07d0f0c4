# SPDX-License-Identifier: Apache-2.0
"""The toolchains that make a bitstream: `toolchain` defines one, `registry` lists them."""
