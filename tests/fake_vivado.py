# SPDX-License-Identifier: Apache-2.0
"""A Vivado that runs Tcl scripts for real, in a Tcl interpreter, and only pretends to synthesise.

It knows the commands that our scripts use, with the options that AMD UG835 gives them, the ports of the IP blocks, and
which files there are; whatever else a script does is an error, as it would be in Vivado. It leaves ``calls.json``
and ``pins.json``, the ports of the block design, and reports copied from the folder in FAKE_REPORTS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tkinter
from pathlib import Path
from typing import Any

VALUE, FLAG = True, False
OPTIONS: dict[str, dict[str, bool]] = {
    "create_project": {"-part": VALUE, "-in_memory": FLAG, "-force": FLAG},
    "read_verilog": {"-sv": FLAG},
    "read_mem": {},
    "read_xdc": {"-mode": VALUE},
    "synth_design": {"-top": VALUE, "-part": VALUE, "-mode": VALUE, "-generic": VALUE},
    "opt_design": {},
    "place_design": {},
    "phys_opt_design": {},
    "route_design": {},
    "write_checkpoint": {"-force": FLAG},
    "report_utilization": {"-hierarchical": FLAG, "-file": VALUE},
    "report_timing_summary": {"-max_paths": VALUE, "-file": VALUE},
    "get_board_parts": {"-quiet": FLAG},
    "current_project": {},
    "set_property": {"-dict": VALUE},
    "get_property": {},
    "add_files": {"-norecurse": FLAG},
    "update_compile_order": {"-fileset": VALUE},
    "create_bd_design": {},
    "create_bd_cell": {"-type": VALUE, "-vlnv": VALUE, "-reference": VALUE},
    "apply_bd_automation": {"-rule": VALUE, "-config": VALUE},
    "get_bd_pins": {},
    "get_bd_intf_pins": {},
    "connect_bd_net": {},
    "connect_bd_intf_net": {},
    "assign_bd_address": {},
    "validate_bd_design": {},
    "save_bd_design": {},
    "get_files": {},
    "get_filesets": {},
    "get_runs": {},
    "generate_target": {},
    "make_wrapper": {"-files": VALUE, "-top": FLAG, "-import": FLAG},
    "launch_runs": {"-jobs": VALUE, "-to_step": VALUE},
    "wait_on_run": {},
    "open_run": {},
    "close_design": {},
}

PINS: dict[str, dict[str, set[str]]] = {
    "processing_system7": {
        "bus": {"M_AXI_GP0", "S_AXI_HP0"},
        "wire": {"FCLK_CLK0", "FCLK_RESET0_N", "M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"},
    },
    "zynq_ultra_ps_e": {
        "bus": {"M_AXI_HPM0_FPD", "S_AXI_HP0_FPD"},
        "wire": {"pl_clk0", "pl_resetn0", "maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"},
    },
    "axi_dma": {
        "bus": {"S_AXI_LITE", "M_AXI_MM2S", "M_AXI_S2MM", "M_AXIS_MM2S", "S_AXIS_S2MM"},
        "wire": {"s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn"},
    },
    "smartconnect": {"bus": set(), "wire": {"aclk", "aresetn"}},
    "proc_sys_reset": {"bus": set(), "wire": {"slowest_sync_clk", "ext_reset_in", "peripheral_aresetn"}},
}
"""Ports of the IP blocks that are used, after AMD PG021, PG082, PG201, PG247 and PG164."""

SECOND_PORT = {
    "PCW_USE_S_AXI_HP1": ("S_AXI_HP1", "S_AXI_HP1_ACLK"),
    "PSU__USE__S_AXI_GP3": ("S_AXI_HP1_FPD", "saxihp1_fpd_aclk"),
}
"""Properties of a processor that give it a second port to its memory: the bus, its clock."""
S2MM = {"M_AXI_S2MM", "S_AXIS_S2MM", "m_axi_s2mm_aclk"}


def pins_of(kind: str, properties: dict[str, str]) -> dict[str, set[str]]:
    """Return the ports of an IP block as it is set up; ``kind`` of a module: path of its source."""
    if kind.endswith(".v"):
        ports = re.findall(r"\b(?:input|output) wire (?:\[.*?\] )?(\w+)", Path(kind).read_text())
        buses = {match[1] for port in ports if (match := re.fullmatch(r"(\w+_axi\w*)_\w+", port))}
        return {"bus": buses, "wire": {port for port in ports if "_axi" not in port}}
    bus, wire = (set(PINS[kind][name]) for name in ("bus", "wire"))
    for name, (port, clock) in SECOND_PORT.items():
        if properties.get(name) == "1":
            bus, wire = bus | {port}, wire | {clock}
    if properties.get("c_include_s2mm") == "0":
        bus, wire = bus - S2MM, wire - S2MM
    for side, number in (("S", "NUM_SI"), ("M", "NUM_MI")):
        bus |= {f"{side}{at:02d}_AXI" for at in range(int(properties.get(number, 0)))}
    return {"bus": bus, "wire": wire}


RUNS = "system/system.runs"


class RefusedError(Exception):
    """What Vivado would not do."""


class Vivado:
    """The commands; each takes what is no option, and finds those in ``self.options``."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.files: list[str] = []
        self.cells: dict[str, str] = {}
        self.properties: dict[str, dict[str, str]] = {}
        self.top = ""
        self.reports = Path(os.environ["FAKE_REPORTS"])

    def call(self, name: str, *words: str) -> str:
        """Record and do one command; return what Tcl gets."""
        self.calls.append([name, *words])
        if name not in OPTIONS:
            raise RefusedError(f'invalid command name "{name}"')
        self.options: dict[str, Any] = {}
        rest = list(words)
        arguments = []
        while rest:
            word = rest.pop(0)
            if not word.startswith("-"):
                arguments.append(word)
            elif word not in OPTIONS[name]:
                raise RefusedError(f"ERROR: [Common 17-170] Unknown option '{word}' of {name}")
            else:
                self.options[word] = rest.pop(0) if OPTIONS[name][word] else True
        act = getattr(self, name, None)
        return str(act(*arguments) or "") if act else ""

    def _there(self, words: str) -> None:
        for path in tkinter.Tcl().splitlist(words):
            if not Path(path).is_file():
                raise RefusedError(f"ERROR: [Common 17-55] File not found: {path}")
            self.files.append(path)

    def read_verilog(self, files: str) -> None:
        self._there(files)

    def read_mem(self, files: str) -> None:
        self._there(files)

    def read_xdc(self, file: str) -> None:
        self._there(file)

    def add_files(self, files: str) -> None:
        self._there(files)

    def synth_design(self) -> None:
        if f"{self.options['-top']}.sv" not in self.files:
            raise RefusedError(f"ERROR: [Synth 8-439] module '{self.options['-top']}' not found")

    def report_utilization(self) -> None:
        shutil.copy(self.reports / "utilisation.rpt", self.options["-file"])

    def report_timing_summary(self) -> None:
        shutil.copy(self.reports / "timing_missed.rpt", self.options["-file"])

    def write_checkpoint(self, file: str) -> None:
        Path(file).touch()

    def get_board_parts(self, pattern: str) -> str:
        return pattern if pattern in os.environ.get("FAKE_BOARDS", "") else ""

    def create_bd_cell(self, name: str) -> str:
        if self.options["-type"] == "module":
            if f"{self.options['-reference']}.v" not in self.files:
                raise RefusedError(
                    f"ERROR: [filemgmt 56-176] Module '{self.options['-reference']}' is no Verilog source"
                )
            kind = f"{self.options['-reference']}.v"
        else:
            kind = self.options["-vlnv"].split(":")[2]
        if (kind not in PINS and kind not in self.files) or name in self.cells:
            raise RefusedError(f"ERROR: [BD 5-216] cannot create {kind} {name}")
        self.cells[name], self.properties[name] = kind, {}
        return f"/{name}"

    def _pin(self, kind: str, path: str) -> str:
        cell, _, pin = path.partition("/")
        if cell not in self.cells or pin not in self.pins()[cell][kind]:
            raise RefusedError(f"ERROR: [BD 41-758] no such pin: {path}")
        return path

    def pins(self) -> dict[str, dict[str, set[str]]]:
        """Return the ports of every cell."""
        return {name: pins_of(kind, self.properties[name]) for name, kind in self.cells.items()}

    def get_bd_pins(self, path: str) -> str:
        return self._pin("wire", path)

    def get_bd_intf_pins(self, path: str) -> str:
        return self._pin("bus", path)

    def get_files(self, name: str) -> str:
        return name

    def get_runs(self, name: str) -> str:
        return name

    def get_filesets(self, name: str) -> str:
        return name

    def set_property(self, *words: str) -> None:
        cell = words[-1].removeprefix("/")
        if cell in self.cells:
            pairs = list(tkinter.Tcl().splitlist(self.options.get("-dict", ""))) or list(words[:2])
            if not all(name.startswith("CONFIG.") for name in pairs[::2]):
                raise RefusedError(f"ERROR: [Common 17-54] no such property of {cell}: {pairs}")
            names = (name.removeprefix("CONFIG.") for name in pairs[::2])
            self.properties[cell] |= dict(zip(names, pairs[1::2], strict=True))
        elif words[0] == "top":
            self.top = words[1]

    def get_property(self, name: str, run: str) -> str:
        stopped = run == os.environ.get("FAKE_STOPS")
        return {
            "PROGRESS": "12%" if stopped else "100%",
            "STATUS": "place_design ERROR" if stopped else "Complete!",
            "DIRECTORY": f"{RUNS}/{run}",
        }[name]

    def launch_runs(self, run: str) -> None:
        folder = Path(RUNS, run)
        folder.mkdir(parents=True)
        if self.options.get("-to_step") == "write_bitstream":
            (folder / f"{self.top}.bit").write_text("bits")
            handoff = Path("system/system.gen/sources_1/bd/system/hw_handoff")
            handoff.mkdir(parents=True)
            (handoff / "system.hwh").write_text("<EDKSYSTEM/>")


def main(arguments: list[str]) -> int:
    """Run ``vivado -version`` or ``vivado -mode batch ... -source <script>``."""
    if arguments == ["-version"]:
        print("vivado v2024.2 (64-bit)")
        return 0
    if arguments[:2] != ["-mode", "batch"] or arguments[-2] != "-source":
        print(f"ERROR: [Common 17-165] {arguments}")
        return 1
    print("****** Vivado v2024.2 (64-bit)")
    vivado, interpreter = Vivado(), tkinter.Tcl()

    def call(*words: str) -> tuple[str, str]:
        try:
            return "", vivado.call(*words)
        except RefusedError as error:
            return str(error), ""

    interpreter.createcommand("fake_call", call)
    interpreter.eval("""proc unknown {args} {
        lassign [fake_call {*}$args] error result
        if {$error ne {}} { error $error }
        return $result
    }""")
    try:
        interpreter.evalfile(arguments[-1])
    except tkinter.TclError as error:
        print(error)
        return 1
    finally:
        Path("calls.json").write_text(json.dumps(vivado.calls))
        pins = {name: {kind: sorted(each) for kind, each in of.items()} for name, of in vivado.pins().items()}
        Path("pins.json").write_text(json.dumps(pins))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
