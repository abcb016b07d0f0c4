# SPDX-License-Identifier: Apache-2.0
"""board_link: a host's packets, whole and damaged, against a core and registers that the bench plays."""

from __future__ import annotations

import random
import zlib
from collections import deque
from typing import Any

import cocotb
from bench import Bench, Case, Sink, Source, generator, this_case
from bench_board_hdlc_rx import damage
from serial_line import Always

from codesign.host.framing import Damaged, Decoder, Packet, Reason, encode
from codesign.host.link import (
    FIRST_OF_STREAM,
    Data,
    Done,
    Frame,
    Read,
    Refused,
    Reply,
    Request,
    Result,
    Status,
    Write,
    pack,
    parse,
)

CASES = {
    "3 beats of 2 bytes": Case(
        parameters={"FrameBeats": 3, "FrameBeatBytes": 2, "PacketBeats": 2, "PacketBeatBytes": 5}
    ),
    "1 beat of 1 byte": Case(parameters={"FrameBeats": 1, "FrameBeatBytes": 1, "PacketBeats": 1, "PacketBeatBytes": 1}),
}
CONTROL, STATUS = 0x00C, 0x010
PAUSES = ((0.0, 0.0), (0.5, 0.8), (0.8, 0.3))
"""Of the line towards the host, and of the core and its registers."""


class Registers:
    """The AXI4-Lite slave: 32-bit words that keep what is written; responses come late, at random."""

    def __init__(self, dut: Any, pause: float, rng: random.Random) -> None:
        self.dut, self.pause, self.rng = dut, pause, rng
        self.words: dict[int, int] = {}
        self.clear()

    def clear(self) -> None:
        self.address: int | None = None
        self.data: int | None = None
        self.read: int | None = None
        self.written: list[tuple[int, int]] = []  # addresses and data, in order

    def drive(self) -> None:
        dut = self.dut
        go = [self.rng.random() >= self.pause for _ in range(5)]
        self.ready = {"aw": self.address is None and go[0], "w": self.data is None and go[1]}
        self.ready["ar"] = self.read is None and go[2]
        for name, ready in self.ready.items():
            getattr(dut, f"m_axil_{name}ready").value = int(ready)
        self.answer_write = self.address is not None and self.data is not None and go[3]
        self.answer_read = self.read is not None and go[4]
        dut.m_axil_bvalid.value, dut.m_axil_rvalid.value = int(self.answer_write), int(self.answer_read)
        word = self.words.get(self.read, 0) if self.read is not None else 0
        dut.m_axil_rdata.value = word if self.answer_read else self.rng.getrandbits(32)

    def sample(self, _: int) -> bool:
        dut = self.dut
        under_way = dut.m_axil_awvalid.value or dut.m_axil_wvalid.value or self.address is not None
        assert not (under_way and dut.tx_valid_o.value), "an answer before the write was done"
        if self.answer_write:
            assert dut.m_axil_bready.value
            assert self.address is not None
            assert self.data is not None
            self.words[self.address] = self.data
            self.written.append((self.address, self.data))
            self.address = self.data = None
        if self.answer_read:
            assert dut.m_axil_rready.value
            self.read = None
        if self.ready["aw"] and dut.m_axil_awvalid.value:
            self.address = int(dut.m_axil_awaddr.value)
        if self.ready["w"] and dut.m_axil_wvalid.value:
            self.data = int(dut.m_axil_wdata.value)
        if self.ready["ar"] and dut.m_axil_arvalid.value:
            self.read = int(dut.m_axil_araddr.value)
        return self.answer_write or self.answer_read


