# SPDX-License-Identifier: Apache-2.0
"""core_inbox: every packet judged; codes of 16 and 8 bits, words of an image; what comes meanwhile is dropped."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, generator, this_case
from serial_line import Events

from codesign.host.framing import OVERHEAD, Packet, Reason
from codesign.host.link import Frame, Kind, Load, Read, Write, pack

CASES = {
    "4 codes": Case(parameters={"Codes": 4, "Words": 16}),
    "2 codes": Case(parameters={"Codes": 2, "Words": 4}),
    "8 codes": Case(parameters={"Codes": 8, "Words": 64}),
}
BYTE, END, DROP = 0, 1, 2


class Inbox:
    """Feeds packets as `board_hdlc_rx` would, and watches what the module holds."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        parameters = this_case(CASES).parameters
        self.dut, self.rng = dut, generator()
        self.codes, self.words = int(str(parameters["Codes"])), int(str(parameters["Words"]))
        self.gap = stalls[0]
        axis = [dut.m_axis_tdata, dut.m_axis_tlast, dut.m_axis_tuser]
        self.sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, axis, pause=stalls[1], rng=self.rng)
        self.requests = Events([dut.request_o], [dut.refusal_o, dut.kind_o, dut.sequence_o, dut.argument_o])
        self.bench = Bench(dut, [self, self.sink, self.requests])
        dut.take_i.value = dut.start_i.value = 0
        self.network(1, 1)
        self.pending: list[tuple[int, int, int]] = []

    def network(self, loaded: int, beats: int) -> None:
        """Load a network with frames of so many beats."""
        self.dut.network_i.value, self.dut.beats_i.value, self.beats = loaded, beats, beats

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
        self.pending += [(BYTE, byte, self.rng.getrandbits(1)) for byte in body]
        self.pending.append((end, self.rng.getrandbits(8), good))

    async def fed(self) -> None:
        await self.bench.until(lambda: not self.pending)
        await self.bench.cycles(3)

    async def pulse(self, pin: Any) -> None:
        pin.value = 1
        await self.bench.cycle()
        pin.value = 0

    @property
    def most(self) -> int:
        return max(1 + 4 * self.words, 6)

    def frame(self) -> Frame:
        """Return a frame of the network, in bytes or in 16 bits a code."""
        rng, compact = self.rng, self.rng.random() < 0.5
        size = self.beats * self.codes * (1 if compact else 2)
        return Frame(beats=rng.randbytes(size + -size % 4), first_of_stream=rng.random() < 0.5, compact=compact)

    def load(self) -> Load:
        words = self.rng.randrange(1, self.words)
        return Load(offset=self.rng.getrandbits(32), words=self.rng.randbytes(4 * words), last=self.rng.random() < 0.5)

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

    def expected(self, request: Frame | Load) -> list[tuple[int, int, int]]:
        """Return the tokens that leave: data, last, first of a stream."""
        if isinstance(request, Load):
            values = [request.words[at : at + 4] for at in range(0, len(request.words), 4)]
            return [(int.from_bytes(word, "little"), int(at == len(values) - 1), 0) for at, word in enumerate(values)]
        each = 1 if request.compact else 2
        codes = [int.from_bytes(request.beats[at : at + each], "little") for at in range(0, len(request.beats), each)]
        made = []
        for beat in range(self.beats):
            lanes = codes[beat * self.codes : (beat + 1) * self.codes]
            data = sum(code << 16 * lane for lane, code in enumerate(lanes))
            made.append((data, int(beat == self.beats - 1), int(beat == 0 and request.first_of_stream)))
        return made

    def sent(self, request: Frame | Load) -> list[tuple[int, int, int]]:
        """Return what left; of a word, only what counts."""
        if isinstance(request, Frame):
            return list(self.sink.tokens)
        return [(data & 0xFFFFFFFF, last, 0) for data, last, _ in self.sink.tokens]


