# SPDX-License-Identifier: Apache-2.0
"""Keras == golden == csim == RTL, on every output of random models and random walks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from random_models import random_branch_design, random_conv_design, random_design, walk

from codesign.graph.golden import Golden
from codesign.layers import stream

pytestmark = pytest.mark.timeout(600)


def living_model(
    rng: np.random.Generator, tmp_path: Path, hold: bool, io_type: str, frames: int, make: Callable[..., Any]
) -> tuple[Any, Any, NDArray[np.int64], NDArray[np.int64]]:
    """Return a random model whose output is not constant, as design and ModelGraph, and a stream: codes, outputs."""
    for attempt in range(20):
        made = make(rng, hold=hold)
        model = made.convert(tmp_path / str(attempt), io_type=io_type)
        source = model.delta_graph.source
        codes = walk(rng, source.fmt, source.shape, frames)
        expected = Golden(model.delta_graph).run(codes).outputs
        if len(np.unique(expected)) > 1:
            return made, model, codes, expected
    raise AssertionError("20 models with constant outputs")


def agree(
    tmp_path: Path, seed: int, *, hold: bool, io_type: str, frames: int, make: Callable[..., Any] = random_design
) -> None:
    """Compare the four on one model; print what was compared."""
    made, model, codes, expected = living_model(np.random.default_rng(seed), tmp_path, hold, io_type, frames, make)
    model.compile()
    graph = model.delta_graph
    values = graph.source.fmt.to_values(codes)
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


@pytest.mark.parametrize(
    ("seed", "hold", "io_type"),
    [(1, True, "io_parallel"), pytest.param(2, False, "io_stream", marks=pytest.mark.heavy)],
)
def test_random_model(tmp_path: Path, seed: int, hold: bool, io_type: str) -> None:
    agree(tmp_path, seed, hold=hold, io_type=io_type, frames=600)


@pytest.mark.heavy  # of the branching model some layers are convolutions, too
def test_random_convolutional_model(tmp_path: Path) -> None:
    agree(tmp_path, 9, hold=True, io_type="io_parallel", frames=300, make=random_conv_design)


def test_random_branching_model(tmp_path: Path) -> None:
    agree(tmp_path, 310, hold=True, io_type="io_stream", frames=300, make=random_branch_design)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(300, 316))
def test_many_random_branching_models(tmp_path: Path, seed: int) -> None:
    io_type = ["io_parallel", "io_stream"][seed // 2 % 2]
    agree(tmp_path, seed, hold=seed % 2 == 0, io_type=io_type, frames=600, make=random_branch_design)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(200, 212))
def test_many_random_convolutional_models(tmp_path: Path, seed: int) -> None:
    io_type = ["io_parallel", "io_stream"][seed // 2 % 2]
    agree(tmp_path, seed, hold=seed % 2 == 0, io_type=io_type, frames=600, make=random_conv_design)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 124))
def test_many_random_models(tmp_path: Path, seed: int) -> None:
    agree(tmp_path, seed, hold=seed % 2 == 0, io_type=["io_parallel", "io_stream"][seed // 2 % 2], frames=4000)
