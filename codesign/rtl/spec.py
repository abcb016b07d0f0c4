# SPDX-License-Identifier: Apache-2.0
"""The outside of a generated top: lanes, widths, beats, counters and hold thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codesign.graph.ir import Delta, Engine, Graph, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold threshold that can be set at run time.

    Attributes:
        name: name of the `Delta`.
        width: number of bits, see `Delta.threshold_bits`.
        default: threshold of the graph, see `Delta.threshold`.
    """

    name: str
    width: int
    default: int


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
        engines: engines in the order of ``probe_o`` and of the counters, by name: the first `Delta`, then every engine.
        holds: fields of ``threshold_i``, the first in the low bits: one for each `Delta` with hold. No such port if
            there is none.
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
    holds: tuple[Hold, ...]

    @property
    def in_bytes(self) -> int:
        """Bytes of an input beat."""
        return self.in_lanes * self.in_lane_bits // 8

    @property
    def out_bytes(self) -> int:
        """Bytes of an output beat."""
        return self.out_lanes * self.out_lane_bits // 8

    @property
    def threshold_bits(self) -> int:
        """Bits of ``threshold_i``; 0: there is no such port."""
        return sum(hold.width for hold in self.holds)

    def threshold_word(self, thresholds: Mapping[str, int]) -> int:
        """Return ``threshold_i`` for thresholds by layer, those of the graph where ``thresholds`` has none."""
        word, low = 0, 0
        for hold in self.holds:
            word |= thresholds.get(hold.name, hold.default) << low
            low += hold.width
        return word


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
        holds=tuple(
            Hold(name=node.name, width=node.threshold_bits, default=node.threshold())
            for node in graph.deltas
            if node.hold is not None
        ),
    )


def byte_bits(bits: int) -> int:
    """Return ``bits`` rounded up to whole bytes."""
    return -(-bits // 8) * 8


def word_lanes(graph: Graph, node: Source | Delta | Engine) -> int:
    """Return how many values of ``node`` travel in a word."""
    if isinstance(node, Source):
        return node.lanes
    return word_lanes(graph, graph[node.input]) if isinstance(node, Delta) else node.pe
