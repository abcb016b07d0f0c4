# SPDX-License-Identifier: Apache-2.0
"""What a stage is, and what its body is given. Bodies live one per module in `codesign.flow.stages`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from codesign.errors import ConfigError
from codesign.suggest import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the flow: a pure function of a config slice, earlier stages, source code and tool versions.

    Attributes:
        name: name of the stage and of its folder.
        after: stages whose outputs it reads.
        body: ``module:function``; imported only when the stage really runs.
        config: sections of the design it reads; ``section.key`` for a single key.
        config_of: sections it reads besides, where that depends on the design.
        packages: distributions whose version is an input.
        programs: programs that it cannot do without; a run that needs a missing one fails before its first stage.
        optional: a missing tool skips the stage instead of failing it.
        beside: runs in a process of its own, beside the stages that come before it but that it does not read.
        executes: stages of `after` whose outputs are compiled and run, so this user must have made them.
        resumable: an interrupted run leaves work that the next run with the same inputs goes on from.
    """

    name: str
    after: tuple[str, ...] = ()
    body: str
    config: tuple[str, ...] = ()
    config_of: Callable[[Any], tuple[str, ...]] | None = None
    packages: tuple[str, ...] = ()
    optional: bool = False
    resumable: bool = False
    beside: bool = False
    programs: tuple[str, ...] = ()
    executes: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """Module of the body."""
        return self.body.partition(":")[0]

    def load(self) -> Callable[[Job], str | None]:
        """Import and return the body. It may return a short note for the stage's line."""
        function: Callable[[Job], str | None] = getattr(
            importlib.import_module(self.module), self.body.partition(":")[2]
        )
        return function


class Bar(Protocol):
    """Something that shows the progress of a long stage."""

    def __call__(self, fraction: float, text: str) -> None:
        """Show ``fraction`` (0 to 1) and a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a stage body gets.

    Attributes:
        design: the design's config tree (`codesign.flow.config.Design`).
        folder: empty folder (a resumed stage's: as it was left) to write outputs into; moved into place at the end.
        upstream: finished folder of each earlier stage.
        cache: folder for tool builds that are found again by content hash; never an output, safe to delete.
        bar: progress display.
        memory: objects kept for later stages of the same run.
        command: command that makes this design's build again; None if it is not known.
    """

    design: Any
    folder: Path
    upstream: dict[str, Path]
    cache: Path
    bar: Bar
    memory: dict[str, Any] = field(default_factory=dict)
    command: str | None = None

    def remember(self, name: str, make: Callable[[], T]) -> T:
        """Return the object ``name`` of this run, made by ``make`` the first time."""
        if name not in self.memory:
            self.memory[name] = make()
        found: T = self.memory[name]
        return found

    def track(self, items: Iterable[T], total: int, text: str) -> Iterator[T]:
        """Yield ``items`` and show how many of ``total`` are done."""
        for number, item in enumerate(items):
            self.bar(number / total, f"{text} {number + 1}/{total}")
            yield item


def no_bar(fraction: float, text: str) -> None:
    """Show nothing: the bar of a stage in another process."""


def find(stages: tuple[Stage, ...], name: str, option: str) -> int:
    """Return the position of the stage called ``name``.

    Raises:
        ConfigError: there is none; lists them.
    """
    names = [stage.name for stage in stages]
    if name not in names:
        raise ConfigError(
            f"no stage called {name!r}",
            where=option,
            expected=f"one of {', '.join(names)}",
            fix=did_you_mean(name, names),
        )
    return names.index(name)
