# SPDX-License-Identifier: Apache-2.0
"""A trained network of a study through hls4ml and the RTL, on the clips that training was tested with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.flow.config import Design
from codesign.flow.convert import convert, settings
from codesign.training import load_model
from codesign.verify import forms
from codesign.verify.clips import input_codes
from codesign.verify.golden_run import activity_on
from codesign.verify.hardware import steady

LOOKED_AT = 4
"""Clips on which it is counted what changes, to choose PE and unroll for a target of cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What the RTL did, first frame of each clip left out.

    Attributes:
        cycles_per_frame: mean cycles from one output TLAST to the next.
        values: output values compared.
        mismatches: output values that differ from the golden model's.
        operation_sparsity: counted by the golden model on the deployed graph.
        density: events counted by the RTL / elements, for each linear layer.
    """

    cycles_per_frame: float
    values: int
    mismatches: int
    operation_sparsity: float
    density: dict[str, float]


def deploy(design: Design, trained: Path, seed: int, folder: Path) -> Deployed:
    """Convert the network in ``trained`` and simulate every test clip of ``design``, each as a new stream.

    Raises:
        ConversionError: the network cannot be deployed.
        SimulationError: the RTL does not build.
    """
    model = load_model(trained)
    graph = convert(model, settings(design, model), folder / "hls").delta_graph
    test = design.data.load(seed).test
    clips = input_codes(graph, np.stack([test.pixels(index) for index in range(len(test))]))
    if design.hardware.target:
        shares = activity_on(graph, clips[:LOOKED_AT])
        graph = convert(model, settings(design, model, shares), folder / "hls").delta_graph
    found = forms.run(graph, clips, cache=folder)
    (comparison,) = found.comparisons
    frames = len(clips) * (clips.shape[1] - 1)
    linears = [layer for layer in found.golden.layers if layer.macs]
    done = sum(int(layer.active_macs.sum()) for layer in linears)
    macs = frames * sum(layer.macs for layer in linears)
    return Deployed(
        cycles_per_frame=float(steady(found.rtl.cycles).mean()),
        values=comparison.values,
        mismatches=comparison.mismatches,
        operation_sparsity=(macs - done) / macs,  # as `codesign.layers.meter.Ratio` divides: equal to the last bit
        density={
            layer.name: int(steady(found.rtl.events[layer.name]).sum()) / (frames * layer.elements) for layer in linears
        },
    )
