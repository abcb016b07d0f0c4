# SPDX-License-Identifier: Apache-2.0
"""The identity network and a hand-written top for it, ``loopback.sv``, that breaks protocol rules on demand."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

import pytest

from codesign.fixed import Fixed
from codesign.graph import Delta, Graph, Source
from codesign.rtl import TopSpec
from codesign.sim import RtlSimulator, simulator

SOURCE = Path(__file__).with_name("loopback.sv")


class Fault(IntEnum):
    """What breaks in the fourth frame; see loopback.sv."""

    HANG = 1
    DROP_VALID = 2
    CHANGE_DATA = 3
    MOVE_LAST = 4
    STRAY = 5
    MISS_DONE = 6
    RAISE_ERROR = 7
    ASSERTION = 8
    ENDLESS = 9


def identity(size: int = 18, lanes: int = 4, width: int = 7, *, signed: bool = True) -> Graph:
    """Return the network whose output codes are its input codes."""
    fmt = Fixed(width=width, frac=0, signed=signed)
    source = Source(name="in", shape=(size,), fmt=fmt, lanes=lanes)
    delta = Delta(
        name="d0", input="in", shape=(size,), in_fmt=fmt, fmt=fmt, activation="identity", lo=fmt.lo, hi=fmt.hi
    )
    return Graph(name="loopback", nodes=(source, delta))


def spec(graph: Graph) -> TopSpec:
    """Return the constants of the loopback top."""
    source = graph.source
    bits = -(-source.fmt.width // 8) * 8
    return TopSpec(
        module="loopback_top",
        in_lanes=source.lanes,
        in_lane_bits=bits,
        in_width=source.fmt.width,
        beats=source.beats,
        out_lanes=source.lanes,
        out_lane_bits=bits,
        out_words=source.beats,
        engines=("encode",),
        holds=(),
    )


def files(graph: Graph) -> dict[str, str]:
    """Return the RTL project of the loopback top."""
    bits = spec(graph).in_lanes * spec(graph).in_lane_bits
    text = SOURCE.read_text().replace("Bits = 8", f"Bits = {bits}")
    return {"loopback_top.sv": text, "loopback.mem": "00\n", "filelist.f": "loopback_top.sv\n"}


def loopback(monkeypatch: pytest.MonkeyPatch, folder: Path, graph: Graph | None = None, seed: int = 1) -> RtlSimulator:
    """Return a simulator of the loopback top in place of the emitted RTL."""
    monkeypatch.setattr(simulator, "top_spec", spec)
    graph = graph or identity()
    return RtlSimulator(graph, folder, seed=seed, files=files(graph))
