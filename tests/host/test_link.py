# SPDX-License-Identifier: Apache-2.0
"""The wire: every packet survives, nothing else becomes one."""

from __future__ import annotations

import random
import zlib
from typing import Any

import pytest

from codesign.errors import LinkError
from codesign.host.framing import FLAG, OVERHEAD, Damaged, Decoder, Packet, Reason, encode
from codesign.host.link import Data, Done, Frame, Read, Refused, Result, Status, Write, pack, parse

RECORDS = [
    Frame(beats=bytes(range(256)), first_of_stream=True),
    Frame(beats=b""),
    Read(address=0x104, count=37),
    Write(address=0x800, data=0xFFFF7E7D),
    Result(cycles=2**32 - 1, status=Status.LATE_LAST, beats=b"\x7e\x7d\x5e\x5d"),
    Data(words=(0x44454C54, 0, 2**32 - 1)),
    Done(),
    Refused(reason=Reason.TOO_LONG),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_record_survives_the_wire_in_pieces_of_any_size(record: Any) -> None:
    wire = encode(pack(record, 0x7E))
    for size in (1, 3, len(wire)):
        decoder = Decoder()
        found = [one for start in range(0, len(wire), size) for one in decoder.feed(wire[start : start + size])]
        (packet,) = found
        assert isinstance(packet, Packet)
        assert parse(packet) == record
        assert packet.sequence == 0x7E
        assert decoder.dropped == 0


def test_the_bytes_on_the_wire_are_those_of_the_protocol() -> None:
    body = b"\x02\x7d\x04\x00\x00\x01\x02\x00"
    check = zlib.crc32(body).to_bytes(4, "little")
    assert not set(check) & {0x7D, 0x7E}
    expected = b"\x7e\x02\x7d\x5d\x04\x00\x00\x01\x02\x00" + check + b"\x7e"
    assert encode(pack(Read(address=0x100, count=2), 0x7D)) == expected


def test_packets_may_share_a_flag_and_idle_flags_are_nothing() -> None:
    first, second = (encode(pack(Done(), number)) for number in (1, 2))
    for stream in (first[:-1] + second, bytes([FLAG]) * 5 + first + bytes([FLAG]) * 3 + second):
        assert [packet.sequence for packet in Decoder().feed(stream) if isinstance(packet, Packet)] == [1, 2]


def test_no_single_fault_makes_another_packet() -> None:
    """Each bit flipped, each byte dropped or doubled: the packet or nothing, and the next one is whole."""
    packet, following = pack(Result(cycles=812, status=Status(0), beats=b"\x7e\x00\x7d\xff"), 9), pack(Done(), 10)
    wire, after = encode(packet), encode(following)
    broken = [wire[:i] + bytes([wire[i] ^ 1 << bit]) + wire[i + 1 :] for i in range(len(wire)) for bit in range(8)]
    broken += [wire[:i] + wire[i + 1 :] for i in range(len(wire))]
    broken += [wire[:i] + wire[i : i + 1] + wire[i:] for i in range(len(wire))]
    for faulty in broken:
        found = [one for one in Decoder().feed(faulty + after) if isinstance(one, Packet)]
        assert found in ([following], [packet, following]), faulty.hex()


def test_what_is_damaged_says_why() -> None:
    wire = encode(pack(Write(address=0, data=0), 1))
    assert Decoder().feed(wire[:3] + b"\xaa" + wire[4:]) == [Damaged(reason=Reason.CRC)]
    body = b"\x83\x01\x05\x00"
    lying = bytes([FLAG]) + body + zlib.crc32(body).to_bytes(4, "little") + bytes([FLAG])
    assert Decoder().feed(lying) == [Damaged(reason=Reason.LENGTH)]


def test_noise_neither_fills_the_memory_nor_hides_the_next_packet() -> None:
    noise = random.Random(5).randbytes(10_000).replace(bytes([FLAG]), b"\x00")
    decoder = Decoder(most_payload=100)
    assert decoder.feed(noise) == [Damaged(reason=Reason.TOO_LONG)]
    assert decoder.feed(encode(pack(Done(), 3))) == [pack(Done(), 3)]


def test_a_packet_at_the_decoders_limit_is_whole_and_one_byte_more_is_too_long() -> None:
    for spare, expected in ((0, pack(Frame(beats=bytes(99)), 0)), (1, Damaged(reason=Reason.TOO_LONG))):
        assert Decoder(most_payload=100 - spare).feed(encode(pack(Frame(beats=bytes(99)), 0))) == [expected]


def test_too_little_to_be_a_packet_is_counted_and_dropped() -> None:
    decoder = Decoder()
    assert decoder.feed(bytes([FLAG]) + bytes(OVERHEAD - 1) + bytes([FLAG])) == []
    assert decoder.dropped == OVERHEAD - 1


@pytest.mark.parametrize(
    ("packet", "what"),
    [
        (Packet(kind=0x44, sequence=0), "unknown kind"),
        (Packet(kind=0x02, sequence=0, payload=b"\x00"), "READ"),
        (Packet(kind=0x82, sequence=0, payload=b"\x00"), "DATA"),
        (Packet(kind=0x83, sequence=0, payload=b"\x00"), "DONE"),
        (Packet(kind=0xFF, sequence=0, payload=b"\x09"), "REFUSED"),
        (Packet(kind=0x01, sequence=0), "FRAME"),
    ],
)
def test_a_packet_that_is_no_record_is_refused_by_name(packet: Packet, what: str) -> None:
    with pytest.raises(LinkError, match=what):
        parse(packet)


def test_a_payload_longer_than_its_length_field_is_refused() -> None:
    with pytest.raises(LinkError, match="at most 65535"):
        pack(Frame(beats=bytes(65535)), 0)
