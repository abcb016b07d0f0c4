# SPDX-License-Identifier: Apache-2.0
"""Images for a delta core, right and wrong, and what is written of each."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from core_bench import CONFIG
from core_tokens import LANES

from codesign.core.image import image_of
from codesign.core.program import Place, Program, Step, Walk
from codesign.core.records import PARAM, PLACE, SECTIONS, STEP, TABLE, WALK, Record, row_bits

MAGIC, VERSION, GEOMETRY, SECTION, SIZE, CRC, LENGTH, NO_MEMORY = range(1, 9)
"""Why an image is wrong (`error_o`)."""
HEADER = 8
"""Words before the first section."""
LINES = {"places": PLACE.words(CONFIG), "walks": WALK.words(CONFIG), "tables": TABLE.words(CONFIG)}
LINES |= {name: -(-row_bits(CONFIG)[name] // 32) for name in ("params", "weights", "sums")} | {"steps": 1}
"""32-bit words of a line of each memory."""
MEMORY = CONFIG.memory_beats
"""Beats of the memory outside; 0: there is none."""
BEAT_WORDS = CONFIG.memory_bits // 32
LINE_BEATS = CONFIG.record_beats["weight_lines"]


def random_record(record: Record, rng: random.Random) -> dict[str, int]:
    """Return a record of any fields."""
    return {field.name: rng.randint(*field.limits(CONFIG)) for field in record.fields}


def random_program(rng: random.Random, most: int) -> Program:
    """Return a program of up to ``most`` lines of each memory, without any meaning."""

    def values(bits: int, *shape: int) -> Any:
        most = 1 << bits - 1
        return np.array([rng.randrange(-most, most) for _ in range(int(np.prod(shape)))]).reshape(shape)

    size = {name: rng.choice((0, 1, rng.randint(0, most))) for name in SECTIONS}
    readers = range(size["places"])
    params = [list(random_record(PARAM, rng).values()) for _ in range(size["params"] * CONFIG.quantisers)]
    return Program(
        config=CONFIG,
        design=rng.getrandbits(32),
        beats=rng.getrandbits(20),
        steps=tuple(Step(**random_record(STEP, rng)) for _ in range(max(1, size["steps"]))),
        places=tuple(Place(**random_record(PLACE, rng)) for _ in readers),
        walks=tuple(Walk(**random_record(WALK, rng)) for _ in readers),
        tables=np.array([list(random_record(TABLE, rng).values()) for _ in range(size["tables"])]).reshape(-1, 3),
        params=np.array(params).reshape(size["params"], CONFIG.quantisers, len(PARAM.fields)),
        weights=values(CONFIG.weight_bits, size["weights"], LANES),
        sums=values(CONFIG.sum_bits, size["sums"], LANES),
    )


def with_crc(words: list[int]) -> list[int]:
    """Return words and their CRC."""
    return [*words, zlib.crc32(np.array(words, "<u4").tobytes())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Words, the error that they give, and how many of them are written, those of a line that it ends as well."""

    name: str
    words: list[int]
    error: int = 0
    until: int


def right(rng: random.Random, most: int = 5) -> Image:
    """Return an image that is right."""
    words = [int(word) for word in image_of(random_program(rng, most))]
    if MEMORY:
        lines = sum(size for _, name, size in sections(words) if name == "weights") // LINES["weights"]
        room = MEMORY - lines * LINE_BEATS
        words[7] = rng.choice((0, room, rng.randint(0, room)))
        words = with_crc(words[:-1])
    return Image(name="right", words=words, until=len(words))


def sections(words: list[int]) -> Iterator[tuple[int, str, int]]:
    """Yield where each section has its number, its name, and its words."""
    at = HEADER
    names = {number: name for name, number in SECTIONS.items()}
    while at + 1 < len(words) and words[at] in names:
        yield at, names[words[at]], words[at + 1]
        at += 2 + words[at + 1]


def contents(image: Image) -> Iterator[tuple[int, str, int, int]]:
    """Yield what is written: the word after which it is, the memory, the address, the contents."""
    for start, name, size in sections(image.words):
        words = image.words[start + 2 : start + 2 + size]
        for at, word in enumerate(words):
            address, count = divmod(at, LINES[name])
            if start + 2 + at >= image.until:
                return
            if name == "sums":
                yield start + 2 + at, f"sums {count}", address, word & (1 << CONFIG.sum_bits) - 1
            elif name == "weights" and MEMORY and address >= CONFIG.weight_lines:
                continue
            elif name == "weights":
                bits, each = CONFIG.weight_slot, 32 // CONFIG.weight_slot
                for lane in range(each * count, min(LANES, each * (count + 1))):
                    value = word >> bits * (lane % each) & (1 << bits) - 1
                    yield start + 2 + at, f"weights {lane}", address, value
            elif count == LINES[name] - 1:
                line = words[at - count : at + 1]
                yield start + 2 + at, name, address, sum(each << 32 * i for i, each in enumerate(line))


