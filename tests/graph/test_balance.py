# SPDX-License-Identifier: Apache-2.0
"""PE and unroll from a target in cycles or from a total of multipliers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph

from codesign.errors import ConfigError
from codesign.fixed import Fixed, IntArray
from codesign.graph import Axis, Conv, Delta, Dense, Graph, Source, accumulator_format
from codesign.graph.balance import balance, cure, loads, multipliers, summary
from codesign.graph.cycles import dense_cycles
from codesign.graph.golden import Golden

CODE = Fixed(width=4, frac=4, signed=False)


def mobile(size: int = 12, channels: int = 8, *, pe: int = 4) -> Graph:
    """Return depthwise 3x3, pointwise, depthwise 3x3 stride 2, dense."""
    rng = np.random.default_rng(1)
    source = Source(name="in", shape=(size, size, channels), fmt=CODE, lanes=16)
    nodes: list[Source | Delta | Conv | Dense] = [source]
    for name, depthwise, kernel, stride in (("dw0", True, 3, 1), ("pw0", False, 1, 1), ("dw1", True, 3, 2)):
        before = nodes[-1]
        delta = _delta(before)
        weight = rng.integers(-8, 8, (kernel, kernel, channels, 1 if depthwise else channels))
        y = Axis.same(delta.shape[0], kernel, stride)
        fmt, columns = Fixed(width=4, frac=3, signed=True), weight[..., 0] if depthwise else weight
        bias: IntArray = np.zeros(channels, np.int64)
        sums = accumulator_format(name, columns, bias, weight_fmt=fmt, delta=delta)
        conv = Conv(
            name=name, input=delta.name, weight=weight, bias=bias, weight_fmt=fmt, fmt=sums, y=y, x=y,
            depthwise=depthwise, pe=pe,
        )  # fmt: skip
        nodes += [delta, conv]
    delta = _delta(nodes[-1])
    weight, bias, fmt = rng.integers(-8, 8, (delta.size, 2)), np.zeros(2, np.int64), Fixed(width=4, frac=3, signed=True)
    sums = accumulator_format("fc", weight, bias, weight_fmt=fmt, delta=delta)
    fc = Dense(name="fc", input=delta.name, weight=weight, bias=bias, weight_fmt=fmt, fmt=sums, pe=2)
    return Graph(name="mobile", nodes=(*nodes, delta, fc))


def _delta(before: Source | Delta | Conv | Dense) -> Delta:
    return Delta(
        name=f"d_{before.name}", input=before.name, shape=before.shape, in_fmt=before.fmt, fmt=CODE,
        activation="relu", lo=0, hi=15,
    )  # fmt: skip


def most_cycles(graph: Graph, activity: float = 1.0) -> float:
    return max(load.cycles for load in loads(graph, activity))


def total(graph: Graph) -> int:
    return sum(map(multipliers, graph.engines))


def test_depthwise_pe_share_a_multiplier() -> None:
    graph = mobile(pe=4)
    assert [multipliers(node) for node in graph.engines] == [1, 4, 1, 2]
    conv = graph["dw0"]
    assert isinstance(conv, Conv)
    assert multipliers(replace(conv, unroll=(3, 2))) == 6


def test_loads_are_the_engines_own_figures() -> None:
    for seed in range(6):
        for graph in (
            random_conv_graph(np.random.default_rng(seed)),
            random_branching_graph(np.random.default_rng(seed)),
        ):
            for node, load in zip(graph.engines, loads(graph), strict=True):
                reach = sum(int(node.reach(at).sum()) for at in range(len(node.inputs)))
                assert load.accumulating == reach
                if not isinstance(node, Dense):
                    assert load.sending <= node.words
            part = loads(graph, 0.25)
            assert all(some.cycles <= full.cycles for some, full in zip(part, loads(graph), strict=True))


def test_a_frame_in_which_everything_changes_is_balanced_with_the_same_multipliers() -> None:
    graph = mobile()
    made = balance(graph)
    assert total(made) <= total(graph)
    assert most_cycles(made) < most_cycles(graph)
    assert dense_cycles(made) < dense_cycles(graph)


def test_what_is_computed_stays() -> None:
    graph, rng = mobile(), np.random.default_rng(2)
    frames = rng.integers(0, 16, (3, graph.source.size))
    for made in (balance(graph), balance(graph, cycles=300, activity=0.1)):
        np.testing.assert_array_equal(Golden(made).run(frames).outputs, Golden(graph).run(frames).outputs)


@pytest.mark.parametrize("activity", [1.0, 0.1])
def test_a_target_takes_the_fewest_multipliers(activity: float) -> None:
    graph = mobile()
    floor = most_cycles(balance(graph, cycles=1, activity=activity), activity)
    totals = []
    for cycles in np.linspace(floor, 6 * floor, 12):
        made = balance(graph, cycles=float(cycles), activity=activity)
        assert most_cycles(made, activity) <= cycles
        totals.append(total(made))
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > totals[-1]


def test_no_engine_is_faster_than_the_slowest_need_be() -> None:
    graph = mobile()
    reachable = most_cycles(balance(graph, cycles=1))
    assert reachable == max(load.events for load in loads(graph)), "a depthwise layer takes an event a cycle at most"
    assert balance(graph, cycles=1).nodes == balance(graph, cycles=reachable).nodes


@pytest.mark.parametrize("most", [4, 8, 12, 20, 100])
def test_a_total_gives_the_fewest_cycles(most: int) -> None:
    graph = mobile()
    made = balance(graph, most=most)
    assert total(made) <= most
    fewer = balance(graph, most=most - 1) if most > 4 else made
    assert most_cycles(made) <= most_cycles(fewer)


def test_too_few_multipliers_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"at most 3 multipliers.*[Rr]eceived: 4"):
        balance(mobile(), most=3)
    with pytest.raises(ConfigError, match="at most 5 multipliers"):
        balance(mobile(), cycles=1200, most=5)


def test_what_is_fixed_stays() -> None:
    graph = mobile()
    made = balance(graph, cycles=1, fixed={"dw0": ("unroll",), "pw0": ("pe",), "fc": ("pe", "unroll")})
    assert made["dw0"].unroll == (1, 1)  # type: ignore[union-attr]
    assert made["pw0"].pe == 4  # type: ignore[union-attr]
    assert made["fc"].pe == 2  # type: ignore[union-attr]
    free = balance(graph, cycles=1)
    assert free["dw0"].unroll != (1, 1)  # type: ignore[union-attr]


def test_few_changes_need_lanes_to_send_and_not_multipliers() -> None:
    """Of a depthwise layer every third word is touched at 5 % of changes, so a word holds several channels."""
    graph = mobile(size=24)
    made = balance(graph, cycles=600, activity=0.05)
    (load, *_) = loads(made, 0.05)
    node = made["dw0"]
    assert isinstance(node, Conv)
    assert load.sending > load.accumulating
    assert (load.cycles <= 600, node.pe > 1) == (True, True)


def with_engine(graph: Graph, name: str, **changes: object) -> Graph:
    made = replace(graph[name], **changes)  # type: ignore[arg-type]
    return replace(graph, nodes=tuple(made if node.name == name else node for node in graph.nodes))


def test_the_summary_names_the_slowest_engine_and_what_helps() -> None:
    graph = mobile()
    first = "8 multipliers; dw0 takes 9,248 cycles a frame: raise its unroll above 1x1: 3x3 takes one cycle an event"
    assert summary(graph) == first
    graph = with_engine(graph, "dw0", unroll=(3, 3))
    assert "dw1 takes 2,312 cycles a frame: raise its unroll above 1x1: 2x2" in summary(graph)
    assert "pw0 takes 9,216 cycles a frame: raise its PE above 1: 8 is all" in summary(with_engine(graph, "pw0", pe=1))
    graph = balance(graph, cycles=1)
    assert "dw0 takes 1,152 cycles a frame: an event takes one cycle already" in summary(graph)
    assert "the input takes 1,152 cycles a frame: raise P above 1" in summary(with_engine(graph, "in", lanes=1), 0.001)


def test_words_that_leave_are_cured_by_lanes() -> None:
    engine = {"outputs": 8, "unroll": (3, 3), "most": (3, 3), "channelwise": True}
    assert "raise its PE above 2" in cure(pe=2, sends=True, **engine)  # type: ignore[arg-type]
    assert cure(pe=2, **engine).startswith("an event takes one cycle already")  # type: ignore[arg-type]
    assert cure(pe=8, sends=True, **engine).startswith("a word that is touched takes one")  # type: ignore[arg-type]
