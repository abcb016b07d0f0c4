# SPDX-License-Identifier: Apache-2.0
"""core_lanes: chains of additions on words in any order, with all other operations between them, cycle by cycle."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np
from bench import STALLS, Bench, Case, Source, generator
from core_bench import CONFIG
from core_tokens import FLAGS, LANES, OPERATION, Sums, check_width, extreme, lanes_of, noise, word_of

CASES = {"all": Case(parameters={})}
TO_READ, TO_FILL, TO_DONE = 4, 5, 6
"""Cycles from the issue of an operation to what it reads, what it is filled with, and done_o."""
UNWRITTEN = 3
"""Cycles after its issue in which an operation's word cannot be read by another one."""
LINES = 24
WORDS_INSIDE, LINES_INSIDE = CONFIG.sum_words + CONFIG.cached_words, CONFIG.weight_lines + CONFIG.cached_lines
LINE_MASK = (1 << (LINES_INSIDE - 1).bit_length()) - 1

Words = Sequence[int]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as `core_lanes` takes it; merged with the one before it, it is not the first of its chain."""

    fields: dict[str, int]
    first: bool
    last: bool

    def __getattr__(self, name: str) -> int:
        return self.fields["from" if name == "source" else name]

    @property
    def reads(self) -> bool:
        """Whether it reads the word ``from``."""
        return bool(self.first or self.read or self.save)


class Lanes:
    """Says in which cycles an operation is taken, issued, waits, and what it does then; looks at every cycle."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.clear()

    def clear(self) -> None:
        self.held: Operation | None = None
        self.issued: deque[Operation | None] = deque([None] * TO_DONE)  # the latest first
        self.gap = self.waited = self.done = self.begun = 0
        self.written = False  # the line of the operation that is held

    def drive(self) -> None:
        pass

    def _waits(self, held: Operation) -> bool:
        """Return whether the operation that is held has to wait."""
        dut = self.dut
        unwritten = [past.sum for past in list(self.issued)[:UNWRITTEN] if past is not None and past.last]
        saves = any(past.save for past in list(self.issued)[:TO_READ] if past is not None)
        fills = any(past.fill for past in list(self.issued)[:TO_FILL] if past is not None)
        return bool(
            (held.reads and held.source in unwritten)
            or (held.read and self.gap > 0)
            or (held.save and (saves or dut.save_ready_i.value == 0))
            or (held.fill and (fills or dut.fill_valid_i.value == 0))
            or (held.fill_line and not self.written and not self._fills(held))
        )

    def _fills(self, held: Operation) -> bool:
        """Return whether a line is written for the operation that is held."""
        before = self.issued[0]
        clashes = before is not None and (before.line ^ held.line) & LINE_MASK == 0
        return bool(held.fill_line and not self.written and not clashes and self.dut.line_valid_i.value == 1)

    def sample(self, _: int) -> bool:
        dut, held = self.dut, self.held
        if dut.rst_ni.value == 0:
            return False
        given = self._given()
        waits = held is not None and self._waits(held)
        issued = None if waits else held
        read, fill, last = (self.issued[stage - 1] for stage in (TO_READ, TO_FILL, TO_DONE))
        want = {
            "op_ready_o": not waits,
            "issued_o": issued is not None and bool(issued.add),
            "stalled_o": waits,
            "read_o": read is not None and bool(read.read),
            "save_o": read is not None and bool(read.save),
            "fill_ready_o": fill is not None and bool(fill.fill),
            "line_ready_o": held is not None and self._fills(held),
            "done_o": last is not None and bool(last.end_of_pass),
        }
        got = {name: bool(getattr(dut, name).value) for name in want}
        assert got == want, f"got {got}, expected {want}"
        assert held is None or dut.engine_o.value == held.engine
        self.written = waits and (self.written or want["line_ready_o"])
        self.gap = int(dut.gap_i.value) if issued is not None and issued.read else max(0, self.gap - 1)
        merge = held is not None and given is not None and held.add and given.add and held.sum == given.sum
        self.issued.pop()
        self.issued.appendleft(replace(issued, last=issued.last and not merge) if issued is not None else None)
        if not waits:
            self.held = replace(given, first=given.first and not merge) if given else None
        self.waited += waits
        self.done += want["done_o"]
        self.begun += want["issued_o"]
        return issued is not None or want["done_o"]

    def _given(self) -> Operation | None:
        """Return what is offered."""
        if self.dut.op_valid_i.value == 0:
            return None
        fields = OPERATION.unpack(CONFIG, self.dut.op_i.value.to_unsigned())
        return Operation(fields, bool(fields["first"]), bool(fields["last"]))


