# SPDX-License-Identifier: Apache-2.0
"""board_hdlc_rx: judged by `codesign.host.framing.Decoder`, with damage of every kind in between."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from bench import Bench, Case, Source, generator
from bench_board_hdlc_tx import packet
from serial_line import Always, Events

from codesign.host.framing import OVERHEAD, Damaged, Decoder, Packet, Reason, encode

CASES = {"bytes": Case(parameters={})}
FLAG, ESCAPE = 0x7E, 0x7D


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes of a packet as a bad line delivers them."""
    at = rng.randrange(len(data))
    return rng.choice(
        (
            data[:at] + data[at + 1 :],  # lost
            data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :],  # a wrong bit
            data[:at] + bytes([FLAG]) + data[at:],  # a flag within
            data[:at] + bytes([ESCAPE, FLAG]) + data[at:],  # given up
            data[:at],  # cut off
            rng.randbytes(12),  # noise
            bytes([FLAG, FLAG, 1, 2, FLAG]),  # too short
        )
    )


def collected(events: Events) -> list[Packet | Damaged]:
    """Return what the module's outputs say, in the words of `Decoder`."""
    found: list[Packet | Damaged] = []
    body = bytearray()
    for (valid, end, drop), (data, crc_ok) in events.seen:
        assert valid + end + drop == 1
        if valid:
            body.append(data)
        elif end and len(body) >= OVERHEAD and not crc_ok:
            found.append(Damaged(reason=Reason.CRC))
        elif end and len(body) >= OVERHEAD:
            found.append(Packet(kind=body[0], sequence=body[1], payload=bytes(body[4:-4])))
        if end or drop:
            body.clear()
    return found


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.5))
async def judged(dut: Any, pause: float) -> None:
    rng = generator()
    source = Source(dut.valid_i, Always(), [dut.data_i], pause=pause, rng=rng)
    events = Events([dut.valid_o, dut.end_o, dut.drop_o], [dut.data_o, dut.crc_ok_o])
    bench = Bench(dut, [source, events])
    await bench.start()
    for _ in range(3):
        # Right after a reset: the rest of a packet, which must not count, however well it reads.
        rest = encode(packet(rng))[1:]
        line = bytes(rest)
        for _ in range(60):
            whole = encode(packet(rng))
            line += rng.choice((whole, whole, damage(whole, rng), whole[:-1] * 2))
        source.waiting.extend(line)
        await bench.until(lambda: not source.waiting)
        await bench.cycles(3)
        decoder = Decoder()
        expected = decoder.feed(line[len(rest) - 1 :])
        assert [item for item in collected(events) if item != Damaged(reason=Reason.LENGTH)] == expected
        assert sum(isinstance(item, Packet) for item in expected) > 20
        await bench.reset()
