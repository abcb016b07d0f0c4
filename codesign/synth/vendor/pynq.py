# SPDX-License-Identifier: Apache-2.0
"""A design as the fabric of a PYNQ board: Vivado's project, and what the driver on the board has to know of it.

The driver is ``flows/pynq/delta_board.py``; it and ``design.json`` are written beside the bitstream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from codesign.fixed import Fixed
from codesign.graph.ir import Graph
from codesign.paths import pynq_driver
from codesign.rtl.registers import ADDRESS_BITS
from codesign.rtl.soc import emit_soc
from codesign.rtl.spec import top_spec
from codesign.synth.vendor.vivado import Part, Project, Streams, dma_bytes, zynq

DRIVER, DESIGN = "delta_board.py", "design.json"


def overlay(graph: Graph, *, part: Part, clock_mhz: float, skip: bool = True, jobs: int = 2) -> Project:
    """Return the project that makes ``design.bit`` and ``design.hwh``, with the files for the board among its own.

    Raises: ConfigError for a part without a processor or a beat that is too wide for a DMA; ConversionError.
    """
    files = emit_soc(graph)
    made = zynq(
        files,
        f"{graph.name}_soc",
        streams=streams(graph),
        address_bits=ADDRESS_BITS,
        part=part,
        clock_mhz=clock_mhz,
        skip=skip,
        jobs=jobs,
    )
    return replace(made, files={**made.files, **driver(graph, json.loads(files["registers.json"]))})


def streams(graph: Graph) -> Streams:
    """Return the bytes of a beat of the two streams of ``graph``'s tops."""
    spec = top_spec(graph)
    return Streams(in_bytes=spec.in_bytes, out_bytes=spec.out_bytes)


def driver(graph: Graph, registers: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that go onto the board beside the bitstream: path -> text.

    registers: as ``registers.json`` of the top describes them.
    """
    return {DESIGN: design_json(graph, registers), DRIVER: pynq_driver().read_text(encoding="utf-8")}


def design_json(graph: Graph, registers: Mapping[str, Any]) -> str:
    """Return the text of ``design.json``: streams, holds, addresses of registers, and what identifies the design."""
    spec, beat, known = top_spec(graph), streams(graph), registers["registers"]
    held = [node for node in graph.deltas if node.hold is not None]
    return _text(
        {
            "design": graph.name,
            **{name: known[name]["reset"] for name in ("magic", "version", "design_id")},
            "frame": _side(graph.source.shape, graph.source.fmt, spec.beats, spec.in_lanes, beat.in_bytes),
            "packet": _side(graph.output.shape, graph.output.fmt, spec.out_words, spec.out_lanes, beat.out_bytes),
            "holds": {
                node.name: {
                    "step_bits": node.shift + int(node.steps().max()),
                    "bits": known[f"hold.{node.name}"]["bits"],
                }
                for node in held
            },
            "registers": {name: register["address"] for name, register in known.items()},
        }
    )


def _side(shape: tuple[int, ...], fmt: Fixed, beats: int, lanes: int, beat_bytes: int) -> dict[str, Any]:
    size = 1
    for length in shape:
        size *= length
    return {
        "shape": shape,
        "size": size,
        "lo": fmt.lo,
        "hi": fmt.hi,
        "beats": beats,
        "lanes": lanes,
        "beat_bytes": beat_bytes,
        "dma_bytes": dma_bytes(beat_bytes),
    }


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"
