# SPDX-License-Identifier: Apache-2.0
"""The outside of a generated top: lanes, widths, beats and counters."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.graph.ir import Delta, Engine, Graph, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class TopSpec:
    """The outside of a generated top.

    Attributes:
        module: name of the top module.
        in_lanes: codes in an input beat (P).
        in_lane_bits: bits of a lane in ``s_axis_tdata``: the code's, rounded up to bytes.
        in_width: bits of an input code.
        beats: input beats of a frame.
        out_lanes: values in an output beat.
        out_lane_bits: bits of a lane in ``m_axis_tdata``.
        out_words: beats of an output packet; the last may be padded beyond the output's size.
        engines: names in the order of ``probe_o`` and of the counters: the first `Delta`, then every engine.
    """

    module: str
    in_lanes: int
    in_lane_bits: int
    in_width: int
    beats: int
    out_lanes: int
    out_lane_bits: int
    out_words: int
    engines: tuple[str, ...]


def top_spec(graph: Graph) -> TopSpec:
    """Return the ports and counters of the top that ``emit`` generates for ``graph``."""
    source, output = graph.source, graph.output
    lanes = word_lanes(graph, output)
    return TopSpec(
        module=f"{graph.name}_top",
        in_lanes=source.lanes,
        in_lane_bits=byte_bits(source.fmt.width),
        in_width=source.fmt.width,
        beats=source.beats,
        out_lanes=lanes,
        out_lane_bits=byte_bits(output.fmt.width),
        out_words=-(-output.size // lanes),
        engines=(graph.nodes[1].name, *(node.name for node in graph.engines)),
    )


def byte_bits(bits: int) -> int:
    """Return ``bits`` rounded up to whole bytes."""
    return -(-bits // 8) * 8


def word_lanes(graph: Graph, node: Source | Delta | Engine) -> int:
    """Return how many values of ``node`` travel in a word."""
    if isinstance(node, Source):
        return node.lanes
    return word_lanes(graph, graph[node.input]) if isinstance(node, Delta) else node.pe
