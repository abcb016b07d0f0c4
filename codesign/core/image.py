# SPDX-License-Identifier: Apache-2.0
"""A program as an image, the words that a core loads, and back.

Little-endian 32-bit words: magic, version, geometry, design, steps, beats, and where the external memory has the first
row of codes and the first line of weights (in its beats); then sections ``number, words, ...``, each
the lines of one memory from address 0 on, every line padded to whole words, a weight in 8 bits (or 16, or 32) and a sum
in 32 (or 64) whatever the core's widths are; 0; and the CRC-32 (as of zlib) of all words before it. ``docs/core.md``
has the format.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from codesign.core.bits import Words, number_words, pack, unpack, words_number
from codesign.core.config import WORD_BITS, CoreConfig, words_of
from codesign.core.memory import most_of
from codesign.core.program import Place, Program, Step, Walk, values_of
from codesign.core.records import MAGIC, PARAM, PLACE, SECTIONS, STEP, TABLE, VERSION, WALK, Record, row_bits
from codesign.errors import ImageError
from codesign.fixed import IntArray
from codesign.outputs import replacing

HEADER = ("magic", "version", "geometry", "design", "steps", "beats", "code_origin", "line_origin")
SUFFIX = ".core"
_DEPTHS = {
    "steps": "step_words",
    "places": "places",
    "walks": "walks",
    "tables": "table_rows",
    "params": "param_rows",
    "weights": "weight_lines",
    "sums": "sum_words",
}
_FIX = "compile the network again for this core"


def image_of(program: Program) -> Words:
    """Return the image of a program, ``[N]``."""
    header = (
        MAGIC,
        VERSION,
        program.config.geometry,
        program.design,
        len(program.steps),
        program.beats,
        *program.origins,
    )
    words = [np.array(header, np.uint32)]
    for name, lines in _sections(program):
        words += [np.array([SECTIONS[name], lines.size], np.uint32), lines.ravel()]
    body = np.concatenate([*words, np.zeros(1, np.uint32)])
    return np.append(body, np.uint32(_crc(body)))


def design_of(program: Program) -> int:
    """Return the first 32 bits of the SHA-256 of the image with design 0: any change gives another design."""
    return int.from_bytes(hashlib.sha256(_bytes(image_of(replace(program, design=0)))).digest()[:4], "big")


def program_of(image: Words, config: CoreConfig, where: str = "image") -> Program:
    """Return the program in an image.

    Args:
        image: 32-bit words, ``[N]``.
        config: the core that is to execute it.
        where: names the image in errors.

    Raises:
        ImageError: it is damaged, cut off, of another version, for another core, or too large for this one.
    """
    image = np.asarray(image, np.uint32)
    header = _header(image, config, where)
    found = _read_sections(image[len(HEADER) : -1], config, where)
    steps = _unpacked(STEP, found["steps"], config)
    if len(steps) != header["steps"] or len(steps) < 2:
        _refuse("another number of steps than in the header", where, header["steps"], len(steps))
    places, walks = _unpacked(PLACE, found["places"], config), _unpacked(WALK, found["walks"], config)
    if len(places) != len(walks):
        _refuse("not as many walks as places", where, len(places), len(walks))
    tables = _unpacked(TABLE, found["tables"], config)
    program = Program(
        config=config,
        design=header["design"],
        beats=header["beats"],
        steps=tuple(Step(**values) for values in steps),
        places=tuple(Place(**values) for values in places),
        walks=tuple(Walk(**values) for values in walks),
        tables=np.array([list(values.values()) for values in tables], np.int64).reshape(-1, 3),
        params=_params(found["params"], config),
        weights=_lanes(found["weights"], config.weight_slot, config.weight_bits, where).astype(np.int32),
        sums=_lanes(found["sums"], config.sum_slot, config.sum_bits, where),
    )
    for depth, count in program.needs().items():
        _fits(depth, count, config, where)
    if config.memory_bits and (program.memory_beats > config.memory_beats or len(program.sums) > config.sum_words):
        expected = f"at most {config.memory_beats} beats, and {config.sum_words} words of biases"
        _refuse("too large for the core", where, expected, f"{program.memory_beats} and {len(program.sums)}")
    origins = header["code_origin"], header["line_origin"]
    if origins != program.origins:
        _refuse("other addresses than its sections lead to", where, program.origins, origins)
    return program


def write_image(program: Program, path: Path) -> None:
    """Write the image of a program to a file, in one step.

    Raises:
        OutputError: the system refuses.
    """
    with replacing(path) as part:
        part.write_bytes(_bytes(image_of(program)))


def read_image(path: Path, config: CoreConfig) -> Program:
    """Return the program in the file that `write_image` wrote.

    Raises:
        ImageError: it cannot be read, or see `program_of`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot be read ({error.strerror})", where=str(path), fix="check the path") from None
    if len(content) % 4:
        _refuse("no whole number of words", str(path), "a multiple of 4 bytes", len(content))
    return program_of(np.frombuffer(content, "<u4").astype(np.uint32), config, str(path))


