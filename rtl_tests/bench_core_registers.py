# SPDX-License-Identifier: Apache-2.0
"""core_registers: the map, counters of what the probe shows, status after each frame, and the reset."""

from __future__ import annotations

from collections import Counter
from typing import Any

import cocotb
from bench import Bench, Case, generator
from core_bench import CONFIG

from codesign.core import registers as core_map

CASES = {"8 lanes": Case(parameters={"ClockHz": 8_000_000, "FrameWords": 64, "PacketWords": 32})}
CLEARING = 512
FIELDS = (
    *("probe_i", "error_i", "loaded_i", "load_error_i", "load_crc_i"),
    *("design_id_i", "beats_i", "packet_words_i", "cut_i"),
)


class Counted:
    """What the counters must show: a random core, which begins operations, waits, and sends events."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.rng = dut, generator()
        self.bench = Bench(dut, [self])
        self.active = False
        self.values = dict.fromkeys(FIELDS, 0)
        self.forget()
        for name in ("read_i", "write_i", "address_i", "data_i"):
            getattr(dut, name).value = 0

    def forget(self) -> None:
        self.operations, self.waits, self.events = Counter[int](), Counter[int](), Counter[int]()
        self.frames = self.done = self.forgotten = 0

    clear = forget

    def drive(self) -> None:
        rng, probe = self.rng, 0
        if self.active:
            engine, step = rng.choice((0, 0, 1, 255)), rng.choice((0, 3, 3, 255))
            kind, events = rng.randrange(3), rng.choice((0, 0, 1, 8))
            self.operations[engine] += kind == 0
            self.waits[engine] += kind == 1
            self.events[step] += events
            probe = (kind == 0) | (kind == 1) << 1 | step << 8 | engine << 16 | events << 24
        self.dut.probe_i.value = probe | self.values["probe_i"]
        for name in FIELDS[1:]:
            getattr(self.dut, name).value = self.values[name]

    def sample(self, _: int) -> bool:
        self.done += int(self.dut.frame_o.value)
        self.forgotten += int(self.dut.forget_o.value)
        return False

    async def start(self) -> None:
        await self.bench.start()
        await self.bench.until(lambda: not self.dut.restart_o.value)

    async def run(self, cycles: int) -> None:
        """Let the core work."""
        self.active = True
        await self.bench.cycles(cycles)
        self.active = False
        await self.bench.cycles(6)

    async def end_of_frame(self, *, first: int) -> None:
        self.values["probe_i"] = 1 << 2 | first << 6
        await self.bench.cycle()
        self.values["probe_i"] = 0
        self.frames += 1
        done = self.done
        await self.bench.cycles(4)
        assert self.done == done + 1
        assert int(self.dut.status_o.value) >> 2 & 1 == first

    async def read(self, address: int) -> int:
        dut = self.dut
        dut.read_i.value, dut.address_i.value = 1, address >> 2
        await self.bench.cycle()
        dut.read_i.value = 0
        for _ in range(2):
            assert not dut.read_valid_o.value
            await self.bench.cycle()
        assert dut.read_valid_o.value, "3 cycles"
        found = int(dut.read_data_o.value)
        await self.bench.cycle()
        assert not dut.read_valid_o.value
        return found

    async def write(self, address: int, data: int) -> int:
        """Write a register; return the cycles to the answer."""
        dut = self.dut
        dut.write_i.value, dut.address_i.value, dut.data_i.value = 1, address >> 2, data
        await self.bench.cycle()
        dut.write_i.value, waited = 0, 1
        while not dut.written_o.value:
            await self.bench.cycle()
            waited += 1
            assert waited < 1000
        await self.bench.cycle()
        assert not dut.written_o.value
        return waited

    async def check(self) -> None:
        """Compare every counter."""
        assert await self.read(core_map.FRAMES) == self.frames
        for base, counted in (
            (core_map.OPERATIONS, self.operations),
            (core_map.WAITS, self.waits),
            (core_map.EVENTS, self.events),
        ):
            for at in (0, 1, 2, 3, 254, 255):
                assert await self.read(base + 4 * at) == counted[at], (hex(base), at)


@cocotb.test()
async def counters(dut: Any) -> None:
    core = Counted(dut)
    await core.start()
    for turn in range(5):
        await core.run(300)
        await core.end_of_frame(first=turn % 2)
        await core.check()
        await core.check()  # reading counts nothing
    assert await core.write(0x040, 1) == 1
    assert await core.write(core_map.CONTROL, 0xFFFFFFFC) == 1
    assert await core.write(0x040, core_map.FORGET) == 1
    assert core.forgotten == 0
    assert await core.write(core_map.CONTROL, core_map.FORGET) == 1
    assert core.forgotten == 1
    await core.check()
    assert await core.write(core_map.CONTROL, core_map.RESET) == CLEARING + 1
    core.forget()
    await core.check()
    assert await core.read(core_map.FRAMES + 4) < 600
    await core.run(300)
    await core.check()


@cocotb.test()
async def the_core_is_held_while_counters_are_cleared(dut: Any) -> None:
    core = Counted(dut)
    await core.start()
    await core.run(50)
    writing = cocotb.start_soon(core.write(core_map.CONTROL, 1))
    held = 0
    while not writing.done():
        held += int(dut.restart_o.value)
        await cocotb.triggers.FallingEdge(dut.clk_i)
    assert CLEARING <= held <= CLEARING + 2


@cocotb.test()
async def the_map(dut: Any) -> None:
    core = Counted(dut)
    await core.start()
    core.values |= {"loaded_i": 1, "load_error_i": 6, "design_id_i": 0xABCD1234, "beats_i": 77, "error_i": 2}
    core.values |= {"packet_words_i": 24, "cut_i": 1, "load_crc_i": 0x89ABCDEF}
    await core.bench.cycles(2)
    found = core_map.named([await core.read(4 * at) for at in range(len(core_map.FIRST))])
    known = {"magic": core_map.MAGIC, "version": core_map.VERSION, "design_id": 0xABCD1234, "control": 0}
    known |= {"status": 6 << 12 | 1 << 8 | 1 << 3 | 2, "frame_beats": 77, "beat_bytes": 2 * CONFIG.quantisers}
    known |= {"packet_words": 24, "packet_beat_bytes": 4 * CONFIG.quantisers, "clock_hz": 8_000_000}
    known |= {"most_frame_words": 64, "most_packet_words": 32, "geometry": CONFIG.geometry, "skip": 1}
    assert found == known | {name: getattr(CONFIG, name) for name in found if name not in known}
    assert core_map.config_of(found) == CONFIG
    assert await core.read(core_map.FRAMES + 8) == 1
    assert await core.read(core_map.IMAGE_CRC) == 0x89ABCDEF
    core.values["error_i"] = 3
    await core.bench.cycles(2)
    assert await core.read(core_map.FRAMES + 8) == 2
    core.values["loaded_i"] = 0
    await core.bench.cycles(2)
    assert (await core.read(8), await core.read(0x14)) == (0, 0), "of no network"
    for address in (0x0FC, 0x100, 0x400, 0xC00):
        assert await core.read(address) == 0
