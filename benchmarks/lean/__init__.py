# SPDX-License-Identifier: Apache-2.0
"""The leanest dense engine that we know how to write, for LUTs to compare with: no events, no state between frames.

Of a chain ``Source, Delta, Conv, ..., Delta, Dense`` it computes each frame anew, with as many multipliers as the
delta design has: the codes under a kernel from a line buffer, one a cycle, to PE multiply-accumulates, and their sums
one by one through one quantiser to the next layer::

    source -> quantise -> window -> mac -> quantise -> window -> mac -> ... -> quantise -> count -> mac

Memories have the layout of the delta design's. It exists for ``make performance`` only: square frames and kernels,
PE = output channels, unsigned codes with one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codesign.errors import UnsupportedLayerError
from codesign.graph.channels import channel_lattices
from codesign.graph.ir import Conv, Delta, Dense, Engine, Graph
from codesign.rtl.leaves import leaf_files
from codesign.rtl.parameters import delta_parameters
from codesign.rtl.project import filelist
from codesign.rtl.roms import linear_memories, memory_text
from codesign.rtl.spec import top_spec
from codesign.rtl.template import render
from codesign.rtl.verilog import literal

HERE = Path(__file__).parent
LEAVES = ("source", "quantise", "axis", "window", "count", "mac")
"""Every leaf, each after what it instantiates."""
QUANTISE = ("InWidth", "InSigned", "Widen", "Shift", "Relu", "CodeWidth", "CodeSigned", "Lo", "Hi")
"""Parameters that ``lean_quantise`` shares with ``delta_emit``."""


def core_name(graph: Graph) -> str:
    """Return the name of the top with nothing but AXI4-Stream in and out: what is mapped."""
    return f"{graph.name}_lean"


def emit_lean(graph: Graph) -> dict[str, str]:
    """Return the project: path -> text, as ``codesign.rtl.project.emit`` does, with its top's ports as a wrapper.

    Raises:
        UnsupportedLayerError: the graph is none of those that the module's docstring names.
    """
    spec, layers = top_spec(graph), _layers(graph)
    files = {f"lean_{leaf}.sv": (HERE / f"lean_{leaf}.sv").read_text(encoding="utf-8") for leaf in LEAVES}
    files = leaf_files("quantise") | files
    text = {"graph": graph.name, "core": core_name(graph), "spec": spec, "layers": layers, "parameters": _parameters}
    files[f"{core_name(graph)}.sv"] = render("core.sv", folder=HERE, **text)
    files[f"{spec.module}.sv"] = render("top.sv", folder=HERE, **text)
    files["filelist.f"] = filelist(files)
    for node in graph.engines:
        assert isinstance(node, Conv | Dense)
        weight = f"{node.name}_weight.mem"
        files[weight] = linear_memories(node, _feed(graph, node))[weight]
    return files


def _layers(graph: Graph) -> list[dict[str, Any]]:
    """Return what the template needs of each linear layer and of the delta layer before it."""
    source, layers, before = graph.source, [], "frame"
    _require(not source.size % source.lanes, source.name, "frames of whole beats")
    for node in graph.engines:
        delta = _feed(graph, node)
        plain = not delta.fmt.signed and delta.hold is None and not delta.steps().any()
        _require(plain, delta.name, "memoryless, unsigned, one step")
        _require(graph[delta.input] is (source if before == "frame" else graph[before]), delta.name, "a chain")
        layers.append(_layer(graph, node, delta, before))
        before = node.name
    _require(graph.output.name == before, graph.output.name, "a linear layer at the end")
    return layers


def _layer(graph: Graph, node: Engine, delta: Delta, before: str) -> dict[str, Any]:
    assert isinstance(node, Conv | Dense)
    outputs = node.n_out if isinstance(node, Dense) else node.channels_out
    lattices = channel_lattices(node, delta)
    _require(node.pe == outputs and not lattices.narrow, node.name, "PE = output channels, on one lattice")
    lines = node.weight.size // outputs
    bits, shared = max(1, (lines - 1).bit_length()), delta_parameters(delta, 1)
    code = {"CodeWidth": delta.fmt.width, "LineBits": bits}
    bias = memory_text(lattices.bias.reshape(1, -1), lattices.sum_bits).strip()
    return {
        "name": node.name,
        "delta": delta.name,
        "source": before,
        "quantise": {name: shared[name] for name in QUANTISE},
        "leaf": "count" if isinstance(node, Dense) else "window",
        "walk": code | ({"Codes": node.n_in} if isinstance(node, Dense) else _window(node)),
        "mac": code
        | {
            "Lanes": outputs,
            "Serial": node is not graph.output,
            "WeightWidth": lattices.weight_bits,
            "AccWidth": lattices.sum_bits,
            "Lines": lines,
            "Bias": _Number(f"{outputs * lattices.sum_bits}'h{bias}"),
            "WeightFile": f"{node.name}_weight.mem",
        },
    }


def _window(node: Conv) -> dict[str, int]:
    axis = node.y
    _require(node.x == axis and not node.depthwise and axis.before < axis.kernel, node.name, "a square convolution")
    return {
        "Size": axis.size,
        "Outputs": axis.outputs,
        "Kernel": axis.kernel,
        "Stride": axis.stride,
        "Pad": axis.before,
        "Channels": node.channels_in(),
        "Rows": 1 << (axis.kernel + axis.stride - 1).bit_length(),
    }


class _Number(str):
    """A SystemVerilog number, as it stands in the text."""

    __slots__ = ()


def _parameters(values: Mapping[str, Any]) -> str:
    """Return the lines of an instance's parameters."""
    return ",\n".join(
        f"      .{name}({value if isinstance(value, _Number) else literal(value)})" for name, value in values.items()
    )


def _feed(graph: Graph, node: Engine) -> Delta:
    """Return the delta layer that feeds a linear layer."""
    feed = graph[node.inputs[0]]
    _require(isinstance(node, Conv | Dense) and isinstance(feed, Delta), node.name, "convolutions and dense layers")
    assert isinstance(feed, Delta)
    return feed


def _require(met: bool, where: str, expected: str) -> None:
    if not met:
        raise UnsupportedLayerError("the lean dense engine does not do this", where=where, expected=expected)
