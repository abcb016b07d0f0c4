# SPDX-License-Identifier: Apache-2.0
"""An emitted ``<name>_uart``, bit by bit: frames against the golden model, registers, thresholds, damage, rates."""

from __future__ import annotations

import os
from typing import Any

import cocotb
import numpy as np
from bench import Bench, generator
from random_graphs import random_thresholds, random_walk
from rtl_cases import ALL_CASES
from serial_line import Listener, Talker

from codesign.graph.golden import Golden
from codesign.host.framing import Damaged, Decoder, Packet, encode
from codesign.host.link import Data, Done, Frame, Read, Refused, Reply, Request, Result, Status, Write, pack, parse
from codesign.rtl import top_spec
from codesign.rtl.beats import from_beats, to_beats
from codesign.rtl.soc import register_map

CASE = ALL_CASES[os.environ["BENCH_CASE"]]
PERIOD = int(os.environ["BENCH_CLOCK_HZ"]) / int(os.environ["BENCH_BAUD"])


class Host:
    """A host at the serial line, and the golden model of what the board computes."""

    def __init__(self, dut: Any, *, off: float = 0.0) -> None:
        self.rng = generator()
        self.graph = CASE.graph()
        self.spec, self.registers = top_spec(self.graph), register_map(self.graph)
        self.golden = Golden(self.graph)
        self.talker = Talker(dut.rx_i, PERIOD / (1 + off), self.rng)
        self.listener = Listener(dut.tx_o, PERIOD)
        self.bench = Bench(dut, [self.talker, self.listener])
        self.sequence = 0
        self.numpy_rng = np.random.default_rng(self.rng.getrandbits(32))

    async def start(self) -> None:
        await self.bench.start()
        await self.bench.cycles(20)

    async def answer(self, line: bytes) -> Packet | Damaged | None:
        """Send bytes and return the one packet that comes back; None if there is none for a long time."""
        self.listener.data.clear()
        self.talker.say(line)
        decoder, quiet = Decoder(), 0
        found: list[Packet | Damaged] = []
        while not found and quiet < 40 * PERIOD:
            quiet = 0 if await self.bench.cycle() else quiet + 1
            found = decoder.feed(bytes(self.listener.data))
            self.listener.data.clear()
        await self.bench.cycles(int(12 * PERIOD))
        assert not self.listener.data, "one answer"
        return found[0] if found else None

    async def ask(self, request: Request, *, repeat: bool = False) -> Reply | Request:
        self.sequence = (self.sequence + (not repeat)) % 256
        packet = await self.answer(encode(pack(request, self.sequence)))
        assert isinstance(packet, Packet), packet
        assert packet.sequence == self.sequence
        return parse(packet)

    async def read(self, name: str) -> int:
        reply = await self.ask(Read(address=self.registers[name].address))
        assert isinstance(reply, Data)
        return reply.words[0]

    async def write(self, name: str, data: int) -> None:
        assert await self.ask(Write(address=self.registers[name].address, data=data)) == Done()

    def walk(self, frames: int) -> np.ndarray:
        return random_walk(self.numpy_rng, self.graph, frames, 0.4)

    def request(self, frame: np.ndarray, *, first_of_stream: bool = False) -> Frame:
        codes = np.resize(frame.reshape(-1), self.spec.beats * self.spec.in_lanes)
        beats = to_beats(codes.reshape(self.spec.beats, -1), self.spec.in_lane_bits)
        return Frame(beats=beats.tobytes(), first_of_stream=first_of_stream)

    def check(self, reply: object, frame: np.ndarray) -> None:
        """Compare a result with the golden model's next frame."""
        self.expected = self.golden.run(frame[None]).outputs[0]
        self.compare(reply)

    def compare(self, reply: object) -> None:
        assert isinstance(reply, Result)
        assert reply.status == Status(0)
        raw = np.frombuffer(reply.beats, np.uint8).reshape(self.spec.out_words, -1)
        values = from_beats(raw, self.spec.out_lane_bits, signed=self.graph.output.fmt.signed).reshape(-1)
        np.testing.assert_array_equal(values[: self.expected.size], self.expected.reshape(-1))


@cocotb.test()
@cocotb.parametrize(off=(-0.02, 0.02))
async def frames(dut: Any, off: float) -> None:
    """Identity, frames, repeated frames, new streams, counters, reset."""
    host = Host(dut, off=off)
    await host.start()
    fixed = [register for register in host.registers.registers.values() if register.address < 0x030]
    identity = await host.ask(Read(address=0, count=len(fixed)))
    assert isinstance(identity, Data)
    for register, word in zip(fixed, identity.words, strict=True):
        assert register.access == "w" or register.reset in (None, word), register
    assert await host.read("clock_hz") == int(os.environ["BENCH_CLOCK_HZ"])
    for at, frame in enumerate(host.walk(4)):
        new = at == 3
        if new:
            host.golden.reset()
        request = host.request(frame, first_of_stream=new)
        host.check(await host.ask(request), frame)
        host.compare(await host.ask(request, repeat=True))
    assert await host.read("counters.frames") == 4
    assert await host.read(f"counters.{host.spec.engines[-1]}.frames") == 4
    for data, frames_left in ((2, 4), (1, 0)):  # a new stream, a reset
        await host.write("control", data)
        assert await host.read("counters.frames") == frames_left
        host.golden.reset()
        for frame in host.walk(2):
            host.check(await host.ask(host.request(frame)), frame)


@cocotb.test()
async def thresholds(dut: Any) -> None:
    """Thresholds hold from the next frame on, for every layer, and survive a reset of the core."""
    host = Host(dut)
    await host.start()
    assert host.spec.holds
    for part in range(3):
        for frame in host.walk(2):
            host.check(await host.ask(host.request(frame)), frame)
        thresholds = random_thresholds(host.numpy_rng, host.graph)
        for name, threshold in thresholds.items():
            await host.write(f"hold.{name}", threshold)
            assert await host.read(f"hold.{name}") == threshold
        host.golden.graph = host.graph.with_thresholds(thresholds)
        if part == 1:
            await host.write("control", 1)
            host.golden.reset()


@cocotb.test()
async def damage(dut: Any) -> None:
    """Wrong bits, lost and cut bytes: refused or unanswered, never run; the repeated packet is right."""
    host = Host(dut)
    await host.start()
    for frame in host.walk(4):
        request = host.request(frame)
        host.sequence += 1
        packet = bytearray(encode(pack(request, host.sequence)))
        at = host.rng.randrange(1, len(packet) - 1)
        kind = host.rng.randrange(3)
        if kind == 0:
            packet[at] ^= 1 << host.rng.randrange(8)
        elif kind == 1:
            del packet[at]
        else:
            del packet[at:]
        answer = await host.answer(bytes(packet) + b"\x7e")
        assert answer is None or (isinstance(answer, Packet) and isinstance(parse(answer), Refused))
        host.check(await host.ask(request, repeat=True), frame)


@cocotb.test()
async def reset_within_a_frame(dut: Any) -> None:
    host = Host(dut)
    await host.start()
    for _ in range(3):
        frame = host.walk(1)[0]
        host.talker.say(encode(pack(host.request(frame), 7)))
        await host.bench.cycles(host.rng.randrange(100, int(400 * PERIOD)))
        await host.bench.reset()
        await host.bench.cycles(int(12 * PERIOD))
        host.golden.reset()
        host.check(await host.ask(host.request(frame)), frame)
