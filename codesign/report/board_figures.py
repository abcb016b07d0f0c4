# SPDX-License-Identifier: Apache-2.0
"""The figures of a build for a board that every table shows, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from codesign.report.boards import BuiltBoard
from codesign.report.words import DASH, NOT_ROUTED, count, decimal, kbit, quotient, significant, used

Cells = Literal["lut", "ff", "dsp", "bram_bits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFigure:
    """A figure: its name, the number, and the number as people read it.

    clocked: it needs a clock, so a build that is not routed has none.
    """

    name: str
    value: Callable[[BuiltBoard], float | None]
    words: Callable[[BuiltBoard], str]
    clocked: bool = False

    def text(self, board: BuiltBoard | None) -> str:
        """Return the figure of a board; a dash if it was not built, words if it was only synthesised."""
        if board is None:
            return DASH
        return NOT_ROUTED if self.clocked and not board.routed else self.words(board)

    def over(self, board: BuiltBoard | None, other: BuiltBoard | None) -> str:
        """Return the figure of a board over that of another; names the one that is not routed, if only one is."""
        if board is None or other is None:
            return DASH
        late = [item for item in (board, other) if not item.routed]
        note = f"{'dense' if late and not late[0].build.skip else 'skipping'} {NOT_ROUTED}"
        if self.clocked and late:
            return NOT_ROUTED if len(late) == 2 else note
        text = quotient(self.value(board), self.value(other))
        return f"{text} ({note})" if len(late) == 1 and text != DASH else text


def _cells(name: str, kind: Cells) -> BoardFigure:
    def number(board: BuiltBoard) -> float | None:
        found: float | None = getattr(board.build.used, kind)
        return kbit(found) if kind == "bram_bits" else found

    return BoardFigure(name=name, value=number, words=lambda board: used(number(board), getattr(board.share, kind)))


def _figure(
    name: str, value: Callable[[BuiltBoard], float | None], words: Callable[[float | None], str] = count
) -> BoardFigure:
    return BoardFigure(name=name, value=value, words=lambda board: words(value(board)), clocked=True)


LUT = _cells("LUT", "lut")
PER_LUT = _figure("frames/s per LUT", lambda board: board.frames_per_second_per_lut, significant)
FIGURES: tuple[BoardFigure, ...] = (
    LUT,
    _cells("FF", "ff"),
    _cells("DSP", "dsp"),
    _cells("block RAM, kbit", "bram_bits"),
    _figure("Fmax, MHz", lambda board: board.build.fmax_mhz, decimal),
    _figure("frames/s, mean", lambda board: board.frames_per_second.mean),
    _figure("frames/s, 95th percentile of cycles", lambda board: board.frames_per_second.p95),
    _figure("frames/s, worst frame", lambda board: board.frames_per_second.worst),
    PER_LUT,
    BoardFigure(
        name="frames/s over the serial port",
        value=lambda board: board.frames_per_second_over_serial,
        words=lambda board: count(board.frames_per_second_over_serial),
    ),
)
