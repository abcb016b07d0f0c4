# SPDX-License-Identifier: Apache-2.0
"""``docs/proofs.json`` and the table of ``docs/proofs.md``, which is made of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codesign.report.document import table
from formal.record import Case, Subject

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, RECORD = DOCS / "proofs.md", DOCS / "proofs.json"
HEAD = ("module", "proved, for every input", "assumed", "method", "sizes", "faults", "processor time")


def described(subject: Subject) -> dict[str, Any]:
    """Return what a record says of a subject before it is proved: what `docs/proofs.json` must agree with."""
    return {
        "module": f"{subject.prefix}{subject.leaf}",
        "harness": f"prove_{subject.name}",
        "properties": dict(subject.properties),
        "assumes": subject.assumes,
        "cases": [
            {"parameters": dict(case.parameters), "method": case.method, "depth": case.depth} for case in subject.cases
        ],
        "faults": [fault.name for fault in subject.faults],
    }


def parts(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands between the marks of `PAGE`, of what `docs/proofs.json` holds."""
    rows = [row for subject in record["subjects"] for row in _rows(subject)]
    origin = record["origin"]
    tools = ", ".join(f"{name} {version or 'unknown'}" for name, version in origin["tools"].items())
    cases = sum(len(subject["cases"]) for subject in record["subjects"])
    faults = sum(len(subject["faults"]) for subject in record["subjects"])
    seconds = sum(subject["seconds"] for subject in record["subjects"])
    commits = dict.fromkeys(subject["commit"] or "unknown" for subject in record["subjects"])
    how = (
        f"{cases} proofs, {faults} faults found, every cover point reached: {seconds / 60:.0f} minutes of processor "
        f"time ({origin['cpu'] or 'unknown processor'}); {tools}; commit {', '.join(commits)}."
    )
    return {"proofs": f"{table(HEAD, rows)}\n\n{how}"}


def _rows(subject: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    groups = dict.fromkeys((case["method"], case["depth"]) for case in subject["cases"])
    for number, (method, depth) in enumerate(groups):
        cases = [case for case in subject["cases"] if (case["method"], case["depth"]) == (method, depth)]
        how = f"induction, k = {depth}" if method == "induction" else f"bounded, {depth} cycles"
        seconds = f"{sum(case['seconds'] for case in cases):.0f} s"
        sizes = _sizes([_all_parameters(subject["harness"], case["parameters"]) for case in cases])
        if number == 0:
            proved = "<br>".join(f"{sentence}" for sentence in subject["properties"].values())
            head = (f"`{subject['module']}`", proved, subject["assumes"] or "nothing")
            rows.append((*head, how, sizes, str(len(subject["faults"])), seconds))
        else:
            rows.append(("", "the same", "the same", how, sizes, "", seconds))
    return rows


def _sizes(parameters: Sequence[Mapping[str, int]]) -> str:
    """Return sizes as text: the values of each parameter if every combination is there, else the first case and what
    is different in each of the others.
    """
    names = list(dict.fromkeys(name for one in parameters for name in one))
    values = {name: sorted({one[name] for one in parameters}) for name in names}
    combinations = {tuple(one[name] for name in names) for one in parameters}
    if combinations == set(itertools.product(*values.values())):
        return "; ".join(f"{name} {', '.join(map(str, values[name]))}" for name in names)
    first, *others = parameters
    differ = [", ".join(f"{name} {one[name]}" for name in names if one[name] != first[name]) for one in others]
    return "; or ".join([", ".join(f"{name} {first[name]}" for name in names), *differ])


def _all_parameters(harness: str, parameters: Mapping[str, int]) -> dict[str, int]:
    """Return the parameters of a case, and those that it leaves as the harness has them."""
    text = (Path(__file__).parent / f"{harness}.sv").read_text(encoding="utf-8")
    found = re.findall(r"^    parameter [^=;]*?(\w+) = (?:1'b)?(-?\d+),?(?: *//.*)?$", text, re.MULTILINE)
    return {**{name: int(value) for name, value in found}, **parameters}


def proved(subject: Subject, times: Sequence[float], failed: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the record of a subject: processor seconds of each case, and the properties that failed for each fault."""
    record = described(subject)
    for case, seconds in zip(record["cases"], times, strict=True):
        case["seconds"] = round(seconds, 1)
    record["faults"] = [
        {"name": fault.name, "module": f"{fault.prefix or subject.prefix}{fault.leaf}", "failed": list(names)}
        for fault, names in zip(subject.faults, failed, strict=True)
    ]
    return record


def title(subject: Subject, case: Case) -> str:
    """Return a line that names a case."""
    sizes = ", ".join(f"{name} {value}" for name, value in case.parameters.items()) or "as it is"
    return f"{subject.name}: {case.method}, {case.depth}, {sizes}"
