# SPDX-License-Identifier: Apache-2.0
"""What an ECP5 needs for a network with skipping and for its dense baseline: the same sources, `Skip` on and off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from codesign import provenance
from codesign.graph.ir import Graph
from codesign.synth import Resources, synthesise_graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """Mapped tops of one network, AXI4-Stream in and out, not routed."""

    skipping: Resources
    dense: Resources

    @property
    def lut_ratio(self) -> float:
        """LUTs with skipping / LUTs of the dense baseline."""
        assert self.skipping.lut
        assert self.dense.lut
        return self.skipping.lut / self.dense.lut


def measure_areas(graph: Graph, folder: Path) -> Areas:
    """Map ``graph`` both ways with Yosys, side by side where there are cores, in folders below ``folder``.

    Raises:
        ToolNotFoundError: Yosys is missing.
        SynthesisError: it failed, or the memories do not fit.
    """

    def mapped(skip: bool) -> Resources:
        work = folder / ("skipping" if skip else "dense")
        return synthesise_graph(graph, target="ecp5", folder=work, skip=skip)

    with ThreadPoolExecutor(min(2, provenance.cores())) as pool:
        skipping, dense = pool.map(mapped, (True, False))
    return Areas(skipping=skipping, dense=dense)
