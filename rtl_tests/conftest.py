# SPDX-License-Identifier: Apache-2.0
"""Benches and their pytest tests use the random networks of ``tests/``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
