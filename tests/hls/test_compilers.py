# SPDX-License-Identifier: Apache-2.0
"""HLS compilers in the flow: recorded ones through every way that leads to one, and everything that goes wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import fake_bambu
import numpy as np
import pytest
import tiny_hls

from codesign.cli import main
from codesign.errors import ConfigError, StageError, SynthesisError, ToolNotFoundError
from codesign.fixed import Fixed
from codesign.flow.stages import compiled as compiled_stage
from codesign.graph import Delta, Dense, Graph
from codesign.graph import Source as Input
from codesign.graph.file import load_graph
from codesign.graph.golden import Golden
from codesign.hls import bambu, compilers
from codesign.hls.core import Source
from codesign.hls.memory import check_memory, kept_bits
from codesign.report.model import REPORT
from codesign.verify.clips import load_clips


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the design and its stages before any HLS compiler."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny_hls.run(folder, last="4_rtlsim")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(made, tmp_path / "made")


@pytest.fixture
def build(folder: Path) -> Path:
    """The build folder in it."""
    return folder / tiny_hls.NAME


def test_processes_of_equal_code_stay_apart() -> None:
    """PandA-Bambu merges equal functions, and stops at a process that is called twice."""
    process = "static void {0}(hls::stream<a> &in1) {{\n    f(in1);\n}}"
    text = "\n".join(process.format(name) for name in ("a_send", "b_send"))
    lines = bambu.plain(text, dataflow=True).split("\n")
    assert lines[0] == '__attribute__((section("a_send"))) static void a_send(hls::stream<a> &in1) {'
    assert lines[3].startswith('__attribute__((section("b_send"))) static void b_send(')
    assert bambu.plain(text, dataflow=False) == text, "kernels in headers are no processes"


def test_the_recording_is_of_the_compiler_that_is_supported() -> None:
    about = fake_bambu.about()
    assert about["compiler"] == "PandA-Bambu 2024.10"
    (verilog,) = (text for name, text in fake_bambu.files().items() if name.endswith(".v"))
    assert f"// Bambu executed with: {about['command']}" in verilog
    assert "PANDA_LGPLv3" in verilog[:2000], "its header is whole"
    assert fake_bambu.CORE.stat().st_size < 150_000


@pytest.mark.parametrize("tool", ["bambu", "vitis"])
def test_stage_and_report(tool: str, folder: Path, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(tool)
    chosen = tiny_hls.TOML.replace("[hls]\n", f'[hls]\ntool = "{tool}"\n')
    lines = tiny_hls.run(folder, chosen)
    assert "5_hls ok" in lines
    assert "6_report ok" in lines
    report = json.loads((folder / "tiny" / "6_report" / REPORT).read_text())
    title = {"bambu": "PandA-Bambu 2024.10", "vitis": "Vitis HLS 2024.2"}[tool]
    assert report["agreement"]["mismatches"]["golden_hls"] == 0
    assert (report["hls"]["origin"], report["hls"]["compiler"], report["hls"]["clock_mhz"]) == ("measured", title, 100)
    assert report["hls"]["cycles_per_frame"]["mean"] >= 10, "a frame has ten beats at least"
    assert report["hls"]["estimated_cycles_per_frame"]["mean"] == tiny_hls.TRIPS
    assert "5_hls cached" in tiny_hls.run(folder, chosen)


@pytest.mark.usefixtures("without_vendor_tools")
def test_without_a_compiler_the_stage_is_skipped(folder: Path) -> None:
    lines = tiny_hls.run(folder, last="5_hls")
    assert "5_hls skipped: no HLS compiler on PATH" in lines.replace("\n", " ")


@pytest.mark.usefixtures("bambu")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("version", ("this PandA-Bambu cannot be used", "2024.10", "version 2023.1 does not work here", "Next step")),
        ("fails", ("bambu failed with exit status 1", "error -> no registers left", "bambu.log")),
        ("wide", ("exit status 11", "a token of more than 64 bits; choose fewer PE, or fewer lanes (P)")),
        ("hangs", ("bambu took longer than 1 s", "bambu.log")),
        ("nothing", ("PandA-Bambu left no core", "a module tiny_stream", "Received: no file", "read the logs in")),
        ("other weight", ("golden_hls", "Expected")),
    ],
)
def test_a_stage_that_goes_wrong_is_not_kept(
    fault: str, words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BAMBU", fault)
    text = tiny_hls.TOML.replace("timeout_s = 60", f"timeout_s = {1 if fault == 'hangs' else 60}")
    with pytest.raises((StageError, SynthesisError)) as found:
        tiny_hls.run(folder, text.replace("[hls]\n", '[hls]\ntool = "bambu"\n'))
    for word in words:
        assert word in str(found.value)
    assert not (folder / "tiny" / "5_hls").exists()
    assert not (folder / "tiny" / "6_report").exists()


@pytest.fixture
def model(build: Path, tmp_path: Path) -> Any:
    """The hls4ml model of the design."""
    return tiny_hls.converted(build, tmp_path / "project")


@pytest.mark.parametrize("tool", ["bambu", "vitis"])
def test_predict(tool: str, model: Any, build: Path, request: pytest.FixtureRequest) -> None:
    """Bits are those of the golden model, state lives on between calls, and a reset ends it."""
    request.getfixturevalue(tool)
    graph, (first, second, _) = load_graph(build / "2_graph"), load_clips(build / "2_graph")
    golden = Golden(graph)

    def hls(frames: np.ndarray) -> np.ndarray:
        values = model.predict(frames, sim="hls", hls_tool=tool, logits=True)
        return graph.output.fmt.to_codes(values).reshape(len(frames), -1)

    def expected(frames: np.ndarray) -> np.ndarray:
        return golden.run(frames).outputs.reshape(len(frames), -1)

    whole = expected(first)
    np.testing.assert_array_equal(np.concatenate([hls(first[:5]), hls(first[5:])]), whole)
    assert model.hls_stats["cycles_per_frame"].shape == (7,)
    np.testing.assert_array_equal(hls(second), expected(second))  # the stream goes on
    held = expected(first)
    assert (held != whole).any(), "with a hold, what came before is seen"
    np.testing.assert_array_equal(hls(first), held)
    model.reset()
    np.testing.assert_array_equal(hls(first), whole)


@pytest.mark.usefixtures("without_vendor_tools")
def test_predict_without_a_compiler(model: Any, build: Path) -> None:
    frames = load_clips(build / "2_graph")[0]
    with pytest.raises(ToolNotFoundError) as found:
        model.predict(frames, sim="hls")
    for word in ("an HLS compiler was not found", "Vitis HLS: install AMD Vitis", "PandA-Bambu: build PandA 2024.10"):
        assert word in str(found.value)
    with pytest.raises(ToolNotFoundError, match=r"bambu was not found.*Next step: build PandA"):
        model.predict(frames, sim="hls", hls_tool="bambu")
    with pytest.raises(ConfigError, match=r"unknown HLS compiler.*one of vitis, bambu.*'bamboo'.*bambu"):
        model.predict(frames, sim="hls", hls_tool="bamboo")


def wide_graph(inputs: int, outputs: int) -> Graph:
    """Return a dense layer of some size."""
    code, wide = Fixed(width=4, frac=0, signed=False), Fixed(width=32, frac=0, signed=True)
    weight = np.zeros((inputs, outputs), np.int64)
    nodes = (
        Input(name="frame", shape=(inputs,), fmt=code),
        Delta(name="d0", input="frame", shape=(inputs,), in_fmt=code, fmt=code, activation="relu", lo=0, hi=15),
        Dense(name="fc0", input="d0", weight=weight, bias=weight[0], weight_fmt=code, fmt=wide),
    )
    return Graph(name="wide", nodes=nodes)


def test_what_a_core_keeps() -> None:
    graph = wide_graph(10, 3)
    assert kept_bits(graph) == {"d0": 40, "fc0": 30 * 4 + 3 * 32}
    check_memory(graph, capacity=256)
    with pytest.raises(SynthesisError) as found:
        check_memory(graph, capacity=255, of="a small board")
    for word in (
        "wide: ",
        "not compiled",
        "255 bits, those of a small board",
        "256 bits; most in fc0 216, d0 40",
        "Next step",
    ):
        assert word in str(found.value)


def test_what_fits_nowhere_is_not_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilers, "_version", lambda _: pytest.fail("the compiler is looked for"))
    source = Source(graph=wide_graph(6000, 3000), top="wide", files={}, in_lanes=1, out_lanes=1)
    with pytest.raises(SynthesisError, match=r"do not fit into the memory of the device.*69,304,320 bits"):
        compilers.compile_source(source, tmp_path / "core", compiler=compilers.COMPILERS[1])
    assert not (tmp_path / "core").exists()


BUILD = ["--target", "ulx3s-85f", "--hls", "--hls-tool", "bambu"]


@pytest.mark.usefixtures("bambu")
@pytest.mark.parametrize(
    ("fault", "step", "message"),
    [
        ("fails", "bambu", "no registers left"),
        pytest.param("other weight", "simulate", "of 120 output values differ", marks=pytest.mark.heavy),
    ],
)
def test_build(
    build: Path,
    fault: str,
    step: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Compiled for the board's clock, compared, mapped by Yosys; an attempt that fails leaves the last one as it is."""
    assert main(["build", str(build), *BUILD]) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "bambu ok" in shown
    assert "simulate ok" in shown
    assert "12 frames, 0 of 120 values differ" in " ".join(shown.split())
    assert "synthesise ok" in shown
    folder = build / "boards" / "ulx3s-85f_hls"
    found = json.loads((folder / "hls.json").read_text())
    assert (found["target"], found["kind"], found["tool"]) == ("ulx3s-85f", "synth", "yosys")
    assert (found["compiler"], found["clock_mhz"], found["frames_compared"]) == ("PandA-Bambu 2024.10", 100.0, 12)
    assert found["lut"] > 500
    assert found["ff"] > 200
    assert found["bram_bits"] is not None
    assert found["dsp"] is not None
    assert {"tiny_stream.v", "tiny_stream_shell.sv"} < {path.name for path in (folder / "verilog").iterdir()}
    assert not list((build / "boards").glob("*.partial"))
    before = (folder / "hls.json").read_bytes()
    monkeypatch.setenv("FAKE_BAMBU", fault)
    assert main(["build", str(build), *BUILD]) == 1
    said = capsys.readouterr()
    assert f"{step} failed" in said.out
    assert message in " ".join(said.err.split())
    assert (folder / "hls.json").read_bytes() == before


