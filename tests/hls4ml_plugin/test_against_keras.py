# SPDX-License-Identifier: Apache-2.0
"""The graph computes with the weights, and what it computes is the results, of the Keras model itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import qkeras
from keras import layers
from qkeras import (
    QActivation,
    QConv1D,
    QConv2D,
    QConv2DBatchnorm,
    QDense,
    QDenseBatchnorm,
    QDepthwiseConv2D,
    QDepthwiseConv2DBatchnorm,
    QSeparableConv2D,
    quantized_bits,
    quantized_relu,
)
from random_models import conv, dense, design, network

from codesign.errors import ConversionError, ConversionWarning, LatticeError
from codesign.fixed import Fixed
from codesign.graph import Graph, quantizers
from codesign.graph.golden import Golden
from codesign.graph.ir import Conv
from codesign.graph.sample import sample_inputs
from codesign.hls4ml_plugin.against_keras import check_against_keras
from codesign.hls4ml_plugin.reader import activations as hls_activations
from codesign.hls4ml_plugin.reader import linear as hls_linear
from codesign.hls4ml_plugin.reader.builder import Reading
from codesign.keras_model import operations as keras_operations
from codesign.layers import DeltaActivation, stream

BIAS = quantized_bits(6, 1, alpha=1)
FOLDING = {"bias_quantizer": BIAS, "folding_mode": "batch_stats_folding", "ema_freeze_delay": 10}


def relu(bits: int) -> QActivation:
    return QActivation(quantized_relu(bits, 2), name="act")


KERNELS = {
    "binary": qkeras.binary(alpha=1),
    "binary, scale by QKeras": qkeras.binary(),
    "binary, power-of-two scales": qkeras.binary(alpha="auto_po2"),
    "binary, a scale per two channels": qkeras.binary(alpha="auto_po2", elements_per_scale=2, scale_axis=0),
    "binary, half": qkeras.binary(alpha=0.5),
    "binary, 0 and 1": qkeras.binary(use_01=True, alpha=1),
    "binary, text": "binary(alpha=1)",
    "stochastic_binary": qkeras.stochastic_binary(alpha=1),
    "stochastic_binary, scales": qkeras.stochastic_binary(alpha="auto_po2"),
    "ternary": qkeras.ternary(alpha=1),
    "ternary, scales": qkeras.ternary(alpha="auto_po2"),
    "stochastic_ternary": qkeras.stochastic_ternary(alpha="auto_po2"),
    "quantized_bits, one bit": quantized_bits(1, 0, alpha=1),
    "quantized_bits, scales": quantized_bits(4, 0, alpha="auto_po2"),
    "quantized_bits, unsigned": quantized_bits(3, 0, keep_negative=False, alpha=1),
    "quantized_bits, stochastic": quantized_bits(4, 0, alpha=1, use_stochastic_rounding=True),
    "quantized_linear": qkeras.quantized_linear(4, 0, alpha=1),
    "quantized_po2": qkeras.quantized_po2(4, max_value=1),
    "quantized_relu": qkeras.quantized_relu(3, 0),
}


def exact(made: Any, folder: Path) -> Graph:
    """Convert, and compare the golden model with Keras on frames that the check itself does not use."""
    graph = made.convert(folder).delta_graph
    x = np.random.default_rng(7).integers(graph.source.fmt.lo, graph.source.fmt.hi + 1, (5, *graph.source.shape))
    values = graph.source.fmt.to_values(x)
    expected = keras.ops.convert_to_numpy(made.keras(values.astype(np.float32), training=False))
    received = graph.output.fmt.to_values(Golden(graph).run(x).outputs)
    np.testing.assert_array_equal(received, expected)
    assert (expected != 0).any()
    assert isinstance(graph, Graph)
    return graph


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_those_of_keras(tmp_path: Path, name: str) -> None:
    exact(design([QDense(4, kernel_quantizer=KERNELS[name], bias_quantizer=BIAS, name="lin")]), tmp_path)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (QConv1D(3, 3, kernel_quantizer=qkeras.binary(alpha=1), bias_quantizer=BIAS, name="lin"), (6, 2)),
        (QConv2D(3, 3, kernel_quantizer=qkeras.binary(alpha=1), bias_quantizer=BIAS, name="lin"), (4, 4, 2)),
        (QDepthwiseConv2D(3, depthwise_quantizer=qkeras.binary(alpha=0.5), bias_quantizer=BIAS, name="lin"), (4, 4, 2)),
        (
            QSeparableConv2D(
                *(3, 3),
                depthwise_quantizer=qkeras.ternary(alpha=1),
                pointwise_quantizer=qkeras.binary(alpha=1),
                bias_quantizer=BIAS,
                name="lin",
            ),
            (4, 4, 2),
        ),
        (QConv2DBatchnorm(3, 3, kernel_quantizer=qkeras.binary(alpha=1), bias_quantizer=BIAS, name="lin"), (4, 4, 2)),
        (QDenseBatchnorm(3, kernel_quantizer=quantized_bits(4, 0, alpha="auto_po2"), name="lin", **FOLDING), (6,)),
        (QConv2DBatchnorm(3, 3, kernel_quantizer=BIAS, use_bias=False, name="lin", **FOLDING), (4, 4, 2)),
        (QDepthwiseConv2DBatchnorm(3, depthwise_quantizer=qkeras.ternary(alpha=1), name="lin", **FOLDING), (4, 4, 2)),
        (QDense(4, kernel_quantizer=qkeras.binary(alpha=1), bias_quantizer=qkeras.binary(alpha=0.5), name="lin"), (6,)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else "",
)
def test_every_linear_layer(tmp_path: Path, layer: Any, shape: tuple[int, ...]) -> None:
    made = design([layer], shape=shape)
    for weight in layer.weights:
        if "variance" in weight.path:
            weight.assign(np.abs(keras.ops.convert_to_numpy(weight)) + 0.5)
    exact(made, tmp_path)


def test_folded_weights_are_rounded_as_the_layer_rounds_them(tmp_path: Path) -> None:
    """Its inference multiplies by rsqrt(variance), `get_folded_weights` by 1 / sqrt(variance): a last bit apart."""
    layer = QDepthwiseConv2DBatchnorm(1, depthwise_quantizer=quantized_bits(6, 0, alpha=1), name="lin", **FOLDING)
    made = design([layer], shape=(2, 2, 512))
    random = np.random.default_rng(5)
    variance = random.uniform(0.2, 3, 512).astype(np.float32)
    halves = (random.integers(-20, 20, 512) + 0.5) / 32  # between two codes
    layer.depthwise_kernel.assign((halves * np.sqrt(variance + np.float32(1e-3))).reshape(1, 1, -1, 1))
    layer.bias.assign(np.zeros(512))
    layer.batchnorm.set_weights([np.ones(512), np.zeros(512), np.zeros(512), variance])
    theirs = quantized_bits(6, 0, alpha=1)(layer.get_folded_weights()[0])
    graph = exact(made, tmp_path)
    conv = graph["lin"]
    assert isinstance(conv, Conv)
    assert (conv.weight_fmt.to_values(conv.weight) != np.asarray(theirs)).any()


@pytest.mark.parametrize(
    ("quantizer", "error", "message"),
    [
        (qkeras.bernoulli(alpha=1), ConversionError, "lin: the kernel is drawn at random .*Next step: use stochastic"),
        (qkeras.binary(alpha="auto"), LatticeError, "lin weight: .*power.*kernel_quantizer=quantized_bits"),
        (quantized_bits(4, 0, alpha=1, qnoise_factor=0.5), LatticeError, "lin weight: .*off the lattice.*Next step"),
        (qkeras.binary(alpha="auto_po2", scale_axis=5), ConversionError, "lin: Keras cannot compute .*Next step"),
    ],
)
def test_kernels_that_are_refused(tmp_path: Path, quantizer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        design([QDense(2, kernel_quantizer=quantizer, bias_quantizer=BIAS, name="lin")]).convert(tmp_path)


def test_equal_quantizers_are_called_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tensors at once; power-of-two scales, which look at more than one element, on their own."""
    calls = []
    call = quantized_bits.__call__

    def counted(self: Any, x: Any) -> Any:
        calls.append(tuple(x.shape))
        return call(self, x)

    q = {"kernel_quantizer": quantized_bits(4, 0, alpha=1), "bias_quantizer": quantized_bits(6, 1, alpha=1)}
    scaled = {**q, "kernel_quantizer": quantized_bits(4, 0, alpha="auto_po2")}
    made = design([QDense(4, **q), relu(3), QDense(3, **scaled), QActivation(quantized_relu(3, 3)), QDense(2, **q)])
    monkeypatch.setattr(quantized_bits, "__call__", counted)
    made.convert(tmp_path)
    assert calls == [(38,), (9,), (4, 3)]
    monkeypatch.undo()
    exact(made, tmp_path)


