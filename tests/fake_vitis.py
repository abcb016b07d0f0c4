# SPDX-License-Identifier: Apache-2.0
"""A Vitis HLS that runs hls4ml's script for real, in a Tcl interpreter, and only pretends to synthesise.

It leaves ``calls.json`` behind, and where Vitis HLS has its report, the one in the folder FAKE_REPORTS.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tkinter
from pathlib import Path

COMMANDS = {
    *("open_project", "set_top", "add_files", "open_solution", "config_array_partition", "config_compile", "set_part"),
    *("config_schedule", "create_clock", "set_clock_uncertainty", "csim_design", "csynth_design", "export_design"),
}


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
