# SPDX-License-Identifier: Apache-2.0
"""delta_quantise: rounding, step, clip and hold of one lane against the golden model."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, generator, this_case

from codesign.fixed import Fixed, IntArray
from codesign.graph import Delta, Graph, Source
from codesign.graph.golden import Golden

VALUES = 1500


def case(seed: int, in_fmt: Fixed, fmt: Fixed, activation: str, k: int, hold: float | None, clip: int = 0) -> Case:
    """Return a lane whose step varies over 0..k from value to value."""
    steps = tuple(int(step) for step in np.random.default_rng(seed).integers(0, k + 1, VALUES))
    source = Source(name="in", shape=(VALUES,), fmt=in_fmt)
    delta = Delta(
        name="d0",
        input="in",
        shape=(VALUES,),
        in_fmt=in_fmt,
        fmt=fmt,
        activation="relu" if activation == "relu" else "identity",
        step_log2=steps if k else (0,),
        channels=VALUES if k else 1,
        lo=min(0, fmt.lo + clip),
        hi=fmt.hi - clip,
        hold=hold,
    )
    parameters = {
        "InWidth": in_fmt.width,
        "InSigned": int(in_fmt.signed),
        "Widen": delta.widen,
        "Shift": delta.shift,
        "Relu": int(activation == "relu"),
        "CodeWidth": fmt.width,
        "CodeSigned": int(fmt.signed),
        "DeltaWidth": delta.delta_bits,
        "Lo": delta.lo,
        "Hi": delta.hi,
        "StepMax": int(delta.steps().max()),
        "Hold": int(hold is not None),
        "ThresholdWidth": 1 if hold is None else delta.threshold_bits,
    }
    return Case(parameters=parameters, graph=Graph(name="lane", nodes=(source, delta)))


def fixed(width: int, frac: int, signed: bool) -> Fixed:
    return Fixed(width=width, frac=frac, signed=signed)


CASES = {
    "relu hold steps": case(1, fixed(14, 9, True), fixed(6, 4, False), "relu", 3, 0.75),
    "signed hold clip": case(2, fixed(12, 6, True), fixed(7, 3, True), "identity", 2, 1.3, clip=5),
    "unsigned widen": case(3, fixed(6, 2, False), fixed(9, 4, True), "identity", 2, 2.0),
    "memoryless": case(4, fixed(10, 8, True), fixed(5, 3, True), "identity", 0, None, clip=2),
}


def mixed(rng: np.random.Generator, delta: Delta) -> tuple[tuple[Delta, ...], IntArray]:
    """Return the layer, if it holds also without and with the largest threshold, and which one each value is of."""
    layers = [delta, delta]
    if delta.hold is not None:
        layers += [delta.with_threshold(threshold) for threshold in (0, (1 << delta.threshold_bits) - 1)]
    return tuple(layers), rng.integers(0, len(layers), VALUES)


def per_value(which: IntArray, of_layer: list[IntArray]) -> IntArray:
    """Return for each value the entry of its layer, ``[layers][VALUES]`` -> ``[VALUES]``."""
    return np.stack(of_layer)[which, np.arange(VALUES)]


def thresholds_of(delta: Delta) -> IntArray:
    """Return the threshold of each value; 0 if memoryless."""
    thresholds = delta.thresholds()
    return np.zeros(VALUES, np.int64) if thresholds is None else thresholds


def codes_of(source: Source, delta: Delta, z: IntArray, before: IntArray) -> IntArray:
    """Return the golden model's code of each value."""
    golden = Golden(Graph(name="lane", nodes=(source, delta)))
    golden._reference[delta.name] = before
    return np.asarray(golden.run(z[None]).codes[delta.name][0])


