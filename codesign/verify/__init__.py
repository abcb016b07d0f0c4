# SPDX-License-Identifier: Apache-2.0
"""Keras == golden model == HLS C++ == RTL: the one place where a network runs in all forms on the same frames.

==============  ===============================================================================
module          holds
==============  ===============================================================================
`clips`         the frames, as input codes of the hardware
`golden_run`    the golden model, which judges, and what it counts on the way
`software`      the Keras model, and the compiled HLS C++ with its cycles
`hardware`      the RTL in Verilator
`compare`       values that differ, and where the first one is
`forms`         all of them at once: `codesign.verify.run`
==============  ===============================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.verify.forms import Verified, run

__all__ = ["Verified", "run"]

__getattr__, __dir__ = lazy(__name__, {"Verified": "codesign.verify.forms", "run": "codesign.verify.forms"})
