# SPDX-License-Identifier: Apache-2.0
"""core_link: a host's packets, whole and damaged, against a core, its loader and registers that the bench plays."""

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
    Load,
    Loaded,
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
    "2 codes": Case(parameters={"Codes": 2, "FrameWords": 4, "PacketWords": 4}),
    "4 codes": Case(parameters={"Codes": 4, "FrameWords": 8, "PacketWords": 8}),
}
CONTROL = 0x00C
PAUSES = ((0.0, 0.0), (0.5, 0.8), (0.8, 0.3))
"""Of the line towards the host, and of the core and its registers."""


class Registers:
    """Words that keep what is written; responses come late, at random."""

    def __init__(self, dut: Any, pause: float, rng: random.Random) -> None:
        self.dut, self.pause, self.rng = dut, pause, rng
        self.words: dict[int, int] = {}
        self.clear()

    def clear(self) -> None:
        self.asked: str = ""
        self.written: list[tuple[int, int]] = []  # addresses and data, in order

    def drive(self) -> None:
        dut, answers = self.dut, bool(self.asked) and self.rng.random() >= self.pause
        dut.read_valid_i.value = int(answers and self.asked == "read")
        dut.written_i.value = int(answers and self.asked == "write")
        word = self.words.get(int(dut.address_o.value) << 2, 0) if self.asked == "read" else 0
        dut.read_data_i.value = word if answers else self.rng.getrandbits(32)
        self.answers = answers

    def sample(self, _: int) -> bool:
        dut = self.dut
        assert not (self.asked == "write" and dut.valid_o.value), "an answer before the write was done"
        if self.answers:
            self.asked = ""
        if dut.write_o.value:
            address, data = int(dut.address_o.value) << 2, int(dut.write_data_o.value)
            self.words[address] = data
            self.written.append((address, data))
            self.asked = "write"
        if dut.read_o.value:
            self.asked = "read"
        return self.answers


class Loader:
    """Takes words; has a network after a last one."""

    def __init__(self, dut: Any, pause: float, rng: random.Random) -> None:
        self.dut, self.rng = dut, rng
        data = [dut.load_data_o, dut.load_last_o]
        self.sink = Sink(dut.load_valid_o, dut.load_ready_i, data, pause=pause, rng=rng)
        self.clear()

    def clear(self) -> None:
        self.sink.clear()
        self.words: list[int] = []
        self.loaded, self.error = 0, 0

    def drive(self) -> None:
        dut = self.dut
        dut.loaded_i.value, dut.load_error_i.value = self.loaded, self.error
        dut.load_crc_i.value = self.crc(self.words)
        self.sink.drive()

    def sample(self, now: int) -> bool:
        if self.dut.load_forget_o.value:
            assert not self.dut.load_valid_o.value
            self.words, self.loaded, self.error = [], 0, 0
        took = self.sink.sample(now)
        for word, last in self.sink.tokens:
            self.words.append(word)
            if last:
                self.error = len(self.words) % 4
                self.loaded = int(self.error == 0)
        self.sink.tokens.clear()
        return took

    @staticmethod
    def crc(words: list[int]) -> int:
        return zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words))


