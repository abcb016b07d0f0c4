# SPDX-License-Identifier: Apache-2.0
"""core_probe: a memory that is right, and memories that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cocotb
from bench import Bench, Case, generator
from core_bench import CONFIG

CASES = {"all": Case(parameters={})}
BITS, BEATS = CONFIG.memory_bits or 32, CONFIG.memory_beats or 2  # as core_pkg has them without a memory
SEED = 0x5EEDC0DE


def same(value: int) -> int:
    """Return what is given."""
    return value


def patterns() -> Iterator[tuple[int, int]]:
    """Yield the addresses that are tried, and what is written there."""
    number = SEED
    for address in (0, *(1 << bit for bit in range((BEATS - 1).bit_length()))):
        words = [
            (number << 32 | number) >> 8 * at & 0xFFFFFFFF ^ at * 85 % 256 * 0x01010101 for at in range(BITS // 32)
        ]
        yield address, sum(word << 32 * at for at, word in enumerate(words))
        number = number >> 1 ^ (0xEDB88320 if number & 1 else 0)


class Memory:
    """Takes beats and answers reads; ``place`` and ``spoil`` change addresses and what is read."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause, self.rng = dut, pause, generator()
        self.place: Callable[[int], int] = same
        self.spoil: Callable[[int], int] = same
        self.clear()

    def clear(self) -> None:
        self.words: dict[int, int] = {}
        self.writes: list[tuple[int, int]] = []
        self.asked: list[int] = []
        self.dones: list[int] = []
        self.restarts = 0
        self.asleep = False

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        go = rng.random() >= self.pause and not self.asleep
        dut.write_ready_i.value, dut.read_ready_i.value = int(go), int(go and not self.asked)
        answers = bool(self.asked) and rng.random() >= self.pause and not self.asleep
        dut.data_valid_i.value = int(answers)
        dut.data_i.value = rng.getrandbits(BITS)
        if answers:
            dut.data_i.value = self.spoil(self.words.get(self.place(self.asked.pop()), 0))

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        address = dut.address_o.value.to_unsigned()
        assert not (dut.write_valid_o.value == 1 and dut.read_valid_o.value == 1)
        if dut.write_valid_o.value == 1 and dut.write_ready_i.value == 1:
            self.writes.append((address, dut.data_o.value.to_unsigned()))
            self.words[self.place(address)] = self.writes[-1][1]
        if dut.read_valid_o.value == 1 and dut.read_ready_i.value == 1:
            self.asked.append(address)
        self.restarts += int(dut.restart_o.value)
        if dut.done_o.value == 1:
            self.dones.append(int(dut.good_o.value))
        return False


async def make(dut: Any, pause: float = 0.0) -> tuple[Bench, Memory]:
    memory = Memory(dut, pause)
    bench = Bench(dut, [memory])
    for pin in (dut.start_i, dut.silent_i, dut.error_i):
        pin.value = 0
    await bench.start()
    return bench, memory


async def start(bench: Bench, memory: Memory) -> None:
    """Begin a test; core_memory is restarted in the next cycle, and nothing is asked of it before."""
    restarts = memory.restarts
    bench.dut.start_i.value = 1
    await bench.cycle()
    bench.dut.start_i.value = 0
    memory.writes.clear()
    await bench.cycle()
    assert memory.restarts == restarts + 1
    assert not memory.writes


async def outcome(bench: Bench, memory: Memory) -> int:
    """Return whether the memory is found to be good."""
    memory.dones.clear()
    await bench.until(lambda: bool(memory.dones), timeout=10_000)
    await bench.cycles(20)
    assert len(memory.dones) == 1
    return memory.dones[0]


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.5))
async def good(dut: Any, pause: float) -> None:
    bench, memory = await make(dut, pause)
    for _ in range(3):
        await start(bench, memory)
        assert await outcome(bench, memory) == 1
        assert memory.writes == list(patterns())
    for bit in range(BITS):
        assert {data >> bit & 1 for _, data in patterns()} == {0, 1}


@cocotb.test()
async def bad(dut: Any) -> None:
    """Each line of data and of addresses stuck, each word of a beat instead of the next: found; no good memory."""
    bench, memory = await make(dut)
    faults: list[tuple[Callable[[int], int], Callable[[int], int]]] = []
    for bit in (1 << bit for bit in range(BITS)):
        faults.append((same, lambda data, bit=bit: data | bit))  # type: ignore[misc]
        faults.append((same, lambda data, bit=bit: data & ~bit))  # type: ignore[misc]
    for line in (1 << line for line in range((BEATS - 1).bit_length())):
        faults.append((lambda at, line=line: at & ~line, same))  # type: ignore[misc]
        faults.append((lambda at, line=line: at | line, same))  # type: ignore[misc]
    if BITS > 32:
        faults.append((same, lambda data: (data << BITS | data) >> 32 & (1 << BITS) - 1))
    for good, (memory.place, memory.spoil) in [*((0, fault) for fault in faults), (1, (same, same))]:
        memory.words.clear()
        await start(bench, memory)
        assert await outcome(bench, memory) == good
        memory.asked.clear()


@cocotb.test()
@cocotb.parametrize(pin=("silent_i", "error_i"))
async def no_answer(dut: Any, pin: str) -> None:
    """What core_memory says ends a test, at any time; before it is restarted it does not count."""
    bench, memory = await make(dut, 0.3)
    for _ in range(20):
        getattr(dut, pin).value = 1
        dut.start_i.value = 1
        await bench.cycle()
        dut.start_i.value = 0
        await bench.cycle()
        getattr(dut, pin).value = 0
        await bench.cycles(memory.rng.randrange(1, 12))
        assert not memory.dones
        memory.asleep = True
        getattr(dut, pin).value = 1
        assert await outcome(bench, memory) == 0
        getattr(dut, pin).value = 0
        memory.clear()
        await start(bench, memory)
        assert await outcome(bench, memory) == 1
        memory.clear()


@cocotb.test()
async def started_anywhere(dut: Any) -> None:
    """Another start begins anew, a reset ends a test."""
    bench, memory = await make(dut, 0.2)
    for at in range(30):
        await start(bench, memory)
        await bench.cycles(memory.rng.randrange(1, 60))
        memory.asked.clear()
        if at % 3 == 0:
            await bench.reset()
            await bench.cycles(50)
            assert not memory.writes
            assert not memory.dones
        memory.dones.clear()
        await start(bench, memory)
        assert await outcome(bench, memory) == 1
        assert memory.writes == list(patterns())
