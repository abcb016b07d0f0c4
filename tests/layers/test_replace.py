# SPDX-License-Identifier: Apache-2.0
"""`delta`: plain models become delta networks that stay close to them, train, and convert bit for bit."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
import qkeras
from keras import layers as L  # noqa: N812
from layers.plain_models import FRAME, MODELS, arguments, line, quantized, residual, sequential
from numpy.typing import NDArray

from codesign.errors import ConfigError, UnsupportedLayerError
from codesign.graph.golden import Golden
from codesign.layers import DeltaActivation, delta, over_time, stream

pytestmark = pytest.mark.timeout(600)


def clips_of(rng: np.random.Generator, count: int = 3, frames: int = 8, model: Any = None) -> NDArray[np.float32]:
    """A still scene with noise and a spot that moves, 8-bit values 0 to 255/256, in the shape of a model's frames."""
    scene = rng.integers(0, 200, (count, 1, *FRAME))
    clips = np.clip(scene + rng.integers(-2, 3, (count, frames, *FRAME)), 0, 255)
    for t in range(frames):
        clips[:, t, 3, t % 8] = 250
    shape = FRAME if model is None else model.input_shape[1:]
    return np.asarray((clips / 256).astype(np.float32).reshape(count, frames, *shape))


def outputs_of(model: Any, frames: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(model(frames, training=False))


def activations(network: Any) -> dict[str, DeltaActivation]:
    return {layer.name: layer for layer in network.layers if isinstance(layer, DeltaActivation)}


def converted(network: Any, folder: Path) -> Any:
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ufixed<8,0>"
    return hls4ml.converters.convert_from_keras_model(
        network, hls_config=config, backend="Delta", output_dir=str(folder)
    )


def logits_of(network: Any, frames: NDArray[Any]) -> NDArray[Any]:
    """What the hardware is to compute: the network in float64, without a softmax or sigmoid at the end."""
    last = network.layers[-1]
    left = isinstance(last, L.Softmax) or last.get_config().get("activation") in ("softmax", "sigmoid", "tanh")
    return stream(keras.Model(network.inputs[0], last.input) if left else network, frames).outputs


def golden_agrees(network: Any, clips: NDArray[Any], folder: Path) -> None:
    graph = converted(network, folder).delta_graph
    frames = clips.reshape(-1, *network.input_shape[1:])
    expected = Golden(graph).run(graph.source.fmt.to_codes(frames)).outputs
    got = graph.output.fmt.to_codes(logits_of(network, frames))
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)


@pytest.mark.parametrize("make", MODELS)
def test_converts_bit_for_bit(make: Callable[[], Any], rng: np.random.Generator, tmp_path: Path) -> None:
    model = make()
    clips = clips_of(rng, model=model)
    golden_agrees(delta(model, clips=clips), clips, tmp_path)


def test_converts_bit_for_bit_with_hold(rng: np.random.Generator, tmp_path: Path) -> None:
    clips = clips_of(rng)
    network = delta(sequential(), clips=clips, step="fixed", hold=0.75, input_hold=1.0, activation_bits=4)
    golden_agrees(network, clips, tmp_path)


def csim_agrees(make: Callable[[], Any], rng: np.random.Generator, tmp_path: Path) -> None:
    model = make()
    clips = clips_of(rng, count=2, model=model)
    network = delta(model, clips=clips)
    clip_model = over_time(network, clips.shape[1], sparsity=1.0)
    clip_model.compile(keras.optimizers.SGD(1e-2), "mse")
    clip_model.fit(clips, np.zeros((2, *clip_model.output_shape[1:])), epochs=2, verbose=0)
    hardware = converted(network, tmp_path)
    hardware.compile()
    for clip in clips:
        hardware.reset()
        np.testing.assert_array_equal(hardware.predict(clip, logits=True), logits_of(network, clip))