class Operations(Source):
    """The operations; while there is none, the pins often hold the last one, as a register may."""

    def drive(self) -> None:
        super().drive()
        if self.offering:
            self.last = self.waiting[0]
        elif self.rng.random() < 0.5:
            self.fields[0].value = self.last & ((1 << len(self.fields[0])) - 1)

    def clear(self) -> None:
        super().clear()
        self.last = 0


class Read:
    """What is read: for core_fetch or the memory outside, against what it has to be; and the room for it."""

    def __init__(self, dut: Any, valid: Any, room: Any = None, *, pause: float = 0.0, rng: random.Random) -> None:
        self.dut, self.valid, self.room, self.pause, self.rng = dut, valid, room, pause, rng
        self.clear()

    def clear(self) -> None:
        self.expected: deque[Words] = deque()
        self.seen_at: list[int] = []
        self.ready = False

    def drive(self) -> None:
        self.ready = self.ready or self.rng.random() >= self.pause
        if self.room is not None:
            self.room.value = int(self.ready)

    def sample(self, now: int) -> bool:
        if self.dut.rst_ni.value == 0 or self.valid.value == 0:
            return False
        got = lanes_of(self.dut.sum_data_o.value.to_unsigned(), CONFIG.sum_bits)
        assert self.expected, "nothing was to be read"
        want = list(self.expected.popleft())
        assert got == want, f"word {len(self.seen_at)}: got {got}, expected {want}"
        self.seen_at.append(now)
        self.ready = False
        return True


