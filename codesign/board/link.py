# SPDX-License-Identifier: Apache-2.0
"""Packets of the serial link between host and board: the one Python description of the wire.

::

    7E | kind 1 | sequence 1 | length 2 | payload length | CRC-32 4 | 7E        numbers are little-endian

The flag 7E begins and ends a packet, and one flag may do both; 7E and 7D between flags travel as 7D followed by the
byte with bit 5 inverted. The CRC is that of IEEE 802.3 (`zlib.crc32`) over kind to payload, before escaping. Whatever
cannot be a packet is never one: a length that disagrees with the bytes or a wrong CRC is a `Damaged`, less than the
fixed fields is line noise and dropped.

The host asks and the board answers each request once, with the request's sequence number, so that one packet is under
way at any time. Repeating a request is harmless: reading and writing do the same again, and the board answers a frame
that has the sequence number of the last one from memory.

Source: framing after RFC 1662, "PPP in HDLC-like Framing", section 4.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import ClassVar, TypeAlias

from codesign.errors import LinkError

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
OVERHEAD = 8
"""Bytes of a packet beside its payload: kind, sequence, length, CRC."""
MOST_PAYLOAD = 0xFFFF
SEQUENCES = 256

RESULT_HEAD = 5
"""Bytes of a `Result` before its beats."""

_HEAD = struct.Struct("<BBH")
_CRC = struct.Struct("<I")


class Kind(IntEnum):
    """What a packet is: requests of the host first, then answers of the board."""

    FRAME = 0x01
    READ = 0x02
    WRITE = 0x03
    RESULT = 0x81
    DATA = 0x82
    DONE = 0x83
    REFUSED = 0xFF


class Reason(IntEnum):
    """Why the board refused a packet; only a `LENGTH` or `KIND` refusal carries the packet's own sequence number."""

    CRC = 1
    LENGTH = 2
    KIND = 3
    TOO_LONG = 4


class Status(IntFlag):
    """What the core noticed about the framing of its input since its reset."""

    EARLY_LAST = 1
    LATE_LAST = 2


