# SPDX-License-Identifier: Apache-2.0
"""The hand-written leaf modules of a network, ``delta_<leaf>.sv``: what `codesign.rtl.project` instantiates."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LEAVES = (
    *("fifo", "state", "accumulate", "fork", "encode", "quantise", "emit", "serialize"),
    *("dense", "locate", "join", "conv", "decode", "admit", "stats"),
)
"""Every leaf, each after what it instantiates."""


def leaf_files(*leaves: str) -> dict[str, str]:
    """Return file name -> text of ``leaves``, or of all of them in compile order."""
    return {(name := f"delta_{leaf}.sv"): (FOLDER / name).read_text(encoding="utf-8") for leaf in leaves or LEAVES}
