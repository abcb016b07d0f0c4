# SPDX-License-Identifier: Apache-2.0
"""The cocotb runner: only ports are visible, and nothing that went wrong passes as a pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from sim.loopback import files, identity

from codesign.errors import SimulationError
from codesign.sim.build import RIGHT_SHIFTS, VERILATOR_FLAGS
from codesign.sim.cocotb_runner import run_cocotb

BENCH = """\
import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def good(dut):
    dut.rst_ni.value = 0
    await Timer(1, "ns")
    assert dut.rst_ni.value == 0


@cocotb.test()
async def bad(dut):
    assert len(dut.s_axis_tdata) == 8, "the number of bits"


@cocotb.test()
async def slow(dut):
    import time
    time.sleep(60)
"""


TWICE = """\
module twice (
    input  logic [7:0] value_i,
    input  logic [1:0] by_i,
    output logic [7:0] up_o,
    output logic [7:0] down_o
);
  logic [7:0] up, down;
  assign up = value_i << by_i;
  assign up_o = up << by_i;
  assign down = value_i >> by_i;
  assign down_o = down >> by_i;
endmodule
"""
SHIFTS = """\
module shifts (
    input  logic [7:0] value_i,
    input  logic [1:0] by_i,
    output logic [7:0] up_o,
    output logic [7:0] down_o
);
  twice both (.*);
endmodule
"""
SHIFTED = """\
import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def shifted(dut):
    dut.value_i.value = 0x5A
    for by in range(4):
        dut.by_i.value = by
        await Timer(1, "ns")
        assert dut.up_o.value.to_unsigned() == 0x5A << 2 * by & 0xFF, f"up by {by}"
        assert dut.down_o.value.to_unsigned() == 0x5A >> 2 * by, f"down by {by}"
"""


def run(folder: Path, testcase: str, *, module: str = "tiny_bench", timeout_s: float = 120.0) -> None:
    (folder / "tiny_bench.py").write_text(BENCH)
    project = files(identity())
    run_cocotb(
        "loopback_top",
        ["loopback_top.sv"],
        {},
        module,
        folder / "build",
        project,
        testcase=testcase,
        python_path=[folder],
        timeout_s=timeout_s,
    )


def test_passing_and_failing_benches(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, "good")
    assert "seed 1" in capfd.readouterr().out
    with pytest.raises(SimulationError, match="tiny_bench on loopback_top: failed cocotb tests: bad"):
        run(tmp_path, "bad")
    assert "the number of bits" in capfd.readouterr().out
    with pytest.raises(SimulationError, match="no cocotb test ran"):
        run(tmp_path, "missing")
    with pytest.raises(SimulationError, match="no cocotb test ran"):
        run(tmp_path, "good", module="no_such_module")
    with pytest.raises(SimulationError, match="took longer than 6 s"):
        run(tmp_path, "slow", timeout_s=6.0)


def test_a_broken_source_shows_the_log(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"(?s)verilator failed.*syntax error"):
        run_cocotb("t", ["t.sv"], {}, "nothing", tmp_path, {"t.sv": "module t; nonsense endmodule\n"})


def test_two_shifts_are_as_long_as_their_sum(tmp_path: Path) -> None:
    """Verilator 5.048 to 5.050 make one shift of them whose amount has no more bits than theirs."""
    (tmp_path / "shift_bench.py").write_text(SHIFTED)
    files = {"twice.sv": TWICE, "shifts.sv": SHIFTS}
    run_cocotb("shifts", list(files), {}, "shift_bench", tmp_path / "build", files, python_path=[tmp_path])


def test_every_build_shifts_rightly() -> None:
    assert set(RIGHT_SHIFTS) <= set(VERILATOR_FLAGS)
