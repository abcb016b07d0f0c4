# SPDX-License-Identifier: Apache-2.0
"""ctypes mirror of ``uart.cpp``: a Verilated board top in this process, bytes in and bytes out."""

from __future__ import annotations

import ctypes
import os
import time
import weakref
from pathlib import Path

from codesign import trust
from codesign.errors import SimulationError
from codesign.sim.build import CXX_FLAGS, LIBRARY, VERILATOR_FLAGS, Recipe, compile_library

CYCLES_PER_BIT = 8
"""The fewest that the board's receiver takes: a simulated byte costs 80 cycles."""
_BUDGET = 20_000
_CAPACITY = 4096
_WRONG = {1: "the design stopped the simulation", 2: "a byte on tx_o has no stop bit"}


class _Step(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p if name in ("in", "out") else ctypes.c_uint64) for name in ("in", "in_count", "out")),
        *((name, ctypes.c_uint64) for name in ("capacity", "budget", "in_done", "out_done", "cycles")),
    )


class UartModel:
    """A Verilated top with a serial line, out of power-on reset. Time passes only in `advance`.

    Args:
        files: path -> text of the RTL project, with ``filelist.f``.
        module: name of its top: ports clk_i, rst_ni, rx_i, tx_o and others that are left open; parameters ClockHz and
            Baud.
        folder: cache folder for builds.
        baud: baud rate of the line; the clock is `CYCLES_PER_BIT` times as fast.
        patience: cycles after the last byte for which the design may still be working.
        seed: seed of what the design leaves uninitialised.

    Raises:
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: the build failed.
    """

    def __init__(
        self, files: dict[str, str], module: str, folder: Path, *, baud: int, patience: int, seed: int = 1
    ) -> None:
        self.clock_hz = baud * CYCLES_PER_BIT
        self._module, self._patience, self._quiet = module, patience, patience
        built = compile_library(files, _recipe(module, self.clock_hz, baud), folder)
        self._library = trust.load(built / LIBRARY, built.name)
        for name, result, arguments in (
            ("uart_step_bytes", ctypes.c_uint64, []),
            ("uart_message", ctypes.c_char_p, []),
            ("uart_open", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_uint32]),
            ("uart_close", None, [ctypes.c_void_p]),
            ("uart_reset", ctypes.c_int, [ctypes.c_void_p]),
            ("uart_advance", ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p]),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        if self._library.uart_step_bytes() != ctypes.sizeof(_Step):
            raise SimulationError("uart.cpp and uart.py disagree about Step", where=module)
        self._handle = self._library.uart_open(os.fsencode(built), seed & 0xFFFFFFFF)
        if not self._handle:
            raise SimulationError(self._library.uart_message().decode(), where=module)
        self.close = weakref.finalize(self, self._library.uart_close, self._handle)
        self._waiting = b""

    @property
    def busy(self) -> bool:
        """Whether bytes wait to go in, or the design may still be working on the last ones."""
        return bool(self._waiting) or self._quiet < self._patience

    def advance(self, received: bytes) -> bytes:
        """Put bytes on ``rx_i`` after those that wait, let some time pass, return the bytes from ``tx_o``.

        Raises:
            SimulationError: an assertion of the design failed, or what it sends are no bytes.
        """
        data = self._waiting + received
        sent = ctypes.create_string_buffer(_CAPACITY)
        source = ctypes.create_string_buffer(data, len(data))
        step = _Step(
            **{"in": ctypes.addressof(source), "out": ctypes.addressof(sent)},
            in_count=len(data),
            capacity=_CAPACITY,
            budget=_BUDGET,
        )
        self._check(self._library.uart_advance(self._handle, ctypes.byref(step)))
        self._waiting = data[step.in_done :]
        self._quiet = 0 if step.in_done or step.out_done else self._quiet + step.cycles
        return sent.raw[: step.out_done]

    def power_cycle(self) -> None:
        """Reset the whole board, its link too."""
        self._waiting, self._quiet = b"", self._patience
        self._check(self._library.uart_reset(self._handle))

    def cycles_per_second(self) -> float:
        """Return how fast the simulation is on this computer now."""
        start, cycles = time.perf_counter(), 0
        while (seconds := time.perf_counter() - start) < 0.05:
            self.advance(b"")
            cycles += _BUDGET
        return cycles / seconds

    def _check(self, code: int) -> None:
        if code:
            detail = f": {self._library.uart_message().decode()}" if code == 1 else ""
            raise SimulationError(_WRONG[code] + detail, where=self._module)


def _recipe(module: str, clock_hz: int, baud: int) -> Recipe:
    constants = f"{CXX_FLAGS} -DCYCLES_PER_BIT={CYCLES_PER_BIT}"
    parameters = (f"-GClockHz={clock_hz}", f"-GBaud={baud}")
    flags = (*VERILATOR_FLAGS, *parameters, "--top-module", module, "-CFLAGS", constants)
    return Recipe(module=module, flags=flags, harness=Path(__file__).with_name("uart.cpp"), prefix="uart_")
