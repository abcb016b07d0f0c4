# SPDX-License-Identifier: Apache-2.0
"""The resource model: how memories and products become cells, and what the shipped coefficients are worth."""

from __future__ import annotations

import numpy as np
import pytest
from fit_cases import two_convolutions
from rtl_cases import KINDS

from codesign.fit.leaves import LEAVES
from codesign.fit.memories import Mapped, in_blocks, mapped, varying_bits
from codesign.fit.multiplications import multipliers
from codesign.fit.resources import Cells, resource_model
from codesign.rtl.netlist import Instance
from codesign.rtl.top import leaves_of, shared_leaves_of, top_of
from codesign.synth import memory
from codesign.synth.layers import LINK, PADS, REGISTERS


def test_every_leaf_has_terms() -> None:
    assert set(memory.LEAVES) <= set(LEAVES)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_parts_of_a_network_are_the_leaves_of_its_top(kind: str) -> None:
    graph = KINDS[kind](np.random.default_rng(11))
    parts = [leaf for node in graph.nodes[1:] for leaf in leaves_of(graph, node.name)] + [*shared_leaves_of(graph)]
    made = {leaf.name: leaf.parameters for leaf in parts}
    assert made == {leaf.name: leaf.parameters for leaf in top_of(graph).instances}
    assert len(made) == len(parts)


def test_a_design_on_a_board_has_more_around_it() -> None:
    graph = two_convolutions()
    alone = resource_model().nodes(graph)
    board = type(resource_model())(lut=resource_model().lut, ff=resource_model().ff, top="uart").nodes(graph)
    assert set(board) - set(alone) == {LINK, PADS}
    assert board[REGISTERS].lut > alone[REGISTERS].lut
    assert sum(board.values(), Cells()).lut > sum(alone.values(), Cells()).lut


@pytest.mark.parametrize(
    ("words", "width", "blocks"),
    [(512, 36, 1), (513, 36, 2), (1024, 18, 1), (16384, 1, 1), (512, 72, 2), (2048, 8, 1), (4608, 18, 5)],
)
def test_block_rams_of_a_memory(words: int, width: int, blocks: int) -> None:
    assert in_blocks(words, width, rom=False)[0] == blocks


@pytest.mark.parametrize(
    ("width", "cells"),
    [(20, Mapped(distributed=20)), (16, Mapped(distributed=16)), (22, Mapped(blocks=1)), (23, Mapped(blocks=1))],
)
def test_a_queue_of_64_is_distributed_up_to_a_width(width: int, cells: Mapped) -> None:
    assert mapped("queue", "memory", 64, width) == cells


def test_bits_that_never_change_are_not_kept() -> None:
    values = np.array([[1, -2], [3, -2], [1, -2]])
    assert varying_bits(values, 4) == 1
    assert varying_bits(np.array([[7], [-8]]), 4) == 4


def locate(**parameters: int) -> Instance:
    given = {"Groups": 1, "Lanes": 1, "Channelwise": False, "Weighted": True, **parameters}
    return Instance(leaf="locate", name="", node="", parameters=given)


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"Height": 16, "Width": 16, "Channels": 8}, 0),
        ({"Height": 16, "Width": 8, "Channels": 3, "Groups": 6, "Lanes": 2}, 3),
        ({"Height": 24, "Width": 24, "Channels": 12, "Groups": 4, "Lanes": 3, "Channelwise": True}, 6),
        ({"Height": 32, "Width": 16, "Channels": 6, "Groups": 2, "Lanes": 3, "Channelwise": True}, 4),
    ],
)
def test_addresses_that_are_no_powers_of_two_take_multipliers(parameters: dict[str, int], count: int) -> None:
    assert multipliers(locate(**parameters)) == count


def test_the_shipped_model_keeps_what_it_promises() -> None:
    about = resource_model().about
    assert about["errors"]["lut"]["layers"]["median"] <= 0.10
    assert about["errors"]["lut"]["layers"]["worst"] <= 0.20
    assert (about["wrong"]["dsp"], about["wrong"]["block_rams"]) == (0, 0)
    assert about["calibrated_on"]["engines"] + about["held_out"]["engines"] >= 50
