# SPDX-License-Identifier: Apache-2.0
"""Stage 3_rtl: write the SystemVerilog project of the graph."""

from __future__ import annotations
