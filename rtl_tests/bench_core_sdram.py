# SPDX-License-Identifier: Apache-2.0
"""What a core asks of its memory, answered by the SDRAM controller and a chip: both keep to the same AXI4."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cocotb
from bench import generator
from bench_core_memory import BEATS, EACH, Play, Record, Records
from bench_sdram import Clocks, per_cycle, unwritten


@dataclass(slots=True)
class Chip:
    """What the chip holds before anything is written; it has nothing under way of its own."""

    words: list[int]
    reads: tuple[()] = ()
    writes: tuple[()] = ()
    answers: tuple[()] = ()
    addresses: list[int] = field(default_factory=list)


async def make(dut: Any, pause: float, count: int = 40) -> Play:
    """Return a bench with records all over the chip, some across 4 KiB, and what lies between them."""
    rng = generator()
    chip: Any = Chip([unwritten(4 * beat) for beat in range(BEATS)])
    records = Records(dut, chip, rng, pause)
    for at in range(count):
        beats = rng.choice((1, 2, 27, rng.randint(3, 32), 255))
        start = BEATS // count * at + rng.randrange(BEATS // count - 255)
        if at % 4 == 3:
            start = max(EACH, start - start % EACH) - min(rng.randint(1, beats), beats)
        records.records.append(Record(start, beats, [chip.words[start : start + beats]]))
    dut.restart_i.value = 0
    bench = Clocks(dut, [records])
    await bench.start()
    return Play(bench, chip, records, rng)


async def compare(play: Play) -> None:
    """Read everything with nothing else under way: records hold their last content, what is between them the first."""
    taken: set[int] = set()
    for record in play.records.records:
        assert not taken & set(range(record.start, record.start + record.beats)), "records overlap"
        taken |= set(range(record.start, record.start + record.beats))
        play.records.read(0, record)
        for start in (record.start - 3, record.start + record.beats):
            near = Record(start, 3, [play.memory.words[start : start + 3]])
            if 0 <= start <= BEATS - 3 and not any(
                other.start < start + 3 and start < other.start + other.beats for other in play.records.records
            ):
                play.records.read(1, near)
    await play.settle()


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.5))
async def traffic(dut: Any, pause: float) -> None:
    """Many clients on few records, and on many."""
    play = await make(dut, pause)
    for among in (1, 2, 5, 40):
        play.traffic(80, among)
        await play.settle()
    await compare(play)
    assert (dut.silent_o.value, dut.error_o.value) == (0, 0)


@cocotb.test()
async def restarts(dut: Any) -> None:
    """Clients are reset anywhere; what they began is ended, and other records are not touched."""
    play = await make(dut, 0.2)
    for _ in range(8):
        play.traffic(60, 40)
        await play.bench.cycles(play.rng.randrange(1, 400))
        dut.restart_i.value = 1
        await play.bench.cycle()
        dut.restart_i.value = 0
        play.records.drop()
        while dut.idle_o.value == 0:
            await play.bench.cycle()
        for record in play.records.records:  # broken off: any of the two, beat by beat
            if record.ended < len(record.contents):
                play.records.write(0, record)
                record.contents.pop()
        await play.settle()
    await compare(play)
    assert (dut.silent_o.value, dut.error_o.value) == (0, 0)


@cocotb.test()
async def rate(dut: Any) -> None:
    """Records of sums, read and written by different clients in ascending order."""
    play = await make(dut, 0.0, count=1)
    made = [Record(at * 40, 27, [play.memory.words[at * 40 : at * 40 + 27]]) for at in range(100)]
    play.records.records = made
    await play.bench.cycles(400)
    began = play.bench.now
    for record in made:
        play.records.read(0, record)
    for record in reversed(made):
        play.records.write(1, record)
    await play.settle()
    cycles = (play.bench.now - began) / 200
    dut._log.info(f"{cycles:.1f} cycles per record of 27 beats")
    assert cycles < 60 / per_cycle()
    await compare(play)