@pytest.mark.heavy
def test_csim_is_exact_after_refining(rng: np.random.Generator, tmp_path: Path) -> None:
    csim_agrees(residual, rng, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("make", [sequential, arguments, quantized, line])
def test_csim_is_exact_after_refining_others(make: Callable[[], Any], rng: np.random.Generator, tmp_path: Path) -> None:
    csim_agrees(make, rng, tmp_path)


@pytest.mark.parametrize("make", MODELS)
def test_stays_close(make: Callable[[], Any], rng: np.random.Generator) -> None:
    """Many bits, so that what is left is a fault of the replacement and not of quantisation."""
    model = make()
    clips = clips_of(rng, model=model)
    network = delta(model, weight_bits=16, activation_bits=12, clips=clips)
    frames = clips.reshape(-1, *network.input_shape[1:])
    wanted = outputs_of(model, frames)
    assert np.abs(outputs_of(network, frames) - wanted).max() < 0.01 * max(1.0, np.abs(wanted).max())


def test_what_becomes_of_each_layer(rng: np.random.Generator) -> None:
    network = delta(sequential(), clips=clips_of(rng))
    kinds = [(layer.name, type(layer).__name__) for layer in network.layers[1:]]
    assert kinds == [
        ("input_delta", "DeltaActivation"),
        ("conv1", "QConv2D"),
        ("relu1", "DeltaActivation"),
        ("pool", "MaxPooling2D"),
        ("pad", "ZeroPadding2D"),
        ("dw", "QDepthwiseConv2D"),
        ("relu2", "DeltaActivation"),
        ("flatten", "Flatten"),
        ("logits", "QDense"),
        ("classes", "Softmax"),
    ]
    found = activations(network)
    assert found["input_delta"].unit == 2.0**-8
    assert found["relu2"].max_value == 6.0
    assert {layer.step for layer in found.values()} == {"po2"}


def test_names_of_what_is_put_in(rng: np.random.Generator) -> None:
    names = [*activations(delta(residual(), clips=clips_of(rng)))]
    assert names == ["input_delta", "relu", "relu_2", "relu_3", "mean_delta"]
    names = [*activations(delta(arguments(), clips=clips_of(rng)))]
    of_blocks = ["conv1_delta", "norm1_delta", "sep_depthwise_delta", "sep_delta"]
    assert names == ["input_delta", *of_blocks, "fc1_delta", "norm2_out_delta"]


def test_qkeras_keeps_its_lattices(rng: np.random.Generator) -> None:
    network = delta(quantized(), clips=clips_of(rng))
    found = activations(network)
    assert [(layer.name, layer.activation, layer.bits, layer.unit) for layer in found.values()] == [
        ("q_in", "identity", 6, 2.0**-5),
        ("q1", "relu", 5, 2.0**-3),
        ("dw_delta", "relu", 4, 2.0**-3),
        ("q2", "relu", 4, 2.0**-2),
    ]
    assert network.get_layer("logits").kernel_quantizer_internal.bits == 6
    assert network.get_layer("conv1").kernel_quantizer_internal.bits == 8  # folded, so quantised anew


def test_without_clips() -> None:
    network = delta(sequential(), activation_bits=6, step="fixed", hold=1.0, input_hold=2.0)
    found = activations(network)
    assert found["relu1"].unit == 8 / 2**6
    assert (found["input_delta"].lo, found["input_delta"].unit, found["input_delta"].hold) == (0, 2.0**-8, 2.0)
    assert found["relu1"].hold == 1.0


def test_input_that_can_be_negative(rng: np.random.Generator) -> None:
    found = activations(delta(sequential(), clips=clips_of(rng) * 4 - 1))
    assert (found["input_delta"].activation, found["input_delta"].unit) == ("identity", 2.0 ** (2 - 7))


def test_skip(rng: np.random.Generator) -> None:
    clips = clips_of(rng)
    found = activations(delta(sequential(), skip=["relu1"]))
    assert {name for name, layer in found.items() if layer.stateless} == {"relu1"}
    with pytest.raises(ConfigError, match=r"no activation has this name.*'relu1'.*\['conv1'\]"):
        delta(sequential(), skip=["conv1"])
    noise = rng.random((2, 4, *FRAME), dtype=np.float32)
    still = np.repeat(clips[:, :1], 4, axis=1)
    found = activations(delta(sequential(), skip="auto", clips=noise))
    assert {name for name, layer in found.items() if layer.stateless} == {"relu1"}
    found = activations(delta(sequential(), skip="auto", clips=still))
    assert not any(layer.stateless for layer in found.values())


def test_real_steps_train(rng: np.random.Generator) -> None:
    network = delta(sequential(), step="real", per="layer")
    clip_model = over_time(network, 8, sparsity=1.0)
    clip_model.compile(keras.optimizers.SGD(1e-3, 0.9), "sparse_categorical_crossentropy")
    loss = clip_model.fit(clips_of(rng), np.arange(3), verbose=0).history["loss"]
    assert np.isfinite(loss).all()


def test_saves_and_loads(rng: np.random.Generator, tmp_path: Path) -> None:
    network, frames = delta(residual(), clips=clips_of(rng)), clips_of(rng)[0]
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(outputs_of(again, frames), outputs_of(network, frames))


def of(*behind: Any) -> Any:
    return keras.Sequential([keras.Input(FRAME), L.Conv2D(2, 1), *behind])


@pytest.mark.parametrize("name", ["swish", "gelu", "elu", "leaky_relu", "hard_sigmoid"])
def test_refuses_activations_by_name(name: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=rf"odd.*Received: {name if name != 'swish' else 'silu'}.*use relu"):
        delta(of(L.Activation(name, name="odd")))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (L.ReLU(negative_slope=0.1, name="odd"), "odd.*negative_slope=0.1"),
        (L.ReLU(threshold=1.0, name="odd"), "odd.*threshold=1.0"),
        (qkeras.QActivation(qkeras.quantized_tanh(4), name="odd"), "odd.*quantized_tanh"),
        (qkeras.QActivation(qkeras.quantized_relu(4, 1, negative_slope=0.5), name="odd"), "odd.*negative_slope"),
        (L.Conv2D(2, 1, activation="elu", name="odd"), "odd.*elu, activation of Conv2D"),
    ],
)
def test_refuses_layers_by_name(layer: Any, words: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=words):
        delta(of(layer))


