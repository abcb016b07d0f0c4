# SPDX-License-Identifier: Apache-2.0
"""Keras == golden model == HLS C++ == RTL: the one place where a network runs in all forms on the same frames.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`clips`         the frames, as input codes of the hardware
`golden_run`    the golden model, which judges, and what it counts on the way
`software`      the Keras model, and the compiled HLS C++
`hardware`      the RTL in Verilator
`compare`       values that differ, and where the first one is
`forms`         all of them at once: `codesign.verify.run`
==============  ===============================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FACE = {"run": "forms", "Verified": "forms"}


def __getattr__(name: str) -> Any:
    """Return `run` or `Verified`; looked up when asked for, as most readers of this package need no simulator."""
    if name not in _FACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FACE[name]}"), name)
