# SPDX-License-Identifier: Apache-2.0
"""What the RTL costs: synthesis with Yosys, place and route with nextpnr, both from PyPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.synth.nextpnr import critical_path, place_and_route
    from codesign.synth.resources import TARGETS, Resources
    from codesign.synth.yosys import synthesise, synthesise_graph

__all__ = ["TARGETS", "Resources", "critical_path", "place_and_route", "synthesise", "synthesise_graph"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Resources": "codesign.synth.resources",
        "TARGETS": "codesign.synth.resources",
        "critical_path": "codesign.synth.nextpnr",
        "place_and_route": "codesign.synth.nextpnr",
        "synthesise": "codesign.synth.yosys",
        "synthesise_graph": "codesign.synth.yosys",
    },
)
