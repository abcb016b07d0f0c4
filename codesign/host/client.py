# SPDX-License-Identifier: Apache-2.0
"""`Board`: a design on an FPGA board, or on a simulated one, that computes frame after frame."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np

from codesign.errors import (
    BoardError,
    DesignMismatchError,
    DisconnectedError,
    NoNetworkError,
    OldNameWarning,
    StreamBrokenError,
)
from codesign.fixed import IntArray
from codesign.graph.golden import Golden, check_frames
from codesign.graph.ir import Delta, Graph
from codesign.host import link
from codesign.host.counters import Counters
from codesign.host.device import RESET, open_device
from codesign.host.exchange import Exchange
from codesign.host.identity import BAUD, built_baud, open_graph
from codesign.host.port import Port
from codesign.host.registers import Registers

__all__ = ["RESET", "Board", "Result"]

_RETRY_S = 0.2
_LOG = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the board made of one frame.

    Attributes:
        outputs: codes of the last node, int64 ``[*shape]``.
        cycles: cycles of the core's clock.
        first_of_stream: the frame started a new stream: asked for, the first after a reset, or after a reconnection.
        mismatches: outputs that differ from the golden model's; None if that was not asked for.
    """

    outputs: IntArray
    cycles: int
    first_of_stream: bool
    mismatches: int | None


