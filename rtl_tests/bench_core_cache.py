# SPDX-License-Identifier: Apache-2.0
"""core_cache: what lies outside gets slots, and every operation sees exactly what it would see without them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Sink, Source, generator, this_case
from core_bench import CONFIG
from core_tokens import FLAGS, OPERATION, check_width, packed

CASES = {"8 saves": Case(parameters={"Saves": 8}), "3 saves": Case(parameters={"Saves": 3})}
LATENCY = 4
INSIDE, SLOTS = CONFIG.sum_words, max(1, CONFIG.cached_words)
LINES_INSIDE, LINE_SLOTS = CONFIG.weight_lines, max(1, CONFIG.cached_lines)
INDEXES = 1 << CONFIG.index_bits

Operation = dict[str, int]


def slot(word: int) -> int:
    """Return where a word is in the lanes."""
    return word if word < INSIDE else INSIDE + word % SLOTS


def line_slot(line: int) -> int:
    """Return where a line is in the lanes."""
    return line if line < LINES_INSIDE else LINES_INSIDE + line % LINE_SLOTS


def address(op: Operation) -> int:
    """Return the word that an operation needs in its slot, if it needs one."""
    return op["from"] if op["read"] else op["sum"]


@dataclass(slots=True)
class Cache:
    """A direct-mapped cache that writes back: what has to be done before an operation, and with it."""

    words: dict[int, tuple[int, int, bool]] = field(default_factory=dict)  # slot -> word, beats, dirty
    lines: dict[int, int] = field(default_factory=dict)

    def expand(self, op: Operation) -> Iterator[tuple[str, int, int]]:
        """Return (kind, word or line, beats): saves and fills before the operation; then what comes with it: "with", it
        is saved, too, and "line".
        """
        word, at = address(op), slot(address(op))
        if (op["first"] or op["read"]) and word >= INSIDE:
            held = self.words.get(at)
            if held is None or held[0] != word:
                if held is not None and held[2]:
                    yield "save", held[0], held[1]
                if not op["copy"]:
                    yield "fill", word, op["beats"]
            elif held[2] and op["read"]:
                yield "with", word, held[1]
            self.words[at] = (word, op["beats"], not op["read"])
        if op["add"] and op["line"] >= LINES_INSIDE and self.lines.get(line_slot(op["line"])) != op["line"]:
            yield "line", op["line"], 0
            self.lines[line_slot(op["line"])] = op["line"]


class Sums:
    """Executes operations in order; sums depend on the order of all that was added to them."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self.lines: dict[int, int] = {}
        self.total = 0

    def run(self, op: Operation) -> tuple[int, ...]:
        """Execute an operation; return what it reads and what it makes."""
        seen = []
        if op["read"] or op["save"]:
            seen.append(self.words[op["from"]])
        if op["copy"]:
            self.total = self.words[op["from"]]
        if op["add"]:
            start = self.words[op["from"]] if op["first"] else self.total
            self.total = (5 * start + self.lines[op["line"]] + op["engine"]) % (1 << 61)
            seen.append(self.total)
        if op["last"]:
            self.words[op["sum"]] = self.total
            seen.append(self.total)
        return tuple(seen)


class Lanes:
    """What comes out, executed in order on slots, when it likes; fills wait for their data, saves take their time."""

    def __init__(self, dut: Any, *, slow: float, rng: random.Random) -> None:
        self.dut, self.slow, self.rng = dut, slow, rng
        self.hold = False  # nothing is saved
        self.outside: dict[int, int] = {}
        self.clear()

    def clear(self) -> None:
        self.sums = Sums()
        self.waiting: deque[Operation] = deque()
        self.fills: deque[int] = deque()
        self.fill_lines: deque[int] = deque()
        self.saving: deque[tuple[int, int, int]] = deque()  # word, beats and value: executed and not yet there
        self.expected_saves: deque[tuple[int, int]] = deque()
        self.seen: list[tuple[int, ...]] = []
        self.saved = 0
        self.give = False

    def drive(self) -> None:
        self.give = bool(self.saving) and not self.hold and self.rng.random() >= self.slow
        self.dut.saved_i.value = int(self.give)

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        if self.saving:
            word, beats, value = self.saving[0]
            got = (int(dut.save_word_o.value), int(dut.save_beats_o.value))
            assert got == (word, beats), f"saved as word and beats {got}, expected {(word, beats)}"
            if self.give:
                self.outside[word] = value
                self.saving.popleft()
                self.saved += 1
        if self.waiting and self.rng.random() >= self.slow:
            return self._execute(self.waiting[0]) or self.give
        return self.give

    def _execute(self, op: Operation) -> bool:
        """Execute the next operation, unless it has to wait."""
        if op["fill"]:
            if not self.fills:
                return False
            self.sums.words[op["sum"]] = self.fills.popleft()
        else:
            if op["fill_line"]:
                if not self.fill_lines:
                    return False
                self.sums.lines[op["line"]] = self.fill_lines.popleft()
            seen = self.sums.run(op)
            if op["save"]:
                self.saving.append((*self.expected_saves.popleft(), seen[0]))
            if any(op[flag] for flag in ("add", "copy", "read", "end_of_pass")):
                self.seen.append(seen)
        self.waiting.popleft()
        return True


