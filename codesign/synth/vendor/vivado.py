# SPDX-License-Identifier: Apache-2.0
"""Vivado on the RTL: one module out of context, or a whole Zynq with DMA, down to a bitstream.

`out_of_context` and `zynq` return a `Project`, which is nothing but files; `build` writes it into a folder and runs
Vivado there. The folder has all that Vivado reads, so ``vivado -mode batch -source <script>`` in it does the same by
hand, also on another machine.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codesign.errors import ConfigError, SynthesisError
from codesign.synth.resources import Resources
from codesign.synth.vendor.scripts import SETTINGS, render, script
from codesign.synth.vendor.vivado_timing import Timing, read_timing
from codesign.synth.vendor.vivado_utilisation import Instance, read_utilisation, resources
from codesign.tools import run

TOOL = "vivado"
TIMEOUT_S = 6 * 3600.0
LOG = "vivado.log"
OUT_OF_CONTEXT, ZYNQ = "out_of_context.tcl", "zynq.tcl"
SYNTH_UTILISATION, UTILISATION, TIMING = "synth_utilisation.rpt", "route_utilisation.rpt", "route_timing.rpt"
BITSTREAM, HANDOFF = "design.bit", "design.hwh"
WIDEST_DMA_BYTES = 128
"""AXI DMA's streams are 8 to 1024 bits wide (AMD PG021)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is built for.

    target: name of the board. part: as Vivado names the device. processor: ``zynq``, ``zynqmp``, or empty for none.
    board_files: the board's name in the files that describe it to Vivado; empty if there are none.
    """

    target: str
    part: str
    processor: str = ""
    board_files: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Bytes of a beat of the core's input and output stream."""

    in_bytes: int
    out_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What Vivado is to do. files: path -> text, the script ``script`` among them. bitstream: whether it makes one."""

    target: str
    files: Mapping[str, str]
    script: str
    bitstream: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VivadoBuild:
    """What Vivado made.

    synthesised, routed: the whole top. instances: what each takes, routed. bitstream: None out of context.
    seconds: wall-clock time of the run.
    """

    synthesised: Resources
    routed: Resources
    instances: tuple[Instance, ...]
    timing: Timing
    bitstream: Path | None
    seconds: float


def out_of_context(
    files: Mapping[str, str], top: str, *, part: Part, clock_mhz: float, skip: bool = True, jobs: int = 2
) -> Project:
    """Return the project that synthesises, places and routes the module ``top`` without pads.

    files: path -> text, as ``codesign.rtl.project`` returns it. skip: False builds the dense baseline.
    Paths to and from the ports are not constrained, so Fmax is that of the paths between registers.
    """
    settings = {"top": top, "clock_mhz": clock_mhz, "jobs": jobs, "generics": () if skip else ("Skip=1'b0",)}
    none = {"in_bytes": 0, "out_bytes": 0, "loads": False, "memory_bits": 0}
    return _project(OUT_OF_CONTEXT, files, part, {**settings, **none})


def zynq(
    files: Mapping[str, str],
    core: str,
    *,
    streams: Streams,
    address_bits: int,
    part: Part,
    clock_mhz: float,
    skip: bool = True,
    loads: bool = False,
    memory_bits: int = 0,
    jobs: int = 2,
) -> Project:
    """Return the project that makes ``design.bit`` and ``design.hwh``: processor, AXI DMA and ``core``.

    files: path -> text. core: a module with AXI4-Streams ``s_axis`` and ``m_axis``, an AXI4-Lite ``s_axil`` of
    ``address_bits``, and the parameters ``Skip`` and ``ClockHz``. The processor's clock generator gives the nearest
    frequency to ``clock_mhz`` that it can. loads: it also has a stream ``s_axis_load`` of 32 bits, which gets a DMA of
    its own. memory_bits: of a beat of its AXI4 master ``m_axi``, which gets a port of the processor's memory; 0: none.
    Raises: ConfigError for a part without a processor, or a beat that is too wide for a DMA.
    """
    if part.processor not in ("zynq", "zynqmp"):
        raise ConfigError(
            "this board has no processor",
            where=part.target,
            expected="processor 'zynq' or 'zynqmp'",
            received=repr(part.processor),
            fix="build the module out of context",
        )
    top = f"{core}_axi"
    dma = {"in_bytes": dma_bytes(streams.in_bytes), "out_bytes": dma_bytes(streams.out_bytes)}
    wrapper = render(
        "axi_core.v.j2",
        module=top,
        core=core,
        core_in_bytes=streams.in_bytes,
        core_out_bytes=streams.out_bytes,
        address_bits=address_bits,
        skip=skip,
        clock_hz=round(clock_mhz * 1e6),
        loads=loads,
        memory_bits=memory_bits,
        **dma,
    )
    settings = {"top": top, "clock_mhz": clock_mhz, "jobs": jobs, "generics": ()}
    settings |= {"loads": loads, "memory_bits": memory_bits}
    return _project(ZYNQ, {**files, f"{top}.v": wrapper}, part, {**settings, **dma})


def dma_bytes(beat: int) -> int:
    """Return the bytes of a DMA's beat that carries a beat of ``beat`` bytes.

    Raises: ConfigError if no DMA is as wide.
    """
    width = 1 << (beat - 1).bit_length()
    if width > WIDEST_DMA_BYTES:
        raise ConfigError(
            "a beat is too wide for AXI DMA",
            expected=f"at most {WIDEST_DMA_BYTES} bytes",
            received=f"{beat} bytes",
            fix="fewer codes per cycle: P of the input, PE of the last layer",
        )
    return width


def _project(name: str, files: Mapping[str, str], part: Part, settings: Mapping[str, Any]) -> Project:
    text = render(
        f"{SETTINGS}.j2",
        script=name,
        **asdict(part),
        **settings,
        sources=[path for path in files if path.endswith((".sv", ".v"))],
        memories=[path for path in files if path.endswith(".mem")],
    )
    files = {**files, SETTINGS: text, name: script(name)}
    return Project(target=part.target, files=files, script=name, bitstream=name == ZYNQ)


def build(project: Project, folder: Path, *, timeout_s: float = TIMEOUT_S) -> VivadoBuild:
    """Write ``project`` into ``folder`` and run Vivado there.

    Raises: ToolNotFoundError if it is not on PATH, after writing: the folder can be built elsewhere.
    SynthesisError with the end of the log, if Vivado fails or leaves out a result.
    """
    results = (SYNTH_UTILISATION, UTILISATION, TIMING, *((BITSTREAM, HANDOFF) if project.bitstream else ()))
    for name in results:
        (folder / name).unlink(missing_ok=True)  # nothing of an older run outlives a failure
    for path, text in project.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    start = time.perf_counter()
    argv = [TOOL, "-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source", project.script]
    run(argv, folder, folder / LOG, timeout_s, error=SynthesisError)
    seconds = time.perf_counter() - start
    for name in results:
        if not (folder / name).is_file():
            raise SynthesisError(f"Vivado wrote no {name}", where=str(folder), fix=f"read {folder / LOG}")
    return VivadoBuild(
        synthesised=resources(folder / SYNTH_UTILISATION, None, target=project.target, kind="synth"),
        routed=resources(folder / UTILISATION, folder / TIMING, target=project.target, kind="route"),
        instances=read_utilisation(folder / UTILISATION),
        timing=read_timing(folder / TIMING),
        bitstream=folder / BITSTREAM if project.bitstream else None,
        seconds=seconds,
    )
