# SPDX-License-Identifier: Apache-2.0
"""The delta graph: its nodes, the passes that build it, and what is counted on it."""

from codesign.graph.ir import Axis, Conv, Delta, Dense, Graph, Linear, Source, accumulator_format

__all__ = ["Axis", "Conv", "Delta", "Dense", "Graph", "Linear", "Source", "accumulator_format"]
