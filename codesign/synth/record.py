# SPDX-License-Identifier: Apache-2.0
"""What building a design for one board found out: ``build/<design>/boards/<target>[_dense]/build.json``.

`codesign build` writes it, the report reads it. The names of the fields are the keys. An unknown is None, never 0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from codesign.errors import ConfigError
from codesign.outputs import write_text
from codesign.paths import BuildFolder
from codesign.records import build, plain
from codesign.stored import read_text
from codesign.synth.resources import Kind

BUILD = "build.json"
BITS_A_BYTE = 10
"""Bits of a byte on the serial line: a start bit, eight data bits, a stop bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Cells of a device, counted as `Resources` counts them; ``bram_bits`` are whole block RAMs."""

    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerArea:
    """What one node of the graph takes, or ``link``, ``registers``, ``pads``."""

    name: str
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_bits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalPath:
    """The slowest register-to-register path: between which layers, its delay, and one line of text per hop."""

    from_layer: str | None = None
    to_layer: str | None = None
    delay_ns: float | None = None
    hops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Wall-clock time of each step."""

    synthesise: float | None = None
    route: float | None = None
    pack: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardBuild:
    """A design on a board.

    Attributes:
        design: name of the design.
        design_id: first 32 bits of the SHA-256 of the emitted files of its core, as 8 hexadecimal digits.
        target: name of the board's file in ``flows/boards``.
        top: which top was built: ``uart`` ...
        skip: False for the dense baseline: the same sources with skipping off.
        clock_mhz: clock frequency of the core, as the PLL makes the one asked for.
        baud: baud rate of the serial port; None where it is not on pins.
        frame_bytes: bytes of a frame on the serial line, before escaping.
        result_bytes: bytes of its result.
        seed: seed of the placement; None before place and route.
        fmax_mhz: routed Fmax; None before place and route.
        met: whether the clock is met; None before place and route.
        tools: version of each tool.
        used: cells of the whole top; after place and route if routed.
        available: capacity of the device.
        layers: the same, for each part of the design.
        sdram_mhz: clock of an SDRAM that has one of its own, as the PLL makes it; None: there is none such.
        sdram_fmax_mhz: routed Fmax of that clock; None before place and route. ``met`` is about both.
        critical_path: slowest path of the core's clock; None if not routed.
        bitstream: file name in the folder; None if there is none.
        seconds: what the steps took.
        problem: why the design is not good on this board, and what to change; None if it is.
    """

    design: str
    design_id: str | None
    target: str
    top: str
    skip: bool
    clock_mhz: float | None
    baud: int | None = None
    frame_bytes: int | None = None
    result_bytes: int | None = None
    seed: int | None = None
    fmax_mhz: float | None = None
    met: bool | None = None
    sdram_mhz: float | None = None
    sdram_fmax_mhz: float | None = None
    tools: dict[str, str] = field(default_factory=dict)
    used: Area = field(default_factory=Area)
    available: Area = field(default_factory=Area)
    layers: tuple[LayerArea, ...] = ()
    critical_path: CriticalPath | None = None
    bitstream: str | None = None
    seconds: Seconds = field(default_factory=Seconds)
    problem: str | None = None

    @property
    def kind(self) -> Kind:
        """Where the figures come from."""
        return "synth" if self.fmax_mhz is None else "route"

    @property
    def folder(self) -> str:
        """Name of its folder in ``boards``."""
        return BuildFolder.board(self.target, skip=self.skip)


def write_build(record: BoardBuild, path: Path) -> None:
    """Write ``build.json``."""
    write_text(path, json.dumps(plain(record), indent=1, allow_nan=False) + "\n")


def read_build(path: Path) -> BoardBuild:
    """Read ``build.json`` back.

    Raises:
        ConfigError: not JSON, or not such a record.
    """
    try:
        return build(BoardBuild, json.loads(read_text(path)), where="", folder=path.parent)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be read ({error})", where=str(path), fix="run `codesign build` again") from None
    except ConfigError as error:
        raise error.inside(f"{path}:") from None
