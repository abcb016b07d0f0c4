# SPDX-License-Identifier: Apache-2.0
"""The SDRAM controller, its pads and a chip that checks every command: data, order, stalls, resets, cycles.

With a core's clock beside the SDRAM's, `sdram_crossing` is between the two, and cycles are those of the core.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import cocotb
from bench import Bench, Case, Sink, Source, generator, this_case
from cocotb.clock import Clock

CASES = {
    "100 MHz": Case(parameters={"ClockMhz": 100, "CasLatency": 2, "ClockPs": 10_000, "StartNs": 2000}),
    "25 MHz": Case(parameters={"ClockMhz": 25, "CasLatency": 2, "ClockPs": 40_000, "StartNs": 2000, "PadCycles": 1}),
    "80 MHz": Case(parameters={"ClockMhz": 80, "CasLatency": 2, "ClockPs": 12_500, "StartNs": 2000}),
    "133 MHz": Case(parameters={"ClockMhz": 133, "CasLatency": 3, "ClockPs": 7519, "StartNs": 2000}),
    "100 MHz, latency 3": Case(parameters={"ClockMhz": 100, "CasLatency": 3, "ClockPs": 10_000, "StartNs": 200_000}),
}
CORE_MHZ = {
    "80 and 120 MHz": 80,
    "75 and 120 MHz": 75,
    "60 and 120 MHz": 60,
    "80 and 100 MHz": 80,
    "100 and 50 MHz": 100,
}
"""Clock of the core where it is another one than the SDRAM's."""
CASES |= {
    name: Case(
        parameters={
            "ClockMhz": mhz,
            "CasLatency": 2 if mhz <= 100 else 3,
            "ClockPs": 1_000_000 // mhz,
            "StartNs": 2000,
            "Crossing": 1,
        }
    )
    for name in CORE_MHZ
    for mhz in (int(name.split()[2]),)
}
ROW_BYTES, PAGE = 1024, 4096
NAME = os.environ.get("BENCH_CASE", "100 MHz")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1"))
"""How often the random tests go round."""
FIRST_BEAT = {
    "100 MHz": {"open": 13, "closed": 15, "other": 19},
    "25 MHz": {"open": 12, "closed": 14, "other": 16},
    "80 MHz": {"open": 13, "closed": 15, "other": 17},
    "133 MHz": {"open": 14, "closed": 16, "other": 20},
    "100 MHz, latency 3": {"open": 14, "closed": 16, "other": 20},
    "80 and 120 MHz": {"open": 15, "closed": 16, "other": 18},
    "75 and 120 MHz": {"open": 14, "closed": 15, "other": 17},
    "60 and 120 MHz": {"open": 12, "closed": 13, "other": 14},
    "80 and 100 MHz": {"open": 16, "closed": 18, "other": 21},
    "100 and 50 MHz": {"open": 36, "closed": 40, "other": 41},
}
"""Cycles from a read's acceptance to its first beat, or one more: its row is open, none of its bank, another one."""
SPREAD = {"80 and 120 MHz": 3, "75 and 120 MHz": 3, "60 and 120 MHz": 3, "80 and 100 MHz": 4, "100 and 50 MHz": 7}
"""Numbers from there on that it may be, where clocks differ; else each of two."""
RESPONSE = 7
"""Cycles from a write's acceptance to its response, without two for each beat, or one more, if its row is open."""
RECORD = 27
"""Beats of a record of sums: 32 lanes of 27 bits."""
PER_ACCESS = {
    (256, "reads"): 527.5,
    (256, "writes"): 527.5,
    (RECORD, "reads"): 57.6,
    (RECORD, "writes"): 58.2,
    (RECORD, "reads and writes"): 59.0,
    (RECORD, "ascending reads"): 55.6,
    (RECORD, "ascending writes"): 55.6,
    (RECORD, "ascending reads and writes"): 57.5,
    (16, "reads"): 35.5,
    (8, "reads"): 19.0,
    (3, "reads"): 9.9,
    (3, "ascending reads"): 6.3,
    (3, "ascending writes"): 6.3,
    (3, "ascending reads and writes"): 8.5,
    (2, "ascending reads"): 4.2,
    (1, "ascending reads"): 2.2,
}
"""Cycles per access at 100 MHz at most, refreshes included; places are random unless they ascend."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A read, or a write of ``values``: byte address and beats."""

    address: int
    beats: int
    values: tuple[int, ...] = ()

    @property
    def token(self) -> int:
        """What AxADDR and AxLEN are."""
        return self.address | (self.beats - 1) << 25

    def words(self) -> range:
        """Return the byte address of each beat."""
        return range(self.address, self.address + 4 * self.beats, 4)


