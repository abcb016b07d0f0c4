# SPDX-License-Identifier: Apache-2.0
"""A Vitis HLS that runs hls4ml's script and ours for real, in a Tcl interpreter, and only pretends to synthesise.

It leaves ``calls.json`` behind, and where Vitis HLS has its report, the one in the folder FAKE_REPORTS. Of a network as
a stream of beats it leaves Verilog where Vitis HLS does, with the ports that Vitis HLS makes: written by hand, around
what another compiler made of `tiny_hls` (`fake_bambu`). What Vitis HLS would make of it is not known here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tkinter
from pathlib import Path

import fake_bambu

COMMANDS = {
    *("open_project", "set_top", "add_files", "open_solution", "config_array_partition", "config_compile", "set_part"),
    *(
        "config_rtl",
        "config_schedule",
        "create_clock",
        "set_clock_uncertainty",
        "csim_design",
        "csynth_design",
        "export_design",
    ),
}

PORTS = """`timescale 1ns / 1ps
// Written by hand: the ports of Vitis HLS around a core of another compiler.
module tiny_stream (
    input ap_clk, input ap_rst_n,
    input [@IN_TOTAL-1:0] s_axis_TDATA, input s_axis_TVALID, output s_axis_TREADY,
    output [@OUT_TOTAL-1:0] m_axis_TDATA, output m_axis_TVALID, input m_axis_TREADY
);
  wire [@OUT:0] beat;
  assign m_axis_TDATA = beat;
  recorded_stream core (
      .clock(ap_clk), .reset(ap_rst_n), .start_port(1'b1), .done_port(),
      .s_axis_TDATA(s_axis_TDATA[@IN:0]), .s_axis_TVALID(s_axis_TVALID), .s_axis_TREADY(s_axis_TREADY),
      .m_axis_TDATA(beat), .m_axis_TVALID(m_axis_TVALID), .m_axis_TREADY(m_axis_TREADY)
  );
endmodule
"""


def main(arguments: list[str]) -> int:
    """Run the Tcl script that stands last; ``--version`` prints one."""
    if arguments in (["--version"], ["-version"]):
        print("Vitis HLS v2024.2")
        return 0
    calls: list[tuple[str, ...]] = [("arguments", *arguments)]
    interpreter = tkinter.Tcl()

    def call(*words: str) -> str:
        calls.append(words)
        if words[0] not in COMMANDS:
            return f'invalid command name "{words[0]}"'
        if words[0] == "csynth_design":
            project = next(call[-1] for call in calls if call[0] == "open_project")
            if [word for call in calls if call[0] == "set_top" for word in call[1:]] == ["tiny_stream"]:
                return _core(calls, Path(project, "solution1", "syn", "verilog"))
            report = Path(project, "solution1", "syn", "report", "csynth.xml")
            report.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(os.environ["FAKE_REPORTS"], "csynth.xml"), report)
        return ""

    interpreter.createcommand("fake_call", call)
    interpreter.eval("proc unknown {args} { set error [fake_call {*}$args]; if {$error ne {}} { error $error } }")
    interpreter.eval("proc exit {{status 0}} { error exit$status }")
    try:
        interpreter.evalfile(arguments[-1])
    except tkinter.TclError as error:
        if str(error) != "exit0":
            print(f"ERROR: {error}")
            return 1
    finally:
        Path("calls.json").write_text(json.dumps(calls))
    return 0


def _core(calls: list[tuple[str, ...]], folder: Path) -> str:
    """Leave the Verilog of a core; return what is wrong with the commands before."""
    given = {words[0]: words[1:] for words in calls}
    source = Path(given["add_files"][0])
    if (
        not source.is_file()
        or fake_bambu.constants(source.read_text()) != fake_bambu.about()["constants of other compilers"]
    ):
        return f"{source}: not the network that was recorded"
    wanted = {
        "set_part": ("xc7z020-clg400-1",),
        "create_clock": ("-period", "10" if given["create_clock"][1] == "10" else "5", "-name", "default"),
        "config_rtl": ("-reset", "all"),
    }
    wrong = {name: given.get(name) for name, words in wanted.items() if given.get(name) != words}
    if wrong:
        return f"not what was expected: {wrong}"
    folder.mkdir(parents=True)
    for name, text in fake_bambu.files().items():
        changed = text.replace("module tiny_stream(", "module recorded_stream(").replace('.mem"', '.dat"')
        Path(folder, name.replace(".mem", ".dat")).write_text(changed)
    ports = PORTS
    top = fake_bambu.files()["tiny_stream.v"].split("module tiny_stream(")[1]
    for side, name in (("IN", "input"), ("OUT", "output")):
        (high,) = re.findall(rf"^  {name} \[(\d+):0\] ._axis_TDATA;", top, re.MULTILINE)
        ports = ports.replace(f"@{side}_TOTAL", str(-(-(int(high) + 1) // 8) * 8)).replace(f"@{side}", high)
    Path(folder, "ports.v").write_text(ports)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