@pytest.mark.usefixtures("bambu")
def test_build_for_another_clock(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[dict[str, Any]] = []

    def refuse(*_: Any, **options: Any) -> None:
        called.append(options)
        raise SynthesisError("far enough")

    monkeypatch.setattr("codesign.commands.build_core.compile_source", refuse)
    assert main(["build", str(build), *BUILD, "--clock", "80"]) == 1
    assert called[0]["clock_mhz"] == 80.0


def test_a_network_that_the_board_cannot_hold(
    build: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    program: Callable[[str, str], None],
) -> None:
    program("bambu", "raise SystemExit('it is compiled')")
    monkeypatch.setattr("codesign.hls.memory.kept_bits", lambda _: {"fc1": 5_000_000})
    assert main(["build", str(build), *BUILD]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "at most 3,833,856 bits, those of" in said
    assert "most in fc1 5,000,000" in said


@pytest.mark.usefixtures("without_vendor_tools")
def test_build_without_a_compiler(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: str) -> str:
        assert main(["build", str(build), "--target", "ulx3s-85f", "--hls", *words]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "hls skipped: no HLS compiler on PATH" in shown()
    assert "bambu skipped: bambu not on PATH" in shown("--hls-tool", "bambu")
    folder = build / "boards" / "ulx3s-85f_hls"
    assert not folder.exists()
    folder.mkdir()
    (folder / "hls.json").write_text("{}")
    assert "no HLS compiler on PATH; what was found before stays in" in shown()
    assert (folder / "hls.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--hls-tool", "bambu"), "--hls-tool: only the HLS C++ has an HLS compiler. Next step: add --hls"),
        (("--hls", "--hls-tool", "bamboo"), "unknown HLS compiler. Expected: one of vitis, bambu. Received: 'bamboo'"),
    ],
)
def test_tools_that_are_none(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(tmp_path), "--target", "ulx3s-85f", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_design_can_leave_the_stage_out() -> None:
    """Also where a compiler is on PATH: the stage is skipped, as if there were none."""
    settings = SimpleNamespace(hls=SimpleNamespace(tool="none"))
    job = SimpleNamespace(design=settings)
    with pytest.raises(ToolNotFoundError) as found:
        compiled_stage.run(cast(Any, job))
    assert found.value.briefly == 'left out by [hls] tool = "none"'
