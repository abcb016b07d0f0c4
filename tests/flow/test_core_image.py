# SPDX-License-Identifier: Apache-2.0
"""`codesign core --target BOARD --output NAME.core`: the image of a design for a board, and what describes it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from finished import finish
from random_graphs import random_conv_graph
from small_design import small_graph

from codesign.cli import main
from codesign.core import compile_graph, pack_input, read_image
from codesign.core.beside import described, limits
from codesign.graph.file import save_graph
from codesign.synth.target import core_of, load_target

KV260 = core_of(load_target("kv260"))


@pytest.fixture
def design(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "2_graph").mkdir(parents=True)
    save_graph(small_graph(), folder / "2_graph")
    finish(folder / "2_graph")
    return folder


def test_an_image_for_a_board(design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "networks" / "small.core"
    assert main(["core", str(design), "--target", "kv260", "--output", str(path)]) == 0
    compiled = compile_graph(small_graph(), KV260)
    program = read_image(path, KV260)
    assert program.design == compiled.program.design
    about = json.loads(path.with_name("small.core.json").read_text())
    assert about == json.loads(json.dumps(described(compiled)))
    assert about["crc"] == int(np.frombuffer(path.read_bytes(), "<u4")[-1])
    out = capsys.readouterr().out
    assert f"design {program.design:08x}, {path.stat().st_size:,} bytes for kv260" in out
    assert "small.core.json" in out


def test_one_image_serves_boards_of_the_same_geometry(design: Path, tmp_path: Path) -> None:
    for board in ("kv260", "zcu104"):
        assert main(["core", str(design), "--target", board, "--output", str(tmp_path / f"{board}.core")]) == 0
    assert (tmp_path / "kv260.core").read_bytes() == (tmp_path / "zcu104.core").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "kv260"], "Expected: --target BOARD --output NAME.core, or neither"),
        (["--output", "{tmp}/a.core"], "Expected: --target BOARD --output NAME.core, or neither"),
        (["--target", "kv260", "--output", "{tmp}/a.bin"], "not the name of an image"),
        (["--target", "icebreaker", "--output", "{tmp}/a.core"], "this board has no core"),
        (["--target", "kv26", "--output", "{tmp}/a.core"], "unknown board"),
        (["--target", "kv260", "--output", "{design}/2_graph/manifest.json.core/a.core"], "2_graph"),
    ],
)
def test_what_is_no_image(
    words: list[str], message: str, design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "2_graph" in words[-1]:
        (design / "2_graph" / "manifest.json.core").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert main(["core", str(design), *(word.format(tmp=tmp_path, design=design) for word in words)]) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_network_that_does_not_fit(design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "flows" / "boards" / "kv260.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("\nstep_words = 2048", "\nstep_words = 2"))
    output = tmp_path / "a.core"
    assert main(["core", str(design), "--target", str(tmp_path / "mine.toml"), "--output", str(output)]) != 0
    assert "at most 2 words of steps" in capsys.readouterr().err.replace("\n", " ")
    assert not output.exists()


def test_the_description_says_where_codes_lie() -> None:
    graph = random_conv_graph(np.random.default_rng(9))
    compiled = compile_graph(graph, KV260)
    about = described(compiled)
    side = about["frame"]
    frame = np.arange(1, graph.source.size + 1) % (graph.source.fmt.hi + 1)
    beats = pack_input(compiled, frame.reshape(1, *graph.source.shape))[0]
    assert beats.shape == (side["beats"], KV260.quantisers)
    np.testing.assert_array_equal(beats.reshape(-1)[: frame.size], frame)  # the input lies in raster order
    assert (side["lo"], side["hi"]) == (graph.source.fmt.lo, graph.source.fmt.hi)
    assert all(need <= limits(KV260)[name] for name, need in about["needs"].items())
    assert about["needs"]["memory_beats"] == compiled.program.memory_beats