class Output(Sink):
    """The operations, as they come, against what they have to be; each goes to the lanes."""

    def __init__(self, lanes: Lanes, *pins: Any, pause: float, rng: random.Random) -> None:
        super().__init__(*pins, pause=pause, rng=rng)
        self.lanes = lanes
        self.expected: deque[Operation] = deque()

    def clear(self) -> None:
        super().clear()
        self.expected.clear()

    def sample(self, now: int) -> bool:
        accepted = super().sample(now)
        if accepted:
            op = OPERATION.unpack(CONFIG, self.tokens[-1])
            assert self.expected, f"nothing has to come: {op}"
            want = self.expected.popleft()
            got = {name: op[name] for name in want}
            assert got == want, f"operation {len(self.tokens)}: got {got}, expected {want}"
            self.lanes.waiting.append(op)
        return accepted


class Requests(Sink):
    """What is asked for, in order; what lies outside is on its way then."""

    def __init__(self, play: Play, *pins: Any, pause: float, rng: random.Random) -> None:
        super().__init__(*pins, pause=pause, rng=rng)
        self.play = play
        self.expected: deque[tuple[tuple[int, int], int]] = deque()  # word and beats; saves that have to be there
        self.line = len(self.fields) == 1

    def clear(self) -> None:
        super().clear()
        self.expected.clear()

    def sample(self, now: int) -> bool:
        accepted = super().sample(now)
        if self.valid.value == 1 and not self.line and self.expected:
            assert self.play.lanes.saved >= self.expected[0][1], "asked for while it is on its way out"
        if accepted:
            assert self.expected, f"{self.tokens[-1]} is not needed"
            want, _ = self.expected.popleft()
            if self.line:
                assert self.tokens[-1] == want[0], f"line {self.tokens[-1]}, expected {want[0]}"
                self.play.lanes.fill_lines.append(self.play.lines[want[0]])
            else:
                assert self.tokens[-1] == want, f"word and beats {self.tokens[-1]}, expected {want}"
                self.play.lanes.fills.append(self.play.outside[want[0]])
        return accepted


