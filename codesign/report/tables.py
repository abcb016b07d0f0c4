# SPDX-License-Identifier: Apache-2.0
"""The tables of a report that are about the network and the core alone."""

from __future__ import annotations

from codesign.report.model import Layer, Report
from codesign.report.sheet import Group, Sheet
from codesign.report.words import KINDS, count, decimal, kbit, percent
from codesign.synth.resources import Resources

LAYERS = ("layer", "cycles", "HLS cycles", "events' cycles", "op. sparsity", "density", "events", "MACs", "spatial")
MORE = ("weights, kbit", "state, kbit", "kind")
"""Columns that are shown where there is space."""


def layers(report: Report, *, more: bool) -> Sheet:
    """Return the layers, the most telling columns first; ``more``: with those of `MORE`."""
    rows = tuple(_layer(layer) + (_more(layer) if more else ()) for layer in report.layers)
    return Sheet(
        title="Per frame, in the mean of the measured clips.",
        head=LAYERS + (MORE if more else ()),
        groups=(Group(title="", rows=rows),),
    )


def resources(report: Report) -> Sheet:
    """Return what synthesis, and place and route, report about the core alone."""
    return Sheet(
        title="The core alone, without what connects it to a board.",
        head=("target", "LUT", "FF", "DSP", "BRAM kbit", "Fmax MHz", "figures from", "tool"),
        groups=(Group(title="", rows=tuple(map(_resource, report.resources))),),
    )


def _layer(layer: Layer) -> tuple[str, ...]:
    return (
        layer.name,
        count(layer.cycles_per_frame),
        count(layer.hls_cycles_per_frame),
        count(layer.ideal_cycles_per_frame),
        percent(layer.operation_sparsity),
        percent(layer.density.mean),
        count(layer.events_per_frame),
        count(layer.macs_per_frame),
        percent(layer.spatial_sparsity),
    )


def _more(layer: Layer) -> tuple[str, ...]:
    return decimal(kbit(layer.weight_bits)), decimal(kbit(layer.state_bits)), layer.kind


def _resource(item: Resources) -> tuple[str, ...]:
    return (
        item.target,
        count(item.lut),
        count(item.ff),
        count(item.dsp),
        count(kbit(item.bram_bits)),
        decimal(item.fmax_mhz),
        KINDS[item.kind],
        f"{item.tool} {item.tool_version or ''}".strip(),
    )