class Core:
    """Answers each frame with a packet that depends on its bytes and on how many frames came before."""

    def __init__(self, dut: Any, pause: float, rng: random.Random, registers: Registers) -> None:
        parameters = this_case(CASES).parameters
        self.in_beats, self.in_bytes, self.beats, self.bytes = (int(str(value)) for value in parameters.values())
        self.rng, self.registers = rng, registers
        axis = [dut.m_axis_tdata, dut.m_axis_tlast, dut.m_axis_tuser]
        self.sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, axis, pause=pause, rng=rng)
        self.source = Source(
            dut.s_axis_tvalid, dut.s_axis_tready, [dut.s_axis_tdata, dut.s_axis_tlast], pause=pause, rng=rng
        )
        self.results: list[Result] = []
        self.started = 0
        self.clear()

    def clear(self) -> None:
        self.sink.clear()
        self.source.clear()
        self.frame: Frame | None = None

    def drive(self) -> None:
        self.sink.drive()
        self.source.drive()

    def sample(self, now: int) -> bool:
        took, gave = self.sink.sample(now), self.source.sample(now)
        if len(self.sink.tokens) == self.in_beats:
            self._run()
        if gave and not self.source.waiting:
            assert self.frame is not None
            status, new = self.rng.randrange(4), self.rng.random() < 0.5
            self.registers.words[STATUS] = status | FIRST_OF_STREAM * new | self.rng.getrandbits(24) << 8
            beats = self.answer(self.frame, len(self.results))
            cycles = now - self.started
            self.results.append(Result(cycles=cycles, status=Status(status), first_of_stream=new, beats=beats))
            self.frame = None
        return took or gave

    def _run(self) -> None:
        last = [token[1] for token in self.sink.tokens]
        assert last == [0] * (self.in_beats - 1) + [1]
        user = [token[2] for token in self.sink.tokens]
        assert not any(user[1:]), "a new stream begins with a frame"
        beats = b"".join(token[0].to_bytes(self.in_bytes, "little") for token in self.sink.tokens)
        self.frame, self.started = Frame(beats=beats, first_of_stream=bool(user[0])), self.sink.seen_at[0]
        answer = self.answer(self.frame, len(self.results))
        for at in range(self.beats):
            beat = int.from_bytes(answer[at * self.bytes : (at + 1) * self.bytes], "little")
            self.source.waiting.append(beat | int(at == self.beats - 1) << 8 * self.bytes)
        self.sink.clear()

    def answer(self, frame: Frame, index: int) -> bytes:
        """Return what the core makes of its frame number ``index``."""
        seed = zlib.crc32(frame.payload() + index.to_bytes(4, "little"))
        return random.Random(seed).randbytes(self.beats * self.bytes)


class Board:
    """What the link must answer: the model of the protocol, around the core and registers of the bench."""

    def __init__(self, core: Core, registers: Registers) -> None:
        self.core, self.registers = core, registers
        self.frame_bytes = core.in_beats * core.in_bytes
        self.most = max(1 + self.frame_bytes, 6)
        self.decoder = Decoder(self.most)
        self.last: tuple[int, Frame] | None = None  # sequence number of the last frame
        self.frames: list[Frame] = []  # run, in order
        self.writes: list[Write] = []

    def answers(self, line: bytes) -> list[tuple[int, Reply | Frame | Read]]:
        """Return what is answered to bytes of the line, in order: sequence numbers with the replies as far as known."""
        return [self._answer(item) for item in self.decoder.feed(line)]

    def _answer(self, item: Packet | Damaged) -> tuple[int, Reply | Frame | Read]:
        if isinstance(item, Damaged):
            return 0, Refused(reason=item.reason)
        if item.kind not in (Frame.kind, Read.kind, Write.kind):
            return item.sequence, Refused(reason=Reason.KIND)
        sizes: dict[int, int] = {Frame.kind: 1 + self.frame_bytes, Read.kind: 4, Write.kind: 6}
        if len(item.payload) != sizes[item.kind]:
            return item.sequence, Refused(reason=Reason.LENGTH)
        request = parse(item)
        if isinstance(request, Frame):
            if self.last is None or self.last[0] != item.sequence:
                self.frames.append(request)
                self.last = item.sequence, request
            return item.sequence, request
        if isinstance(request, Read):
            return item.sequence, request
        assert isinstance(request, Write)
        self.writes.append(request)
        if request.address == CONTROL and request.data & 1:
            self.last = None
        return item.sequence, Done()