class Board:
    """A board on a serial port. Identified, reset and with the design's own holds once it is open.

    What a `reset` clears: everything the layers remember, the counters, and the golden model's state.
    Results are exact: every lost or damaged byte is noticed and repaired by repeating, or it is an error. After an
    error, a frame is refused unless it starts a new stream, so that no result depends on what may have been lost.

    Args:
        port: name of a serial port, such as ``/dev/ttyUSB0``.
        design: build folder of the design, ``build/<design>``, or its graph.
        baud: baud rate that the bitstream was built for; None: the one in the build folder, or 1,000,000.
        check: compare every result with the golden model, in `Result.mismatches`.
        reconnect_s: seconds to wait for a lost port to come back; 0: raise at once. The next frame, or the one under
            way, is then the first of a new stream, and what the core had counted is gone.
        slowdown: how many times slower the board is than its clock; 1, but for a simulation.
        notice: called with a line about each event on the connection.

    Attributes:
        resets: resets of the core so far, each the end of what it had counted; the first when the board was opened.
        reconnections: times the port was lost and came back.

    Raises:
        BoardError: the port cannot be opened, or nothing that is a delta board answers.
        DesignMismatchError: the board holds another design.
        NoNetworkError: the board has a core without a network (`codesign.host.load_network`).
        StageError: the build folder has no finished graph.
        ConfigError: its bitstreams have several baud rates, and none was named.
    """

    def __init__(
        self,
        port: str,
        design: Graph | str | Path,
        *,
        baud: int | None = None,
        check: bool = False,
        reconnect_s: float = 0.0,
        slowdown: float = 1.0,
        notice: Callable[[str], None] = _LOG.warning,
    ) -> None:
        self.graph, self._folder = _graph(design)
        self.reconnections = self.resets = 0
        self.port, self.baud, self._slowdown = port, baud or self._built_baud(), slowdown
        self._check, self._reconnect_s, self.notice = check, reconnect_s, notice
        self._golden = Golden(self.graph)
        self._thresholds: dict[str, int] = {}
        self._repeated_before = self._frames = 0
        self._first = self._broken = True
        self._open()

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def clock_hz(self) -> int:
        """Frequency of the core's clock."""
        return self._device.clock_hz

    @property
    def work(self) -> Mapping[str, int]:
        """Busy cycles of each convolution in a frame in which everything changes."""
        return self._device.work()

    @property
    def repeated(self) -> int:
        """Requests that had to be sent again since the board was opened."""
        return self._repeated_before + self._exchange.repeated

    def close(self) -> None:
        """Give the port back; the board keeps its state."""
        self._line.close()

    def identify(self) -> int:
        """Check that the design's own bitstream answers, and return its design id.

        Raises:
            BoardError: something else answers, or nothing.
            DesignMismatchError: the board holds another design.
            NoNetworkError: it is a core, and has none.
            ConversionError: it is a core, and the design does not fit it.
        """
        self._device, found = open_device(
            self.graph, Registers(exchange=self._exchange), port=self.port, folder=self._folder
        )
        self._device.identify(found)
        return found

    def reset(self) -> None:
        """Reset the core and its counters; the next frame starts a new stream. Holds stay as `set_hold` left them."""
        self._holding_on(self._reset, again=lambda: None)

    def send(self, frame: np.ndarray, *, first_of_stream: bool = False, new_stream: bool | None = None) -> Result:
        """Compute one frame.

        Args:
            frame: codes ``[*shape]`` (or flat), integers.
            first_of_stream: the layers forget what they have seen before.
            new_stream: ``first_of_stream`` as version 0.1 called it; accepted with an `OldNameWarning`.

        Raises:
            FrameError: see `codesign.graph.golden.check_frames`.
            StreamBrokenError: an earlier error may have cost the board its state; pass ``first_of_stream``.
            LinkError: the board does not answer.
            DisconnectedError: the port is gone, and did not come back in ``reconnect_s``.
        """
        if new_stream is not None:
            warnings.warn("Board.send: 'new_stream' is now 'first_of_stream'", OldNameWarning, stacklevel=2)
            first_of_stream |= new_stream
        codes = check_frames(self.graph, np.asarray(frame)[None])
        if self._broken and not first_of_stream:
            raise StreamBrokenError(
                "an earlier error may have cost the board its state",
                where=self.port,
                fix="send(frame, first_of_stream=True)",
            )

        def first() -> Result:
            if self._broken:
                self._reopen()
            return self._send(codes, first_of_stream)

        return self._holding_on(first, again=lambda: self._send(codes, first_of_stream=True))

    def counters(self) -> Counters:
        """Return what the core counted since the last `reset`.

        Raises:
            StreamBrokenError: the core computed another number of frames than it was sent: it was reset meanwhile.
            LinkError: the board does not answer.
            DisconnectedError: the port is gone, and did not come back in ``reconnect_s``.
        """

        def read() -> Counters:
            return self._device.counters()

        counted = self._holding_on(read, again=read)
        if counted.frames != self._frames % (1 << 32):
            self._broken = True
            raise StreamBrokenError(
                "the board was reset, so its counters are not those of the frames it was sent",
                where=self.port,
                expected=f"{self._frames} frames",
                received=f"{counted.frames} frames",
                fix="send(frame, first_of_stream=True); look for a reset button, a weak supply or a second program",
            )
        return counted

    def set_hold(self, layer: str, hold_steps: float | None) -> None:
        """Change the hold of a delta layer. The next frame starts a new stream: elements at rest are not looked at.

        Args:
            layer: one that was built with a hold; others have no comparison to change.
            hold_steps: at least 0.5, or None for memoryless.

        Raises:
            ConversionError: the layer has no hold, the hold is too small or too large for its comparison, or the board
                has a core: its holds are those of the network that was loaded.
            LinkError: the board does not answer. It gets the new hold with the next frame that starts a new stream.
            DisconnectedError: the port is gone, and did not come back in ``reconnect_s``; then likewise.
        """
        node = self.graph[layer] if layer in {node.name for node in self.graph.deltas} else None
        wanted = replace(node, hold=hold_steps).threshold() if isinstance(node, Delta) else 0
        thresholds = {**self._thresholds, layer: wanted}
        if layer in {node.name for node in self.graph.deltas}:
            self._device.check_holds()
        self._golden.graph = self.graph.with_thresholds(thresholds)
        self._thresholds, self._first = thresholds, True
        if not self._broken:  # otherwise the next frame brings them
            self._broken = True  # until the board has them all
            self._holding_on(self._write_holds, again=lambda: None)
            self._broken = False

    def _reset(self) -> None:
        self._broken = True
        self._device.reset()
        self._write_holds()
        self._first, self._broken, self._frames = True, False, 0
        self.resets += 1

    def _write_holds(self) -> None:
        self._device.write_holds(self._thresholds)

    def _built_baud(self) -> int:
        return BAUD if self._folder is None else built_baud(self._folder, self.graph)

    def _open(self) -> None:
        self._broken = True
        self._line = Port(self.port, self.baud)
        try:
            self._exchange = Exchange(self._line, self.baud, self._slowdown)
            self.identify()
            self._reset()
        except BaseException:
            self._line.close()
            raise

    def _holding_on(self, do: Callable[[], T], *, again: Callable[[], T]) -> T:
        """Return ``do()``; if the port is lost and comes back, what ``again()`` returns after a reset of the board."""
        try:
            return do()
        except DisconnectedError as lost:
            self._broken = True
            if not self._reconnect_s:
                raise
            self._wait_for_port(lost)
            return again()

    def _reopen(self) -> None:
        self._repeated_before, self._exchange.repeated = self.repeated, 0
        self._line.close()
        self._open()

    def _wait_for_port(self, lost: DisconnectedError) -> None:
        self.notice(f"{self.port}: the connection is lost; waiting {self._reconnect_s:g} s for it to come back")
        deadline = time.monotonic() + self._reconnect_s
        while True:
            try:
                self._reopen()
                break
            except (DesignMismatchError, NoNetworkError):
                raise
            except BoardError:
                self._exchange.repeated = 0  # of the attempts to find the board
                if time.monotonic() > deadline:
                    raise lost from None
                time.sleep(_RETRY_S)
        self.reconnections += 1
        self.notice(f"{self.port}: connected again; the layers start a new stream")

    def _send(self, codes: IntArray, first_of_stream: bool) -> Result:
        first, self._broken = self._first or first_of_stream, True
        if first and self._thresholds:
            self._write_holds()  # a reset button would have brought back the design's own
        answer = self._exchange.request(
            self._device.frame(codes[0], first_of_stream=first),
            link.Result,
            answer_bytes=self._device.answer_bytes,
            work_s=self._device.most_cycles / self._device.clock_hz,
        )
        if answer.status:
            raise BoardError(
                "the core met a malformed frame", where=self.port, received=answer.status, fix="reset() the board"
            )
        if answer.first_of_stream and not first:
            self.notice(f"{self.port}: the board was reset; the layers start a new stream")
            self._reset()  # its holds are the design's own: the frame has to be computed again
            return self._send(codes, first_of_stream=True)
        if first and not answer.first_of_stream:
            raise BoardError(
                "the board goes on with a stream", where=self.port, expected="a new one", fix="load its bitstream again"
            )
        self._first, self._broken, self._frames = False, False, self._frames + 1
        outputs = self._device.outputs(answer.beats)
        return Result(
            outputs=outputs,
            cycles=answer.cycles,
            first_of_stream=first,
            mismatches=self._compare(codes, outputs, first),
        )

    def _compare(self, codes: IntArray, outputs: IntArray, first: bool) -> int | None:
        if not self._check:
            return None
        if first:
            self._golden.reset()
        return int(np.count_nonzero(self._golden.run(codes).outputs[0] != outputs))


def _graph(design: Graph | str | Path) -> tuple[Graph, Path | None]:
    if isinstance(design, Graph):
        return design, None
    return open_graph(Path(design)), Path(design)
