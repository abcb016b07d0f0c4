# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog: hand-written leaf modules (``leaves/delta_*.sv``) and the generator of the top that wires them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.rtl.project import emit
    from codesign.rtl.spec import Hold, TopSpec, top_spec

__all__ = ["Hold", "TopSpec", "emit", "top_spec"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Hold": "codesign.rtl.spec",
        "TopSpec": "codesign.rtl.spec",
        "emit": "codesign.rtl.project",
        "top_spec": "codesign.rtl.spec",
    },
)