class Play:
    """A bench: operations, what they have to become, and what each of them has to see."""

    def __init__(self, dut: Any, *, pause: float = 0.0, stall: float = 0.0, slow: float = 0.0) -> None:
        check_width(dut.op_i, OPERATION)
        rng = self.rng = generator()
        self.dut = dut
        dut.forget_i.value = 0
        self.ops = Source(dut.op_valid_i, dut.op_ready_o, [dut.op_i], pause=pause, rng=rng)
        self.lanes = Lanes(dut, slow=slow, rng=rng)
        self.output = Output(self.lanes, dut.valid_o, dut.ready_i, [dut.op_o], pause=stall, rng=rng)
        words = (dut.word_valid_o, dut.word_ready_i, [dut.word_o, dut.word_beats_o])
        self.word_requests = Requests(self, *words, pause=slow, rng=rng)
        lines = (dut.line_valid_o, dut.line_ready_i, [dut.line_o])
        self.line_requests = Requests(self, *lines, pause=slow, rng=rng)
        self.bench = Bench(dut, [self.ops, self.lanes, self.output, self.word_requests, self.line_requests])
        some = rng.sample(range(INSIDE, INDEXES), 6)
        near = [word + SLOTS * step for word in some[:3] for step in (1, 2) if word + SLOTS * step < INDEXES]
        self.words = [*rng.sample(range(INSIDE - 1), 3), INSIDE - 1, INSIDE, INDEXES - 1, *some, *near]
        some = rng.sample(range(LINES_INSIDE, INDEXES), 5)
        near = [line + LINE_SLOTS for line in some[:3] if line + LINE_SLOTS < INDEXES]
        self.line_words = [*rng.sample(range(LINES_INSIDE), 2), LINES_INSIDE - 1, LINES_INSIDE, *some, *near]
        self.begin()

    def begin(self) -> None:
        """Start anew: nothing in the slots, all words and lines of another value."""
        self.cache, self.model = Cache(), Sums()
        self.all_saves: list[int] = []
        self.model.words = {word: self.rng.getrandbits(60) for word in self.words}
        self.model.lines = {line: self.rng.getrandbits(60) for line in self.line_words}
        self.lines = dict(self.model.lines)
        self.outside = {word: value for word, value in self.model.words.items() if word >= INSIDE}
        self.lanes.outside = self.outside
        self.lanes.sums.words = {word: value for word, value in self.model.words.items() if word < INSIDE}
        self.lanes.sums.lines = {line: value for line, value in self.lines.items() if line < LINES_INSIDE}
        self.wanted: list[tuple[int, ...]] = []

    def beats(self, word: int) -> int:
        """Return the beats of a word: always the same."""
        return 1 + word % 255

    def put(self, **fields: int) -> None:
        """Queue an operation; what means nothing to it is noise."""
        op = {name: self.rng.getrandbits(CONFIG.index_bits) for name in ("sum", "from", "line")}
        op |= {"engine": self.rng.getrandbits(8), "beats": self.rng.getrandbits(8)} | dict.fromkeys(FLAGS, 0) | fields
        self.ops.waiting.append(packed(OPERATION, **op))
        self.wanted.append(self.model.run(op))
        save = line = 0
        for kind, what, beats in self.cache.expand(op):
            if kind in ("save", "with"):
                self.all_saves.append(what)
                self.lanes.expected_saves.append((what, beats))
            save |= kind == "with"
            line |= kind == "line"
            nothing = dict.fromkeys(FLAGS, 0)
            if kind == "save":
                self.output.expected.append(nothing | {"save": 1, "from": slot(what)})
            elif kind == "fill":
                before = [at for at, word in enumerate(self.all_saves) if word == what]
                self.word_requests.expected.append(((what, beats), before[-1] + 1 if before else 0))
                self.output.expected.append(nothing | {"fill": 1, "last": 1, "sum": slot(what)})
            elif kind == "line":
                self.line_requests.expected.append(((what, 0), 0))
        want = {flag: op[flag] for flag in FLAGS} | {"save": int(save), "fill_line": int(line)}
        if op["add"]:
            want |= {"line": line_slot(op["line"]), "engine": op["engine"]}
        if op["add"] or op["copy"]:
            want["sum"] = slot(op["sum"])
        if op["first"] or op["read"]:
            want["from"] = slot(op["from"])
        self.output.expected.append(want)

    def chain(self, word: int, lines: Sequence[int], reads: Sequence[int] = ()) -> None:
        """Queue additions to a word; a word of ``reads`` that does not share its slot may be read with one."""
        reads = [read for read in reads if read % SLOTS != word % SLOTS]
        for at, line in enumerate(lines):
            op = {"add": 1, "first": int(at == 0), "last": int(at == len(lines) - 1), "sum": word, "line": line}
            read = self.rng.choice(reads) if at and reads and self.rng.random() < 0.6 else None
            source, beats = (word, self.beats(word)) if read is None else (read, self.beats(read))
            self.put(**op, read=int(read is not None), beats=beats, **{"from": source})

    def read(self, word: int) -> None:
        """Queue a word for core_fetch."""
        self.put(read=1, beats=self.beats(word), **{"from": word})

    def copy(self, source: int, word: int) -> None:
        """Queue the biases of a word; they lie inside."""
        self.put(copy=1, first=1, last=1, sum=word, beats=self.beats(word), **{"from": source})

    def some(self, count: int) -> None:
        """Queue operations of all kinds on words of which several share a slot."""
        rng = self.rng
        for _ in range(count):
            words = rng.sample(self.words, rng.choice((1, 2, 4)))
            for word in words * rng.choice((1, 1, 3)):
                kind = rng.random()
                if kind < 0.6:
                    self.chain(
                        word, rng.choices(self.line_words, k=rng.choice((1, 1, 2, 5))), rng.choice(((), self.words))
                    )
                elif kind < 0.85:
                    self.read(word)
                elif kind < 0.95:
                    self.copy(rng.choice(self.words[:4]), word)
                else:
                    self.put(end_of_pass=1)

    def check(self) -> None:
        """Compare what the operations saw."""
        for at, (got, want) in enumerate(zip(self.lanes.seen, self.wanted, strict=False)):
            assert got == want, f"operation {at} sees {got}, expected {want}"

    async def finish(self, quiet: int = 30) -> None:
        """Go on until all is executed and saved, and nothing else comes; every word is where it has to be."""
        lanes = self.lanes
        try:
            await self.bench.until(
                lambda: len(lanes.seen) >= len(self.wanted) and not lanes.saving and not lanes.waiting, timeout=300
            )
            await self.bench.cycles(quiet)
        finally:
            self.check()
        assert len(lanes.seen) == len(self.wanted)
        assert not self.output.expected
        assert not self.word_requests.expected
        assert not self.line_requests.expected
        assert not lanes.expected_saves
        for word, value in self.model.words.items():
            held = self.cache.words.get(slot(word))
            inside = word < INSIDE or (held is not None and held[0] == word)
            got = lanes.sums.words[slot(word)] if inside else self.outside[word]
            assert got == value, f"word {word}"
            if inside and word >= INSIDE and not held[2]:  # type: ignore[index]
                assert self.outside[word] == value, f"word {word} is not clean"


