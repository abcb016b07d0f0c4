# SPDX-License-Identifier: Apache-2.0
"""Talk to a design on an FPGA board: `Board` from Python, `stream` for the command; `link` is the wire."""

from codesign.board.client import Board, Result
from codesign.board.counters import Counters, EngineCounters

__all__ = ["Board", "Counters", "EngineCounters", "Result"]
