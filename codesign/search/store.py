# SPDX-License-Identifier: Apache-2.0
"""`Store`: the trials of a search in an Optuna study, in SQLite, so that it can stop anywhere and go on."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError, OutputError
from codesign.records import build, plain
from codesign.search.config import Search
from codesign.search.objectives import Figures
from codesign.search.space import Choice, Dimension, kept
from codesign.search.trial import Outcome

DATABASE = "search.db"
"""Read it with ``optuna-dashboard sqlite:///build/NAME/search.db``, too."""
STARTUP = 10
"""Random trials before a sampler learns from them."""
AGAIN = 100
"""Choices that are drawn to find one that is new and valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial: its number, what was chosen, and what came of it; None: it has begun."""

    number: int
    choice: Choice
    outcome: Outcome | None

    @property
    def place(self) -> str:
        """Its folder below the search's."""
        return place_of(self.number)


def place_of(number: int) -> str:
    """Return the folder of a trial below the search's."""
    return f"trials/{number:04d}"


class Store:
    """The trials of one search. A trial that began and has no outcome is the first one to do again.

    Raises:
        ConfigError: the storage holds another search, or is none.
        OutputError: it cannot be written.
    """

    def __init__(self, search: Search, root: Path, made_by: dict[str, str | None] | None) -> None:
        """Open it, or begin one. made_by: sources and versions that trials follow from; None: it is only read."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self.search, self._optuna = search, optuna
        self.path = root / DATABASE
        identity = search.identity | {f"version of {name}": version for name, version in (made_by or {}).items()}
        with self._written():
            self._study = optuna.create_study(
                storage=optuna.storages.RDBStorage(
                    f"sqlite:///{self.path}", engine_kwargs={"creator": partial(_connection, self.path)}
                ),
                study_name=search.section.name,
                directions=["maximize" if item.larger else "minimize" for item in search.objectives],
                load_if_exists=True,
            )
            before = self._study.user_attrs.get("search")
            if before is None and not self._study.trials:
                self._study.set_user_attr("search", identity)
                self._study.set_metric_names([item.name for item in search.objectives])
                return
        before = before or {}
        differ = [key for key in sorted({*before, *identity}) if before.get(key) != identity.get(key)]
        if differ and (made_by is not None or not all(key.startswith("version of") for key in differ)):
            raise _another(self.path, differ)

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        """Turn what the database reports into our errors."""
        try:
            yield
        except (self._optuna.exceptions.StorageInternalError, OSError) as error:
            raise OutputError(
                f"the search's storage cannot be written ({_first_line(error)})",
                where=str(self.path),
                fix="make room, then run the command again: what is done is kept",
            ) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("sqlalchemy", "alembic", "sqlite3"):
                raise
            raise ConfigError(
                f"not the storage of a search ({_first_line(error)})",
                where=str(self.path),
                fix="move it away, or give the search another name",
            ) from error

    def tried(self) -> list[Tried]:
        """Return the trials that have an outcome."""
        states = self._optuna.trial.TrialState
        return [item for item in self._trials(states.COMPLETE, states.PRUNED) if item.outcome]

    def begun(self) -> list[Tried]:
        """Return the trials that have begun: to be done again, if nobody does them.

        Not those whose choice was not complete, or not looked at yet, when a run was killed.
        """
        keys = {item.key for item in self.search.space.dimensions}
        found = {
            _fingerprint(item.choice): item for item in reversed(self._trials(self._optuna.trial.TrialState.RUNNING))
        }
        for item in self.tried():
            found.pop(_fingerprint(item.choice), None)
        return [item for item in reversed(found.values()) if set(item.choice) == keys and self._is_valid(item.choice)]

    def _trials(self, *states: Any) -> list[Tried]:
        return [
            Tried(number=trial.number, choice=_choice(trial), outcome=_outcome(trial))
            for trial in self._study.get_trials(deepcopy=False, states=states)
        ]

    def ask(self) -> Tried | None:
        """Return a new trial, of a design that was not tried before; None if none was found.

        The choice follows from the seed, the number of the trial and the outcomes so far, so that a search that was
        interrupted goes on as it would have.
        """
        seen = {_fingerprint(item.choice) for item in (*self.tried(), *self.begun())}
        for _ in range(AGAIN):
            with self._written():
                self._study.sampler = self._sampler(len(self._study.get_trials(deepcopy=False)))
                trial = self._study.ask()
                choice = {item.key: _suggest(trial, item) for item in self.search.space.dimensions}
                if _fingerprint(choice) not in seen and self._is_valid(choice):
                    return Tried(number=trial.number, choice=choice, outcome=None)
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return None

    def tell(self, number: int, outcome: Outcome) -> None:
        """Keep what came of a trial."""
        figures = outcome.figures
        with self._written():
            trial = self._optuna.trial.Trial(self._study, self._study.get_trials(deepcopy=False)[number]._trial_id)
            trial.set_user_attr("outcome", plain(outcome))
            if figures is None:
                self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)
                return
            for name, missing in self._missing(figures).items():
                if name not in trial.constraints:  # an earlier run was ended within this function
                    trial.set_constraint(name, missing)
            self._study.tell(trial, [item.of(figures) for item in self.search.objectives])

    def _missing(self, figures: Figures) -> dict[str, float]:
        """Return how far a design is from each constraint, and from fitting; 0 or less: it keeps to it."""
        missed = {str(item): item.missed_by(figures) for item in self.search.constraints}
        return {**missed, "fits": 0.0 if figures.fits else 1.0}

    def spend(self, seconds: float) -> None:
        """Add to the time that the search has taken."""
        with self._written():
            self._study.set_user_attr("seconds", self.spent + seconds)

    @property
    def spent(self) -> float:
        """Seconds that earlier runs of the search took."""
        return float(self._study.user_attrs.get("seconds", 0.0))

    def importances(self) -> dict[str, dict[str, float]]:
        """Return the share of each dimension in the spread of each objective; empty if too few are known."""
        found = {}
        complete = self._study.get_trials(deepcopy=False, states=(self._optuna.trial.TrialState.COMPLETE,))
        if len(complete) < 4:
            return {}
        for place, item in enumerate(self.search.objectives):
            with contextlib.suppress(RuntimeError, ValueError, ZeroDivisionError):  # every value is the same
                shares = self._optuna.importance.get_param_importances(
                    self._study,
                    evaluator=self._optuna.importance.FanovaImportanceEvaluator(seed=0),
                    target=lambda trial, place=place: trial.values[place],
                )
                found[item.name] = {name: float(share) for name, share in shares.items()}
        return found

    def _sampler(self, number: int) -> Any:
        seed = (self.search.section.seed * 1_000_003 + number) % 2**32
        if self.search.section.sampler == "nsga2":
            return self._optuna.samplers.NSGAIISampler(seed=seed)
        return self._optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=seed)

    def _is_valid(self, choice: Choice) -> bool:
        try:
            self.search.space.design(choice, "trial")
        except ConfigError:
            return False
        return True


def _connection(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits survive the end of this process, and do not wait for the disk."""
    connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _suggest(trial: Any, item: Dimension) -> Any:
    if item.choices:
        return trial.suggest_categorical(item.key, [kept(value) for value in item.choices])
    if item.whole:
        return trial.suggest_int(item.key, int(item.low), int(item.high), step=int(item.step or 1), log=item.log)
    return trial.suggest_float(item.key, item.low, item.high, step=item.step, log=item.log)


def _choice(trial: Any) -> Choice:
    return dict(trial.params)


def _outcome(trial: Any) -> Outcome | None:
    found = trial.user_attrs.get("outcome")
    return None if found is None else build(Outcome, found, where="", folder=Path())


def _fingerprint(choice: Choice) -> str:
    return json.dumps(choice, sort_keys=True)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _another(path: Path, differ: list[str]) -> ConfigError:
    return ConfigError(
        "this is the storage of another search",
        where=str(path),
        expected="the same [search] but for trials, minutes and best, the same design and version of the package",
        received=f"other {', '.join(differ)}",
        fix=f"give this one another search.name, or move {path.parent} away",
    )
