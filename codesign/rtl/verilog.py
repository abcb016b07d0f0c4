# SPDX-License-Identifier: Apache-2.0
"""From a top to its SystemVerilog: wires and instances of the leaves, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codesign.rtl.netlist import Assign, Instance, Item, Parameter, Signal, Stream, Top, TopParameter


def top_text(top: Top) -> str:
    """Return the SystemVerilog of a top."""
    spec = top.spec
    probe_bits = 4 * len(spec.engines) - 1
    body = [
        f"  logic [{probe_bits}:0] probe;",
        "  logic malformed, enter, leave, hold;",
        "  assign leave = m_axis_tvalid && m_axis_tready && m_axis_tlast;",
        "  assign probe_o = probe;",
    ]
    for part in top.parts:
        for item in part.items:
            body += _lines(item)
    return _HEADER.format(
        name=top.graph,
        module=spec.module,
        engines=", ".join(spec.engines),
        in_bits=spec.in_lanes * spec.in_lane_bits - 1,
        out_bits=spec.out_lanes * spec.out_lane_bits - 1,
        probe_bits=probe_bits,
        about_holds=_ABOUT_HOLDS.format(holds=", ".join(hold.name for hold in spec.holds)) if spec.holds else "",
        threshold=f"    input  logic [{spec.threshold_bits - 1}:0] threshold_i,\n" if spec.holds else "",
        body="\n".join(body),
    )


def literal(value: Parameter) -> str:
    """Return the value of a parameter as SystemVerilog."""
    if isinstance(value, TopParameter):
        return value.name
    if isinstance(value, bool):
        return f"1'b{int(value)}"
    return f'"{value}"' if isinstance(value, str) else str(value)


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

_AXIS = ("tdata", "tvalid", "tready", "tlast")
_APART = ("decode", "admit", "stats")


def _lines(item: Item) -> Iterator[str]:
    """Yield the lines of an item."""
    if isinstance(item, Stream):
        yield ""
        yield f"  logic {item.name}_valid, {item.name}_ready;"
        yield f"  logic [{item.token.bits - 1}:0] {item.name};"
        if "__" in item.name and item.name.rpartition("__")[2].isdigit():
            yield f"  assign {item.name} = {item.name.rpartition('__')[0]};"
    elif isinstance(item, Signal):
        yield f"  logic [{item.bits - 1}:0] {item.name};"
    elif isinstance(item, Assign):
        yield f"  assign {item.target} = {item.value};"
    else:
        if item.leaf in _APART:
            yield ""
        yield f"  delta_{item.leaf} #("
        yield ",\n".join(f"      .{key}({literal(value)})" for key, value in item.parameters.items())
        yield f"  ) i_{item.name} ("
        yield ",\n".join(f"      .{port}({value})" for port, value in _ports(item).items())
        yield "  );"


def _ports(item: Instance) -> dict[str, str]:
    """Return every port of a leaf and what it is connected to."""
    ports = {"clk_i": "clk_i", "rst_ni": "rst_ni"}
    if item.leaf == "emit":
        return ports | dict(item.ports) | _taken(item) | _sent(item)
    if item.leaf == "encode":
        ports |= {f"s_axis_{name}": f"s_axis_{name}" for name in _AXIS} | {"s_axis_tuser": "s_axis_tuser[0]"}
    data = {"token_i": _side_by_side(item.inputs), "token_o": _side_by_side(item.outputs)}
    taken, sent = _taken(item), _sent(item)
    if item.leaf in ("fifo", "fork"):
        del taken["token_i"], sent["token_o"]
    ports |= taken | sent
    if item.leaf == "fifo":
        ports |= {"data_i": data["token_i"], "data_o": data["token_o"]}
    if item.leaf == "decode":
        ports |= {f"m_axis_{name}": f"m_axis_{name}" for name in _AXIS}
    return ports | dict(item.ports)


def _taken(item: Instance) -> dict[str, str]:
    if not item.inputs:
        return {}
    return {
        "valid_i": _side_by_side(item.inputs, "_valid"),
        "ready_o": _side_by_side(item.inputs, "_ready"),
        "token_i": _side_by_side(item.inputs),
    }


def _sent(item: Instance) -> dict[str, str]:
    if not item.outputs:
        return {}
    return {
        "valid_o": _side_by_side(item.outputs, "_valid"),
        "ready_i": _side_by_side(item.outputs, "_ready"),
        "token_o": _side_by_side(item.outputs),
    }


def _side_by_side(streams: Sequence[str], suffix: str = "") -> str:
    """Return the concatenation of a signal of several streams, the first one in the low bits."""
    signals = [f"{stream}{suffix}" for stream in reversed(streams)]
    return signals[0] if len(signals) == 1 else f"{{{', '.join(signals)}}}"
