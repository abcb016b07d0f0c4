# SPDX-License-Identifier: Apache-2.0
"""core_lanes: chains of operations on words in any order, with reads and sweeps between them, cycle by cycle."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Source, generator
from core_bench import CONFIG
from core_tokens import LANES, OPERATION, Sums, check_width, extreme, lanes_of, noise, packed, word_of

CASES = {"all": Case(parameters={})}
TO_ISSUE, TO_READ, TO_DONE = 1, 2, 6
"""Cycles from taking an operation to its issue; from there to the read of its sums, and to done_o for the end."""
UNWRITTEN = 3
"""Cycles after its issue in which an operation's word cannot be read by another one."""
PATIENCE = 2
"""Most cycles for which a read of core_fetch waits."""
LINES = 24


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as `core_lanes` takes it."""

    end: bool = False
    first: bool = False
    last: bool = False
    word: int = 0
    engine: int = 0
    read: int | None = None  # of a sweep


class Lanes:
    """Says in which cycles an operation is taken, issued, waits, reads and is done; looks at every cycle."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.clear()

    def clear(self) -> None:
        self.held: Operation | None = None
        self.merged = False
        self.issued: deque[Operation | None] = deque([None] * TO_DONE)  # the latest first
        self.waited = self.done = self.unready = self.begun = 0

    def _reads(self, operation: Operation | None) -> bool:
        return operation is not None and not operation.end and operation.first

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        held, given = self.held, self._given()
        word = None if held is None else held.word if held.read is None else held.read
        recent = [past.word for past in list(self.issued)[:UNWRITTEN] if past is not None and not past.end]
        reads = self._reads(self.issued[TO_READ - 1])
        leaves = dut.sum_valid_i.value == 1 and reads and self._reads(self.issued[0])  # its cycle to core_fetch
        waits = self._reads(held) and (word in recent or leaves)
        done = self.issued[TO_DONE - 1] is not None and self.issued[TO_DONE - 1].end  # type: ignore[union-attr]
        issues = held is not None and not waits
        begins = held is not None and issues and not held.end and held.read is None
        want = (not waits, not waits, begins, waits, not reads, done)
        pins = (dut.op_ready_o, dut.sweep_ready_o, dut.issued_o, dut.stalled_o, dut.sum_ready_o, dut.done_o)
        got = tuple(bool(pin.value) for pin in pins)
        assert got == want, f"ready, sweep ready, issued, stalled, sum ready, done: {got}, expected {want}"
        assert held is None or not (begins or (waits and held.read is None)) or dut.engine_o.value == held.engine
        self.issued.pop()
        self.issued.appendleft(held if issues else None)
        if not waits:
            self.held = given
        self.waited += waits
        self.done += done
        self.unready += reads
        self.begun += want[2]
        return bool(issues or done)

    def drive(self) -> None:
        pass

    def _given(self) -> Operation | None:
        """Return what is offered; of a word right after itself it is one chain: no read."""
        dut, held = self.dut, self.held
        if dut.sweep_valid_i.value == 1:
            read, write = (pin.value.to_unsigned() for pin in (dut.sweep_read_i, dut.sweep_write_i))
            return Operation(first=True, last=True, word=write, read=read)
        if dut.op_valid_i.value == 0:
            return None
        fields = OPERATION.unpack(CONFIG, dut.op_i.value.to_unsigned())
        end, word = bool(fields["end_of_pass"]), fields["sum"]
        same = held is not None and held.read is None and not held.end and not end and held.word == word
        return Operation(end=end, first=bool(fields["first"]) and not same, word=word, engine=fields["engine"])


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


