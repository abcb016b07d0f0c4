# SPDX-License-Identifier: Apache-2.0
"""Bytes of the serial link to packets and back.

::

    7E | kind 1 | sequence 1 | length 2 | payload length | CRC-32 4 | 7E        numbers are little-endian

The flag 7E begins and ends a packet, and one flag may do both; 7E and 7D between flags travel as 7D followed by the
byte with bit 5 inverted. The CRC is that of IEEE 802.3 (`zlib.crc32`) over kind to payload, before escaping. Whatever
cannot be a packet is never one: a length that disagrees with the bytes or a wrong CRC is a `Damaged`, less than the
fixed fields is line noise and dropped.

Source: framing after RFC 1662, "PPP in HDLC-like Framing", section 4.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from codesign.errors import LinkError

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
OVERHEAD = 8
"""Bytes of a packet beside its payload: kind, sequence, length, CRC."""
MOST_PAYLOAD = 0xFFFF
SEQUENCES = 256

_HEAD = struct.Struct("<BBH")
_CRC = struct.Struct("<I")


class Reason(IntEnum):
    """Why the board refused a packet; a refusal for `CRC` or `TOO_LONG` has not the packet's own sequence number."""

    CRC = 1
    LENGTH = 2
    KIND = 3
    TOO_LONG = 4
    NO_NETWORK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What travels between two flags, its CRC checked.

    Attributes:
        kind: a `Kind`, or an unknown byte.
        sequence: 0 to 255.
        payload: payload, at most `MOST_PAYLOAD` bytes.
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
        most_payload: longest payload; a longer one is `Damaged` as soon as it is too long, so that noise cannot fill
            the memory.

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
