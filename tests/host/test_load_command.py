# SPDX-License-Identifier: Apache-2.0
"""``codesign load`` and ``codesign stream`` on a simulated core, and what they refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from data.videos import write_video
from finished import finish
from host.designs import moving_pictures, picture_graph
from host.test_core import CONFIG

from codesign.cli import main
from codesign.core import compile_graph, image_of
from codesign.core.uart import UART_TOP
from codesign.endings import FAILED, OK, USAGE
from codesign.graph.file import save_graph
from codesign.sim import board

GRAPH = picture_graph()


@pytest.fixture
def folder(tmp_path: Path, rtl_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a build folder of the design; the simulated core is built once for all tests."""
    monkeypatch.setattr(board, "CORE", CONFIG)
    made = tmp_path / "small"
    (made / "2_graph").mkdir(parents=True)
    save_graph(GRAPH, made / "2_graph")
    finish(made / "2_graph")
    (made / "cache" / "board").mkdir(parents=True)
    copy_builds(rtl_cache, made / "cache" / "board")
    yield made
    copy_builds(made / "cache" / "board", rtl_cache)


def copy_builds(source: Path, target: Path) -> None:
    for built in source.glob(f"{UART_TOP}_*/"):
        if built.is_dir() and not (target / built.name).exists():
            shutil.copytree(built, target / built.name)


def test_a_network_is_loaded_and_checked(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    assert main(["load", str(folder), "--port", "sim", "--json", str(out)]) == OK
    program = compile_graph(GRAPH, CONFIG).program
    figures = json.loads(out.read_text())
    assert (figures["design"], figures["words"]) == (program.design, len(image_of(program)))
    assert figures["needs"] == program.needs()
    assert figures["found"]["config"]["lanes"] == CONFIG.lanes
    said = capsys.readouterr().out
    assert f"small: design {program.design:08x}, {4 * figures['words']:,} bytes in" in said
    assert "the CRC-32 of what arrived is right" in said
    assert "core of 8 lanes" in said


def test_a_video_is_streamed_through_a_core(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "moving.mkv", moving_pictures(12).repeat(3, axis=3))
    out = tmp_path / "figures.json"
    argv = ["stream", str(folder), "--port", "sim-core", "--video", str(video), "--check", "--json", str(out)]
    assert main(argv) == OK
    figures = json.loads(out.read_text())
    assert (figures["design"], figures["frames"], figures["mismatches"]) == ("small", 12, 0)
    assert 0 < figures["operation_sparsity"] < 1
    assert [layer["name"] for layer in figures["layers"]] == [node.name for node in GRAPH.linears]
    assert "0 mismatches with the golden model" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["load", "{folder}", "--port", "/dev/none"], FAILED, "the port cannot be opened"),
        (["load", "{folder}/none", "--port", "sim"], FAILED, "2_graph"),
        (["load", "{folder}", "--port", "/dev/none", "--target", "ulx3s-85f"], USAGE, "a board says itself"),
        (["load", "{folder}", "--port", "sim", "--target", "icebreaker"], USAGE, "this board has no core"),
        (["load", "{folder}", "--port", "sim", "--json", "."], USAGE, "--json"),
        (["build", "--core"], USAGE, "codesign build --core --target BOARD"),
        (["build", "{folder}", "--core", "--target", "ulx3s-85f"], USAGE, "a core is built without a design"),
        (["build", "--core", "--target", "icebreaker"], USAGE, "this board has no core"),
        (["build", "--core", "--target", "ulx3s-85f", "--baud", "1"], USAGE, "the serial port cannot have this rate"),
    ],
)
def test_what_cannot_work_is_said_at_once(
    folder: Path, argv: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(folder=folder) for word in argv]) == code
    said = capsys.readouterr()
    assert message in " ".join(said.err.split())
    assert "Next step" in said.err or "Expected" in said.err
