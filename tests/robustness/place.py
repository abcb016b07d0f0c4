# SPDX-License-Identifier: Apache-2.0
"""A small finished design in a folder, ways to damage it, and what every command must keep to whatever it finds."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import av
import numpy as np
import pytest
from finished import finish

import codesign.commands.build
import codesign.commands.compare
import codesign.commands.doctor
import codesign.commands.run
import codesign.commands.stream  # noqa: F401  (before anything in them is replaced)
from codesign.cli import main
from codesign.errors import SimulationError, SynthesisError
from codesign.fixed import Fixed
from codesign.graph import Delta, Dense, Graph, Source
from codesign.graph.file import save_graph
from codesign.graph.ir import accumulator_format
from codesign.report.model import DETAIL, REPORT, Detail, Report, Still, write_json
from codesign.rtl.identity import design_id
from codesign.rtl.project import emit
from codesign.synth.record import BUILD, BoardBuild, write_build

DESIGN = '[design]\nname = "small"\n[data]\nsize = 8\ndigit = 8.0\ntravel = 0.0\n[model]\nhidden = [4]\n'
STUDY = '[study]\nname = "s"\nseeds = [1]\n' + DESIGN[DESIGN.index("[data]") :] + "[variant.a]\n[variant.b]\n"
STAGES = ("1_model", "2_graph", "3_hls", "3_rtl", "4_csim", "4_rtlsim", "5_hls", "5_synth", "6_report")
BOARD = (Path(__file__).parents[2] / "flows" / "boards" / "icebreaker.toml").read_text()
VIDEOS = ("ok.mkv", "ok.avi", "ok.mp4")


def picture_graph() -> Graph:
    """Return a dense layer on grey frames of 4 x 4 pixels."""
    source = Source(name="frame", shape=(4, 4, 1), fmt=Fixed(width=8, frac=8, signed=False), lanes=4)
    delta = Delta(name="d0", input="frame", shape=(16,), in_fmt=source.fmt, fmt=Fixed(width=4, frac=4, signed=False),
                  activation="relu", step_log2=(0,) * 16, channels=16, lo=0, hi=15)  # fmt: skip
    draw = np.random.default_rng(1)
    weight, bias, weight_fmt = draw.integers(-4, 4, (16, 2)), np.array([1, -1]), Fixed(width=3, frac=2, signed=True)
    fmt = accumulator_format("fc1", weight, bias, weight_fmt=weight_fmt, delta=delta)
    dense = Dense(name="fc1", input="d0", weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=2)
    return Graph(name="small", nodes=(source, delta, dense))


def make(folder: Path) -> Path:
    """Make everything that a command can be given, and return ``folder``."""
    build, graph = folder / "build" / "small", picture_graph()
    for stage in STAGES:
        (build / stage).mkdir(parents=True)
    save_graph(graph, build / "2_graph")
    (build / "2_graph" / "hls4ml.json").write_text(json.dumps({"hls_config": {"Model": {}}, "project_name": "small"}))
    (build / "1_model" / "training.json").write_text(json.dumps({"accuracy": {"delta": 0.5}}))
    (build / "1_model" / "model.keras").write_bytes(b"PK\x03\x04 not a model")
    (build / "3_hls" / "build_lib.sh").write_text("LIB_STAMP=1234\n")
    still = Still(frame=1, height=1, width=2, codes=(0, 255), changes=(0, 1))
    write_json(Report(design="small", tool_versions={"keras": "3.15"}), build / "6_report" / REPORT)
    write_json(Detail(clip="x", cycles=(9, 8), ideal=(7, 7), stills=(still,)), build / "6_report" / DETAIL)
    (build / "6_report" / "report.html").write_text("<!doctype html>")
    board = build / "boards" / "icebreaker"
    board.mkdir(parents=True)
    number = f"{design_id(emit(graph)):08x}"
    record = BoardBuild(design="small", design_id=number, target="icebreaker", top="uart", skip=True,
                        clock_mhz=24.0, baud=1_000_000, bitstream="design.bin")  # fmt: skip
    write_build(record, board / BUILD)
    for path in (*(build / stage for stage in STAGES), board):
        finish(path)
    for name, text in (("x.toml", DESIGN), ("s.toml", STUDY), ("board.toml", BOARD)):
        (folder / name).write_text(text)
    for name in VIDEOS:
        write_video(folder / name)
    return folder


def write_video(path: Path, frames: int = 4) -> None:
    """Write a few grey frames of 16 x 16 pixels."""
    codec, pixels = ("mpeg4", "yuv420p") if path.suffix != ".mkv" else ("ffv1", "bgr0")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, pixels
        for index in range(frames):
            picture = np.full((16, 16, 3), 40 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def replace_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every heavy stage and tool fail as one that is not there."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise SimulationError("nothing heavy runs here")

    class Refusing:
        def __init__(self, *_: Any, **__: Any) -> None:
            raise SynthesisError("nothing heavy runs here")

    for function in ("codesign.verify.forms.run_rtl", "codesign.flow.convert.convert", "codesign.flow.runner.work",
                     "codesign.study.run.train_one", "codesign.commands.compare.run_study",
                     "codesign.synth.build.BoardBuilder.build"):  # fmt: skip
        monkeypatch.setattr(function, refuse)
    for kind in ("codesign.flow.runner.Child", "codesign.sim.board.SimulatedBoard"):
        monkeypatch.setattr(kind, Refusing)
    monkeypatch.setattr("codesign.commands.doctor.doctor", lambda: ())


def commands(folder: Path) -> dict[str, list[str]]:
    """Return a call of each command on what `make` made."""
    build, out = str(folder / "build" / "small"), str(folder / "out")
    return {
        "report": ["report", build, "--markdown", out, "--html", f"{out}.html", "--latex", f"{out}.tex"],
        "reports": ["report", build, build, "--markdown", out],
        "measure": ["measure", build, "--video", str(folder / "ok.mkv"), "--json", out],
        "stream": ["stream", build, "--port", str(folder / "port"), "--video", str(folder / "ok.mkv")],
        "simulated": ["stream", build, "--port", "sim", "--video", str(folder / "ok.mkv"), "--json", out],
        "build": ["build", build, "--target", str(folder / "board.toml")],
        "dense": ["build", build, "--target", "icebreaker", "--dense"],
        "kept": ["build", build, "--target", "icebreaker"],
        "hls": ["build", build, "--target", "kv260", "--hls"],
        "run": ["run", str(folder / "x.toml"), "--build-dir", str(folder / "build")],
        "from": ["run", str(folder / "x.toml"), "--build-dir", str(folder / "build"), "--from", "3_rtl"],
        "stages": ["stages", str(folder / "x.toml"), "--build-dir", str(folder / "build")],
        "compare": ["compare", str(folder / "s.toml"), "--build-dir", str(folder / "build"), "--json", out],
    }


def check(argv: list[str], *folders: Path) -> str:
    """Run a command; return what it printed on stderr.

    It must end with 0, 1 or 2, with one paragraph if not 0, without a traceback, and leave nothing half-written.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as stop:  # wrong usage: by argparse
            code = int(str(stop.code))
    said = err.getvalue()
    assert code in (0, 1, 2), f"{argv}: exit code {code}: {said}"
    assert "Traceback" not in said + out.getvalue(), f"{argv}: {said}"
    assert "internal error" not in said, f"{argv}: {said}"
    assert "\n\n" not in said, f"{argv}: several paragraphs: {said}"
    if code:
        assert "error:" in said, f"{argv}: exit code {code} and no error: {said}"
    left = [path for folder in folders for path in folder.rglob("*.part")]
    assert not left, f"{argv}: {left} left behind"
    return said


