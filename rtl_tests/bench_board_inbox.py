# SPDX-License-Identifier: Apache-2.0
"""board_inbox: every packet judged, its beats streamed, what comes meanwhile dropped."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, generator, this_case
from serial_line import Always, Events

from codesign.host.framing import OVERHEAD, Packet, Reason
from codesign.host.link import Frame, Kind, Read, Write, pack

CASES = {
    "5 beats of 3 bytes": Case(parameters={"Beats": 5, "BeatBytes": 3}),
    "8 bytes": Case(parameters={"Beats": 8, "BeatBytes": 1}),
    "1 byte": Case(parameters={"Beats": 1, "BeatBytes": 1}),
}
BYTE, END, DROP = 0, 1, 2


class Inbox:
    """Feeds packets as `board_hdlc_rx` would, and watches what the module holds."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        parameters = this_case(CASES).parameters
        self.dut, self.rng = dut, generator()
        self.beats, self.bytes = int(str(parameters["Beats"])), int(str(parameters["BeatBytes"]))
        events = [dut.data_i, dut.crc_ok_i, dut.valid_i, dut.end_i, dut.drop_i]
        self.source = Source(Always(), Always(), events, pause=0.0, rng=self.rng)
        self.gap = stalls[0]
        axis = [dut.m_axis_tdata, dut.m_axis_tlast, dut.m_axis_tuser]
        self.sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, axis, pause=stalls[1], rng=self.rng)
        self.requests = Events([dut.request_o], [dut.refusal_o, dut.kind_o, dut.sequence_o, dut.argument_o])
        self.bench = Bench(dut, [self, self.sink, self.requests])
        dut.take_i.value = dut.start_i.value = 0
        self.pending: list[tuple[int, int, int]] = []

    def clear(self) -> None:
        self.pending.clear()

    def drive(self) -> None:
        """One event a cycle; noise at the data while there is none."""
        kind, data, good = -1, self.rng.getrandbits(8), self.rng.getrandbits(1)
        if self.pending and self.rng.random() >= self.gap:
            kind, data, good = self.pending.pop(0)
        self.dut.valid_i.value, self.dut.end_i.value, self.dut.drop_i.value = (int(kind == k) for k in range(3))
        self.dut.data_i.value, self.dut.crc_ok_i.value = data, good

    def sample(self, _: int) -> bool:
        return bool(self.pending)

    def feed(self, body: bytes, *, end: int = END, good: int = 1) -> None:
        """Append the bytes of a packet, its CRC included, and its end."""
        self.pending += [(BYTE, byte, self.rng.getrandbits(1)) for byte in body] + [
            (end, self.rng.getrandbits(8), good)
        ]

    async def fed(self) -> None:
        await self.bench.until(lambda: not self.pending)
        await self.bench.cycles(3)

    async def pulse(self, pin: Any) -> None:
        pin.value = 1
        await self.bench.cycle()
        pin.value = 0

    @property
    def most(self) -> int:
        return max(1 + self.beats * self.bytes, 6)

    def frame(self) -> Frame:
        return Frame(beats=self.rng.randbytes(self.beats * self.bytes), first_of_stream=self.rng.random() < 0.5)

    def held(self) -> tuple[int, int, int, int] | None:
        """Return refusal, kind, sequence and arguments of the request that is held."""
        if not self.dut.request_o.value:
            return None
        pins = (self.dut.refusal_o, self.dut.kind_o, self.dut.sequence_o, self.dut.argument_o)
        refusal, kind, sequence, argument = (int(pin.value.to_unsigned()) for pin in pins)
        return refusal, kind, sequence, argument

    def request(self) -> tuple[int, int, int, int]:
        """Return what is held; something is."""
        held = self.held()
        assert held is not None
        return held