class Host:
    """The bench: sends bytes, waits for the answers, compares."""

    def __init__(self, dut: Any, pauses: tuple[float, float], gap: float = 0.0) -> None:
        self.dut, self.rng = dut, generator()
        self.registers = Registers(dut, pauses[1], self.rng)
        self.core = Core(dut, pauses[1], self.rng, self.registers)
        self.board = Board(self.core, self.registers)
        self.line = Source(dut.rx_valid_i, Always(), [dut.rx_data_i], pause=gap, rng=self.rng)
        self.back = Sink(dut.tx_valid_o, dut.tx_ready_i, [dut.tx_data_o], pause=pauses[0], rng=self.rng)
        self.bench = Bench(dut, [self.line, self.back, self.core, self.registers])
        self.decoder = Decoder()
        self.heard: deque[Packet | Damaged] = deque()
        self.sequence = 0

    async def start(self) -> None:
        await self.bench.start()
        self.board.answers(b"\x7e")
        self.line.waiting.append(0x7E)

    def request(self) -> Request:
        rng = self.rng
        return rng.choice(
            (
                Frame(beats=rng.randbytes(self.board.frame_bytes), first_of_stream=rng.random() < 0.3),
                Frame(beats=bytes(rng.choice((0x7E, 0x7D)) for _ in range(self.board.frame_bytes))),
                Read(address=4 * rng.randrange(16), count=rng.randrange(4)),
                Write(address=4 * rng.randrange(16), data=rng.getrandbits(32)),
            )
        )

    async def talk(self, line: bytes) -> None:
        """Send bytes in which at most one packet is answered, and check the answer and what was done."""
        expected = self.board.answers(line)
        self.line.waiting.extend(line)
        await self.bench.until(lambda: not self.line.waiting)
        await self.bench.until(lambda: self.packets() >= len(expected), timeout=2000)
        await self.bench.cycles(30)
        assert self.packets() == len(expected), f"{list(self.heard)}, expected {expected}"
        for sequence, want in expected:
            packet = self.heard.popleft()
            assert isinstance(packet, Packet), packet
            assert packet.sequence == sequence
            self.check(parse(packet), want)
        assert len(self.core.results) == len(self.board.frames), "every frame runs once"
        assert self.registers.written == [(write.address, write.data) for write in self.board.writes]

    def check(self, got: object, want: object) -> None:
        if isinstance(want, Frame):
            result = self.core.results[-1]
            assert result.beats == self.core.answer(want, len(self.core.results) - 1), "the core saw another frame"
            assert got == result
        elif isinstance(want, Read):
            words = [self.registers.words.get((want.address + 4 * i) % 4096, 0) for i in range(want.count)]
            assert got == Data(words=tuple(words))
        else:
            assert got == want

    def packets(self) -> int:
        """Decode what came; return how many packets wait."""
        self.heard.extend(self.decoder.feed(bytes(self.back.tokens)))
        self.back.tokens.clear()
        return len(self.heard)

    def next(self) -> int:
        self.sequence = (self.sequence + 1) % 256
        return self.sequence


@cocotb.test()
@cocotb.parametrize(pauses=PAUSES, gap=(0.0, 0.6))
async def requests(dut: Any, pauses: tuple[float, float], gap: float) -> None:
    """Every request is answered and done once; a repeated frame is answered from memory."""
    host = Host(dut, pauses, gap)
    await host.start()
    for _ in range(20):
        request = host.request()
        packet = encode(pack(request, host.next()))
        for _ in range(host.rng.choice((1, 1, 2, 3))):
            await host.talk(packet)
            if host.rng.random() < 0.3:
                await host.talk(encode(pack(Read(address=STATUS), host.rng.getrandbits(8))))
            if isinstance(request, Write):
                break