@dataclass(slots=True)
class Memory:
    """What a read may return: the last write that had its response before the read was accepted, or any later one."""

    written: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    writes: int = 0

    def write(self, burst: Burst) -> None:
        """Note a write, in the order in which they are asked for."""
        for address, value in zip(burst.words(), burst.values, strict=True):
            self.written.setdefault(address, []).append((self.writes, value))
        self.writes += 1

    def allowed(self, address: int, done: int, asked: int) -> set[int]:
        """Return the values of a word of which the first ``done`` writes are over, and ``asked`` were asked for."""
        history = self.written.get(address, [])
        over = [value for number, value in history if number < done]
        return {over[-1] if over else unwritten(address)} | {v for number, v in history if done <= number < asked}


def unwritten(address: int) -> int:
    """Return the word that `sdram_chip` holds where nothing was written."""
    low, high = ((at & 0xFFFF) ^ ((at >> 16) << 8 | 0xA5) for at in (address >> 1, (address >> 1) + 1))
    return low | high << 16


def start_cycles() -> int:
    """Return the cycles that the chip takes to start."""
    parameters = this_case(CASES).parameters
    return int(int(str(parameters["StartNs"])) * int(str(parameters["ClockMhz"])) / 1000 / per_cycle())


def per_cycle() -> float:
    """Return the SDRAM's cycles per cycle of the bench, which is the core's."""
    mhz = float(str(this_case(CASES).parameters["ClockMhz"]))
    return mhz / CORE_MHZ.get(NAME, mhz)


class Clocks(Bench):
    """A bench with the SDRAM's clock beside the core's; a little off, so that edges meet in every way."""

    async def start(self) -> None:
        if NAME in CORE_MHZ:
            Clock(self.dut.sdram_clk_i, 2 * round(5000 / per_cycle()) + 2, unit="ps").start()
        await super().start()


