# SPDX-License-Identifier: Apache-2.0
"""The registers of a core on a board: the map of ``core_registers.sv``.

The first three are where those of a pipeline are, so that a host can tell which of the two answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codesign.core.config import CoreConfig

MAGIC, VERSION = 0x44434F52, 2
"""The letters DCOR, and the version of the map."""
CONTROL = 0x00C
"""Written: bit 0 resets the core, its counters and the link's memory of the last frame; the network stays. Bit 1: the
network and what has come of an image are forgotten, as by a LOAD at 0 on the line."""
RESET, FORGET = 1, 2
STATUS = 0x010
"""Bits 7..0 as in a RESULT; 8: there is a network; 15..12: `refusal`."""
LOADED = 1 << 8
FIRST = (
    *("magic", "version", "design_id", "control", "status", "frame_beats", "beat_bytes", "packet_words"),
    *("packet_beat_bytes", "clock_hz", "most_frame_words", "most_packet_words", "geometry"),
    *("lanes", "quantisers", "code_bits", "weight_bits", "sum_bits", "index_bits"),
    *("sum_words", "code_rows", "weight_lines", "table_rows", "param_rows", "step_words", "places", "walks", "chunks"),
    *("memory_bits", "memory_kib", "cached_words", "cached_lines"),
    "skip",
)
"""Names of the registers from address 0 on."""
FRAMES = 0x0C0
"""Counters since the reset: frames, cycles, kinds of malformed frames."""
IMAGE_CRC = 0x0CC
"""CRC-32 of the words of an image so far."""
OPERATIONS, WAITS, EVENTS = 0x1000, 0x1400, 0x1800
"""Counters since the reset: operations of each engine, cycles in which one of them waited, and events of each step."""
REFUSALS = {
    1: "it is no image of a network",
    2: "it is of another version of the format",
    3: "it was compiled for a core of other lanes or widths",
    4: "it has an unknown section",
    5: "it is larger than the memories of this core",
    6: "it is damaged: its CRC-32 is wrong",
    7: "it is truncated, or longer than it says",
    8: "the external memory does not answer, or does not keep what is written",
}
"""Why a core has no network after a load, by the number that it has for it."""
_CONFIG = FIRST[FIRST.index("lanes") : FIRST.index("skip")]


def config_of(registers: Mapping[str, int]) -> CoreConfig:
    """Return what a core is built with, as its registers say.

    Raises:
        ConfigError: there is no such core.
    """
    return CoreConfig(**{name: registers[name] for name in _CONFIG})


def named(words: Sequence[int]) -> dict[str, int]:
    """Return the registers from address 0 on by name."""
    return dict(zip(FIRST, words, strict=True))


def refusal(error: int) -> str:
    """Return why a core has no network after a load, by the number that it has for it (``core_load.sv``)."""
    return REFUSALS.get(error, f"error {error}")


def why_none(status: int) -> str:
    """Return why a core without a network has none, by its status register."""
    error = status >> 12 & 15
    return refusal(error) if error else "none was loaded"
