# SPDX-License-Identifier: Apache-2.0
"""SystemVerilog: hand-written leaf modules (``delta_*.sv``) and the generator of the top that wires them."""

from codesign.rtl.emit import emit
from codesign.rtl.spec import Hold, TopSpec, top_spec

__all__ = ["Hold", "TopSpec", "emit", "top_spec"]