@dataclass(slots=True)
class Play:
    """A bench with its agents; words of two engines in random places, and lines of weights."""

    bench: Bench
    lanes: Lanes
    ops: Source
    fills: Source
    fill_lines: Source
    reads: Read
    saves: Read
    model: Sums
    rng: random.Random
    engines: list[list[int]]
    lines: list[int]
    before: int = 0
    """The word of the chain before; it means nothing to additions that are not the first of a chain."""
    ends: int = 0

    def put(self, fields: dict[str, int], deltas: Words | None = None) -> None:
        """Queue an operation; what means nothing to it is noise."""
        token = noise(OPERATION, self.rng, **dict.fromkeys(FLAGS, 0) | fields)
        given = self.rng.getrandbits(LANES * CONFIG.delta_bits)
        if deltas is not None:
            given = word_of(deltas, CONFIG.delta_bits)
        self.ops.waiting.append(token | given << OPERATION.bits(CONFIG))

    def chain(self, word: int, lines: int, *, filled: float = 0.0, reads: Words = (), saved: float = 0.3) -> None:
        """Queue a chain of additions to a word; lines may be filled for them, and words saved and filled between them.

        ``reads``: words, one of which may be read with an addition that is not the first; ``saved``: how often it is
        saved, too.
        """
        for at in range(lines):
            others = [other for other in reads if other != word]
            if at and others and self.rng.random() < filled:
                self.read(others[0], read=False, save=True)
                self.fill(others[0])
            line = self.rng.choice(self.lines)
            deltas = [extreme(self.rng, CONFIG.delta_bits) for _ in range(LANES)]
            fields = {"add": 1, "first": int(at == 0), "last": int(at == lines - 1), "sum": word, "line": line}
            if self.rng.random() < filled:
                fields["fill_line"] = 1
                self.fill_line(line)
            if at and others and self.rng.random() < 0.5:
                source = self.rng.choice(others)
                save = self.rng.random() < saved
                self.wanted(source, read=True, save=save)
                self.put(fields | {"read": 1, "save": int(save), "from": source}, deltas)
            else:
                self.put(fields | {"from": self.before if at else word}, deltas)
            self.model.add(word, line, deltas)
        self.before = word

    def end(self, word: int = 0) -> None:
        """Queue the end of a pass; ``word`` means nothing."""
        self.put({"end_of_pass": 1, "sum": word})
        self.ends += 1

    def copy(self, read: int, write: int) -> None:
        """Queue a copy of a word's sums."""
        self.put({"copy": 1, "first": 1, "last": 1, "sum": write, "from": read})
        self.model.sums[write] = self.model.sums[read]

    def read(self, word: int, *, read: bool = True, save: bool = False) -> None:
        """Queue a word for core_fetch, or for the memory outside, or both."""
        self.put({"read": int(read), "save": int(save), "from": word})
        self.wanted(word, read=read, save=save)

    def wanted(self, word: int, *, read: bool, save: bool) -> None:
        """Note what a word has to be where it goes."""
        for wanted, agent in ((read, self.reads), (save, self.saves)):
            if wanted:
                agent.expected.append(self.model.sums[word])

    def fill(self, word: int) -> None:
        """Queue a word that comes from outside."""
        self.put({"fill": 1, "last": 1, "sum": word})
        self.model.sums[word] = [extreme(self.rng, CONFIG.sum_bits) for _ in range(LANES)]
        self.fills.waiting.append(word_of(self.model.sums[word], CONFIG.sum_bits))

    def fill_line(self, line: int) -> None:
        """Let a line come from outside, with the operation that is queued next."""
        self.model.weights[line] = [extreme(self.rng, CONFIG.weight_bits) for _ in range(LANES)]
        self.fill_lines.waiting.append(word_of(self.model.weights[line], CONFIG.weight_bits))

    async def until_done(self, read: Iterable[int] = ()) -> None:
        """Read words at the end of the pass; go on until it is done, and all that came is right."""
        for word in read:
            self.read(word)
        self.end(self.engines[0][0])
        await self.bench.until(lambda: self.lanes.done == self.ends, timeout=100)
        left = (self.ops.waiting, self.fills.waiting, self.fill_lines.waiting)
        assert not any(left)
        assert not self.reads.expected
        assert not self.saves.expected