def body(packet: Packet, rng: random.Random, *, length: int | None = None) -> bytes:
    """Return the bytes of a packet, with a CRC that is not checked here."""
    said = len(packet.payload) if length is None else length
    return bytes([packet.kind, packet.sequence]) + said.to_bytes(2, "little") + packet.payload + rng.randbytes(4)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def what_leaves(dut: Any, stalls: tuple[float, float]) -> None:
    """Beats and words leave as they came, as often as asked, whatever packets come meanwhile."""
    box = Inbox(dut, stalls)
    await box.bench.start()
    for at in range(40):
        box.network(1, box.rng.choice((1, 2 * box.words // box.codes, box.rng.randint(1, 2 * box.words // box.codes))))
        await box.bench.cycles(2)
        request = (box.load if at % 3 == 0 else box.frame)()
        sequence = box.rng.getrandbits(8)
        box.feed(body(pack(request, sequence), box.rng))
        await box.fed()
        assert box.request()[:3] == (0, request.kind, sequence)
        assert isinstance(request, Frame) or int(dut.words_o.value) == len(request.words) // 4
        for _ in range(box.rng.randrange(1, 3)):
            box.sink.clear()
            box.feed(body(pack(box.frame(), 1), box.rng))  # comes too early
            started, expected = box.bench.now, box.expected(request)
            await box.pulse(dut.start_i)
            await box.bench.until(lambda: len(box.sink.tokens) == len(expected))  # noqa: B023
            await box.fed()
            assert box.sent(request) == expected
            if stalls[1] == 0:
                assert box.sink.seen_at == [started + 4 + i for i in range(len(expected))], "one per cycle"
            assert box.request()[:3] == (0, request.kind, sequence)
        await box.pulse(dut.take_i)
        await box.bench.cycles(2)
        assert box.held() is None


@cocotb.test()
async def judgement(dut: Any) -> None:
    box = Inbox(dut, (0.2, 0.0))
    await box.bench.start()
    read, write = Read(address=0x804, count=0x3FFF), Write(address=0xABC, data=0x89ABCDEF)
    for turn in range(10):
        box.network(int(turn % 3 != 0), box.rng.randint(1, box.words // box.codes))
        await box.bench.cycles(2)
        frame, load = box.frame(), box.load()
        fine = 0 if turn % 3 else int(Reason.NO_NETWORK)
        bodies = {one.kind: body(pack(one, 9), box.rng) for one in (frame, load, read, write)}
        size = len(frame.payload())
        longest = body(Packet(kind=7, sequence=9, payload=bytes(box.most)), box.rng)
        cases = [
            (bodies[Kind.FRAME], 1, fine),
            (bodies[Kind.LOAD], 1, 0),
            (bodies[Kind.READ], 1, 0),
            (bodies[Kind.WRITE], 1, 0),
            (bodies[Kind.FRAME], 0, Reason.CRC),
            (bodies[Kind.LOAD], 0, Reason.CRC),
            (body(pack(read, 9), box.rng, length=5), 1, Reason.LENGTH),
            (body(pack(read, 9), box.rng, length=0x104), 1, Reason.LENGTH),
            (body(pack(Read(address=0, count=0x4000), 9), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=2, sequence=9, payload=bytes(6)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=3, sequence=9, payload=bytes(4)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=1, sequence=9, payload=frame.payload()[: size - 1]), box.rng), 1, fine or Reason.LENGTH),
            (body(Packet(kind=1, sequence=9, payload=frame.payload()[: size - 4]), box.rng), 1, fine or Reason.LENGTH),
            (body(Packet(kind=4, sequence=9, payload=bytes(5)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=4, sequence=9, payload=bytes(10)), box.rng), 1, Reason.LENGTH),
            (body(Packet(kind=0, sequence=9), box.rng), 1, Reason.KIND),
            (longest, 1, Reason.KIND),
            (longest + bytes(1), 1, Reason.TOO_LONG),
            (longest + bytes(1), 0, Reason.TOO_LONG),
            (longest + bytes(300), 1, Reason.TOO_LONG),
        ]
        box.rng.shuffle(cases)
        for packet, good, refusal in cases:
            box.feed(box.rng.randbytes(box.rng.randrange(OVERHEAD)))  # too short: nothing
            box.feed(bodies[Kind.FRAME], end=DROP)
            box.feed(b"")
            box.feed(packet, good=good)
            box.feed(b"")
            await box.fed()
            held = box.request()
            assert held[0] == refusal, (packet, refusal)
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
    box.network(1, box.words // box.codes)
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
        assert box.sent(frame) == box.expected(frame)


@cocotb.test()
async def taken_while_it_leaves(dut: Any) -> None:
    """What is left of a request that is taken does not leave; the next one does, from its start."""
    box = Inbox(dut, (0.0, 0.4))
    await box.bench.start()
    box.network(1, box.words // box.codes)
    for at in range(24):
        box.feed(body(pack(box.frame(), 3), box.rng))
        await box.fed()
        await box.pulse(dut.start_i)
        await box.bench.cycles(at % (box.beats + 4))
        await box.pulse(dut.take_i)
        box.sink.clear()
        frame = box.frame()
        box.feed(body(pack(frame, 5), box.rng))
        await box.fed()
        assert not box.sink.tokens
        await box.pulse(dut.start_i)
        await box.bench.until(lambda: len(box.sink.tokens) == box.beats)
        await box.bench.cycles(4)
        assert box.sent(frame) == box.expected(frame)
        await box.pulse(dut.take_i)
        box.sink.clear()