def edges(rng: random.Random, delta: Delta, thresholds: IntArray) -> tuple[IntArray, IntArray]:
    """Return ``(z, before)``: half of the values within one unit of the threshold, a tie or a range end."""
    z, before = np.empty(VALUES, np.int64), np.empty(VALUES, np.int64)
    for i in range(VALUES):
        before[i] = rng.randint(delta.lo, delta.hi)
        threshold = int(thresholds[i]) or 1 << max(0, delta.shift - 1)
        near = (int(before[i]) << delta.shift) + rng.choice((-1, 1)) * threshold + rng.randint(-1, 1)
        tie = (2 * rng.randint(delta.lo, delta.hi) + 1) << max(0, delta.shift + int(delta.steps()[i]) - 1)
        any_z = rng.randint(delta.in_fmt.lo, delta.in_fmt.hi)
        ends = rng.choice((delta.in_fmt.lo, delta.in_fmt.hi, 0, -1))
        z[i] = rng.choice((near >> delta.widen, near >> delta.widen, tie >> delta.widen, any_z, ends))
    return z.clip(delta.in_fmt.lo, delta.in_fmt.hi), before


class Lane:
    """Pushes a value in most enabled cycles, with its step, threshold and reference in their later cycles."""

    def __init__(
        self, dut: Any, steps: IntArray, thresholds: IntArray, z: IntArray, before: IntArray, freeze: float
    ) -> None:
        self.dut, self.steps, self.thresholds, self.z, self.before = dut, steps, thresholds, z, before
        self.rng, self.freeze = generator(), freeze
        self.clear()

    def clear(self) -> None:
        self.stages: list[int | None] = [None] * 4  # the value that stage s takes next, and the one after the last
        self.pushed = 0
        self.results: list[tuple[int, int, int]] = []

    def _at(self, values: IntArray, stage: int, signal: Any) -> None:
        at, noise = self.stages[stage], self.rng.getrandbits(len(signal))
        signal.value = noise if at is None else int(values[at]) & ((1 << len(signal)) - 1)

    def drive(self) -> None:
        self.enabled = self.rng.random() >= self.freeze
        if self.stages[0] is None and self.pushed < VALUES and self.rng.random() >= self.freeze:
            self.stages[0] = self.pushed
            self.pushed += 1
        takes = [self.enabled and (at is not None or self.rng.random() < 0.2) for at in self.stages[:3]]
        self.dut.enable_i.value = sum(int(take) << stage for stage, take in enumerate(takes))
        self._at(self.z, 0, self.dut.z_i)
        self._at(self.steps, 1, self.dut.step_i)
        self._at(self.thresholds, 1, self.dut.threshold_i)
        self._at(self.before, 3, self.dut.before_i)

    def sample(self, _: int) -> bool:
        if self.enabled:
            if self.stages[3] is not None:
                dut = self.dut
                change = dut.delta_o.value.to_signed()
                self.results.append((dut.after_o.value.to_unsigned(), change, int(dut.changed_o.value)))
            self.stages = [None, *self.stages[:3]]
        return self.enabled


@cocotb.test()
@cocotb.parametrize(freeze=(0.0, 0.3))
async def values(dut: Any, freeze: float) -> None:
    graph = this_case(CASES).graph
    assert graph is not None
    delta, rng = graph.deltas[0], generator()
    layers, which = mixed(np.random.default_rng(rng.getrandbits(32)), delta)
    thresholds = per_value(which, [thresholds_of(layer) for layer in layers])
    z, before = edges(rng, delta, thresholds)
    codes = per_value(which, [codes_of(graph.source, layer, z, before) for layer in layers])
    lane = Lane(dut, delta.steps(), thresholds, z, before, freeze)
    bench = Bench(dut, [lane])
    await bench.start()
    lane.clear()
    await bench.until(lambda: len(lane.results) == VALUES)
    mask = (1 << delta.fmt.width) - 1
    for i, got in enumerate(lane.results):
        change = int(codes[i] - before[i])
        want = (int(codes[i]) & mask, change, int(change != 0))
        assert got == want, f"z={z[i]} before={before[i]} T={thresholds[i]}: got {got}, expected {want}"
