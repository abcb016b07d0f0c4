# SPDX-License-Identifier: Apache-2.0
"""Convolutions: what their graph is, every reason to refuse one, and csim against the golden model."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hls_trips import check_trips
from numpy.typing import NDArray
from qkeras import (
    QActivation,
    QConv2D,
    QConv2DBatchnorm,
    QDepthwiseConv2D,
    QSeparableConv2D,
    quantized_bits,
    quantized_relu,
)
from random_models import conv, dense, depthwise, design, rich_conv_design, walk

from codesign.errors import ConfigError, ConversionError, LatticeError, OldNameWarning, UnsupportedLayerError
from codesign.graph.golden import Golden
from codesign.graph.ir import Axis

pytestmark = pytest.mark.timeout(600)
layers = keras.layers


def po2(bits: int = 4) -> Any:
    return quantized_bits(bits, 0, alpha=1)


def relu(name: str = "q") -> Any:
    return QActivation(quantized_relu(4, 2), name=name)


def separable(**kwargs: Any) -> Any:
    quantizers = {f"{what}_quantizer": po2() for what in ("depthwise", "pointwise", "bias")}
    return QSeparableConv2D(3, 3, name="s", **quantizers, **kwargs)


def normalized(model: Any, variance: list[float], name: str = "norm") -> None:
    """Set the statistics of a BatchNormalization to ``variance`` and others on a coarse lattice; epsilon must be 0."""
    layer = model.get_layer(name)
    channels = layer.moving_variance.shape[0]
    variances = np.resize(variance, channels).astype(np.float32)
    for weight, value in ((layer.gamma, 0.5), (layer.beta, 0.25), (layer.moving_mean, -0.125)):
        weight.assign(np.full(channels, value))
    layer.moving_variance.assign(variances)


def agree(made: Any, folder: Path) -> None:
    """Compare Keras and the golden model on a random walk."""
    graph = made.convert(folder).delta_graph
    codes = walk(np.random.default_rng(1), graph.source.fmt, graph.source.shape, 50)
    expected = keras.ops.convert_to_numpy(made.keras(graph.source.fmt.to_values(codes).astype(np.float32)))
    outputs = Golden(graph).run(codes).outputs
    assert len(np.unique(outputs)) > 2
    np.testing.assert_array_equal(graph.output.fmt.to_values(outputs), expected)


EXACT = {
    "same, stride 2": ([conv(3, (3, 3), "c", bias=5, strides=2, padding="same"), relu()], (6, 7, 2)),
    "valid, stride 3, kernel 2": ([conv(2, (2, 2), "c", strides=3), relu()], (8, 6, 1)),
    "stride above kernel": ([conv(2, (1, 2), "c", strides=(3, 2), padding="same"), relu()], (7, 5, 2)),
    "kernel 5 on 4": ([conv(2, (5, 5), "c", padding="same")], (4, 4, 1)),
    "inline relu": ([conv(2, (3, 3), "c", activation=quantized_relu(4, 2))], (4, 5, 2)),
    "depthwise": ([depthwise((3, 2), "c", bias=5, strides=2, padding="same"), relu()], (6, 5, 3)),
    "depthwise valid": ([depthwise((2, 3), "c"), relu()], (5, 6, 2)),
    "separable": ([separable(padding="same", strides=2), relu()], (6, 5, 2)),
    "two in a row": ([conv(2, (2, 2), "a"), conv(3, (2, 2), "c")], (4, 4, 1)),
    "dense behind": ([conv(2, (3, 3), "c", strides=2), relu(), layers.Flatten(), dense(3, "fc")], (7, 7, 1)),
    "flatten last": ([conv(2, (3, 3), "c"), layers.Flatten()], (4, 5, 1)),
    "zeros": ([layers.ZeroPadding2D(((1, 2), (0, 3))), conv(2, (3, 3), "c", strides=2), relu()], (5, 6, 1)),
    "zeros behind an activation": ([relu(), layers.ZeroPadding2D(1), depthwise((3, 3), "c", bias=4)], (4, 5, 2)),
    "time": ([conv(3, 3, "c", bias=5, strides=2, padding="same"), relu()], (9, 2)),
    "time, zeros, dense": (
        [layers.ZeroPadding1D(2), conv(2, 3, "c"), relu(), layers.Flatten(), dense(2, "fc")],
        (6, 1),
    ),
    "reshaped": ([layers.Reshape((3, 4, 1)), conv(2, (2, 2), "c"), relu()], (12,)),
}


@pytest.mark.parametrize("name", EXACT)
def test_keras_equals_golden(tmp_path: Path, name: str) -> None:
    agree(design(EXACT[name][0], shape=EXACT[name][1]), tmp_path)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv2D(3, 3, strides=2, padding="same", name="c"), (6, 5, 2)),
        (layers.DepthwiseConv2D(2, name="c"), (4, 5, 2)),
        (layers.SeparableConv2D(3, 2, padding="same", name="c"), (4, 5, 2)),
        (layers.Conv1D(3, 4, padding="causal", name="c"), (7, 2)),
        (layers.DepthwiseConv1D(3, strides=2, padding="same", name="c"), (8, 2)),
    ],
)
def test_plain_layers_with_weights_on_the_lattice(tmp_path: Path, layer: Any, shape: tuple[int, ...]) -> None:
    made = design([layer], shape=shape)
    for weight in layer.weights:
        weight.assign(np.round(np.asarray(weight) * 8) / 8)
    made.config["Model"]["Precision"]["default"] = "fixed<6,3>"
    agree(made, tmp_path)


def test_rich_conv_model(tmp_path: Path) -> None:
    graph = rich_conv_design().convert(tmp_path).delta_graph
    assert [type(node).__name__ for node in graph.linears] == ["Conv", "Conv", "Dense"]
    assert [node.pe for node in graph.linears] == [2, 2, 3]
    assert (graph["c1"].y, graph["c1"].x) == (Axis.same(6, 3, 2), Axis.same(5, 2, 1))
    assert (graph["dw"].y, graph["dw"].x) == (Axis(size=3, kernel=2, before=1), Axis(size=5, kernel=3, before=1))
    assert graph["dw"].depthwise
    assert graph["d1"].step_log2 == (0, 1, 0, 1)


def test_unroll(tmp_path: Path) -> None:
    made = rich_conv_design()
    made.config["LayerName"]["c1"]["Unroll"] = [9, 1]  # more than an element reaches: all of them
    graph = made.convert(tmp_path).delta_graph
    assert graph["c1"].unroll == (2, 1)
    assert graph["dw"].unroll == (1, 1)


def test_unroll_under_its_old_name(tmp_path: Path) -> None:
    made = rich_conv_design()
    made.config["LayerName"]["c1"]["Taps"] = [2, 1]
    made.config["LayerName"]["dw"]["Taps"] = [1, 2]
    with pytest.warns(OldNameWarning, match=r"\['c1'\]\['Taps'\], .*\['dw'\]\['Taps'\]: 'Taps' is now 'Unroll'") as old:
        graph = made.convert(tmp_path).delta_graph
    assert [item.category for item in old].count(OldNameWarning) == 1
    assert [graph["c1"].unroll, graph["dw"].unroll] == [(2, 1), (1, 2)]
    assert made.config["LayerName"]["c1"]["Taps"] == [2, 1], "the caller's config stays as it is"
    made.config["LayerName"]["c1"]["Unroll"] = [2, 1]
    with pytest.raises(ConfigError, match=r"\['c1'\]: 'Taps' is the old name of 'Unroll'.*remove 'Taps'"):
        made.convert(tmp_path)


@pytest.mark.parametrize(
    ("layer", "unroll", "message"),
    [
        ("c1", [3], r"\['c1'\]\['Unroll'\]: one number per axis.*2 numbers.*\[3\]"),
        ("c1", [0, 1], r"not a positive integer.*Received: 0"),
        ("c1", "3", r"one number per axis.*'3'"),
        ("fc", [1, 1], r"Unroll belongs to a layer whose window slides.*'c1'.*Received: 'fc'"),
    ],
)
def test_unroll_that_cannot_be(tmp_path: Path, layer: Any, unroll: object, message: str) -> None:
    made = rich_conv_design()
    made.config["LayerName"].setdefault(layer, {})["Unroll"] = unroll
    with pytest.raises(ConfigError, match=message):
        made.convert(tmp_path)


def test_separable_is_two_layers(tmp_path: Path) -> None:
    graph = design([separable()], shape=(5, 5, 2)).convert(tmp_path).delta_graph
    assert [node.name for node in graph.linears] == ["s_depthwise", "s"]


@pytest.mark.parametrize("first", ["dense", "conv", "depthwise"])
def test_batch_normalization_is_folded(tmp_path: Path, first: str) -> None:
    layer = {"dense": dense(4, "a"), "conv": conv(4, (2, 2), "a"), "depthwise": depthwise((2, 2), "a")}[first]
    norm = layers.BatchNormalization(epsilon=0.0, name="norm")
    made = design([layer, norm, relu()], shape=(6,) if first == "dense" else (4, 4, 4))
    normalized(made.keras, [4.0, 0.25, 1.0, 0.0625])
    agree(made, tmp_path)


def test_qconv2dbatchnorm(tmp_path: Path) -> None:
    layer = QConv2DBatchnorm(3, 2, kernel_quantizer=po2(5), bias_quantizer=po2(6), name="c")
    made = design([layer, relu()], shape=(4, 5, 2))
    layer.batchnorm.moving_variance.assign([0.3, 1.7, 2.2])
    agree(made, tmp_path)


FRAME = (6, 6, 2)
REFUSED = {
    "dilation": ([conv(2, (2, 2), "c", dilation_rate=2)], FRAME, UnsupportedLayerError, "c: .*dilation_rate.*larger"),
    "groups": ([layers.Conv2D(4, 2, groups=2, name="c")], FRAME, UnsupportedLayerError, "c: .*groups.*Depthwise"),
    "channels first": (
        [layers.Conv2D(4, 2, data_format="channels_first", name="c")],
        FRAME,
        UnsupportedLayerError,
        "c: .*data_format=.channels_first",
    ),
    "depth multiplier": (
        [QDepthwiseConv2D(2, depth_multiplier=2, depthwise_quantizer=po2(), use_bias=False, name="c")],
        FRAME,
        UnsupportedLayerError,
        "c: .*depth_multiplier=2.*kernel 1",
    ),
    "float kernel": ([layers.Conv2D(4, 2, name="c")], FRAME, LatticeError, "c weight: .*QConv2D with kernel_quantizer"),
    "float depthwise": ([layers.DepthwiseConv2D(2, name="c")], FRAME, LatticeError, "c weight: .*depthwise_quantizer"),
    "float bias": (
        [QConv2D(2, 2, kernel_quantizer=po2(), bias_initializer="ones", name="c")],
        FRAME,
        LatticeError,
        "c bias: .*bias_quantizer",
    ),
    "zeros before an activation": (
        [layers.ZeroPadding2D(1, name="z"), relu(), conv(2, (2, 2), "c")],
        FRAME,
        UnsupportedLayerError,
        "z: zero padding.*Activation 'q'.*padding='same'",
    ),
    "zeros before padding": (
        [layers.ZeroPadding2D(1, name="z"), conv(2, (3, 3), "c", padding="same")],
        FRAME,
        UnsupportedLayerError,
        "z: zero padding.*'c', which pads itself",
    ),
    "zeros last": ([conv(2, (2, 2), "c"), layers.ZeroPadding2D(1, name="z")], FRAME, UnsupportedLayerError, "z: .*end"),
    "normalised rows": (
        [conv(2, (2, 2), "c"), layers.BatchNormalization(axis=1, name="norm")],
        FRAME,
        UnsupportedLayerError,
        "norm: .*axis=-1",
    ),
    "normalised codes": (
        [conv(2, (2, 2), "c"), relu(), layers.BatchNormalization(name="norm")],
        FRAME,
        UnsupportedLayerError,
        "norm: .*BatchNormalization",
    ),
    "PE": (
        [conv(6, (2, 2), "c")],
        FRAME,
        ConversionError,
        r"c: PE does not divide.*\[1, 2, 3, 6\].*PE=4",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    chain, shape, error, message = REFUSED[name]

    def convert() -> None:
        made = design(chain, shape=shape)  # some are refused by config_from_keras_model already
        if name == "PE":
            made.config["LayerName"]["c"]["PE"] = 4
        made.convert(tmp_path)

    with pytest.raises(error, match=message):
        convert()


def test_inexact_normalization_is_refused(tmp_path: Path) -> None:
    made = design([conv(2, (2, 2), "c"), layers.BatchNormalization(name="norm")], shape=FRAME)
    normalized(made.keras, [0.3, 1.7])
    with pytest.raises(LatticeError, match=r"norm weight: .*QConv2DBatchnorm"):
        made.convert(tmp_path)


@pytest.fixture(scope="module", params=[pytest.param("io_parallel", marks=pytest.mark.heavy), "io_stream"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = rich_conv_design().convert(tmp_path_factory.mktemp(request.param), io_type=request.param)
    made.compile()
    return made


@pytest.fixture
def stream(model: Any) -> NDArray[np.int64]:
    """A new stream: the model after reset, and codes of 300 frames."""
    model.reset()
    return walk(np.random.default_rng(1), model.delta_graph.source.fmt, model.delta_graph.source.shape, 300)


def codes_of(model: Any, x: Any) -> NDArray[np.int64]:
    return np.asarray(model.delta_graph.output.fmt.to_codes(model.predict(x)))


def test_csim_equals_golden_over_calls_and_resets(model: Any, stream: NDArray[np.int64]) -> None:
    golden = Golden(model.delta_graph)
    for part in np.split(stream, [1, 2, 100, 250]):
        np.testing.assert_array_equal(codes_of(model, part), golden.run(part).outputs)
    carried_on = golden.run(stream[:1]).outputs
    model.reset()
    golden.reset()
    fresh = golden.run(stream[:1]).outputs
    assert (carried_on != fresh).any()  # otherwise the hold remembers nothing and this test shows nothing
    np.testing.assert_array_equal(codes_of(model, stream[:1]), fresh)


def test_counters(model: Any, stream: NDArray[np.int64]) -> None:
    model.predict(stream)
    check_trips(model, Golden(model.delta_graph).run(stream))


def test_an_unchanged_frame_does_no_macs(model: Any, stream: NDArray[np.int64]) -> None:
    model.predict(np.repeat(stream[:1], 3, axis=0))
    for node in model.delta_graph.linears:
        stats = model.csim_stats[node.name]["per_frame"]
        assert stats["macs"][0] > 0
        assert (stats["events"][1:] == 0).all()
        assert (stats["macs"][1:] == 0).all()
