# SPDX-License-Identifier: Apache-2.0
"""What a toolchain is: the commands from sources to a bitstream, as functions that return text and run nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codesign.synth.pll import Limits, Pll, find_pll, find_two
from codesign.synth.resources import Cost
from codesign.synth.target import Pin, Target

CONSTRAINTS, ROUTED = "pins", "routed"
"""Names of the constraint file and of what the router writes, without their ends."""
SDRAM_CLOCK = "memory_clk"
"""Net of an SDRAM's own clock in a board top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """An open toolchain: Yosys, one nextpnr, one packer.

    Attributes:
        router: program that places and routes.
        route: board and names of netlist and clock -> arguments of the router, but for those that all routers share.
        constraints: board, pins by port -> text of the constraint file.
        suffix: end of the constraint file's name.
        pack: board -> the commands that make the bitstream from what the router wrote.
        bitstream: its file name.
        limits: limits of the device's PLL.
        pll: text of its instance, from ``clk_pad`` to ``clk`` and ``locked``.
        sites: cells of a routed netlist and what one occupies, by pattern of the type; ``/FF`` ends the type of a cell
            that holds a LUT and a flip-flop and whose flip-flop is used. What is not listed occupies nothing.
    """

    router: str
    route: Callable[[Target], list[str]]
    constraints: Callable[[Target, Mapping[str, Pin]], str]
    suffix: str
    pack: Callable[[Target], list[list[str]]]
    bitstream: str
    limits: Limits
    pll: Callable[[Pll], str]
    sites: Mapping[str, Cost]


def ports(board: Target) -> dict[str, Pin]:
    """Return the pins of the board top, by the name of the port (``led_pad[0]`` for a bit)."""
    if board.uart is None or board.clock.pin is None:
        return {}
    pins = {"clk_pad": board.clock.pin, "rx_pad": board.uart.rx, "tx_pad": board.uart.tx}
    if board.button is not None:
        pins["button_pad"] = board.button
    return pins | {f"led_pad[{index}]": pin for index, pin in enumerate(board.leds[:8])}


def sdram_ports(board: Target) -> dict[str, Pin]:
    """Return the pins of the board's SDRAM by the name of the port, for a top that uses it; none if it has no SDRAM."""
    sdram = board.sdram
    if sdram is None:
        return {}
    return {
        port: Pin(site=site, standard=sdram.standard, drive_ma=sdram.drive_ma) for port, site in sdram.sites().items()
    }


def clock_of(board: Target, limits: Limits, core_mhz: float, sdram_mhz: float | None = None) -> Pll | None:
    """Return the PLL's setting for a core clock; None where the oscillator is the core's clock. sdram_mhz: fastest
    second clock, that of an SDRAM; None: there is none.

    Raises:
        ConfigError: the clock cannot be made.
    """
    oscillator = board.clock.oscillator_mhz
    if oscillator is not None and sdram_mhz is not None:
        return find_two(limits, oscillator, core_mhz, sdram_mhz, where=f"{board.name}: sdram.mhz")
    if oscillator is None or core_mhz == oscillator:
        return None
    return find_pll(limits, oscillator, core_mhz)
