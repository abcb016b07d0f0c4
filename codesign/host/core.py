# SPDX-License-Identifier: Apache-2.0
"""A core on a board: what it is built with, whether a network fits it, and the network that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.core import Compiled, CoreConfig, Program, compile_graph, pack_input, unpack_output
from codesign.core import registers as core_map
from codesign.core.work import most_cycles, operations
from codesign.errors import BoardError, ConfigError, ConversionError, DesignMismatchError
from codesign.fixed import IntArray
from codesign.graph.ir import Conv, Graph
from codesign.host import link
from codesign.host.counters import Counters, EngineCounters
from codesign.host.exchange import no_network
from codesign.host.identity import neighbor
from codesign.host.registers import Registers
from codesign.rtl.beats import from_beats, to_beats

_BYTE = 0xFF
_WORD = 4
CODE_BITS, SUM_BITS = 16, 32
"""Of a code and a value of the output on the line, whatever the core's own widths are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A core as its registers describe it.

    Attributes:
        config: lanes, widths and depths.
        clock_hz: of the core.
        frame_words: most 32-bit words of a frame on the line.
        packet_words: most values of an output, padded ones included.
        design: id of the network that it holds; None: it has none.
        status: its status register.
        skip: False: a dense baseline.
    """

    config: CoreConfig
    clock_hz: int
    frame_words: int
    packet_words: int
    design: int | None
    status: int
    skip: bool


def look(registers: Registers, port: str) -> Found:
    """Return what a core says of itself.

    Raises:
        BoardError: that makes no sense.
    """
    words = core_map.named(registers.read(0, len(core_map.FIRST)))
    try:
        config = core_map.config_of(words)
    except ConfigError as error:
        raise BoardError("the core describes itself wrongly", where=port, received=str(error)) from None
    if config.geometry != words["geometry"]:
        raise BoardError(
            "the core describes itself wrongly",
            where=port,
            expected=f"{config.geometry:08x}, that of {config.geometry_text}",
            received=f"{words['geometry']:08x}",
            fix="build the core with this version of the project and load its bitstream",
        )
    return Found(
        config=config,
        clock_hz=words["clock_hz"],
        frame_words=words["most_frame_words"],
        packet_words=words["most_packet_words"],
        design=words["design_id"] if words["status"] & core_map.LOADED else None,
        status=words["status"],
        skip=bool(words["skip"]),
    )


def check_line(program: Program, found: Found, name: str, *, compact: bool) -> None:
    """Check that frames and results fit what the core keeps of the line.

    Raises:
        ConversionError: they do not.
    """
    values = program.output_beats * found.config.quantisers
    sizes = {
        "a frame": (frame_words(program.beats, found.config, compact=compact), found.frame_words, "FrameWords"),
        "a result": (values, found.packet_words, "PacketWords"),
    }
    for what, (needed, most, parameter) in sizes.items():
        if needed > most:
            raise ConversionError(
                f"{what} does not fit the core's memory of the serial line",
                where=name,
                expected=f"at most {most} words of 32 bits",
                received=f"{needed}",
                fix=f"make the frames smaller, or build the core with more {parameter}",
            )


def frame_words(beats: int, config: CoreConfig, *, compact: bool) -> int:
    """Return the 32-bit words of a frame on the line."""
    bits = beats * config.quantisers * (8 if compact else CODE_BITS)
    return -(-bits // 32)


def is_compact(graph: Graph) -> bool:
    """Return whether the input's codes are sent in bytes."""
    return graph.source.fmt.lo >= 0 and graph.source.fmt.hi <= _BYTE


class Core:
    """The network in a core (see `codesign.host.device.Device`)."""

    def __init__(self, graph: Graph, registers: Registers, *, port: str, folder: Path | None) -> None:
        self._graph, self._registers, self._port, self._folder = graph, registers, port, folder
        self._found = look(registers, port)
        self.clock_hz = self._found.clock_hz
        if self._found.design is None:
            raise no_network(port, self._found.status)
        self._compiled: Compiled = compile_graph(graph, self._found.config)
        self._compact = is_compact(graph)
        program = self._compiled.program
        self.answer_bytes = link.RESULT_HEAD + _WORD * program.output_beats * program.config.quantisers
        self.most_cycles = most_cycles(self._compiled)

    def identify(self, found: int) -> None:
        """Check the design."""
        expected = self._compiled.program.design
        if found == expected:
            return
        build, config = self._folder or self._graph.name, self._found.config
        other = None
        if self._folder is not None:
            other = neighbor(found, self._folder, lambda graph: compile_graph(graph, config).program.design)
        name = f"design {other.name}" if other else "a design that is not beside it"
        raise DesignMismatchError(
            "the core holds another design",
            where=self._port,
            expected=f"{self._graph.name}, id {expected:08x}",
            received=f"{name}, id {found:08x}",
            fix=f"codesign load {build} --port {self._port}" + (f", or stream {other}" if other else ""),
        )

    def frame(self, codes: IntArray, *, first_of_stream: bool) -> link.Frame:
        """Return the request for a frame."""
        beats = pack_input(self._compiled, codes.reshape(1, -1)).reshape(1, -1)
        raw = to_beats(beats, 8 if self._compact else CODE_BITS).tobytes()
        return link.Frame(beats=raw + bytes(-len(raw) % _WORD), first_of_stream=first_of_stream, compact=self._compact)

    def outputs(self, beats: bytes) -> IntArray:
        """Return the output."""
        config = self._found.config
        raw = np.frombuffer(beats, np.uint8).reshape(-1, config.quantisers * _WORD)
        outputs: IntArray = unpack_output(self._compiled, from_beats(raw, SUM_BITS, signed=True)[None])[0]
        return outputs

    def reset(self) -> None:
        """Reset the core; the network stays."""
        self._registers.write(core_map.CONTROL, core_map.RESET)

    def check_holds(self) -> None:
        """Refuse other holds than the network's.

        Raises:
            ConversionError: always.
        """
        raise ConversionError(
            "a core has the holds of the network that was loaded",
            where=self._port,
            fix=f"change `hold` in the design and run it, then codesign load {self._folder or self._graph.name}",
        )

    def write_holds(self, thresholds: Mapping[str, int]) -> None:
        """Nothing: the network has them."""

    def counters(self) -> Counters:
        """Return the counters, under the names of a pipeline's: busy are operations, stalled the waits for a sum."""
        compiled = self._compiled
        frames, cycles, errors = self._registers.read(core_map.FRAMES, 3)
        counted = self._registers.read(core_map.EVENTS, len(compiled.steps))
        events = {name: int(count) for name, count in compiled.of_nodes(np.array(counted, np.int64)).items()}
        busy = self._registers.read(core_map.OPERATIONS, len(compiled.engines))
        stalled = self._registers.read(core_map.WAITS, len(compiled.engines))
        first = self._graph.deltas[0].name
        engines = {first: EngineCounters(events=events[first], busy=events[first], stalled=0, frames=frames)}
        for node in self._graph.engines:
            at = compiled.engines.index(node.name)
            taken = sum(events[name] for name in node.inputs) % (1 << 32)
            engines[node.name] = EngineCounters(events=taken, busy=busy[at], stalled=stalled[at], frames=frames)
        return Counters(frames=frames, cycles=cycles, errors=errors, engines=engines)

    def work(self) -> Mapping[str, int]:
        """Return the operations of a frame in which everything changes."""
        made = operations(self._compiled)
        return {node.name: made[node.name] for node in self._graph.linears if isinstance(node, Conv)}
