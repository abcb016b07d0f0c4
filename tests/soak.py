# SPDX-License-Identifier: Apache-2.0
"""``python -m soak``: frames without end through pipelines and a core, against the golden model.

Walks of every density, stalls on both sides, resets in and between frames, malformed frames, other networks. Each
output of each frame is compared, and so are the events of each engine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from random_graphs import random_graph, random_walk
from rtl_cases import KINDS, Beats, core_events, expected_events

from codesign.core import CoreConfig, unpack_output
from codesign.fixed import IntArray
from codesign.graph import Graph, Source
from codesign.graph.golden import Golden
from codesign.sim import RtlSimulator, Stalls
from codesign.sim.core import CoreSimulator

CONFIG = CoreConfig(lanes=8, quantisers=4)
LONGEST = 400
"""Frames between two resets."""
Simulator = RtlSimulator | CoreSimulator


@dataclass(slots=True)
class Soak:
    """One simulator, and what was done with it.

    Attributes:
        counts: frames, values, malformed frames and resets so far.
    """

    simulator: Simulator
    rng: np.random.Generator
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def graph(self) -> Graph:
        """The network."""
        return self.simulator.graph

    def stalls(self) -> Stalls | None:
        """Return stalls on either side, both, or none."""
        source, sink = self.rng.choice([0.0, 0.05, 0.4, 0.9], 2).tolist()
        return Stalls(seed=int(self.rng.integers(1 << 31)), source_probability=source, sink_probability=sink)

    def turn(self, frames: int) -> None:
        """Run about ``frames`` frames, between resets."""
        chosen = self.rng.random()
        if chosen < 0.8:
            self.stream(frames)
        elif chosen < 0.95:
            self.malformed(min(frames, 40))
        else:
            self.broken_off()
        self.simulator.reset(hard=bool(self.rng.random() < 0.2))
        self.counts["resets"] += 1

    def stream(self, frames: int) -> None:
        """A stream in several runs."""
        golden = Golden(self.graph)
        walk = random_walk(self.rng, self.graph, frames, float(self.rng.choice([0.01, 0.1, 0.5, 1.0])))
        for part in np.array_split(walk, int(self.rng.integers(1, 4))):
            if not len(part):
                continue
            run, trace = self.simulator.run(part, stalls=self.stalls()), golden.run(part)
            np.testing.assert_array_equal(run.outputs, trace.outputs)
            for engine, expected in self._events(trace).items():
                np.testing.assert_array_equal(run.engines[engine].events, expected, err_msg=f"events of {engine}")
            self.counts.update(frames=len(part), values=trace.outputs.size)

    def _events(self, trace: object) -> dict[str, np.ndarray]:
        if isinstance(self.simulator, CoreSimulator):
            return core_events(self.graph, trace, lanes=CONFIG.quantisers)  # type: ignore[arg-type]
        return expected_events(self.graph, trace, skip=True)  # type: ignore[arg-type]

    def malformed(self, frames: int) -> None:
        """Frames of which some end early or late, after a hard reset, which clears the sticky bits."""
        self.simulator.reset(hard=True)
        beats, full, wrong = self._beats(), self._frame_beats(), 0
        for at, frame in enumerate(random_walk(self.rng, self.graph, frames, 0.4)):
            length = full
            if full > 1 and self.rng.random() < 0.3:
                length = int(self.rng.choice([self.rng.integers(1, full), full + self.rng.integers(1, 2 * full)]))
            wrong |= int(length < full) | int(length > full) << 1
            self.counts["malformed"] += length != full
            beats.add(frame, beats=length, new=at == 0)
        sent = (np.stack(beats.beats), np.array(beats.last), np.array(beats.user))
        run = self.simulator.run_beats(*sent, stalls=self.stalls())
        assert run.accepted == len(beats.beats)
        expected = np.stack(beats.packets).reshape(frames, -1)
        np.testing.assert_array_equal(self._packets(run.outputs, frames), expected)
        assert run.errors == wrong, f"error bits {run.errors}, expected {wrong}"
        self.counts.update(frames=frames, values=expected.size)

    def broken_off(self) -> None:
        """A reset in the middle of a frame."""
        beats = self._beats()
        frame = random_walk(self.rng, self.graph, 1, 1.0)[0]
        beats.add(frame, beats=int(self.rng.integers(1, self._frame_beats() + 1)), last=False)
        self.simulator.run_beats(np.stack(beats.beats), np.array(beats.last), np.array(beats.user))
        self.simulator.reset(hard=True)

    def _frame_beats(self) -> int:
        simulator = self.simulator
        return simulator.program.beats if isinstance(simulator, CoreSimulator) else simulator.spec.beats

    def _beats(self) -> Beats:
        if isinstance(self.simulator, RtlSimulator):
            return Beats(self.graph)
        assert isinstance(self.graph.source, Source)
        nodes = (replace(self.graph.source, lanes=CONFIG.quantisers), *self.graph.nodes[1:])
        return Beats(replace(self.graph, nodes=nodes))

    def _packets(self, outputs: IntArray, frames: int) -> IntArray:
        if isinstance(self.simulator, RtlSimulator):
            return outputs.reshape(frames, -1)[:, : self.graph.output.size]
        packets = outputs.reshape(frames, self.simulator.program.output_beats, CONFIG.quantisers)
        return unpack_output(self.simulator.compiled, packets).reshape(frames, -1)


def pipelines(folder: Path, frames: int, seed: int, networks: int) -> Iterator[Counter[str]]:
    """Run frames through the pipelines of some networks; yield what was done after each turn."""
    for number in range(networks):
        rng = np.random.default_rng([seed, number])
        kind = list(KINDS)[number % len(KINDS)]
        with RtlSimulator(KINDS[kind](rng), folder) as simulator:
            yield from _turns(Soak(simulator, rng), frames // networks)


def core(folder: Path, frames: int, seed: int) -> Iterator[Counter[str]]:
    """Run frames through a core with one network after the other; yield what was done after each turn."""
    rng = np.random.default_rng(seed)
    with CoreSimulator(random_graph(rng), folder, config=CONFIG) as simulator:
        soak = Soak(simulator, rng)
        while soak.counts["frames"] < frames:
            simulator.load(KINDS[str(rng.choice(list(KINDS)))](rng))
            soak.counts["networks"] += 1
            yield from _turns(soak, min(frames, soak.counts["frames"] + 4 * LONGEST))


def _turns(soak: Soak, frames: int) -> Iterator[Counter[str]]:
    """Take turns until so many frames were run with it."""
    while (left := frames - soak.counts["frames"]) > 0:
        soak.turn(min(left, int(soak.rng.integers(1, LONGEST))))
        yield soak.counts


def main(argv: list[str] | None = None) -> int:
    """Run half of the frames through pipelines, the other half through a core; say what was compared."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="of both together (default: 1,000,000)")
    parser.add_argument("--networks", type=int, default=8, help="pipelines that are built (default: 8)")
    parser.add_argument("--seed", type=int, default=1, help="of everything (default: 1)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        half = options.frames // 2
        for name, turns in (
            ("pipelines", pipelines(Path(folder), half, options.seed, options.networks)),
            ("core", core(Path(folder), half, options.seed)),
        ):
            start, said, total, before = time.monotonic(), time.monotonic(), Counter[str](), Counter[str]()
            for counts in turns:
                if counts["frames"] < before["frames"]:
                    total += before
                before = Counter(counts)
                if time.monotonic() - said > 60:
                    said = time.monotonic()
                    print(f"{name}: {_said(total + before)}", flush=True)
            print(f"{name}: {_said(total + before)}, none differs; {time.monotonic() - start:.0f} s", flush=True)
    return 0


def _said(counts: Counter[str]) -> str:
    names = ("frames", "values", "malformed", "resets", "networks")
    return ", ".join(f"{counts[name]:,} {name}" for name in names if counts[name])


if __name__ == "__main__":
    sys.exit(main())