def test_a_quantizer_of_no_bias_is_not_called(tmp_path: Path) -> None:
    exact(design([QDense(4, kernel_quantizer=qkeras.binary(alpha=1), bias_quantizer=BIAS, use_bias=False)]), tmp_path)


def flip_a_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    place = hls_linear.place

    def flipped(node: Any, delta: Any) -> Any:
        weight = node.weight.copy()
        weight.flat[0] += 1
        return place(replace(node, weight=weight), delta)

    monkeypatch.setattr(hls_linear, "place", flipped)


def test_a_wrong_weight_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip_a_weight(monkeypatch)
    with pytest.raises(
        ConversionError, match=r"fc: 1 of 24 weights .* differ from those of Keras.*\[0, 0\].*Next step"
    ):
        design([dense(3, "fc")]).convert(tmp_path)


def test_a_wrong_bias_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = hls_linear.place
    monkeypatch.setattr(hls_linear, "place", lambda node, delta: place(replace(node, bias=node.bias + 1), delta))
    with pytest.raises(ConversionError, match=r"fc: 3 of 3 biases .* differ from those of Keras"):
        design([dense(3, "fc", bias=5)]).convert(tmp_path)


WRONG = {
    "activation": lambda fields: {**fields, "activation": "identity", "lo": -8, "fmt": Fixed.from_ap("fixed<4,3>")},
    "clip": lambda fields: {**fields, "hi": fields["hi"] - 1},
    "lattice": lambda fields: {**fields, "fmt": Fixed.from_ap("ufixed<3,1>")},
}


