# SPDX-License-Identifier: Apache-2.0
"""Keras in float64 against the golden model, frame by frame."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from layers import tiny_models as models

from codesign.errors import FrameError
from codesign.graph.golden import Golden
from codesign.layers import DeltaActivation, stream, streaming


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("hold", [None, 0.5, 0.75, 1.5])
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_golden_model(hold: float | None, activation: str, seed: int, rng: np.random.Generator) -> None:
    frame = models.frame_model(hold, activation, seed)
    graph = models.to_graph(frame)
    frames = models.walk(rng, (400, 6, 6, 1), pace=6)
    run, golden = stream(frame, frames / 256), Golden(graph).run(frames)
    assert np.array_equal(graph.output.fmt.to_codes(run.outputs), golden.outputs)
    assert run.codes.keys() == golden.codes.keys()
    for name, codes in run.codes.items():
        assert codes.dtype == np.int64
        assert np.array_equal(codes.reshape(len(frames), -1), golden.codes[name])
        assert len(np.unique(codes)) > 8  # the test moves


def test_is_exact_beyond_float32() -> None:
    frame = keras.Sequential(
        [
            keras.Input((2,)),
            DeltaActivation("relu", 20, 2.0**-10),
            keras.layers.Dense(1, kernel_initializer="ones", use_bias=False),
        ]
    )
    frame.set_weights([np.array([[1.0], [2.0**-12]], np.float32)])
    x = np.array([[1023 + 1023 / 1024, 1 / 1024]])
    assert stream(frame, x).outputs.item() == x[0, 0] + x[0, 1] * 2.0**-12
    assert frame(x).numpy().item() != stream(frame, x).outputs.item()
    assert keras.config.floatx() == "float32"


@pytest.mark.parametrize("shape", [(0, 6, 6, 1), (6, 6, 1), (3, 6, 5, 1)])
def test_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match=r"\[T, 6, 6, 1\]"):
        stream(models.frame_model(), np.zeros(shape))


@pytest.mark.parametrize("hold", [None, 0.75])
def test_what_is_kept_follows_the_model(hold: float | None, rng: np.random.Generator) -> None:
    """A stream's copy is used again as long as the model is the same: other weights or quantizers are another one."""
    frame = models.frame_model(hold)
    codes = models.walk(rng, (70, 6, 6, 1), pace=6)
    frames = codes / 256
    first = stream(frame, frames)
    for count in (1, 3, 64, 70):
        again = stream(frame, frames[:count])
        assert np.array_equal(again.outputs, first.outputs[:count])
        assert all(np.array_equal(sent, first.codes[name][:count]) for name, sent in again.codes.items())
    kernels = [weight for weight in frame.weights if weight.name == "kernel"]
    kernels[0].assign(np.roll(kernels[0].numpy(), 1))
    changed = stream(frame, frames)
    assert (changed.outputs != first.outputs).any()
    graph = models.to_graph(frame)
    assert np.array_equal(graph.output.fmt.to_codes(changed.outputs), Golden(graph).run(codes).outputs)


def test_a_second_stream_is_not_traced_again(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, built = models.frame_model(), list[int]()
    build = streaming.streaming

    def counted(model: keras.Model, frames: int) -> streaming.Run:
        built.append(frames)
        return build(model, frames)

    monkeypatch.setattr(streaming, "streaming", counted)
    for count in (33, 50, 64, 20):
        stream(frame, models.walk(rng, (count, 6, 6, 1), pace=6) / 256)
    assert built == [64, 32]
