# SPDX-License-Identifier: Apache-2.0
"""Convolutional networks: what each kind of block is made of, that it trains, and that freezing it is exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from codesign.data import DataConfig
from codesign.errors import ConfigError
from codesign.fixed import Fixed
from codesign.layers import over_time, stream
from codesign.training import BlockConfig, ModelConfig, TrainingConfig, load_model, train
from codesign.training.config import LayerConfig
from codesign.training.network import ZeroMean, build_network, freeze

pytestmark = pytest.mark.usefixtures("eager_module")

SHAPE, CLASSES, FRAMES = (12, 12, 1), 5, 3
BLOCKS = {
    "conv": (
        BlockConfig(kind="conv", filters=3, stride=2),
        BlockConfig(kind="conv", filters=4, kernel=2),
    ),
    "separable": (
        BlockConfig(kind="separable", filters=4, stride=2),
        BlockConfig(kind="separable", filters=4),
    ),
    "residual": (
        BlockConfig(kind="residual", filters=1),
        BlockConfig(kind="residual", filters=4, stride=2),
    ),
    "pools": (
        BlockConfig(kind="conv", filters=3),
        BlockConfig(kind="avgpool", kernel=2, stride=2),
        BlockConfig(kind="maxpool", kernel=2, stride=2),
    ),
}
LAYERS = {
    "conv": "conv1 conv1_delta conv2 conv2_delta",
    "separable": "dw1 dw1_delta pw1 pw1_delta dw2 dw2_delta pw2 pw2_delta",
    "residual": "res1_a res1_a_delta res1_b res1_add res1_delta "
    "res2_a res2_a_delta res2_b res2_skip res2_add res2_delta",
    "pools": "conv1 conv1_delta pool2 pool2_delta pool3",
}


def config(kind: str, **changes: Any) -> ModelConfig:
    return ModelConfig(blocks=BLOCKS[kind], **{"hidden": (), "activation_bits": 4, "hold_steps": 1.0, **changes})


def network(kind: str, *, quantized: bool = True, **changes: Any) -> Any:
    return build_network(config(kind, **changes), SHAPE, CLASSES, quantized=quantized, seed=3)


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (*shape, *SHAPE)) / 256


def trained(kind: str) -> Any:
    """Return a network after one step of gradient descent on fixed clips."""
    frame = network(kind)
    clips = over_time(frame, FRAMES, sparsity=1.0)
    clips.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    clips.train_on_batch(pixels(4, FRAMES), np.arange(4))
    return frame


@pytest.fixture(scope="module", params=BLOCKS)
def step(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A kind of network and one of it after one step."""
    request.getfixturevalue("eager_module")
    return request.param, trained(request.param)


@pytest.mark.parametrize("kind", BLOCKS)
def test_layers_and_weights(kind: str) -> None:
    quantized, plain = network(kind), network(kind, quantized=False)
    names = [layer.name for layer in quantized.layers]
    assert names == ["frame", "encode", *LAYERS[kind].split(), "flatten", "fc1"]
    assert [layer.name for layer in plain.layers] == [name for name in names if name != "encode"]
    for one, other in zip(quantized.get_weights(), plain.get_weights(), strict=True):
        assert np.array_equal(one, np.clip(other, -1, 1))  # QKeras keeps weights in the range of their quantiser
    assert quantized.output_shape == plain.output_shape == (None, CLASSES)


def test_strides_and_filters() -> None:
    frame = network("residual", hidden=(6,))
    assert frame.get_layer("res1_delta").output.shape == (None, 12, 12, 1)
    assert frame.get_layer("res2_delta").output.shape == (None, 6, 6, 4)
    assert frame.get_layer("fc1").output.shape == (None, 6)
    assert network("pools").get_layer("pool3").output.shape == (None, 3, 3, 3)
    assert network("separable").get_layer("dw1").output.shape == (None, 6, 6, 1)


def test_shortcut_is_the_input_of_the_block_or_a_convolution_of_it() -> None:
    frame = network("residual")
    assert frame.get_layer("res1_add").input[1] is frame.get_layer("encode").output
    skip = frame.get_layer("res2_skip")
    assert skip.kernel_size == (1, 1)
    assert skip.strides == (2, 2)
    assert skip.input is frame.get_layer("res1_delta").output
    assert frame.get_layer("res2_add").input[1] is skip.output


def test_one_step_changes_every_layer(step: tuple[str, Any]) -> None:
    kind, frame = step
    before = network(kind)
    for weight, old in zip(frame.weights, before.weights, strict=True):
        assert np.any(weight.numpy() != old.numpy()), weight.path


