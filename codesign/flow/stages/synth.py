# SPDX-License-Identifier: Apache-2.0
"""Stage 5_synth: what the design costs. A target whose tool is missing is skipped and named."""

from __future__ import annotations