class Master:
    """An AXI4 master with a queue for each channel, and what it saw."""

    def __init__(self, dut: Any, *, pauses: tuple[float, float, float, float, float], rng: random.Random) -> None:
        ar, aw, w, r, b = pauses
        self.ar = Source(dut.s_axi_arvalid, dut.s_axi_arready, [dut.s_axi_araddr, dut.s_axi_arlen], pause=ar, rng=rng)
        self.aw = Source(dut.s_axi_awvalid, dut.s_axi_awready, [dut.s_axi_awaddr, dut.s_axi_awlen], pause=aw, rng=rng)
        self.w = Source(dut.s_axi_wvalid, dut.s_axi_wready, [dut.s_axi_wdata, dut.s_axi_wlast], pause=w, rng=rng)
        self.r = Sink(dut.s_axi_rvalid, dut.s_axi_rready, [dut.s_axi_rdata, dut.s_axi_rlast], pause=r, rng=rng)
        self.b = Sink(dut.s_axi_bvalid, dut.s_axi_bready, [], pause=b, rng=rng)
        self.rng = rng
        self.reads: list[Burst] = []
        self.memory = Memory()
        self.bench = Clocks(dut, [self.ar, self.aw, self.w, self.r, self.b])

    def read(self, burst: Burst) -> None:
        """Ask for a read."""
        self.reads.append(burst)
        self.ar.waiting.append(burst.token)

    def write(self, burst: Burst) -> None:
        """Ask for a write."""
        self.memory.write(burst)
        self.aw.waiting.append(burst.token)
        last = burst.beats - 1
        self.w.waiting.extend(value | (at == last) << 32 for at, value in enumerate(burst.values))

    def ask(self, bursts: Iterable[Burst]) -> None:
        """Ask for all of them."""
        for burst in bursts:
            (self.write if burst.values else self.read)(burst)

    async def finish(self, quiet: int = 40) -> None:
        """Wait for the end of everything; nothing comes after it, and what was read is right."""
        beats = sum(burst.beats for burst in self.reads)

        def over() -> bool:
            return len(self.r.tokens) >= beats and len(self.b.tokens) >= self.memory.writes

        await self.bench.until(over, timeout=3000 + start_cycles())
        await self.bench.cycles(quiet)
        assert (len(self.r.tokens), len(self.b.tokens)) == (beats, self.memory.writes)
        self.check()

    def check(self) -> None:
        """Compare what was read with what may be."""
        at = 0
        for burst, accepted in zip(self.reads, self.ar.taken_at, strict=True):
            done = bisect_left(self.b.seen_at, accepted)
            for beat, address in enumerate(burst.words()):
                value, last = self.r.tokens[at]
                assert last == (beat == burst.beats - 1), f"RLAST of beat {beat} of {burst}"
                asked = bisect_left(self.aw.taken_at, self.r.seen_at[at])
                allowed = self.memory.allowed(address, done, asked)
                assert value in allowed, f"{address:#x}: {value:#x}, allowed {[hex(v) for v in allowed]}, {burst}"
                at += 1

    def forget(self) -> None:
        """A reset: nothing is under way, and the chip holds nothing."""
        self.reads.clear()
        self.memory = Memory()


def burst(rng: random.Random, *, write: bool, rows: int = 3, longest: int = 256) -> Burst:
    """Return a burst in a few rows of each bank, often across the end of a row."""
    beats = min(longest, rng.choice((1, 2, 3, 8, rng.randint(3, 16), rng.randint(24, 32), rng.randint(24, 32), 256)))
    page = rng.randrange(rows) * 37 % 8192 * PAGE
    offset = rng.choice((rng.randrange(0, PAGE, 4), rng.randrange(1, 5) * ROW_BYTES - 4 * rng.randint(1, beats)))
    offset = max(0, min(offset, PAGE - 4 * beats))
    values = tuple(rng.getrandbits(32) for _ in range(beats)) if write else ()
    return Burst(page + offset, beats, values)


PAUSES = {
    "none": (0.0, 0.0, 0.0, 0.0, 0.0),
    "slow master": (0.6, 0.8, 0.6, 0.0, 0.0),
    "slow ready": (0.0, 0.0, 0.0, 0.7, 0.8),
    "all": (0.3, 0.5, 0.4, 0.5, 0.4),
}


@cocotb.test()
@cocotb.parametrize(pauses=tuple(PAUSES))
async def random_bursts(dut: Any, pauses: str) -> None:
    rng = generator()
    master = Master(dut, pauses=PAUSES[pauses], rng=rng)
    await master.bench.start()
    for _ in range(ROUNDS):
        master.ask(burst(rng, write=rng.random() < 0.5) for _ in range(40))
        await master.finish()
        master.ask(burst(rng, write=rng.random() < 0.5, longest=4, rows=8) for _ in range(60))
        await master.finish()


@cocotb.test()
async def a_write_is_seen(dut: Any) -> None:
    """What has its response is there; then the whole of what was written is read back."""
    rng = generator()
    master = Master(dut, pauses=(0.0,) * 5, rng=rng)
    await master.bench.start()
    spots = []
    for _ in range(10 * ROUNDS):
        made = burst(rng, write=True, longest=32, rows=8192)
        spots.append(Burst(made.address, made.beats))
        master.write(made)
        await master.finish(quiet=0)
        master.read(rng.choice(spots))
    master.ask(spots)
    await master.finish()