class Core:
    """Answers each frame with a packet that depends on its codes and on how many frames came before."""

    def __init__(self, dut: Any, pause: float, rng: random.Random) -> None:
        parameters = this_case(CASES).parameters
        self.dut, self.rng, self.pause = dut, rng, pause
        self.codes, self.words = int(str(parameters["Codes"])), int(str(parameters["FrameWords"]))
        self.most = int(str(parameters["PacketWords"])) // self.codes
        axis = [dut.m_axis_tdata, dut.m_axis_tlast, dut.m_axis_tuser]
        self.sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, axis, pause=pause, rng=rng)
        axis = [dut.s_axis_tdata, dut.s_axis_tlast]
        self.source = Source(dut.s_axis_tvalid, dut.s_axis_tready, axis, pause=pause, rng=rng)
        self.results: list[Result] = []
        self.beats, self.started, self.ended, self.status = 1, 0, 0, 0
        self.held = self.gone = False  # no frame is ever done; no beat is taken
        self.clear()

    def clear(self) -> None:
        self.sink.clear()
        self.source.clear()
        self.busy = self.finishing = False

    def drive(self) -> None:
        dut = self.dut
        dut.beats_i.value = self.beats
        done = self.finishing and not self.held and self.rng.random() >= self.pause
        dut.frame_i.value = int(done)
        dut.status_i.value = self.status if done else self.rng.getrandbits(8)
        self.finishing &= not done
        self.sink.pause = 1.0 if self.gone else self.pause
        self.sink.drive()
        self.source.drive()

    def sample(self, now: int) -> bool:
        took, offered = not self.gone and self.sink.sample(now), self.source.offering and len(self.source.waiting) == 1
        if offered and not self.ended:
            self.ended = now
        gave = self.source.sample(now)
        if len(self.sink.tokens) == self.beats:
            self._run()
        if gave and not self.source.waiting:
            self.finishing, self.busy = True, False
            self.results[-1] = Result(
                cycles=self.ended - self.started,
                status=Status(self.status & ~FIRST_OF_STREAM),
                first_of_stream=bool(self.status & FIRST_OF_STREAM),
                beats=self.results[-1].beats,
            )
        return took or gave

    def _run(self) -> None:
        assert [token[1] for token in self.sink.tokens] == [0] * (self.beats - 1) + [1]
        assert not any(token[2] for token in self.sink.tokens[1:]), "a new stream begins with a frame"
        data = b"".join(token[0].to_bytes(2 * self.codes, "little") for token in self.sink.tokens)
        first = bool(self.sink.tokens[0][2])
        self.started, self.ended = self.sink.seen_at[0], 0
        answer = self.answer(data, len(self.results), first=first)
        size = 4 * self.codes
        beats = len(answer) // size
        for at in range(beats):
            beat = int.from_bytes(answer[at * size : (at + 1) * size], "little")
            self.source.waiting.append(beat | int(at == beats - 1) << 8 * size)
        self.status = self.rng.getrandbits(4)
        self.results.append(Result(cycles=0, status=Status(0), beats=answer))
        self.busy = True
        self.sink.clear()

    def answer(self, data: bytes, index: int, *, first: bool) -> bytes:
        """Return what the core makes of its frame number ``index``."""
        drawn = random.Random(zlib.crc32(data + bytes([first]) + index.to_bytes(4, "little")))
        return drawn.randbytes(4 * self.codes * drawn.randint(1, self.most))