@pytest.mark.parametrize("name", WRONG)
def test_the_first_layer_that_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    right = quantizers.relu_fields
    monkeypatch.setattr(hls_activations, "relu_fields", lambda *args: WRONG[name](right(*args)))
    message = r"act: \d+ of \d+ values .* from those of Keras.*Expected: .*QActivation.*Received: .*Next step"
    with pytest.raises(ConversionError, match=message):
        design([dense(6, "fc"), relu(3), dense(2, "fc2")]).convert(tmp_path)


def test_a_wrong_threshold_of_a_hold_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handle: Callable[..., dict[str, Any]] = hls_activations.fields  # type: ignore[assignment]  # None: no activation
    monkeypatch.setattr(hls_activations, "fields", lambda *args: {**handle(*args), "hold": 0.5 + handle(*args)["hold"]})
    layer = DeltaActivation("relu", 4, 2.0**-4, hold=1.0, name="delta")
    with pytest.raises(ConversionError, match=r"delta: \d+ of \d+ values"):
        design([layer, dense(3, "fc")], shape=(40,), precision="ufixed<6,0>").convert(tmp_path)


def test_a_hold_agrees_over_the_frames_of_a_stream(tmp_path: Path) -> None:
    made = design([DeltaActivation("relu", 4, 2.0**-4, hold=1.5, name="delta"), dense(3, "fc")], shape=(40,))
    made.convert(tmp_path)


def test_logits_are_compared_when_the_softmax_is_on_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = quantizers.relu_fields
    for last in ([dense(3, "fc2", activation="softmax")], [dense(3, "fc2"), layers.Softmax(name="s")]):
        made = design([dense(6, "fc"), relu(3), *last])
        made.convert(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(hls_activations, "relu_fields", lambda *args: {**right(*args), "hi": 3})
            with pytest.raises(ConversionError, match=r"act: .*differ"):
                made.convert(tmp_path)
    assert made.keras.layers[-1].name == "s"


def test_sums_wider_than_float32_are_compared_in_float64(tmp_path: Path) -> None:
    """Plain relus keep every bit, so sums grow beyond 24 bits; Keras is right there only in float64."""
    parts = [dense(24, f"fc{i}", bits=8) for i in range(4)]
    made = design([part for fc in parts for part in (fc, layers.ReLU(name=f"r_{fc.name}"))], precision="ufixed<8,0>")
    with pytest.warns(ConversionWarning, match=r"more than float32"):
        graph = made.convert(tmp_path).delta_graph
    assert max(node.fmt.width for node in graph.linears) > 40


def test_wide_sums_are_compared_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip_a_weight(monkeypatch)
    monkeypatch.setattr("codesign.hls4ml_plugin.against_keras._check_weights", lambda *_: None)
    parts = [dense(24, f"fc{i}", bits=8) for i in range(4)]
    made = design([part for fc in parts for part in (fc, layers.ReLU(name=f"r_{fc.name}"))], precision="ufixed<8,0>")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ConversionError, match=r"fc0: .*differ"):
            made.convert(tmp_path)


