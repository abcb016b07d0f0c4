# SPDX-License-Identifier: Apache-2.0
"""QKeras frame models for the layer tests, and the graphs the golden model reads them as."""

from __future__ import annotations

import keras
import numpy as np
import qkeras

from codesign.fixed import Fixed
from codesign.graph import Delta, Dense, Graph, Source, accumulator_format
from codesign.layers import DeltaActivation

PIXEL = Fixed(width=8, frac=8, signed=False)
WEIGHT = Fixed.from_qkeras(6, 1, signed=True)


def to_delta(layer: DeltaActivation, source: str, shape: tuple[int, ...], in_fmt: Fixed) -> Delta:
    return Delta(
        name=layer.name,
        input=source,
        shape=shape,
        in_fmt=in_fmt,
        fmt=layer.fmt,
        activation=layer.activation,  # type: ignore[arg-type]  # Keras knows texts only
        step_log2=layer.step_log2,
        channels=shape[-1],
        lo=layer.lo,
        hi=layer.hi,
        hold=layer.hold,
    )


def to_graph(model: keras.Sequential, in_fmt: Fixed = PIXEL) -> Graph:
    """The graph of ``DeltaActivation`` and ``QDense`` layers (bias and weights on `WEIGHT`)."""
    nodes: list[Source | Delta | Dense] = [Source(name="x", shape=model.input_shape[1:], fmt=in_fmt)]
    for layer in model.layers:
        before = nodes[-1]
        if isinstance(layer, DeltaActivation):
            nodes.append(to_delta(layer, before.name, before.shape, before.fmt))
        elif isinstance(layer, qkeras.QDense):
            assert isinstance(before, Delta)
            kernel, bias = layer.quantizers
            weight = WEIGHT.to_codes(kernel(layer.kernel))
            offset = WEIGHT.to_codes(bias(layer.bias)) << before.fmt.frac
            fmt = accumulator_format(layer.name, weight, offset, weight_fmt=WEIGHT, delta=before)
            nodes.append(
                Dense(name=layer.name, input=before.name, weight=weight, bias=offset, weight_fmt=WEIGHT, fmt=fmt)
            )
    return Graph(name=model.name, nodes=tuple(nodes))


def frame_model(hold: float | None = None, activation: str = "relu", seed: int = 1) -> keras.Sequential:
    """A 6x6 network with per-channel steps, weights scaled so that deltas of every size occur."""
    keras.utils.set_random_seed(seed)

    def dense(units: int, name: str) -> qkeras.QDense:
        quantizers = {f"{what}_quantizer": qkeras.quantized_bits(6, 1, alpha=1) for what in ("kernel", "bias")}
        return qkeras.QDense(units, name=name, bias_initializer="glorot_uniform", **quantizers)

    steps = [2.0**-4, 2.0**-3, 2.0**-2] * 4
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            DeltaActivation("relu", 4, 2.0**-4, hold, name="encode"),
            keras.layers.Flatten(),
            dense(12, "fc1"),
            DeltaActivation(activation, 7, steps, hold, name="delta1"),
            dense(10, "fc2"),
        ],
        name="tiny",
    )


def walk(rng: np.random.Generator, shape: tuple[int, ...], pace: int, lo: int = 0, hi: int = 255) -> np.ndarray:
    """A bounded random walk of codes over the first axis of ``shape``."""
    start = rng.integers(lo, hi + 1, shape[1:])
    return np.clip(start + np.cumsum(rng.integers(-pace, pace + 1, shape), axis=0), lo, hi)
