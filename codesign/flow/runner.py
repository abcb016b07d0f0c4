# SPDX-License-Identifier: Apache-2.0
"""Run the stages of a design: what is unchanged stays, what is stale is made again, nothing is left half-written.

A stage works in ``<stage>.partial``, which becomes ``<stage>`` in one rename when it has finished. Rules:

* inputs as in the manifest, outputs untouched: **cached**;
* inputs changed (config, source code, tool versions, outputs of an earlier stage): **run again**;
* an output was deleted: reported, and **run again**; if it comes out the same, later stages stay cached;
* an output was edited: **error** that names the file and the two ways out (restore it, or ``--from``/``--force``);
* a skipped stage (a missing tool) is tried again every time;
* an interrupted run of a stage that can go on, goes on, also where an older one had finished with the same inputs;
  what any other left behind is removed, and reported;
* a stage marked ``beside`` starts as soon as what it reads is there, in a process of its own.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

from codesign.endings import warnings_to
from codesign.errors import CodesignError, ConfigError, StageError, ToolNotFoundError
from codesign.flow import manifest as manifests
from codesign.flow.children import Child
from codesign.flow.console import Terminal, captured, last_lines
from codesign.flow.lock import locked
from codesign.flow.manifest import Inputs, Manifest
from codesign.flow.stage import Job, Stage, find, no_bar
from codesign.outputs import check_work
from codesign.paths import BuildFolder
from codesign.processes import Ended
from codesign.tools import require
from codesign.trust import check_no_links

_MARK = "inputs.sha256"
"""File in a work folder: the inputs that its work belongs to."""
_UNFINISHED = "an earlier run of it stopped, and goes on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for.

    Attributes:
        first: run this stage again whatever its state, and go on from it; earlier ones must be up to date.
        last: stop after this stage.
        force: run every stage in the range again, and throw away edits and interrupted work.
        dry_run: only print what would be done.
        verbose: print why a stage runs.
    """

    first: str | None = None
    last: str | None = None
    force: bool = False
    dry_run: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A stage that runs in a process of its own."""

    child: Child
    inputs: Inputs
    partial: Path


def work(stage: Stage, job: Job) -> tuple[str | None, float]:
    """Run a stage's body, all its output in the log; return its note and seconds."""
    start = time.monotonic()
    with captured(job.folder / manifests.LOG):
        try:
            note = stage.load()(job)
        except Exception:
            traceback.print_exc()
            raise
    return note, time.monotonic() - start


