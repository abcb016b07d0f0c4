# SPDX-License-Identifier: Apache-2.0
"""A simulator and a compiled project that compute what the golden model does, at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from codesign.graph.golden import Golden
from codesign.graph.ir import Graph
from codesign.sim import EngineRun, RtlRun


class FakeSimulator:
    """The golden model with made-up cycles, one more each frame of a run."""

    calls: list[tuple[bool, int]]

    def __init__(self, graph: Graph, folder: Path, *, skip: bool = True, files: Mapping[str, str]) -> None:
        assert folder.name == "verilator", "one build for all"
        assert f"{graph.name}_top.sv" in files
        self.golden, self.skip = Golden(graph), skip

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass

    def reset(self) -> None:
        self.golden.reset()

    def run(self, frames: np.ndarray, *, stalls: None = None) -> RtlRun:  # noqa: ARG002
        type(self).calls.append((self.skip, len(frames)))
        count = np.arange(len(frames))
        engine = EngineRun(events=count, busy=count + 10, stalled=count)
        names = ("encode", *(node.name for node in self.golden.graph.linears))
        return RtlRun(
            outputs=self.golden.run(frames).outputs,
            cycles=count + 100,
            latency=count + 200,
            engines=dict.fromkeys(names, engine),
            total_cycles=0,
        )


class FakeProject:
    """A compiled HLS project that returns values, as hls4ml does, with made-up cycles, one more each frame."""

    def __init__(self, graph: Graph) -> None:
        self.golden, self.graph = Golden(graph), graph

    def reset(self) -> None:
        self.golden.reset()

    def predict(self, codes: np.ndarray, *, logits: bool) -> np.ndarray:
        assert codes.dtype.kind == "i"  # integers are codes
        assert logits, "a softmax is no hardware"
        cycles = np.arange(len(codes)) + 20
        self.csim_stats = {node.name: {"per_frame": {"cycles": cycles}} for node in self.graph.engines}
        self.csim_stats["encode"] = {"per_frame": {"cycles": np.full(len(codes), 22)}}
        return self.graph.output.fmt.to_values(self.golden.run(codes).outputs)
