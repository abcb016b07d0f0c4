# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions as the convolutions that they are: the same function, and exact through conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from layers.plain_models import trained

from codesign.errors import UnsupportedLayerError
from codesign.graph import Spatial
from codesign.graph.golden import Golden
from codesign.layers import delta, stream
from codesign.layers.fold import fold
from codesign.rtl.parameters import late_rows
from codesign.sim import RtlSimulator

FRAME = (4, 5, 3)


def decoder(*behind: Any) -> Any:
    keras.utils.set_random_seed(3)
    return trained(keras.Sequential([keras.Input(FRAME, name="frame"), *behind]))


def frames(count: int = 5) -> Any:
    return np.random.default_rng(2).integers(0, 256, (count, *FRAME)) / 256


@pytest.mark.parametrize(
    ("kernel", "strides", "padding"),
    [
        (3, 2, "same"),
        (4, 2, "same"),
        (2, 2, "valid"),
        ((1, 3), (2, 3), "valid"),
        ((5, 3), (3, 1), "same"),
        (1, 2, "same"),
    ],
)
def test_computes_the_same(kernel: Any, strides: Any, padding: str) -> None:
    layer = L.Conv2DTranspose(2, kernel, strides, padding, activation="relu", name="up")
    model = decoder(layer, L.BatchNormalization(name="norm"), L.Conv2DTranspose(2, 2, 2, use_bias=False, name="last"))
    folded, x = fold(model), frames().astype(np.float32)
    expected = np.asarray(model(x))
    np.testing.assert_allclose(folded(x), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    assert not [layer for layer in folded.layers if "Transpose" in type(layer).__name__]


def test_a_normalisation_is_part_of_the_weights() -> None:
    model = decoder(L.Conv2DTranspose(2, 3, 2, "same", name="up"), L.BatchNormalization(name="norm"))
    folded, x = fold(model), frames().astype(np.float32)
    np.testing.assert_allclose(folded(x), model(x), rtol=1e-4, atol=1e-5)
    assert not [layer for layer in folded.layers if isinstance(layer, L.DepthwiseConv2D)]


def test_exact_through_conversion(tmp_path: Path) -> None:
    model = decoder(
        L.Conv2D(3, 3, padding="same", activation="relu", name="conv"),
        L.Conv2DTranspose(2, 3, 2, "same", activation="relu", name="up"),
        L.Conv2DTranspose(1, 2, 2, name="last"),
    )
    network = delta(model, clips=frames())
    expected, reached = np.asarray(model(frames().astype(np.float32))), stream(network, frames()).outputs
    assert np.abs(reached - expected).max() < 0.05 * np.ptp(expected)
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ap_ufixed<8,0>"
    hardware = hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=str(tmp_path)
    )
    graph = hardware.delta_graph
    received = graph.output.fmt.to_values(Golden(graph).run(graph.source.fmt.to_codes(frames())).outputs)
    np.testing.assert_array_equal(received.reshape(reached.shape), reached)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_rows_of_one_after_the_other_in_rtl(tmp_path: Path) -> None:
    """A row of the first is two of the second, whose events come mixed; all of them do with skipping off."""
    last = L.Conv2DTranspose(2, 3, 2, "same", activation="relu", name="last")
    model = decoder(L.Conv2DTranspose(3, 3, 2, "same", activation="relu", name="up"), last, L.Conv2D(1, 3, name="out"))
    network = delta(model, clips=frames())
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ap_ufixed<8,0>"
    graph = hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=str(tmp_path)
    ).delta_graph
    late = {node.name: late_rows(graph, node) for node in graph.engines if isinstance(node, Spatial)}
    assert late == {**dict.fromkeys(late, 0), "last_row0": 1, "last_row1": 1, "out": 1}
    codes = np.random.default_rng(4).integers(0, 256, (24, *FRAME))
    expected = Golden(graph).run(codes).outputs
    for skip in (True, False):
        with RtlSimulator(graph, tmp_path / "rtl", skip=skip) as simulator:
            np.testing.assert_array_equal(simulator.run(codes).outputs, expected)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kernel_size": 3, "strides": 2}, "padding='valid'"),
        ({"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}, "output_padding="),
        ({"kernel_size": 3, "dilation_rate": 2, "padding": "same"}, "dilation_rate="),
    ],
)
def test_others_are_refused_by_name(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=rf"up: .*Received: {words}.*Next step: use padding='same'"):
        fold(decoder(L.Conv2DTranspose(2, name="up", **arguments)))


def test_a_conversion_says_who_makes_them() -> None:
    with pytest.raises(UnsupportedLayerError, match=r"up: .*Conv2DTranspose.*codesign\.layers\.delta\(model\)"):
        hls4ml.utils.config_from_keras_model(decoder(L.Conv2DTranspose(2, 2, 2, name="up")), backend="Delta")
