# SPDX-License-Identifier: Apache-2.0
"""`run_search`: asks for trials, has them done by workers, and keeps what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from codesign.errors import CodesignError, StageError, WorkersDiedError
from codesign.executor import Workers, executor
from codesign.executor.worker import made_by
from codesign.search.config import Search
from codesign.search.objectives import Figures, front
from codesign.search.store import DATABASE, Store, Tried
from codesign.search.trial import Outcome, Trial, run_trial, stored
from codesign.trust import check_no_links

HAND_MADE = "hand_made"
"""Folder of the design that the file itself holds."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What is known of a search.

    Attributes:
        search: the search.
        tried: trials with an outcome, in their order.
        hand_made: outcome of the design as the file has it, with the hardware that it names.
        importances: share of each dimension in the spread of each objective.
        seconds: time that the search has taken, all runs together.
        exhausted: there is no further design in the space.
    """

    search: Search
    tried: list[Tried] = field(default_factory=list)
    hand_made: Outcome | None = None
    importances: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    exhausted: bool = False

    def keeps(self, item: Tried) -> Figures | None:
        """Return the figures of a trial that fits and keeps to every constraint; None of others."""
        figures = item.outcome.figures if item.outcome else None
        if figures is None or not figures.fits:
            return None
        return figures if all(each.missed_by(figures) <= 0 for each in self.search.constraints) else None

    def front(self) -> list[Tried]:
        """Return the trials that keep to the constraints and that no other beats, best by the last objective first."""
        known = [(item, figures) for item in self.tried if (figures := self.keeps(item)) is not None]
        last = self.search.objectives[-1]
        places = front([figures for _, figures in known], self.search.objectives)
        chosen = [known[place] for place in places]
        return [item for item, figures in sorted(chosen, key=lambda pair: last.of(pair[1]), reverse=last.larger)]

    def unmet(self) -> list[str]:
        """Return in words each constraint that no trial kept to; or that none kept to all of them."""
        known = [item.outcome.figures for item in self.tried if item.outcome and item.outcome.figures]
        tried = f"none of {len(self.tried)} trials"
        if not known or any(self.keeps(item) for item in self.tried):
            return [] if known else [f"{tried} has figures: every training was given up or its network not convertible"]
        said = []
        for each in self.search.constraints:
            nearest = min(known, key=each.missed_by)
            if each.missed_by(nearest) > 0:
                said.append(f"{tried} kept to {each}: the nearest had {getattr(nearest, each.name):g}")
        if not any(figures.fits for figures in known):
            said.append(f"{tried} fits {self.search.target.name}")
        return said or [
            f"{tried} kept to all of {', '.join(map(str, self.search.constraints))} on {self.search.target.name}"
        ]


Show = Callable[[Found, Tried | None, int], None]
"""Called with what is known, the trial that just ended (None: the hand-made design) and how many run."""
Work = Callable[[Path, str, Trial], Outcome]


def run_search(
    search: Search, root: Path, *, workers: Workers, show: Show | None = None, work: Work = run_trial
) -> Found:
    """Try designs until the budget is spent; what earlier runs below ``root`` found counts.

    A trial that was interrupted is done again with the same choices, and goes on from its last epoch. Whatever ends
    this, outcomes that are known stay known.

    Args:
        search: what to try.
        root: build folder; made if missing.
        workers: where trials run.
        show: called for each outcome.
        work: what does a trial.

    Raises:
        ConfigError: the storage is of another search, or the data are not there.
        StageError: a trial failed other than by its choices, or no worker is left.
        OutputError: the storage cannot be written.
        TrustError: there is a link below ``root``.
    """
    check_no_links(root)
    design = search.space.design({}, search.section.name)
    design.data.verify(design.design.seed, clips=0, frames=design.data.frames)
    root.mkdir(parents=True, exist_ok=True)
    origin = made_by(work.__module__)
    store = Store(search, root, origin)
    driver = _Driver(search, root, store, origin, show or (lambda *_: None))
    needs = [path for path in (design.data.path, design.model.path) if path is not None]
    with executor(workers, root, work, needs) as running:
        for number, outcome in running.unordered(work, driver.calls()):
            driver.take(number, outcome)
    return driver.finished()


def known(search: Search, root: Path) -> Found:
    """Return what earlier runs below ``root`` found; nothing if there was none.

    Raises:
        ConfigError: they were of another search.
    """
    check_no_links(root)
    if not (root / DATABASE).is_file():
        return Found(search=search)
    return Found(search=search, tried=Store(search, root, None).tried())


def importances(search: Search, root: Path) -> dict[str, dict[str, float]]:
    """Return how much of the spread of each objective each dimension explains (fANOVA), as far as it is known."""
    return Store(search, root, None).importances()


def _place(item: Tried | None) -> str:
    return item.place if item else HAND_MADE


class _Driver:
    """The trials that run, and what is known."""

    def __init__(self, search: Search, root: Path, store: Store, origin: dict[str, str | None], show: Show) -> None:
        self.search, self.root, self.store, self.origin, self.show = search, root, store, origin, show
        self.found = Found(search=search, tried=store.tried())
        self.begun = store.begun()
        self.running: dict[int, Tried | None] = {}
        self.since = time.monotonic()

    def calls(self) -> Iterator[tuple[str, tuple[Trial]]]:
        """Yield the hand-made design, what was interrupted, and new trials while there is a budget."""
        number = 0
        for item in (None, *self.begun):
            trial = self.trial(item)
            done = stored(self.root / _place(item), trial)  # by a worker whose outcome nobody waited for
            if done is not None:
                self._keep(item, done)
                continue
            self.running[number] = item
            yield _place(item), (trial,)
            number += 1
        while len(self.found.tried) + self._trials_running() < self.search.section.trials and not self._late():
            item = self.store.ask()
            if item is None:
                self.found.exhausted = True
                return
            self.running[number] = item
            yield item.place, (self.trial(item),)
            number += 1

    def _trials_running(self) -> int:
        return sum(item is not None for item in self.running.values())

    def _late(self) -> bool:
        minutes = self.search.section.minutes
        return minutes is not None and self._seconds() > 60 * minutes

    def _seconds(self) -> float:
        return self.store.spent + time.monotonic() - self.since

    def trial(self, item: Tried | None) -> Trial:
        """Return what a worker needs to know of a trial; of the hand-made design if None."""
        search, limit = self.search, self.search.least_accuracy
        rates = [each.limit for each in search.constraints if each.name == "frames_per_second" and each.at_least]
        design = search.space.design(item.choice if item else {}, "trial")
        return Trial(
            design=design,
            target=search.target,
            clock_mhz=search.clock_of(design),
            rate=max(rates, default=None),
            per_lut=any(each.name == "frames_per_second_per_lut" for each in search.objectives),
            given=item is None,
            clips=search.section.clips,
            hopeless=None if limit is None or item is None else limit - search.section.margin,
            made_by=self.origin,
        )

    def take(self, number: int, outcome: Outcome | Exception) -> None:
        """Keep what came of a call.

        Raises:
            StageError: it failed; the trial is done again next time. One of which every worker died is not.
        """
        item = self.running.pop(number)
        place = self.root / _place(item)
        if isinstance(outcome, WorkersDiedError):  # of the design: too large for the memory, for one
            outcome = Outcome(engines={}, problem=str(outcome), seconds=0.0)
        if isinstance(outcome, Exception):
            self.store.spend(time.monotonic() - self.since)
            raise StageError(
                f"a trial failed: {outcome}",
                where=str(place),
                fix=f"see {place / 'log.txt'}, then run it again: what is done is kept",
            ) from (outcome if isinstance(outcome, CodesignError) else None)
        self._keep(item, outcome)

    def _keep(self, item: Tried | None, outcome: Outcome) -> None:
        """Keep an outcome, and show it."""
        if item is None:
            self.found.hand_made = outcome
            self.show(self.found, None, len(self.running))
            return
        self.store.tell(item.number, outcome)
        self._spend()
        done = Tried(number=item.number, choice=item.choice, outcome=outcome)
        self.found.tried = sorted([*self.found.tried, done], key=lambda each: each.number)
        self.found.seconds = self.store.spent
        self.show(self.found, done, len(self.running))

    def _spend(self) -> None:
        now = time.monotonic()
        self.store.spend(now - self.since)
        self.since = now

    def finished(self) -> Found:
        """Return what is known in the end."""
        self.found.seconds = self._seconds()
        return self.found