def outside(image: Image) -> Iterator[tuple[int, int, int]]:
    """Yield address, data and which bits of them count, of each beat that is written to the memory outside."""
    each = LINES["weights"]
    for start, name, size in sections(image.words):
        words = image.words[start + 2 : min(start + 2 + size, image.until)]
        for at in range(0, len(words) if name == "weights" and MEMORY else 0, each):
            for beat in range(LINE_BEATS if at // each >= CONFIG.weight_lines else 0):
                first, last = beat * BEAT_WORDS, min(each, (beat + 1) * BEAT_WORDS)
                data = words[at + first : at + last]
                if len(data) == last - first:
                    address = image.words[7] + at // each * LINE_BEATS + beat
                    yield address, sum(word << 32 * i for i, word in enumerate(data)), (1 << 32 * len(data)) - 1


Spoil = Callable[[random.Random, list[int]], tuple[list[int], int, int]]
"""Makes the words of an image without its CRC wrong: the words, the error, how many words are written."""


def cut(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
    """Return the beginning of an image."""
    end = rng.randint(1, len(words))
    return words[:end], LENGTH, end


def other_field(at: int, error: int) -> Spoil:
    """Return what changes one bit of a word of the header."""

    def spoil(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
        words[at] ^= 1 << rng.randrange(32)
        return with_crc(words), error, at

    return spoil


def steps(count: int) -> Spoil:
    """Return what changes the number of steps."""

    def spoil(_: random.Random, words: list[int]) -> tuple[list[int], int, int]:
        words[4] = count
        return with_crc(words), SIZE, 4

    return spoil


def damaged(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
    """Return words with one bit wrong in the data of a section, or the design, or the CRC."""
    whole = with_crc(words)
    places = [at for start, _, size in sections(words) for at in range(start + 2, start + 2 + size)]
    whole[rng.choice([3, 5, len(words), *places])] ^= 1 << rng.randrange(32)
    return whole, CRC, len(words)


def unknown(*numbers: int) -> Spoil:
    """Return what makes one of the sections one that there is not."""

    def spoil(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
        start, _, _ = rng.choice(list(sections(words)))
        words[start] = rng.choice(numbers)
        return with_crc(words), SECTION, start

    return spoil


def long(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
    """Return words after the end."""
    return [*with_crc(words), *[rng.getrandbits(32) for _ in range(rng.randint(1, 5))]], LENGTH, len(words)


def far(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
    """Return words whose lines of weights begin past the memory outside."""
    words[7] = rng.choice((MEMORY + 1, 1 << 31, 0xFFFFFFFF, MEMORY + rng.randint(1, 1000)))
    return with_crc(words), SIZE, 7


def reaching(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
    """Return words with one more section of weights, of which only some fit the memory outside."""
    lines = CONFIG.weight_lines + rng.randint(1, 5)
    words[7] = MEMORY - lines * LINE_BEATS + rng.randint(1, lines * LINE_BEATS)
    words = [
        *words[:HEADER],
        *[
            word
            for start, name, size in sections(words)
            if name != "weights"
            for word in words[start : start + 2 + size]
        ],
    ]
    start, size = len(words), lines * LINES["weights"]
    words += [SECTIONS["weights"], size, *[rng.getrandbits(32) for _ in range(size)], 0]
    line, beat = divmod(MEMORY - words[7], LINE_BEATS)
    return with_crc(words), SIZE, start + 2 + line * LINES["weights"] + beat * BEAT_WORDS


def partial(rng: random.Random, words: list[int]) -> tuple[list[int], int, int]:
    """Return words with a section that ends within a line."""
    number = rng.choice([number for name, number in SECTIONS.items() if LINES[name] > 1])
    each = next(LINES[name] for name, at in SECTIONS.items() if at == number)
    size = each * rng.randint(0, 2) + rng.randint(1, each - 1)
    added = [number, size, *[rng.getrandbits(32) for _ in range(size)]]
    return with_crc([*words[:-1], *added, 0]), LENGTH, len(words) - 1 + len(added)


WRONG: dict[str, Spoil] = {
    "magic": other_field(0, MAGIC),
    "version": other_field(1, VERSION),
    "geometry": other_field(2, GEOMETRY),
    "no steps": steps(0),
    "256 steps": steps(256),
    "2^31 steps": steps(1 << 31),
    "section 8": unknown(8),
    "section": unknown(9, 16, 255, 1 << 8, 1 << 31, 0xFFFFFFFF),
    "data": damaged,
    "partial line": partial,
    "too long": long,
    "cut off": cut,
} | ({"far": far, "reaching": reaching} if MEMORY else {})


def wrong(name: str, rng: random.Random) -> Image:
    """Return an image that is wrong."""
    words, error, at = WRONG[name](rng, right(rng).words[:-1])
    return Image(name=name, words=words, error=error, until=at)
