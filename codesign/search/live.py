# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows of a search: a table drawn anew with each trial, or a line each without a terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from codesign.flow.console import Terminal, beats
from codesign.search.best import Checked
from codesign.search.objectives import Figures
from codesign.search.run import Found
from codesign.search.store import Tried

SHOWN = 8
"""Designs of the front in the table."""
COLUMNS = ("accuracy", "frames_per_second", "frames_per_second_per_lut", "lut", "dsp", "bram")
"""Figures in the table, besides the objectives."""


class Progress:
    """The progress of a search on a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._live: Live | None = None
        self._since, self._before, self._at = time.monotonic(), 0, ""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show it while the body runs."""
        if not self._terminal.console.is_terminal:
            with beats(lambda seconds: self._terminal.text(f"search running: {seconds:.0f} s{self._at}")):
                yield
            return
        with Live(console=self._terminal.console, transient=True, refresh_per_second=2) as self._live:
            try:
                yield
            finally:
                self._live = None

    def show(self, found: Found, item: Tried | None, running: int) -> None:
        """Show a trial that just ended."""
        self._before += item is not None
        self._at = f", {self.words(found, running)}"
        if self._live is not None:
            self._live.update(Group(Text(self.words(found, running)), table(found)))
        else:
            self._terminal.text(line(found, item))

    def words(self, found: Found, running: int) -> str:
        """Return how far the search is, and how long it will take, as trials took so far."""
        done, section = len(found.tried), found.search.section
        given_up = sum(item.outcome is not None and item.outcome.pruned for item in found.tried)
        words = f"{done} of {section.trials} trials, {given_up} given up, {running} running"
        if self._before:
            left = (section.trials - done) * (time.monotonic() - self._since) / self._before
            if section.minutes is not None:
                left = min(left, max(0.0, 60 * section.minutes - found.seconds))
            words += f", about {left / 60:.0f} minutes left"
        return words


def line(found: Found, item: Tried | None) -> str:
    """Return a trial in one line."""
    outcome = item.outcome if item else found.hand_made
    name = f"[{len(found.tried)}/{found.search.section.trials}] trial {item.number}" if item else "hand-made"
    if outcome is None or outcome.figures is None:
        return f"{name}: {outcome.problem if outcome else ''}"
    figures = outcome.figures
    on_front = " *" if item and item.number in {each.number for each in found.front()} else ""
    fits = "" if figures.fits else f", does not fit: {outcome.problem}"
    return (
        f"{name}: accuracy {100 * figures.accuracy:.1f} %, {figures.cycles_per_frame:,.0f} cycles, "
        f"{figures.lut:,} LUTs, {figures.frames_per_second_per_lut:.2f} frames/s per LUT ({outcome.seconds:.0f} s)"
        f"{fits}{on_front}"
    )


def table(found: Found) -> Table:
    """Return the designs of the front, best first, and the hand-made one."""
    names = list(dict.fromkeys([item.name for item in found.search.objectives] + list(COLUMNS)))
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    shown.add_column("design")
    for name in names:
        shown.add_column(name.replace("_", " "), justify="right")
    for item in found.front()[:SHOWN]:
        if item.outcome and item.outcome.figures:
            shown.add_row(f"trial {item.number}", *(number(item.outcome.figures, name) for name in names))
    if found.hand_made and found.hand_made.figures:
        shown.add_row("hand-made", *(number(found.hand_made.figures, name) for name in names), style="dim")
    return shown


def checked_table(checked: list[Checked], names: tuple[str, ...]) -> Table:
    """Return what was predicted and measured of each design."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("design", *(name.replace("_", " ") for name in names)):
        shown.add_column(name, justify="left" if name == "design" else "right")
    for item in checked:
        shown.add_row(f"{item.name}, predicted", *(number(item.predicted, name) for name in names))
        shown.add_row("measured", *(number(item.measured, name) for name in names))
        shown.add_row("apart", *(apart(item, name) for name in names), style="dim")
    return shown


def number(figures: Figures, name: str) -> str:
    """Return a figure in words; "-" if it is unknown."""
    value = getattr(figures, name)
    if value is None:
        return "-"
    if name == "accuracy":
        return f"{100 * value:.1f} %"
    return f"{value:,.2f}" if value < 100 and not isinstance(value, int) else f"{value:,.0f}"


def apart(item: Checked, name: str) -> str:
    """Return how far a predicted figure was from the measured one, in words."""
    share = item.apart(name)
    if share is None:
        return "-"
    return f"{share:+.1f} points" if name == "accuracy" else f"{100 * share:+.1f} %"
