# SPDX-License-Identifier: Apache-2.0
"""Requests of the host and replies of the board, each in a packet of the serial link (`codesign.host.framing`).

The host asks and the board answers each request once, with the request's sequence number, so that one packet is under
way at any time. Repeating a request is harmless: reading and writing do the same again, and the board answers a frame
that has the sequence number of the last one from memory. A part of an image that was taken is not taken again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import ClassVar, TypeAlias

from codesign.errors import LinkError
from codesign.host.framing import Packet, Reason

RESULT_HEAD = 5
"""Bytes of a `Result` before its beats."""
LOAD_HEAD = 5
"""Bytes of a `Load` before its words."""
LOADED_BYTES = 9
"""Bytes of a `Loaded`."""


class Kind(IntEnum):
    """What a packet is: requests of the host first, then answers of the board."""

    FRAME = 0x01
    READ = 0x02
    WRITE = 0x03
    LOAD = 0x04
    RESULT = 0x81
    DATA = 0x82
    DONE = 0x83
    LOADED = 0x84
    REFUSED = 0xFF


class Status(IntFlag):
    """What was noticed about the framing of the input since the core's reset, and of a core's last output."""

    EARLY_LAST = 1
    LATE_LAST = 2
    CUT = 8


FIRST_OF_STREAM = 4
"""Bit of a RESULT's status byte beside `Status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Run one frame.

    Attributes:
        beats: its ``s_axis_tdata``, beat after beat; to a core, its codes in 16 bits each.
        first_of_stream: the layers forget what they have seen before this frame.
        compact: to a core only: the codes have 8 bits each, without sign.
    """

    kind: ClassVar = Kind.FRAME
    beats: bytes
    first_of_stream: bool = False
    compact: bool = False

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return bytes([self.first_of_stream | self.compact << 1]) + self.beats

    @classmethod
    def of(cls, payload: bytes) -> Frame:
        """Return the record that a payload holds."""
        return cls(first_of_stream=bool(payload[0] & 1), compact=bool(payload[0] & 2), beats=payload[1:])


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
class Load:
    """Take a part of the image of a network, the next one or, at offset 0, the first one of another image.

    Attributes:
        offset: 32-bit words of the image before it.
        words: bytes of its words, at least one.
        last: the image ends with it.
    """

    kind: ClassVar = Kind.LOAD
    offset: int
    words: bytes
    last: bool = False

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack("<BI", self.last, self.offset) + self.words

    @classmethod
    def of(cls, payload: bytes) -> Load:
        """Return the record that a payload holds."""
        flags, offset = struct.unpack_from("<BI", payload)
        return cls(offset=offset, words=payload[LOAD_HEAD:], last=bool(flags & 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Answer to `Frame`.

    Attributes:
        cycles: cycles of the core's clock, for this frame.
        status: status of the core.
        first_of_stream: the layers had forgotten what they had seen before this frame, for whatever reason.
        beats: ``m_axis_tdata`` of the frame's packet, beat after beat.
    """

    kind: ClassVar = Kind.RESULT
    cycles: int
    status: Status
    beats: bytes
    first_of_stream: bool = False

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack("<IB", self.cycles, self.status | FIRST_OF_STREAM * self.first_of_stream) + self.beats

    @classmethod
    def of(cls, payload: bytes) -> Result:
        """Return the record that a payload holds."""
        cycles, status = struct.unpack_from("<IB", payload)
        return cls(
            cycles=cycles,
            status=Status(status & ~FIRST_OF_STREAM),
            first_of_stream=bool(status & FIRST_OF_STREAM),
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
class Loaded:
    """Answer to `Load`: what the core has of the image.

    Attributes:
        taken: its words so far.
        crc: their CRC-32, as of zlib.
        loaded: there is a network.
        error: why the image is refused, a number; 0: it is not.
    """

    kind: ClassVar = Kind.LOADED
    taken: int
    crc: int
    loaded: bool
    error: int

    def payload(self) -> bytes:
        """Return the bytes of the packet's payload."""
        return struct.pack("<IIB", self.taken, self.crc, self.loaded | self.error << 4)

    @classmethod
    def of(cls, payload: bytes) -> Loaded:
        """Return the record that a payload holds."""
        taken, crc, status = struct.unpack("<IIB", payload)
        return cls(taken=taken, crc=crc, loaded=bool(status & 1), error=status >> 4)


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


Request: TypeAlias = Frame | Read | Write | Load
Reply: TypeAlias = Result | Data | Done | Loaded | Refused
_RECORDS: dict[int, type[Request | Reply]] = {
    record.kind: record for record in (Frame, Read, Write, Load, Result, Data, Done, Loaded, Refused)
}


def pack(record: Request | Reply, sequence: int) -> Packet:
    """Return the packet that carries a record."""
    return Packet(kind=record.kind, sequence=sequence, payload=record.payload())


def parse(packet: Packet) -> Request | Reply:
    """Return the record that a packet carries.

    Raises:
        LinkError: the kind is unknown, or the payload does not fit it.
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
