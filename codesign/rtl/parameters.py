# SPDX-License-Identifier: Apache-2.0
"""From a node of the graph to the parameters of the leaves that compute it, and to the tokens that they exchange."""

from __future__ import annotations

import math

from codesign.graph.channels import ChannelLattices, channel_lattices
from codesign.graph.cycles import LAYER_WORDS, input_words
from codesign.graph.ir import Conv, Delta, Dense, Graph, Join, Linear, Pool, Source, Spatial
from codesign.rtl import tokens
from codesign.rtl.netlist import Parameter, Parameters
from codesign.rtl.spec import TopSpec, byte_bits, word_lanes
from codesign.rtl.tokens import Token, index_bits

OVERLAP = 2
"""Frames that may be inside though streams stall (`delta_admit`): one is computed, the next one is on its way."""


def encode_parameters(source: Source) -> Parameters:
    """Return the parameters of the ``delta_encode`` of ``source``."""
    return {
        "Beats": source.beats,
        "Lanes": source.lanes,
        "CodeWidth": source.fmt.width,
        "LaneWidth": byte_bits(source.fmt.width),
    }


def delta_parameters(node: Delta, lanes: int) -> dict[str, Parameter]:
    """Return the parameters of the ``delta_emit`` that computes ``node``, but for those of `emit_parameters`."""
    steps = node.steps()
    parameters: dict[str, Parameter] = {
        "Size": node.size,
        "Lanes": lanes,
        "InWidth": node.in_fmt.width,
        "InSigned": node.in_fmt.signed,
        "Widen": node.widen,
        "Shift": node.shift,
        "Relu": node.activation == "relu",
        "CodeWidth": node.fmt.width,
        "CodeSigned": node.fmt.signed,
        "DeltaWidth": node.delta_bits,
        "Lo": node.lo,
        "Hi": node.hi,
        "StepMax": int(steps.max()),
    }
    if len(set(steps.tolist())) > 1:
        parameters |= {"StepFile": f"{node.name}_step.mem", "StepLines": step_lines(node, lanes)}
    if node.hold is not None:
        parameters |= {"Hold": True, "ThresholdWidth": node.threshold_bits}
    return parameters


def step_lines(node: Delta, lanes: int) -> int:
    """Return after how many words of ``lanes`` values the steps of the channels repeat, if that is a power of two.

    Else the words of a frame, as the index of a word is not divided.
    """
    period, words = math.lcm(node.channels, lanes) // lanes, -(-node.size // lanes)
    return period if period.bit_count() == 1 and period < words else words


def emit_parameters(graph: Graph, node: Delta) -> Parameters:
    """Return all parameters of the ``delta_emit`` that computes ``node`` of ``graph``."""
    place: dict[str, Parameter] = {
        "SendCodes": node is graph.output,
        "Distance": _distance(graph, node),
    }
    return place | delta_parameters(node, word_lanes(graph, node))


def _distance(graph: Graph, node: Delta) -> int:
    """Return the fewest cycles between two words of one address in front of ``node``.

    A dense engine sends all words in turn, another one ends a frame between; input frames may be short.
    """
    before = graph[node.input]
    if isinstance(before, Source):
        return 1
    return before.words if isinstance(before, Dense) else 2