@cocotb.test()
async def long_stalls(dut: Any) -> None:
    """A master that does not take its beats, or does not send them, for many refreshes."""
    rng = generator()
    master = Master(dut, pauses=(0.0,) * 5, rng=rng)
    await master.bench.start()
    for agent in (master.r, master.w, master.b):
        master.ask([Burst(PAGE * 5, 256, tuple(rng.getrandbits(32) for _ in range(256)))])
        await master.finish()
        for write in (False, True, False):
            master.ask(burst(rng, write=write, longest=64) for _ in range(12))
        master.ask(burst(rng, write=True, longest=2) for _ in range(40))
        await master.bench.cycles(300)
        agent.pause = 1.0
        await master.bench.cycles(2000)
        agent.pause = 0.0
        await master.finish()
        master.read(Burst(PAGE * 5, 256))
        await master.finish()


@cocotb.test()
async def data_before_its_address(dut: Any) -> None:
    rng = generator()
    master = Master(dut, pauses=(0.0, 1.0, 0.0, 0.0, 0.0), rng=rng)
    await master.bench.start()
    master.ask(burst(rng, write=True, longest=32) for _ in range(4))
    master.ask(burst(rng, write=False) for _ in range(4))
    beats = sum(made.beats for made in master.reads)
    await master.bench.until(lambda: len(master.r.tokens) == beats, timeout=3000 + start_cycles())
    assert not master.b.tokens, "reads go on while no write is asked for"
    master.aw.pause = 0.0
    await master.finish()
    master.w.pause = 1.0
    master.ask([Burst(0, 4, (1, 2, 3, 4)), Burst(4096, 16), Burst(8192, 16)])
    await master.bench.cycles(800)
    assert len(master.r.tokens) == sum(made.beats for made in master.reads), "nor while its data has not begun to come"
    master.w.pause = 0.0
    await master.finish()


@cocotb.test()
async def reset(dut: Any) -> None:
    rng = generator()
    master = Master(dut, pauses=(0.1, 0.1, 0.1, 0.2, 0.2), rng=rng)
    await master.bench.start()
    for _ in range(2 * ROUNDS):
        master.ask(burst(rng, write=rng.random() < 0.5) for _ in range(20))
        await master.bench.cycles(rng.randrange(200, 1500))
        await master.bench.reset()
        master.forget()
        master.ask(burst(rng, write=rng.random() < 0.5, longest=64) for _ in range(30))
        await master.finish()


@cocotb.test()
async def resets_in_a_row(dut: Any) -> None:
    """What is asked for after the last one is answered, however soon after the one before it that was."""
    rng = generator()
    master = Master(dut, pauses=(0.0,) * 5, rng=rng)
    await master.bench.start()
    for cycles in range(24):
        for wait in (cycles, 0):
            await master.bench.reset()
            master.forget()
            master.ask(burst(rng, write=write, longest=8) for write in (True, False, True))
            await master.bench.cycles(wait)
        await master.finish(quiet=0)


async def idle_master(dut: Any) -> Master:
    """Return a master that waits for nothing, after the start of the chip."""
    master = Master(dut, pauses=(0.0,) * 5, rng=generator())
    await master.bench.start()
    master.ask([Burst(0, 1, (7,))])
    await master.finish()
    return master


async def first_beat(master: Master, address: int) -> int:
    """Return the cycles from the acceptance of a read to its first beat, with nothing else under way."""
    master.read(Burst(address, 1))
    await master.finish(quiet=master.rng.randrange(20, 40))
    return master.r.seen_at[-1] - master.ar.taken_at[-1]


