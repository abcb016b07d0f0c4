# SPDX-License-Identifier: Apache-2.0
"""Talk to a design on an FPGA board: `Board` from Python, `stream` for the command; `link` is the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.host.client import Board, Result
    from codesign.host.counters import Counters, EngineCounters

__all__ = ["Board", "Counters", "EngineCounters", "Result"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Board": "codesign.host.client",
        "Counters": "codesign.host.counters",
        "EngineCounters": "codesign.host.counters",
        "Result": "codesign.host.client",
    },
)
