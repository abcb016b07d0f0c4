# SPDX-License-Identifier: Apache-2.0
"""From a delta graph to its RTL project: leaf modules, a generated top that only instantiates them, memory files.

A chain ``Source, Delta, Dense, Delta, ..., Dense`` (a last `Delta` is possible) becomes::

    encode -> emit -> serialize -> fifo -> dense -> emit -> serialize -> fifo -> ... -> dense -> decode

A convolution stands where a dense engine would, behind ``locate``, which finds the output words an event reaches.

`emit` is pure: it returns a dict of files and writes nothing.
"""

from __future__ import annotations

import re

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.graph.ir import Conv, Delta, Dense, Graph
from codesign.paths import RTL
from codesign.rtl.memories import conv_memories, delta_memories, dense_memories
from codesign.rtl.spec import TopSpec, top_spec, word_lanes
from codesign.rtl.top import top_text

__all__ = ["LEAVES", "TopSpec", "check_chain", "emit", "top_spec"]

LEAVES = ("fifo", "state", "encode", "quantise", "emit", "serialize", "dense", "locate", "conv", "decode", "stats")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def emit(graph: Graph) -> dict[str, str]:
    """Return the RTL project of ``graph``: path -> text.

    Returns:
        Leaf modules, ``<name>_top.sv``, ``*.mem`` files for ``$readmemh`` (found relative to the tool's working
        directory) and ``filelist.f`` with the sources in compile order.

    Raises:
        ConversionError: the graph is not a chain of supported nodes, or a name is no identifier.
    """
    check_chain(graph)
    spec = top_spec(graph)
    files = {f"delta_{leaf}.sv": (RTL / f"delta_{leaf}.sv").read_text(encoding="utf-8") for leaf in LEAVES}
    files[f"{spec.module}.sv"] = top_text(graph, spec)
    files["filelist.f"] = "".join(f"{path}\n" for path in files)
    for node in graph.nodes:
        if isinstance(node, Dense):
            files |= dense_memories(node)
        elif isinstance(node, Conv):
            files |= conv_memories(node)
        elif isinstance(node, Delta):
            files |= delta_memories(node, word_lanes(graph, node))
    return files


def check_chain(graph: Graph) -> None:
    """Check that ``graph`` is a chain that alternates `Delta` and linear nodes.

    Raises:
        ConversionError: a branch, two `Delta` in a row, or a name that is no SystemVerilog identifier.
        UnsupportedLayerError: a node kind without RTL.
    """
    for name in (graph.name, *(node.name for node in graph.nodes)):
        if not _IDENTIFIER.fullmatch(name):
            raise ConversionError(
                "a name is no SystemVerilog identifier",
                where=graph.name,
                expected="letters, digits and underscores",
                received=repr(name),
                fix="rename the layer",
            )
    for before, node in zip(graph.nodes, graph.nodes[1:], strict=False):
        if node.inputs != (before.name,):
            raise ConversionError(
                "the RTL of a branching graph does not exist",
                where=node.name,
                expected=f"input {before.name!r}",
                received=node.inputs,
            )
        if isinstance(node, Delta) == isinstance(before, Delta):
            raise UnsupportedLayerError(
                "delta activations and linear layers must alternate",
                where=node.name,
                received=f"{type(before).__name__} {before.name!r} then {type(node).__name__} {node.name!r}",
                fix="remove one of two activations in a row, or insert an identity DeltaActivation",
            )
    if not graph.linears:
        raise UnsupportedLayerError(
            "a network without a linear layer has no RTL", where=graph.name, expected="at least one Dense"
        )
