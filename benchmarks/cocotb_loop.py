# SPDX-License-Identifier: Apache-2.0
"""cocotb half of the speed comparison in `benchmarks.speed`: the leanest loop that drives and checks every beat.

Inputs change and handshakes are sampled while the clock is low, after the design has settled; what is sampled there
is what the next rising edge sees.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly


@cocotb.test(timeout_time=1, timeout_unit="sec")
async def stream(dut: Any) -> None:
    """Push every beat of the job, always offered and always taken; compare every beat that comes out."""
    job_file = Path(os.environ["BENCH_JOB"])
    job = json.loads(job_file.read_text())
    beats, per_frame, packets = job["beats"], job["per_frame"], job["packets"]
    for port in (dut.rst_ni, dut.s_axis_tvalid, dut.s_axis_tuser, dut.stat_addr_i):
        port.value = 0
    dut.m_axis_tready.value = dut.skip_i.value = 1
    Clock(dut.clk_i, 10, unit="ns").start()
    for _ in range(4):
        await FallingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    sent = received = 0
    start = time.process_time()
    accepted = True
    while received < len(packets):
        if accepted and sent < len(beats):
            dut.s_axis_tvalid.value = 1
            dut.s_axis_tdata.value = beats[sent]
            dut.s_axis_tlast.value = int(sent % per_frame == per_frame - 1)
        elif accepted:
            dut.s_axis_tvalid.value = 0
        await ReadOnly()
        accepted = bool(dut.s_axis_tready.value)
        sent += accepted and sent < len(beats)
        if dut.m_axis_tvalid.value:
            assert int(dut.m_axis_tdata.value) == packets[received], f"output beat {received}"
            received += 1
        await FallingEdge(dut.clk_i)
    job_file.with_suffix(".out").write_text(json.dumps(time.process_time() - start))
