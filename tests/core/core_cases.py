# SPDX-License-Identifier: Apache-2.0
"""A graph compiled, encoded, decoded and executed, beside the golden model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.core.compiler import Compiled, compile_graph
from codesign.core.config import CoreConfig
from codesign.core.frames import pack_input, unpack_output
from codesign.core.image import image_of, program_of
from codesign.core.interpret import Interpreter, Run
from codesign.core.program import EVENTS
from codesign.fixed import IntArray
from codesign.graph import Graph
from codesign.graph.golden import Golden, Trace

CONFIGS = (
    CoreConfig(weight_lines=1 << 18),
    CoreConfig(lanes=4, quantisers=2, weight_lines=1 << 18),
    CoreConfig(lanes=8, quantisers=8, weight_lines=1 << 18),
    CoreConfig(lanes=2, quantisers=1, weight_lines=1 << 18),
    CoreConfig(lanes=16, quantisers=2, weight_bits=18, sum_bits=40, code_bits=18, weight_lines=1 << 18),
)
ROOMY = (CONFIGS[0], CONFIGS[2])


@dataclass
class OnCore:
    """A stream through a core and through the golden model."""

    graph: Graph
    config: CoreConfig

    def __post_init__(self) -> None:
        self.compiled: Compiled = compile_graph(self.graph, self.config)
        program = program_of(image_of(self.compiled.program), self.config)
        self.core, self.golden = Interpreter(program), Golden(self.graph)

    def reset(self) -> None:
        self.core.reset()
        self.golden.reset()

    def run(self, frames: IntArray) -> tuple[IntArray, Run, Trace]:
        """Frames from the core, and what it and the golden model did."""
        run = self.core.run(pack_input(self.compiled, frames))
        return unpack_output(self.compiled, run.packets), run, self.golden.run(frames)

    def check(self, frames: IntArray) -> int:
        """Compare outputs of every frame, and the codes of every activation after the last; return how many values."""
        made, run, trace = self.run(frames)
        assert np.array_equal(made, trace.outputs)
        compared = made.size
        self._check_narrow()
        for name, step in zip(self.compiled.steps, self.compiled.program.steps, strict=True):
            if step.packet == EVENTS and name in trace.codes:
                rows = self.core.codes[step.code_base : step.code_base + step.words * step.parts]
                words = rows.reshape(step.words, -1)
                codes = self.compiled.layouts[name].gather(words)
                assert np.array_equal(codes, trace.codes[name][-1]), name
                at = self.compiled.steps.index(name)
                assert np.array_equal(run.counts.events[:, at], np.count_nonzero(trace.deltas[name], axis=1)), name
                compared += codes.size
        return compared

    def _check_narrow(self) -> None:
        """Check that sums which are kept in fewer bits need no more."""
        most = 1 << self.config.narrow_bits - 1
        for step in self.compiled.program.steps:
            if step.narrow:
                sums = self.core.sums[step.sum_base : step.sum_base + step.words * step.taps]
                assert -most <= sums.min()
                assert sums.max() < most
