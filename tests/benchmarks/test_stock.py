# SPDX-License-Identifier: Apache-2.0
"""Cycles of hls4ml's own kernels: the loops of each, the choice of a reuse factor, a small network converted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.stock import convert_stock, measure, our_multipliers, without_deltas
from benchmarks.stock_loops import cycles, multipliers, reuse_factor
from codesign.errors import UnsupportedLayerError


class Layer:
    """A layer of a ModelGraph, as far as counting looks at it: 4 codes in a packed input, 2 in a packed output."""

    model = None

    def __init__(self, kind: str, **attributes: Any) -> None:
        self.name, self.class_name, self.attributes = "layer", kind, {"function_cpp": "call", **attributes}

    def get_attr(self, name: str) -> Any:
        return self.attributes.get(name)

    def get_input_variable(self) -> Any:
        return SimpleNamespace(type=SimpleNamespace(n_elem=4))

    def get_output_variable(self) -> Any:
        return SimpleNamespace(type=SimpleNamespace(n_elem=2), size=lambda: 30)


CONV = {"in_height": 9, "in_width": 9, "out_height": 4, "out_width": 4, "reuse_factor": 6}


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Layer("Conv2D", strategy="latency", **CONV), 81 * 6),  # each input position, padding included
        (Layer("Conv2D", strategy="resource", **CONV), 16 * 6 + (81 - 16)),  # each output, and the inputs between
        (Layer("DepthwiseConv2D", strategy="latency", **CONV), 81 * 6),
        (Layer("Dense", strategy="latency", n_in=32, n_out=10, reuse_factor=20), 32 // 4 + 20 + 10 // 2),
        (Layer("Pooling2D", in_height=8, in_width=6), 48),
        (Layer("ZeroPadding2D", out_height=9, out_width=7), 63),
        (Layer("Activation"), 15),
        (Layer("Clone"), 15),
        (Layer("Activation", function_cpp=None), 0),
    ],
)
def test_the_loops_of_each_kernel(layer: Layer, expected: int) -> None:
    assert cycles(layer) == expected


def test_a_kernel_that_is_not_known_is_an_error() -> None:
    with pytest.raises(UnsupportedLayerError, match=r"loops of this kernel.*GarNet"):
        cycles(Layer("GarNet"))


@pytest.fixture(scope="module")
def network() -> Any:
    """Return the Keras model and the graph of 8 x 8 pixels, 3 x 3 depthwise, 1 x 1 to 6 channels, dense 3."""
    import keras
    import numpy as np
    import qkeras

    from codesign.hls4ml_plugin.reader.keras_model import read  # noqa: F401  (registers the backend)
    from codesign.layers import DeltaActivation

    keras.utils.set_random_seed(3)

    def quantizers(kernel: str) -> dict[str, Any]:
        return {name: qkeras.quantized_bits(4, 0, alpha=1) for name in (f"{kernel}_quantizer", "bias_quantizer")}

    model = keras.Sequential(
        [
            keras.Input((8, 8, 4), name="frame"),
            DeltaActivation("relu", 4, 2.0**-4, 1.0, name="d0"),
            qkeras.QDepthwiseConv2D(3, strides=2, padding="same", name="dw", **quantizers("depthwise")),
            DeltaActivation("relu", 4, 1.0, name="d1"),
            qkeras.QConv2D(6, 1, name="pw", **quantizers("kernel")),
            DeltaActivation("relu", 4, 2.0**-2, name="d2"),
            keras.layers.Flatten(name="flatten"),
            qkeras.QDense(3, name="fc", **quantizers("kernel")),
        ]
    )
    draw = np.random.default_rng(3)
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(draw.integers(-8, 8, weight.shape) / 8)
    return model


@pytest.fixture(scope="module")
def graph(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    import hls4ml

    from codesign.fixed import PIXEL

    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = {"result": PIXEL.ap()}
    for name, pe in (("dw", 4), ("pw", 3), ("fc", 3)):
        config["LayerName"][name]["PE"] = pe
    folder = str(tmp_path_factory.mktemp("delta"))
    return hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=folder, io_type="io_stream"
    ).delta_graph


def test_reuse_factors_leave_at_least_our_multipliers(network: Any, graph: Any, tmp_path: Path) -> None:
    assert our_multipliers(graph) == {"dw": 4, "pw": 3, "fc": 3}
    model = convert_stock(without_deltas(network), graph, our_multipliers(graph), "Resource", tmp_path)
    found = {layer.name: layer for layer in model.get_layers()}
    assert {name: int(found[name].get_attr("reuse_factor")) for name in ("dw", "pw", "fc")} == {
        "dw": 9,
        "pw": 8,
        "fc": 96,
    }
    assert {name: multipliers(found[name]) for name in ("dw", "pw", "fc", "d1")} == {
        "dw": 4,
        "pw": 3,
        "fc": 3,
        "d1": None,
    }
    assert [reuse_factor(found["pw"], least) for least in (1, 4, 7, 24, 25)] == [24, 4, 2, 1, 1]
    assert cycles(found["dw"]) == 16 * 9 + 81 - 16
    assert cycles(found["fc"]) == 16 + 96 + 1
    assert cycles(found["flatten"]) == cycles(found["frame"]) == 0


def test_a_network_in_stock_kernels_has_the_bits_of_the_golden_model(network: Any, graph: Any) -> None:
    row = measure(network, graph, "small")
    assert (row.ours, row.multipliers) == (10, 10)
    assert (row.latency.layer, row.latency.cycles) == ("dw", 81 * 9)
    assert (row.resource.layer, row.resource.cycles) == ("dw", 16 * 9 + 81 - 16)
    assert row.cycles == row.resource.cycles
    assert (row.values, row.mismatches) == (24, 0)


def test_other_activations_are_refused() -> None:
    import keras

    from codesign.layers import DeltaActivation

    model = keras.Sequential([keras.Input((4,)), DeltaActivation("identity", 4, 2.0**-4, name="both_signs")])
    with pytest.raises(UnsupportedLayerError, match="both_signs"):
        without_deltas(model)
