# SPDX-License-Identifier: Apache-2.0
"""Boards as data: one TOML each in ``flows/boards``, read into frozen records.

The pins are those of the board, not of a design: clock, serial port, one button, some LEDs. A board whose serial port
hangs on its processor has no pins here; what is built for it is the design with its bus interfaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

from codesign.core.config import CoreConfig
from codesign.core.memory import built_bits
from codesign.errors import ConfigError
from codesign.names import check_folder, check_word
from codesign.paths import boards
from codesign.records import Problems, build, check, limited, read_toml, under_new_names
from codesign.suggest import did_you_mean
from codesign.synth.record import Area
from codesign.synth.resources import DeviceMemory
from codesign.synth.sdram import Sdram

Family = Literal["ecp5", "gw2a", "ice40", "xc7", "xcup"]
ToolchainName = Literal["ecp5", "gowin", "ice40", "vivado"]
FASTEST_BAUD = 3_000_000
ECP5 = {"LFE5U-12F": "12k", "LFE5U-25F": "25k", "LFE5U-45F": "45k", "LFE5U-85F": "85k"}
"""Devices of the toolchain ``ecp5``, and what nextpnr calls them."""
ICE40 = ("lp384", "lp1k", "lp4k", "lp8k", "hx1k", "hx4k", "hx8k", "up3k", "up5k", "u1k", "u2k", "u4k")
"""Devices of the toolchain ``ice40``."""
SDRAM_KIB = 32 * 1024
"""Of an SDRAM that a board of ours has."""
_TOOLCHAINS: dict[str, ToolchainName] = {
    "ecp5": "ecp5",
    "gw2a": "gowin",
    "ice40": "ice40",
    "xc7": "vivado",
    "xcup": "vivado",
}
"""Toolchain of each family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pin of the package.

    site: as the tool names it. standard: IO standard; empty where the device has one for all.
    pull: resistor in the pad. inverted: low is "on" or "pressed". drive_ma: strength of an output; 0: the tool's own.
    """

    site: str
    standard: str = ""
    pull: Literal["none", "up", "down"] = "none"
    inverted: bool = False
    drive_ma: int = limited(0, at_least=0, at_most=16)

    def __post_init__(self) -> None:
        check(self, self.site)
        _check_words(self, "site", "standard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The device. database: the tool's name of its bit database, where that differs from the device's.

    vivado, processor, board_files: what Vivado calls the part, its processor (``zynq``, ``zynqmp``) and the board.
    """

    device: str
    package: str
    speed: str
    database: str = ""
    vivado: str = ""
    processor: Literal["", "zynq", "zynqmp"] = ""
    board_files: str = ""

    def __post_init__(self) -> None:
        _check_words(self, "device", "package", "speed", "database", "vivado", "board_files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the device has. block_bits: of one block RAM, parity bits included. ultra_rams: of 4096 x 72 bits each."""

    lut: int = limited(0, at_least=1)
    ff: int = limited(0, at_least=1)
    dsp: int = limited(0, at_least=0)
    block_rams: int = limited(0, at_least=1)
    block_bits: int = limited(0, at_least=1)
    ultra_rams: int = limited(0, at_least=0)

    def __post_init__(self) -> None:
        check(self, "capacity")

    @property
    def memory(self) -> DeviceMemory:
        """Its memory."""
        return DeviceMemory(block_bits=self.block_rams * self.block_bits, ultra_rams=self.ultra_rams)

    def area(self) -> Area:
        """Return it as a build counts cells."""
        return Area(lut=self.lut, ff=self.ff, dsp=self.dsp, bram_bits=self.block_rams * self.block_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Clocks [MHz] of a board.

    Attributes:
        core_mhz: a design's, unless another one is asked for.
        delta_core_mhz: the same of a delta core, whose clock no network changes; None: ``core_mhz``.
        oscillator_mhz: of the oscillator; None if not on pins.
        pin: where the oscillator comes in.
    """

    core_mhz: float = limited(0.0, at_least=1.0)
    delta_core_mhz: float | None = limited(None, at_least=1.0)
    oscillator_mhz: float | None = limited(None, at_least=1.0)
    pin: Pin | None = None

    def __post_init__(self) -> None:
        check(self, "clock")

    @property
    def of_delta_core(self) -> float:
        """Clock of a delta core, unless another one is asked for."""
        return self.core_mhz if self.delta_core_mhz is None else self.delta_core_mhz


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltCore:
    """The core of a board as it was built: its cells with serial port, memory controller and top.

    geometry, memory_bits: `CoreConfig.geometry_text` and bits of memories of that core; any other core has other cells.
    """

    lut: int = limited(0, at_least=1)
    ff: int = limited(0, at_least=1)
    dsp: int = limited(0, at_least=0)
    block_rams: int = limited(0, at_least=0)
    geometry: str
    memory_bits: int = limited(0, at_least=1)

    def __post_init__(self) -> None:
        check(self, "built_core")


@dataclass(frozen=True, slots=True, kw_only=True)
class Uart:
    """The serial port; rx is what the FPGA receives."""

    rx: Pin
    tx: Pin
    baud: int = limited(1_000_000, at_least=1200, at_most=FASTEST_BAUD)

    def __post_init__(self) -> None:
        check(self, "uart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A board.

    Attributes:
        name: name of its file.
        title: name of the board for people.
        family: family of the device, as ``codesign.synth.resources`` knows it.
        toolchain: tools that make its bitstream.
        load: how to load one; ``{bitstream}`` stands for its path.
        sources: where the pins and figures come from.
        part: the device.
        capacity: what it has.
        clock: its clocks.
        uart: its serial port; None: the design is built with its bus interfaces.
        button: resets the design while pressed.
        leds: LEDs, of which the first eight are used.
        core: the delta core that is built for it; None: none is.
        built_core: what that core takes; None: it was not built yet.
        sdram: its SDRAM; None: it has none at pins of the FPGA.
    """

    name: str
    title: str
    family: Family
    toolchain: ToolchainName
    load: str
    sources: tuple[str, ...]
    part: Part
    capacity: Capacity
    clock: Clock
    uart: Uart | None = None
    button: Pin | None = None
    leds: tuple[Pin, ...] = ()
    core: CoreConfig | None = None
    built_core: BuiltCore | None = None
    sdram: Sdram | None = None

    def __post_init__(self) -> None:
        wrong = Problems()
        for each in (self._check_texts, self._check_toolchain, self._check_part, self._check_pins):
            with wrong.collected():
                each()
        wrong.check()

    def _check_texts(self) -> None:
        check_folder(self.name, where="the name of the file")
        if not self.title.isprintable():
            raise ConfigError("not one line of text", where="title", received=repr(self.title))
        try:
            self.load.format(bitstream="")
        except (LookupError, ValueError, AttributeError) as error:
            raise ConfigError(
                "not a text with one place to fill in", where="load", expected="{bitstream}", received=repr(error)
            ) from None

    def _check_toolchain(self) -> None:
        if self.toolchain != _TOOLCHAINS[self.family]:
            raise ConfigError(
                "the tools do not know this family",
                where="toolchain",
                expected=_TOOLCHAINS[self.family],
                received=self.toolchain,
            )
        if not (self.uart is None) == (self.clock.pin is None) == (self.clock.oscillator_mhz is None):
            raise ConfigError(
                "a board has a clock pin, an oscillator and a serial port, or none of them",
                where="clock",
                expected="clock.pin, clock.oscillator_mhz and uart together",
                received=f"pin {self.clock.pin}, oscillator_mhz {self.clock.oscillator_mhz}, uart {self.uart}",
            )
        if (self.uart is None) != (self.toolchain == "vivado"):
            raise ConfigError(
                "a board of this toolchain has no serial port"
                if self.uart
                else "a board of this toolchain has a serial port",
                where="uart",
                expected="[uart] and the clock's pin, except of boards for Vivado, whose port is the processor's",
                received=f'toolchain = "{self.toolchain}"',
            )

    def _check_part(self) -> None:
        """Check what the toolchain needs to know of the device."""
        known = {"ecp5": tuple(ECP5), "ice40": ICE40}.get(self.toolchain, (self.part.device,))
        if self.part.device not in known:
            raise ConfigError(
                "no such device",
                where="part.device",
                expected=f"one of {', '.join(known)}",
                received=self.part.device,
                fix=did_you_mean(self.part.device, known),
            )
        needed = {"gowin": "database", "vivado": "vivado"}.get(self.toolchain)
        if needed is not None and not getattr(self.part, needed):
            raise ConfigError("missing", where=f"part.{needed}", expected=f"needed by the toolchain {self.toolchain}")

    def _check_pins(self) -> None:
        uart = (self.uart.rx, self.uart.tx) if self.uart else ()
        pins = [pin for pin in (self.clock.pin, *uart, self.button, *self.leds[:8]) if pin is not None]
        taken = [pin.site for pin in pins] + list(self.sdram.sites().values() if self.sdram else ())
        twice = sorted({site for site in taken if taken.count(site) > 1})
        if twice:
            raise ConfigError("a pin is used twice", where="site", expected="a pin for each", received=", ".join(twice))
        if self.toolchain in ("ecp5", "gowin") and not all(pin.standard for pin in pins):
            raise ConfigError("missing", where="standard", expected='the IO standard of every pin, such as "LVCMOS33"')
        if self.toolchain != "ecp5" and (self.sdram or any(pin.drive_ma for pin in pins)):
            raise ConfigError(
                "only the pads of an ECP5 have this",
                where="sdram" if self.sdram else "drive_ma",
                expected='toolchain = "ecp5"',
                received=self.toolchain,
            )

    @property
    def top(self) -> Literal["uart", "soc"]:
        """Which top of a design is built for it."""
        return "soc" if self.uart is None else "uart"

    def core_area(self) -> Area | None:
        """Return the cells of its core; None: there is none, or it is not the one that was built."""
        core, built = self.core, self.built_core
        if core is None or built is None:
            return None
        if (core.geometry_text, sum(built_bits(core).values())) != (built.geometry, built.memory_bits):
            return None
        return Area(lut=built.lut, ff=built.ff, dsp=built.dsp, bram_bits=built.block_rams * self.capacity.block_bits)


def _check_words(record: Pin | Part, *fields: str) -> None:
    """Check what goes into constraint files and scripts as it is."""
    for name in fields:
        check_word(getattr(record, name), where=name)


def check_clock(mhz: float) -> None:
    """Check that a clock that was asked for is one.

    Raises:
        ConfigError: it is not a positive number.
    """
    if not (isfinite(mhz) and mhz > 0):
        raise ConfigError(
            "no such clock", where="--clock", expected="MHz, a number above 0", received=f"{mhz:g}", fix="such as 50"
        )


def target_names() -> tuple[str, ...]:
    """Return the names of the boards there are."""
    return tuple(sorted(path.stem for path in boards().glob("*.toml")))


def load_target(name: str) -> Target:
    """Return a board by name, or the one described by a file of one's own (a path that ends in ``.toml``).

    Raises:
        ConfigError: no such board (lists them), or a key or value in its file that is not valid.
    """
    own = name.endswith(".toml")
    if not own and name not in target_names():
        raise ConfigError(
            "unknown board",
            where="--target",
            expected=f"one of {', '.join(target_names())}, or a file such as my_board.toml",
            received=name,
            fix=did_you_mean(name, target_names()),
        )
    path = Path(name) if own else boards() / f"{name}.toml"
    return read_target(path)


def core_of(board: Target) -> CoreConfig:
    """Return the core that is built for a board.

    Raises:
        ConfigError: none is.
    """
    if board.core is None:
        having = [name for name in target_names() if load_target(name).core is not None]
        raise ConfigError(
            "this board has no core",
            where="--target",
            expected=f"one of {', '.join(having)}, or a file of yours with a table [core] (docs/targets.md)",
            received=board.name,
        )
    return board.core


_RENAMED = {"chain": "toolchain", "room": "capacity"}
"""Keys of board files by their names in 0.1."""


def read_target(path: Path) -> Target:
    """Return the board that a TOML file describes.

    Raises:
        ConfigError: no such file, not TOML, or a key or value that is not valid; names ``file:key``.
    """
    table = under_new_names(read_toml(path, "flows/boards/ulx3s-85f.toml"), _RENAMED, where=str(path))
    try:
        return build(Target, table, where="", folder=path.parent, known={"name": path.stem})
    except ConfigError as error:
        raise error.inside(f"{path}:") from None
