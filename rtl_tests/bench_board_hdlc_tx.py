# SPDX-License-Identifier: Apache-2.0
"""board_hdlc_tx: packets leave as `codesign.host.framing.encode` writes them."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from bench import STALLS, Bench, Case, Sink, Source, drain, generator

from codesign.host.framing import Packet, encode

CASES = {"bytes": Case(parameters={})}
CRC_BYTES = 4


def packet(rng: random.Random, most: int = 20) -> Packet:
    """Return a random packet, full of bytes that must be escaped."""
    choice = (0x7E, 0x7D, 0x5E, 0x5D, 0x00, rng.getrandbits(8))
    payload = bytes(rng.choice(choice) for _ in range(rng.randrange(most)))
    return Packet(kind=rng.choice(choice), sequence=rng.choice(choice), payload=payload)


def tokens(one: Packet) -> list[int]:
    """Return the module's input for a packet: its bytes without CRC, the last one marked."""
    data = [one.kind, one.sequence, *len(one.payload).to_bytes(2, "little"), *one.payload]
    return [byte | int(at == len(data) - 1) << 8 for at, byte in enumerate(data)]


async def make(dut: Any, stalls: tuple[float, float]) -> tuple[Bench, Source, Sink, random.Random]:
    rng = generator()
    source = Source(dut.valid_i, dut.ready_o, [dut.data_i, dut.last_i], pause=stalls[0], rng=rng)
    sink = Sink(dut.valid_o, dut.ready_i, [dut.data_o], pause=stalls[1], rng=rng)
    bench = Bench(dut, [source, sink])
    await bench.start()
    return bench, source, sink, rng


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def packets(dut: Any, stalls: tuple[float, float]) -> None:
    bench, source, sink, rng = await make(dut, stalls)
    some = [packet(rng) for _ in range(40)]
    for one in some:
        source.waiting.extend(tokens(one))
    expected = [byte for one in some for byte in encode(one)]
    await drain(bench, source, sink, expected)
    if stalls == (0.0, 0.0):
        assert sink.seen_at == list(range(len(expected))), "one byte per cycle, the first at once"


@cocotb.test()
async def reset_within_a_packet(dut: Any) -> None:
    bench, source, sink, rng = await make(dut, (0.0, 0.3))
    for _ in range(20):
        source.waiting.extend(tokens(packet(rng)))
        await bench.cycles(rng.randrange(40))
        await bench.reset()
        one = packet(rng)
        source.waiting.extend(tokens(one))
        await drain(bench, source, sink, list(encode(one)))
        sink.clear()
