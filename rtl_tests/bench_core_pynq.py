# SPDX-License-Identifier: Apache-2.0
"""The PYNQ driver of a core on the RTL that Vivado gets: its registers, DMAs and memory are those of the simulation.

The driver runs in a thread of its own; what it does to the board lets the simulation go on.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cocotb
import numpy as np
import pytest
from bench import STALLS
from bench_core_soc import Soc, graphs
from cocotb.task import bridge, resume
from core_bench import CONFIG
from random_graphs import random_walk

from codesign.core import compile_graph
from codesign.core.beside import write_network
from codesign.graph.golden import Golden
from codesign.synth.vendor.pynq_core import core_driver

POLL = 100
"""Cycles between two looks at a DMA."""
KILO = 1000
"""Cycles of what the driver takes for a second."""
REGION = 0x1F35_7000
DRIVERS = ("delta_core_board", "delta_core_network", "delta_board")


class Buffer(np.ndarray):
    """Memory of the processor."""

    device_address = 0
    freed = False

    def flush(self) -> None:
        """There is no cache."""

    def freebuffer(self) -> None:
        """Give it back."""
        self.freed = True


class Channel:
    """A direction of a DMA: its stream of the simulation."""

    def __init__(self, board: Processor, stream: Any, *, receives: bool) -> None:
        self.board, self.stream, self.receives = board, stream, receives
        self.buffer: Buffer | None = None
        self.error, self.transferred = False, 0

    def start(self) -> None:
        """It always runs."""

    def reset(self) -> None:
        """Forget what is under way."""
        self.stream.clear()
        self.buffer = None

    def transfer(self, array: Buffer) -> None:
        """Start a transfer."""
        assert self.buffer is None
        self.buffer = array
        if not self.receives:
            bits = 8 * array.itemsize * (array.shape[1] if array.ndim > 1 else 1)
            beats = [int.from_bytes(beat.tobytes(), "little") for beat in np.asarray(array)]
            if self.board.damaged is not None:
                beats[self.board.damaged] = 0
            ends = [int(at == len(beats) - 1) for at in range(len(beats))]
            fields = [
                end | beat << 1 if self.stream is self.board.soc.frames else beat | end << bits
                for beat, end in zip(beats, ends, strict=True)
            ]
            self.stream.waiting.extend(fields)

    @property
    def idle(self) -> bool:
        """Let the simulation go on, and say whether all of it has moved."""
        self.board.cycles(POLL)
        if self.buffer is None:
            return True
        return bool(self.stream.tokens and self.stream.tokens[-1][1]) if self.receives else not self.stream.waiting

    def wait(self) -> None:
        """End a transfer that is done."""
        assert self.buffer is not None
        if self.receives:
            size = self.buffer.itemsize * self.buffer.shape[1]
            data = b"".join(int(beat).to_bytes(size, "little") for beat, _ in self.stream.tokens)
            assert [last for _, last in self.stream.tokens] == [0] * (len(self.stream.tokens) - 1) + [1]
            self.buffer[:] = np.frombuffer(data, self.buffer.dtype).reshape(self.buffer.shape)
            self.transferred = len(data)
            self.stream.tokens.clear()
        self.buffer = None


class Dma:
    """A DMA with one or two directions."""

    def __init__(self, **channels: Channel) -> None:
        self.channels = channels
        for name, channel in channels.items():
            setattr(self, name, channel)

    def write(self, offset: int, value: int) -> None:
        """Reset it."""
        assert (offset, value) == (0, 4)
        for channel in self.channels.values():
            channel.reset()

    def read(self, offset: int) -> int:
        """A reset is done at once."""
        assert offset == 0
        return 0


class Processor:
    """The board as the driver sees it, ``pynq`` included.

    Attributes:
        damaged: a word of what is sent that becomes 0 on its way; None: none does.
    """

    def __init__(self, soc: Soc) -> None:
        self.soc = soc
        self.damaged: int | None = None
        self.buffers: list[Buffer] = []
        self.cycles: Callable[[int], None] = resume(soc.bench.cycles)
        self.read: Callable[[int], int] = resume(soc.read)
        self.write: Callable[[int, int], None] = resume(soc.write)
        self.core = self
        self.dma = Dma(
            sendchannel=Channel(self, soc.frames, receives=False),
            recvchannel=Channel(self, soc.packets, receives=True),
        )
        self.images = Dma(sendchannel=Channel(self, soc.images, receives=False))

    def allocate(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        """Return memory; that of the core lies where the simulation has it."""
        buffer = np.zeros(shape, dtype).view(Buffer)
        if buffer.nbytes == CONFIG.memory_kib << 10:
            buffer.device_address = self.soc.memory.base = REGION
        self.buffers.append(buffer)
        return buffer

    def driver(self, folder: Path) -> ModuleType:
        """Return the driver, loaded as on a board."""
        for name, text in core_driver(CONFIG).items():
            (folder / name).write_text(text)
        pynq: Any = ModuleType("pynq")
        pynq.allocate, pynq.Overlay = self.allocate, lambda *_, **__: self
        sys.modules["pynq"] = pynq
        sys.path.insert(0, str(folder))
        for name in DRIVERS:
            sys.modules.pop(name, None)
        driver = importlib.import_module(DRIVERS[0])
        clock: Any = SimpleNamespace(monotonic=lambda: self.soc.bench.now / KILO)
        loaded: dict[str, Any] = sys.modules
        for name in (DRIVERS[0], DRIVERS[-1]):
            loaded[name].time = clock
        return driver


async def drive(dut: Any, stalls: tuple[float, float], what: Callable[[Processor, Any, Path], None]) -> None:
    """Let ``what`` use the driver, in a thread."""
    soc = Soc(dut, stalls)
    await soc.bench.start()
    board = Processor(soc)
    with tempfile.TemporaryDirectory() as folder:
        driver = board.driver(Path(folder))
        await bridge(lambda: what(board, driver, Path(folder)))()
    assert all(buffer.freed for buffer in board.buffers)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS[:2])
async def networks(dut: Any, stalls: tuple[float, float]) -> None:
    """One after the other, every value of every frame; new streams and resets."""

    def use(_: Processor, driver: Any, folder: Path) -> None:
        with driver.Board(folder / "design.bit", timeout_s=60) as board:
            for at, graph in enumerate(graphs(2)):
                compiled = compile_graph(graph, CONFIG)
                write_network(compiled, folder / "a.core")
                board.load(folder / "a.core")
                golden, frames = Golden(graph), random_walk(np.random.default_rng(at), graph, 7, 0.3)
                for t, frame in enumerate(frames):
                    if t in (2, 5):
                        golden.reset()
                    if t == 5:
                        board.reset()
                    result = board.send(frame, first_of_stream=t == 2)
                    np.testing.assert_array_equal(result.outputs, golden.run(frame[None]).outputs[0])
                    assert result.first_of_stream == (t in (0, 2, 5))
                counters = board.counters()
                assert (counters["frames"], counters["errors"]) == (2, 0)
                assert tuple(counters["events"]) == compiled.steps
                assert counters["events"][compiled.steps[0]] > 0
                assert sum(counters["operations"].values()) > 0

    await drive(dut, stalls, use)


@cocotb.test()
async def a_damaged_image(dut: Any) -> None:
    """The core refuses it, and takes a whole one after it."""

    def use(processor: Processor, driver: Any, folder: Path) -> None:
        (graph,) = graphs(1)
        write_network(compile_graph(graph, CONFIG), folder / "a.core")
        with driver.Board(folder / "design.bit", timeout_s=60) as board:
            for word, why in (
                (40, "it is damaged: its CRC-32 is wrong"),
                (1, "it is of another version of the format"),
            ):
                processor.damaged = word
                with pytest.raises(driver.BoardError, match=f"has no network now: {why}"):
                    board.load(folder / "a.core")
                processor.damaged = None
                board.load(folder / "a.core")
                frames = random_walk(np.random.default_rng(3), graph, 2, 0.3)
                outputs = [board.send(frame).outputs for frame in frames]
                np.testing.assert_array_equal(outputs, Golden(graph).run(frames).outputs)

    await drive(dut, STALLS[1], use)


@cocotb.test()
async def a_memory_that_is_lost(dut: Any) -> None:
    """Within a frame: the driver says so, and what was under way is waited for before the memory is given again."""

    def use(processor: Processor, driver: Any, folder: Path) -> None:
        (graph,) = graphs(1)
        write_network(compile_graph(graph, CONFIG), folder / "a.core")
        frames = random_walk(np.random.default_rng(3), graph, 2, 0.3)
        memory = processor.soc.memory
        with driver.Board(folder / "design.bit", timeout_s=60) as board:
            board.load(folder / "a.core")
            board.timeout_s = 70  # longer than the core's patience
            memory.stopped = {"r"}
            real = processor.write

            def write(address: int, value: int) -> None:
                memory.stopped.clear()
                real(address, value)

            processor.write = write
            with pytest.raises(driver.BoardError, match="has no network now: the external memory does not answer"):
                board.send(frames[0])
            processor.write, board.timeout_s = real, 60
            board.load(folder / "a.core")
            outputs = [board.send(frame).outputs for frame in frames]
            np.testing.assert_array_equal(outputs, Golden(graph).run(frames).outputs)

    await drive(dut, STALLS[0], use)
