# SPDX-License-Identifier: Apache-2.0
"""Run proofs: write what SymbiYosys reads, run it, and read its verdict strictly: only PASS is proved."""

from __future__ import annotations

import importlib.util
import re
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codesign import trust
from codesign.errors import CodesignError, ToolNotFoundError
from codesign.tools import environment, run
from formal.record import Case, Fault, Subject

HERE = Path(__file__).resolve().parent
PROGRAMS = ("yosys", "yosys-smtbmc", "yosys-witness")
"""As SymbiYosys calls them; each is `yowasp-` its name."""
TIMEOUT_S = 1200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What SymbiYosys said.

    Attributes:
        passed: every assertion was proved (every cover point was reached); unknown is not passed.
        failed: labels of assertions that failed, of cover points that were not reached.
        seconds: processor time, of all programs that it started.
        text: its last lines.
    """

    passed: bool
    failed: frozenset[str]
    seconds: float
    text: str


@cache
def programs() -> Path:
    """Return a folder with the programs that SymbiYosys looks for, by the names that it looks for.

    Call it once before proofs run side by side.

    Raises:
        ToolNotFoundError: the solver is not installed.
    """
    if importlib.util.find_spec("bitwuzla") is None:
        raise ToolNotFoundError("bitwuzla", how="pip install 'bitwuzla>=0.10,<1'")
    folder = trust.private("prove")
    scripts = Path(sysconfig.get_path("scripts"))
    for name in PROGRAMS:
        (folder / name).symlink_to(scripts / f"yowasp-{name}")
    solver = folder / "bitwuzla"
    solver.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "solver.py"}"\n', encoding="utf-8")
    solver.chmod(0o700)
    return folder


def prove(subject: Subject, case: Case, folder: Path) -> Verdict:
    """Prove one case of a subject in ``folder``, which is made.

    Raises:
        CodesignError: there is no verdict, or the assertions are not those that the subject names.
    """
    mode = "prove" if case.method == "induction" else "bmc"
    verdict = _sby(subject, case.parameters, mode, case.depth, folder)
    check_labels(subject, labels(folder, "assert"))
    return verdict


def cover(subject: Subject, folder: Path) -> Verdict:
    """Reach every cover point of a subject's first case; arguments as of `prove`."""
    verdict = _sby(subject, subject.cases[0].parameters, "cover", subject.fault_depth, folder)
    if not labels(folder, "cover"):
        raise CodesignError(f"prove_{subject.name}: no cover point", fix="add cover statements to the harness")
    return verdict


def find(subject: Subject, fault: Fault, folder: Path) -> Verdict:
    """Look for ``fault``: the verdict must be that assertions failed; arguments as of `prove`."""
    parameters = {**subject.cases[0].parameters, **fault.parameters}
    return _sby(subject, parameters, "bmc", subject.fault_depth, folder, fault)


def check_labels(subject: Subject, found: set[str]) -> None:
    """Check that the assertions that are properties are those of the record.

    Raises:
        CodesignError: they are not.
    """
    properties = {label.removeprefix("a_") for label in found if label.startswith("a_")}
    if properties != set(subject.properties):
        raise CodesignError(
            f"prove_{subject.name}: the assertions are not those of the table",
            expected=", ".join(sorted(subject.properties)),
            received=", ".join(sorted(properties)),
            fix="bring the record and the harness together",
        )
    unnamed = [label for label in found if not label.startswith(("a_", "i_"))]
    if unnamed:
        raise CodesignError(f"prove_{subject.name}: assertions without a label", received=", ".join(unnamed))


def labels(folder: Path, kind: str) -> set[str]:
    """Return the labels of the assertions ("assert") or cover points ("cover") of a run, without instances."""
    text = (folder / "run" / "model" / "design_smt2.smt2").read_text(encoding="utf-8")
    return {name.rpartition(".")[2] for name in re.findall(rf"^; yosys-smt2-{kind} \d+ (\S+)", text, re.MULTILINE)}


