# SPDX-License-Identifier: Apache-2.0
"""The delta graph: its nodes, the passes that build it, and what is counted on it."""

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
