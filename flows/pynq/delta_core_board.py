# SPDX-License-Identifier: Apache-2.0
"""A delta core on a PYNQ board: networks, then frames of codes in by DMA, results and counters out. Needs pynq, numpy.

Copy this file, ``delta_core_network.py`` and ``delta_board.py`` with ``design.bit``, ``design.hwh`` and ``design.json``
of the build folder into one folder of the board, and networks, ``NAME.core`` with ``NAME.core.json``:

    from delta_core_board import Board

    with Board("design.bit") as board:
        board.load("moving_digits.core")
        for frame in frames:                     # integer codes, [*shape]
            print(board.send(frame).outputs)
        print(board.counters())

What does not fit inside the core lies in memory that is allocated here and given to the core by its physical address.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from delta_board import EARLY, LATE, STARTED, BoardError, Result, wait
from delta_core_network import Network, network_in
from pynq import Overlay, allocate

RESET, FORGET = 1, 2
"""Bits of the register ``control``: the counters and what is inside; the network."""
LOADED, REFUSAL = 1 << 8, 12
"""In the register ``status``: there is a network; first of four bits that tell why there is none."""
GIVEN, BUSY = 1, 2
"""Bits of the register ``memory``: the core has a region of the memory; it reads or writes there."""
PAGE, ADDRESSES = 1 << 12, 1 << 32
"""A region begins at a multiple of 4 KiB, below 4 GiB."""
DMACR, DMA_RESET = 0, 4
"""Control register of an AXI DMA (AMD PG021), and the bit that resets all of it; it clears itself."""
AGAIN = "load() the network again."
"""What to do after something failed."""

_STILL_USED: list[Any] = []
"""Memory that a core or a DMA did not stop to use: it is never given back."""


class Board:
    """A core in the programmable logic: identified, reset, without a network.

    bitstream: with the .hwh and .json of the same name beside it. timeout_s: longest time for an image or a frame.
    download: load the bitstream; False if it is loaded already.
    Raises: BoardError if the logic holds another core, or there is no memory for it.
    """

    def __init__(self, bitstream: str | Path = "design.bit", *, download: bool = True, timeout_s: float = 5.0) -> None:
        self.design: dict[str, Any] = json.loads(Path(bitstream).with_suffix(".json").read_text(encoding="utf-8"))
        self.overlay = Overlay(str(bitstream), download=download)
        self.timeout_s = timeout_s
        self.network: Network | None = None
        self._buffers: tuple[Any, ...] = ()
        self._region: Any = None
        self._frames = 0
        self.identify()
        self._stop()
        if self.design["core"]["memory_bits"]:
            self._give()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the core and the DMAs, and give their memory back; the network is gone.

        Raises: BoardError if the core still uses its memory, which is kept then.
        """
        held = [*self._buffers, *([] if self._region is None else [self._region])]
        self._buffers, self._region, self.network = (), None, None
        if held:
            _STILL_USED.append(held)
            self._stop()
            for buffer in _STILL_USED.pop():
                buffer.freebuffer()

    def identify(self) -> int:
        """Check that the logic holds this core, and return the id of its network; 0: it has none."""
        expected = {name: self.design[name] for name in ("magic", "version", "streams", "geometry")}
        for name, value in {**expected, **self.design["core"]}.items():
            found = self._read(name)
            if found != value:
                raise BoardError(
                    f"the logic holds something else: {name} is {found:#x}, {value:#x} was expected. "
                    "Load the bitstream that lies beside this design.json."
                )
        return self._read("design_id")

    def load(self, path: str | Path) -> None:
        """Load the network in an image, ``NAME.core``, with ``NAME.core.json`` beside it; another one is gone then.

        Raises: BoardError if the image is damaged, made for another core, or too large, before anything is sent; if
        the core does not take it, refuses it, or has something else in the end: it has no network then.
        """
        network = network_in(Path(path), self.design)
        self.network = None
        self._drop()
        self._write("control", FORGET)
        image = allocate(shape=network.image.shape, dtype=np.uint32)
        try:
            image[:] = network.image
            self._attempt(lambda: self._send_image(image, network))
        finally:
            image.freebuffer()
        lanes = self.design["core"]["quantisers"]
        self._buffers = (
            allocate(shape=(network.frame["beats"], lanes), dtype=np.int16),
            allocate(shape=(network.packet["beats"], lanes), dtype=np.int32),
        )
        self._buffers[0][:] = 0
        self.network = network
        self.reset()

    def reset(self) -> None:
        """Forget state, counters and errors; the network stays. The next frame starts a new stream."""
        self._write("control", RESET)
        self._frames = 0

    def send(self, frame: np.ndarray, *, first_of_stream: bool = False) -> Result:
        """Compute one frame of integer codes, [*shape] or flat, and return its `Result`.

        Raises: ValueError for codes that the network cannot take; BoardError if there is no network, or no whole packet
        comes back: load the network again then.
        """
        network, (given, taken) = self._loaded(), self._buffers
        given.reshape(-1)[network.given_at] = network.codes(np.asarray(frame))
        if first_of_stream:
            self._write("stream", 1)

        def run() -> int:
            dma = self.overlay.dma
            dma.recvchannel.transfer(taken)
            dma.sendchannel.transfer(given)  # one transfer is one frame: TLAST comes with its last beat
            wait(dma.sendchannel, "take the frame", self.timeout_s, AGAIN)
            wait(dma.recvchannel, "send a result", self.timeout_s, AGAIN)
            self._frames = (self._frames + 1) % (1 << 32)
            # A frame ends behind its packet, when all is written, and only then the status is that of this frame.
            self._until(lambda: self._read("frames") == self._frames, "end the frame")
            status, came = self._read("status"), dma.recvchannel.transferred
            if status & (EARLY | LATE) or came != taken.nbytes:
                what = " and ".join(name for bit, name in ((EARLY, "early"), (LATE, "late")) if status & bit) or "no"
                raise BoardError(
                    f"the frame was malformed: {what} TLAST, {came} bytes of {taken.nbytes} came back. {AGAIN}"
                )
            return status

        status = self._attempt(run)
        values = np.asarray(taken).reshape(-1)[network.taken_at].astype(np.int64)
        outputs = values.reshape(network.packet["shape"])
        return Result(outputs, None, bool(status & STARTED))

    def counters(self) -> dict[str, Any]:
        """Return what the core counted since its reset, modulo 2**32.

        ``frames``, ``cycles``, ``errors`` (kinds of malformed frames); ``events`` of each step of the program;
        ``operations`` of each engine, and ``waits``, cycles in which one of them waited for a sum.
        """
        network = self._loaded()
        found: dict[str, Any] = {name: self._read(name) for name in ("frames", "cycles", "errors")}
        for name, of in (("events", network.steps), ("operations", network.engines), ("waits", network.engines)):
            found[name] = {each: self._read(name, at) for at, each in enumerate(of)}
        return found

    def _loaded(self) -> Network:
        if self.network is None:
            raise BoardError("the core has no network. load() one.")
        return self.network

    def _send_image(self, image: Any, network: Network) -> None:
        self.overlay.images.sendchannel.transfer(image)
        wait(self.overlay.images.sendchannel, "take the image", self.timeout_s, AGAIN)
        deadline, status = time.monotonic() + self.timeout_s, 0
        while not status & LOADED and not status >> REFUSAL and time.monotonic() < deadline:
            status = self._read("status")
        if not status & LOADED:
            raise BoardError(f"the core refuses {network.path}, and has no network now: {self._why_none(status)}.")
        found = {name: self._read(name) for name in ("image_crc", "design_id")}
        expected = {"image_crc": zlib.crc32(network.image.tobytes()), "design_id": network.design}
        if found != expected:
            raise BoardError(f"not what was sent is in the core: {found}, expected {expected}. {AGAIN}")

    def _why_none(self, status: int) -> str:
        error = status >> REFUSAL & 15
        return str(self.design["refusals"].get(str(error), f"error {error}")) if error else "none was loaded"

    def _attempt(self, what: Callable[[], Any]) -> Any:
        """Do something that may fail; if it does, nothing stays under way, there is no network, and it says why."""
        try:
            return what()
        except BoardError as error:
            status = self._read("status")
            self.network = None
            self._stop()
            if status & LOADED or not status >> REFUSAL or self._why_none(status) in str(error):
                raise
            raise BoardError(f"{error} The core has no network now: {self._why_none(status)}.") from error
        finally:
            self._give_again()

    def _stop(self) -> None:
        """Stop the DMAs and the core, and wait until nothing uses their memory. No network and no region is left."""
        self._stop_dma(self.overlay.dma, "sendchannel", "recvchannel")
        self._stop_dma(self.overlay.images, "sendchannel")
        self._write("memory", 0)  # the core begins no burst from here on
        self._write("control", RESET | FORGET)
        self._until(lambda: not self._read("memory") & BUSY, "end what it does in its memory")

    def _stop_dma(self, dma: Any, *channels: str) -> None:
        dma.write(DMACR, DMA_RESET)
        self._until(lambda: not dma.read(DMACR) & DMA_RESET, "stop its DMA")
        for channel in channels:
            getattr(dma, channel).start()

    def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self.timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise BoardError(
                    f"the board did not {what}: not within {self.timeout_s:g} s. Load the bitstream again."
                )

    def _give(self) -> None:
        """Allocate the memory of the core, and give it to it."""
        size = self.design["core"]["memory_kib"] << 10
        region = allocate(shape=(size,), dtype=np.uint8)
        address = int(region.device_address)
        if address % PAGE or address + size > ADDRESSES:
            region.freebuffer()
            raise BoardError(
                f"{size:,} bytes were allocated at {address:#x}: a core takes a multiple of {PAGE:#x} below 4 GiB."
            )
        region.flush()  # no line of a cache is written over it later
        self._region = region
        self._give_again()

    def _give_again(self) -> None:
        if self._region is not None and not self._read("memory") & GIVEN:
            self._write("memory", int(self._region.device_address) | GIVEN)

    def _drop(self) -> None:
        for buffer in self._buffers:
            buffer.freebuffer()
        self._buffers = ()

    def _read(self, name: str, number: int = 0) -> int:
        return int(self.overlay.core.read(self.design["registers"][name] + 4 * number))

    def _write(self, name: str, value: int) -> None:
        self.overlay.core.write(self.design["registers"][name], value)