def body(packet: Packet, rng: random.Random, *, length: int | None = None) -> bytes:
    """Return the bytes of a packet, with a CRC that is not checked here."""
    said = len(packet.payload) if length is None else length
    return bytes([packet.kind, packet.sequence]) + said.to_bytes(2, "little") + packet.payload + rng.randbytes(4)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def frames(dut: Any, stalls: tuple[float, float]) -> None:
    """Beats leave as they came, as often as asked, whatever packets come meanwhile."""
    box = Inbox(dut, stalls)
    await box.bench.start()
    for _ in range(15):
        frame, sequence = box.frame(), box.rng.getrandbits(8)
        box.feed(body(pack(frame, sequence), box.rng))
        await box.fed()
        assert box.request()[:3] == (0, Kind.FRAME, sequence)
        for _ in range(box.rng.randrange(1, 3)):
            box.sink.clear()
            box.feed(body(pack(box.frame(), 1), box.rng))  # comes too early
            started = box.bench.now
            await box.pulse(dut.start_i)
            await box.bench.until(lambda: len(box.sink.tokens) == box.beats)
            await box.fed()
            beats = [frame.beats[i : i + box.bytes] for i in range(0, len(frame.beats), box.bytes)]
            expected = [
                (int.from_bytes(beat, "little"), int(i == len(beats) - 1), int(i == 0 and frame.first_of_stream))
                for i, beat in enumerate(beats)
            ]
            assert box.sink.tokens == expected
            if stalls[1] == 0:
                assert box.sink.seen_at == [started + 2 + i for i in range(box.beats)], "one beat per cycle"
            assert box.request()[:3] == (0, Kind.FRAME, sequence)
        await box.pulse(dut.take_i)
        await box.bench.cycles(2)
        assert box.held() is None


@cocotb.test()
async def judgement(dut: Any) -> None:
    box = Inbox(dut, (0.2, 0.0))
    await box.bench.start()
    read, write = Read(address=0x804, count=0x3FFF), Write(address=0xABC, data=0x89ABCDEF)
    for _ in range(8):
        frame = box.frame()
        frame_body, read_body, write_body = (body(pack(one, 9), box.rng) for one in (frame, read, write))
        size = len(frame.payload())
        longest = body(Packet(kind=7, sequence=9, payload=bytes(box.most)), box.rng)
        cases = [
            (frame_body, 1, 0),
            (read_body, 1, 0),
            (write_body, 1, 0),
            (frame_body, 0, Reason.CRC),
            (body(pack(read, 9), box.rng, length=5), 1, Reason.LENGTH),
            (body(pack(read, 9), box.rng, length=0x104), 1, Reason.LENGTH),
            (body(pack(Read(address=0, count=0x4000), 9), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=2, sequence=9, payload=bytes(6)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=3, sequence=9, payload=bytes(4)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=1, sequence=9, payload=bytes(size - 1)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=0, sequence=9), box.rng), 1, Reason.KIND),
            (longest, 1, Reason.KIND),
            (longest + bytes(1), 1, Reason.TOO_LONG),
            (longest + bytes(1), 0, Reason.TOO_LONG),
            (longest + bytes(300), 1, Reason.TOO_LONG),
        ]
        box.rng.shuffle(cases)
        for packet, good, refusal in cases:
            box.feed(box.rng.randbytes(box.rng.randrange(OVERHEAD)))  # too short: nothing
            box.feed(frame_body, end=DROP)
            box.feed(b"")
            box.feed(packet, good=good)
            box.feed(b"")
            await box.fed()
            held = box.held()
            assert held is not None
            assert held[0] == refusal
            if refusal == 0:
                assert held[1:3] == (packet[0], packet[1])
                start = packet[4:10]
                mask = (1 << 8 * min(len(packet) - 8, 6)) - 1
                assert held[3] & mask == int.from_bytes(start, "little") & mask
            await box.pulse(dut.take_i)


@cocotb.test()
async def reset(dut: Any) -> None:
    box = Inbox(dut, (0.0, 0.4))
    await box.bench.start()
    for _ in range(12):
        box.feed(body(pack(box.frame(), 3), box.rng))
        await box.fed()
        await box.pulse(dut.start_i)
        box.feed(body(pack(box.frame(), 4), box.rng))
        await box.bench.cycles(box.rng.randrange(8))
        await box.bench.reset()
        assert box.held() is None
        frame = box.frame()
        box.feed(body(pack(frame, 5), box.rng))
        await box.fed()
        assert box.request()[:3] == (0, Kind.FRAME, 5)
        await box.pulse(dut.start_i)
        await box.bench.until(lambda: len(box.sink.tokens) == box.beats)
        sent = b"".join(token[0].to_bytes(box.bytes, "little") for token in box.sink.tokens)
        assert sent == frame.beats
