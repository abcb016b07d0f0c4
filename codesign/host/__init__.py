# SPDX-License-Identifier: Apache-2.0
"""Talk to a design on an FPGA board: `Board` from Python, `stream` for the command; `link` is the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.host.client import Board, Result
    from codesign.host.counters import Counters, EngineCounters
    from codesign.host.loading import Loading, load_network

__all__ = ["Board", "Counters", "EngineCounters", "Loading", "Result", "load_network"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Board": "codesign.host.client",
        "Counters": "codesign.host.counters",
        "EngineCounters": "codesign.host.counters",
        "Loading": "codesign.host.loading",
        "Result": "codesign.host.client",
        "load_network": "codesign.host.loading",
    },
)
