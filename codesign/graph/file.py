# SPDX-License-Identifier: Apache-2.0
"""A `Graph` on disk: ``graph.json`` for a person to read, ``weights.npz`` for the arrays."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.graph.ir import Conv, Delta, Dense, Graph, Join, Linear, Node, Pool, Source, Spatial, Upsample
from codesign.names import check_nodes
from codesign.records import build, plain
from codesign.stored import integers, load_arrays, load_json, loaded

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Source, Delta, Dense, Conv, Pool, Upsample, Join)}
_ARRAYS = ("weight", "bias")
_WHAT = "the graph of a design"


def save_graph(graph: Graph, folder: Path) -> None:
    """Write ``graph.json`` and ``weights.npz``."""
    nodes: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for node in graph.nodes:
        values = {item.name: getattr(node, item.name) for item in dataclasses.fields(node)}
        arrays |= {f"{node.name}/{name}": values.pop(name) for name in _ARRAYS if name in values}
        nodes.append({"node": type(node).__name__, **{name: plain(value) for name, value in values.items()}})
    (folder / "graph.json").write_text(json.dumps({"name": graph.name, "nodes": nodes}, indent=1) + "\n")
    np.savez_compressed(folder / "weights.npz", **arrays)


def load_graph(folder: Path) -> Graph:
    """Return the graph that `save_graph` wrote.

    Raises:
        StageError: a file is missing, damaged, or holds no such graph.
    """
    data, arrays = load_json(folder / "graph.json"), load_arrays(folder / "weights.npz")
    return loaded(folder / "graph.json", lambda: _graph(data, arrays, folder))


def _graph(data: Any, arrays: dict[str, NDArray[Any]], folder: Path) -> Graph:
    check_nodes(data["name"], (item["name"] for item in data["nodes"]), where="nodes")
    nodes = tuple(_node(dict(item), folder, arrays) for item in data["nodes"])
    graph = Graph(name=data["name"], nodes=nodes)
    for node in graph.nodes[1:]:
        for at, name in enumerate(node.inputs):
            _check_reads(node, at, graph[name])
    return graph


def _check_reads(node: Node, at: int, before: Node) -> None:
    """Check that ``node`` reads, as its input ``at``, what ``before`` makes, and that its numbers are codes.

    A `Delta` may take them for multiples of another power of two: that is a Rescaling before it.

    Raises:
        ValueError: it does not.
    """
    reads = node.size
    if isinstance(node, Dense):
        reads = node.n_in
    elif isinstance(node, Spatial):
        reads = node.y.size * node.x.size * node.channels_in(at)
    elif isinstance(node, Delta) and node.in_fmt != dataclasses.replace(before.fmt, frac=node.in_fmt.frac):
        raise ValueError(f"{node.name} reads {node.in_fmt}, but {before.name} makes {before.fmt}")
    if reads != before.size:
        raise ValueError(f"{node.name} reads {reads} values, but {before.name} makes {before.size}")
    if isinstance(node, Linear):
        for name, codes, fmt in (("weight", node.weight, node.weight_fmt), ("bias", node.bias, node.fmt)):
            if codes.dtype.kind not in "iu" or (codes.size and not fmt.lo <= codes.min() <= codes.max() <= fmt.hi):
                raise ValueError(f"{node.name}: {name} holds no codes of {fmt}")


def _node(values: dict[str, Any], folder: Path, arrays: dict[str, NDArray[Any]]) -> Node:
    kind = _KINDS[values.pop("node")]
    name = values["name"]
    if "taps" in values:  # as version 0.1 wrote it
        values["unroll"] = values.pop("taps")
    known: dict[str, Any] = {}
    for key, dimensions in (("weight", 2 if kind is Dense else 4), ("bias", 1)):
        if f"{name}/{key}" in arrays:
            known[key] = integers(arrays, f"{name}/{key}", dimensions)
    node: Node = build(kind, values, where=str(name), folder=folder, known=known)
    return node
