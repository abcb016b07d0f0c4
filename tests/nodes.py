# SPDX-License-Identifier: Apache-2.0
"""A node of a graph as the kind that a test expects."""

from __future__ import annotations

from typing import TypeVar

from codesign.graph import Conv, Delta, Dense, Graph, Join, Pool, Source, Upsample

Kind = TypeVar("Kind", Source, Delta, Dense, Conv, Pool, Upsample, Join)


def node(graph: Graph, name: str, kind: type[Kind]) -> Kind:
    """Return the node ``name``, which is a ``kind``."""
    found = graph[name]
    assert isinstance(found, kind)
    return found
