# SPDX-License-Identifier: Apache-2.0
"""From a top to its SystemVerilog: wires and instances of the leaves, nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from codesign.rtl.netlist import Instance, Parameter, Part, Top
from codesign.rtl.template import render
from codesign.rtl.tokens import FLAGS, Token
from codesign.rtl.top import probe_of

WIDTH = 120
"""Longest line of a comment."""
_AXIS = ("tdata", "tvalid", "tready", "tlast")


def top_text(top: Top) -> str:
    """Return the SystemVerilog of a top."""
    spec = top.spec
    engines = f"Engines in probe_o and the counters: {', '.join(spec.engines)}."
    holds = ", ".join(hold.name for hold in spec.holds)
    return render(
        "top.sv",
        graph=top.graph,
        spec=spec,
        head=[*_comment(f"Pipeline: {top.pipeline}"), *_comment(engines)],
        holds=_comment(f"Fields of threshold_i, the first one in the low bits: {holds}."),
        probes=", ".join(probe_of(engine) for engine in reversed(spec.engines)),
        parts=[{"about": _comment(part.about, indent="  "), "lines": list(_lines(part))} for part in top.parts],
    )


def literal(value: Parameter) -> str:
    """Return the value of a parameter as SystemVerilog."""
    if isinstance(value, bool):
        return f"1'b{int(value)}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{indent}// ", subsequent_indent=f"{indent}// ", break_long_words=False
    )


def _lines(part: Part) -> Iterator[str]:
    """Yield the lines of a part."""
    types: dict[Token, str] = {}
    for stream in part.streams:
        if stream.token not in types:
            name = f"{_owner(part)}_{stream.token.format}_t"
            types[stream.token] = f"{stream.name}_t" if name in types.values() else name
            yield from _type(stream.token, types[stream.token])
        yield f"  {types[stream.token]} {stream.name};"
        yield f"  logic {stream.name}_valid, {stream.name}_ready;"
    yield from (f"  logic [{signal.bits - 1}:0] {signal.name};" for signal in part.signals)
    yield from (f"  assign {assign.target} = {assign.value};" for assign in part.assigns)
    for instance in part.instances:
        if instance.leaf == "fork":  # its readers look at the same wires
            yield from (f"  assign {copy} = {instance.inputs[0]};" for copy in instance.outputs)
        yield f"  delta_{instance.leaf} #("
        yield ",\n".join(f"      .{name}({literal(value)})" for name, value in instance.parameters.items())
        yield f"  ) i_{instance.name} ("
        yield ",\n".join(f"      {_port(port, value)}" for port, value in _ports(instance).items())
        yield "  );"


def _owner(part: Part) -> str:
    return part.instances[0].node


def _type(token: Token, name: str) -> Iterator[str]:
    """Yield the lines of the type of a token."""
    flags = [field.name for field in token.fields if field.name in FLAGS]
    yield "  typedef struct packed {"
    yield f"    logic {', '.join(flags)};"
    yield from (f"    logic [{field.bits - 1}:0] {field.name};" for field in token.fields if field.name not in flags)
    yield f"  }} {name};"


def _port(port: str, value: str) -> str:
    return f".{port}" if port == value else f".{port}({value})"


def _ports(instance: Instance) -> dict[str, str]:
    """Return every port of a leaf and what it is connected to."""
    ports = {"clk_i": "clk_i", "rst_ni": "rst_ni"}
    if instance.leaf == "encode":
        ports |= {f"s_axis_{pin}": f"s_axis_{pin}" for pin in _AXIS} | {"s_axis_tuser": "s_axis_tuser[0]"}
    payload = {"fifo": "data", "fork": ""}.get(instance.leaf, "token")
    for streams, valid, ready, suffix in (
        (instance.inputs, "valid_i", "ready_o", "i"),
        (instance.outputs, "valid_o", "ready_i", "o"),
    ):
        if streams:
            ports |= {valid: _side_by_side(streams, "_valid"), ready: _side_by_side(streams, "_ready")}
            ports |= {f"{payload}_{suffix}": _side_by_side(streams)} if payload else {}
    if instance.leaf == "decode":
        ports |= {f"m_axis_{pin}": f"m_axis_{pin}" for pin in _AXIS}
    return ports | dict(instance.ports)


def _side_by_side(streams: Sequence[str], suffix: str = "") -> str:
    """Return the concatenation of a signal of several streams, the first one in the low bits."""
    signals = [f"{stream}{suffix}" for stream in reversed(streams)]
    return signals[0] if len(signals) == 1 else f"{{{', '.join(signals)}}}"
