# SPDX-License-Identifier: Apache-2.0
"""``codesign stream``: the whole command on a simulated board."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.videos import write_video
from finished import finish
from host.designs import moving_pictures, picture_graph

from codesign.cli import main
from codesign.data.video import read_video
from codesign.endings import FAILED, OK, USAGE
from codesign.errors import BoardError, ConfigError
from codesign.graph.file import save_graph
from codesign.graph.golden import Golden
from codesign.graph.sparsity import activity
from codesign.host import client
from codesign.host.identity import built_baud
from codesign.rtl import emit
from codesign.rtl.identity import design_id

GRAPH = picture_graph()
FRAMES = 20


@pytest.fixture
def folder(tmp_path: Path, rtl_cache: Path) -> Iterator[Path]:
    """Return a build folder of the design, whose simulation is built once for all tests."""
    made = tmp_path / "small"
    (made / "2_graph").mkdir(parents=True)
    save_graph(GRAPH, made / "2_graph")
    finish(made / "2_graph")
    (made / "cache" / "board").mkdir(parents=True)
    copy_builds(rtl_cache, made / "cache" / "board")
    yield made
    copy_builds(made / "cache" / "board", rtl_cache)


def copy_builds(source: Path, target: Path) -> None:
    """Copy what is built of the design and not there yet; no links, which a build folder must not have."""
    for built in source.glob(f"{GRAPH.name}_uart_*/"):
        if built.is_dir() and not (target / built.name).exists():
            shutil.copytree(built, target / built.name)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "moving.mkv", moving_pictures(FRAMES + 5).repeat(3, axis=3))


def test_a_video_is_streamed_compared_and_counted(
    folder: Path, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "not" / "yet" / "figures.json"
    argv = ["stream", str(folder), "--port", "sim", "--video", str(video), "--frames", str(FRAMES), "--check"]
    assert main([*argv, "--json", str(out)]) == OK
    figures = json.loads(out.read_text())
    assert figures["design"] == "small"
    assert (figures["frames"], figures["mismatches"]) == (FRAMES, 0)
    assert (figures["repeated"], figures["reconnections"]) == (0, 0)
    assert figures["cycles_per_frame"]["max"] >= figures["cycles_per_frame"]["mean"] > GRAPH.source.beats
    exact = activity(GRAPH, Golden(GRAPH).run(read_video(video, FRAMES, (8, 8))))
    assert [layer["name"] for layer in figures["layers"]] == [layer.name for layer in exact]
    for counted, layer in zip(figures["layers"], exact, strict=True):
        assert counted["events_per_frame"] == pytest.approx(layer.events.mean())
        assert counted["operation_sparsity"] == pytest.approx(layer.operation_sparsity)
    skipped = sum(layer.active_macs.mean() for layer in exact) / sum(layer.macs for layer in exact)
    assert figures["operation_sparsity"] == pytest.approx(1 - skipped)
    said = capsys.readouterr().out
    assert f"frame {FRAMES}: class " in said or f"frame {FRAMES}: output " in said
    assert f"small: {FRAMES} frames in " in said
    assert "0 mismatches with the golden model" in said
    assert said.endswith(f"{out}\n")


def test_without_check_and_to_the_end_of_the_video(
    folder: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", str(folder), "--port", "sim", "--video", str(video)]) == OK
    said = capsys.readouterr().out
    assert f"small: {FRAMES + 5} frames in " in said
    assert "not compared with the golden model (--check)" in said


def test_a_mismatch_fails(
    folder: Path, video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = Golden.run

    def wrong(self: Golden, codes: np.ndarray) -> Any:
        trace = honest(self, codes)
        trace.outputs[...] += 1
        return trace

    monkeypatch.setattr(Golden, "run", wrong)
    argv = ["stream", str(folder), "--port", "sim", "--video", str(video), "--frames", "3", "--check"]
    assert main(argv) == FAILED
    assert f"{3 * GRAPH.output.size} mismatches" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--port", "/dev/none", "--video", "{video}"], FAILED, "the port cannot be opened"),
        (["--port", "sim", "--video", "{video}.none"], FAILED, "no such video"),
        (["--port", "sim", "--video", "camera:/dev/none"], FAILED, "the camera cannot be opened"),
        (["--port", "sim", "--video", "{video}", "--json", "{video}/figures.json"], USAGE, "--json"),
        (["--port", "sim", "--video", "{video}", "--json", "."], USAGE, "--json"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(
    folder: Path, video: Path, options: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [option.format(video=video) for option in options]
    assert main(["stream", str(folder), *argv]) == code
    said = capsys.readouterr()
    assert message in " ".join(said.err.split())
    assert "building the simulation" not in said.out


def built(folder: Path, target: str, **record: object) -> None:
    """Leave a bitstream's record in a build folder."""
    known = {"design": "small", "design_id": f"{design_id(emit(GRAPH)):08x}", "top": "uart", "bitstream": "small.bit"}
    path = folder / "boards" / target / "build.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(known | record))


def test_the_baud_rate_is_the_builds(folder: Path) -> None:
    assert built_baud(folder, GRAPH) == 1_000_000
    built(folder, "pynq-z2", top="soc", baud=None)
    built(folder, "gone", baud=9600, bitstream=None)
    built(folder, "old", design_id="00000000", baud=115_200)
    assert built_baud(folder, GRAPH) == 115_200, "of another state of the design, if there is no other"
    built(folder, "ulx3s-85f", baud=3_000_000)
    built(folder, "ulx3s-85f_dense", baud=3_000_000)
    assert built_baud(folder, GRAPH) == 3_000_000
    built(folder, "icebreaker")  # from before builds had a baud rate
    with pytest.raises(ConfigError, match=r"Expected: --baud.*icebreaker 1000000, ulx3s-85f 3000000"):
        built_baud(folder, GRAPH)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"bitstream": "a", "design_id": "b", "top": "uart", "baud": "x"}'])
def test_a_record_that_cannot_be_read_is_named(folder: Path, text: str) -> None:
    built(folder, "ulx3s-85f")
    (folder / "boards" / "ulx3s-85f" / "build.json").write_text(text)
    with pytest.raises(ConfigError, match=r"ulx3s-85f/build.json.*--baud"):
        built_baud(folder, GRAPH)


@pytest.mark.parametrize(("option", "baud"), [([], 3_000_000), (["--baud", "115200"], 115_200)])
def test_the_port_is_opened_at_that_rate_unless_another_is_given(
    folder: Path, video: Path, option: list[str], baud: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def opened(name: str, rate: int) -> None:
        asked.append((name, rate))
        raise BoardError("not today")

    monkeypatch.setattr(client, "Port", opened)
    built(folder, "ulx3s-85f", baud=3_000_000)
    assert main(["stream", str(folder), "--port", "/dev/none", "--video", str(video), *option]) == FAILED
    assert asked == [("/dev/none", baud)]
