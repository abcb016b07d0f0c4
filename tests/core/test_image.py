# SPDX-License-Identifier: Apache-2.0
"""Images: what comes back is what was written, and nothing that is damaged or for another core is taken."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from core.core_cases import CONFIGS
from core.reshaped import random_reshaped_graph
from random_branches import random_branching_graph

from codesign.core import CoreConfig, Program, compile_graph, image_of, program_of, read_image, write_image
from codesign.core.bits import Words, pack, unpack
from codesign.core.image import design_of
from codesign.core.program import Place, Step, Walk
from codesign.core.records import PLACE, STEP, WALK
from codesign.errors import ImageError, OutputError


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_graph(random_branching_graph(np.random.default_rng(1), blocks=("residual", "max"))).program


def same(a: Program, b: Program) -> bool:
    """Whether all fields are equal."""
    names = [item.name for item in fields(a)]
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names if name != "config")


def sealed(words: list[int]) -> Words:
    """An image with the checksum that it should have."""
    body = np.array(words, np.uint32)
    return np.append(body, np.uint32(zlib.crc32(body.astype("<u4").tobytes())))


def sections(image: Words) -> dict[int, tuple[int, int]]:
    """Number -> position of its header, and words, of each section."""
    found, at = {}, 8
    while image[at]:
        found[int(image[at])] = at, int(image[at + 1])
        at += 2 + int(image[at + 1])
    assert at == len(image) - 2
    return found


def test_records_are_those_of_the_table() -> None:
    for record, table in ((Step, STEP), (Place, PLACE), (Walk, WALK)):
        assert [item.name for item in fields(record)] == [item.name for item in table.fields]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.lanes}x{config.quantisers}")
@pytest.mark.parametrize("seed", range(6))
def test_what_is_written_comes_back(config: CoreConfig, seed: int, tmp_path: Path) -> None:
    program = compile_graph(random_reshaped_graph(np.random.default_rng(seed)), config).program
    assert same(program_of(image_of(program), config), program)
    write_image(program, tmp_path / "net.core")
    assert same(read_image(tmp_path / "net.core", config), program)
    assert [path.name for path in tmp_path.iterdir()] == ["net.core"]


def test_the_format(program: Program) -> None:
    image = image_of(program)
    assert image[:8].tolist() == [
        0x524F4344,
        4,
        CoreConfig().geometry,
        program.design,
        len(program.steps),
        program.beats,
        0,
        0,
    ]
    found = sections(image)
    assert list(found) == [1, 2, 3, 4, 5, 6, 7]
    at, size = found[1]
    assert size == 10 * len(program.steps)
    number = int.from_bytes(image[at + 2 : at + 12].astype("<u4").tobytes(), "little")
    assert number >> 298 == program.steps[0].source == 1
    assert number >> 8 & 0xFFFFF == program.steps[0].sweep_words
    at, size = found[6]
    assert size == 16 * len(program.weights)
    assert image[at + 2] & 0xFFFF == program.weights[0, 0] & 0xFFFF
    assert image[at + 2] >> 16 == program.weights[0, 1] & 0xFFFF
    assert zlib.crc32(image[:-1].astype("<u4").tobytes()) == image[-1]


def test_the_design_tells_networks_apart(program: Program) -> None:
    weights = program.weights.copy()
    weights[-1, -1] ^= 1
    graph = random_branching_graph(np.random.default_rng(1), blocks=("residual", "max"))
    assert compile_graph(graph).program.design == program.design
    assert compile_graph(graph, CoreConfig(sum_words=1 << 15)).program.design == program.design
    assert design_of(replace(program, weights=weights)) != program.design


def test_no_flipped_bit_goes_unseen(program: Program) -> None:
    image, rng = image_of(program), np.random.default_rng(2)
    for at in [*range(8), len(image) - 1, len(image) - 2, *rng.integers(8, len(image), 300).tolist()]:
        broken = image.copy()
        broken[at] ^= np.uint32(1 << int(rng.integers(32)))
        with pytest.raises(ImageError, match=r"Expected: .* Received: .* Next step: "):
            program_of(broken, CoreConfig())


def test_no_image_that_is_cut_off_or_longer_is_taken(program: Program) -> None:
    image = image_of(program)
    for length in [*range(12), *np.random.default_rng(3).integers(12, len(image), 60).tolist(), len(image) - 1]:
        with pytest.raises(ImageError):
            program_of(image[:length], CoreConfig())
        if length < len(image) - 1:
            with pytest.raises(ImageError):
                program_of(sealed(image[:length].tolist()), CoreConfig())
    with pytest.raises(ImageError):
        program_of(np.append(image, np.uint32(0)), CoreConfig())


Change = Callable[[list[int], dict[int, tuple[int, int]]], object]
FAULTS: dict[str, tuple[Change, str]] = {
    "magic": (lambda words, _: words.__setitem__(0, 1), "no image of a core"),
    "version": (lambda words, _: words.__setitem__(1, 2), "another version. Expected: 4. Received: 2"),
    "geometry": (lambda words, _: words.__setitem__(2, 7), r"other lanes or widths. Expected: 2b03299c \(32,8,16,16"),
    "steps": (lambda words, _: words.__setitem__(4, words[4] + 1), "another number of steps"),
    "origins": (lambda words, _: words.__setitem__(7, 1), "other addresses than its sections lead to"),
    "section": (lambda words, at: words.__setitem__(at[6][0], 8), r"an unknown section. Expected: one of \[6, 7\]"),
    "twice": (lambda words, at: words.__setitem__(at[6][0], 5), "an unknown section.*Received: 5"),
    "line": (lambda words, at: words.__setitem__(at[6][0] + 1, 17), "section weights has no whole number of lines"),
    "end": (lambda words, at: words.__setitem__(at[7][0] + 1, 1 << 20), "section sums has no whole number of lines"),
    "after": (lambda words, _: words.extend([5, 5]), "words after its end. Expected: 0. Received: 2"),
    "walks": (lambda words, at: words.__delitem__(slice(at[3][0], at[3][0] + 2 + at[3][1])), "not as many walks"),
    "empty": (lambda words, _: words.__delitem__(slice(8, len(words) - 1)), "another number of steps"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_message(program: Program, fault: str) -> None:
    image = image_of(program)
    words, (change, message) = image[:-1].tolist(), FAULTS[fault]
    change(words, sections(image))
    with pytest.raises(ImageError, match=f"^image: .*{message}"):
        program_of(sealed(words), CoreConfig())


@pytest.mark.parametrize(
    "depth",
    ["sum_words", "code_rows", "weight_lines", "table_rows", "param_rows", "step_words", "places", "walks", "chunks"],
)
def test_what_is_larger_than_a_core(program: Program, depth: str) -> None:
    needs = program.needs()[depth]
    values = {"places": 256, "walks": 256}
    exact = replace(program.config, **{**values, depth: needs})
    assert same(program_of(image_of(program), exact), program)
    with pytest.raises(ImageError, match=rf"too large for the core\. Expected: at most {depth} = {needs - 1}"):
        program_of(image_of(program), replace(exact, **{depth: needs - 1}))


def test_other_cores_are_refused(program: Program) -> None:
    for config in CONFIGS[1:]:
        with pytest.raises(ImageError, match="for a core of other lanes or widths"):
            program_of(image_of(program), config)


def test_files_that_are_no_images(tmp_path: Path, program: Program) -> None:
    with pytest.raises(ImageError, match=r"net\.core: cannot be read \(No such file"):
        read_image(tmp_path / "net.core", CoreConfig())
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path, CoreConfig())
    (tmp_path / "odd.core").write_bytes(b"DCOR1")
    with pytest.raises(ImageError, match=r"odd\.core: no whole number of words"):
        read_image(tmp_path / "odd.core", CoreConfig())
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        write_image(program, tmp_path / "file" / "net.core")


def test_numbers_of_any_width() -> None:
    rng = np.random.default_rng(0)
    for bits in range(2, 49):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        values = rng.integers(low, high, (5, int(rng.integers(1, 70))), endpoint=True)
        values.flat[:2] = low, high
        words = pack(values, bits)
        assert words.shape == (5, -(-values.shape[1] * bits // 32))
        assert np.array_equal(unpack(words, bits, values.shape[1]), values)
        whole = int.from_bytes(words[0].astype("<u4").tobytes(), "little")
        assert [whole >> at * bits & (1 << bits) - 1 for at in range(values.shape[1])] == (
            values[0] & (1 << bits) - 1
        ).tolist()
