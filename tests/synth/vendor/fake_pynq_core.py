# SPDX-License-Identifier: Apache-2.0
"""What the driver of a core uses of pynq, over the interpreter of programs instead of an FPGA.

https://pynq.readthedocs.io, ``pynq/buffer.py``, ``pynq/lib/dma.py`` and AMD PG021 (AXI DMA). Everything that a driver
must not do is an assertion here: memory that is given back while it is used, a DMA that is started twice.
"""

from __future__ import annotations

import itertools
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from codesign.core import CoreConfig, Interpreter, program_of
from codesign.core import registers as core_map
from codesign.core.soc import BUSY, GIVEN
from codesign.errors import ImageError

DMACR, DMA_RESET = 0, 4
_BAD_CRC, _NO_MEMORY = 6, 8


class Buffer(np.ndarray):
    """Physically contiguous memory."""

    freed = flushed = False
    device_address = 0
    users = 0
    """DMAs and cores that may write to it."""

    def freebuffer(self) -> None:
        """Give it back."""
        assert not self.users, "it is still written to"
        self.freed = True

    def flush(self) -> None:
        """Write back what caches hold."""
        self.flushed = True


class Allocator:
    """``pynq.allocate``, with the addresses of one test.

    Attributes:
        made: every buffer, in order.
        offset: that of an address in its page; 0 on a board.
    """

    def __init__(self, start: int = 0x1680_0000) -> None:
        self.made: list[Buffer] = []
        self.next, self.offset = start, 0

    def __call__(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        """Return memory with something in it."""
        buffer = np.full(shape, 0xA5, np.uint8).astype(dtype).view(Buffer)
        buffer.device_address = self.next + self.offset
        self.next += -(-buffer.nbytes // 4096) * 4096
        self.made.append(buffer)
        return buffer


class Channel:
    """One direction of a DMA."""

    def __init__(self, dma: Dma, *, receives: bool) -> None:
        self.dma, self.receives = dma, receives
        self.running, self.idle, self.error = True, True, False
        self.transferred = 0
        self.buffer: Buffer | None = None
        self.arrived: np.ndarray | None = None

    def start(self) -> None:
        """Let it run after a reset."""
        self.running = True

    def transfer(self, array: Buffer) -> None:
        """Start a transfer of a whole buffer."""
        assert self.running
        assert not array.freed
        assert array.nbytes < 1 << 26
        if not self.idle:
            raise RuntimeError("DMA channel not idle")
        self.buffer, self.idle, self.transferred = array, False, 0
        array.users += self.receives
        if not self.receives:
            self.dma.sent(array)

    def wait(self) -> None:
        """Wait for the transfer, then let the processor see what came: one that never ends would hang here."""
        assert self.idle
        if self.buffer is not None and self.arrived is not None:
            flat = self.buffer.reshape(-1)
            flat[: self.arrived.size] = self.arrived.reshape(-1)
            self.transferred = self.arrived.nbytes
        self.release()

    def release(self) -> None:
        """Let go of the buffer."""
        if self.buffer is not None:
            self.buffer.users -= self.receives
        self.buffer = self.arrived = None

    def reset(self) -> None:
        """Stop, whatever is under way."""
        self.release()
        self.running, self.idle, self.error = False, True, False


class Dma:
    """AXI DMA: ``take`` gets what is sent, and returns what comes back; None: it stays as it is.

    Attributes:
        stuck: reads of its control register in which a reset is not done.
    """

    def __init__(self, take: Any, *, receives: bool) -> None:
        self.take, self.stuck, self.resets = take, 0, 0
        self.sendchannel = Channel(self, receives=False)
        if receives:
            self.recvchannel = Channel(self, receives=True)

    @property
    def channels(self) -> list[Channel]:
        return [getattr(self, name) for name in ("sendchannel", "recvchannel") if hasattr(self, name)]

    def sent(self, array: Buffer) -> None:
        """Let the core take what was sent."""
        taken, packet = self.take(np.asarray(array))
        self.sendchannel.idle = taken
        if hasattr(self, "recvchannel") and packet is not None:
            assert self.recvchannel.buffer is not None, "the receiver starts first, or the result has nowhere to go"
            self.recvchannel.arrived, self.recvchannel.idle = packet, True

    def write(self, offset: int, value: int) -> None:
        """Write its control register."""
        assert (offset, value) == (DMACR, DMA_RESET)
        self.resets += 1
        for channel in self.channels:
            channel.reset()

    def read(self, offset: int) -> int:
        """Read its control register."""
        assert offset == DMACR
        self.stuck -= self.stuck > 0
        return DMA_RESET if self.stuck else 0


class Logic:
    """The core in the fabric: its registers, and what images and frames make of them.

    Attributes:
        program: what it executes; None: nothing.
        faults: what goes wrong: ``image hangs``, ``image damaged``, ``other id``, ``no memory``, ``frame hangs``,
            ``memory lost``, ``short``, ``early``, ``late``, ``busy`` (for ever), ``never ends``.
        late_status: reads of ``frames`` after a packet, before the frame that it is of is done.
        log: registers that were written, in order, ``(name, value)``.
    """

    def __init__(self, config: CoreConfig, design: dict[str, Any], memory: Allocator) -> None:
        self.config, self.memory, self.names = config, memory, {at: name for name, at in design["registers"].items()}
        self.fixed = {name: design[name] for name in ("magic", "version", "streams", "geometry")} | design["core"]
        self.core: Interpreter | None = None
        self.design_id = self.crc = self.error = self.status = self.frames = self.errors = 0
        self.events: np.ndarray = np.zeros(256, np.int64)
        self.region = 0
        self.stopping: Buffer | None = None
        self.first = False
        self.faults: set[str] = set()
        self.late_status, self.ends_in = 0, 0
        self.next_status = 0
        self.log: list[tuple[str, int]] = []

    def read(self, offset: int = 0) -> int:
        """Read a register."""
        for base, name in ((core_map.EVENTS, "events"), (core_map.OPERATIONS, ""), (core_map.WAITS, "")):
            if base <= offset < base + 1024:
                return int(self.events[(offset - base) // 4]) if name else offset - base
        name = self.names[offset]
        loaded = self.core is not None
        if name == "frames" and self.ends_in and "never ends" not in self.faults:
            self.ends_in -= 1
            if not self.ends_in:
                self.status, self.frames = self.next_status, self.frames + 1
        if name == "status":
            return self.error << 12 | loaded << 8 | self.status
        if name == "memory":
            busy = "busy" in self.faults
            return self.region | BUSY * busy
        values = self.fixed | {
            "design_id": self.design_id if loaded else 0,
            "image_crc": self.crc,
            "frames": self.frames,
            "cycles": 1000 * self.frames,
            "errors": self.errors,
        }
        return int(values[name])

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        name = self.names[offset]
        self.log.append((name, value))
        if name == "memory":
            self._use(-1)
            self.region = value
            self._use(+1)
            self._forget()
        elif name == "stream":
            self.first = bool(value & 1)
        else:
            assert name == "control"
            if value & core_map.RESET:
                self.frames = self.errors = self.status = 0
                self.events[:] = 0
                self.first = True
            if value & core_map.FORGET:
                self._forget()

    def _use(self, by: int) -> None:
        """Count the core among the users of its region, or not any more."""
        if not self.region & GIVEN or "busy" in self.faults:
            return
        address, size = self.region & ~0xFFF, self.config.memory_kib << 10
        region = next(buffer for buffer in self.memory.made if buffer.device_address == address)
        assert region.nbytes == size
        assert region.flushed
        assert not region.freed
        region.users += by

    def _forget(self) -> None:
        self.core, self.error, self.crc = None, 0, 0

    def image(self, words: np.ndarray) -> tuple[bool, None]:
        """Take an image."""
        assert words.dtype == np.uint32
        self._forget()
        if "image hangs" in self.faults:
            return False, None
        if "image damaged" in self.faults:
            words = words ^ np.uint32(len(words) > 20) * (np.arange(len(words)) == 20).astype(np.uint32)
        if self.config.memory_bits and ("no memory" in self.faults or not self.region & GIVEN):
            self.error = _NO_MEMORY
            return True, None
        try:
            program = program_of(words, self.config)
        except ImageError:
            self.error = _BAD_CRC
            return True, None
        self.crc, self.design_id = zlib.crc32(words.astype("<u4").tobytes()), program.design
        self.design_id ^= "other id" in self.faults
        self.core, self.first = Interpreter(program), True
        return True, None

    def frame(self, beats: np.ndarray) -> tuple[bool, np.ndarray | None]:
        """Take a frame, and return its packet."""
        assert beats.dtype == np.int16
        assert self.core is not None, "frames without a network"
        if "frame hangs" in self.faults:
            return False, None
        if "memory lost" in self.faults:
            self._forget()
            self.error = _NO_MEMORY
            return True, None
        if self.first:
            self.core.reset()
        run = self.core.run(beats.astype(np.int64)[None])
        malformed = [name in self.faults for name in ("early", "late")]
        self.next_status = malformed[0] | malformed[1] << 1 | self.first << 2
        self.ends_in, self.first, self.errors = self.late_status + 1, False, sum(malformed)
        events = run.counts.events[0]
        self.events[: len(events)] += events
        packet = run.packets[0].astype(np.int32)
        return True, packet[:-1] if "short" in self.faults else packet


class Overlay:
    """The loaded bitstream, with its IP blocks as attributes."""

    config: CoreConfig  # of the bitstream, set by the test
    memory: Allocator
    loaded: list[tuple[str, bool]]

    def __init__(self, bitfile_name: str, *, download: bool = True) -> None:
        self.loaded.append((bitfile_name, download))
        about = json.loads(Path(bitfile_name).with_suffix(".json").read_text())
        self.core = Logic(self.config, about, self.memory)
        self.dma = Dma(self.core.frame, receives=True)
        self.images = Dma(self.core.image, receives=False)


def freed(memory: Allocator) -> bool:
    """Return whether all memory was given back."""
    return all(buffer.freed for buffer in itertools.chain(memory.made))
