# SPDX-License-Identifier: Apache-2.0
"""The serial port of a build: which baud rates its clock can make, and how many bytes a frame is on the wire."""

from __future__ import annotations

from codesign.errors import ConfigError
from codesign.rtl.spec import TopSpec

CYCLES_A_BIT = (8, 16383)
"""Clock cycles of a bit that ``board_uart_rx`` and ``board_uart_tx`` count, lowest and highest."""
_AROUND = 2 + 8
"""Bytes around the payload of a packet: two flags; kind, sequence, length and CRC (`codesign.host.link`)."""
_FRAME_HEAD, _RESULT_HEAD = 1, 5


def check_baud(baud: int, clock_mhz: float) -> None:
    """Check that a core clock, as the PLL makes it, has from 8 to 16383 cycles for a bit.

    Raises:
        ConfigError: it does not; names the rates that it can make.
    """
    hertz = round(clock_mhz * 1e6)
    least, most = CYCLES_A_BIT
    if baud >= 1 and least <= hertz // baud <= most:
        return
    raise ConfigError(
        "the serial port cannot have this rate",
        where="--baud",
        expected=f"{hertz // (most + 1) + 1} to {hertz // least} baud: {least} to {most} cycles per bit of the core "
        f"clock, which is {clock_mhz:.6g} MHz",
        received=f"{baud} baud",
        fix="take a rate in this range, or another --clock",
    )


def packet_bytes(spec: TopSpec) -> tuple[int, int]:
    """Return the bytes on the wire of a frame and of its result, before escaping (about 1 byte in 128 becomes two)."""
    frame = spec.beats * spec.in_bytes
    result = spec.out_words * spec.out_bytes
    return _AROUND + _FRAME_HEAD + frame, _AROUND + _RESULT_HEAD + result
