# SPDX-License-Identifier: Apache-2.0
"""The delta graph: its nodes, the passes that build it, and what is counted on it."""

from codesign.graph.ir import Delta, Dense, Graph, Source, accumulator_format

__all__ = ["Delta", "Dense", "Graph", "Source", "accumulator_format"]
