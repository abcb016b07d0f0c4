# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog: hand-written leaf modules (``leaves/delta_*.sv``) and the generator of the top that wires them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.rtl.project import emit
    from codesign.rtl.soc import emit_soc
    from codesign.rtl.spec import Hold, TopSpec, top_spec
    from codesign.rtl.uart import emit_uart

__all__ = ["Hold", "TopSpec", "emit", "emit_soc", "emit_uart", "top_spec"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Hold": "codesign.rtl.spec",
        "TopSpec": "codesign.rtl.spec",
        "emit": "codesign.rtl.project",
        "emit_soc": "codesign.rtl.soc",
        "emit_uart": "codesign.rtl.uart",
        "top_spec": "codesign.rtl.spec",
    },
)
