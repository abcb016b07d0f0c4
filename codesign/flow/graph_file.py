# SPDX-License-Identifier: Apache-2.0
"""A `Graph` on disk: ``graph.json`` for a person to read, ``weights.npz`` for the arrays."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.flow.records import build, plain
from codesign.graph.ir import Conv, Delta, Dense, Graph, Join, Node, Pool, Source, Upsample
from codesign.stored import integers, load_arrays, load_json, loaded

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Source, Delta, Dense, Conv, Pool, Upsample, Join)}
_ARRAYS = ("weight", "bias")


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
    nodes = tuple(_node(dict(item), folder, arrays) for item in data["nodes"])
    if not isinstance(data["name"], str):
        raise ValueError("the name is no string")
    return Graph(name=data["name"], nodes=nodes)


def _node(values: dict[str, Any], folder: Path, arrays: dict[str, NDArray[Any]]) -> Node:
    kind = _KINDS[values.pop("node")]
    name = values["name"]
    known: dict[str, Any] = {}
    for key, dimensions in (("weight", 2 if kind is Dense else 4), ("bias", 1)):
        if f"{name}/{key}" in arrays:
            known[key] = integers(arrays, f"{name}/{key}", dimensions)
    node: Node = build(kind, values, where=str(name), folder=folder, known=known)
    return node
