# SPDX-License-Identifier: Apache-2.0
"""Who owns a cell: by its name, or by its neighbours; and that nothing is lost or counted twice."""

from __future__ import annotations

from typing import Any

import pytest

from codesign.errors import SynthesisError
from codesign.synth.layers import Owners, area_of, layers_of
from codesign.synth.record import LayerArea
from codesign.synth.resources import Cost
from codesign.synth.toolchains.registry import TOOLCHAINS

OWNERS = Owners(nodes=("frame", "d0", "conv1", "conv1_delta", "conv10"))
CORE = "i_uart.i_soc.i_core"


@pytest.mark.parametrize(
    ("cell", "owner"),
    [
        (f"{CORE}.i_conv1_conv.g_bank[0].i_state.memory.0.0", "conv1"),
        (f"{CORE}.i_conv1_delta_emit.i_reference.load_q_LUT4_D", "conv1_delta"),
        (f"{CORE}.i_conv1_delta__1_queue.count_q", "conv1_delta"),
        (f"{CORE}.i_conv10_locate.address_q", "conv10"),
        (f"{CORE}.d0_word_DFFE_Q_10", "d0"),
        (f"{CORE}.i_frame_encode.beat_q", "frame"),
        (f"{CORE}.i_stats.count_q_TRELLIS_FF_Q_100_DI_CCU2C_S1$CCU2_COMB0", "registers"),
        (f"{CORE}.probe_LUT4_Z", "registers"),
        ("i_uart.i_soc.i_registers.field_q", "registers"),
        ("i_uart.i_soc.i_control.fresh_q", "registers"),
        ("i_uart.i_link.i_inbox.count_q", "link"),
        ("i_uart.i_uart_rx.shift_q", "link"),
        ("count_TRELLIS_FF_Q_3", "pads"),
        ("i_pll", "pads"),
    ],
)
def test_a_cell_belongs_to_whom_its_name_says(cell: str, owner: str) -> None:
    assert OWNERS.of(cell) == owner
    assert owner in OWNERS.rows


def test_tops_without_pads() -> None:
    soc, top = (Owners(nodes=("d0",), top=kind) for kind in ("soc", "top"))
    assert (soc.of("i_core.i_d0_emit.x"), soc.of("i_registers.y"), soc.of("z")) == ("d0", "registers", "registers")
    assert (top.of("i_d0_emit.x"), top.of("d0_word_LUT4"), top.of("i_stats.x")) == ("d0", "d0", "registers")
    assert soc.rows == top.rows == ("d0", "registers")


def cell(kind: str, *nets: object, **parameters: str) -> Any:
    return {"type": kind, "connections": {str(at): [net] for at, net in enumerate(nets)}, "parameters": parameters}


def netlist(cells: dict[str, Any]) -> dict[str, Any]:
    return {"modules": {"t": {"attributes": {"top": "1"}, "cells": cells}, "LUT4": {"attributes": {}, "cells": {}}}}


def test_a_cell_without_a_name_goes_with_its_neighbours() -> None:
    clock = 1
    cells: dict[str, Any] = {f"count_FF_{at}": cell("TRELLIS_FF", clock, 100 + at) for at in range(20)}
    cells |= {
        f"{CORE}.i_conv1_conv.sum": cell("TRELLIS_COMB", clock, 7, 8),
        "$nextpnr_CCU2C_1$CCU2_COMB1": cell("TRELLIS_COMB", clock, 8, "0"),  # the carry out of conv1's adder
        "$PACKER_GND": cell("TRELLIS_COMB", 9),
        f"{CORE}.i_d0_queue.memory": cell("TRELLIS_RAMW", 5),
        f"{CORE}.i_d0_queue.i_gbuf": cell("DCCA", 5),
    }
    found = {layer.name: layer for layer in layers_of(netlist(cells), OWNERS, TOOLCHAINS["ecp5"].sites)}
    assert (found["conv1"].lut, found["d0"].lut, found["pads"].lut) == (2, 2, 1)
    assert (found["pads"].ff, found["link"].ff) == (20, 0)
    assert area_of(found.values(), "sum") == LayerArea(name="sum", lut=5, ff=20, dsp=0, bram_bits=0)


def test_cells_without_a_name_that_touch_each_other_go_with_whom_one_of_them_touches() -> None:
    ground, power = 90, 91
    cells: dict[str, Any] = {
        f"{CORE}.i_conv1_conv.sum": cell("TRELLIS_COMB", 8, power),
        "$nextpnr_CCU2C_1$CCU2_COMB0": cell("TRELLIS_COMB", 7, ground),  # touches its twin only
        "$nextpnr_CCU2C_1$CCU2_COMB1": cell("TRELLIS_COMB", 7, 8, power),
        "$nextpnr_CCU2C_2$CCU2_COMB0": cell("TRELLIS_COMB", 5, ground),  # three rounds from d0
        "$nextpnr_CCU2C_2$CCU2_COMB1": cell("TRELLIS_COMB", 5, 6),
        "$nextpnr_CCU2C_3$CCU2_COMB0": cell("TRELLIS_COMB", 6, 4),
        f"{CORE}.i_d0_queue.count": cell("TRELLIS_COMB", 4, ground),
        "$nextpnr_CCU2C_4$CCU2_COMB0": cell("TRELLIS_COMB", 3, ground),  # nobody's
        "$PACKER_GND": cell("TRELLIS_COMB", ground),
        "$PACKER_VCC": cell("TRELLIS_COMB", power),
    }
    found = {layer.name: layer.lut for layer in layers_of(netlist(cells), OWNERS, TOOLCHAINS["ecp5"].sites)}
    assert (found["conv1"], found["d0"], found["pads"]) == (3, 4, 3)
    backwards = dict(reversed(cells.items()))
    assert layers_of(netlist(backwards), OWNERS, TOOLCHAINS["ecp5"].sites) == layers_of(
        netlist(cells), OWNERS, TOOLCHAINS["ecp5"].sites
    )


def test_a_logic_cell_with_a_flip_flop_counts_twice() -> None:
    cells = {
        "count_a": cell("ICESTORM_LC", 1, DFF_ENABLE="1"),
        "count_b": cell("ICESTORM_LC", 1, DFF_ENABLE="00000000000000000000000000000001"),
        "count_c": cell("ICESTORM_LC", 1, DFF_ENABLE="0"),
    }
    pads = layers_of(netlist(cells), OWNERS, TOOLCHAINS["ice40"].sites)[-1]
    assert (pads.name, pads.lut, pads.ff) == ("pads", 3, 2)


def test_an_unknown_mapped_cell_is_an_error_an_unknown_site_is_nothing() -> None:
    cells = {"count_a": cell("MYSTERY", 1)}
    assert area_of(layers_of(netlist(cells), OWNERS, {"X": Cost(lut=1)})).lut == 0
    with pytest.raises(SynthesisError, match="cells of type MYSTERY"):
        layers_of(netlist(cells), OWNERS, "ecp5")