STALLS = ((0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.8), (0.2, 0.3, 0.5), (0.0, 0.0, 0.9))
"""Pauses of the operations, of what takes them, and of what is outside."""


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def operations(dut: Any, stalls: tuple[float, float, float]) -> None:
    pause, stall, slow = stalls
    play = Play(dut, pause=pause, stall=stall, slow=slow)
    await play.bench.start()
    play.begin()
    for _ in range(3):
        play.some(25)
        await play.finish()
    assert min(len(play.word_requests.tokens), len(play.line_requests.tokens), play.lanes.saved) > 30


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """What is in its slot, or inside, takes a cycle while its state stays; the cycles of one operation."""
    play = Play(dut)
    await play.bench.start()
    play.begin()
    words = [INSIDE + at for at in range(SLOTS)] + play.words[:2]
    lines = [LINES_INSIDE + at for at in range(LINE_SLOTS)] + play.line_words[:2]
    play.words, play.line_words = sorted({*play.words, *words}), sorted({*play.line_words, *lines})
    play.begin()
    for word in words:
        play.chain(word, lines)
    await play.finish()
    taken, seen = len(play.ops.taken_at), len(play.output.seen_at)
    for _ in range(5):
        for word in words:
            play.chain(word, play.rng.sample(lines, 2))
    await play.finish()
    count = 5 * 2 * len(words)
    assert np.diff(play.ops.taken_at[taken:]).tolist() == [1] * (count - 1)
    assert np.diff(play.output.seen_at[seen:]).tolist() == [1] * (count - 1)
    assert play.output.seen_at[seen] - play.ops.taken_at[taken] == LATENCY


@cocotb.test()
async def a_save_and_a_fill_take_a_cycle(dut: Any) -> None:
    """Words that take turns in a slot: a save, a fill, an operation, and a cycle for what is known of the slot."""
    play = Play(dut)
    await play.bench.start()
    play.words = [INSIDE + at for at in range(12 * SLOTS)]
    play.begin()
    for word in play.words:
        play.chain(word, play.line_words[:1])
    await play.finish()
    assert np.diff(play.output.seen_at[2 * SLOTS :]).tolist() == ([1, 1, 2] * 11 * SLOTS)[:-1]


