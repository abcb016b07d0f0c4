# SPDX-License-Identifier: Apache-2.0
"""``model.build(synth=...)``: Yosys on the RTL, Vivado on the RTL, Vitis on the HLS project."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hls4ml.backends import VitisBackend

from codesign.errors import SynthesisError, ToolNotFoundError
from codesign.rtl.emit import emit, top_spec
from codesign.tools import run as run_tool

VIVADO_TIMEOUT_S = 4 * 3600.0

VIVADO_TCL = """# SPDX-License-Identifier: Apache-2.0
read_verilog -sv [list {sources}]
synth_design -top {top} -part {part} -mode out_of_context
create_clock -period {period} [get_ports clk_i]
report_utilization -file utilization.rpt
report_timing_summary -file timing.rpt
"""


def yosys(model: Any, target: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Synthesise the RTL with Yosys for ``target`` ('ecp5' unless set) and return the resources."""
    from codesign.synth import synthesise

    graph = model.delta_graph
    folder = Path(model.config.get_output_dir()) / "synth"
    result = synthesise(emit(graph), top_spec(graph).module, target=target or "ecp5", folder=folder, **options)
    return asdict(result)


def vivado(model: Any, target: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Synthesise the RTL with Vivado, out of context, and return the paths of its reports."""
    if shutil.which("vivado") is None:
        raise ToolNotFoundError("vivado", how="install AMD Vivado and source its settings64.sh")
    graph = model.delta_graph
    folder = Path(model.config.get_output_dir()) / "rtl"
    script = VIVADO_TCL.format(
        sources=" ".join((folder / "filelist.f").read_text(encoding="utf-8").split()),
        top=top_spec(graph).module,
        part=target or model.config.get_config_value("Part"),
        period=model.config.get_config_value("ClockPeriod"),
    )
    (folder / "vivado.tcl").write_text(script, encoding="utf-8")
    argv = ["vivado", "-mode", "batch", "-nojournal", "-source", "vivado.tcl"]
    run_tool(argv, folder, folder / "vivado.log", options.get("timeout_s", VIVADO_TIMEOUT_S), error=SynthesisError)
    return {"tool": "vivado", "reports": {name: str(folder / f"{name}.rpt") for name in ("utilization", "timing")}}


def vitis(model: Any, target: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Run hls4ml's own Vitis build on the HLS project and return its report."""
    if shutil.which("vitis-run") is None:
        raise ToolNotFoundError("vitis-run", how="install AMD Vitis and source its settings64.sh")
    if target is not None:
        model.config.config["Part"] = target
        model.write()
    report: dict[str, Any] = VitisBackend.build(model.config.backend, model, **options)
    return report
