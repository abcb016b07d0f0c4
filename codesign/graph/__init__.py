# SPDX-License-Identifier: Apache-2.0
"""The delta graph: its nodes, the passes that build it, and what is counted on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.graph.axis import AnyAxis, Axis, Repeat
    from codesign.graph.engines import Conv, Dense, Engine, Join, Linear, Pool, Spatial, Upsample
    from codesign.graph.ir import Delta, Graph, Source, accumulator_format

__all__ = [
    "AnyAxis",
    "Axis",
    "Conv",
    "Delta",
    "Dense",
    "Engine",
    "Graph",
    "Join",
    "Linear",
    "Pool",
    "Repeat",
    "Source",
    "Spatial",
    "Upsample",
    "accumulator_format",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "AnyAxis": "codesign.graph.axis",
        "Axis": "codesign.graph.axis",
        "Conv": "codesign.graph.engines",
        "Delta": "codesign.graph.ir",
        "Dense": "codesign.graph.engines",
        "Engine": "codesign.graph.engines",
        "Graph": "codesign.graph.ir",
        "Join": "codesign.graph.engines",
        "Linear": "codesign.graph.engines",
        "Pool": "codesign.graph.engines",
        "Repeat": "codesign.graph.axis",
        "Source": "codesign.graph.ir",
        "Spatial": "codesign.graph.engines",
        "Upsample": "codesign.graph.engines",
        "accumulator_format": "codesign.graph.ir",
    },
)
