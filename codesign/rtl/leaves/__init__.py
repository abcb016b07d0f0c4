# SPDX-License-Identifier: Apache-2.0
"""The hand-written leaf modules of a network, ``delta_<leaf>.sv``: what `codesign.rtl.project` instantiates.

Names in them: ``_i`` and ``_o`` are ports, ``x_q`` is a register. In a pipeline ``x_q`` is that of stage 1 and ``x_q2``
that of stage 2, or ``x_q[1]`` and ``x_q[2]`` where a vector holds several stages; comments say what a stage does.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LEAVES = (
    *("fifo", "state", "accumulate", "fork", "encode", "quantise", "emit", "serialize"),
    *("product", "dense", "locate", "join", "spot", "walk", "banks", "lists", "rows", "maximum", "conv"),
    *("align", "decode", "admit", "stats"),
)
"""Every leaf, each after what it instantiates."""


def leaf_files(*leaves: str) -> dict[str, str]:
    """Return file name -> text of ``leaves``, or of all of them in compile order."""
    return {(name := f"delta_{leaf}.sv"): (FOLDER / name).read_text(encoding="utf-8") for leaf in leaves or LEAVES}
