# SPDX-License-Identifier: Apache-2.0
"""`codesign measure`: a real video through a finished design: Keras, golden model, HLS csim and RTL."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from codesign.commands.core import check_pipeline
from codesign.commands.kept import kept
from codesign.commands.report import builds_of
from codesign.data.picture import Fit
from codesign.data.video import read_video
from codesign.endings import FAILED, OK, warnings_to
from codesign.errors import ConfigError
from codesign.flow.console import Terminal, captured
from codesign.flow.manifest import check_unedited, read
from codesign.graph.file import load_graph
from codesign.graph.ir import Graph
from codesign.outputs import check_outputs, check_work
from codesign.paths import BuildFolder
from codesign.report.assemble import make_report
from codesign.report.made import made_now
from codesign.report.model import REPORT, Accuracy, Clips, Report, read_report, write_json
from codesign.report.terminal import show
from codesign.trust import check_no_links
from codesign.verify import forms
from codesign.verify.clips import input_codes, picture_size

NEEDS = (BuildFolder.MODEL, BuildFolder.GRAPH, BuildFolder.HLS, BuildFolder.RTL, BuildFolder.REPORT)
DENSE_FRAMES = 16


def measure(
    build: Path, *, video: Path, frames: int | None = None, fit: Fit | None = None, strict: bool = False
) -> Report:
    """Stream a video, fitted into the design's input, through every implementation as one stream.

    Args:
        build: ``build/<design>`` of a finished run.
        video: any file PyAV decodes.
        frames: only the first so many; None: all.
        fit: what is done with pictures of another shape; None: see `fit_of`.
        strict: refuse a damaged video, instead of a `VideoWarning`.

    Returns:
        A report of the video; accuracy is unknown, resources are those of the design.

    Raises:
        VideoError: the video is missing, damaged or too short.
        StageError: the design is not finished, or its outputs were edited.
    """
    check_no_links(build)
    check_pipeline(
        build, "measure a design whose architecture is a pipeline; codesign stream --port sim-core runs a core"
    )
    for stage in NEEDS:
        check_unedited(build / stage)
    graph = load_graph(build / BuildFolder.GRAPH)
    clip = read_clip(graph, video, frames, fit=fit or fit_of(build), strict=strict)
    work = build.resolve() / "cache" / "measure"
    check_work(build, ["cache", "cache/measure"])
    work.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    with captured(work / "log.txt"), warnings_to(said.append):
        report = _measure(graph, clip[None], build.resolve(), work, f"{graph.name}: {video.name}")
    for text in said:
        print(text, file=sys.stderr)
    command = shlex.join(["codesign", "measure", str(build), "--video", str(video)])
    command += "" if frames is None else f" --frames {frames}"
    return dataclasses.replace(report, made=made_now(command, check_unedited(build / BuildFolder.MODEL).seed))


def fit_of(build: Path) -> Fit:
    """Return how a design's training pictures were fitted; ``crop`` if they were not from a video folder."""
    manifest = read(build / BuildFolder.GRAPH)
    config = manifest.inputs.config if manifest is not None else {}
    fit = config.get("data.fit") if config.get("data.kind") == "video_folder" else None
    return next((way for way in get_args(Fit) if way == fit), "crop")


def read_clip(
    graph: Graph, video: Path, frames: int | None, *, fit: Fit = "crop", strict: bool = False
) -> NDArray[np.integer]:
    """Return the video as input codes, ``[T, *shape]``.

    Raises:
        VideoError: see `read_video`.
        ConfigError: the design's input is not a picture of pixels.
    """
    height, width, channels = picture_size(graph)
    clip = read_video(video, frames=frames, size=(height, width), grey=channels == 1, fit=fit, strict=strict)
    if len(clip) < 2:
        raise ConfigError(
            "sparsity needs at least two frames",
            where=str(video),
            received=f"{len(clip)} frame",
            fix="name a longer video",
        )
    return input_codes(graph, clip)


def _measure(graph: Graph, clips: NDArray[np.integer], build: Path, work: Path, name: str) -> Report:
    from codesign.flow.convert import compile_csim, convert, read_settings
    from codesign.training import load_model

    model = load_model(build / BuildFolder.MODEL)
    hls_model = convert(model, read_settings(build / BuildFolder.GRAPH), work / "csim")
    compile_csim(hls_model, build / BuildFolder.HLS, work / "csim")
    found = forms.run(graph, clips, cache=build / "cache", keras=model, hls=hls_model, dense_frames=DENSE_FRAMES)
    known = read_report(build / BuildFolder.REPORT / REPORT)
    given = known.throughput.clock_mhz if known.origins.get("throughput.clock_mhz") == "given" else None
    return make_report(
        design=name,
        graph=graph,
        golden=found.golden,
        rtl=found.rtl,
        hls=found.hls,
        accuracy=Accuracy(),
        comparisons=found.comparisons,
        resources=known.resources,
        clock_mhz=given,
        tool_versions=known.tool_versions,
        clips=Clips.of(name.partition(": ")[2], clips),
        builds=builds_of(build)[0],
    )


def command(arguments: argparse.Namespace) -> int:
    """Measure a video, and show and write the report."""
    check_outputs({"--json": arguments.json}, [*kept([arguments.folder]), arguments.video])
    with Terminal().bar("measuring"):
        report = measure(
            arguments.folder,
            video=arguments.video,
            frames=arguments.frames,
            fit=arguments.fit,
            strict=arguments.strict,
        )
    show(report, Console(highlight=False))
    if arguments.json is not None:
        write_json(report, arguments.json)
        print(arguments.json)
    return FAILED if report.agreement.mismatches.total() else OK
