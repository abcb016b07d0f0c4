# SPDX-License-Identifier: Apache-2.0
"""delta_core_soc as a processor sees it: images, frames and packets in streams, registers on AXI4-Lite, its memory."""

from __future__ import annotations

import zlib
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Agent, Bench, Sink, Source, generator
from core_axi import AxiMemory
from core_bench import CONFIG
from random_graphs import random_walk
from rtl_cases import KINDS

from codesign.core import compile_graph, image_of, pack_input, unpack_output
from codesign.core import registers as core_map
from codesign.core.soc import BUSY, GIVEN, MEMORY, STREAM, STREAMS, STREAMS_VERSION
from codesign.graph import Graph
from codesign.graph.golden import Golden

CLOCK_HZ = 8_000_000
BAD_CRC = 6


class Soc:
    """A processor with its memory: DMAs for images, frames and packets, and a bus master."""

    def __init__(self, dut: Any, stalls: tuple[float, float] = (0.0, 0.0)) -> None:
        self.dut, self.rng = dut, generator()
        given, taken = stalls

        def source(name: str, *fields: str) -> Source:
            pins = [getattr(dut, f"{name}{field}") for field in fields]
            return Source(getattr(dut, f"{name}valid"), getattr(dut, f"{name}ready"), pins, pause=given, rng=self.rng)

        def sink(name: str, *fields: str) -> Sink:
            pins = [getattr(dut, f"{name}{field}") for field in fields]
            return Sink(getattr(dut, f"{name}valid"), getattr(dut, f"{name}ready"), pins, pause=taken, rng=self.rng)

        user = ["user"] if hasattr(dut, "s_axis_tuser") else []  # the wrapper for Vivado has none
        self.frames = source("s_axis_t", "last", *user, "data")
        self.packets = sink("m_axis_t", "data", "last")
        self.images = source("s_axis_load_t", "data", "last")
        self.reads, self.answers = source("s_axil_ar", "addr", "prot"), sink("s_axil_r", "data", "resp")
        self.writes, self.words = source("s_axil_aw", "addr", "prot"), source("s_axil_w", "data", "strb")
        self.done = sink("s_axil_b", "resp")
        beats = CONFIG.memory_kib * 1024 // (CONFIG.memory_bits // 8)
        self.memory = AxiMemory(dut, bits=CONFIG.memory_bits, beats=beats, rng=self.rng, pause=given, latency=5)
        agents: list[Agent] = [
            self.frames,
            self.packets,
            self.images,
            self.reads,
            self.answers,
            self.writes,
            self.words,
            self.done,
        ]
        self.bench = Bench(dut, [*agents, self.memory])

    async def start(self, base: int = 0x1234_5000) -> None:
        """Reset, and give the core a region of the memory, at an address of no particular order."""
        await self.bench.start()
        await self.give(base)

    async def give(self, base: int) -> None:
        self.memory.base = base
        await self.write(MEMORY, base | GIVEN)
        assert await self.read(MEMORY) & ~BUSY == base | GIVEN

    async def read(self, address: int) -> int:
        self.reads.waiting.append(address)
        await self.bench.until(lambda: bool(self.answers.tokens), timeout=2000)
        data, response = self.answers.tokens.pop()
        assert response == 0
        return int(data)

    async def write(self, address: int, data: int) -> None:
        self.writes.waiting.append(address)
        self.words.waiting.append(data | 15 << 32)
        await self.bench.until(lambda: bool(self.done.tokens), timeout=2000)
        assert self.done.tokens.pop() == 0

    async def load(self, image: np.ndarray) -> None:
        self.images.waiting.extend(int(word) | int(at == len(image) - 1) << 32 for at, word in enumerate(image))
        await self.bench.until(lambda: not self.images.waiting)
        await self.bench.cycles(4)

    async def network(self, graph: Graph) -> None:
        """Load one, and find it in the registers."""
        self.graph, self.compiled = graph, compile_graph(graph, CONFIG)
        image = image_of(self.compiled.program)
        await self.load(image)
        assert await self.read(core_map.STATUS) >> 8 & 1
        assert await self.read(4 * core_map.FIRST.index("design_id")) == self.compiled.program.design
        assert await self.read(core_map.IMAGE_CRC) == zlib.crc32(image.astype("<u4").tobytes())
        self.golden = Golden(graph)

    async def run(self, codes: np.ndarray, *, first: bool = False) -> None:
        """Push frames, ``first``: of a new stream, and compare every value of every packet."""
        beats = pack_input(self.compiled, codes)
        for at, frame in enumerate(beats):
            for beat, lanes in enumerate(frame):
                data = sum((int(code) & 0xFFFF) << 16 * lane for lane, code in enumerate(lanes))
                last, user = int(beat == len(frame) - 1), int(first and at == 0 and beat == 0)
                self.frames.waiting.append(last | user << 1 | data << 2)
        most = len(codes) * self.compiled.program.output_beats
        await self.bench.until(lambda: len(self.packets.tokens) >= most)
        tokens, self.packets.tokens = self.packets.tokens, []
        assert [last for _, last in tokens] == ([0] * (most // len(codes) - 1) + [1]) * len(codes)
        values = [[data >> 32 * lane & 0xFFFFFFFF for lane in range(CONFIG.quantisers)] for data, _ in tokens]
        packets = np.array(values, np.uint32).astype(np.int32).astype(np.int64)
        got = unpack_output(self.compiled, packets.reshape(len(codes), -1, CONFIG.quantisers))
        np.testing.assert_array_equal(got, self.golden.run(codes).outputs)


def graphs(count: int) -> list[Graph]:
    return [KINDS[kind](np.random.default_rng(at)) for at, kind in enumerate(list(KINDS)[:count])]


@cocotb.test()
@cocotb.parametrize(stalls=STALLS[:2])
async def networks(dut: Any, stalls: tuple[float, float]) -> None:
    """One after the other, each bit for bit; counters and sizes in the registers."""
    soc = Soc(dut, stalls)
    await soc.start()
    assert await soc.read(STREAMS) == STREAMS_VERSION
    for graph in graphs(3):
        await soc.network(graph)
        await soc.write(core_map.CONTROL, core_map.RESET)
        walk = random_walk(np.random.default_rng(7), graph, 4, 0.3)
        await soc.run(walk)
        await soc.bench.cycles(20)
        assert [await soc.read(core_map.FRAMES + 4 * at) for at in (0, 2)] == [4, 0]
        words = soc.compiled.program.output_beats * CONFIG.quantisers
        assert await soc.read(4 * core_map.FIRST.index("packet_words")) == words
        assert await soc.read(4 * core_map.FIRST.index("frame_beats")) == soc.compiled.program.beats
        assert await soc.read(core_map.EVENTS) > 0


@cocotb.test()
async def itself(dut: Any) -> None:
    """What it is built with, as a host reads it."""
    soc = Soc(dut)
    await soc.start()
    found = core_map.named([await soc.read(4 * at) for at in range(len(core_map.FIRST))])
    assert core_map.config_of(found) == CONFIG
    assert (found["magic"], found["version"], found["clock_hz"]) == (core_map.MAGIC, core_map.VERSION, CLOCK_HZ)
    assert (found["design_id"], found["status"] >> 8, found["skip"]) == (0, 0, 1)


@cocotb.test()
async def streams(dut: Any) -> None:
    """One begins with tuser, and after a reset, within a frame too; the network stays."""
    soc = Soc(dut, STALLS[1])
    await soc.start()
    (graph,) = graphs(1)
    await soc.network(graph)
    walk = random_walk(np.random.default_rng(8), graph, 6, 0.3)
    await soc.run(walk[:2])
    soc.golden = Golden(graph)
    await soc.run(walk[2:4], first=True)
    assert await soc.read(core_map.STATUS) & 4 == 0  # the second frame of them
    await soc.write(STREAM, 1)
    soc.golden = Golden(graph)
    await soc.run(walk[1:2])
    assert await soc.read(core_map.STATUS) & 4
    await soc.run(walk[2:3])
    soc.frames.waiting.append(0)  # asked for within a frame: the next one starts it
    await soc.bench.until(lambda: not soc.frames.waiting)
    await soc.write(STREAM, 1)
    soc.golden = Golden(graph)
    soc.frames.waiting.extend([0] * (soc.compiled.program.beats - 2) + [1])
    await soc.bench.until(lambda: len(soc.packets.tokens) >= soc.compiled.program.output_beats)
    soc.packets.tokens.clear()
    await soc.run(walk[3:5])
    for cut in (1, 2, 30):
        taken = len(soc.frames.taken_at)
        soc.frames.waiting.extend([0] * soc.compiled.program.beats)
        await soc.bench.until(lambda taken=taken: len(soc.frames.taken_at) > taken)  # type: ignore[misc]
        await soc.bench.cycles(cut)
        soc.frames.clear()
        await soc.write(core_map.CONTROL, core_map.RESET)
        soc.packets.clear()
        soc.golden = Golden(graph)
        await soc.run(walk[4:])


@cocotb.test()
async def regions(dut: Any) -> None:
    """Nothing is read or written before a region is given; another one forgets the network."""
    soc = Soc(dut, STALLS[1])
    await soc.bench.start()
    graph, other = graphs(2)
    image = image_of(compile_graph(graph, CONFIG).program)
    soc.images.waiting.extend(int(word) for word in image[:20])
    await soc.bench.cycles(400)
    assert soc.images.waiting, "the core waits for its memory"
    assert not soc.memory.addresses
    assert await soc.read(MEMORY) == 0
    soc.images.clear()
    for base, network in ((0xFFF0_0000, graph), (0, other), (0x0001_F000, graph)):
        await soc.give(base)
        assert await soc.read(core_map.STATUS) >> 8 == 0, "what came of an image is forgotten"
        await soc.network(network)
        await soc.run(random_walk(np.random.default_rng(9), network, 3, 0.3))
        assert {channel for channel, *_ in soc.memory.addresses} == {"ar", "aw"}
        await soc.write(MEMORY, 0)
        assert await soc.read(MEMORY) & BUSY == 0
        assert await soc.read(core_map.STATUS) >> 8 == 0
        soc.memory.addresses.clear()


@cocotb.test()
async def a_region_that_is_taken_back_within_a_frame(dut: Any) -> None:
    """What has begun is seen to its end; nothing else begins, until another region is given."""
    soc = Soc(dut)
    await soc.start()
    (graph,) = graphs(1)
    await soc.network(graph)
    walk = random_walk(np.random.default_rng(9), graph, 2, 0.3)
    soc.memory.stopped = {"r", "b"}
    soc.memory.addresses.clear()
    soc.frames.waiting.extend([0] * (soc.compiled.program.beats - 1) + [1])
    await soc.bench.until(lambda: bool(soc.memory.addresses))
    await soc.write(MEMORY, 0)
    assert await soc.read(MEMORY) == BUSY
    soc.memory.stopped = set()
    await soc.bench.cycles(300)
    assert await soc.read(MEMORY) == 0
    begun = len(soc.memory.addresses)
    await soc.bench.cycles(300)
    assert len(soc.memory.addresses) == begun
    await soc.write(core_map.CONTROL, core_map.RESET)
    soc.packets.clear()
    await soc.give(0x8000_0000)
    await soc.network(graph)
    await soc.run(walk)


@cocotb.test()
async def nothing_is_taken_within_a_reset(dut: Any) -> None:
    soc = Soc(dut)
    await soc.start()
    (graph,) = graphs(1)
    await soc.network(graph)
    walk = random_walk(np.random.default_rng(9), graph, 2, 0.3)
    soc.writes.waiting.append(core_map.CONTROL)
    soc.words.waiting.append(core_map.RESET | 15 << 32)
    await soc.bench.cycles(20)
    await soc.run(walk)
    assert soc.done.tokens.pop() == 0
    assert soc.frames.taken_at[0] > 500


@cocotb.test()
async def images_that_are_wrong(dut: Any) -> None:
    """None leaves a network; what has come of one is forgotten when asked."""
    soc = Soc(dut)
    await soc.start()
    (graph,) = graphs(1)
    image = image_of(compile_graph(graph, CONFIG).program)
    walk = random_walk(np.random.default_rng(9), graph, 2, 0.3)
    for wrong in (np.concatenate([image[:-1], image[-1:] ^ np.uint32(1)]), image[: len(image) // 2]):
        await soc.network(graph)
        await soc.run(walk)
        await soc.load(wrong)
        status = await soc.read(core_map.STATUS)
        assert not status >> 8 & 1
        assert status >> 12 in ((BAD_CRC,) if len(wrong) == len(image) else (BAD_CRC + 1,))
    for cut in (1, len(image) // 2, len(image) - 1):
        soc.images.waiting.extend(int(word) for word in image[:cut])  # a DMA that was stopped
        await soc.bench.until(lambda: not soc.images.waiting)
        await soc.write(core_map.CONTROL, core_map.FORGET)
        assert await soc.read(core_map.STATUS) >> 8 == 0
        await soc.network(graph)
        await soc.run(walk)
    await soc.write(core_map.CONTROL, core_map.FORGET)
    assert await soc.read(core_map.STATUS) >> 8 == 0
