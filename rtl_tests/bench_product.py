# SPDX-License-Identifier: Apache-2.0
"""delta_product: what an event adds to each value of a word, four enabled cycles later."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, generator, this_case
from models import addend, pack

from codesign.rtl.netlist import Parameter
from codesign.rtl.roms import memory_text
from codesign.rtl.tokens import index_bits


def case(
    lines: int, lanes: int, *, delta: int = 5, weight: int = 4, acc: int = 12, window: int = 0, **more: int
) -> Case:
    """Return ``lines`` random weight lines, or weights of 1 if ``weight`` is 0."""
    parameters: dict[str, Parameter] = {"Lanes": lanes, "DeltaWidth": delta, "AccWidth": acc, "Window": window, **more}
    parameters["WeightBits"] = index_bits(max(lines, window))
    if not weight:
        return Case(parameters=parameters)
    weights = np.random.default_rng(1).integers(-1 << (weight - 1), 1 << (weight - 1), (lines, lanes))
    parameters |= {"WeightWidth": weight, "WeightLines": lines, "WeightFile": "weight.mem"}
    return Case(parameters=parameters, files={"weight.mem": memory_text(weights, weight)})


CASES = {
    "3 lanes": case(7, 3),
    "one lane, narrow sums": case(4, 1, acc=7),
    "channelwise": case(5, 3, Channelwise=1),
    "windows of 6": case(1, 2, weight=0, window=6, Channelwise=1),
    "weights of 1": case(1, 3, weight=0),
}


class Events:
    """An event in most enabled cycles; a stage without one is enabled or not, as it comes."""

    def __init__(self, dut: Any, freeze: float) -> None:
        case = this_case(CASES)
        sizes = {key: int(str(value)) for key, value in case.parameters.items() if key != "WeightFile"}
        self.dut, self.rng, self.freeze = dut, generator(), freeze
        self.lanes, self.bits, self.window = sizes["Lanes"], sizes["AccWidth"], sizes["Window"]
        self.channelwise, self.delta_bits = bool(sizes.get("Channelwise")), sizes["DeltaWidth"]
        self.weights = [[1] * self.lanes]
        if case.files:
            self.weights = [
                self._signed(int(line, 16), sizes["WeightWidth"]) for line in case.files["weight.mem"].split()
            ]
        self.clear()

    def clear(self) -> None:
        self.pipe: deque[int | None] = deque([None] * 4, maxlen=4)  # the latest first
        self.checked = 0

    def _signed(self, line: int, bits: int) -> list[int]:
        values = [(line >> (lane * bits)) & ((1 << bits) - 1) for lane in range(self.lanes)]
        return [value - (value >> (bits - 1) << bits) for value in values]

    def drive(self) -> None:
        rng, dut = self.rng, self.dut
        self.enabled = rng.random() >= self.freeze
        lane, delta = rng.randrange(self.lanes), rng.randrange(-1 << (self.delta_bits - 1), 1 << (self.delta_bits - 1))
        line = rng.randrange(self.window or len(self.weights))
        self.event = rng.random() >= self.freeze
        takes = [self.event, *(word is not None for word in list(self.pipe)[:3])]
        dut.enable_i.value = sum(
            int(self.enabled and (take or rng.random() < 0.3)) << stage for stage, take in enumerate(takes)
        )
        dut.line_i.value, dut.lane_i.value = line, lane
        dut.delta_i.value = delta & ((1 << self.delta_bits) - 1)
        values = addend(
            self.weights[0 if self.window else line],
            delta,
            lane=lane if self.channelwise else None,
            field=line if self.window else None,
            fields=max(1, self.window),
        )
        self.word = pack(values, self.bits)

    def sample(self, _: int) -> bool:
        want = self.pipe[3]
        if want is not None:
            got = self.dut.addend_o.value.to_unsigned()
            assert got == want, f"event {self.checked}: {got:x}, expected {want:x}"
        if not self.enabled:
            return False
        self.checked += want is not None
        self.pipe.appendleft(self.word if self.event else None)
        return True


@cocotb.test()
@cocotb.parametrize(freeze=(0.0, 0.4))
async def events(dut: Any, freeze: float) -> None:
    agent = Events(dut, freeze)
    bench = Bench(dut, [agent])
    await bench.start()
    await bench.until(lambda: agent.checked >= 1000)
