# SPDX-License-Identifier: Apache-2.0
"""What the driver uses of pynq, as its documentation describes it, over the golden model instead of an FPGA.

https://pynq.readthedocs.io: ``Overlay``, ``allocate``, ``DefaultIP.read/write`` (byte offsets) and ``pynq.lib.dma``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from codesign.graph import Delta, Graph
from codesign.graph.golden import Golden
from codesign.rtl.spec import top_spec


class Buffer(np.ndarray):
    """Physically contiguous memory."""

    freed = False

    def freebuffer(self) -> None:
        """Give it back."""
        self.freed = True


def allocate(shape: tuple[int, ...], dtype: Any) -> Buffer:
    """Return memory with something in it."""
    return np.full(shape, 0xA5, dtype).view(Buffer)


class Channel:
    """One direction of the DMA."""

    def __init__(self) -> None:
        self.idle, self.error, self.transferred = True, False, 0
        self.buffer: Buffer | None = None
        self.arrived: np.ndarray | None = None
        self.short = 0

    def transfer(self, array: Buffer, start: int = 0, nbytes: int = 0) -> None:
        """Start a transfer of a whole buffer."""
        assert not array.freed
        assert (start, nbytes) == (0, 0)
        if not self.idle:
            raise RuntimeError("DMA channel not idle")
        self.buffer, self.idle, self.transferred = array, False, 0

    def wait(self) -> None:
        """Wait for the transfer, then let the processor see what came: one that never ends would hang here."""
        assert self.idle
        if self.buffer is not None and self.arrived is not None:
            self.buffer[:] = self.arrived
            self.transferred = self.arrived.nbytes - self.short
        self.buffer = self.arrived = None


class Logic:
    """The design in the fabric: AXI4-Lite registers and what a frame makes of them."""

    def __init__(self, graph: Graph, design: dict[str, Any]) -> None:
        self.graph, self.spec, self.design = graph, top_spec(graph), design
        self.golden = Golden(graph)
        names = {address: name for name, address in design["registers"].items()}
        self.values = dict.fromkeys(names.values(), 0) | {
            name: design[name] for name in ("magic", "version", "design_id")
        }
        self.names = names
        self.written: list[tuple[str, int]] = []
        self.hangs = False
        self.malformed = 0
        self.short = 0

    def read(self, offset: int = 0) -> int:
        """Read a register."""
        return int(self.values[self.names[offset]])

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        name = self.names[offset]
        self.written.append((name, value))
        if name == "control":
            self.golden.reset()
            if value & 1:
                self.values |= {key: 0 for key in self.values if key.startswith("counters.")}
        else:
            self.values[name] = value
            layer, bits = name.removeprefix("hold."), self.design["holds"][name.removeprefix("hold.")]["step_bits"]
            nodes = [
                replace(node, hold=value / 2**bits if value else None)
                if isinstance(node, Delta) and node.name == layer
                else node
                for node in self.golden.graph.nodes
            ]
            self.golden.graph = Graph(name=self.graph.name, nodes=tuple(nodes))

    def run(self, beats: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Compute the frame in DMA beats; return the DMA beats of its packet, of ``shape``."""
        source, output, spec = self.graph.source, self.graph.output, self.spec
        codes = unpack(beats, spec.in_lanes, spec.in_lane_bits // 8, signed=source.fmt.signed)[: source.size]
        result = self.golden.run(codes.reshape(1, *source.shape)).outputs[0].reshape(-1)
        values = np.zeros(spec.out_words * spec.out_lanes, "<i8")
        values[: output.size] = result
        lane = spec.out_lane_bits // 8
        packet = np.zeros(shape, np.uint8)
        packet[:, : spec.out_lanes * lane] = values.view(np.uint8).reshape(-1, 8)[:, :lane].reshape(spec.out_words, -1)
        self.values["counters.frames"] += 1
        return packet


def unpack(beats: np.ndarray, lanes: int, lane_bytes: int, *, signed: bool) -> np.ndarray:
    """Return the codes in beats, one by one."""
    order = [
        int.from_bytes(bytes(beat[lane * lane_bytes : (lane + 1) * lane_bytes]), "little", signed=signed)
        for beat in beats
        for lane in range(lanes)
    ]
    return np.array(order, np.int64)


class Dma:
    """AXI DMA between memory and `Logic`: the frame runs when both channels have a transfer."""

    def __init__(self, core: Logic) -> None:
        self.core, self.recvchannel = core, Channel()
        self.sendchannel = Channel()
        self.sendchannel.transfer = self._send  # type: ignore[method-assign]

    def _send(self, array: Buffer, start: int = 0, nbytes: int = 0) -> None:
        Channel.transfer(self.sendchannel, array, start, nbytes)
        if self.core.hangs:
            return
        packet = self.recvchannel.buffer
        assert packet is not None, "the receiver starts first, or the result has nowhere to go"
        self.recvchannel.arrived = self.core.run(np.asarray(array), packet.shape)
        self.recvchannel.short = self.core.short
        self.core.values["status"] = self.core.malformed
        self.sendchannel.idle = self.recvchannel.idle = True


class Overlay:
    """The loaded bitstream, with its IP blocks as attributes."""

    graph: Graph  # of the bitstream, set by the test
    loaded: list[tuple[str, bool]]

    def __init__(self, bitfile_name: str, *, download: bool = True) -> None:
        self.loaded.append((bitfile_name, download))
        self.core = Logic(self.graph, json.loads(Path(bitfile_name).with_suffix(".json").read_text()))
        self.dma = Dma(self.core)
