# SPDX-License-Identifier: Apache-2.0
"""`codesign fit`: hardware for a trained design and its measured clips on a board, in seconds, without synthesis."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.commands.kept import kept
from codesign.endings import FAILED, OK
from codesign.errors import ConfigError
from codesign.fit import Fit, Measured, fit
from codesign.fit.words import lines
from codesign.flow import manifest as manifests
from codesign.flow.fitted import check_design, write_hardware
from codesign.graph.file import load_graph
from codesign.graph.ir import Graph
from codesign.outputs import check_outputs
from codesign.paths import BuildFolder
from codesign.synth.target import load_target
from codesign.trust import check_no_links
from codesign.verify.clips import load_clips
from codesign.verify.golden_run import load_golden


def command(arguments: argparse.Namespace) -> int:
    """Choose, print, and write if it was asked for."""
    board = load_target(arguments.target)
    graph, measured, clip = measured_design(arguments.folder)
    if arguments.write is not None:
        check_outputs({"--write": arguments.write}, kept([arguments.folder]))
        check_design(arguments.write, graph.name)
    found = fit(
        graph,
        measured,
        board,
        frames_per_second=arguments.fps,
        clock_mhz=arguments.clock,
        minimise=arguments.minimise,
        clip=clip,
    )
    for line in lines(found):
        print(line)
    if arguments.write is not None:
        _write(found, arguments.folder, arguments.write)
    return OK if found.fits else FAILED


def _write(found: Fit, folder: Path, path: Path) -> None:
    if not found.fits:
        print(f"{path} is not written, as nothing fits")
        return
    write_hardware(found, folder, path)
    print(f"{path}: codesign run {path} verifies it")


def measured_design(folder: Path) -> tuple[Graph, Measured, NDArray[np.integer]]:
    """Return the network of a build folder, what its clips did, and the first of them.

    Raises:
        ConfigError: there is no such folder, or it is not that of a design.
        StageError: the clips were not measured, or an output was edited.
    """
    if not folder.is_dir():
        raise ConfigError(
            "no such folder",
            where=str(folder),
            expected="a build folder such as build/moving_digits, with stage 2_graph",
            fix="run `codesign run` on the design's TOML, to 2_graph at least",
        )
    check_no_links(folder)
    stage = folder / BuildFolder.GRAPH
    manifests.check_unedited(stage)
    graph = load_graph(stage)
    return graph, Measured.of(load_golden(graph, stage).layers), load_clips(stage)[0]
