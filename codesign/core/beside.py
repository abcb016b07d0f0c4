# SPDX-License-Identifier: Apache-2.0
"""``NAME.core.json``: what a host that has no graph needs to know of the network in the image ``NAME.core``.

An image says what a core does, not how large its frames are and what their codes mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codesign.core.compiler import Compiled
from codesign.core.config import DEPTHS, CoreConfig
from codesign.core.image import SUFFIX, image_of, write_image
from codesign.core.layout import Layout
from codesign.core.memory import most_of
from codesign.core.program import Program
from codesign.outputs import replacing

__all__ = ["BESIDE", "SUFFIX", "described", "limits", "write_network"]

BESIDE = ".json"
"""Comes after the name of an image."""


def described(compiled: Compiled) -> dict[str, Any]:
    """Return what ``NAME.core.json`` holds.

    ``frame`` and ``packet`` have ``shape``, ``beats`` and where elements lie in them (`codesign.core.layout`), the
    frame also the range of its codes; ``needs`` is what it takes of a core, compared with `limits`.
    """
    graph, program = compiled.graph, compiled.program
    source, output = graph.source, graph.output
    return {
        "name": graph.name,
        "design": program.design,
        "crc": int(image_of(program)[-1]),
        "geometry": program.config.geometry,
        "frame": {
            **_side(source.shape, program.beats, compiled.layouts[source.name]),
            "lo": source.fmt.lo,
            "hi": source.fmt.hi,
        },
        "packet": _side(compiled.shape, program.output_beats, compiled.layouts[output.name]),
        "needs": _needs(program),
        "steps": compiled.steps,
        "engines": compiled.engines,
    }


def _side(shape: tuple[int, ...], beats: int, layout: Layout) -> dict[str, Any]:
    where = {"positions": layout.positions, "channels": layout.channels, "used": layout.used}
    return {"shape": shape, "beats": beats, **where}


def _needs(program: Program) -> dict[str, int]:
    outside = {"memory_beats": program.memory_beats} if program.config.memory_bits else {}
    return {**program.needs(), "biases": len(program.sums), **outside}


def limits(config: CoreConfig) -> Mapping[str, int]:
    """Return how much of each of the ``needs`` a core has."""
    depths = {depth: most_of(config, depth) for depth in DEPTHS}
    return {**depths, "biases": config.sum_words, "memory_beats": config.memory_beats}


def write_network(compiled: Compiled, path: Path) -> None:
    """Write an image, ``NAME.core``, and its description beside it.

    Raises:
        OutputError: the system refuses.
    """
    write_image(compiled.program, path)
    with replacing(path.with_name(f"{path.name}{BESIDE}")) as part:
        part.write_text(json.dumps(described(compiled), indent=1) + "\n", encoding="utf-8")
