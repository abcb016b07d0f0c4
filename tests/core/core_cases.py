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
        events = self.compiled.of_nodes(run.counts.events)
        first = {name: at for at, name in reversed([*enumerate(self.compiled.sends)])}
        for name in trace.codes.keys() & first.keys():
            step, layout = self.compiled.program.steps[first[name]], self.compiled.layouts[name]
            rows = np.zeros((layout.words * step.parts, self.config.quantisers), np.int64)
            kept = self.core.codes[step.code_base :][: len(rows)]  # nothing is kept behind the last plane
            rows[: len(kept)] = kept
            codes = layout.gather(rows.reshape(layout.words, -1))
            assert np.array_equal(codes, trace.codes[name][-1]), name
            assert np.array_equal(events[name], np.count_nonzero(trace.deltas[name], axis=1)), name
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
