# SPDX-License-Identifier: Apache-2.0
"""Products in the registers of multipliers: which flip-flops go, what the multiplier then has, what stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from codesign.synth.multipliers import pack_products

CLOCK, ENABLE, RESET = 2, 3, 4


def flip_flop(data: int, output: int, **pins: Any) -> dict[str, Any]:
    enabled = "CE" in pins
    connections = {"CLK": [CLOCK], "DI": [data], "LSR": ["0"], "Q": [output]} | pins
    return {
        "type": "TRELLIS_FF",
        "parameters": {"CEMUX": "CE" if enabled else "1 ", "CLKMUX": "CLK", "LSRMUX": "LSR", "REGSET": "RESET"},
        "port_directions": {pin: "output" if pin == "Q" else "input" for pin in connections},
        "connections": connections,
    }


def netlist(**more: dict[str, Any]) -> dict[str, Any]:
    """Return a multiplier of nets 10 and 11 whose outputs 20 and 21 go to flip-flops of outputs 30 and 31."""
    pins = {"A0": [10], "B0": [11], "P0": [20], "P1": [21], "P2": [22]}
    multiplier = {
        "type": "MULT18X18D",
        "parameters": {},
        "port_directions": {pin: "output" if pin[0] == "P" else "input" for pin in pins},
        "connections": pins,
    }
    cells = {"product": multiplier, "low": flip_flop(20, 30), "high": flip_flop(21, 31)} | more
    ports = {"clk": {"direction": "input", "bits": [CLOCK]}}
    return {"modules": {"top": {"attributes": {"top": "1"}, "ports": ports, "cells": cells}}}


def test_flip_flops_become_the_output_register() -> None:
    made = netlist(low=flip_flop(20, 30, CE=[ENABLE]), high=flip_flop(21, 31, CE=[ENABLE]))
    assert pack_products(made) == 2
    cells = made["modules"]["top"]["cells"]
    assert set(cells) == {"product"}
    pins, parameters = cells["product"]["connections"], cells["product"]["parameters"]
    assert (pins["P0"], pins["P1"], pins["P2"]) == ([30], [31], [22])
    assert (pins["CLK0"], pins["CE0"], pins["RST0"]) == ([CLOCK], [ENABLE], ["0"])
    assert (parameters["REG_OUTPUT_CLK"], parameters["REG_OUTPUT_CE"]) == ("CLK0", "CE0")
    assert cells["product"]["port_directions"]["CLK0"] == "input"


def test_without_an_enable_it_is_always_enabled() -> None:
    made = netlist()
    assert pack_products(made) == 2
    assert made["modules"]["top"]["cells"]["product"]["connections"]["CE0"] == ["1"]


@pytest.mark.parametrize(
    "more",
    [
        {"other": flip_flop(20, 32)},  # two readers
        {"high": flip_flop(21, 31, CE=[ENABLE])},  # two enables
        {"high": flip_flop(21, 31, CLK=[5])},  # two clocks
        {"high": flip_flop(21, 31, LSR=[RESET])},
        {"high": flip_flop(9, 31, CE=[21])},  # the product enables something
        {"high": flip_flop(21, 31) | {"type": "LUT4"}},
    ],
    ids=["two readers", "two enables", "two clocks", "reset", "no data", "no flip-flop"],
)
def test_anything_else_stays(more: dict[str, Any]) -> None:
    made, before = netlist(**more), netlist(**more)
    assert pack_products(made) == 0
    assert made == before


def test_a_product_at_a_port_stays() -> None:
    made = netlist()
    made["modules"]["top"]["ports"]["out"] = {"direction": "output", "bits": [20]}
    assert pack_products(made) == 0
