# SPDX-License-Identifier: Apache-2.0
"""What all C++ templates share: the headers of the kernels, and how types and constants are written."""

from __future__ import annotations

from codesign.fixed import Fixed

PARTS = ("common", "activation", "scan", "dense", "conv", "pool", "upsample", "join", "stream")
"""The headers ``nnet_delta_*.h`` of every project."""

HEADERS = [f"nnet_utils/nnet_delta_{name}.h" for name in PARTS if name not in ("common", "scan")]
"""Headers that a project includes."""


def integer(fmt: Fixed) -> str:
    """Return the C++ type of codes of ``fmt``."""
    return f"ap_{'' if fmt.signed else 'u'}int<{fmt.width}>"


def boolean(value: bool) -> str:
    """Return ``value`` in C++."""
    return str(value).lower()
