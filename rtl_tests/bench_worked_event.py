# SPDX-License-Identifier: Apache-2.0
"""The example of ``docs/architecture.md`` in the RTL: its second frame sends the tokens that the page shows."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Sink, Source, generator
from models import pack
from worked_event import SHOWN, example, frames, sent, tokens

from codesign.rtl.tokens import FLAGS


class Tap:
    """Sees the tokens that are taken from a stream within the top."""

    def __init__(self, dut: Any, stream: str) -> None:
        self.token = getattr(dut, stream)
        self.valid, self.ready = getattr(dut, f"{stream}_valid"), getattr(dut, f"{stream}_ready")
        self.seen: list[int] = []

    def drive(self) -> None:
        """Nothing."""

    def sample(self, _: int) -> bool:
        if self.valid.value == 1 and self.ready.value == 1:
            self.seen.append(self.token.value.to_unsigned())
            return True
        return False


def meaning(fields: dict[str, int]) -> dict[str, int]:
    """Return the fields of a token; a word or an event that is not there has flags only."""
    there = fields.get("has_event", fields.get("has_word"))
    return fields if there else {name: value for name, value in fields.items() if name in FLAGS}


@cocotb.test()
async def second_frame(dut: Any) -> None:
    graph, rng = example(), generator()
    known = tokens(graph)
    pins = [dut.s_axis_tlast, dut.s_axis_tuser, dut.s_axis_tdata]
    source = Source(dut.s_axis_tvalid, dut.s_axis_tready, pins, pause=0.0, rng=rng)
    sink = Sink(dut.m_axis_tvalid, dut.m_axis_tready, [dut.m_axis_tdata, dut.m_axis_tlast], pause=0.0, rng=rng)
    taps = {stream: Tap(dut, stream) for stream in SHOWN}
    bench = Bench(dut, [source, sink, *taps.values()])
    dut.stat_addr_i.value = 0
    dut.skip_i.value = 1
    await bench.start()
    for number, frame in enumerate(frames(graph), 1):
        for tap in taps.values():
            tap.seen.clear()
        beats = frame.reshape(graph.source.beats, graph.source.lanes).tolist()
        for at, beat in enumerate(beats):
            source.waiting.append(pack(beat, 8) << 2 | int(at == len(beats) - 1))
        await bench.until(lambda number=number: len(sink.tokens) == 9 * number)  # type: ignore[misc]
        await bench.cycles(20)
    for stream, tap in taps.items():
        seen = [meaning(known[stream].unpack(token)) for token in tap.seen]
        assert seen == [meaning(known[stream].unpack(token)) for name, token in sent(graph) if name == stream], stream