class Reads:
    """Reads of core_fetch: random words out of ``words``; each answer comes 2 cycles after its request is taken."""

    def __init__(self, dut: Any, model: Sums, rng: random.Random) -> None:
        self.dut, self.model, self.rng = dut, model, rng
        self.words: Sequence[int] = ()
        self.pace = 0.0
        self.queue: deque[int] = deque()
        self.clear()

    def clear(self) -> None:
        self.due: deque[int | None] = deque([None, None])
        self.at: int | None = None
        self.queue.clear()
        self.taken = self.waited = 0

    def drive(self) -> None:
        if self.at is None and self.queue:
            self.at = self.queue.popleft()
        elif self.at is None and self.words and self.rng.random() < self.pace:
            self.at = self.rng.choice(self.words)
        self.dut.sum_valid_i.value = int(self.at is not None)
        address = self.rng.randrange(CONFIG.sum_words) if self.at is None else self.at
        self.dut.sum_address_i.value = address

    def sample(self, _: int) -> bool:
        word = self.due.popleft()
        if word is not None:
            got = lanes_of(self.dut.sum_data_o.value.to_unsigned(), CONFIG.sum_bits)
            assert got == self.model.sums[word], f"word {word}: got {got}, expected {self.model.sums[word]}"
        taken = self.at is not None and self.dut.sum_ready_o.value == 1
        self.due.append(self.at if taken else None)
        self.waited = 0 if taken or self.at is None else self.waited + 1
        assert self.waited <= PATIENCE or self.dut.rst_ni.value == 0, "a read waits for too long"
        if taken:
            self.at = None
            self.taken += 1
        return taken

    @property
    def idle(self) -> bool:
        """Whether every request was answered."""
        return not self.queue and self.at is None and not any(word is not None for word in self.due)


@dataclass(slots=True)
class Play:
    """A bench with its agents; words of two engines in random places, and lines of weights."""

    bench: Bench
    lanes: Lanes
    ops: Source
    sweeps: Source
    reads: Reads
    model: Sums
    rng: random.Random
    engines: list[list[int]]
    lines: list[int]
    ends: int = 0

    def chain(self, word: int, lines: int, deltas: Sequence[int] | None = None) -> None:
        """Queue a chain of operations on a word."""
        for at in range(lines):
            line = self.rng.choice(self.lines)
            given = deltas or [extreme(self.rng, CONFIG.delta_bits) for _ in range(LANES)]
            fields = {"first": at == 0, "last": at == lines - 1, "sum": word, "line": line}
            operation = packed(OPERATION, **fields, engine=self.rng.getrandbits(8))
            self.ops.waiting.append(operation | word_of(given, CONFIG.delta_bits) << OPERATION.bits(CONFIG))
            self.model.add(word, line, given)

    def end(self, word: int = 0) -> None:
        """Queue the end of a pass; ``word`` and all other fields mean nothing."""
        token = noise(OPERATION, self.rng, end_of_pass=1, sum=word)
        self.ops.waiting.append(token | self.rng.getrandbits(LANES * CONFIG.delta_bits) << OPERATION.bits(CONFIG))
        self.ends += 1

    def sweep(self, read: int, write: int) -> None:
        """Queue a copy of a word's sums."""
        self.sweeps.waiting.append(read | write << CONFIG.index_bits)
        self.model.sums[write] = self.model.sums[read]

    async def until_done(self, read: Iterable[int] = ()) -> None:
        """Go on to done_o; then read words at once."""
        await self.bench.until(lambda: self.lanes.done == self.ends, timeout=100)
        assert not self.ops.waiting
        self.reads.words = ()
        self.reads.queue.extend(read)
        await self.bench.until(lambda: self.reads.idle, timeout=100)


async def load(dut: Any, bench: Bench, writes: Iterable[tuple[Any, int, list[int]]]) -> None:
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


def memory(rng: random.Random, dut: Any, play: Play) -> Iterator[tuple[Any, int, list[int]]]:
    """Return writes of random weights and sums, and note them in the model."""
    for line in play.lines:
        play.model.weights[line] = [extreme(rng, CONFIG.weight_bits) for _ in range(LANES)]
        yield dut.load_weight_i, line, list(play.model.weights[line])
    for word in (word for engine in play.engines for word in engine):
        play.model.sums[word] = [extreme(rng, CONFIG.sum_bits) for _ in range(LANES)]
        yield dut.load_sum_i, word, list(play.model.sums[word])


async def make(dut: Any, pause: float = 0.0) -> Play:
    """Return a bench that is loaded."""
    check_width(dut.op_i, OPERATION)
    rng, model = generator(), Sums()
    ops = Operations(dut.op_valid_i, dut.op_ready_o, [dut.op_i, dut.deltas_i], pause=pause, rng=rng)
    swept = [dut.sweep_read_i, dut.sweep_write_i]
    sweeps = Source(dut.sweep_valid_i, dut.sweep_ready_o, swept, pause=pause, rng=rng)
    lanes, reads = Lanes(dut), Reads(dut, model, rng)
    words = [*rng.sample(range(1, CONFIG.sum_words - 1), 38), 0, CONFIG.sum_words - 1]
    lines = [0, CONFIG.weight_lines - 1, *rng.sample(range(1, CONFIG.weight_lines - 1), LINES)]
    bench = Bench(dut, [ops, sweeps, lanes, reads])
    play = Play(bench, lanes, ops, sweeps, reads, model, rng, [words[0::2], words[1::2]], lines)
    for pin in (dut.load_weight_i, dut.load_sum_i):
        pin.value = 0
    await bench.start()
    await load(dut, bench, memory(rng, dut, play))
    return play


