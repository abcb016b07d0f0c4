# SPDX-License-Identifier: Apache-2.0
"""emit(): the files of an RTL project, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_graph, random_spread_graph

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Join, Source, accumulator_format
from codesign.rtl import Hold, emit, top_spec
from codesign.rtl.leaves import LEAVES
from codesign.rtl.parameters import spatial_bits
from codesign.rtl.roms import delta_memories, linear_memories, spatial_memories
from codesign.rtl.top import top_of
from codesign.tools import run

CODE = Fixed(width=5, frac=4, signed=True)
INSIDE = {
    *("state", "accumulate", "quantise", "product"),
    *("spot", "walk", "banks", "lists", "rows", "maximum"),
}
"""Leaves that only other leaves instantiate."""


def delta(name: str, source: str, size: int, **changes: object) -> Delta:
    record = {"activation": "identity", "lo": CODE.lo, "hi": CODE.hi, **changes}
    return Delta(name=name, input=source, shape=(size,), in_fmt=CODE, fmt=CODE, **record)  # type: ignore[arg-type]


def dense(name: str, before: Delta, n_out: int, pe: int, weight_fmt: Fixed | None = None) -> Dense:
    fmt = weight_fmt or Fixed(width=4, frac=2, signed=True)
    weight = np.arange(before.size * n_out).reshape(before.size, n_out) % (fmt.hi - fmt.lo + 1) + fmt.lo
    bias = -np.arange(n_out)
    return Dense(
        name=name,
        input=before.name,
        weight=weight,
        bias=bias,
        weight_fmt=fmt,
        fmt=accumulator_format(name, weight, bias, weight_fmt=fmt, delta=before),
        pe=pe,
    )


def joined(first: Delta, second: Delta) -> Join:
    sizes = {"channels": (first.size, second.size), "shifts": (0, 0), "y": Axis(size=1), "x": Axis(size=1)}
    return Join(name="cat", inputs=(first.name, second.name), kind="concat", fmt=CODE, **sizes)  # type: ignore[arg-type]


def chain(**changes: object) -> Graph:
    source = Source(name="in", shape=(2, 3), fmt=CODE, lanes=4)
    first = delta("d0", "in", 6, **changes)
    return Graph(name="net", nodes=(source, first, dense("fc", first, 4, 2)))


def codes(line: str, bits: int, lanes: int) -> list[int]:
    word = int(line, 16)
    values = [(word >> (lane * bits)) & ((1 << bits) - 1) for lane in range(lanes)]
    return [value - (value >> (bits - 1) << bits) for value in values]


def test_files() -> None:
    files = emit(chain())
    assert files["filelist.f"].split() == [f"delta_{leaf}.sv" for leaf in LEAVES] + ["net_top.sv"]
    assert set(files["filelist.f"].split()) | {"filelist.f", "fc_weight.mem", "fc_bias.mem"} == set(files)
    assert files == emit(chain()), "the same graph gives the same text"


def test_the_top_only_instantiates() -> None:
    used = set()
    rng = np.random.default_rng(1)
    spread = random_spread_graph(np.random.default_rng(31), name="net")
    for graph in (chain(), random_branching_graph(rng, blocks=("residual",), name="net"), spread):
        assert "always" not in emit(graph)["net_top.sv"]
        used |= {f"delta_{instance.leaf}" for instance in top_of(graph).instances}
    assert used == {f"delta_{leaf}" for leaf in LEAVES if leaf not in INSIDE}


def test_spec() -> None:
    spec = top_spec(chain())
    assert (spec.module, spec.engines) == ("net_top", ("d0", "fc"))
    assert (spec.in_lanes, spec.in_lane_bits, spec.in_width, spec.beats) == (4, 8, 5, 2)
    assert (spec.out_lanes, spec.out_lane_bits, spec.out_words) == (2, 16, 2)


def test_memory_files_hold_the_codes_lane_0_low() -> None:
    graph = chain()
    node = graph.linears[0]
    files = emit(graph)
    weight = [codes(line, 4, 2) for line in files["fc_weight.mem"].split()]
    bias = [codes(line, node.fmt.width, 2) for line in files["fc_bias.mem"].split()]
    assert weight == node.weight.reshape(-1, 2).tolist(), "line = input * words + word"
    assert bias == node.bias.reshape(-1, 2).tolist()


def test_a_convolution_finds_its_weights_and_outputs_in_tables() -> None:
    fmt = Fixed(width=4, frac=2, signed=True)
    first = delta("d0", "in", 15)
    weight = np.arange(-8, 4).reshape(2, 1, 1, 6) + np.zeros((2, 3, 1, 6), np.int64)
    node = Conv(
        name="conv",
        input="d0",
        weight=weight,
        bias=np.arange(6),
        weight_fmt=fmt,
        fmt=accumulator_format("conv", weight, np.arange(6), weight_fmt=fmt, delta=first),
        y=Axis(size=3, kernel=2),
        x=Axis.same(5, 3, 2),
        pe=3,
    )
    files = spatial_memories(node) | linear_memories(node, first)
    lines = [codes(line, 4, 3) for line in files["conv_weight.mem"].split()]
    assert lines == weight.reshape(-1, 3).tolist(), "line = (tap * channels + channel) * groups + group"
    bits = spatial_bits(node)
    assert bits == {"RowBits": 2, "ColumnBits": 2, "WeightBits": 4}
    rows = [int(line, 16) for line in files["conv_row.mem"].split()]
    assert [(row >> 6, row >> 4 & 3, row & 15) for row in rows] == [(1, 0, 0), (2, 0, 6), (1, 1, 6)]
    columns = [int(line, 16) for line in files["conv_column.mem"].split()]
    reached = [(column >> 6, column >> 4 & 3, column & 15) for column in columns]
    assert reached == [(1, 0, 2), (2, 0, 4), (1, 1, 2), (2, 1, 4), (1, 2, 2)]


def test_unsigned_weights_get_a_sign_bit() -> None:
    source, first, _ = chain().nodes
    assert isinstance(first, Delta)
    node = dense("fc", first, 4, 4, Fixed(width=3, frac=0, signed=False))
    files = emit(Graph(name="net", nodes=(source, first, node)))
    assert ".WeightWidth(4)" in files["net_top.sv"]
    assert [codes(line, 4, 4) for line in files["fc_weight.mem"].split()] == node.weight.tolist()


def test_steps_that_differ_come_from_a_file_padded_with_0() -> None:
    files = emit(chain(step_log2=(0, 1, 2), channels=3))
    steps = [codes("0" + line, 3, 1) for line in files["d0_step.mem"].split()]
    assert len(steps) == 2
    assert files["d0_step.mem"].split() == [f"{0b00_10_01_00:02x}", f"{0b00_00_10_01:02x}"]
    assert not [name for name in emit(chain(step_log2=(1,))) if name.startswith("d0_")]


@pytest.mark.parametrize(
    ("channels", "lanes", "lines"), [(4, 4, 1), (4, 8, 1), (4, 2, 2), (4, 3, 4), (4, 1, 4), (6, 4, 6), (6, 3, 2)]
)
def test_steps_that_repeat_have_a_line_for_each_word_of_a_position(channels: int, lanes: int, lines: int) -> None:
    steps = (0, 1, 2, 1, 2, 0)[:channels]
    text = delta_memories(delta("d0", "in", 24, step_log2=steps, channels=channels), lanes)["d0_step.mem"].split()
    assert len(text) == lines, "one for each word of the frame where those that repeat are no power of two"
    found = [code & 3 for line in text for code in codes("0" + line, 2, lanes)]
    assert found == [steps[i % channels] for i in range(lines * lanes)]


def test_only_layers_with_hold_have_a_threshold() -> None:
    assert top_spec(chain()).holds == ()
    text = emit(chain())["net_top.sv"]
    assert "input  logic [" in text
    assert ".threshold_i('0)" in text
    assert "threshold_i," not in text
    held = chain(step_log2=(0, 1, 2), channels=3, hold=0.75)
    assert top_spec(held).holds == (Hold(name="d0", width=5, default=3),)
    text = emit(held)["net_top.sv"]
    assert "input  logic [4:0] threshold_i," in text
    assert ".threshold_i(threshold_i[0+:5])" in text


def test_thresholds_lie_side_by_side_the_first_one_low() -> None:
    graph = random_graph(np.random.default_rng(1), layers=3, hold=1.0)
    spec = top_spec(graph)
    assert [hold.name for hold in spec.holds] == [node.name for node in graph.deltas]
    assert len(spec.holds) > 2
    fields, low = {hold.name: hold.default for hold in spec.holds}, 0
    last = spec.holds[-1].name
    word = spec.threshold_word({last: 0})
    for hold in spec.holds:
        assert (word >> low) & ((1 << hold.width) - 1) == (0 if hold.name == last else fields[hold.name])
        low += hold.width
    assert low == spec.threshold_bits


def test_a_last_delta_sends_codes() -> None:
    source, first, node = chain().nodes
    assert isinstance(node, Dense)
    last = Delta(
        name="d1", input="fc", shape=(4,), in_fmt=node.fmt, fmt=CODE, activation="identity", lo=CODE.lo, hi=CODE.hi
    )
    graph = Graph(name="net", nodes=(source, first, node, last))
    spec = top_spec(graph)
    assert (spec.out_lanes, spec.out_lane_bits, spec.out_words) == (2, 8, 2)
    assert emit(graph)["net_top.sv"].count(".SendCodes(1'b1)") == 1


def test_two_deltas_in_a_row_are_refused() -> None:
    source, first, _ = chain().nodes
    with pytest.raises(UnsupportedLayerError, match="'d0' then Delta 'd1'"):
        emit(Graph(name="net", nodes=(source, first, delta("d1", "d0", 6))))


def test_a_network_without_linear_layer_is_refused() -> None:
    with pytest.raises(UnsupportedLayerError, match="at least one Dense"):
        emit(Graph(name="net", nodes=chain().nodes[:2]))


def test_a_node_that_nothing_reads_is_refused() -> None:
    source, first, node = chain().nodes
    assert isinstance(first, Delta)
    with pytest.raises(ConversionError, match=r"fc: .*every other node has a reader"):
        emit(Graph(name="net", nodes=(source, first, node, dense("fc2", first, 2, 1))))


def test_two_readers_of_the_input_are_refused() -> None:
    source, first, _ = chain().nodes
    assert isinstance(first, Delta)
    second = delta("d1", "in", 6)
    with pytest.raises(ConversionError, match=r"in: the input goes to one delta activation"):
        emit(Graph(name="net", nodes=(source, first, second, joined(first, second))))


@pytest.mark.parametrize("name", ["1st", "a-b", "", "a b"])
def test_a_name_that_is_no_identifier_is_refused(name: str) -> None:
    with pytest.raises(ConversionError, match="identifier"):
        emit(Graph(name=name, nodes=chain().nodes))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_tops_are_lint_clean(seed: int, tmp_path: Path) -> None:
    print("seed", seed)
    graph = random_graph(np.random.default_rng(seed))
    for name, text in emit(graph).items():
        (tmp_path / name).write_text(text)
    top = top_spec(graph).module
    argv = ["verilator", "--lint-only", "-Wall", "--assert", "-f", "filelist.f", "--top", top]
    run(argv, tmp_path, tmp_path / "lint.log", 60)
