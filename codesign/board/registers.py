# SPDX-License-Identifier: Apache-2.0
"""Byte addresses of the registers behind the link, and the values that say what answers."""

from __future__ import annotations

MAGIC, MAP_VERSION = 0x44454C54, 1
IDENTITY = 0x000
"""Magic, version of this map, design id."""
CONTROL = 0x00C
CLOCK_HZ = 0x024
COUNTERS = 0x100
HOLDS = 0x800

RESET, NEW_STREAM, CLEAR_COUNTERS = 1, 2, 4
"""Bits of CONTROL, each cleared by the board itself."""
