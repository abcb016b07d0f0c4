# SPDX-License-Identifier: Apache-2.0
"""From a delta graph to its RTL project: leaf modules, a generated top that only instantiates them, memory files.

A chain ``Source, Delta, Dense, Delta, ..., Dense`` (a last `Delta` is possible) becomes::

    encode -> emit -> serialize -> fifo -> dense -> emit -> serialize -> fifo -> ... -> dense -> decode

A convolution (pooling, upsampling) stands where a dense engine would, after ``locate``, which finds the output words
an event reaches. Several inputs are located each for itself and then go through ``join``; a node with several readers
has a ``fork`` after it.

`emit` is pure: it returns a dict of files and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.graph.ir import Delta, Graph, Linear, Spatial
from codesign.names import check_nodes
from codesign.rtl.leaves import leaf_files
from codesign.rtl.roms import delta_memories, linear_memories, spatial_memories
from codesign.rtl.spec import TopSpec, top_spec, word_lanes
from codesign.rtl.top import top_of
from codesign.rtl.verilog import top_text

__all__ = ["TopSpec", "check_graph", "emit", "top_spec"]


def emit(graph: Graph) -> dict[str, str]:
    """Return the RTL project of ``graph``: path -> text.

    Returns:
        Leaf modules, ``<name>_top.sv``, ``*.mem`` files for ``$readmemh`` (found relative to the tool's working
        directory) and ``filelist.f`` with the sources in compile order.

    Raises:
        ConversionError: the graph cannot be wired, see `check_graph`.
    """
    check_graph(graph)
    spec = top_spec(graph)
    files = leaf_files()
    files[f"{spec.module}.sv"] = top_text(top_of(graph))
    files["filelist.f"] = filelist(files)
    for node in graph.nodes:
        if isinstance(node, Delta):
            files |= delta_memories(node, word_lanes(graph, node))
        elif isinstance(node, Spatial):
            files |= spatial_memories(node)
        if isinstance(node, Linear) and isinstance(feed := graph[node.input], Delta):
            files |= linear_memories(node, feed)
    return files


def filelist(files: Iterable[str]) -> str:
    """Return the text of ``filelist.f``: the sources among ``files``, in their order."""
    return "".join(f"{path}\n" for path in files if path.endswith(".sv"))


def check_graph(graph: Graph) -> None:
    """Check that ``graph`` can be wired: deltas and engines alternate, and every output is read.

    Raises:
        ConversionError: a node that nothing reads, or a name that is no SystemVerilog identifier.
        UnsupportedLayerError: two `Delta` or two engines in a row, or no engine.
    """
    check_nodes(graph.name, (node.name for node in graph.nodes), where=graph.name)
    for node in graph.nodes[1:]:
        for before in (graph[name] for name in node.inputs):
            if isinstance(node, Delta) == isinstance(before, Delta):
                raise UnsupportedLayerError(
                    "delta activations and other layers must alternate",
                    where=node.name,
                    received=f"{type(before).__name__} {before.name!r} then {type(node).__name__} {node.name!r}",
                    fix="remove one of two activations in a row, or insert an identity DeltaActivation",
                )
        if bool(graph.readers(node.name)) == (node is graph.output):
            raise ConversionError(
                "the last node's codes leave, and every other node has a reader",
                where=node.name,
                received=f"read by {list(graph.readers(node.name))}",
            )
    if len(graph.readers(graph.source.name)) != 1:
        raise ConversionError(
            "the input goes to one delta activation", where=graph.source.name, received=graph.readers(graph.source.name)
        )
    if not graph.engines:
        raise UnsupportedLayerError(
            "a network without a layer between its activations has no RTL",
            where=graph.name,
            expected="at least one Dense, or another layer that computes",
            fix="add one: a Rescaling by a power of two, a Reshape or an activation is no engine",
        )