def _bytes(image: Words) -> bytes:
    return image.astype("<u4").tobytes()


def _crc(body: Words) -> int:
    return zlib.crc32(_bytes(body))


def _sections(program: Program) -> Iterator[tuple[str, Words]]:
    """Yield name and lines, ``[N, words]``, of each section."""
    config = program.config
    yield "steps", _packed(STEP, [values_of(step) for step in program.steps], config)
    yield "places", _packed(PLACE, [values_of(place) for place in program.places], config)
    yield "walks", _packed(WALK, [values_of(walk) for walk in program.walks], config)
    names = [field.name for field in TABLE.fields]
    yield "tables", _packed(TABLE, [dict(zip(names, row, strict=True)) for row in program.tables.tolist()], config)
    yield "params", _packed_params(program)
    yield "weights", pack(program.weights, config.weight_slot)
    yield "sums", pack(program.sums, config.sum_slot)


def _packed(record: Record, values: list[dict[str, int]], config: CoreConfig) -> Words:
    count = record.words(config)
    lines = [number_words(record.pack(config, value), count) for value in values]
    return np.array(lines, np.uint32).reshape(-1, count)


def _unpacked(record: Record, lines: Words, config: CoreConfig) -> list[dict[str, int]]:
    return [record.unpack(config, words_number(line)) for line in lines]


def _packed_params(program: Program) -> Words:
    config, bits = program.config, PARAM.bits(program.config)
    names = [field.name for field in PARAM.fields]
    lines = []
    for row in program.params.tolist():
        lanes = [PARAM.pack(config, dict(zip(names, lane, strict=True))) << at * bits for at, lane in enumerate(row)]
        lines.append(number_words(sum(lanes), words_of(bits * config.quantisers)))
    return np.array(lines, np.uint32).reshape(-1, words_of(bits * config.quantisers))


def _params(lines: Words, config: CoreConfig) -> Any:
    bits = PARAM.bits(config)
    rows = [
        [list(PARAM.unpack(config, words_number(line) >> at * bits).values()) for at in range(config.quantisers)]
        for line in lines
    ]
    return np.array(rows, np.int64).reshape(-1, config.quantisers, len(PARAM.fields))


def _lanes(lines: Words, slot: int, bits: int, where: str) -> IntArray:
    values = unpack(lines, slot, lines.shape[1] * WORD_BITS // slot)
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    if values.size and not low <= values.min() <= values.max() <= high:
        _refuse("a weight or sum wider than the core's", where, f"{low} to {high}", f"{values.min()} to {values.max()}")
    return values


def _header(image: Words, config: CoreConfig, where: str) -> Mapping[str, int]:
    """Return the header of an image whose checksum is right."""
    if len(image) < len(HEADER) + 2:
        _refuse("cut off, or no image", where, f"at least {len(HEADER) + 2} words", len(image))
    header = dict(zip(HEADER, image[: len(HEADER)].tolist(), strict=True))
    if header["magic"] != MAGIC:
        _refuse("no image of a core", where, f"{MAGIC:08x} as its first word", f"{header['magic']:08x}")
    if header["version"] != VERSION:
        _refuse("an image of another version", where, VERSION, header["version"])
    if header["geometry"] != config.geometry:
        expected = f"{config.geometry:08x} ({config.geometry_text})"
        _refuse("an image for a core of other lanes or widths", where, expected, f"{header['geometry']:08x}")
    crc = _crc(image[:-1])
    if crc != image[-1]:
        _refuse("damaged or cut off", where, f"CRC-32 {int(image[-1]):08x}, as in its last word", f"{crc:08x}")
    return header


def _read_sections(body: Words, config: CoreConfig, where: str) -> dict[str, Words]:
    """Return the lines of each section, ``[N, words]``."""
    names, bits = {number: name for name, number in SECTIONS.items()}, row_bits(config)
    found = {name: np.zeros((0, words_of(width)), np.uint32) for name, width in bits.items()}
    at = 0
    while body[at] != 0:
        number, size = (int(word) for word in body[at : at + 2]) if at + 2 < len(body) else (0, len(body))
        if number not in names:
            _refuse("an unknown section", where, f"one of {sorted(names)}", number)
        name = names.pop(number)
        each = words_of(bits[name])
        if size % each or at + 2 + size >= len(body):
            expected = f"a multiple of {each} words, and at most {len(body) - at - 3}"
            _refuse(f"section {name} has no whole number of lines", where, expected, size)
        _fits(_DEPTHS[name], size if name == "steps" else size // each, config, where)
        found[name] = body[at + 2 : at + 2 + size].reshape(-1, each)
        at += 2 + size
    if at != len(body) - 1:
        _refuse("words after its end", where, 0, len(body) - 1 - at)
    return found


def _fits(depth: str, count: int, config: CoreConfig, where: str) -> None:
    if count > most_of(config, depth):
        _refuse("too large for the core", where, f"at most {depth} = {most_of(config, depth)}", count)


def _refuse(what: str, where: str, expected: object, received: object) -> NoReturn:
    raise ImageError(what, where=where, expected=expected, received=received, fix=_FIX)
