# SPDX-License-Identifier: Apache-2.0
"""Vitis HLS on the network as a stream of beats. The script is Tcl as it stands; its settings are written here."""

from __future__ import annotations

from pathlib import Path

from codesign.errors import SynthesisError
from codesign.hls.core import Source
from codesign.synth.vendor import vitis as tool
from codesign.synth.vendor.scripts import SETTINGS, script, tcl
from codesign.tools import run

PROGRAMS = tuple(command[0] for command in tool.COMMANDS)
PART = "xc7z020-clg400-1"
"""Device that the core is scheduled for where none is asked for: that of the PYNQ boards."""
LOG, SCRIPT, PROJECT = "vitis_hls.log", "core.tcl", "core_prj"


def compile_core(source: Source, folder: Path, clock_mhz: float, timeout_s: float) -> dict[str, str]:
    """Synthesise the core; return its Verilog and memory files by name.

    Raises:
        SynthesisError: Vitis HLS failed, took too long, or left no Verilog.
    """
    settings: dict[str, str | float] = {"top": source.top, "part": PART, "period": 1000 / clock_mhz, "project": PROJECT}
    text = "".join(f"set {name} {tcl(value)}\n" for name, value in settings.items())
    (folder / SETTINGS).write_text(text, encoding="utf-8")
    (folder / SCRIPT).write_text(script("hls_core.tcl"), encoding="utf-8")
    run([*tool.argv(SCRIPT)], folder, folder / LOG, timeout_s, error=SynthesisError)
    made = sorted((folder / PROJECT / "solution1" / "syn" / "verilog").glob("*"))
    return {path.name: path.read_text(encoding="utf-8") for path in made if path.suffix in (".v", ".dat")}