@cocotb.test()
@cocotb.parametrize(read=(False, True))
async def table_of_saves_is_full(dut: Any, read: bool) -> None:
    """Nothing is saved for a while: as many saves as there is room for leave, and no more; then all goes on."""
    play = Play(dut)
    await play.bench.start()
    play.words = [INSIDE + at for at in range(20 * SLOTS)]
    play.begin()
    play.lanes.hold = True
    for word in play.words:
        play.chain(word, play.line_words[:1])
        if read:
            play.read(word)
    await play.bench.cycles(400)
    assert len(play.lanes.saving) == this_case(CASES).parameters["Saves"]
    play.lanes.hold = False
    await play.finish()


@cocotb.test()
async def the_last_place_is_taken_once(dut: Any) -> None:
    """Two words that are read one after the other, and place for one of them in the table."""
    play = Play(dut)
    await play.bench.start()
    saves = int(str(this_case(CASES).parameters["Saves"]))
    play.words = [INSIDE + 1, *(INSIDE + SLOTS * at for at in range(saves))]
    play.begin()
    play.lanes.hold = True
    for word in play.words:
        play.chain(word, play.line_words[:1])
    play.read(play.words[0])
    play.read(play.words[-1])
    await play.bench.cycles(200)
    assert len(play.lanes.saving) == saves
    play.lanes.hold = False
    await play.finish()


@cocotb.test()
async def hits_need_no_room_to_save(dut: Any) -> None:
    """The table of saves is full: what is in its slot goes on, and so does what takes a clean one."""
    play = Play(dut)
    await play.bench.start()
    saves = int(str(this_case(CASES).parameters["Saves"]))
    play.words = [INSIDE - 1, INSIDE + 1, *(INSIDE + SLOTS * at for at in range(saves + 1))]
    play.begin()
    play.read(INSIDE + 1)
    play.lanes.hold = True
    for word in play.words[2:]:
        play.chain(word, play.line_words[:1])
    for _ in range(4):
        play.read(INSIDE + 1)
        play.chain(INSIDE - 1, play.line_words[:1])
        play.chain(play.words[-1], play.line_words[:1])
    await play.bench.cycles(200)
    assert len(play.lanes.saving) == saves
    assert len(play.lanes.seen) == len(play.wanted)
    play.lanes.hold = False
    await play.finish()


@cocotb.test()
async def a_word_comes_back(dut: Any) -> None:
    """A word that was just pushed out waits until it is there."""
    play = Play(dut)
    await play.bench.start()
    one = play.rng.randrange(INSIDE, INDEXES - 3 * SLOTS)
    play.words = [one, one + SLOTS, one + 2 * SLOTS]
    play.begin()
    for slow in (0.0, 0.5, 0.9):
        play.lanes.slow = slow
        for _ in range(15):
            for word in play.rng.choices(play.words, k=3):
                play.rng.choice((play.read, lambda word: play.chain(word, play.line_words[:2])))(word)
        await play.finish()


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    play = Play(dut, pause=0.1, stall=0.2, slow=0.4)
    await play.bench.start()
    for _ in range(12):
        play.begin()
        play.some(8)
        await play.bench.cycles(play.rng.randrange(1, 80))
        play.check()
        await play.bench.reset()
    play.begin()
    play.some(30)
    await play.finish()


@cocotb.test()
async def forgotten(dut: Any) -> None:
    """After forget_i nothing is in a slot; what is on its way out still is."""
    play = Play(dut, slow=0.3)
    await play.bench.start()
    play.begin()
    for _ in range(8):
        play.some(12)
        play.lanes.hold = play.rng.random() < 0.5
        if play.lanes.hold:
            await play.bench.cycles(play.rng.randrange(60))
            play.lanes.hold = False
        await play.bench.until(lambda: len(play.lanes.seen) == len(play.wanted), timeout=300)
        assert not play.output.expected
        dut.forget_i.value = 1
        await play.bench.cycles(play.rng.randint(1, 4))
        dut.forget_i.value = 0
        late = {word: value for word, _, value in play.lanes.saving}
        play.cache = Cache()
        for word in play.outside:
            play.model.words[word] = late.get(word, play.outside[word])
        for line in play.lines:
            if line >= LINES_INSIDE:
                play.lines[line] = play.model.lines[line] = play.rng.getrandbits(60)
        play.some(12)
        await play.finish()