def test_same_seed_same_weights() -> None:
    for weight, again in zip(trained("conv").get_weights(), trained("conv").get_weights(), strict=True):
        assert np.array_equal(weight, again)


def test_first_layer_does_not_see_brightness(step: tuple[str, Any]) -> None:
    kind, frame = step
    kernel = frame.weights[0].numpy()
    assert np.abs(kernel).max() > 0.1
    inputs = (0, 1) if kind == "separable" else (0, 1, 2)
    assert np.abs(kernel.sum(axis=inputs)).max() < 1e-6


def test_freezing_is_exact(step: tuple[str, Any]) -> None:
    kind, original = step
    frame, clip = network(kind), pixels(6)
    frame.set_weights(original.get_weights())
    before = keras.ops.convert_to_numpy(frame(clip))
    freeze(frame)
    assert np.array_equal(keras.ops.convert_to_numpy(frame(clip)), before)
    lattices = {"kernel": Fixed.from_qkeras(6, 0, signed=True), "bias": Fixed.from_qkeras(12, 3, signed=True)}
    for weight in frame.weights:
        lattices["bias" if weight.path.endswith("bias") else "kernel"].to_codes(weight.numpy())
    first = frame.get_layer(LAYERS[kind].split()[0])
    assert not isinstance(getattr(first, "kernel_constraint", None), ZeroMean)
    assert not isinstance(getattr(first, "depthwise_constraint", None), ZeroMean)


@pytest.mark.heavy
def test_whole_training_is_saved(tmp_path: Path) -> None:
    data = DataConfig(frames=2, size=12, digit=10.0, travel=0.5, train=16, val=0, test=4)
    short = TrainingConfig(float_epochs=1, quantized_epochs=1, delta_epochs=1, batch_size=16)
    model = ModelConfig(blocks=BLOCKS["residual"][1:], hidden=())
    results = train(data, model, short, tmp_path, seed=5)
    assert results["density"]["delta"].keys() == {"res1_a", "res1_b", "res1_skip", "fc1"}
    saved = load_model(tmp_path)
    assert stream(saved, pixels(3)).outputs.shape == (3, 10)


def test_pool_larger_than_what_is_left_of_a_frame() -> None:
    blocks = (BlockConfig(kind="conv", filters=2, stride=8), BlockConfig(kind="maxpool", kernel=3))
    with pytest.raises(ConfigError, match=r"model\.blocks\[1\]\.kernel.*at most 2, as 2 x 2 are left.*Received: 3"):
        build_network(ModelConfig(blocks=blocks), SHAPE, CLASSES, quantized=True, seed=1)


def test_bits_and_holds_of_single_layers() -> None:
    layer = {"conv1": LayerConfig(weight_bits=3, activation_bits=2, hold_steps=1.5), "fc1": LayerConfig(weight_bits=5)}
    config = ModelConfig(blocks=BLOCKS["conv"], hidden=(), weight_bits=6, activation_bits=4, layer=layer)
    network = build_network(config, SHAPE, CLASSES, quantized=True, seed=1)
    bits = {name: network.get_layer(name).kernel_quantizer_internal.bits for name in ("conv1", "conv2", "fc1")}
    assert bits == {"conv1": 3, "conv2": 6, "fc1": 5}
    first, second = (network.get_layer(name) for name in ("conv1_delta", "conv2_delta"))
    assert (first.bits, second.bits) == (2, 4)
    assert (first.hold, second.hold) == (1.5, None)


@pytest.mark.parametrize(
    ("name", "layer", "words"),
    [
        ("convl", LayerConfig(weight_bits=3), r"model.layer.convl.weight_bits.*did you mean 'conv1'"),
        ("fc1", LayerConfig(activation_bits=3), r"no layer with an activation is called 'fc1'.*one of conv1, conv2"),
    ],
)
def test_settings_of_a_layer_that_is_not_there(name: str, layer: LayerConfig, words: str) -> None:
    config = ModelConfig(blocks=BLOCKS["conv"], hidden=(), layer={name: layer})
    with pytest.raises(ConfigError, match=words):
        build_network(config, SHAPE, CLASSES, quantized=True, seed=1)


def test_settings_of_a_layer_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"model.layer.conv1.hold_steps: out of range"):
        ModelConfig(layer={"conv1": LayerConfig(hold_steps=0.2)})
    with pytest.raises(ConfigError, match=r"model.layer.conv1.weight_bits: out of range"):
        ModelConfig(layer={"conv1": LayerConfig(weight_bits=1)})