class Board:
    """What the link must answer: the model of the protocol, around the core, loader and registers of the bench."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.most = max(1 + 4 * core.words, 6)
        self.decoder = Decoder(self.most)
        self.last: tuple[int, Frame] | None = None  # sequence number of the last frame
        self.frames: list[Frame] = []  # run, in order
        self.writes: list[Write] = []
        self.image: list[int] = []
        self.open = self.loaded = False

    def answers(self, line: bytes) -> list[tuple[int, Reply | Frame | Read]]:
        """Return what is answered to bytes of the line, in order: sequence numbers with the replies as far as known."""
        return [self._answer(item) for item in self.decoder.feed(line)]

    def _answer(self, item: Packet | Damaged) -> tuple[int, Reply | Frame | Read]:
        if isinstance(item, Damaged):
            return 0, Refused(reason=item.reason)
        reason = self._refusal(item)
        if reason is not None:
            return item.sequence, Refused(reason=reason)
        request = parse(item)
        if isinstance(request, Frame):
            if self.last is None or self.last[0] != item.sequence:
                self.frames.append(request)
                self.last = item.sequence, request
            return item.sequence, request
        if isinstance(request, Read):
            return item.sequence, request
        if isinstance(request, Load):
            return item.sequence, self._load(request)
        assert isinstance(request, Write)
        self.writes.append(request)
        if request.address == CONTROL and request.data & 1:
            self.last = None
        return item.sequence, Done()

    def _refusal(self, item: Packet) -> Reason | None:
        size = len(item.payload)
        if item.kind == Frame.kind:
            if not self.loaded:
                return Reason.NO_NETWORK
            bits = self.core.beats * self.core.codes * (8 if size and item.payload[0] & 2 else 16)
            return None if size == 1 + 4 * -(-bits // 32) else Reason.LENGTH
        if item.kind == Load.kind:
            return None if size >= 9 and size % 4 == 1 else Reason.LENGTH
        sizes: dict[int, int] = {Read.kind: 4, Write.kind: 6}
        if item.kind not in sizes:
            return Reason.KIND
        return None if size == sizes[item.kind] else Reason.LENGTH

    def _load(self, request: Load) -> Loaded:
        begins = request.offset == 0
        if begins:
            self.image, self.open, self.loaded, self.last = [], True, False, None
        if self.open and request.offset == len(self.image):
            data = request.words
            self.image += [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
            if request.last:
                self.open, self.loaded = False, len(self.image) % 4 == 0
        closed = bool(self.image) and not self.open
        error = len(self.image) % 4 if closed else 0
        return Loaded(taken=len(self.image), crc=Loader.crc(self.image), loaded=self.loaded, error=error)


class Host:
    """The bench: sends bytes, waits for the answers, compares."""

    def __init__(self, dut: Any, pauses: tuple[float, float], gap: float = 0.0) -> None:
        self.dut, self.rng = dut, generator()
        self.registers = Registers(dut, pauses[1], self.rng)
        self.core = Core(dut, pauses[1], self.rng)
        self.loader = Loader(dut, pauses[1], self.rng)
        self.board = Board(self.core)
        self.line = Source(dut.valid_i, Always(), [dut.data_i], pause=gap, rng=self.rng)
        self.back = Sink(dut.valid_o, dut.ready_i, [dut.data_o, dut.last_o], pause=pauses[0], rng=self.rng)
        self.bench = Bench(dut, [self.line, self.back, self.core, self.loader, self.registers])
        self.heard: deque[Packet] = deque()
        self.said = bytearray()
        self.sequence = 0
        dut.resetting_i.value = 0

    async def start(self) -> None:
        await self.bench.start()
        self.board.answers(b"\x7e")
        self.line.waiting.append(0x7E)

    async def network(self, words: int = 4) -> None:
        """Load an image; of a multiple of 4 words it is a right one."""
        rng, data, offset = self.rng, self.rng.randbytes(4 * words), 0
        self.core.beats = rng.randint(1, 2 * self.core.words // self.core.codes)
        while offset < words:
            size = rng.randint(1, min(words - offset, self.core.words - 1))
            part = Load(offset=offset, words=data[4 * offset : 4 * (offset + size)], last=offset + size == words)
            for _ in range(rng.choice((1, 1, 2))):
                await self.talk(encode(pack(part, self.next())))
            offset += size

    def frame(self) -> Frame:
        rng, wide = self.rng, 2 * self.core.beats <= 2 * self.core.words // self.core.codes
        compact = not wide or rng.random() < 0.5
        size = self.core.beats * self.core.codes * (1 if compact else 2)
        data = rng.choice((rng.randbytes(size), bytes(rng.choice((0x7E, 0x7D)) for _ in range(size))))
        return Frame(beats=data + bytes(-size % 4), first_of_stream=rng.random() < 0.3, compact=compact)

    def request(self) -> Request:
        rng = self.rng
        return rng.choice(
            (
                self.frame(),
                self.frame(),
                Read(address=4 * rng.randrange(16), count=rng.randrange(4)),
                Write(address=4 * rng.randrange(16), data=rng.getrandbits(32)),
                Load(offset=rng.choice((len(self.board.image), 1, 99)), words=rng.randbytes(4)),
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
            assert packet.sequence == sequence
            self.check(parse(packet), want)
        assert len(self.core.results) == len(self.board.frames), "every frame runs once"
        assert self.loader.words == self.board.image
        assert self.registers.written == [(write.address, write.data) for write in self.board.writes]

    def check(self, got: object, want: object) -> None:
        if isinstance(want, Frame):
            result, each = self.core.results[-1], 1 if want.compact else 2
            codes = [want.beats[at : at + each] for at in range(0, len(want.beats), each)]
            data = b"".join(code + bytes(2 - each) for code in codes[: self.core.beats * self.core.codes])
            made = self.core.answer(data, len(self.core.results) - 1, first=want.first_of_stream)
            assert result.beats == made, "the core saw another frame"
            assert got == result
        elif isinstance(want, Read):
            words = [self.registers.words.get((want.address + 4 * i) % 8192, 0) for i in range(want.count)]
            assert got == Data(words=tuple(words))
        else:
            assert got == want

    def packets(self) -> int:
        """Take what came; return how many packets wait."""
        for byte, last in self.back.tokens:
            self.said.append(byte)
            if last:
                kind, sequence, length = self.said[0], self.said[1], int.from_bytes(self.said[2:4], "little")
                payload = bytes(self.said[4:])
                assert len(payload) == length
                self.heard.append(Packet(kind=kind, sequence=sequence, payload=payload))
                self.said.clear()
        self.back.tokens.clear()
        return len(self.heard)

    def next(self) -> int:
        self.sequence = (self.sequence + 1) % 256
        return self.sequence


@cocotb.test()
@cocotb.parametrize(pauses=PAUSES, gap=(0.0, 0.6))
async def requests(dut: Any, pauses: tuple[float, float], gap: float) -> None:
    """Every request is answered and done once; a repeated frame is answered from memory, a repeated part not taken."""
    host = Host(dut, pauses, gap)
    await host.start()
    for _ in range(3):
        last = host.board.last
        await host.network(4 * host.rng.randint(1, 3))
        if last is not None:  # its number says nothing: it was of another network
            await host.talk(encode(pack(host.frame(), last[0])))
        for _ in range(8):
            request = host.request()
            packet = encode(pack(request, host.next()))
            for _ in range(host.rng.choice((1, 1, 2, 3))):
                await host.talk(packet)
                if host.rng.random() < 0.3:
                    await host.talk(encode(pack(Read(address=0x10), host.rng.getrandbits(8))))
                if isinstance(request, Write):
                    break


@cocotb.test()
async def no_network_no_frame(dut: Any) -> None:
    """Before a load, within one, after a wrong one; what was answered before is forgotten."""
    host = Host(dut, (0.0, 0.2))
    await host.start()
    for words in (4, 8, 7, 4, 5):
        frame = host.frame()
        await host.talk(encode(pack(frame, host.next())))
        await host.talk(encode(pack(Load(offset=0, words=host.rng.randbytes(4)), host.next())))
        await host.talk(encode(pack(frame, host.sequence - 1)))
        await host.talk(encode(pack(Load(offset=2, words=host.rng.randbytes(4)), host.next())))
        await host.network(words)
        await host.talk(encode(pack(host.frame(), host.next())))
        await host.talk(encode(pack(Load(offset=words, words=bytes(4), last=True), host.next())))
        await host.talk(encode(pack(host.frame(), host.next())))


@cocotb.test()
async def reset_of_the_core_forgets_the_last_frame(dut: Any) -> None:
    host = Host(dut, (0.0, 0.2))
    await host.start()
    await host.network()
    frame = host.frame()
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
async def nothing_begins_while_the_core_is_reset(dut: Any) -> None:
    host = Host(dut, (0.0, 0.0))
    await host.start()
    await host.network()
    for _ in range(6):
        request = host.request()
        dut.resetting_i.value = 1
        packet = encode(pack(request, host.next()))
        host.line.waiting.extend(packet)
        await host.bench.cycles(len(packet) + 100)
        assert host.packets() == 0
        dut.resetting_i.value = 0
        expected = host.board.answers(packet)
        await host.bench.until(lambda: host.packets() == 1, timeout=2000)
        host.check(parse(host.heard.popleft()), expected[0][1])


@cocotb.test()
async def refusals(dut: Any) -> None:
    """Unknown kinds, wrong lengths, too long packets, wrong CRCs; the next request is served."""
    host = Host(dut, (0.1, 0.1))
    await host.start()
    await host.network()
    most = host.board.most
    for _ in range(2):
        sequence = host.next()
        for kind in (0, 1, 2, 3, 4, 5, 0x81, 0xFF):
            for size in (0, 3, most - 1, most, most + 1, most + 40):
                packet = Packet(kind=kind, sequence=sequence, payload=bytes(size))
                if size > most or host.board._refusal(packet) is not None:
                    await host.talk(encode(packet))
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
    await host.network()
    for _ in range(40):
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
    await host.network()
    for _ in range(12):
        frames = [host.frame() for _ in range(2)]
        packet, early = encode(pack(frames[0], host.next())), host.sequence ^ 128
        host.board.answers(packet)
        cut_off = encode(pack(Write(address=0, data=1), early))[:-1]
        host.line.waiting.extend(packet + encode(pack(frames[1], early)) + cut_off)
        await host.bench.until(lambda: not host.line.waiting)
        await host.bench.until(lambda: host.packets() > 0)
        answer = host.heard.popleft()
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
    await host.network()
    for _ in range(12):
        packet = encode(pack(host.request(), host.next()))
        host.line.waiting.extend(packet)
        await host.bench.cycles(host.rng.randrange(1, 80))
        rest = list(host.line.waiting)
        await host.bench.reset()
        host.core.results.clear()
        host.board = Board(host.core)
        host.said.clear()
        host.heard.clear()
        host.line.waiting.extend(rest[1:-1])  # nothing may have been taken yet: then the first is the opening flag
        await host.bench.until(lambda: not host.line.waiting)
        await host.bench.cycles(60)
        assert host.packets() == 0
        await host.network()
        for _ in range(2):
            await host.talk(encode(pack(host.request(), host.next())))


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.6))
async def the_network_goes_within_a_frame(dut: Any, pause: float) -> None:
    """At any cycle of it: the frame is refused, nothing of it is left, and the next network is served."""
    host = Host(dut, (0.0, pause))
    await host.start()
    for at in range(30):
        await host.network()
        await host.talk(encode(pack(host.frame(), host.next())))
        ran = len(host.core.results)
        host.core.held = True
        packet = encode(pack(host.frame(), host.next()))
        host.line.waiting.extend(packet)
        await host.bench.until(lambda: not host.line.waiting)
        await host.bench.cycles(at)
        host.core.clear()
        host.core.gone = True
        host.loader.loaded, host.board.loaded = 0, False
        await host.bench.until(lambda: host.packets() == 1, timeout=500)
        assert parse(host.heard.popleft()) == Refused(reason=Reason.NO_NETWORK)
        host.board.answers(packet)
        host.board.last = None
        host.core.held = host.core.gone = False
        host.core.clear()
        del host.core.results[ran:]
        await host.talk(encode(pack(host.frame(), host.next())))
        await host.talk(encode(pack(Read(address=0x10), host.next())))
