# SPDX-License-Identifier: Apache-2.0
"""A dense layer fully unrolled by da4ml: every weight is a constant in the logic, a frame enters in each cycle.

da4ml (https://github.com/calad0i/da4ml; C. Sun et al., *da4ml: Distributed arithmetic for real-time neural networks
on FPGAs*, arXiv:2507.04535) replaces the multiplications by constants with shared shifts and additions. Its Verilog is
compared bit for bit with the golden model and mapped by the same Yosys command as ours.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codesign import tools, trust
from codesign.errors import CodesignError, SimulationError, SynthesisError, ToolNotFoundError
from codesign.fixed import IntArray
from codesign.graph.golden import Golden
from codesign.graph.ir import Dense, Graph
from codesign.synth import Resources, synthesise

MODULE = "benchmarks.da4ml_child"
TOP = "unrolled"
FRAMES = 64
"""Frames that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds that each step may take for one layer."""

    solve_s: float = 60.0
    synthesise_s: float = 240.0
    simulate_s: float = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrolled:
    """What unrolling a layer gives. An unknown is None; ``stopped`` is then the reason.

    Attributes:
        estimate_lut: da4ml's own estimate.
        stages: pipeline stages between the input registers and the output registers.
        lut: look-up tables of the netlist, counted as in every other table.
        ff: flip-flops of it.
        dsp: multiplier blocks of it.
        bram_bits: block RAM of it.
        frames: frames compared with the golden model.
        mismatches: output values that differ.
        stopped: which step did not finish, and after how long.
    """

    estimate_lut: int | None = None
    stages: int | None = None
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_bits: int | None = None
    frames: int | None = None
    mismatches: int | None = None
    stopped: str | None = None

    @property
    def latency_cycles(self) -> int | None:
        """Clock edges from a frame at the input to its result at the output: one more than there are stages."""
        return None if self.stages is None else self.stages + 1


def unroll(graph: Graph, frames: IntArray, folder: Path, limits: Limits, *, most_lut: int) -> Unrolled:
    """Unroll the one dense layer of a graph, compare it with the golden model and map it to an ECP5.

    Args:
        graph: `Source`, an identity `Delta` that keeps every bit, `Dense`.
        frames: input codes ``[T, n_in]``.
        folder: output folder; nothing in it is reused.
        limits: limits of each step.
        most_lut: a layer that da4ml itself estimates above this is not mapped.

    Raises:
        ToolNotFoundError: da4ml is not installed.
        SimulationError: an output value differs.
    """
    if importlib.util.find_spec("da4ml") is None:
        raise ToolNotFoundError("da4ml", how="pip install 'da4ml>=0.6,<0.7'")
    shutil.rmtree(folder / "verilog", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    layer = graph.nodes[-1]
    assert isinstance(layer, Dense)
    np.savez(folder / "layer.npz", weight=layer.weight, bias=layer.bias, bits=graph.source.fmt.width)
    found: dict[str, Any] = {}
    try:
        with _bounded("da4ml", limits.solve_s):
            _child("write", folder, limits.solve_s)
        facts = json.loads((folder / "facts.json").read_text())
        found |= {"estimate_lut": facts["lut"], "stages": facts["stages"]}
        if facts["lut"] > most_lut:
            raise _StoppedError("not mapped: da4ml's own estimate is more than the device has")
        with _bounded("Yosys", limits.synthesise_s):
            mapped = _map(folder, limits.synthesise_s)
        found |= {name: getattr(mapped, name) for name in ("lut", "ff", "dsp", "bram_bits")}
        with _bounded("its simulation", limits.simulate_s):
            found |= {"frames": len(frames), "mismatches": _mismatches(graph, frames, folder, limits.simulate_s)}
    except _StoppedError as stopped:
        found["stopped"] = str(stopped)
    return Unrolled(**found)


class _StoppedError(Exception):
    """A step was not done, or took too long; the message names it."""


@contextmanager
def _bounded(step: str, limit_s: float) -> Iterator[None]:
    """Turn the error of a program that took longer than ``limit_s`` into `_StoppedError`."""
    try:
        yield
    except CodesignError as error:
        if f"took longer than {limit_s:g} s" not in str(error):
            raise
        raise _StoppedError(f"{step} does not finish in {limit_s:g} s") from None


def _child(mode: str, folder: Path, limit_s: float) -> None:
    argv = [sys.executable, "-m", MODULE, mode, str(folder.resolve())]
    # Python imports from the folder it is started in: not from one that may hold foreign files.
    tools.run(argv, trust.private("da4ml"), folder.resolve() / f"{mode}.log", limit_s, error=SynthesisError)


def _map(folder: Path, limit_s: float) -> Resources:
    """Map the Verilog project to an ECP5 as every design of this project is."""
    source = folder / "verilog" / "src"
    files = {path.name: path.read_text() for path in [*sorted((source / "static").glob("*.v")), *_modules(source)]}
    files[f"{TOP}.sv"] = files.pop(f"{TOP}.v")
    return synthesise(files, TOP, target="ecp5", folder=folder / "yosys", timeout_s=limit_s)


def _modules(source: Path) -> list[Path]:
    """Return the generated modules; the wrapper around them is for da4ml's simulation only."""
    return [path for path in sorted(source.glob("*.v")) if path.stem != f"{TOP}_wrapper"]


def _mismatches(graph: Graph, frames: IntArray, folder: Path, limit_s: float) -> int:
    """Return the output values that differ from the golden model's.

    Raises:
        SimulationError: there are any.
    """
    np.save(folder / "frames.npy", frames)
    _child("simulate", folder, limit_s)
    wrong = int((np.load(folder / "outputs.npy") != Golden(graph).run(frames).outputs).sum())
    if wrong:
        raise SimulationError(
            "da4ml's Verilog differs from the golden model", where=graph.name, received=f"{wrong} values"
        )
    return wrong
