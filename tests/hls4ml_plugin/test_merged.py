# SPDX-License-Identifier: Apache-2.0
"""A relu and the quantizer after it become one activation, which computes what both do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from qkeras import QActivation, QConv2D, quantized_bits, quantized_relu
from random_models import Design

from codesign.errors import ConversionError
from codesign.graph.golden import Golden
from codesign.graph.ir import Delta
from codesign.hls4ml_plugin.reader import nodes
from codesign.layers import DeltaActivation, delta, stream

Make = Callable[[Any], Any]


def bits(width: int, integer: int) -> Any:
    return quantized_bits(width, integer, alpha=1)


def network(after: Make, activation: Any = None) -> Any:
    """Return ``after`` on a convolution that gives values of both signs up to about 8."""
    frame = keras.Input((5, 5, 2), name="frame")
    codes = QActivation(bits(5, 1), name="codes")(frame)
    kernel = {"kernel_quantizer": bits(5, 1), "bias_quantizer": bits(5, 1)}
    model = keras.Model(frame, after(QConv2D(4, 3, activation=activation, name="conv", **kernel)(codes)))
    random = np.random.default_rng(4)
    model.set_weights([random.uniform(-1.5, 1.5, weight.shape) for weight in model.get_weights()])
    return model


def chain(*made: Any) -> Make:
    def after(x: Any) -> Any:
        for layer in made:
            x = layer(x)
        return x

    return after


def second() -> Any:
    return QActivation(quantized_relu(4, 2), name="q")


CASES: dict[str, tuple[Make, str | None, tuple[str, int, int]]] = {
    "an argument": (chain(second()), "relu", ("relu", 0, 15)),
    "fewer bits": (chain(L.ReLU(), QActivation(quantized_relu(3, 2), name="q")), None, ("relu", 0, 7)),
    "signed codes": (chain(L.ReLU(), QActivation(bits(4, 2), name="q")), None, ("relu", 0, 7)),
    "a limit between two codes": (chain(L.ReLU(2.3125), second()), None, ("relu", 0, 9)),
    "a limit above all codes": (chain(L.Activation("relu6"), second()), None, ("relu", 0, 15)),
    "two of them": (chain(L.ReLU(), L.ReLU(1.5), second()), None, ("relu", 0, 6)),
    "moves between": (chain(L.ReLU(), L.Dropout(0.1), L.Flatten(), L.Rescaling(0.5), second()), None, ("relu", 0, 15)),
    "a hold": (chain(L.ReLU(), DeltaActivation("identity", 5, 0.5, hold=1.0, name="q")), None, ("relu", 0, 15)),
    "a step per channel": (
        chain(L.ReLU(6.0), DeltaActivation("relu", bits=5, step=[0.5, 0.25, 0.25, 1.0], name="q")),
        None,
        ("relu", 0, 24),
    ),
}


def frames() -> Any:
    return np.random.default_rng(5).integers(-64, 64, (6, 5, 5, 2)) / 32


def graph_of(model: Any, folder: Path) -> Any:
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    graph = Design(keras=model, config=config).convert(folder).delta_graph
    received = graph.output.fmt.to_values(Golden(graph).run(graph.source.fmt.to_codes(frames())).outputs)
    expected = stream(model, frames()).outputs
    np.testing.assert_array_equal(received.reshape(expected.shape), expected)
    assert (expected > 0).any()
    assert (expected == 0).any()
    return graph


@pytest.mark.parametrize("case", CASES)
def test_one_activation(tmp_path: Path, case: str) -> None:
    after, activation, (kind, lo, hi) = CASES[case]
    graph = graph_of(network(after, activation), tmp_path)
    assert [node.name for node in graph.deltas] == ["codes", "q"]
    made = graph["q"]
    assert (made.activation, made.lo, made.hi, made.input) == (kind, lo, hi, "conv")


def test_a_relu_that_others_read_stays(tmp_path: Path) -> None:
    graph = graph_of(network(lambda x: L.Add()([x, second()(x)]), "relu"), tmp_path)
    assert {node.name for node in graph.deltas} == {"codes", "conv_relu", "q"}
    assert graph["q"].input == graph["conv_relu"].input == "conv"


REFUSED = {
    "a limit under a hold": chain(L.ReLU(6.0), DeltaActivation("identity", bits=5, step=0.5, hold=1.0, name="q")),
    "a limit that steps round to two codes": chain(
        L.ReLU(1.25), DeltaActivation("relu", bits=5, step=[0.5, 0.25, 0.25, 1.0], name="q")
    ),
    "one that rounds": chain(QActivation(quantized_relu(3, 2)), second()),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_one_activation(tmp_path: Path, case: str) -> None:
    with pytest.raises(ConversionError, match=r"q: two activations in a row.*relu before a quantizer"):
        graph_of(network(REFUSED[case]), tmp_path)


@pytest.mark.parametrize("fault", ["hi", "kind"])
def test_a_wrong_merge_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    real = nodes.merged

    def wrong(first: Delta, fields: Any) -> Delta | None:
        made = real(first, fields)
        changes: dict[str, Any] = (
            {"hi": made.hi - 1} if fault == "hi" and made else {"activation": "identity", "lo": -8}
        )
        return made and replace(made, **changes)

    monkeypatch.setattr(nodes, "merged", wrong)
    with pytest.raises(ConversionError, match=r"q: .*differ from those of Keras"):
        graph_of(network(chain(L.ReLU(), QActivation(bits(4, 2), name="q"))), tmp_path)


def test_delta_makes_them_one_too(tmp_path: Path) -> None:
    for activation, quantizer in (("relu", quantized_relu(4, 2)), ("relu6", bits(4, 3))):
        model = network(chain(QActivation(quantizer, name="q")), activation)
        made = delta(model, clips=frames())
        assert [layer.name for layer in made.layers if isinstance(layer, DeltaActivation)] == ["codes", "q"]
        graph_of(made, tmp_path / activation)
