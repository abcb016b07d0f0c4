# SPDX-License-Identifier: Apache-2.0
"""The hand-written modules of the delta core, ``core_<module>.sv``: one engine for every layer of a network.

They import ``core_pkg``, which is generated from the configuration of a core, and ``core_types``.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CORE_MODULES = ("divide", "quantise", "send", "fetch", "marks", "beats", "gather", "lane", "lanes", "walk")
"""Every module, each after what it instantiates."""