def test_vitis_compares_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = network(lambda x: dense(3, "fc")(x), shape=(8,))
    made.config["Model"]["Strategy"] = "delta"
    made.convert(tmp_path, backend="Vitis")
    flip_a_weight(monkeypatch)
    with pytest.raises(ConversionError, match=r"fc: 1 of 24 weights"):
        made.convert(tmp_path, backend="Vitis")


def test_layers_are_left_as_they_were(tmp_path: Path) -> None:
    made = design([QDense(4, kernel_quantizer=qkeras.binary(alpha=1), bias_quantizer=BIAS, name="lin")])
    layer = made.keras.get_layer("lin")
    before = dict(vars(layer))
    made.convert(tmp_path)
    assert all(vars(layer)[name] is value for name, value in before.items())


def test_a_model_of_another_front_end_is_announced(tmp_path: Path) -> None:
    model = design([dense(3, "fc")]).convert(tmp_path)
    other = SimpleNamespace(config=SimpleNamespace(config={"OnnxModel": object()}))
    reading = Reading(graph=model.delta_graph, tensors={}, sources={}, activations={}, formats={})
    with pytest.warns(ConversionWarning, match=r"no Keras model to compare"):
        check_against_keras(other, reading)


def test_frames_try_ends_and_ties(tmp_path: Path) -> None:
    q = QActivation(quantized_bits(3, 0, alpha=1), name="q")
    graph = design([q, conv(2, (2, 2), "c")], shape=(6, 6, 1), precision="fixed<9,2>").convert(tmp_path).delta_graph
    frames = sample_inputs(graph.nodes[1])[0]
    q = graph.nodes[1]
    assert frames.shape == (6, 36)
    assert frames.min() < q.lo << q.shift
    assert frames.max() > q.hi << q.shift
    assert ((frames & ((1 << q.shift) - 1)) == 1 << (q.shift - 1)).sum() > 5  # halfway between two codes
    assert (frames[1] == frames[0]).sum() > 18  # mostly unchanged
    np.testing.assert_array_equal(frames, sample_inputs(graph.nodes[1])[0])


def test_the_stream_in_float64_has_the_weights_of_float32() -> None:
    """QKeras cannot compute power-of-two scales in float64."""
    model = keras.Sequential([keras.Input((6,)), QDense(3, kernel_quantizer=quantized_bits(4, 0, alpha="auto_po2"))])
    x = np.random.default_rng(0).integers(0, 8, (4, 6)) / 8
    expected = keras.ops.convert_to_numpy(model(x.astype(np.float32)))
    np.testing.assert_array_equal(stream(model, x).outputs, expected)


@pytest.mark.parametrize("last", [False, True])
def test_operations_are_compared_as_the_user_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bool
) -> None:
    """What stands for an operation in the conversion may be wrong itself, so it is no measure."""

    def build(x: Any) -> Any:
        made = keras.ops.clip(dense(8, "h")(x), 0, 1)
        return made if last else dense(3, "fc")(made)

    monkeypatch.setitem(keras_operations._MAKERS, "Clip", lambda *_: ("ReLU", {"max_value": 0.5}))
    with pytest.raises(ConversionError, match=r"clip.*: .*differ from those of Keras"):
        network(build, shape=(8,), precision="fixed<6,2>").convert(tmp_path)


def test_weights_that_are_no_numbers_are_not_called_random(tmp_path: Path) -> None:
    linear = QDense(3, kernel_quantizer=qkeras.quantized_linear(4, 0, alpha=1), bias_quantizer=BIAS, name="lin")
    made = network(linear, shape=(8,))
    linear.kernel.assign(np.full((8, 3), np.nan))
    with pytest.raises(LatticeError, match=r"lin.*not finite"):
        made.convert(tmp_path)
