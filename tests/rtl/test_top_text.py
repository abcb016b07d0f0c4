# SPDX-License-Identifier: Apache-2.0
"""The generated top: its records, and the text that is written from them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph
from rtl_cases import ALL_CASES

from codesign.graph import Graph
from codesign.rtl.about import about, pipeline
from codesign.rtl.leaves import LEAVES
from codesign.rtl.top import top_of
from codesign.rtl.verilog import WIDTH, literal, top_text

GRAPHS = {name: case.graph for name, case in ALL_CASES.items()}


def node_text(graph: Graph, name: str) -> str:
    """Return the text of one node: from its comment to the blank line after it."""
    return next(part for part in top_text(top_of(graph)).split("\n\n") if part.startswith(f"  // {name}: "))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_stream_has_one_sender_and_one_reader(name: str) -> None:
    top = top_of(GRAPHS[name]())
    declared = Counter(stream.name for stream in top.streams)
    assert set(declared.values()) == {1}
    assert Counter(stream for leaf in top.instances for stream in leaf.outputs) == declared
    assert Counter(stream for leaf in top.instances for stream in leaf.inputs) == declared


@pytest.mark.parametrize("name", GRAPHS)
def test_streams_are_sent_before_they_are_read(name: str) -> None:
    sent: set[str] = set()
    for leaf in top_of(GRAPHS[name]()).instances:
        assert set(leaf.inputs) <= sent
        sent |= set(leaf.outputs)


@pytest.mark.parametrize("name", GRAPHS)
def test_queues_are_as_wide_as_what_they_hold(name: str) -> None:
    top = top_of(GRAPHS[name]())
    tokens = {stream.name: stream.token for stream in top.streams}
    queues = [leaf for leaf in top.instances if leaf.leaf == "fifo"]
    assert queues
    for leaf in queues:
        assert tokens[leaf.inputs[0]] == tokens[leaf.outputs[0]]
        assert leaf.parameters["Width"] == tokens[leaf.inputs[0]].bits


def test_every_leaf_belongs_to_a_node() -> None:
    graph = GRAPHS["residual, pooled"]()
    leaves = list(top_of(graph).instances)
    assert {leaf.node for leaf in leaves} == {node.name for node in graph.nodes} | {""}
    assert {leaf.leaf for leaf in leaves if not leaf.node} == {"admit", "stats"}
    assert len({leaf.name for leaf in leaves}) == len(leaves)
    assert {leaf.leaf for leaf in leaves} < set(LEAVES)


@pytest.mark.parametrize("name", GRAPHS)
def test_text_says_what_each_node_is(name: str) -> None:
    graph = GRAPHS[name]()
    text = top_text(top_of(graph))
    lines = text.splitlines()
    said = [f"  // {about(node)}" for node in graph.nodes]
    assert [line for line in lines if line in said] == said
    assert max(len(line) for line in lines if line.lstrip().startswith("//")) <= WIDTH
    assert f"// Pipeline: {pipeline(graph)}"[:60] in text
    assert "always" not in text
    assert "probe[" not in text


def test_a_dense_layer_is_one_leaf() -> None:
    assert node_text(GRAPHS["one word"](), "fc0") == DENSE


DENSE = """\
  // fc0: 8 -> 5, 5 multipliers
  typedef struct packed {
    logic first_of_stream, has_word, end_of_frame;
    logic [0:0] word;
    logic [69:0] data;
  } fc0_word_t;
  fc0_word_t fc0_word;
  logic fc0_word_valid, fc0_word_ready;
  delta_dense #(
      .Inputs(8),
      .Words(1),
      .Lanes(5),
      .DeltaWidth(6),
      .WeightWidth(6),
      .AccWidth(14),
      .WeightFile("fc0_weight.mem"),
      .BiasFile("fc0_bias.mem")
  ) i_fc0_dense (
      .clk_i,
      .rst_ni,
      .valid_i(d0_queue_valid),
      .ready_o(d0_queue_ready),
      .token_i(d0_queue),
      .valid_o(fc0_word_valid),
      .ready_i(fc0_word_ready),
      .token_o(fc0_word),
      .probe_o(fc0_probe)
  );"""


def test_a_pipeline_in_a_line() -> None:
    assert pipeline(GRAPHS["hold"]()) == "in -> d0 -> fc0 -> d1 -> fc1 -> d2"
    assert pipeline(GRAPHS["residual, pooled"]()) == (
        "in -> d1 -> conv2 -> d3 -> conv4 -> d5; d1 + d5 -> join6 -> d7 -> max8"
    )


def test_literals() -> None:
    assert [literal(value) for value in (True, False, 7, -3, "a.mem")] == [
        *("1'b1", "1'b0", "7", "-3", '"a.mem"'),
    ]


def test_words_about_nodes() -> None:
    rng = np.random.default_rng(3)
    graphs = [
        random_graph(rng, hold=0.75),
        *(random_conv_graph(rng) for _ in range(12)),
        *(random_branching_graph(rng) for _ in range(12)),
    ]
    said = {about(node).partition(": ")[2] for graph in graphs for node in graph.nodes}
    for part in (
        "in a beat",
        "hold 0.75",
        "multipliers",
        ", depthwise ",
        "maximum of ",
        " stride 2",
        "sum of ",
        "each code ",
    ):
        assert any(part in words for words in said), part