@dataclass(slots=True, kw_only=True)
class Runner:
    """One `codesign run`.

    Attributes:
        design: config tree the stages read.
        stages: stages in order.
        root: ``build/<design>``.
        options: what the user asked for.
        terminal: where lines go.
        command: command that makes the build again, for the report.
    """

    design: Any
    stages: tuple[Stage, ...]
    root: Path
    options: Options
    terminal: Terminal
    command: str | None = None
    _digests: dict[str, str] = field(default_factory=dict)
    _memory: dict[str, Any] = field(default_factory=dict)
    _pending: list[str] = field(default_factory=list)
    _beside: dict[str, Beside] = field(default_factory=dict)
    _made: set[str] = field(default_factory=set)
    _failed: str = ""
    _last: int = 0
    _ready: bool = False

    def run(self) -> None:
        """Bring the stages up to date.

        Raises:
            ConfigError: an unknown stage name, or an empty range.
            StageError: an edited output, a stale stage before ``--from``, a failed stage, or a second run.
            ToolNotFoundError: a program that a stage needs is not there.
        """
        first = 0 if self.options.first is None else find(self.stages, self.options.first, "--from")
        last = len(self.stages) - 1 if self.options.last is None else find(self.stages, self.options.last, "--to")
        if first > last:
            received = f"--from {self.options.first} --to {self.options.last}"
            raise ConfigError("--from is after --to", received=received, fix="swap them")
        check_no_links(self.root)
        self._last = last
        with contextlib.nullcontext() if self.options.dry_run else locked(self.root):
            names = [stage.name for stage in self.stages]
            check_work(self.root, [BuildFolder.CACHE, *names, *(f"{name}{BuildFolder.PARTIAL}" for name in names)])
            try:
                for position, stage in enumerate(self.stages[: last + 1]):
                    self._look_ahead(self.stages[max(position, first) : last + 1])
                    self._visit(position, stage, before=position < first)
            finally:
                for name, beside in self._beside.items():
                    beside.child.stop()
                    if name not in self._digests and name != self._failed:
                        shutil.rmtree(beside.partial, ignore_errors=True)

    def _look_ahead(self, stages: tuple[Stage, ...]) -> None:
        """Start the stages that can run beside the ones before them, now that what they read is there."""
        for stage in stages:
            ready = all(name in self._digests for name in stage.after)
            if self.options.dry_run or not stage.beside or stage.name in self._beside or not ready:
                continue
            inputs = manifests.inputs_of(stage, self.design, self._digests)
            reason = self._reason(stage, inputs)
            if reason is not None:
                partial = self._prepare(stage, inputs, reason)
                child = Child().call(work, stage, self._job(stage, partial))
                self._beside[stage.name] = Beside(child=child, inputs=inputs, partial=partial)

    def _visit(self, position: int, stage: Stage, *, before: bool) -> None:
        if stage.name in self._beside:
            self._execute(position, stage, self._beside[stage.name].inputs, self._beside[stage.name].partial)
            return
        waits_for = [name for name in stage.after if name in self._pending]
        if waits_for:
            self._pending.append(stage.name)
            self._line(position, "may run", f"after {waits_for[0]}")
            return
        inputs = manifests.inputs_of(stage, self.design, self._digests)
        reason = self._reason(stage, inputs, before=before)
        if reason is None:
            self._cached(position, stage, inputs)
        elif before:
            raise StageError(
                f"the stage is not up to date ({reason})",
                where=stage.name,
                fix=f"run without --from {self.options.first}",
            )
        elif self.options.dry_run:
            self._pending.append(stage.name)
            self._line(position, "would run", f"({reason})")
        else:
            self._require_programs(position)
            self._execute(position, stage, inputs, self._prepare(stage, inputs, reason))

    def _require_programs(self, position: int) -> None:
        """Check, before the first stage that runs, that it and those after it find their programs.

        Raises:
            ToolNotFoundError: one is not there.
        """
        if self._ready:
            return
        for stage in self.stages[position : self._last + 1]:
            for program in stage.programs:
                require(program)
        self._ready = True

    def _reason(self, stage: Stage, inputs: Inputs, *, before: bool = False) -> str | None:
        """Return why the stage must run, or None if what it left is good."""
        if not before and (self.options.force or stage.name == self.options.first):
            return "asked for"
        folder = self.root / stage.name
        done = manifests.read(folder)
        if done is None:
            return _UNFINISHED if self._goes_on(stage, inputs) else "never run"
        edited, deleted = manifests.touched(done, folder)
        if edited:
            raise manifests.edited_error(folder, edited)
        if deleted:
            return f"{', '.join(deleted[:3])} deleted"
        if done.status == "skipped":
            return "skipped last time"
        return done.inputs.difference(inputs) or (_UNFINISHED if not before and self._goes_on(stage, inputs) else None)

    def _goes_on(self, stage: Stage, inputs: Inputs) -> bool:
        """Return whether an interrupted run with the same inputs left something to go on from."""
        mark = self.root / f"{stage.name}{BuildFolder.PARTIAL}" / _MARK
        return stage.resumable and mark.is_file() and mark.read_bytes() == inputs.digest.encode()

    def _cached(self, position: int, stage: Stage, inputs: Inputs) -> None:
        done = manifests.read(self.root / stage.name)
        assert done is not None  # `_reason` has just read it
        self._digests[stage.name] = done.digest
        left, note = [self.root / f"{stage.name}{end}" for end in (BuildFolder.PARTIAL, ".old")], ""
        if self._goes_on(stage, inputs):  # before --from
            note = f"({_UNFINISHED} without --from {self.options.first})"
        elif any(path.exists() for path in left) and not self.options.dry_run:
            for path in left:
                shutil.rmtree(path, ignore_errors=True)
            note = "(removed what an interrupted or failed run of it left)"
        self._line(position, "cached", note)

    def _execute(self, position: int, stage: Stage, inputs: Inputs, partial: Path) -> None:
        """Run a stage, or wait for it if it runs already, and finish it."""
        start = time.monotonic()
        status, note, seconds = "ok", None, 0.0
        try:
            title = f"[{position + 1}/{len(self.stages)}] {stage.name}"
            with self.terminal.bar(title), warnings_to(self._warn):
                if stage.name in self._beside:
                    note, seconds = self._beside[stage.name].child.result()
                else:
                    note, seconds = work(stage, self._job(stage, partial))
        except KeyboardInterrupt as interrupt:
            self._interrupted(position, partial, interrupt)
            raise
        except ToolNotFoundError as error:
            if not stage.optional:
                self._fail(position, partial, start, error)
            status, note = "skipped", error.briefly
            _empty(partial)
        except Exception as error:
            self._fail(position, partial, start, error)
        self._finish(stage, partial, inputs, status, note, seconds)
        if status == "skipped":
            self._line(position, "skipped", note or "")
        else:
            self._line(position, "ok", f"{seconds:.1f} s" + (f" ({note})" if note else ""))

    def _prepare(self, stage: Stage, inputs: Inputs, reason: str) -> Path:
        """Return the work folder: as it was left if an interrupted run with the same inputs can go on, else empty."""
        for name in set(stage.executes) - self._made:
            manifests.check_own(self.root / name)
        partial = self.root / f"{stage.name}{BuildFolder.PARTIAL}"
        if self._goes_on(stage, inputs) and not self.options.force:
            self.terminal.text(f"{stage.name}: going on where an earlier run of it stopped")
            return partial
        if stage.resumable and (partial / _MARK).exists() and not self.options.force:
            self.terminal.text(f"{stage.name}: starting over, as an earlier run of it stopped with other inputs")
        if "deleted" in reason or self.options.verbose:
            self.terminal.text(f"{stage.name}: {reason}; running it")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / _MARK).write_text(inputs.digest)
        return partial

    def _job(self, stage: Stage, folder: Path) -> Job:
        cache = self.root / BuildFolder.CACHE
        cache.mkdir(exist_ok=True)
        return Job(
            design=self.design,
            folder=folder,
            upstream={name: self.root / name for name in stage.after},
            cache=cache,
            bar=no_bar if stage.beside else self.terminal.advance,
            memory={} if stage.beside else self._memory,
            command=self.command,
        )

    def _finish(
        self, stage: Stage, partial: Path, inputs: Inputs, status: str, note: str | None, seconds: float
    ) -> None:
        """Write the manifest and move the folder into place."""
        (partial / _MARK).unlink(missing_ok=True)
        done = Manifest(
            stage=stage.name,
            status=status,
            note=note,
            inputs=inputs,
            outputs=manifests.hash_outputs(partial),
            seed=self.design.design.seed,
            seconds=round(seconds, 3),
            finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )
        done.write(partial)
        self._digests[stage.name] = done.digest
        self._made.add(stage.name)
        final = self.root / stage.name
        old = self.root / f"{stage.name}.old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.rename(old)
        partial.rename(final)
        shutil.rmtree(old, ignore_errors=True)

    def _interrupted(self, position: int, partial: Path, interrupt: KeyboardInterrupt) -> None:
        """Report it in one line, with what the next run does; keep only work that can go on."""
        stage = self.stages[position]
        if not stage.resumable:
            shutil.rmtree(partial, ignore_errors=True)
        kept = "run again to go on" if stage.resumable else "run again to start it over; earlier stages are kept"
        self._line(position, "interrupted", kept)
        if isinstance(interrupt, Ended):
            interrupt.reported = True

    def _fail(self, position: int, partial: Path, start: float, error: Exception) -> NoReturn:
        self._failed = self.stages[position].name
        log = partial / manifests.LOG
        self._line(position, "failed", f"after {time.monotonic() - start:.1f} s; log: {log}")
        for line in last_lines(log, traceback=not isinstance(error, CodesignError)):
            self.terminal.text(f"  | {line}")
        if isinstance(error, CodesignError):
            raise error
        raise StageError(
            f"{type(error).__name__}: {error}", where=self.stages[position].name, fix=f"read the log, {log}"
        ) from error

    def _warn(self, text: str) -> None:
        """Show a warning of a stage, and keep it in its log."""
        self.terminal.text(text)
        print(text, file=sys.stderr)

    def _line(self, position: int, status: str, detail: str = "") -> None:
        self.terminal.stage(position + 1, len(self.stages), self.stages[position].name, status, detail)


def _empty(partial: Path) -> None:
    """Delete everything in a work folder but the log."""
    for path in partial.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != manifests.LOG:
            path.unlink()