NEW_STREAM = 4
"""Bit of a RESULT's status byte beside `Status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What travels between two flags, its CRC checked.

    Attributes:
        kind: a `Kind`, or another byte that nobody knows.
        sequence: 0 to 255.
        payload: at most `MOST_PAYLOAD` bytes.
    """

    kind: int
    sequence: int
    payload: bytes = b""

    def __post_init__(self) -> None:
        for name in ("kind", "sequence"):
            if not 0 <= getattr(self, name) <= 0xFF:
                raise LinkError(f"{name} is one byte", where="packet", received=getattr(self, name))
        if len(self.payload) > MOST_PAYLOAD:
            raise LinkError(
                "the payload is too long for a packet",
                where="packet",
                expected=f"at most {MOST_PAYLOAD} bytes",
                received=f"{len(self.payload)} bytes",
                fix="use a design whose frames are smaller",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Bytes between two flags that are no packet, and why."""

    reason: Reason


def crc(data: bytes) -> bytes:
    """Return the CRC-32 of ``data`` as it travels."""
    return _CRC.pack(zlib.crc32(data))


def escape(data: bytes) -> bytes:
    """Return ``data`` without flags in it, as it travels."""
    data = data.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPE ^ FLIP]))
    return data.replace(bytes([FLAG]), bytes([ESCAPE, FLAG ^ FLIP]))


def encode(packet: Packet) -> bytes:
    """Return the bytes of a packet on the wire, with a flag on both sides."""
    body = _HEAD.pack(packet.kind, packet.sequence, len(packet.payload)) + packet.payload
    return bytes([FLAG]) + escape(body + crc(body)) + bytes([FLAG])


class Decoder:
    """Bytes in, packets out, in pieces of any size.

    Args:
        most_payload: longer ones are `Damaged` as soon as they are too long, so that noise cannot fill the memory.

    Attributes:
        dropped: bytes that were in nothing long enough to be a packet.
    """

    def __init__(self, most_payload: int = MOST_PAYLOAD) -> None:
        self.dropped = 0
        self._most = most_payload + OVERHEAD
        self.clear()

    def clear(self) -> None:
        """Forget the packet that has begun."""
        self._body = bytearray()
        self._escaped = False
        self._too_long = False

    def feed(self, data: bytes) -> list[Packet | Damaged]:
        """Return what ``data`` completes, in order."""
        found: list[Packet | Damaged] = []
        for byte in data:
            if byte == FLAG:
                found += self._end()
            elif byte == ESCAPE and not self._escaped:
                self._escaped = True
            elif not self._too_long:
                self._body.append(byte ^ FLIP if self._escaped else byte)
                self._escaped = False
                if len(self._body) > self._most:
                    self._too_long = True
                    found.append(Damaged(reason=Reason.TOO_LONG))
        return found

    def _end(self) -> list[Packet | Damaged]:
        body, escaped, too_long = bytes(self._body), self._escaped, self._too_long
        self.clear()
        if too_long:
            return []  # reported already
        if len(body) < OVERHEAD or escaped:
            self.dropped += len(body) + escaped
            return []
        content = body[: -_CRC.size]
        if crc(content) != body[-_CRC.size :]:
            return [Damaged(reason=Reason.CRC)]
        kind, sequence, length = _HEAD.unpack_from(content)
        payload = content[_HEAD.size :]
        if length != len(payload):
            return [Damaged(reason=Reason.LENGTH)]
        return [Packet(kind=kind, sequence=sequence, payload=payload)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Run one frame.

    Attributes:
        beats: its ``s_axis_tdata``, beat after beat.
        new_stream: the layers forget what they have seen before this frame.
    """

    kind: ClassVar = Kind.FRAME
    beats: bytes
    new_stream: bool = False

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return bytes([self.new_stream]) + self.beats

    @classmethod
    def of(cls, payload: bytes) -> Frame:
        """Return the record that a payload holds."""
        return cls(new_stream=bool(payload[0] & 1), beats=payload[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read ``count`` registers of 4 bytes from byte ``address`` on."""

    kind: ClassVar = Kind.READ
    address: int
    count: int = 1

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack("<HH", self.address, self.count)

    @classmethod
    def of(cls, payload: bytes) -> Read:
        """Return the record that a payload holds."""
        address, count = struct.unpack("<HH", payload)
        return cls(address=address, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Write the register at byte ``address``."""

    kind: ClassVar = Kind.WRITE
    address: int
    data: int

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack("<HI", self.address, self.data)

    @classmethod
    def of(cls, payload: bytes) -> Write:
        """Return the record that a payload holds."""
        address, data = struct.unpack("<HI", payload)
        return cls(address=address, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Answer to `Frame`.

    Attributes:
        cycles: of the core's clock, for this frame.
        status: of the core.
        new_stream: the layers had forgotten what they had seen before this frame, for whatever reason.
        beats: ``m_axis_tdata`` of the frame's packet, beat after beat.
    """

    kind: ClassVar = Kind.RESULT
    cycles: int
    status: Status
    beats: bytes
    new_stream: bool = False

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack("<IB", self.cycles, self.status | NEW_STREAM * self.new_stream) + self.beats

    @classmethod
    def of(cls, payload: bytes) -> Result:
        """Return the record that a payload holds."""
        cycles, status = struct.unpack_from("<IB", payload)
        return cls(
            cycles=cycles,
            status=Status(status & ~NEW_STREAM),
            new_stream=bool(status & NEW_STREAM),
            beats=payload[RESULT_HEAD:],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Answer to `Read`: the registers' values."""

    kind: ClassVar = Kind.DATA
    words: tuple[int, ...]

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack(f"<{len(self.words)}I", *self.words)

    @classmethod
    def of(cls, payload: bytes) -> Data:
        """Return the record that a payload holds."""
        return cls(words=struct.unpack(f"<{len(payload) // 4}I", payload))


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Answer to `Write`."""

    kind: ClassVar = Kind.DONE

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload: none."""
        return b""

    @classmethod
    def of(cls, payload: bytes) -> Done:
        """Return the record that a payload holds."""
        if payload:
            raise ValueError("a payload where none belongs")
        return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Answer to what the board could not take."""

    kind: ClassVar = Kind.REFUSED
    reason: Reason

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return bytes([self.reason])

    @classmethod
    def of(cls, payload: bytes) -> Refused:
        """Return the record that a payload holds."""
        (reason,) = payload
        return cls(reason=Reason(reason))


Request: TypeAlias = Frame | Read | Write
Reply: TypeAlias = Result | Data | Done | Refused
_RECORDS: dict[int, type[Request | Reply]] = {
    record.kind: record for record in (Frame, Read, Write, Result, Data, Done, Refused)
}


def pack(record: Request | Reply, sequence: int) -> Packet:
    """Return the packet that carries a record."""
    return Packet(kind=record.kind, sequence=sequence, payload=record.payload())


def parse(packet: Packet) -> Request | Reply:
    """Return the record that a packet carries.

    Raises:
        LinkError: nobody knows the kind, or the payload is not one of it.
    """
    record = _RECORDS.get(packet.kind)
    if record is None:
        known = ", ".join(f"{kind.value:#04x}" for kind in Kind)
        raise LinkError("unknown kind of packet", expected=f"one of {known}", received=f"{packet.kind:#04x}")
    try:
        return record.of(packet.payload)
    except (ValueError, IndexError, struct.error) as error:
        raise LinkError(
            "the payload is not one of its kind",
            where=record.kind.name,
            expected="the fields of docs/board.md",
            received=f"{len(packet.payload)} bytes: {error}",
        ) from error