def sources(subject: Subject, parameters: Mapping[str, int], fault: Fault | None = None) -> dict[str, str]:
    """Return every file of a proof by its name; ``fault`` is put into its leaf.

    Raises:
        CodesignError: the text of the fault does not occur once.
    """
    files = dict(subject.modules(parameters))
    if fault is not None:
        name = f"{fault.prefix or subject.prefix}{fault.leaf}.sv"
        if files[name].count(fault.old) != 1:
            raise CodesignError(f"{name}: {fault.old!r} occurs {files[name].count(fault.old)} times", fix="mend it")
        files[name] = files[name].replace(fault.old, fault.new)
    shared = [path for path in sorted(HERE.glob("*.sv")) if not path.name.startswith("prove_")]
    for path in (*shared, HERE / f"prove_{subject.name}.sv"):
        files[path.name] = path.read_text(encoding="utf-8")
    return files


STEPS = "c:i_* c:*.i_* %u t:$check %i c:*.a_* %d c:*.c_* %d c:*.m_* %d"
"""Assertions that are steps of a proof, as Yosys selects them; instances may be called ``i_*``, too."""


def script(
    subject: Subject,
    parameters: Mapping[str, int],
    mode: str,
    depth: int,
    files: Mapping[str, str],
    *,
    faulty: bool = False,
) -> str:
    """Return what SymbiYosys reads; in a ``faulty`` leaf nothing but properties is looked at."""
    top = f"prove_{subject.name}"
    settings = " ".join(f"-G {name}={value}" for name, value in parameters.items() if not name.islower())
    free = f"hierarchy -top {top}\nproc\ndelete t:$meminit t:$meminit_v2\n" if subject.free else ""
    flat = "memory_map\nopt\n" if subject.flat else ""
    steps = depth if mode == "prove" else depth + 1  # Yosys checks a cycle in the step after it
    going = "--keep-going " if mode == "bmc" and subject.thorough else ""
    names = "\n".join((*files, *subject.files))
    return (
        f"[options]\nmode {mode}\ndepth {steps}\n\n[engines]\nsmtbmc {going}bitwuzla\n\n[script]\n"
        f"read_slang --threads 1 -D SYNTHESIS {settings} --top {top} {' '.join(files)}\n{free}prep -top {top}\n{flat}"
        f"{f'delete {STEPS}' if faulty else ''}\n\n"
        f"[files]\n{names}\n"
    )


def _sby(
    subject: Subject,
    parameters: Mapping[str, int],
    mode: str,
    depth: int,
    folder: Path,
    fault: Fault | None = None,
) -> Verdict:
    files = sources(subject, parameters, fault)
    folder.mkdir(parents=True)
    for name, text in (*files.items(), *subject.files.items()):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "run.sby").write_text(
        script(subject, parameters, mode, depth, files, faulty=fault is not None), encoding="utf-8"
    )
    path = f"PATH={programs()}:{environment()['PATH']}"
    # 0 PASS, 2 FAIL, 4 UNKNOWN: a verdict. Everything else is an error, and `run` knows success only.
    judge = "case $status in 0 | 2 | 4) ;; *) exit 1 ;; esac"
    command = f'yowasp-sby run.sby; status=$?; times; echo "status $status"; {judge}'
    text = run(["env", path, "sh", "-c", command], folder, folder / "log", TIMEOUT_S)
    said = (folder / "run" / "status").read_text(encoding="utf-8").split()[0]
    spent = re.findall(r"(\d+)m([\d.]+)s", text[text.rindex(" DONE ") :])  # of the shell, and of what it started
    summary = (folder / "run" / said).read_text(encoding="utf-8")  # whole; the log leaves some out
    failed = re.findall(r"^ +(?:failed assertion )?(?:\S*\.)?(\w+) at ", summary, re.MULTILINE)
    return Verdict(
        passed=said == "PASS" and text.rstrip().endswith("status 0"),
        failed=frozenset(failed),
        seconds=sum(60 * int(minutes) + float(rest) for minutes, rest in spent),
        text="\n".join(text.strip().splitlines()[-12:]),
    )
