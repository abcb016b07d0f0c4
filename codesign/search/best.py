# SPDX-License-Identifier: Apache-2.0
"""The best designs of a search through the whole flow: what was predicted against what was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codesign.errors import StageError
from codesign.flow.config import load
from codesign.flow.console import Terminal
from codesign.flow.fitted import core_table
from codesign.flow.runner import Options, Runner
from codesign.flow.steps import stages_of
from codesign.names import check_design
from codesign.outputs import write_text
from codesign.report.model import REPORT
from codesign.search.objectives import Figures
from codesign.search.run import Found
from codesign.search.store import Tried
from codesign.search.trial import Outcome
from codesign.stored import load_json

COMPARED = ("accuracy", "cycles_per_frame", "cycles_p95", "lut", "ff", "dsp", "frames_per_second_per_lut")
"""Figures that are predicted and measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A design of the front, predicted and measured.

    Attributes:
        name: of its design and build folder.
        number: of its trial.
        predicted: on validation clips, by the models.
        measured: on test clips, by RTL simulation and synthesis.
        values: output values that were compared; none differ between any two implementations.
    """

    name: str
    number: int
    predicted: Figures
    measured: Figures
    values: int

    def apart(self, name: str) -> float | None:
        """Return how far a predicted figure was from the measured one, as a share of it; of accuracy in points."""
        predicted, measured = getattr(self.predicted, name), getattr(self.measured, name)
        if predicted is None or measured is None:
            return None
        if name == "accuracy":
            return 100 * float(predicted - measured)
        return (predicted - measured) / measured if measured else float(predicted != 0)


def check_best(found: Found, root: Path, terminal: Terminal) -> list[Checked]:
    """Run the best designs of the front through every stage; each has a build folder of its own below ``root/best``.

    Raises:
        StageError: a stage failed, or implementations differ.
        ToolNotFoundError: a program that a stage needs is not here.
    """
    checked = []
    for item in found.front()[: found.search.section.best]:
        path = write_design(found, item, root / "best")
        terminal.text(f"trial {item.number}: {path}")
        design = load(path)
        folder = root / "best" / design.design.name
        line = f"codesign run {path}"
        Runner(
            design=design, stages=stages_of(design), root=folder, options=Options(), terminal=terminal, command=line
        ).run()
        assert item.outcome is not None
        assert item.outcome.figures is not None
        predicted = item.outcome.figures
        figures, values = measured(folder, found.search.clock_of(design), fits=predicted.fits)
        checked.append(
            Checked(name=folder.name, number=item.number, predicted=predicted, measured=figures, values=values)
        )
    return checked


def write_design(found: Found, item: Tried, folder: Path) -> Path:
    """Write the design of a trial, with the hardware that was chosen for it, as a TOML file; return its path."""
    name = f"{found.search.section.name}_{item.number:04d}"
    check_design(name, where="search.name")
    path = folder / f"{name}.toml"
    write_text(path, design_text(found, item))
    return path


def design_text(found: Found, item: Tried) -> str:
    """Return the design of a trial as TOML; paths in it are absolute."""
    assert item.outcome is not None
    search = found.search
    table = _absolute(search.space.table(item.choice), search.space.folder)
    name = f"{search.section.name}_{item.number:04d}"
    design = search.space.design(item.choice, name)
    table["design"] = {"name": name, "seed": design.design.seed}
    table["hardware"] = hardware_table(table.get("hardware", {}), item.outcome)
    if design.hardware.architecture == "core":
        table["core"] = core_table(search.target)
    table["synth"] = {"targets": ["ecp5"], "route": False}
    table["report"] = {**table.get("report", {}), "clock_mhz": search.clock_of(design)}
    head = (
        f"# Trial {item.number} of the search {search.section.name}, seed {search.section.seed}; "
        "the hardware is codesign fit's."
    )
    order = ("design", *(name for name in table if name != "design"))
    return "\n".join((head, *_lines({name: table[name] for name in order}))) + "\n"


def hardware_table(given: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Return ``[hardware]`` with the engines of an outcome; of a core, which has none, without."""
    kept = {key: value for key, value in given.items() if key not in ("cycles", "multipliers", "layer", "pe", "p")}
    if kept.get("architecture") == "core":
        return kept
    layers = {
        name: {"pe": engine.pe} | ({"unroll": list(engine.unroll)} if tuple(engine.unroll) not in ((), (1, 1)) else {})
        for name, engine in outcome.engines.items()
    }
    return {**kept, "p": outcome.p, "layer": layers}


def measured(folder: Path, clock_mhz: float, *, fits: bool = True) -> tuple[Figures, int]:
    """Return what a finished build folder measured, at a clock, and how many output values were compared.

    Raises:
        StageError: implementations differ, or the design was not synthesised.
    """
    report = load_json(folder / "6_report" / REPORT)
    mismatches = sum(count or 0 for count in report["agreement"]["mismatches"].values())
    if mismatches:
        raise StageError("implementations differ", where=str(folder), received=f"{mismatches} values")
    area = next((entry for entry in report["resources"] if entry["kind"] == "synth"), None)
    if area is None:
        raise StageError(
            "was not synthesised", where=str(folder), fix="see `codesign doctor`, then run the search again"
        )
    cycles = report["throughput"]["cycles_per_frame"]
    rate = clock_mhz * 1e6 / cycles["mean"]
    figures = Figures(
        origin="measured",
        accuracy=report["accuracy"]["delta"],
        cycles_per_frame=cycles["mean"],
        cycles_p95=cycles["p95"],
        frames_per_second=rate,
        frames_per_second_per_lut=rate / area["lut"],
        lut=area["lut"],
        ff=area["ff"],
        dsp=area["dsp"],
        state_bits=sum(layer["state_bits"] for layer in report["layers"]),
        weight_bits=sum(layer["weight_bits"] for layer in report["layers"]),
        fits=fits,
    )
    return figures, report["agreement"]["values"]


def _absolute(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    for section in ("data", "model"):
        if isinstance(table.get(section, {}).get("path"), str):
            table[section]["path"] = str((folder / table[section]["path"]).resolve())
    return table


def _lines(sections: Mapping[str, Any]) -> Iterator[str]:
    for section, values in sections.items():
        yield ""
        yield f"[{section}]"
        for key, value in values.items():
            yield f"{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
