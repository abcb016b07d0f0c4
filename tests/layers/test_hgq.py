# SPDX-License-Identifier: Apache-2.0
"""Models of HGQ2, by stand-ins of its layers: HGQ2 0.2 brings a package qkeras that takes the place of QKeras' own."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.graph.golden import Golden
from codesign.layers.fold import fold
from codesign.layers.hgq import from_hgq, is_hgq

FRAME = (5, 5, 2)


class Fixed(L.Layer):  # type: ignore[misc]
    """A quantizer: codes of sign, integer and fraction bits for each element, saturating, rounding half to even."""

    __module__ = "hgq.quantizer.quantizer"
    scaler = affine = None

    def __init__(
        self, kif: tuple[Any, Any, Any], round_mode: str = "RND_CONV", overflow: str = "SAT", **rest: Any
    ) -> None:
        super().__init__(**rest)
        parts = [np.asarray(part, np.float32) for part in kif]
        self.quantizer = SimpleNamespace(kif=parts, round_mode=round_mode, overflow_mode=overflow)

    def call(self, x: Any) -> Any:
        sign, integer, fraction = self.quantizer.kif
        scale, top = np.exp2(fraction), np.exp2(integer + fraction)
        codes = x * scale
        made = ops.clip(ops.round(codes), -sign * top, top - 1) / scale
        return ops.where(sign + integer + fraction > 0, made, 0.0)


class _Linear:
    enable_iq, enable_oq = True, False

    def quantised(self, iq: Any, widths: Any) -> Any:
        self.iq, self.widths = iq, widths
        return self

    @property
    def qkernel(self) -> Any:
        codes = np.exp2(np.resize(self.widths, self.kernel.shape).astype(np.float32) - 1)  # type: ignore[attr-defined]
        return ops.round(self.kernel * codes) / codes  # type: ignore[attr-defined]

    @property
    def qbias(self) -> Any:
        return ops.round(self.bias * 16) / 16  # type: ignore[attr-defined]


class QDense(_Linear, L.Dense):  # type: ignore[misc]
    __module__ = "hgq.layers.core.dense"

    def call(self, x: Any) -> Any:
        return self.activation(ops.matmul(self.iq(x), self.qkernel) + self.qbias)


class QConv2D(_Linear, L.Conv2D):  # type: ignore[misc]
    __module__ = "hgq.layers.conv"

    def call(self, x: Any) -> Any:
        return self.activation(ops.conv(self.iq(x), self.qkernel, strides=1, padding="valid") + self.qbias)


class QAdd(L.Add):  # type: ignore[misc]
    __module__ = "hgq.layers.ops.merge"


def model_of(first: Any, second: Any, output: Any = None) -> Any:
    """Return a small network whose weights have widths of 1 to 6 bits, one each."""
    keras.utils.set_random_seed(3)
    widths = np.arange(1, 7)
    frame = keras.Input(FRAME, name="frame")
    x = QConv2D(3, 2, activation="relu", name="conv").quantised(first, widths)(frame)
    x = QDense(4, name="dense").quantised(second, widths)(L.Flatten()(L.MaxPooling2D(2)(x)))
    model = keras.Model(frame, x if output is None else output(x))
    random = np.random.default_rng(4)
    model.set_weights([random.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return model


def test_is_exact_with_a_width_for_each_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hgq", ModuleType("hgq"))
    model = model_of(Fixed((1, 2, 3)), Fixed((0, 2, 2)), Fixed((1, 3, 2), name="last"))
    assert is_hgq(model)
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ap_fixed<9,4>"
    hardware = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="Delta", output_dir=str(tmp_path)
    )
    graph = hardware.delta_graph
    frames = np.random.default_rng(5).integers(-200, 200, (6, *FRAME)) / 32
    received = graph.output.fmt.to_values(Golden(graph).run(graph.source.fmt.to_codes(frames)).outputs)
    expected = np.asarray(model(frames.astype(np.float32)))
    np.testing.assert_array_equal(received, expected)
    assert len(np.unique(expected)) > 5
    assert {"conv_iq", "dense_iq", "last"} <= {node.name for node in graph.deltas}


def test_channels_of_width_0_are_weights_of_0() -> None:
    integer = np.tile([2, -3], (1, 5, 5, 1))  # the second channel: 1 - 3 + 2 bits
    model = model_of(Fixed((np.ones_like(integer), integer, 2)), Fixed((0, 2, 2)))
    made = from_hgq(model)
    assert not made.get_layer("conv").get_weights()[0][:, :, 1].any()
    frames = np.random.default_rng(6).normal(0, 2, (4, *FRAME)).astype(np.float32)
    np.testing.assert_array_equal(made(frames), model(frames))


def test_all_that_is_not_exact_is_named() -> None:
    some = np.tile([2, 1], (1, 5, 5, 1))
    model = model_of(Fixed((1, some, 2), "RND", "WRAP"), Fixed((0, 2, 2)), lambda x: QAdd(name="sum")([x, x]))
    with pytest.raises(UnsupportedLayerError) as error:
        from_hgq(model)
    for words in (
        "4 parts of the HGQ2 model",
        "conv (QConv2D), iq: round_mode 'RND'",
        "conv (QConv2D), iq: overflow_mode 'WRAP'",
        "conv (QConv2D), iq: 2 widths",
        "sum (QAdd) is a layer that is not read",
        "Next step: train with QuantizerConfigScope",
    ):
        assert words in str(error.value), str(error.value)


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantizer that rounds otherwise than it says."""
    model = model_of(Fixed((1, 2, 3)), Fixed((0, 2, 2)))
    first, real = model.get_layer("conv").iq, Fixed.call

    def up(self: Any, x: Any) -> Any:
        return ops.clip(ops.floor(x * 8 + 0.5), -32, 31) / 8 if self is first else real(self, x)

    monkeypatch.setattr(Fixed, "call", up)
    with pytest.raises(ConversionError, match=r"values of the HGQ2 model differ"):
        from_hgq(model)


def test_other_models_stay_as_they_are() -> None:
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    assert not is_hgq(model)
    with pytest.raises(UnsupportedLayerError, match=r"conv \(QConv2D\).*backend='Delta'.* as it is"):
        fold(model_of(Fixed((1, 2, 3)), Fixed((0, 2, 2))))
