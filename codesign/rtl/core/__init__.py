# SPDX-License-Identifier: Apache-2.0
"""The hand-written modules of the delta core, ``core_<module>.sv``: one engine for every layer of a network.

They import ``core_pkg``, which is generated from the configuration of a core, and ``core_types``.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CORE_MODULES = (
    *("divide", "quantise", "send", "record", "ahead", "back", "codes", "fetch", "marks", "beats", "gather"),
    *("lane", "words", "lanes", "order", "tags", "cache", "receive", "transmit", "walk", "place", "sequence"),
    *("probe", "load", "burst", "memory"),
)
"""Every module with a bench of its own, each after what it instantiates."""
CORE_WIRING = ("core_sender", "core_outside", "core_adder", "delta_core")
"""What is tested as a whole, each after what it instantiates; the last one is the top."""


def core_module_files() -> dict[str, str]:
    """Return file name -> text of all modules, in compile order."""
    names = ("core_types", *(f"core_{module}" for module in CORE_MODULES), *CORE_WIRING)
    return {f"{name}.sv": (FOLDER / f"{name}.sv").read_text(encoding="utf-8") for name in names}
