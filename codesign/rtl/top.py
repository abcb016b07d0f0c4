# SPDX-License-Identifier: Apache-2.0
"""The text of a generated top: wires and instances of the leaves, nothing else.

Two token streams connect the leaves (valid/ready, one packed vector, first field in the high bits):

* word: ``{fresh, has_word, end_of_frame, word index, data}``; data of ``Lanes`` values, lane 0 in the low bits
* event: ``{new_stream, has_event, end_of_frame, element address, delta}``
"""

from __future__ import annotations

from codesign.graph.cycles import EVENT_QUEUE, LAYER_WORDS, input_words
from codesign.graph.ir import Conv, Delta, Dense, Graph, Join, Pool, Source, Spatial
from codesign.rtl.memories import index_bits, signed_width, spatial_bits, weight_lines
from codesign.rtl.spec import TopSpec, byte_bits, word_lanes

PLACE_QUEUE = 16
"""Located events in front of a spatial engine: hides the events that reach no output."""
OVERLAP = 2
"""Frames that may be inside though streams stall (`delta_admit`): one is computed, the next one is on its way."""


class _Top:
    """Text of a top under construction: wires and instances, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stream(self, name: str, bits: int) -> None:
        """Declare the wires of a valid/ready stream."""
        self.lines += ["", f"  logic {name}_valid, {name}_ready;", f"  logic [{bits - 1}:0] {name};"]

    def fork(self, name: str, bits: int, outputs: int) -> list[str]:
        """Return ``outputs`` streams that each carry all of stream ``name``, which is one of them if it is alone."""
        if outputs < 2:
            return [name]
        copies = [f"{name}__{i}" for i in range(outputs)]
        for copy in copies:
            self.stream(copy, bits)
            self.lines.append(f"  assign {copy} = {name};")
        ports = {"valid_i": f"{name}_valid", "ready_o": f"{name}_ready"}
        ports |= {"valid_o": _side_by_side(copies, "_valid"), "ready_i": _side_by_side(copies, "_ready")}
        self.instance("fork", f"{name}_fork", {"Outputs": outputs}, ports)
        return copies

    def queue(self, before: str, after: str, bits: int, depth: int, *, registered: bool = True) -> str:
        """Put a FIFO between stream ``before`` and a new stream ``after``, which is returned."""
        self.stream(after, bits)
        ports = _link(before, after)
        ports["data_i"], ports["data_o"] = ports.pop("token_i"), ports.pop("token_o")
        self.instance("fifo", after, {"Width": bits, "Depth": depth, "Registered": registered}, ports)
        return after

    def instance(self, leaf: str, name: str, parameters: dict[str, object], ports: dict[str, str]) -> None:
        """Instantiate ``delta_<leaf>``; ``ports`` beside the clock and the reset."""
        ports = {"clk_i": "clk_i", "rst_ni": "rst_ni", **ports}
        self.lines += [
            f"  delta_{leaf} #(",
            ",\n".join(f"      .{key}({_literal(value)})" for key, value in parameters.items()),
            f"  ) i_{name} (",
            ",\n".join(f"      .{key}({value})" for key, value in ports.items()),
            "  );",
        ]


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return f"1'b{int(value)}"
    return str(value)


def _link(before: str, after: str) -> dict[str, str]:
    """Ports of a leaf between the streams ``before`` and ``after``."""
    ports = {"valid_i": f"{before}_valid", "ready_o": f"{before}_ready", "token_i": before}
    return ports | {"valid_o": f"{after}_valid", "ready_i": f"{after}_ready", "token_o": after}


def _side_by_side(streams: list[str], suffix: str = "") -> str:
    """Return the concatenation of a signal of several streams, the first one in the low bits."""
    return "{" + ", ".join(f"{stream}{suffix}" for stream in reversed(streams)) + "}"


def top_text(graph: Graph, spec: TopSpec) -> str:
    """Return the SystemVerilog of the top of ``graph``."""
    top = _Top()
    engines = len(spec.engines)
    top.lines += [
        f"  logic [{4 * engines - 1}:0] probe;",
        "  logic malformed, enter, leave, hold;",
        "  assign leave = m_axis_tvalid && m_axis_tready && m_axis_tlast;",
        "  assign probe_o = probe;",
    ]
    streams = {graph.source.name: [_encode(top, graph.source)]}  # of each node's output, one for each reader to come
    for node in graph.nodes[1:]:
        stream, *more = [streams[name].pop(0) for name in node.inputs]
        if isinstance(node, Delta):
            streams[node.name] = _delta(top, graph, node, stream, threshold=_threshold(spec, node))
            continue
        probe = f"probe[{4 * spec.engines.index(node.name) + 3}:{4 * spec.engines.index(node.name)}]"
        assert not isinstance(node, Source)
        if isinstance(node, Dense):
            word = _dense(top, graph, node, stream, probe)
        else:
            word = _spatial(top, graph, node, [stream, *more], probe)
        streams[node.name] = top.fork(word, _word_bits(node), len(graph.readers(node.name)))
    _decode(top, graph, spec, streams[graph.output.name][0])
    return _HEADER.format(
        name=graph.name,
        module=spec.module,
        engines=", ".join(spec.engines),
        in_bits=spec.in_lanes * spec.in_lane_bits - 1,
        out_bits=spec.out_lanes * spec.out_lane_bits - 1,
        probe_bits=4 * engines - 1,
        about_holds=_ABOUT_HOLDS.format(holds=", ".join(hold.name for hold in spec.holds)) if spec.holds else "",
        threshold=f"    input  logic [{spec.threshold_bits - 1}:0] threshold_i,\n" if spec.holds else "",
        body="\n".join(top.lines),
    )


_HEADER = """\
// SPDX-License-Identifier: Apache-2.0
// Generated from the graph {name}: wires and instances only. Engines in probe_o and the counters: {engines}.
{about_holds}module {module} #(
    parameter bit Skip = 1'b1  // 0: every element is an event (the dense baseline)
) (
    input  logic clk_i,
    input  logic rst_ni,
{threshold}    input  logic [{in_bits}:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    input  logic s_axis_tlast,
    input  logic [0:0] s_axis_tuser,
    output logic [{out_bits}:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic m_axis_tlast,
    output logic [1:0] error_o,
    input  logic [7:0] stat_addr_i,
    output logic [31:0] stat_data_o,
    output logic [{probe_bits}:0] probe_o
);
{body}
endmodule
"""

_ABOUT_HOLDS = """\
// threshold_i: the hold thresholds, first one in the low bits: {holds}. Each is that of the layer's coarsest step in
// units of its input, 0 holds nothing. They are those of a stream: change them only while no frame is inside (TLAST of
// the last one is out), and let the next frame start a new stream (tuser).
"""


def _encode(top: _Top, source: Source) -> str:
    stream = f"{source.name}_word"
    top.stream(stream, 3 + index_bits(source.beats) + source.lanes * source.fmt.width)
    parameters: dict[str, object] = {
        "Beats": source.beats,
        "Lanes": source.lanes,
        "CodeWidth": source.fmt.width,
        "LaneWidth": byte_bits(source.fmt.width),
    }
    ports = {f"s_axis_{name}": f"s_axis_{name}" for name in ("tdata", "tvalid", "tready", "tlast")}
    ports |= {
        "s_axis_tuser": "s_axis_tuser[0]",
        "valid_o": f"{stream}_valid",
        "ready_i": f"{stream}_ready",
        "token_o": stream,
        "hold_i": "hold",
        "begin_o": "enter",
        "busy_o": "probe[1]",
        "stalled_o": "probe[2]",
        "malformed_o": "malformed",
        "error_o": "error_o",
    }
    top.instance("encode", f"{source.name}_encode", parameters, ports)
    return stream


def frames_inside(graph: Graph) -> int:
    """Return how many frames may be inside though streams stall: `OVERLAP`, and one more for each frame's worth of
    rows that engines need before their first result, as frames of different engines do not overlap there.
    """
    waits = sum(1.0 if isinstance(node, Dense) else node.y.kernel / node.y.size for node in graph.engines[:-1])
    return OVERLAP + int(waits)


def _threshold(spec: TopSpec, node: Delta) -> str:
    """Return what drives the threshold of ``node``: its field of ``threshold_i``."""
    low = 0
    for hold in spec.holds:
        if hold.name == node.name:
            return f"threshold_i[{low}+:{hold.width}]"
        low += hold.width
    return "'0"


def _delta(top: _Top, graph: Graph, node: Delta, stream: str, *, threshold: str) -> list[str]:
    """Emit, serialise, and queue for each reader; a last `Delta` only emits its codes."""
    lanes, final = word_lanes(graph, node), node is graph.output
    words = -(-node.size // lanes)
    word_head = 3 + index_bits(words)
    top.stream(f"{node.name}_word", word_head + lanes * (node.fmt.width if final else node.delta_bits + 1))
    parameters = {"Skip": "Skip", "SendCodes": final, "Distance": _distance(graph, node)}
    parameters |= delta_parameters(node, lanes)
    ports = {"threshold_i": threshold} | _link(stream, f"{node.name}_word")
    top.instance("emit", f"{node.name}_emit", parameters, ports)
    if final:
        return [f"{node.name}_word"]

    event_bits = 3 + index_bits(node.size) + node.delta_bits
    event = f"{node.name}_event"
    top.stream(event, event_bits)
    first = node is graph.nodes[1]
    parameters = {
        "Size": node.size,
        "Lanes": lanes,
        "DeltaWidth": node.delta_bits,
        "Depth": input_words(graph) if first else min(max(2, words), LAYER_WORDS),
    }
    top.instance("serialize", f"{node.name}_serialize", parameters, _link(f"{node.name}_word", event))
    if first:
        top.lines += [
            f"  assign probe[0] = {event}_valid && {event}_ready && {event}[{event_bits - 2}];",
            f"  assign probe[3] = {event}_valid && {event}_ready && {event}[{event_bits - 3}];",
        ]
    copies = top.fork(event, event_bits, len(graph.readers(node.name)))
    queues = [f"{node.name}__{i}" if len(copies) > 1 else node.name for i in range(len(copies))]
    return [
        top.queue(copy, f"{queue}_queue", event_bits, EVENT_QUEUE) for copy, queue in zip(copies, queues, strict=True)
    ]


def _distance(graph: Graph, node: Delta) -> int:
    """Return the fewest cycles between two words of one address in front of ``node``.

    A dense engine sends all words in turn, another one ends a frame between; input frames may be short.
    """
    before = graph[node.input]
    if isinstance(before, Source):
        return 1
    return before.words if isinstance(before, Dense) else 2


def delta_parameters(node: Delta, lanes: int) -> dict[str, object]:
    """Return the parameters of the ``delta_emit`` that computes ``node``, but for Skip and SendCodes."""
    steps = node.steps()
    parameters: dict[str, object] = {
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
        parameters["StepFile"] = f'"{node.name}_step.mem"'
    if node.hold is not None:
        parameters |= {"Hold": True, "ThresholdWidth": node.threshold_bits}
    return parameters


def dense_parameters(node: Dense, delta: Delta) -> dict[str, object]:
    """Return the parameters of the ``delta_dense`` that computes ``node`` behind ``delta``."""
    return {
        "Inputs": node.n_in,
        "Words": node.words,
        "Lanes": node.pe,
        "DeltaWidth": delta.delta_bits,
        "WeightWidth": signed_width(node.weight_fmt),
        "AccWidth": node.fmt.width,
        "WeightFile": f'"{node.name}_weight.mem"',
        "BiasFile": f'"{node.name}_bias.mem"',
    }


def _word_bits(node: Dense | Spatial) -> int:
    """Return the bits of a word token of an engine."""
    return 3 + index_bits(node.words) + node.pe * node.fmt.width


def _dense(top: _Top, graph: Graph, node: Dense, stream: str, probe: str) -> str:
    delta = graph[node.input]
    assert isinstance(delta, Delta)
    top.stream(f"{node.name}_word", _word_bits(node))
    ports = _link(stream, f"{node.name}_word") | {"probe_o": probe}
    top.instance("dense", f"{node.name}_dense", dense_parameters(node, delta), ports)
    return f"{node.name}_word"


def _feeds(graph: Graph, node: Spatial) -> list[Delta]:
    return [feed for name in node.inputs if isinstance(feed := graph[name], Delta)]


def product_bits(node: Spatial, feeds: list[Delta]) -> int:
    """Return the bits of a delta on the lattice of ``node``."""
    shifts = node.shifts if isinstance(node, Join) else (0,)
    return max(feed.delta_bits + shift for feed, shift in zip(feeds, shifts, strict=True))


def locate_parameters(node: Spatial, feeds: list[Delta], at: int = 0) -> dict[str, object]:
    """Return the parameters of the ``delta_locate`` between ``feeds[at]`` and the engine that computes ``node``."""
    parameters: dict[str, object] = {
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
        "RowFile": f'"{node.name}_row.mem"',
        "ColumnFile": f'"{node.name}_column.mem"',
    }
    if isinstance(node, Join):
        parameters |= {"ChannelOffset": node.offsets[at], "Shift": node.shifts[at]}
    return parameters


def list_rows(node: Spatial) -> int:
    """Return how many rows may have touched words that have not left: four times what an event reaches, but not more
    than there are.

    An event waits until its last row is within so many of the oldest unsent one, so with few beyond its own reach it
    waits for almost every row. Behind a join no input may ever wait: all rows.
    """
    every = 1 << node.y.outputs.bit_length()
    wanted = every if isinstance(node, Join) else 1 << (4 * int(node.y.counts().max()) - 1).bit_length()
    return max(8, 2 << node.taps[0].bit_length(), min(every, wanted))


def conv_parameters(node: Spatial, feeds: list[Delta]) -> dict[str, object]:
    """Return the parameters of the ``delta_conv`` that computes ``node`` behind ``feeds``."""
    row_lines, column_lines, lines = weight_lines(node)
    bank_rows = 1 << node.taps[0].bit_length()
    parameters: dict[str, object] = {
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
        "TapRows": node.taps[0],
        "TapColumns": node.taps[1],
        "BankRows": bank_rows,
        "BankColumns": 1 << (node.taps[1] - 1).bit_length(),
        "Lists": list_rows(node),
        **spatial_bits(node),
    }
    if isinstance(node, Conv):
        parameters |= {
            "WeightLines": lines,
            "WeightWidth": signed_width(node.weight_fmt),
            "WeightFile": f'"{node.name}_weight.mem"',
            "BiasFile": f'"{node.name}_bias.mem"',
        }
    elif isinstance(node, Pool) and node.kind == "max":
        parameters |= {"Window": node.window, "AccSigned": node.fmt.signed}
    return parameters


def _spatial(top: _Top, graph: Graph, node: Spatial, streams: list[str], probe: str) -> str:
    """Locate the events of every input, join them if there are several, accumulate."""
    bits, feeds, word = spatial_bits(node), _feeds(graph, node), f"{node.name}_word"
    rest = bits["RowBits"] + 2 * bits["ColumnBits"] + bits["WeightBits"]
    rest += index_bits(node.groups) + index_bits(node.pe) + product_bits(node, feeds)
    place = 3 + bits["RowBits"] + rest
    queues = []
    for at, stream in enumerate(streams):
        own = node.name if len(streams) == 1 else f"{node.name}__{at}"
        top.stream(f"{own}_located", place)
        top.instance("locate", f"{own}_locate", locate_parameters(node, feeds, at), _link(stream, f"{own}_located"))
        # An engine takes tokens in registers of its own; a join compares their rows first.
        registered = len(streams) > 1
        queues.append(top.queue(f"{own}_located", f"{own}_place", place, PLACE_QUEUE, registered=registered))
    floor = "'0"
    if isinstance(node, Join):
        joined, floor = f"{node.name}_joined", f"{node.name}_floor"
        top.stream(joined, place)
        top.lines.append(f"  logic [{bits['RowBits'] - 1}:0] {floor};")
        ports = _link(joined, joined) | {"valid_i": _side_by_side(queues, "_valid"), "floor_o": floor}
        ports |= {"ready_o": _side_by_side(queues, "_ready"), "token_i": _side_by_side(queues)}
        parameters: dict[str, object] = {"Inputs": len(queues), "RowBits": bits["RowBits"], "RestBits": rest}
        top.instance("join", f"{node.name}_join", parameters, ports)
        queues = [joined]
    top.stream(word, _word_bits(node))
    ports = _link(queues[0], word) | {"floor_i": floor, "probe_o": probe}
    top.instance("conv", f"{node.name}_conv", conv_parameters(node, feeds), ports)
    return word


def _decode(top: _Top, graph: Graph, spec: TopSpec, stream: str) -> None:
    output = graph.output
    parameters: dict[str, object] = {
        "Words": spec.out_words,
        "Lanes": spec.out_lanes,
        "ValueWidth": output.fmt.width,
        "ValueSigned": output.fmt.signed,
        "LaneWidth": spec.out_lane_bits,
    }
    ports = {"valid_i": f"{stream}_valid", "ready_o": f"{stream}_ready", "token_i": stream}
    ports |= {f"m_axis_{name}": f"m_axis_{name}" for name in ("tdata", "tvalid", "tready", "tlast")}
    top.lines.append("")
    top.instance("decode", f"{output.name}_decode", parameters, ports)
    top.lines.append("")
    ports = {"frame_i": "leave", "error_i": "malformed", "probe_i": "probe"}
    ports |= {name: name for name in ("stat_addr_i", "stat_data_o")}
    events = [f"{node.name}_event" for node in graph.deltas if node is not output]
    stalled = ", ".join(f"{event}_valid && !{event}_ready" for event in events)
    parameters = {"Frames": frames_inside(graph), "Streams": len(events)}
    admit = {"enter_i": "enter", "leave_i": "leave", "stalled_i": f"{{{stalled}}}", "hold_o": "hold"}
    top.instance("admit", "admit", parameters, admit)
    top.lines.append("")
    top.instance("stats", "stats", {"Engines": len(spec.engines)}, ports)
