# SPDX-License-Identifier: Apache-2.0
"""A `Graph` on disk: ``graph.json`` for a person to read, ``weights.npz`` for the arrays."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from codesign.flow.records import build, plain
from codesign.graph.ir import Conv, Delta, Dense, Graph, Join, Node, Pool, Source, Upsample

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
    """Return the graph that `save_graph` wrote."""
    data = json.loads((folder / "graph.json").read_text())
    with np.load(folder / "weights.npz") as arrays:
        nodes = tuple(_node(dict(item), folder, arrays) for item in data["nodes"])
    return Graph(name=data["name"], nodes=nodes)


def _node(values: dict[str, Any], folder: Path, arrays: Any) -> Node:
    kind = _KINDS[values.pop("node")]
    name = values["name"]
    known = {key: arrays[f"{name}/{key}"] for key in _ARRAYS if f"{name}/{key}" in arrays}
    node: Node = build(kind, values, where=name, folder=folder, known=known)
    return node
