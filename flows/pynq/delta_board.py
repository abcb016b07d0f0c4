# SPDX-License-Identifier: Apache-2.0
"""A design on a PYNQ board: frames of codes in by DMA, results and counters out. Needs pynq and numpy, on the board.

Copy this file with ``design.bit``, ``design.hwh`` and ``design.json`` of the build folder into one folder of the board:

    from delta_board import Board

    with Board("design.bit") as board:
        for frame in frames:                     # integer codes, [*shape]
            print(board.send(frame).outputs)
        print(board.counters())

The methods are those of ``codesign.host.Board``, which talks to a board on a serial port.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pynq import Overlay, allocate

RESET, FIRST_OF_STREAM = 1, 2
"""Bits of the register ``control``, each cleared by the board itself."""
EARLY, LATE, STARTED = 1, 2, 4
"""Bits of the register ``status``: of malformed frames, and of a last frame that started a new stream."""


class BoardError(Exception):
    """The board holds another design, does not answer, or met a malformed frame."""


class Result(NamedTuple):
    """What the board made of one frame.

    outputs: codes of the last layer, int64 [*shape]. cycles: None: this top does not time a frame, see ``counters``.
    first_of_stream: the frame started a new stream: asked for, or the first after a reset or another hold; also if
    something else reset the logic.
    """

    outputs: np.ndarray
    cycles: int | None
    first_of_stream: bool


def wait(channel: Any, what: str, timeout_s: float, then: str = "Load the bitstream again.") -> None:
    """Wait until a DMA channel is done; ``what`` the board should do meanwhile, ``then`` what to do if it does not.

    Raises: BoardError if it is not within ``timeout_s``, or stops.
    """
    deadline = time.monotonic() + timeout_s
    while not channel.idle:
        if channel.error or time.monotonic() > deadline:
            why = "the DMA stopped with an error" if channel.error else f"not within {timeout_s:g} s"
            raise BoardError(f"the board did not {what}: {why}. {then}")
    channel.wait()


class Board:
    """A design in the programmable logic: identified and reset once it is loaded.

    bitstream: with the .hwh and .json of the same name beside it. timeout_s: longest time for one frame.
    download: load the bitstream; False if it is loaded already.
    Raises: BoardError if the logic holds another design.
    """

    def __init__(self, bitstream: str | Path = "design.bit", *, download: bool = True, timeout_s: float = 5.0) -> None:
        self.design: dict[str, Any] = json.loads(Path(bitstream).with_suffix(".json").read_text(encoding="utf-8"))
        self.overlay = Overlay(str(bitstream), download=download)
        self.timeout_s = timeout_s
        self._frame, self._packet = self.design["frame"], self.design["packet"]
        self._in = allocate(shape=(self._frame["beats"], self._frame["dma_bytes"]), dtype=np.uint8)
        self._out = allocate(shape=(self._packet["beats"], self._packet["dma_bytes"]), dtype=np.uint8)
        self.identify()
        self.reset()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the DMA's memory back; the logic keeps its state."""
        self._in.freebuffer()
        self._out.freebuffer()

    def identify(self) -> int:
        """Check that the logic holds this design, and return its design id."""
        for name in ("magic", "version", "design_id"):
            found = self._read(name)
            if found != self.design[name]:
                raise BoardError(
                    f"the logic holds another design: {name} is {found:#x}, {self.design[name]:#x} was expected. "
                    "Load the bitstream that lies beside this design.json."
                )
        return int(self.design["design_id"])

    def reset(self) -> None:
        """Forget everything: state, counters, errors. Holds stay as they are. The next frame starts a new stream."""
        self._write("control", RESET)
        self._first = True

    def send(self, frame: np.ndarray, *, first_of_stream: bool = False) -> Result:
        """Compute one frame of integer codes, [*shape] or flat, and return its `Result`.

        Raises: ValueError for codes that the design cannot take; BoardError if the board does not answer with a
        whole packet: `reset` it then.
        """
        self._in[:, : self._frame["beat_bytes"]] = self._beats(np.asarray(frame))
        first, self._first = self._first or first_of_stream, False
        if first:
            self._write("control", FIRST_OF_STREAM)
        dma = self.overlay.dma
        dma.recvchannel.transfer(self._out)
        dma.sendchannel.transfer(self._in)  # one transfer is one frame: TLAST comes with its last beat
        wait(dma.sendchannel, "take the frame", self.timeout_s)
        wait(dma.recvchannel, "send a result", self.timeout_s)
        status = self._read("status")
        if status & (EARLY | LATE) or dma.recvchannel.transferred != self._out.nbytes:
            what = " and ".join(text for bit, text in ((EARLY, "early"), (LATE, "late")) if status & bit) or "no"
            raise BoardError(
                f"the frame was malformed: {what} TLAST, {dma.recvchannel.transferred} bytes of "
                f"{self._out.nbytes} came back. reset() the board."
            )
        return Result(self._codes(), None, first or bool(status & STARTED))

    def counters(self) -> dict[str, Any]:
        """Return what the core counted since its reset, modulo 2**32: {name: number}, an engine's as a dict."""
        found: dict[str, Any] = {}
        for name in self.design["registers"]:
            if name.startswith("counters."):
                *engine, counter = name.split(".")[1:]
                place = found.setdefault(engine[0], {}) if engine else found
                place[counter] = self._read(name)
        return found

    def set_hold(self, layer: str, hold_steps: float | None) -> None:
        """Change the hold of a delta layer, which starts a new stream. hold_steps: at least 0.5; None: memoryless."""
        if layer not in self.design["holds"]:
            raise ValueError(f"layer {layer!r} has no hold to change; these have: {', '.join(self.design['holds'])}")
        if hold_steps is not None and not hold_steps >= 0.5:
            raise ValueError(f"{layer}: a hold is at least 0.5 steps, or None for memoryless; received {hold_steps}")
        hold = self.design["holds"][layer]
        threshold = 0 if hold_steps is None else math.ceil(hold_steps * 2 ** hold["step_bits"])
        if threshold >= 2 ** hold["bits"]:
            most = (2 ** hold["bits"] - 1) / 2 ** hold["step_bits"]
            raise ValueError(f"{layer}: a hold is at most {most:g} steps in this bitstream; received {hold_steps}")
        self._write(f"hold.{layer}", threshold)
        self._first = True

    def _beats(self, codes: np.ndarray) -> np.ndarray:
        """Return the bytes of a frame, [beats, bytes]: lane 0 first, little-endian."""
        side = self._frame
        if codes.size != side["size"] or not np.issubdtype(codes.dtype, np.integer):
            raise ValueError(f"a frame is integers of shape {side['shape']}, received {codes.dtype} {codes.shape}")
        if codes.min() < side["lo"] or codes.max() > side["hi"]:
            raise ValueError(
                f"codes are {side['lo']} to {side['hi']}, received {int(codes.min())} to {int(codes.max())}"
            )
        lanes = np.zeros(side["beats"] * side["lanes"], "<i8")
        lanes[: side["size"]] = codes.reshape(-1)
        raw = lanes.view(np.uint8).reshape(-1, 8)[:, : side["beat_bytes"] // side["lanes"]]
        return raw.reshape(side["beats"], side["beat_bytes"])

    def _codes(self) -> np.ndarray:
        """Return the codes in the received packet, [*shape]."""
        side = self._packet
        lane_bytes = side["beat_bytes"] // side["lanes"]
        raw = np.zeros((side["beats"] * side["lanes"], 8), np.uint8)
        raw[:, :lane_bytes] = np.asarray(self._out)[:, : side["beat_bytes"]].reshape(-1, lane_bytes)
        codes = raw.view("<i8")[: side["size"], 0].astype(np.int64)
        spare = 64 - 8 * lane_bytes if side["lo"] < 0 else 0
        return (codes << spare >> spare).reshape(side["shape"])

    def _read(self, name: str) -> int:
        return int(self.overlay.core.read(self.design["registers"][name]))

    def _write(self, name: str, value: int) -> None:
        self.overlay.core.write(self.design["registers"][name], value)