@pytest.mark.parametrize("function", ["softmax", "sigmoid"])
def test_refuses_what_is_left_to_the_host_in_the_middle(function: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=rf"odd.*{function} can only be the last layer.*from_logits"):
        delta(of(L.Activation(function, name="odd"), L.Conv2D(2, 1)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight_bits": 1}, "weight_bits is out of range"),
        ({"step": 0.5}, "unknown step"),
        ({"skip": "all"}, "unknown skip"),
        ({"per": "foo", "step": "fixed"}, "delta: unknown step granularity per=.*'foo'"),
        ({"per": "foo"}, "delta: unknown step granularity per="),
        ({"train_hold": "yes", "hold": 1.0}, "delta: train_hold is neither True nor False.*'yes'"),
        ({"train_hold": True}, r"delta: there is no hold to train.*hold=1\.0"),
        ({"step_rate": 0.0}, "step_rate is not a positive number"),
        ({"skip": "auto"}, "looks at sample frames"),
        ({"clips": np.zeros((2, 3))}, "clips have a wrong shape"),
        ({"activation_bits": 30}, "bits is out of range"),
    ],
)
def test_refuses_arguments(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        delta(sequential(), **options)


def test_trains_the_holds_that_are_given() -> None:
    found = activations(delta(sequential(), hold=1.0, train_hold=True, step="fixed"))
    assert (found["input_delta"].train_hold, found["input_delta"].hold) == (False, None)
    others = [layer for name, layer in found.items() if name != "input_delta"]
    assert {(layer.train_hold, layer.hold, len(layer.weights), layer.step_rate) for layer in others} == {
        (True, 1.0, 1, 16.0)
    }
    found = activations(delta(sequential(), input_hold=0.75, train_hold=True))
    assert [(name, layer.hold) for name, layer in found.items() if layer.train_hold] == [("input_delta", 0.75)]


@pytest.mark.parametrize(
    ("options", "rate"),
    [({}, 16.0), ({"step": "real"}, 1.0), ({"step": "real", "step_rate": 4.0}, 4.0), ({"step_rate": 1}, 1.0)],
)
def test_steps_move_as_fast_as_is_right_for_them(options: dict[str, Any], rate: float) -> None:
    assert {layer.step_rate for layer in activations(delta(sequential(), **options)).values()} == {rate}


def application(name: str, size: int) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=5)
    network = delta(model)
    before, after = (Counter(type(layer).__name__ for layer in each.layers) for each in (model, network))
    assert network.output_shape == (None, 5)
    assert after["QConv2D"] == before["Conv2D"]
    assert after["QDepthwiseConv2D"] == before["DepthwiseConv2D"]
    assert after["BatchNormalization"] == after["Dropout"] == 0
    normalised = sum(layer.count_params() for layer in model.layers if isinstance(layer, L.BatchNormalization))
    biases = sum(layer.filters for layer in model.layers if type(layer) is L.Conv2D and not layer.use_bias)
    depthwise = sum(layer.output.shape[-1] for layer in model.layers if isinstance(layer, L.DepthwiseConv2D))
    steps = sum(layer.count_params() for layer in activations(network).values())
    assert network.count_params() == model.count_params() - normalised + biases + depthwise + steps
    clip_model = over_time(network, 2, sparsity=1.0)
    clip_model.compile(keras.optimizers.SGD(1e-3, 0.9), "sparse_categorical_crossentropy", run_eagerly=True)
    clips = np.random.default_rng(0).random((1, 2, size, size, 3), dtype=np.float32)
    weights = network.get_weights()
    figures = clip_model.train_on_batch(clips, np.array([1]), return_dict=True)
    assert np.isfinite(figures["loss"])
    assert 0 < figures["operation_sparsity"] < 1
    assert any((old != new).any() for old, new in zip(weights, network.get_weights(), strict=True))


@pytest.mark.parametrize("name", ["MobileNet", pytest.param("ResNet50", marks=pytest.mark.heavy)])
def test_applications(name: str) -> None:
    application(name, 32)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["MobileNet", "ResNet50"])
def test_applications_of_full_size(name: str) -> None:
    application(name, 224)
