# SPDX-License-Identifier: Apache-2.0
"""What the benches of the delta core share: the small configuration that they are built with."""

from __future__ import annotations

PACKAGE = "package core_pkg;\n  parameter int unsigned IndexBits = 20;\nendpackage\n"
"""Text of ``core_pkg.sv``."""
