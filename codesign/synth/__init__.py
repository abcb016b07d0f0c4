# SPDX-License-Identifier: Apache-2.0
"""What the RTL costs: synthesis with Yosys, place and route with nextpnr, both from PyPI."""

from codesign.synth.nextpnr import critical_path, place_and_route
from codesign.synth.resources import TARGETS, Resources
from codesign.synth.yosys import synthesise

__all__ = ["TARGETS", "Resources", "critical_path", "place_and_route", "synthesise"]