async def load(dut: Any, bench: Bench, writes: Iterable[tuple[Any, int, Words]]) -> None:
    """Write lines and words (pin of the lanes, address, values) as an image's words, and noise into no lane."""
    rng = generator()
    for pin, address, values in writes:
        each, slot = (1, CONFIG.sum_slot) if pin is dut.load_sum_i else (32 // CONFIG.weight_slot, CONFIG.weight_slot)
        for lane in range(0, LANES, each):
            pin.value = (1 << each) - 1 << lane & (1 << LANES) - 1
            dut.load_address_i.value = address
            dut.load_word_i.value = word_of(values[lane : lane + each], slot) & (1 << len(dut.load_word_i)) - 1
            await bench.cycle()
            pin.value = 0
            dut.load_address_i.value = rng.randrange(CONFIG.sum_words)
            dut.load_word_i.value = rng.getrandbits(len(dut.load_word_i))
            await bench.cycle()


def memory(play: Play, lines: Iterable[int], words: Iterable[int]) -> Iterator[tuple[Any, int, Words]]:
    """Return writes of random weights and sums, and note them in the model."""
    dut, rng = play.bench.dut, play.rng
    for line in lines:
        play.model.weights[line] = [extreme(rng, CONFIG.weight_bits) for _ in range(LANES)]
        yield dut.load_weight_i, line, play.model.weights[line]
    for word in words:
        play.model.sums[word] = [extreme(rng, CONFIG.sum_bits) for _ in range(LANES)]
        yield dut.load_sum_i, word, play.model.sums[word]


async def make(dut: Any, pause: float = 0.0, slow: float = 0.0) -> Play:
    """Return a bench that is loaded; pauses of the operations, and of what is outside."""
    check_width(dut.op_i, OPERATION)
    rng, model = generator(), Sums()
    ops = Operations(dut.op_valid_i, dut.op_ready_o, [dut.op_i, dut.deltas_i], pause=pause, rng=rng)
    fills = Source(dut.fill_valid_i, dut.fill_ready_o, [dut.fill_data_i], pause=slow, rng=rng)
    fill_lines = Source(dut.line_valid_i, dut.line_ready_o, [dut.line_data_i], pause=slow, rng=rng)
    reads = Read(dut, dut.read_o, rng=rng)
    saves = Read(dut, dut.save_o, dut.save_ready_i, pause=slow, rng=rng)
    lanes = Lanes(dut)
    words = [*rng.sample(range(1, WORDS_INSIDE - 1), 38), 0, WORDS_INSIDE - 1]
    lines = [0, LINES_INSIDE - 1, *rng.sample(range(1, LINES_INSIDE - 1), LINES)]
    bench = Bench(dut, [ops, fills, fill_lines, saves, reads, lanes])
    engines = [words[0::2], words[1::2]]
    play = Play(bench, lanes, ops, fills, fill_lines, reads, saves, model, rng, engines, lines)
    for pin in (dut.load_weight_i, dut.load_sum_i, dut.gap_i):
        pin.value = 0
    await bench.start()
    await load(dut, bench, memory(play, lines, words))
    return play


def pattern(rng: random.Random, words: Words) -> list[int]:
    """Return words one after the other: in a row, in turn with a distance of 1 to 6, at random, all the same."""
    few = rng.sample(list(words), rng.randint(1, min(6, len(words))))
    turns = rng.randint(1, 4)
    return rng.choice(([word for word in few for _ in range(turns)], few * turns, rng.choices(few, k=8), few[:1] * 5))


def mixed(play: Play, words: Words) -> None:
    """Queue operations of all kinds on words."""
    rng = play.rng
    for word in words:
        kind = rng.random()
        if kind < 0.5:
            lines, filled = rng.choice((1, 1, 1, 2, 3, 7)), rng.choice((0.0, 0.0, 0.3))
            play.chain(word, lines, filled=filled, reads=rng.choice(((), words, play.engines[0][-4:])))
        elif kind < 0.65:
            play.read(word, save=rng.random() < 0.3)
        elif kind < 0.75:
            play.copy(rng.choice(words), word)
        elif kind < 0.85:
            play.end(word)
        elif kind < 0.9:
            play.fill(word)
        else:  # as one word goes and another one comes
            play.read(word, read=False, save=True)
            play.fill(word)
            play.chain(word, 1)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def operations(dut: Any, stalls: tuple[float, float]) -> None:
    """Operations of all kinds on words of one engine; then its words are read."""
    play = await make(dut, *stalls)
    for at in range(14):
        dut.gap_i.value = play.rng.choice((0, 0, 1, 3, 7, play.rng.randrange(16)))
        words = play.engines[at % 2]
        for _ in range(at and 12):  # the first pass is empty
            mixed(play, pattern(play.rng, words))
        await play.until_done(words)
    assert play.lanes.waited > 20, "operations have to wait for words"


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """Operations on other words, or on the word before, are taken one a cycle."""
    play = await make(dut)
    taken, words = len(play.ops.taken_at), play.engines[0][:10]
    for word in words * 3:
        play.chain(word, 3, reads=words, saved=0.0)  # a save waits for the one before
        play.chain(word, 1)
        play.read(play.engines[1][0])
        play.copy(play.engines[1][1], play.engines[1][2])
    await play.until_done(play.engines[0])
    assert np.diff(play.ops.taken_at[taken:]).tolist() == [1] * (6 * 30 + len(play.engines[0]))
    assert play.lanes.waited == 0


@cocotb.test()
async def lines_at_full_rate(dut: Any) -> None:
    """Lines that are there cost no cycle, but where the operation before has one in the same place."""
    play = await make(dut)
    words, lines = play.engines[0][:10], play.lines[:8]
    for at, word in enumerate(words):
        play.lines = lines[at % 2 :: 2]
        play.chain(word, 1, filled=1.0)
    taken = len(play.ops.taken_at)
    play.end()
    await play.until_done()
    assert np.diff(play.ops.taken_at[taken:]).tolist() == [1] * (len(words) + 1)
    assert play.lanes.waited == 0
    play.lines = lines[:1]
    for word in words:
        play.chain(word, 1, filled=1.0)
    await play.until_done(play.engines[0])
    assert play.lanes.waited == len(words) - 1


@cocotb.test()
@cocotb.parametrize(distance=(1, 2, 3, 4, 5, 6))
async def distance_of_a_word(dut: Any, distance: int) -> None:
    """A word that comes again after other words waits until its sums are written; one after itself does not."""
    play = await make(dut)
    for word in play.engines[0][:distance] * 5:
        play.chain(word, 1)
    waits = 0 if distance == 1 else 4 * max(0, UNWRITTEN + 1 - distance)
    play.end()
    await play.until_done()
    assert play.lanes.waited == waits


@cocotb.test()
async def a_word_again(dut: Any) -> None:
    """An addition to the word of the one before, which has been issued: it reads what is written."""
    play = await make(dut)
    for idle in range(1, UNWRITTEN + 3):
        waited = play.lanes.waited
        for _ in range(2):
            play.chain(play.engines[0][0], 1)
            await play.bench.until(lambda: not play.ops.waiting)
            await play.bench.cycles(idle)
        await play.until_done(play.engines[0][:1])
        assert play.lanes.waited - waited <= 2 * UNWRITTEN


@cocotb.test()
async def a_load_after_a_line(dut: Any) -> None:
    """Lines and words are loaded where they belong, and count from then on, though a line was filled in last."""
    play = await make(dut)
    for line in play.lines[:4]:
        play.lines, lines = [line], play.lines
        play.chain(play.engines[0][0], 1, filled=1.0)
        await play.bench.until(lambda: not play.ops.waiting)
        await play.bench.cycles(TO_DONE)
        play.lines = lines
        await load(dut, play.bench, memory(play, lines, play.engines[0]))
    for word in play.engines[0]:
        play.chain(word, 5)
    await play.until_done(play.engines[0])


@cocotb.test()
@cocotb.parametrize(gap=(0, 1, 7, 15))
async def gaps(dut: Any, gap: int) -> None:
    """Words for core_fetch come apart; other operations go on in between."""
    play = await make(dut)
    dut.gap_i.value = gap
    for word in play.engines[0]:
        play.read(word)
    await play.until_done()
    await play.bench.cycles(gap)
    assert np.diff(play.reads.seen_at).tolist() == [gap + 1] * (len(play.engines[0]) - 1)
    for word in play.engines[0]:
        play.read(word)
        for other in play.engines[1][:gap]:
            play.chain(other, 1)
    waited = play.lanes.waited
    await play.until_done()
    assert play.lanes.waited == waited or gap < 4, "there was enough to do"


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.5))
async def sweeps(dut: Any, pause: float) -> None:
    """Biases to all words of an engine, also from one that was just written; operations may follow at once."""
    play = await make(dut, pause)
    for at in range(8):
        biases, swept = play.engines[at % 2][:3], play.engines[1 - at % 2]
        chained = play.rng.random() < 0.5
        for index, word in enumerate(swept):
            play.copy(swept[index - 1] if chained and index else biases[index % 3], word)
        for word in pattern(play.rng, swept[-6:]):
            play.chain(word, 2)
        await play.until_done(swept + biases)
    assert play.lanes.waited > 0


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    """What is in flight is dropped; both memories keep what they hold."""
    play = await make(dut, 0.2, 0.2)
    lines, play.lines = play.lines, play.lines[:3]  # those that are filled in
    for _ in range(10):
        for word in pattern(play.rng, play.engines[0]):
            mixed(play, [word])
            play.chain(word, 3, filled=0.2)
        play.end()
        await play.bench.cycles(play.rng.randrange(1, 30))
        await play.bench.reset()
        play.ends = 0
        await load(dut, play.bench, memory(play, play.lines, play.engines[0]))
        assert play.lanes.done == 0
        await play.until_done(play.engines[1])
    play.lines = lines
    for word in play.engines[0]:
        play.chain(word, 4)
    await play.until_done(play.engines[0] + play.engines[1])
