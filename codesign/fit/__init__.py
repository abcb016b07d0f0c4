# SPDX-License-Identifier: Apache-2.0
"""From a network and what was measured of it to hardware that fits a board: PE, unroll and P, before any synthesis."""

from codesign.fit.choose import fit
from codesign.fit.measured import Measured
from codesign.fit.result import Fit

__all__ = ["Fit", "Measured", "fit"]
