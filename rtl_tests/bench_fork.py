# SPDX-License-Identifier: Apache-2.0
"""delta_fork: every reader gets every token once and in order, at its own pace; full rate when all keep up."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, Source, generator, this_case

CASES = {"2 readers": Case(parameters={"Outputs": 2}), "3 readers": Case(parameters={"Outputs": 3})}
TOKENS = 400


class Readers:
    """All readers of a fork: each notes the token at the source whenever it takes one."""

    def __init__(self, dut: Any, pauses: list[float]) -> None:
        self.dut, self.rng, self.pauses = dut, generator(), pauses
        self.received: list[list[int]] = [[] for _ in pauses]
        self.token = 0
        self.fall: list[bool] = [False for _ in pauses]

    def clear(self) -> None:
        """Forget what was received (reset)."""
        self.received = [[] for _ in self.pauses]
        self.fall = [False for _ in self.pauses]
        self.token = 0

    def drive(self) -> None:
        self.ready = [self.rng.random() >= pause for pause in self.pauses]
        self.dut.ready_i.value = sum(ready << i for i, ready in enumerate(self.ready))

    def sample(self, _: int) -> bool:
        valid = int(self.dut.valid_o.value)
        progress = False
        for i, ready in enumerate(self.ready):
            now = bool(valid >> i & 1)
            assert now or not self.fall[i], "valid fell before ready came"
            self.fall[i] = now and not ready
            if now and ready:
                self.received[i].append(self.token)
                progress = True
        self.token += int(self.dut.valid_i.value == 1 and self.dut.ready_o.value == 1)
        return progress


async def make(dut: Any, source_pause: float, pauses: list[float]) -> tuple[Bench, Source, Readers]:
    readers = Readers(dut, pauses)
    source = Source(dut.valid_i, dut.ready_o, [], pause=source_pause, rng=generator())
    bench = Bench(dut, [source, readers])
    await bench.start()
    return bench, source, readers


def outputs() -> int:
    return int(str(this_case(CASES).parameters["Outputs"]))


@cocotb.test()
@cocotb.parametrize(pauses=((0.0, 0.0, 0.0), (0.5, 0.0, 0.9), (0.0, 0.8, 0.3)), source_pause=(0.0, 0.5))
async def every_reader_gets_all(dut: Any, pauses: tuple[float, ...], source_pause: float) -> None:
    bench, source, readers = await make(dut, source_pause, list(pauses[: outputs()]))
    source.waiting.extend([0] * TOKENS)
    await bench.until(lambda: all(len(received) >= TOKENS for received in readers.received), timeout=1000)
    await bench.cycles(20)
    assert readers.received == [list(range(TOKENS))] * outputs()
    if not any(pauses[: outputs()]) and not source_pause:
        assert source.taken_at == list(range(TOKENS)), "one token per cycle"


@cocotb.test()
async def a_reader_runs_ahead_by_one(dut: Any) -> None:
    bench, source, readers = await make(dut, 0.0, [1.0] + [0.0] * (outputs() - 1))
    source.waiting.extend([0] * 10)
    await bench.cycles(30)
    assert readers.received == [[]] + [[0]] * (outputs() - 1), "the others have the token that the first one refuses"
    await bench.reset()
    readers.pauses[0] = 0.0
    source.waiting.extend([0] * 10)
    await bench.cycles(30)
    assert readers.received == [list(range(10))] * outputs(), "reset forgets who has the token"