def serialize_parameters(graph: Graph, node: Delta) -> Parameters:
    """Return the parameters of the ``delta_serialize`` that sends the events of ``node`` of ``graph``."""
    lanes = word_lanes(graph, node)
    words = -(-node.size // lanes)
    return {
        "Size": node.size,
        "Lanes": lanes,
        "DeltaWidth": node.delta_bits,
        "Depth": input_words(graph) if node is graph.nodes[1] else min(max(2, words), LAYER_WORDS),
    }


def dense_parameters(node: Dense, delta: Delta) -> Parameters:
    """Return the parameters of the ``delta_dense`` that computes ``node`` after ``delta``."""
    lattices = channel_lattices(node, delta)
    return {
        "Inputs": node.n_in,
        "Words": node.words,
        "Lanes": node.pe,
        "DeltaWidth": delta.delta_bits,
        "WeightWidth": lattices.weight_bits,
        "AccWidth": lattices.sum_bits,
        "WeightFile": f"{node.name}_weight.mem",
        "BiasFile": f"{node.name}_bias.mem",
    }


def weight_lines(node: Spatial) -> tuple[int, int, int]:
    """Return the weight lines from a kernel element to those below and right of it, and how many there are.

    For a maximum a line is the kernel element itself; without weights there is one line.
    """
    if isinstance(node, Conv):
        tap = node.groups if node.depthwise else node.channels_in() * node.groups
    elif isinstance(node, Pool) and node.kind == "max":
        tap = 1
    else:
        return 0, 0, 1
    return node.x.kernel * tap, tap, node.y.kernel * node.x.kernel * tap


def spatial_bits(node: Spatial) -> dict[str, int]:
    """Widths that ``locate`` and ``conv`` share."""
    rows = max(node.y.outputs - 1, int(node.y.counts().max()))
    columns = max(node.x.outputs - 1, int(node.x.counts().max()))
    return {
        "RowBits": max(1, rows.bit_length()),
        "ColumnBits": max(1, columns.bit_length()),
        "WeightBits": index_bits(weight_lines(node)[2]),
    }


def product_bits(node: Spatial, feeds: list[Delta]) -> int:
    """Return the bits of a delta on the lattice of ``node``."""
    shifts = node.shifts if isinstance(node, Join) else (0,)
    return max(feed.delta_bits + shift for feed, shift in zip(feeds, shifts, strict=True))


def locate_parameters(node: Spatial, feeds: list[Delta], at: int = 0) -> Parameters:
    """Return the parameters of the ``delta_locate`` between ``feeds[at]`` and the engine that computes ``node``."""
    parameters: dict[str, Parameter] = {
        "Height": node.y.size,
        "Width": node.x.size,
        "Channels": node.channels_in(at),
        "Groups": node.groups,
        "Lanes": node.pe,
        "Channelwise": node.channelwise,
        "Weighted": isinstance(node, Conv),
        "DeltaWidth": feeds[at].delta_bits,
        "OutWidth": product_bits(node, feeds),
        **spatial_bits(node),
        "RowFile": f"{node.name}_row.mem",
        "ColumnFile": f"{node.name}_column.mem",
    }
    if isinstance(node, Join):
        parameters |= {"ChannelOffset": node.offsets[at], "Shift": node.shifts[at]}
    return parameters


def join_parameters(node: Join, feeds: list[Delta]) -> Parameters:
    """Return the parameters of the ``delta_join`` in front of the engine that computes ``node``."""
    row = spatial_bits(node)["RowBits"]
    place = located_token(node, feeds)
    return {"Inputs": len(node.inputs), "RowBits": row, "RestBits": place.bit("first_row")}


def late_rows(graph: Graph, node: Spatial) -> int:
    """Return how many output rows before the first one of an event a later event of its frame may still reach.

    An engine sends row by row, but the words of a row in the order in which they were reached. Where one of its rows is
    several of ``node``, as in a frame that was reshaped, these come mixed.
    """
    late, reached = 0, [node.y.first(position) for position in range(node.y.size)]
    for name in node.inputs:
        maker = graph[name]
        sizes = [maker.size // node.y.size]
        while isinstance(maker, Delta):
            maker = graph[maker.input]
        if isinstance(maker, Spatial):
            sizes.append(maker.size // maker.y.outputs)
            row, sent = sizes
            mixed = ((first // row, (first + sent - 1) // row) for first in range(0, maker.size, sent))
            late = max(late, *(reached[bottom] - reached[top] for top, bottom in mixed))
    return late


def list_rows(node: Spatial, late: int = 0) -> int:
    """Return how many rows may have touched words that have not left: four times what an event reaches, and ``late``
    (see `late_rows`), but not more than there are.

    An event waits until its last row is within so many of the oldest unsent one, so with few beyond its own reach it
    waits for almost every row. After a join no input may ever wait: all rows.
    """
    every = 1 << node.y.outputs.bit_length()
    wanted = every if isinstance(node, Join) else 1 << (4 * int(node.y.counts().max()) + late - 1).bit_length()
    return max(8, 2 << node.unroll[0].bit_length(), min(every, wanted))


def conv_parameters(graph: Graph, node: Spatial) -> Parameters:
    """Return the parameters of the ``delta_conv`` that computes ``node`` of ``graph``."""
    feeds = [feed for name in node.inputs if isinstance(feed := graph[name], Delta)]
    late = late_rows(graph, node)
    row_lines, column_lines, lines = weight_lines(node)
    parameters: dict[str, Parameter] = {
        "Rows": node.y.outputs,
        "Columns": node.x.outputs,
        "Groups": node.groups,
        "Lanes": node.pe,
        "Channelwise": node.channelwise,
        "Joined": isinstance(node, Join),
        "StepX": node.x.stride * column_lines,
        "StepY": node.y.stride * row_lines,
        "DeltaWidth": product_bits(node, feeds),
        "AccWidth": node.fmt.width,
        "TapRows": node.unroll[0],
        "TapColumns": node.unroll[1],
        "BankRows": 1 << node.unroll[0].bit_length(),
        "BankColumns": 1 << (node.unroll[1] - 1).bit_length(),
        "Lists": list_rows(node, late),
        **spatial_bits(node),
    }
    if late:
        parameters["Late"] = late
    if isinstance(node, Conv):
        lattices = channel_lattices(node, feeds[0])
        parameters |= {
            "AccWidth": lattices.sum_bits,
            "WeightLines": lines,
            "WeightWidth": lattices.weight_bits,
            "WeightFile": f"{node.name}_weight.mem",
            "BiasFile": f"{node.name}_bias.mem",
        }
    elif isinstance(node, Pool) and node.kind == "max":
        parameters |= {"Window": node.window, "AccSigned": node.fmt.signed}
    return parameters


def align_lines(node: Linear, lattices: ChannelLattices) -> int:
    """Return the lines of the ``delta_align`` after ``node``: 1 if every word has the same shifts.

    Else one for each group of channels if that is a power of two, or one for each word.
    """
    groups = len(lattices.shifts) // node.pe
    alike = all((part.reshape(groups, -1) == part[: node.pe]).all() for part in (lattices.shifts, lattices.low))
    return 1 if alike else groups if groups.bit_count() == 1 else node.words


def align_parameters(node: Linear, lattices: ChannelLattices) -> Parameters:
    """Return the parameters of the ``delta_align`` after the engine that computes ``node``."""
    return {
        "Words": node.words,
        "Lanes": node.pe,
        "InWidth": lattices.sum_bits,
        "OutWidth": node.fmt.width,
        "ShiftWidth": int(lattices.shifts.max()).bit_length(),
        "LowWidth": max(1, int(lattices.low.max()).bit_length()),
        "Lines": align_lines(node, lattices),
        "File": f"{node.name}_shift.mem",
    }


def decode_parameters(graph: Graph, spec: TopSpec) -> Parameters:
    """Return the parameters of the ``delta_decode`` of ``graph``."""
    return {
        "Words": spec.out_words,
        "Lanes": spec.out_lanes,
        "ValueWidth": graph.output.fmt.width,
        "ValueSigned": graph.output.fmt.signed,
        "LaneWidth": spec.out_lane_bits,
    }


def admit_parameters(graph: Graph, streams: int) -> Parameters:
    """Return the parameters of the ``delta_admit`` that looks at so many streams."""
    return {"Frames": frames_inside(graph), "Streams": streams}


def frames_inside(graph: Graph) -> int:
    """Return how many frames may be inside though streams stall: `OVERLAP`, and one more for each frame's worth of
    rows that engines need before their first result, as frames of different engines do not overlap there.
    """
    waits = sum(1.0 if isinstance(node, Dense) else node.y.kernel / node.y.size for node in graph.engines[:-1])
    return OVERLAP + int(waits)


def word_token(graph: Graph, node: Source | Delta | Dense | Spatial, bits: int | None = None) -> Token:
    """Return the token of the words of ``node``: its values, or the changes that a `Delta` hands to ``serialize``.

    ``bits``: of a value, if those of ``node.fmt`` are not meant.
    """
    lanes = word_lanes(graph, node)
    words = -(-node.size // lanes)
    if isinstance(node, Delta) and node is not graph.output:
        return tokens.changes(words, lanes, node.delta_bits)
    return tokens.word(words, lanes * (bits or node.fmt.width))


def event_token(node: Delta) -> Token:
    """Return the token of the events of ``node``."""
    return tokens.event(node.size, node.delta_bits)


def located_token(node: Spatial, feeds: list[Delta]) -> Token:
    """Return the token of the located events that the engine of ``node`` takes."""
    bits = spatial_bits(node)
    return tokens.located(
        row=bits["RowBits"],
        column=bits["ColumnBits"],
        group=index_bits(node.groups),
        line=bits["WeightBits"],
        lane=index_bits(node.pe),
        delta=product_bits(node, feeds),
    )
