# SPDX-License-Identifier: Apache-2.0
"""What the delta graph of a Keras model is, and every reason to refuse one. Nothing is compiled here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from nodes import node
from qkeras import QActivation, QDense, quantized_bits, quantized_relu, ternary
from random_models import dense, design, rich_design

from codesign.errors import (
    AccumulatorRangeError,
    ConfigError,
    ConversionError,
    ConversionWarning,
    LatticeError,
    UnsupportedLayerError,
)
from codesign.fixed import Fixed
from codesign.graph import Delta, Dense, Graph
from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.reader.builder import build_graph
from codesign.layers import DeltaActivation

Edit = Callable[[dict[str, Any]], object]
"""Changes a configuration before it is converted."""

pytestmark = pytest.mark.timeout(120)


def graph_of(layers: Any, tmp_path: Path, edit: Edit | None = None, backend: str = "Delta", **kwargs: Any) -> Graph:
    made = design(layers, **kwargs)
    if edit is not None:
        edit(made.config)
    graph = made.convert(tmp_path, backend=backend).delta_graph
    assert isinstance(graph, Graph)
    return graph


def kernel(**kwargs: Any) -> dict[str, Any]:
    return {"kernel_quantizer": quantized_bits(4, 0, **{"alpha": 1, **kwargs}), "use_bias": False, "name": "fc"}


def test_rich_model(tmp_path: Path) -> None:
    model = rich_design().convert(tmp_path)
    graph = build_graph(model)
    assert graph is model.delta_graph
    assert [node.name for node in graph.nodes] == [
        "frame",
        "d0",
        "fc1",
        "d1",
        "fc2",
        "fc2_quantized_relu",
        "fc3",
        "out",
    ]
    assert graph.source.fmt == Fixed(width=9, frac=7, signed=True)
    assert graph.source.lanes == 4
    assert [node.pe for node in graph.linears] == [3, 2, 5]
    assert graph["d1"].step_log2 == (2, 1, 0) * 4
    assert (graph["d0"].hold, graph["d1"].hold) == (pytest.approx(0.7), 1.5)
    assert (graph["out"].lo, graph["out"].hi) == (-31, 31)
    # The bias of fc2 has 10 fraction bits, its weights 3 and its codes 5: the weights are refined by 2.
    assert (graph["fc2"].fmt.frac, graph["fc2"].weight_fmt) == (10, Fixed(width=6, frac=5, signed=True))
    assert (graph["fc2"].weight % 4 == 0).all()


@pytest.mark.parametrize("alpha", ["auto_po2", 0.5])
def test_power_of_two_scales_become_a_lattice(tmp_path: Path, alpha: str | float) -> None:
    layer = QDense(6, **kernel(alpha=alpha))
    graph = graph_of([layer], tmp_path)
    weights = keras.ops.convert_to_numpy(layer.kernel_quantizer_internal(layer.kernel))
    fc = node(graph, "fc", Dense)
    np.testing.assert_array_equal(fc.weight_fmt.to_values(fc.weight), weights)


@pytest.mark.parametrize("name", ["activation", "hold"])
def test_a_delta_activation_may_have_the_name_of_an_attribute(tmp_path: Path, name: str) -> None:
    graph = graph_of([dense(4, "a"), DeltaActivation("relu", bits=4, step=0.25, hold=1.5, name=name)], tmp_path)
    delta = graph.output
    assert isinstance(delta, Delta)
    assert (delta.activation, delta.lo, delta.hold) == ("relu", 0, 1.5)


def test_ternary_weights(tmp_path: Path) -> None:
    graph = graph_of([QDense(4, kernel_quantizer=ternary(alpha=1), use_bias=False, name="fc")], tmp_path)
    assert set(np.unique(node(graph, "fc", Dense).weight)) <= {-1, 0, 1}


def test_identity_deltas_are_inserted(tmp_path: Path) -> None:
    graph = graph_of([dense(4, "a"), keras.layers.Activation("linear"), dense(3, "b")], tmp_path)
    assert [node.name for node in graph.nodes] == ["frame", "a_input", "a", "b_input", "b"]
    assert graph["b_input"].fmt == graph["a"].fmt


@pytest.mark.parametrize("relu", ["inline", "activation", "layer"])
def test_plain_relu_keeps_every_bit(tmp_path: Path, relu: str) -> None:
    last = {"inline": [], "activation": [keras.layers.Activation("relu")], "layer": [keras.layers.ReLU()]}[relu]
    first = dense(4, "a", activation="relu" if relu == "inline" else None)
    graph = graph_of([first, *last], tmp_path)
    delta = graph.output
    assert isinstance(delta, Delta)
    assert (delta.activation, delta.shift, delta.hi) == ("relu", 0, graph["a"].fmt.hi)


@pytest.mark.parametrize(
    "quantizer",
    [
        quantized_relu(3, 1),
        quantized_relu(4, 0),
        quantized_relu(5, 6),
        quantized_bits(4, 1, alpha=1),
        quantized_bits(4, 1, symmetric=1, alpha=1),
        quantized_bits(3, 0, keep_negative=False, alpha=1),
        quantized_bits(2, 0),
    ],
    ids=str,
)
def test_qkeras_rounding_and_clip(tmp_path: Path, quantizer: Any) -> None:
    """Every code of a fine input through the quantiser, ties and both ends included: QKeras == golden."""
    made = design([QActivation(quantizer, name="q")], shape=(4096,), precision="fixed<12,4>")
    graph = made.convert(tmp_path).delta_graph
    codes = np.arange(-2048, 2048)[None]
    expected = keras.ops.convert_to_numpy(made.keras(graph.source.fmt.to_values(codes).astype(np.float32)))
    np.testing.assert_array_equal(graph.output.fmt.to_values(Golden(graph).run(codes).outputs), expected)


def test_pe_and_p(tmp_path: Path) -> None:
    def edit(config: dict[str, Any]) -> None:
        config["Model"].update(PE=5, P=3)
        config["LayerName"]["b"]["PE"] = 100

    graph = graph_of([dense(12, "a"), dense(6, "b"), dense(7, "c")], tmp_path, edit)
    assert [node.pe for node in graph.linears] == [4, 6, 1]
    assert graph.source.lanes == 3


def test_defaults(tmp_path: Path) -> None:
    graph = graph_of([dense(48, "a")], tmp_path, lambda c: c["LayerName"].pop("frame"), shape=(40,))
    assert graph.source.fmt == Fixed(width=16, frac=10, signed=True)
    assert (graph.source.lanes, node(graph, "a", Dense).pe) == (16, 16)


def test_wide_accumulator_warns(tmp_path: Path) -> None:
    with pytest.warns(ConversionWarning, match="fc: the accumulator has 3. bits"):
        graph_of([dense(4, "fc", bits=16)], tmp_path, precision="fixed<16,6>")


def strategy(value: object) -> Edit:
    return lambda config: config["LayerName"]["fc"].update(Strategy=value)


def pe(value: object) -> Edit:
    return lambda config: config["LayerName"]["fc"].update(PE=value)


DENSE = dense(4, "fc")
REFUSED: dict[str, tuple[list[Any], dict[str, Any], type[Exception], str]] = {
    "elu": ([dense(4, "fc"), keras.layers.Activation("elu", name="act")], {}, UnsupportedLayerError, "act:.*elu"),
    "normalisation": (
        [dense(4, "fc"), keras.layers.BatchNormalization(name="norm")],
        {},
        LatticeError,
        "norm weight: .*QConv2DBatchnorm",
    ),
    "channels first": (
        [keras.layers.Flatten(data_format="channels_first", name="flat"), dense(4, "fc")],
        {"shape": (2, 4)},
        UnsupportedLayerError,
        "flat: .*channels_last",
    ),
    "alpha auto": ([QDense(4, **kernel(alpha="auto"))], {}, LatticeError, "fc weight: .*alpha=1"),
    "float weights": ([keras.layers.Dense(4, name="fc")], {}, LatticeError, "fc weight: .*kernel_quantizer"),
    "float bias": (
        [QDense(4, kernel_quantizer=quantized_bits(4, 0, alpha=1), name="fc")],
        {},
        LatticeError,
        "fc bias: .*bias_quantizer",
    ),
    "too wide": ([dense(4, "fc", bits=24)], {"precision": "fixed<30,6>"}, AccumulatorRangeError, "fc: "),
    "float input": ([DENSE], {"precision": "float"}, LatticeError, "frame: not a fixed-point type"),
    "two activations": (
        [dense(4, "fc"), DeltaActivation("relu", name="a"), QActivation(quantized_relu(4, 1), name="b")],
        {},
        ConversionError,
        "b: two activations in a row.*'a'",
    ),
    "slope": (
        [dense(4, "fc"), QActivation(quantized_relu(4, 1, negative_slope=0.25), name="q")],
        {},
        UnsupportedLayerError,
        "q: .*negative_slope",
    ),
    "stochastic": (
        [dense(4, "fc"), QActivation(quantized_bits(4, 1, alpha=1, use_stochastic_rounding=True), name="q")],
        {},
        UnsupportedLayerError,
        "q: .*use_stochastic_rounding",
    ),
    "scaled activation": (
        [dense(4, "fc"), QActivation(quantized_bits(4, 1, alpha="auto"), name="q")],
        {},
        UnsupportedLayerError,
        "q: .*alpha",
    ),
    "upper bound": (
        [dense(4, "fc"), QActivation(quantized_relu(4, 1, relu_upper_bound=1.0, is_quantized_clip=False), name="q")],
        {},
        UnsupportedLayerError,
        "q: .*relu_upper_bound",
    ),
    "sign": ([dense(4, "fc"), QActivation(quantized_bits(1, 1, alpha=1), name="q")], {}, UnsupportedLayerError, "sign"),
    "coarse relu": (
        [dense(4, "fc", activation="relu")],
        {"edit": lambda config: config["LayerName"]["fc_relu"].update(Precision="ufixed<4,1>")},
        ConversionError,
        "fc_relu: .*QActivation",
    ),
    "resource strategy": ([dense(4, "fc")], {"edit": strategy("Resource")}, ConversionError, "fc: .*'Resource'"),
    "latency strategy": ([dense(4, "fc")], {"edit": strategy("Latency")}, ConversionError, "fc: .*'Latency'"),
    "mixed strategies on Vitis": (
        [dense(4, "fc"), dense(3, "b")],
        {"edit": strategy("delta"), "backend": "Vitis"},
        ConversionError,
        "b: every linear layer",
    ),
    "PE": ([dense(4, "fc")], {"edit": pe(3)}, ConversionError, r"fc: PE does not divide.*\[1, 2, 4\].*PE=3"),
    "PE of 0": ([dense(4, "fc")], {"edit": pe(0)}, ConfigError, "positive"),
    "PE of a typo": (
        [dense(4, "fc1")],
        {"edit": lambda config: config["LayerName"].update(fc_1={"PE": 2})},
        ConfigError,
        "Next step: did you mean 'fc1'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    layers, options, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        graph_of(layers, tmp_path, **options)
