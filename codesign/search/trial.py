# SPDX-License-Identifier: Apache-2.0
"""What a worker does for a search: train a design, count what changes, and let `codesign.fit` choose its hardware."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.errors import ConfigError, ConversionError
from codesign.fit.result import Fit
from codesign.flow.config import Design
from codesign.flow.console import captured
from codesign.outputs import write_text
from codesign.records import build, plain
from codesign.search.objectives import Figures
from codesign.stored import DAMAGED
from codesign.synth.target import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codesign.fit import Measured
    from codesign.graph.ir import Graph
    from codesign.synth.record import Area, LayerArea
    from codesign.training.state import State

TRIAL = "trial.json"
"""What came of a trial, with all that it follows from."""
HALVINGS = 8
"""Rates that are tried below the highest one, each half of the one before, for the most frames a second per LUT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A design to judge.

    Attributes:
        design: what is trained.
        target: board it is to fit.
        clock_mhz: clock that frames are counted with.
        rate: frames a second that it has to reach; None: as many as it can.
        per_lut: choose the hardware with the most frames a second per LUT.
        given: keep the PE and unroll of the design, as its author chose them.
        clips: validation clips that cycles are predicted from.
        hopeless: accuracy on validation clips below which the float and the quantised network end the training.
        made_by: sources and versions that the figures follow from.
    """

    design: Design
    target: Target
    clock_mhz: float
    rate: float | None
    per_lut: bool
    given: bool = False
    clips: int
    hopeless: float | None
    made_by: dict[str, str | None]

    @property
    def key(self) -> dict[str, Any]:
        """All that an outcome follows from, as JSON holds it."""
        values = plain(self)
        del values["target"]["load"], values["target"]["sources"]
        return dict(json.loads(json.dumps(values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the fit chose for a layer."""

    pe: int
    unroll: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial.

    Attributes:
        figures: predicted figures on validation clips; None if there are none.
        engines: PE and unroll of each engine.
        p: input codes in a beat.
        dense_cycles: predicted cycles of a frame with skipping off.
        problem: why there are no figures: the training was given up, or there is no such network.
        pruned: whether it was given up.
        seconds: time that it took.
    """

    figures: Figures | None = None
    engines: dict[str, Engine]
    p: int = 1
    dense_cycles: float | None = None
    problem: str | None = None
    pruned: bool = False
    seconds: float


class _HopelessError(Exception):
    """The training was given up."""


def run_trial(root: Path, place: str, trial: Trial) -> Outcome:
    """Train and judge a design in ``root / place``; return what is there if it has been done already."""
    folder = root / place
    earlier = stored(folder, trial)
    if earlier is not None:
        return earlier
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with captured(folder / "log.txt"):
        outcome = _judged(trial, folder, root / "shared", start)
    record = {"key": trial.key, "outcome": plain(outcome)}
    write_text(folder / TRIAL, json.dumps(record, indent=1, allow_nan=False) + "\n")
    return outcome


def stored(folder: Path, trial: Trial) -> Outcome | None:
    """Return the outcome of the same trial that an earlier run left in ``folder``, or None."""
    try:
        record = json.loads((folder / TRIAL).read_text(encoding="utf-8"))
        if record["key"] != trial.key:
            return None
        return build(Outcome, record["outcome"], where="", folder=folder)
    except (*DAMAGED, ConfigError):
        return None


def _judged(trial: Trial, folder: Path, shared: Path, start: float) -> Outcome:
    try:
        accuracy = _trained(trial, folder, shared)
        return _fitted(trial, folder, accuracy, start)
    except (_HopelessError, ConversionError) as error:
        pruned = isinstance(error, _HopelessError)
        return Outcome(engines={}, problem=str(error), pruned=pruned, seconds=time.monotonic() - start)


def _trained(trial: Trial, folder: Path, shared: Path) -> float:
    """Train the network and return its accuracy on the validation clips."""
    from codesign.training import train
    from codesign.training.pretrained import Pretrained

    design, limit = trial.design, trial.hopeless
    epochs = {"float": design.training.float_epochs, "quantized": design.training.quantized_epochs}

    def watch(state: State) -> None:
        last = {line["phase"]: line for line in state.log}
        for place, (name, count) in enumerate(epochs.items()):
            line = last.get(name, {})
            reached = line.get("val_accuracy")
            over = place < state.phase or line.get("epoch") == count
            if over and limit is not None and reached is not None and reached < limit:
                raise _HopelessError(
                    f"given up: the {name} network classifies {reached:.3f} of the clips, less than {limit:.3f}"
                )

    results = train(
        design.data,
        design.model,
        design.training,
        folder,
        seed=design.design.seed,
        engines=design.hardware.engines() if design.training.sees_cycles else None,
        shared=shared,
        pretrained=Pretrained if design.model.kind == "keras" else None,
        validate=True,
        watch=watch,
    )
    return float(results["accuracy"]["delta"])


def _fitted(trial: Trial, folder: Path, accuracy: float, start: float) -> Outcome:
    """Choose the hardware of the trained network, and predict what it does."""
    import numpy as np

    from codesign.data.clips import spread
    from codesign.fit import Measured
    from codesign.flow.convert import convert, settings
    from codesign.graph.channels import stored_bits
    from codesign.graph.cycles import dense_cycles
    from codesign.graph.ir import Linear
    from codesign.report.figures import state_bits
    from codesign.training import load_model
    from codesign.verify.clips import input_codes
    from codesign.verify.golden_run import run_golden

    design = trial.design
    model = load_model(folder)
    graph = convert(model, settings(design, model), folder / "hls").delta_graph
    val = design.data.load(design.design.seed).val
    pixels = np.stack([val.pixels(index) for index in spread(len(val), trial.clips)])
    codes = input_codes(graph, pixels)
    if design.hardware.architecture == "core":
        found = _on_core(trial, graph, codes[0])
    else:
        found = _chosen(trial, graph, Measured.of(run_golden(graph, codes).layers))
    area = own_area(found)
    rate = trial.clock_mhz * 1e6 / found.cycles.mean
    figures = Figures(
        origin="predicted",
        accuracy=accuracy,
        cycles_per_frame=found.cycles.mean,
        cycles_p95=found.cycles.p95,
        frames_per_second=rate,
        frames_per_second_per_lut=rate / area["lut"],
        lut=area["lut"],
        ff=area["ff"],
        dsp=area["dsp"],
        bram=-(-area["bram_bits"] // trial.target.capacity.block_bits),
        energy=found.energy_nj,
        state_bits=sum(state_bits(graph, node) for node in graph.engines),
        weight_bits=sum(
            node.weight.size * stored_bits(graph, node)[0] for node in graph.engines if isinstance(node, Linear)
        ),
        fits=found.fits,
    )
    pipeline = found.architecture == "pipeline"
    engines = {name: Engine(pe=pe, unroll=unroll) for name, (pe, unroll) in found.hardware().items()}
    return Outcome(
        figures=figures,
        engines=engines if pipeline else {},
        p=found.graph.source.lanes,
        dense_cycles=dense_cycles(found.graph) if pipeline else None,
        problem="; ".join(found.in_the_way) or None,
        seconds=time.monotonic() - start,
    )


def _chosen(trial: Trial, graph: Graph, measured: Measured) -> Fit:
    """Return the hardware: as given, the least for a rate, the fastest, or that with the most frames/s per LUT."""
    from codesign.fit import fit

    if trial.given:
        return _as_given(trial, graph, measured)
    choose = partial(fit, graph, measured, trial.target, clock_mhz=trial.clock_mhz)
    if not trial.per_lut:
        return choose(frames_per_second=trial.rate)
    fastest = choose()
    rates = [fastest.frames_per_second / 2**halved for halved in range(1, HALVINGS + 1)]
    wanted = [trial.rate] if trial.rate else []
    found = [fastest, *(choose(frames_per_second=rate) for rate in (*wanted, *rates) if rate >= (trial.rate or 0.0))]
    return max(found, key=lambda item: (item.fits, item.frames_per_second_mean / (own_area(item)["lut"] or 1)))


def _on_core(trial: Trial, graph: Graph, clip: NDArray[np.integer]) -> Fit:
    """Return the network on the board's core, which was mapped, with the cycles of a clip ``[T, *shape]``.

    Raises:
        ConversionError: it does not fit the core.
    """
    from codesign.fit.core import on_core

    found = on_core(
        graph,
        clip,
        trial.target,
        frames_per_second=trial.rate,
        clock_mhz=trial.clock_mhz,
        minimise="lut",
    )
    if found is None:
        raise ConversionError(
            "the network does not fit the core",
            where=graph.name,
            expected=f"that of {trial.target.name}",
            received=f"{len(graph.engines)} engines, {sum(node.size for node in graph.engines):,} sums",
            fix="leave such networks out of the space",
        )
    return found


def _as_given(trial: Trial, graph: Graph, measured: Measured) -> Fit:
    """Return what is predicted of the PE, unroll and P that the design itself names."""
    from codesign.fit.board import Board
    from codesign.fit.measured import reached_by
    from codesign.fit.resources import resource_model
    from codesign.fit.words import finished
    from codesign.graph.cycles import estimate

    reached = reached_by(graph, measured)
    return finished(
        graph,
        resource_model(),
        Board.of(trial.target, trial.clock_mhz),
        cycles=estimate(graph, measured.events, reached),
        reached=reached,
        frames=measured,
        wanted=None,
        minimise="lut",
    )


def own_area(found: Fit) -> dict[str, int]:
    """Return the cells of a pipeline without what the board adds, as `codesign run` counts them; of a core with it."""
    from codesign.fit.resources import Cells, resource_model

    area: Area | LayerArea = found.resources
    if found.architecture == "pipeline":
        area = sum(resource_model().nodes(found.graph).values(), Cells()).area("")
    return {name: getattr(area, name) or 0 for name in ("lut", "ff", "dsp", "bram_bits")}
