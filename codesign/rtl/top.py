# SPDX-License-Identifier: Apache-2.0
"""The text of a generated top: wires and instances of the leaves, nothing else.

Two token streams connect the leaves (valid/ready, one packed vector, first field in the high bits):

* word: ``{fresh, has_word, end_of_frame, word index, data}``; data of ``Lanes`` values, lane 0 in the low bits
* event: ``{new_stream, has_event, end_of_frame, element address, delta}``
"""

from __future__ import annotations

from codesign.graph.ir import Conv, Delta, Dense, Graph, Source
from codesign.rtl.memories import conv_bits, index_bits, signed_width
from codesign.rtl.spec import TopSpec, byte_bits, word_lanes

EVENT_FIFO = 64
"""Event tokens between two layers: enough to hide the bursts of a frame."""
SCAN_FIFO = 16
"""Words that the input scan may run ahead of the events it found."""
PLACE_FIFO = 16
"""Located events in front of a convolution: hides the events that reach no output."""
WORD_FIFO = 32
"""Most words of changed codes that wait behind an engine."""


class _Top:
    """Text of a top under construction: wires and instances, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stream(self, name: str, bits: int) -> None:
        """Declare the wires of a valid/ready stream."""
        self.lines += ["", f"  logic {name}_valid, {name}_ready;", f"  logic [{bits - 1}:0] {name};"]

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


def top_text(graph: Graph, spec: TopSpec) -> str:
    """Return the SystemVerilog of the top of ``graph``."""
    top = _Top()
    engines = len(spec.engines)
    top.lines += [
        f"  logic [{4 * engines - 1}:0] probe;",
        "  logic malformed;",
        "  assign probe_o = probe;",
    ]
    stream = _encode(top, graph.source)
    for before, node in zip(graph.nodes, graph.nodes[1:], strict=False):
        if isinstance(node, Delta):
            stream = _delta(top, graph, node, stream)
        elif isinstance(node, Dense) and isinstance(before, Delta):
            stream = _dense(top, before, node, stream, probe=4 * spec.engines.index(node.name))
        elif isinstance(node, Conv) and isinstance(before, Delta):
            stream = _conv(top, before, node, stream, probe=4 * spec.engines.index(node.name))
    _decode(top, graph, spec, stream)
    return _HEADER.format(
        name=graph.name,
        module=spec.module,
        engines=", ".join(spec.engines),
        in_bits=spec.in_lanes * spec.in_lane_bits - 1,
        out_bits=spec.out_lanes * spec.out_lane_bits - 1,
        probe_bits=4 * engines - 1,
        body="\n".join(top.lines),
    )


_HEADER = """\
// SPDX-License-Identifier: Apache-2.0
// Generated from the graph {name}: wires and instances only. Engines in probe_o and the counters: {engines}.
module {module} #(
    parameter bit Skip = 1'b1  // 0: every element is an event (the dense baseline)
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic [{in_bits}:0] s_axis_tdata,
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
        "busy_o": "probe[1]",
        "stalled_o": "probe[2]",
        "malformed_o": "malformed",
        "error_o": "error_o",
    }
    top.instance("encode", f"{source.name}_encode", parameters, ports)
    return stream