@contextlib.contextmanager
def damaged(source: Path, target: Path, name: str, damage: Callable[[Path], None], *, again: bool) -> Iterator[Path]:
    """Yield a copy of a folder in which ``damage`` was done to one file; ``again``: its manifest says so, too."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        source, target, ignore=lambda _, names: [other for other in VIDEOS[1:] if other in names and other != name]
    )
    path = target / name
    damage(path)
    if again and not path.name.startswith("manifest.json") and (path.parent / "manifest.json").exists():
        finish(path.parent)
    try:
        yield target
    finally:
        shutil.rmtree(target, ignore_errors=True)


def damages(draw: random.Random) -> Callable[[Path], None]:
    """Return a random way to damage a file; JSON and archives are also damaged inside."""
    ways = (
        cut,
        flip,
        empty,
        remove,
        into_folder,
        loop,
        dangling,
        binary,
        nested,
        *(4 * (edit_json,)),
        *(2 * (edit_npz,)),
    )
    way = draw.choice(ways)
    seed = draw.randrange(2**32)
    return lambda path: way(path, random.Random(seed))


def cut(path: Path, draw: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: draw.randrange(len(data) + 1)])


def flip(path: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(draw.randrange(1, 20)):
        if data:
            data[draw.randrange(len(data))] = draw.randrange(256)
    path.write_bytes(data)


def empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def remove(path: Path, _: random.Random) -> None:
    path.unlink()


def into_folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def loop(path: Path, _: random.Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


def dangling(path: Path, _: random.Random) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def binary(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.randbytes(draw.randrange(1, 300)))


def nested(path: Path, _: random.Random) -> None:
    path.write_text("[" * 20_000 + "]" * 20_000)


def edit_model(path: Path, draw: random.Random) -> None:
    """Change something in a part of a ``.keras`` file, or lose the part."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice(sorted(parts))
    if name.endswith(".json"):
        data = json.loads(parts[name])
        _edit(data, draw)
        parts[name] = json.dumps(data).encode()
    else:
        weights = bytearray(parts[name])
        for _ in range(draw.randrange(1, 40)):
            weights[draw.randrange(len(weights))] = draw.randrange(256)
        parts[name] = bytes(weights)
    if draw.random() < 0.1:
        del parts[name]
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**40, 10**30, 0.5, -1e300, float("nan"), float("inf"), "", "x", "../../x", "\x00", "\ud800",
    "\n\n", [], [1], ["x"], [[1]], {}, {"x": 1}, [None],
)  # fmt: skip


