# SPDX-License-Identifier: Apache-2.0
"""`Board`: a design on an FPGA board, or on a simulated one, that computes frame after frame."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np

from codesign.board import link, registers
from codesign.board.counters import Counters
from codesign.board.exchange import Exchange
from codesign.board.identity import GRAPH, check_design
from codesign.board.port import Port
from codesign.errors import BoardError, ConfigError, DesignMismatchError, DisconnectedError, StreamBrokenError
from codesign.fixed import IntArray
from codesign.flow.graph_file import load_graph
from codesign.flow.manifest import check_unedited
from codesign.golden import Golden, check_frames
from codesign.graph.ir import Delta, Graph
from codesign.rtl import top_spec
from codesign.rtl.beats import from_beats, to_beats

BAUD = 1_000_000
"""Of the bitstreams, unless they were built for another."""
_RETRY_S = 0.2
_WORD = 4
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the board made of one frame.

    Attributes:
        outputs: codes of the last node, int64 ``[*shape]``.
        cycles: of the core's clock.
        new_stream: the frame started a new stream: asked for, the first after a reset, or after a reconnection.
        mismatches: outputs that differ from the golden model's; None if that was not asked for.
    """

    outputs: IntArray
    cycles: int
    new_stream: bool
    mismatches: int | None


class Board:
    """A board behind a serial port. Identified, reset and with the design's own holds once it is open.

    What a `reset` clears: everything the layers remember, the counters, and the golden model's state.
    Results are exact: every lost or damaged byte is noticed and repaired by repeating, or it is an error. After an
    error, a frame is refused unless it starts a new stream, so that no result depends on what may have been lost.

    Args:
        port: name of a serial port, such as ``/dev/ttyUSB0``.
        design: build folder of the design, ``build/<design>``, or its graph.
        baud: that the bitstream was built for.
        check: compare every result with the golden model, in `Result.mismatches`.
        reconnect_s: how long to wait for a lost port to come back; 0: raise at once. The frame that was under way is
            then the first of a new stream.
        slowdown: how many times slower than its clock says the board is; 1, but for a simulation.
        notice: is told what happened to the connection.

    Raises:
        BoardError: the port cannot be opened, or nothing that is a delta board answers.
        DesignMismatchError: the board holds another design.
        StageError: the build folder has no finished graph.
    """

    def __init__(
        self,
        port: str,
        design: Graph | str | Path,
        *,
        baud: int = BAUD,
        check: bool = False,
        reconnect_s: float = 0.0,
        slowdown: float = 1.0,
        notice: Callable[[str], None] = _LOG.warning,
    ) -> None:
        self.graph, self._folder = _graph(design)
        self.spec = top_spec(self.graph)
        self.clock_hz = 0
        self.reconnections = 0
        self._name, self._baud, self._slowdown = port, baud, slowdown
        self._check, self._reconnect_s, self._notice = check, reconnect_s, notice
        self._golden = Golden(self.graph)
        self._repeated_before = 0
        self._open()

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def repeated(self) -> int:
        """Requests that had to be sent again since the board was opened."""
        return self._repeated_before + self._exchange.repeated

    def close(self) -> None:
        """Give the port back; the board keeps its state."""
        self._port.close()

    def identify(self) -> int:
        """Check that the design's own bitstream answers, and return its design id.

        Raises:
            BoardError: something else answers, or nothing.
            DesignMismatchError: the board holds another design.
        """
        magic, version, found = self._read(registers.IDENTITY, 3)
        if (magic, version) != (registers.MAGIC, registers.MAP_VERSION):
            raise BoardError(
                "what answers is no delta board of this version",
                where=self._name,
                expected=f"magic {registers.MAGIC:08x}, register map {registers.MAP_VERSION}",
                received=f"magic {magic:08x}, register map {version}",
                fix="build the bitstream with this version of the project and load it",
            )
        check_design(self.graph, found, port=self._name, folder=self._folder)
        (self.clock_hz,) = self._read(registers.CLOCK_HZ, 1)
        return found

    def reset(self) -> None:
        """Reset the core and its counters; the next frame starts a new stream. Holds stay as `set_hold` left them."""
        self._broken = True
        self._write(registers.CONTROL, registers.RESET | registers.CLEAR_COUNTERS)
        for layer in self._holds():
            self._write_hold(layer)
        self._fresh, self._broken, self._frames = True, False, 0

    def send(self, frame: np.ndarray, *, new_stream: bool = False) -> Result:
        """Compute one frame.

        Args:
            frame: codes ``[*shape]`` (or flat), integers.
            new_stream: the layers forget what they have seen before.

        Raises:
            FrameError: see `codesign.golden.check_frames`.
            StreamBrokenError: an earlier error may have cost the board its state; say ``new_stream``.
            LinkError: the board does not answer.
            DisconnectedError: the port is gone, and did not come back in ``reconnect_s``.
        """
        codes = check_frames(self.graph, np.asarray(frame)[None])
        if self._broken and not new_stream:
            raise StreamBrokenError(
                "an earlier error may have cost the board its state",
                where=self._name,
                fix="send(frame, new_stream=True)",
            )
        try:
            if self._broken:
                self._reopen()
            return self._send(codes, new_stream)
        except DisconnectedError as lost:
            if not self._reconnect_s:
                raise
            self._wait_for_port(lost)
            return self._send(codes, new_stream=True)

    def counters(self) -> Counters:
        """Return what the core counted since the last `reset`.

        Raises:
            StreamBrokenError: the core computed another number of frames than it was sent: it was reset meanwhile.
        """
        words = self._read(registers.COUNTERS, Counters.words(self.spec))
        counted = Counters.of(self.spec, words)
        if counted.frames != self._frames % (1 << 32):
            self._broken = True
            raise StreamBrokenError(
                "the board was reset in the middle of the stream, so results since the last counters may be wrong",
                where=self._name,
                expected=f"{self._frames} frames",
                received=f"{counted.frames} frames",
                fix="send(frame, new_stream=True); look for a reset button, a weak supply or a second program",
            )
        return counted

    def set_hold(self, layer: str, hold_steps: float | None) -> None:
        """Change the hold of a delta layer from the next frame on.

        Args:
            layer: one that was built with a hold; others have no comparison to change.
            hold_steps: at least 0.5, or None for memoryless.

        Raises:
            ConfigError: there is no such layer, or the threshold is wider than its register.
            ConversionError: a hold that is too small.
        """
        if layer not in self._holds():
            known = ", ".join(self._holds()) or "none: the design has no holds"
            raise ConfigError("the layer has no hold to change", where=layer, expected=known, received=layer)
        nodes = tuple(
            replace(node, hold=hold_steps) if isinstance(node, Delta) and node.name == layer else node
            for node in self._golden.graph.nodes
        )
        self._golden.graph = Graph(name=self.graph.name, nodes=nodes)
        self._write_hold(layer)

    def _holds(self) -> list[str]:
        return [node.name for node in self.graph.deltas if node.hold is not None]

    def _write_hold(self, layer: str) -> None:
        node = self._golden.graph[layer]
        assert isinstance(node, Delta)
        thresholds = node.thresholds()
        coarsest = 0 if thresholds is None else int(thresholds.max())
        self._write(registers.HOLDS + _WORD * self._holds().index(layer), coarsest)

    def _open(self) -> None:
        self._broken = True
        self._port = Port(self._name, self._baud)
        try:
            self._exchange = Exchange(self._port, self._baud, self._slowdown)
            self.identify()
            self.reset()
        except BaseException:
            self._port.close()
            raise

    def _reopen(self) -> None:
        self._repeated_before += self._exchange.repeated
        self._port.close()
        self._open()

    def _wait_for_port(self, lost: DisconnectedError) -> None:
        self._notice(f"{self._name}: the connection is lost; waiting {self._reconnect_s:g} s for it to come back")
        deadline = time.monotonic() + self._reconnect_s
        while True:
            try:
                self._reopen()
                break
            except DesignMismatchError:
                raise
            except BoardError:
                if time.monotonic() > deadline:
                    raise lost from None
                time.sleep(_RETRY_S)
        self.reconnections += 1
        self._notice(f"{self._name}: connected again; the layers start a new stream")

    def _send(self, codes: IntArray, new_stream: bool) -> Result:
        lanes = self.spec.in_lanes
        padded = np.resize(codes[0], self.spec.beats * lanes)  # what is behind the last element means nothing
        beats = to_beats(padded.reshape(-1, lanes), self.spec.in_lane_bits).tobytes()
        fresh, self._broken = self._fresh or new_stream, True
        answer = self._exchange.request(
            link.Frame(beats=beats, new_stream=fresh),
            link.Result,
            answer_bytes=link.RESULT_HEAD + self.spec.out_words * self.spec.out_lanes * self.spec.out_lane_bits // 8,
            work_s=self._most_cycles() / self.clock_hz,
        )
        if answer.status:
            raise BoardError(
                "the core met a malformed frame", where=self._name, received=answer.status, fix="reset() the board"
            )
        self._fresh, self._broken, self._frames = False, False, self._frames + 1
        outputs = self._outputs(answer.beats)
        return Result(
            outputs=outputs, cycles=answer.cycles, new_stream=fresh, mismatches=self._compare(codes, outputs, fresh)
        )

    def _outputs(self, beats: bytes) -> IntArray:
        raw = np.frombuffer(beats, np.uint8).reshape(self.spec.out_words, -1)
        output = self.graph.output
        codes = from_beats(raw, self.spec.out_lane_bits, signed=output.fmt.signed)
        return codes.reshape(-1)[: output.size].reshape(output.shape)

    def _compare(self, codes: IntArray, outputs: IntArray, fresh: bool) -> int | None:
        if not self._check:
            return None
        if fresh:
            self._golden.reset()
        return int(np.count_nonzero(self._golden.run(codes).outputs[0] != outputs))

    def _most_cycles(self) -> int:
        """Cycles that no frame needs: every layer after the other, every element an event."""
        work = sum(int(node.reach(at).sum()) for node in self.graph.engines for at in range(len(node.inputs)))
        return 2 * (work + self.graph.source.size + sum(node.words for node in self.graph.engines)) + 1000

    def _read(self, address: int, count: int) -> tuple[int, ...]:
        request = link.Read(address=address, count=count)
        return self._exchange.request(request, link.Data, answer_bytes=_WORD * count).words

    def _write(self, address: int, data: int) -> None:
        self._exchange.request(link.Write(address=address, data=data), link.Done, answer_bytes=0)


def _graph(design: Graph | str | Path) -> tuple[Graph, Path | None]:
    if isinstance(design, Graph):
        return design, None
    folder = Path(design)
    check_unedited(folder / GRAPH)
    return load_graph(folder / GRAPH), folder