def _delta(top: _Top, graph: Graph, node: Delta, stream: str) -> str:
    """Emit, serialise and queue; a last `Delta` only emits its codes."""
    lanes, final = word_lanes(graph, node), node is graph.output
    words = -(-node.size // lanes)
    word_head = 3 + index_bits(words)
    top.stream(f"{node.name}_word", word_head + lanes * (node.fmt.width if final else node.delta_bits + 1))
    parameters = {"Skip": "Skip", "SendCodes": final} | delta_parameters(node, lanes)
    top.instance("emit", f"{node.name}_emit", parameters, _link(stream, f"{node.name}_word"))
    if final:
        return f"{node.name}_word"

    event_bits = 3 + index_bits(node.size) + node.delta_bits
    top.stream(f"{node.name}_event", event_bits)
    first = node is graph.nodes[1]
    parameters = {
        "Size": node.size,
        "Lanes": lanes,
        "DeltaWidth": node.delta_bits,
        "Depth": SCAN_FIFO if first else min(max(2, words), WORD_FIFO),
    }
    event = f"{node.name}_event"
    top.instance("serialize", f"{node.name}_serialize", parameters, _link(f"{node.name}_word", event))
    if first:
        top.lines += [
            f"  assign probe[0] = {event}_valid && {event}_ready && {event}[{event_bits - 2}];",
            f"  assign probe[3] = {event}_valid && {event}_ready && {event}[{event_bits - 3}];",
        ]

    top.stream(f"{node.name}_queue", event_bits)
    ports = _link(f"{node.name}_event", f"{node.name}_queue")
    ports["data_i"], ports["data_o"] = ports.pop("token_i"), ports.pop("token_o")
    top.instance("fifo", f"{node.name}_queue", {"Width": event_bits, "Depth": EVENT_FIFO}, ports)
    return f"{node.name}_queue"


def delta_parameters(node: Delta, lanes: int) -> dict[str, object]:
    """Return the parameters of the ``delta_emit`` that computes ``node``, but for Skip and SendCodes."""
    steps, thresholds = node.steps(), node.thresholds()
    uniform = len(set(steps.tolist())) == 1
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
    if not uniform:
        parameters["StepFile"] = f'"{node.name}_step.mem"'
    if thresholds is not None:
        bits = int(thresholds.max()).bit_length()
        parameters |= {"Hold": True, "ThresholdWidth": bits}
        if uniform:
            parameters["Threshold"] = f"64'd{int(thresholds.max())}"
        else:
            parameters["ThresholdFile"] = f'"{node.name}_threshold.mem"'
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


def _dense(top: _Top, delta: Delta, node: Dense, stream: str, *, probe: int) -> str:
    top.stream(f"{node.name}_word", 3 + index_bits(node.words) + node.pe * node.fmt.width)
    ports = _link(stream, f"{node.name}_word") | {"probe_o": f"probe[{probe + 3}:{probe}]"}
    top.instance("dense", f"{node.name}_dense", dense_parameters(node, delta), ports)
    return f"{node.name}_word"


def locate_parameters(node: Conv, delta: Delta) -> dict[str, object]:
    """Return the parameters of the ``delta_locate`` in front of the ``delta_conv`` that computes ``node``."""
    return {
        "Height": node.y.size,
        "Width": node.x.size,
        "Channels": node.channels_in(),
        **_shared(node, delta),
        "RowFile": f'"{node.name}_row.mem"',
        "ColumnFile": f'"{node.name}_column.mem"',
    }


def conv_parameters(node: Conv, delta: Delta) -> dict[str, object]:
    """Return the parameters of the ``delta_conv`` that computes ``node`` behind ``delta``."""
    tap_lines = node.weight.size // node.pe // (node.y.kernel * node.x.kernel)
    return {
        "Rows": node.y.outputs,
        "RowWords": node.x.outputs * node.groups,
        **_shared(node, delta),
        "StepX": node.x.stride * tap_lines,
        "StepY": node.y.stride * node.x.kernel * tap_lines,
        "WeightLines": node.weight.size // node.pe,
        "WeightWidth": signed_width(node.weight_fmt),
        "AccWidth": node.fmt.width,
        "Lists": 1 << max(3, int(node.y.counts().max()).bit_length()),
        "WeightFile": f'"{node.name}_weight.mem"',
        "BiasFile": f'"{node.name}_bias.mem"',
    }


def _shared(node: Conv, delta: Delta) -> dict[str, object]:
    return {
        "Groups": node.groups,
        "Lanes": node.pe,
        "Depthwise": node.depthwise,
        "DeltaWidth": delta.delta_bits,
        **conv_bits(node),
    }


def _conv(top: _Top, delta: Delta, node: Conv, stream: str, *, probe: int) -> str:
    bits = conv_bits(node)
    place = (
        3 + 2 * bits["RowBits"] + 2 * bits["ColumnBits"] + bits["WeightBits"] + index_bits(node.pe) + delta.delta_bits
    )
    located, queued, word = f"{node.name}_located", f"{node.name}_place", f"{node.name}_word"
    top.stream(located, place)
    top.instance("locate", f"{node.name}_locate", locate_parameters(node, delta), _link(stream, located))
    top.stream(queued, place)
    ports = _link(located, queued)
    ports["data_i"], ports["data_o"] = ports.pop("token_i"), ports.pop("token_o")
    top.instance("fifo", f"{node.name}_place", {"Width": place, "Depth": PLACE_FIFO}, ports)
    top.stream(word, 3 + index_bits(node.words) + node.pe * node.fmt.width)
    ports = _link(queued, word) | {"probe_o": f"probe[{probe + 3}:{probe}]"}
    top.instance("conv", f"{node.name}_conv", conv_parameters(node, delta), ports)
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
    ports = {"frame_i": "m_axis_tvalid && m_axis_tready && m_axis_tlast", "error_i": "malformed", "probe_i": "probe"}
    ports |= {name: name for name in ("stat_addr_i", "stat_data_o")}
    top.instance("stats", "stats", {"Engines": len(spec.engines)}, ports)