@cocotb.test()
async def reset_of_the_core_forgets_the_last_frame(dut: Any) -> None:
    host = Host(dut, (0.0, 0.2))
    await host.start()
    frame = Frame(beats=bytes(host.board.frame_bytes))
    await host.talk(encode(pack(frame, 0)))  # also the first frame after power-up, whatever its number
    for _ in range(3):
        packet = encode(pack(frame, host.next()))
        await host.talk(packet)
        runs = len(host.core.results)
        for write in (Write(address=CONTROL, data=0xFFFFFFFE), Write(address=0x800, data=1)):
            await host.talk(encode(pack(write, host.next())))
            await host.talk(packet)
            assert len(host.core.results) == runs
        await host.talk(encode(pack(Write(address=CONTROL, data=1), host.next())))
        await host.talk(packet)
        assert len(host.core.results) == runs + 1


@cocotb.test()
async def refusals(dut: Any) -> None:
    """Unknown kinds, wrong lengths, too long packets, wrong CRCs; the next request is served."""
    host = Host(dut, (0.1, 0.1))
    await host.start()
    most = max(1 + host.board.frame_bytes, 6)
    for _ in range(2):
        sequence = host.next()
        for kind in (0, 1, 2, 3, 4, 0x81, 0xFF):
            for size in (0, 3, most - 1, most, most + 1, most + 40):
                if (kind, size) not in ((2, 4), (3, 6), (1, 1 + host.board.frame_bytes)):
                    await host.talk(encode(Packet(kind=kind, sequence=sequence, payload=bytes(size))))
        body = bytearray(encode(pack(Read(address=0, count=2), sequence)))
        body[7] ^= 4
        await host.talk(bytes(body))
        await host.talk(encode(pack(host.request(), host.next())))


@cocotb.test()
@cocotb.parametrize(gap=(0.0, 0.6))
async def damaged(dut: Any, gap: float) -> None:
    """Lost bytes, wrong bits, flags within, noise: no damaged packet does anything, the next whole one is served."""
    host = Host(dut, (0.0, 0.1), gap)
    await host.start()
    for _ in range(50):
        line = damage(encode(pack(host.request(), host.next())), host.rng) + b"\x7e"
        if len(Decoder(host.board.most).feed(b"\x7e" + line)) > 1:
            continue  # what follows at once on something that is answered is dropped
        await host.talk(line)
        await host.talk(encode(pack(host.request(), host.next())))


@cocotb.test()
async def a_hasty_host(dut: Any) -> None:
    """A packet that begins while another is served is dropped as a whole; nothing is mixed."""
    host = Host(dut, (0.95, 0.5))
    await host.start()
    for _ in range(15):
        frames = [Frame(beats=host.rng.randbytes(host.board.frame_bytes)) for _ in range(2)]
        packet, early = encode(pack(frames[0], host.next())), host.sequence ^ 128
        host.board.answers(packet)
        cut_off = encode(pack(Write(address=0, data=1), early))[:-1]
        host.line.waiting.extend(packet + encode(pack(frames[1], early)) + cut_off)
        await host.bench.until(lambda: not host.line.waiting)
        await host.bench.until(lambda: host.packets() > 0)
        answer = host.heard.popleft()
        assert isinstance(answer, Packet)
        assert answer.sequence == host.sequence
        host.check(parse(answer), frames[0])
        await host.bench.cycles(60)
        assert host.packets() == 0
        await host.talk(b"\x7e")
        await host.talk(encode(pack(Read(address=8), host.next())))


@cocotb.test()
async def reset(dut: Any) -> None:
    """A reset in the middle of anything: the rest of the packet is dropped, the next one is served."""
    host = Host(dut, (0.3, 0.3), 0.1)
    await host.start()
    for _ in range(15):
        packet = encode(pack(host.request(), host.next()))
        host.line.waiting.extend(packet)
        await host.bench.cycles(host.rng.randrange(1, 80))
        rest = list(host.line.waiting)
        await host.bench.reset()
        host.core.results.clear()
        host.board = Board(host.core, host.registers)
        host.decoder = Decoder()
        host.line.waiting.extend(rest[1:-1])  # nothing may have been taken yet: then the first is the opening flag
        await host.bench.until(lambda: not host.line.waiting)
        await host.bench.cycles(60)
        assert host.packets() == 0
        for _ in range(2):
            await host.talk(encode(pack(host.request(), host.next())))