def edit_json(path: Path, draw: random.Random) -> None:
    """Change, remove or add a value somewhere in a JSON file; of another file, a piece of its text."""
    try:
        data = json.loads(path.read_text())
    except ValueError:
        flip(path, draw)
        return
    if draw.random() < 0.1 or not isinstance(data, (dict, list)) or not data:
        data = draw.choice(VALUES)
    else:
        _edit(data, draw)
    path.write_text(json.dumps(data))


def _edit(data: Any, draw: random.Random) -> None:
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key = draw.choice(keys)
    if isinstance(data[key], (dict, list)) and data[key] and draw.random() < 0.8:
        _edit(data[key], draw)
    elif draw.random() < 0.3:
        del data[key]
    elif draw.random() < 0.15 and isinstance(data, dict):
        data[draw.choice(["x", "", "a\nb"])] = draw.choice(VALUES)
    else:
        data[key] = draw.choice(VALUES)


def edit_npz(path: Path, draw: random.Random) -> None:
    """Change, remove or rename an array of an archive."""
    if path.suffix != ".npz":
        edit_json(path, draw)
        return
    with np.load(path) as data:
        arrays = dict(data)
    name = draw.choice(list(arrays))
    array = arrays.pop(name)
    changed: list[Any] = [
        array.astype(float), array[:1], array[None], array * 10**6, array.astype(str), np.array(["x"], object),
        np.array(3), array.astype(bool), np.full(array.shape, np.nan), array.astype(complex), np.zeros(0), None,
    ]  # fmt: skip
    chosen = draw.choice(changed)
    if chosen is not None:
        arrays[draw.choice([name, name, name, f"{name}x"])] = chosen
    np.savez(path, **arrays)
