# SPDX-License-Identifier: Apache-2.0
"""delta_join: all events of all inputs, one end a frame, floors that are true, and no input that waits for another."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, generator, this_case

ROW_BITS, REST_BITS = 4, 9
CASES = {
    f"{inputs} inputs": Case(parameters={"Inputs": inputs, "RowBits": ROW_BITS, "RestBits": REST_BITS})
    for inputs in (2, 3)
}
Token = tuple[bool, bool, bool, int, int]


def pack(token: Token) -> int:
    first_of_stream, has_event, end, row, rest = token
    return ((first_of_stream << 2 | has_event << 1 | end) << ROW_BITS | row) << REST_BITS | rest


def unpack(bits: int) -> Token:
    rest, row, flags = (
        bits & (1 << REST_BITS) - 1,
        bits >> REST_BITS & (1 << ROW_BITS) - 1,
        bits >> REST_BITS + ROW_BITS,
    )
    return bool(flags & 4), bool(flags & 2), bool(flags & 1), row, rest


class Input(Source):
    """One of several inputs: its bits of the shared handshake vectors."""

    inputs: list[Input]

    def __init__(self, dut: Any, at: int, pause: float, rng: Any) -> None:
        super().__init__(dut.valid_i, dut.ready_o, [], pause=pause, rng=rng)
        self.dut, self.at = dut, at

    def drive(self) -> None:
        self.offering = bool(self.waiting) and (self.offering or self.rng.random() >= self.pause)
        width = 3 + ROW_BITS + REST_BITS
        self.token = self.waiting[0] if self.offering else self.rng.getrandbits(width)
        if self is self.inputs[-1]:
            self.dut.valid_i.value = sum(source.offering << source.at for source in self.inputs)
            self.dut.token_i.value = sum(source.token << source.at * width for source in self.inputs)

    def sample(self, now: int) -> bool:
        if not (self.offering and int(self.ready.value) >> self.at & 1):
            return False
        self.waiting.popleft()
        self.taken_at.append(now)
        self.offering = False
        return True


class Joined:
    """Frames of random events in; checks what comes out."""

    def __init__(self, dut: Any, stalls: tuple[float, float]) -> None:
        self.rng = generator()
        count = int(str(this_case(CASES).parameters["Inputs"]))
        self.inputs = [Input(dut, at, stalls[0], self.rng) for at in range(count)]
        for source in self.inputs:
            source.inputs = self.inputs
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.token_o, dut.floor_o], pause=stalls[1], rng=self.rng)
        self.bench = Bench(dut, [*self.inputs, self.sink])
        self.frames: list[tuple[bool, list[list[Token]]]] = []

    def frame(self, most: int, *, first_of_stream: bool = False) -> None:
        """Queue a frame of up to ``most`` events an input; all begin a stream or none does."""
        events = []
        for source in self.inputs:
            rows = sorted(self.rng.randrange(1 << ROW_BITS) for _ in range(self.rng.randint(0, most)))
            tokens: list[Token] = [(False, True, False, row, self.rng.getrandbits(REST_BITS)) for row in rows]
            events.append(list(tokens))
            if tokens and self.rng.random() < 0.7:
                tokens[-1] = (False, True, True, *tokens[-1][3:])
            else:
                tokens.append((False, False, True, 0, 0))
            if first_of_stream and self.rng.random() < 0.2:
                tokens.insert(0, (True, False, False, 0, 0))
            else:
                tokens[0] = (first_of_stream, *tokens[0][1:])
            source.waiting.extend(pack(token) for token in tokens)
        self.frames.append((first_of_stream, events))

    async def drain(self) -> None:
        """Wait until all went in, then look at what came out."""
        await self.bench.until(lambda: not any(source.waiting for source in self.inputs), timeout=1000)
        await self.bench.until(lambda: self.ends() >= len(self.frames), timeout=1000)
        await self.bench.cycles(20)
        self.check()

    def ends(self) -> int:
        return sum(unpack(token)[2] for token, _ in self.sink.tokens)

    def check(self) -> None:
        """Every frame: the events in each input's order, one end, one begin of a stream, no row below a floor."""
        received = [(unpack(token), floor) for token, floor in self.sink.tokens]
        for first_of_stream, events in self.frames:
            size = next(i for i, (token, _) in enumerate(received) if token[2]) + 1
            frame, received = received[:size], received[size:]
            assert [token[0] for token, _ in frame] == [first_of_stream] + [False] * (size - 1), (
                "first_of_stream on the first"
            )
            got = [(token, floor) for token, floor in frame if token[1]]
            assert size - len(got) <= 1, "no token without event but the end"
            rest = [list(part) for part in events]
            for token, floor in got:
                assert floor <= min(part[0][3] for part in rest if part), "an event came below the floor"
                match = next(part for part in rest if part and part[0][3:] == token[3:])
                match.pop(0)
            assert not any(rest), "events were lost"
        assert not received


@cocotb.test()
@cocotb.parametrize(stalls=STALLS, most=(0, 1, 12))
async def frames(dut: Any, stalls: tuple[float, float], most: int) -> None:
    joined = Joined(dut, stalls)
    await joined.bench.start()
    for t in range(40):
        joined.frame(most, first_of_stream=t == 0 or joined.rng.random() < 0.2)
    await joined.drain()


@cocotb.test()
async def none_waits_for_another(dut: Any) -> None:
    """All of one input's frame is taken while the others are silent; its next frame waits."""
    for at in range(len(Joined(dut, (0.0, 0.0)).inputs)):
        joined = Joined(dut, (0.0, 0.0))
        await joined.bench.start()
        joined.frame(20, first_of_stream=True)
        joined.frame(5)
        held = {source: list(source.waiting) for source in joined.inputs if source.at != at}
        for source in held:
            source.waiting.clear()
        first = joined.inputs[at]
        ahead = len(joined.frames[1][1][at]) or 1
        await joined.bench.cycles(60)
        assert len(first.waiting) in (ahead, ahead + 1), "its frame went in, and no more"
        assert joined.ends() == 0
        for source, tokens in held.items():
            source.waiting.extend(tokens)
        await joined.drain()


@cocotb.test()
async def full_rate_and_lowest_row_first(dut: Any) -> None:
    joined = Joined(dut, (0.0, 0.0))
    await joined.bench.start()
    for _ in range(6):
        joined.frame(12)
    total = sum(len(source.waiting) for source in joined.inputs)
    rows = [sorted(token[3] for part in events for token in part) for _, events in joined.frames]
    await joined.drain()
    taken = sorted(now for source in joined.inputs for now in source.taken_at)
    assert taken == list(range(total)), "one token per cycle"
    received = [unpack(token) for token, _ in joined.sink.tokens]
    assert [token[3] for token in received if token[1]] == [row for frame in rows for row in frame]
    floors = [floor for token, floor in joined.sink.tokens if unpack(token)[1]]
    assert floors == [row for frame in rows for row in frame], "an input that has ended holds no row back"


@cocotb.test()
async def reset_forgets(dut: Any) -> None:
    joined = Joined(dut, (0.2, 0.4))
    await joined.bench.start()
    for _ in range(8):
        joined.frame(9, first_of_stream=True)
        await joined.bench.cycles(joined.rng.randrange(1, 25))
        await joined.bench.reset()
        joined.frames.clear()
    joined.frame(9, first_of_stream=True)
    joined.frame(9)
    await joined.drain()
