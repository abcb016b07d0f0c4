# SPDX-License-Identifier: Apache-2.0
"""The leaves are proved again at small sizes; docs/proofs.md and .json agree with the table. All: `make prove`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from formal.document import PAGE, RECORD, described, parts
from formal.prover import check_labels, cover, find, prove, sources
from formal.record import Case, Subject
from formal.solver import commands
from formal.table import CORE_INSIDE, CORE_SIMULATED, INSIDE, SUBJECTS

from codesign.errors import CodesignError
from codesign.report.document import fill
from codesign.rtl.core import CORE_MODULES
from codesign.rtl.leaves import LEAVES

BY_NAME = {subject.name: subject for subject in SUBJECTS}
FAST = [
    pytest.param(subject, case, id=f"{subject.name}-{'-'.join(map(str, case.parameters.values()))}")
    for subject in SUBJECTS
    for case in subject.cases
    if case.fast
]


@pytest.mark.parametrize(("subject", "case"), FAST)
def test_proof(subject: Subject, case: Case, tmp_path: Path) -> None:
    verdict = prove(subject, case, tmp_path / "run")
    assert verdict.passed, verdict.text


def test_a_fault_is_no_proof(tmp_path: Path) -> None:
    verdict = find(BY_NAME["fifo"], BY_NAME["fifo"].faults[0], tmp_path / "run")
    assert not verdict.passed
    assert {"a_order", "a_none_lost"} <= verdict.failed


def test_unknown_is_no_proof(tmp_path: Path) -> None:
    # Nothing is wrong, but one cycle says too little about the next one.
    verdict = prove(BY_NAME["accumulate"], Case(depth=1), tmp_path / "run")
    assert not verdict.passed
    assert "UNKNOWN" in verdict.text


def test_cover_points_are_reached(tmp_path: Path) -> None:
    verdict = cover(BY_NAME["fifo"], tmp_path / "reached")
    assert verdict.passed, verdict.text


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_every_fault_is_where_the_table_says(subject: Subject) -> None:
    assert subject.faults
    for fault in subject.faults:
        assert fault.old != fault.new
        sources(subject, {**subject.cases[0].parameters, **fault.parameters}, fault)
    assert any(case.fast for case in subject.cases), "the default suite proves every subject at one size"


def test_every_leaf_is_proved() -> None:
    proved = [subject.leaf for subject in SUBJECTS if subject.prefix == "delta_"]
    assert sorted({*proved, *INSIDE}) == sorted(LEAVES)
    proved = [subject.leaf for subject in SUBJECTS if subject.prefix == "core_"]
    assert sorted([*proved, *CORE_INSIDE, *CORE_SIMULATED]) == sorted(CORE_MODULES)


def test_a_property_without_a_sentence_is_refused() -> None:
    with pytest.raises(CodesignError, match="not those of the table"):
        check_labels(BY_NAME["fifo"], {"a_order"})


def test_the_record_is_that_of_the_table() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    shown = [
        {
            **{key: subject[key] for key in ("module", "harness", "properties", "assumes")},
            "cases": [{key: case[key] for key in ("parameters", "method", "depth")} for case in subject["cases"]],
            "faults": [fault["name"] for fault in subject["faults"]],
        }
        for subject in record["subjects"]
    ]
    assert shown == [described(subject) for subject in SUBJECTS], "make prove"
    for subject in record["subjects"]:
        found = {name for fault in subject["faults"] for name in fault["failed"]}
        assert found == set(subject["properties"])
        assert all(fault["failed"] for fault in subject["faults"])


def test_the_page_is_made_of_the_record(tmp_path: Path) -> None:
    page = tmp_path / PAGE.name
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    fill(page, parts(json.loads(RECORD.read_text(encoding="utf-8"))))
    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), "make prove"


def test_commands_are_passed_on_whole() -> None:
    lines = ["; a comment\n", "(assert\n", " (= |a (b| c))\n", "(check-sat)\n", "\n"]
    assert list(commands(lines)) == ["(assert\n (= |a (b| c))\n", "(check-sat)\n"]
