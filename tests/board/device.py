# SPDX-License-Identifier: Apache-2.0
"""A model of the board's link in Python, on the golden model."""

from __future__ import annotations

import numpy as np

from codesign.board import link, registers
from codesign.board.identity import design_id
from codesign.golden import Golden
from codesign.graph.ir import Graph
from codesign.rtl import top_spec
from codesign.rtl.beats import from_beats, to_beats


class Device:
    busy = False

    def __init__(self, graph: Graph) -> None:
        self.graph, self.spec = graph, top_spec(graph)
        self.id = design_id(graph)
        self.power_cycle()

    def power_cycle(self) -> None:
        self.decoder = link.Decoder()
        self.golden = Golden(self.graph)
        self.reset()

    def reset(self) -> None:
        self.golden.reset()
        self.last: link.Packet | None = None
        self.frames, self.runs = 0, 0

    def advance(self, received: bytes) -> bytes:
        return b"".join(link.encode(self.answer(found)) for found in self.decoder.feed(received))

    def answer(self, found: link.Packet | link.Damaged) -> link.Packet:
        if isinstance(found, link.Damaged):
            return link.pack(link.Refused(reason=found.reason), 0)
        request = link.parse(found)
        if isinstance(request, link.Frame):
            if self.last is None or self.last.sequence != found.sequence:
                self.last = link.pack(self.run(request), found.sequence)
            return self.last
        return link.pack(self.register(request), found.sequence)

    def run(self, frame: link.Frame) -> link.Result:
        if frame.new_stream:
            self.golden.reset()
        beats = np.frombuffer(frame.beats, np.uint8).reshape(self.spec.beats, -1)
        codes = from_beats(beats, self.spec.in_lane_bits, signed=self.graph.source.fmt.signed)
        outputs = self.golden.run(codes.reshape(1, -1)[:, : self.graph.source.size]).outputs
        words = np.resize(outputs, self.spec.out_words * self.spec.out_lanes).reshape(self.spec.out_words, -1)
        self.frames += 1
        return link.Result(
            cycles=self.frames, status=link.Status(0), beats=to_beats(words, self.spec.out_lane_bits).tobytes()
        )

    def register(self, request: link.Read | link.Write) -> link.Data | link.Done:
        if isinstance(request, link.Write):
            if request.address == registers.CONTROL:
                self.reset()
            return link.Done()
        known = {0: registers.MAGIC, 4: registers.MAP_VERSION, 8: self.id, registers.CLOCK_HZ: 10**8}
        known[registers.COUNTERS] = self.frames
        return link.Data(words=tuple(known.get(request.address + 4 * i, 0) for i in range(request.count)))
