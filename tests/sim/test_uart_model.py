# SPDX-License-Identifier: Apache-2.0
"""The serial harness on a top that echoes its line: every byte arrives, and what is no byte is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import SimulationError
from codesign.sim.uart import UartModel

PATIENCE = 2000


def echo(cache: Path, fault: int = 0) -> UartModel:
    text = Path(__file__).with_name("echo.sv").read_text().replace("Fault = 0", f"Fault = {fault}")
    files = {"echo_uart.sv": text, "filelist.f": "echo_uart.sv\n"}
    return UartModel(files, "echo_uart", cache, baud=1_000_000, patience=PATIENCE)


def test_every_byte_arrives_in_order_and_then_time_stands_still(rtl_cache: Path) -> None:
    model = echo(rtl_cache)
    data = bytes(range(256)) * 3
    assert not model.busy
    back, received = b"", data
    while received or model.busy:
        back += model.advance(received)
        received = b""
    assert back == data
    assert model.cycles_per_second() > 1000


def test_bytes_are_forgotten_without_power(rtl_cache: Path) -> None:
    model = echo(rtl_cache)
    model.advance(bytes(10_000))
    busy = [model.busy]
    model.power_cycle()
    assert [*busy, model.busy] == [True, False]
    assert model.advance(b"x") == b"x"


@pytest.mark.parametrize(("fault", "message"), [(1, "no stop bit"), (2, "assertion.* at echo_uart.sv")])
def test_a_broken_line_is_a_simulation_error(rtl_cache: Path, fault: int, message: str) -> None:
    model = echo(rtl_cache, fault)
    with pytest.raises(SimulationError, match=message):
        model.advance(b"x")
