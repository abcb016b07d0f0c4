# SPDX-License-Identifier: Apache-2.0
"""What differs between a pipeline, which is one network, and a core, which holds the one that was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from codesign.core import registers as core_map
from codesign.errors import BoardError
from codesign.fixed import IntArray
from codesign.graph.cycles import most_cycles
from codesign.graph.ir import Conv, Graph
from codesign.host import link
from codesign.host.counters import Counters
from codesign.host.identity import check_design
from codesign.host.registers import Registers
from codesign.rtl import top_spec
from codesign.rtl.beats import from_beats, to_beats
from codesign.rtl.registers import MAGIC, VERSION
from codesign.rtl.soc import register_map

RESET = 1
"""Bit of the register ``control``."""


class Device(Protocol):
    """A network on a board: its frames and results as bytes, its reset, holds and counters.

    Attributes:
        clock_hz: of the core.
        answer_bytes: payload of a `link.Result`.
        most_cycles: of a frame.
    """

    clock_hz: int
    answer_bytes: int
    most_cycles: int

    def identify(self, found: int) -> None:
        """Check that the board, which says that it holds design ``found``, holds this one."""

    def frame(self, codes: IntArray, *, first_of_stream: bool) -> link.Frame:
        """Return the request for a frame, ``[size]`` codes."""

    def outputs(self, beats: bytes) -> IntArray:
        """Return the output, ``[*shape]`` codes, in the beats of a result."""

    def reset(self) -> None:
        """Reset what the layers remember, and the counters."""

    def check_holds(self) -> None:
        """Check that holds can be changed."""

    def write_holds(self, thresholds: Mapping[str, int]) -> None:
        """Write all holds, those of the design where ``thresholds`` has none."""

    def counters(self) -> Counters:
        """Return what was counted since the reset."""

    def work(self) -> Mapping[str, int]:
        """Return the busy cycles of each convolution in a frame in which everything changes."""


class Pipeline:
    """A bitstream of one network (see `Device`)."""

    def __init__(self, graph: Graph, registers: Registers, *, port: str, folder: Path | None) -> None:
        self._graph, self._registers, self._port, self._folder = graph, registers, port, folder
        self._spec, self._map = top_spec(graph), register_map(graph)
        self.answer_bytes = link.RESULT_HEAD + self._spec.out_words * self._spec.out_bytes
        self.most_cycles = most_cycles(graph)
        self.clock_hz = 0

    def identify(self, found: int) -> None:
        """Check the design; read the clock."""
        check_design(self._graph, found, port=self._port, folder=self._folder)
        (self.clock_hz,) = self._registers.read(self._map["clock_hz"].address)

    def frame(self, codes: IntArray, *, first_of_stream: bool) -> link.Frame:
        """Return the request for a frame; what comes after the last element is ignored."""
        lanes = self._spec.in_lanes
        padded = np.resize(codes, self._spec.beats * lanes).reshape(-1, lanes)
        beats = to_beats(padded, self._spec.in_lane_bits).tobytes()
        return link.Frame(beats=beats, first_of_stream=first_of_stream)

    def outputs(self, beats: bytes) -> IntArray:
        """Return the output."""
        raw = np.frombuffer(beats, np.uint8).reshape(self._spec.out_words, -1)
        output = self._graph.output
        codes = from_beats(raw, self._spec.out_lane_bits, signed=output.fmt.signed)
        return codes.reshape(-1)[: output.size].reshape(output.shape)

    def reset(self) -> None:
        """Reset the core."""
        self._registers.write(self._map["control"].address, RESET)

    def check_holds(self) -> None:
        """They can."""

    def write_holds(self, thresholds: Mapping[str, int]) -> None:
        """Write all holds."""
        for hold in self._spec.holds:
            address = self._map[f"hold.{hold.name}"].address
            self._registers.write(address, thresholds.get(hold.name, hold.default))

    def counters(self) -> Counters:
        """Return the counters."""
        address = self._map["counters.frames"].address
        return Counters.of(self._spec, self._registers.read(address, Counters.words(self._spec)))

    def work(self) -> Mapping[str, int]:
        """Return the words that all events reach."""
        return {node.name: int(node.reach().sum()) for node in self._graph.linears if isinstance(node, Conv)}


def open_device(graph: Graph, registers: Registers, *, port: str, folder: Path | None) -> tuple[Device, int]:
    """Return what answers, a pipeline or a core, and the design id that it says.

    Raises:
        BoardError: neither of both does.
        ConversionError: a core answers, and the network does not fit it.
        NoNetworkError: a core answers, and has none.
    """
    magic, version, found = registers.read(0, 3)
    if (magic, version) == (MAGIC, VERSION):
        return Pipeline(graph, registers, port=port, folder=folder), found
    if (magic, version) == (core_map.MAGIC, core_map.VERSION):
        from codesign.host.core import Core

        return Core(graph, registers, port=port, folder=folder), found
    raise BoardError(
        "what answers is no delta board of this version",
        where=port,
        expected=f"magic {MAGIC:08x}, register map {VERSION}; or of a core, magic {core_map.MAGIC:08x}, map "
        f"{core_map.VERSION}",
        received=f"magic {magic:08x}, register map {version}",
        fix="build the bitstream with this version of the project and load it",
    )
