# SPDX-License-Identifier: Apache-2.0
"""Keras == golden == csim == RTL, on every output of random models and random walks."""

import keras
import numpy as np
import pytest
from random_models import random_conv_design, random_design, walk

from codesign.golden import Golden
from codesign.layers import stream

pytestmark = pytest.mark.timeout(600)


def agree(tmp_path, seed, *, hold, io_type, frames=1500, make=random_design):
    """Compare the four on one model; print what was compared."""
    rng = np.random.default_rng(seed)
    made = make(rng, hold=hold)
    model = made.convert(tmp_path, io_type=io_type)
    model.compile()
    graph = model.delta_graph
    codes = walk(rng, graph.source.fmt, graph.source.shape, frames)
    values = graph.source.fmt.to_values(codes)
    expected = Golden(graph).run(codes).outputs
    outputs = {
        "keras": stream(made.keras, values).outputs,
        "csim": model.predict(values),
        "rtl": np.concatenate([model.predict(part, sim="rtl") for part in np.array_split(codes, 3)]),
    }
    if not hold:
        outputs["plain keras"] = keras.ops.convert_to_numpy(made.keras(values.astype(np.float32)))
    wrong = {name: int((graph.output.fmt.to_codes(got) != expected).sum()) for name, got in outputs.items()}
    kinds = [type(node).__name__ for node in graph.nodes]
    print(f"seed {seed}, hold {hold}, {io_type}, {kinds}: {expected.size} values, mismatches {wrong}")
    assert not any(wrong.values()), wrong
    assert len(np.unique(expected)) > 1


@pytest.mark.parametrize(("seed", "hold", "io_type"), [(1, True, "io_parallel"), (2, False, "io_stream")])
def test_random_model(tmp_path, seed, hold, io_type):
    agree(tmp_path, seed, hold=hold, io_type=io_type)


def test_random_convolutional_model(tmp_path):
    agree(tmp_path, 3, hold=True, io_type="io_parallel", frames=300, make=random_conv_design)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(200, 212))
def test_many_random_convolutional_models(tmp_path, seed):
    io_type = ["io_parallel", "io_stream"][seed // 2 % 2]
    agree(tmp_path, seed, hold=seed % 2 == 0, io_type=io_type, frames=600, make=random_conv_design)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 124))
def test_many_random_models(tmp_path, seed):
    agree(tmp_path, seed, hold=seed % 2 == 0, io_type=["io_parallel", "io_stream"][seed // 2 % 2], frames=4000)
