# SPDX-License-Identifier: Apache-2.0
"""Unrolled HLS kernels: csim against the golden model, its cycles against what the graph says they cost."""

from typing import Any

import numpy as np
import pytest
from hls_trips import check_trips
from random_models import conv, design, rich_unrolled_design, walk

from codesign.graph.golden import Golden

pytestmark = pytest.mark.timeout(300)


def time_design() -> Any:
    """Return a convolution over time, of which an event reaches two positions a cycle."""
    made = design([conv(4, 5, "c", bias=5, strides=2, padding="same")], shape=(13, 2))
    made.config["LayerName"]["c"].update(PE=2, Unroll=[2])
    return made


DESIGNS = {
    "frames": (rich_unrolled_design, "io_parallel", [(2, 3), (2, 1), (1, 2)]),
    "time": (time_design, "io_stream", [(2, 1)]),
}


@pytest.fixture(scope="module", params=[pytest.param("frames", marks=pytest.mark.heavy), "time"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    make, io_type, unroll = DESIGNS[request.param]
    made = make().convert(tmp_path_factory.mktemp(request.param), io_type=io_type)
    assert [node.unroll for node in made.delta_graph.linears] == unroll
    made.compile()
    return made


def test_csim_equals_golden_and_costs_what_the_graph_says(model: Any) -> None:
    graph = model.delta_graph
    stream = walk(np.random.default_rng(1), graph.source.fmt, graph.source.shape, 200)
    golden = Golden(graph)
    for part in np.split(stream, [1, 2, 120]):
        model.reset()
        golden.reset()
        trace = golden.run(part)
        np.testing.assert_array_equal(graph.output.fmt.to_codes(model.predict(part)), trace.outputs)
        if len(part) > 1:
            check_trips(model, trace)


def test_unrolling_shortens_the_longest_events(model: Any) -> None:
    for node in model.delta_graph.linears:
        reached = node.fanout() // (1 if node.depthwise else node.channels_out)
        words = 1 if node.depthwise else node.groups
        assert node.reach().max() < reached.max() * words
