# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.found``: a design that a search found against the hand-made one, measured.

Both are trained once a seed, simulated on the test clips, compared value by value and mapped by Yosys (`codesign run`).
Exit status 1 if the found design is less than twice as fast per LUT, or more than half a point less accurate.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.origin import Origin, origin
from codesign.errors import CodesignError, ConfigError
from codesign.flow.config import Design, load
from codesign.flow.console import Terminal
from codesign.flow.runner import Options, Runner
from codesign.flow.steps import stages_of
from codesign.outputs import write_text
from codesign.report.document import check_marks, fill, table
from codesign.search.best import measured
from codesign.search.objectives import Figures
from codesign.study.results import Summary
from codesign.synth.target import load_target

BOARD = "ulx3s-85f"
"""Its clock counts frames; both designs are without what a board adds."""
LEAST_GAIN, LEAST_POINTS = 2.0, -0.5
PART = "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A design, trained with one seed and measured. values: output values that were compared; none differ."""

    seed: int
    accuracy: float
    cycles_per_frame: float
    lut: int
    dsp: int
    frames_per_second_per_lut: float
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A design over its seeds."""

    design: str
    runs: tuple[Run, ...]

    def mean(self, name: str) -> float:
        """Return the mean of a figure."""
        return float(np.mean([getattr(run, name) for run in self.runs]))

    def record(self) -> dict[str, Any]:
        """Return the means, and every seed, for JSON."""
        names = ("accuracy", "cycles_per_frame", "lut", "frames_per_second_per_lut")
        return {"design": self.design, **{name: self.mean(name) for name in names}, "seeds": [*map(asdict, self.runs)]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """Both designs with the same seeds."""

    hand_made: Side
    found: Side

    @property
    def gains(self) -> tuple[float, ...]:
        """Frames a second per LUT of the found design over those of the hand-made one, seed by seed."""
        pairs = zip(self.hand_made.runs, self.found.runs, strict=True)
        return tuple(found.frames_per_second_per_lut / made.frames_per_second_per_lut for made, found in pairs)

    @property
    def points(self) -> tuple[float, ...]:
        """Points of accuracy of the found design above the hand-made one, seed by seed."""
        pairs = zip(self.hand_made.runs, self.found.runs, strict=True)
        return tuple(100 * (found.accuracy - made.accuracy) for made, found in pairs)

    def met(self) -> bool:
        """Whether both targets are met in the mean."""
        return bool(np.mean(self.gains) >= LEAST_GAIN and round(float(np.mean(self.points)), 9) >= LEAST_POINTS)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.found", description=__doc__)
    parser.add_argument("hand_made", type=Path, help="TOML of a design")
    parser.add_argument("found", type=Path, help="TOML of the one that a search found")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of data and training")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--markdown", type=Path, nargs="*", default=[], help="put the table into these documents")
    parser.add_argument("--folder", type=Path, default=Path("build/found"), help="build folders (default build/found)")
    options = parser.parse_args(argv)
    try:
        for document in options.markdown:
            check_marks(document, [PART])
        place = origin()
        against = measure(options.hand_made, options.found, options.seeds, options.folder.resolve())
        part = words(against, place)
        print(part)
        if options.json:
            sides = {"hand_made": against.hand_made.record(), "found": against.found.record()}
            gain = {"gain": float(np.mean(against.gains)), "points": float(np.mean(against.points))}
            record = {"origin": asdict(place), "board": BOARD, **sides, **gain}
            write_text(options.json, json.dumps(record, indent=1, allow_nan=False) + "\n")
        for document in options.markdown:
            fill(document, {PART: part})
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(not against.met())


def measure(hand_made: Path, found: Path, seeds: Sequence[int], folder: Path) -> Against:
    """Run both designs with every seed, in build folders below ``folder`` that are kept and gone on with.

    Raises:
        ConfigError: they are not trained and tested with the same clips.
        CodesignError: a stage failed, or implementations differ.
    """
    designs = load(hand_made), load(found)
    for section in ("data", "clip"):
        one, other = (getattr(design, section) for design in designs)
        if one != other:
            raise ConfigError(
                "the designs see other clips", where=f"[{section}] of {found}", expected=one, received=other
            )
    clock_mhz = load_target(BOARD).clock.core_mhz
    sides = [
        Side(design=d.design.name, runs=tuple(_run(d, seed, folder, clock_mhz) for seed in seeds)) for d in designs
    ]
    return Against(hand_made=sides[0], found=sides[1])


def _run(design: Design, seed: int, folder: Path, clock_mhz: float) -> Run:
    name = f"{design.design.name}_{seed}"
    seeded = replace(
        design,
        design=replace(design.design, name=name, seed=seed),
        synth=replace(design.synth, targets=("ecp5",), route=False),
    )
    root = folder / name
    Runner(design=seeded, stages=stages_of(seeded), root=root, options=Options(), terminal=Terminal()).run()
    figures, values = measured(root, clock_mhz)
    return _as_run(seed, figures, values)


def _as_run(seed: int, figures: Figures, values: int) -> Run:
    assert figures.dsp is not None
    return Run(
        seed=seed,
        accuracy=figures.accuracy,
        cycles_per_frame=figures.cycles_per_frame,
        lut=figures.lut,
        dsp=figures.dsp,
        frames_per_second_per_lut=figures.frames_per_second_per_lut,
        values=values,
    )


def words(against: Against, place: Origin) -> str:
    """Return the table and what it was measured from."""
    rows = [
        (
            f"{side.design}, {origin_of}",
            _spread((100 * run.accuracy for run in side.runs), 1),
            _spread((run.cycles_per_frame for run in side.runs), 1),
            _spread((run.lut for run in side.runs), 0),
            _spread((run.dsp for run in side.runs), 0),
            _spread((run.frames_per_second_per_lut for run in side.runs), 1),
        )
        for origin_of, side in (("hand-made", against.hand_made), ("found", against.found))
    ]
    head = ("design", "accuracy %", "RTL cycles per frame", "LUT", "DSP", "frames/s per LUT")
    values = sum(run.values for side in (against.hand_made, against.found) for run in side.runs)
    gains = ", ".join(f"{gain:.1f}" for gain in against.gains)
    seeds = ", ".join(str(run.seed) for run in against.found.runs)
    points = ", ".join(f"{each:+.1f}" for each in against.points)
    return (
        f"{table(head, rows)}\n\n"
        f"{np.mean(against.gains):.1f} times the frames/s per LUT (seed by seed {gains}), "
        f"{np.mean(against.points):+.1f} points of accuracy ({points}).\n"
        f"Seeds {seeds}. Keras, golden model, csim and RTL agree in all "
        f"of {values:,} output values. Commit {place.commit or 'unknown'}."
    )


def _spread(values: Iterable[float], digits: int) -> str:
    found = Summary.of(list(values))
    return f"{found.mean:,.{digits}f} ± {found.spread or 0.0:,.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