def pattern(rng: random.Random, words: Sequence[int]) -> list[int]:
    """Return words one after the other: in a row, in turn with a distance of 1 to 6, at random, all the same."""
    few = rng.sample(list(words), rng.randint(1, min(6, len(words))))
    turns = rng.randint(1, 4)
    return rng.choice(([word for word in few for _ in range(turns)], few * turns, rng.choices(few, k=8), few[:1] * 5))


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.3, 0.8), pace=(0.0, 0.5, 1.0))
async def operations(dut: Any, pause: float, pace: float) -> None:
    """Passes over one engine while words of the other are read; then the words are read as soon as the pass is done."""
    play = await make(dut, pause)
    play.reads.pace = pace
    for at in range(10):
        adding, play.reads.words = play.engines[at % 2], play.engines[1 - at % 2]
        last = adding[0]
        for _ in range(at and 12):  # the first pass is empty
            words = pattern(play.rng, adding)
            if play.rng.random() < 0.3:  # as if a pass could begin before the last one is done
                play.end(last)
                words.insert(0, last)
            for word in words:
                play.chain(word, play.rng.choice((1, 1, 1, 2, 3, 7)))
            last = words[-1]
        play.end(last)
        await play.until_done(adding)
    assert play.lanes.waited > 20, "operations have to wait for words"
    assert pace == 0.0 or play.reads.taken > 300


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """Operations on other words, or on the word before, are taken one a cycle, and a chain reads its word once."""
    play = await make(dut)
    taken = len(play.ops.taken_at)
    unready = play.lanes.unready
    words = play.engines[0][:10]
    for word in words * 3:
        play.chain(word, 3)
        play.chain(word, 1)
    play.end()
    await play.until_done(play.engines[0])
    assert np.diff(play.ops.taken_at[taken:]).tolist() == [1] * (4 * 30)
    assert play.lanes.unready - unready == 30
    assert play.lanes.waited == 0


@cocotb.test()
@cocotb.parametrize(distance=(1, 2, 3, 4, 5, 6))
async def distance_of_a_word(dut: Any, distance: int) -> None:
    """A word that comes again after other words waits until its sums are written; one after itself does not."""
    play = await make(dut)
    for word in play.engines[0][:distance] * 5:
        play.chain(word, 1)
    play.end()
    await play.until_done(play.engines[0])
    assert play.lanes.waited == (0 if distance == 1 else 4 * max(0, UNWRITTEN + 1 - distance))


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.5))
async def sweeps(dut: Any, pause: float) -> None:
    """Biases to all words of an engine, also from one that was just written; operations may follow at once."""
    play = await make(dut, pause)
    for at in range(8):
        biases, swept = play.engines[at % 2][:3], play.engines[1 - at % 2]
        chained = play.rng.random() < 0.5
        for index, word in enumerate(swept):
            play.sweep(swept[index - 1] if chained and index else biases[index % 3], word)
        await play.bench.until(lambda: not play.sweeps.waiting, timeout=100)
        for word in pattern(play.rng, swept[-6:]):
            play.chain(word, 2)
        play.end()
        await play.until_done(swept + biases)
    assert play.lanes.waited > 0


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    """What is in flight is dropped; both memories keep what they hold."""
    play = await make(dut, 0.2)
    for _ in range(10):
        for word in pattern(play.rng, play.engines[0]):
            play.chain(word, 3)
        play.end()
        await play.bench.cycles(play.rng.randrange(1, 30))
        await play.bench.reset()
        play.ends = 0
        play.reads.queue.extend(play.engines[1])
        await play.bench.until(lambda: play.reads.idle, timeout=100)
        assert play.lanes.done == 0
        again = [(word, [extreme(play.rng, CONFIG.sum_bits) for _ in range(LANES)]) for word in play.engines[0]]
        play.model.sums |= dict(again)
        await load(dut, play.bench, [(dut.load_sum_i, word, values) for word, values in again])
    play.chain(play.engines[0][0], 4)
    play.end()
    await play.until_done(play.engines[0] + play.engines[1])
