# SPDX-License-Identifier: Apache-2.0
"""The old name of `codesign.rtl.soc`, `codesign.rtl.uart` and `codesign.rtl.identity`, for one version."""

from __future__ import annotations

import warnings

from codesign.graph.ir import Graph
from codesign.rtl import identity
from codesign.rtl.project import emit
from codesign.rtl.soc import emit_soc, register_map
from codesign.rtl.uart import check_packets, emit_uart

__all__ = ["check_packets", "design_id", "emit_soc", "emit_uart", "register_map"]

warnings.warn(
    "codesign.rtl.board is now codesign.rtl.soc, codesign.rtl.uart and codesign.rtl.identity",
    DeprecationWarning,
    stacklevel=2,
)


def design_id(graph: Graph) -> int:
    """Return the id of the core of ``graph``; see `codesign.rtl.identity.design_id`."""
    return identity.design_id(emit(graph))