@cocotb.test()
async def latency(dut: Any) -> None:
    """From ARVALID to RVALID: the row is open, no row of the bank is, another one is; a refresh may come in between."""
    master = await idle_master(dut)
    found: dict[str, list[int]] = {"open": [], "closed": [], "other": []}
    for turn in range(1, 12 * ROUNDS):
        await first_beat(master, PAGE * turn)
        found["open"].append(await first_beat(master, PAGE * turn + 8))
        found["other"].append(await first_beat(master, PAGE * (turn + 1)))
    for _ in range(8):
        await master.bench.cycles(interval() + master.rng.randrange(50, 100))
        found["closed"].append(await first_beat(master, PAGE))
    dut._log.info(f"cycles to the first beat: {found}")
    for name, cycles in FIRST_BEAT[NAME].items():
        possible = range(cycles, cycles + SPREAD.get(NAME, 2))
        usual = [some for some in found[name] if some in possible]
        assert 2 * len(usual) > len(found[name]), f"{name}: {sorted(found[name])}"
        assert NAME in SPREAD or set(usual) == set(possible), f"{name}: {sorted(found[name])}"
    for name in ("open", "closed"):
        assert min(found[name]) - FIRST_BEAT[NAME][name] in ((0, 1) if NAME in SPREAD else (0,))


def interval() -> int:
    """Return the cycles between refreshes."""
    return int(7700 * int(str(this_case(CASES).parameters["ClockMhz"])) / 1000 / per_cycle())


def records(rng: random.Random, kind: str, count: int, beats: int) -> list[Burst]:
    """Return ``count`` accesses of ``beats`` beats: random or ascending places, reads, writes, or both in turns."""
    made: list[Burst] = []
    at = 0
    for turn in range(count):
        at = at + 4 * beats * rng.randint(1, 6) if "ascending" in kind else rng.randrange(1 << 23) * 4
        at = at % (1 << 25)
        at -= max(0, at % PAGE + 4 * beats - PAGE)
        write = "writes" in kind and ("reads" not in kind or turn % 2 == 1)
        made.append(Burst(at, beats, tuple(rng.getrandbits(32) for _ in range(beats)) if write else ()))
    return made


@cocotb.test()
async def responses(dut: Any) -> None:
    """From AWVALID and WVALID to BVALID; a read that waits for it begins after it."""
    master = await idle_master(dut)
    for beats in (1, 3, RECORD):
        found = []
        for _ in range(6):
            master.write(Burst(64, beats, (5,) * beats))
            await master.finish(quiet=master.rng.randrange(20, 40))
            found.append(master.b.seen_at[-1] - master.aw.taken_at[-1])
        dut._log.info(f"cycles to the response to {beats} beats: {sorted(found)}")
        if NAME not in SPREAD:
            assert min(found) in (RESPONSE + 2 * beats, RESPONSE + 2 * beats + 1)


@cocotb.test()
async def turns(dut: Any) -> None:
    """Reads and writes that wait take turns: none has to wait for the end of the others."""
    master = await idle_master(dut)
    master.ask(records(master.rng, "reads", 30, 8))
    master.ask(records(master.rng, "writes", 30, 8))
    await master.finish()
    for turn in range(30):
        between = abs(master.b.seen_at[turn + 1] - master.r.seen_at[8 * turn + 7])
        assert between < 80, f"write {turn} and read {turn} are {between} cycles apart"


@cocotb.test()
async def efficiency(dut: Any) -> None:
    """Cycles per access, refreshes included, of what a core asks for."""
    master = await idle_master(dut)
    for (beats, kind), most in PER_ACCESS.items() if ROUNDS > 1 else [((RECORD, "reads and writes"), 60.0)]:
        count = max(20, 400 * ROUNDS // beats)
        started = master.bench.now
        master.ask(records(master.rng, kind, count, beats))
        await master.finish(quiet=0)
        cycles = (master.bench.now - started - 20) / count  # without the way to the first beat
        dut._log.info(f"{beats:4} beats, {kind:28} {cycles:6.1f} cycles per access, {cycles / beats:.2f} per beat")
        if NAME == "100 MHz" or NAME in CORE_MHZ:
            most *= 1.0 if NAME == "100 MHz" else 1.01 / per_cycle()
            assert cycles <= most, f"{beats} beats, {kind}: {cycles:.1f} cycles per access, {most} before"
