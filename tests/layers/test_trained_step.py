# SPDX-License-Identifier: Apache-2.0
"""Trained step and hold: gradients worked out by hand, forward values of the golden model, their life in Keras."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from layers import tiny_models as models

from codesign.errors import ConfigError, ConversionError
from codesign.fixed import Fixed
from codesign.graph import Graph, Source
from codesign.graph.golden import Golden
from codesign.layers import DeltaActivation, stream

IN = Fixed(width=12, frac=7, signed=True)
LN2 = math.log(2.0)


def trained(values: object, *arguments: Any, shape: tuple[int, ...] = (3,), **kwargs: Any) -> DeltaActivation:
    """A layer for frames of ``shape`` whose step weight is ``values`` (None: as it starts)."""
    layer = DeltaActivation(*arguments, **kwargs)
    layer.build((None, *shape))
    if values is not None:
        layer.weights[0].assign(np.asarray(values, np.float32))
    return layer


def gradients(layer: DeltaActivation, z: object, upstream: object, **call: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Gradients of ``sum(upstream * layer(z))``: with regard to z, and to each weight."""
    inputs = tf.constant(z, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(layer(inputs, **call) * tf.constant(upstream, layer.compute_dtype))
    dz, *rest = tape.gradient(total, [inputs, *(weight.value for weight in layer.weights)])
    return dz.numpy(), [gradient.numpy() for gradient in rest]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_of_a_power_of_two_step_per_channel(dtype: str) -> None:
    layer = trained([1.0, 0.0], "relu", 4, "po2", initial_step=0.25, shape=(2,), dtype=dtype)
    z = [[0.6, 1.3], [-1.0, 9.0]]
    assert layer(np.array(z)).numpy().tolist() == [[0.5, 1.25], [0.0, 3.75]]  # steps 0.5 and 0.25, 15 codes of 0.25
    dz, (dk,) = gradients(layer, z, [[1, 2], [3, 4]])
    assert dz.tolist() == [[1, 2], [0, 0]]
    np.testing.assert_allclose(dk, [-LN2 * 0.5 * 1, -LN2 * 1.25 * 2], rtol=1e-6)  # 9.0 is clipped: nothing


def test_gradient_of_a_real_step_per_layer() -> None:
    layer = trained(0.3, "relu", 3, "real", per="layer", shape=(4,))
    z = [[0.4, 0.8, -1.0, 9.0]]
    np.testing.assert_allclose(layer(np.array(z)), [[0.3, 0.9, 0.0, 2.1]], rtol=1e-6)  # 7 levels
    dz, (dq,) = gradients(layer, z, [[1, 2, 3, 4]])
    assert dz.tolist() == [[1, 2, 0, 0]]
    assert dq == pytest.approx(-(0.3 * 1 + 0.9 * 2) / 0.3)  # 9.0 is clipped: nothing


@pytest.mark.parametrize(
    ("step", "weight", "slope"),
    [("real", 0.5, -1 / 0.5), ("po2", 1.0, -LN2)],  # both have steps of 0.5
)
def test_what_is_clipped_does_not_move_the_step(step: str, weight: float, slope: float) -> None:
    layer = trained(weight, "identity", 3, step, per="layer", initial_step=0.25, shape=(6,))
    z = [[-9.0, -2.1, -1.1, 0.6, 1.4, 1.8]]  # in steps, rounded: -18, -4, -2, 1, 3, 4
    ends = {"real": [-2.0, -2.0, -1.0, 0.5, 1.5, 1.5], "po2": [-1.0, -1.0, -1.0, 0.5, 0.75, 0.75]}[step]
    assert layer(np.array(z)).numpy().tolist() == [ends]  # -4 .. 3 steps, or units of 0.25
    dz, (gradient,) = gradients(layer, z, [[1, 2, 4, 8, 16, 32]])
    assert dz.tolist() == [{"real": [0, 0, 4, 8, 16, 0], "po2": [0, 0, 0, 8, 0, 0]}[step]]
    moved = {"real": -1.0 * 4 + 0.5 * 8 + 1.5 * 16, "po2": 0.5 * 8}[step]
    assert gradient == pytest.approx(slope * moved)


def test_a_task_that_asks_for_more_than_a_step_can_show_leaves_it() -> None:
    layer = trained(0.5, "relu", 3, "real", per="layer", initial_step=0.5, shape=(2,))
    _, (gradient,) = gradients(layer, [[8.0, 9.0]], [[-1, -1]])  # the loss falls as outputs grow; both are clipped
    assert gradient == 0


@pytest.mark.parametrize(("step", "slope"), [("po2", -LN2), ("real", -1.0)])
def test_gradient_per_neuron(step: str, slope: float) -> None:
    layer = trained(None, "identity", 4, step, per="neuron", initial_step=1.0, shape=(2, 2))  # nothing is clipped
    z = [[[1.0, -2.0], [0.4, 3.0]], [[2.0, 2.0], [1.0, -1.0]]]
    dz, (gradient,) = gradients(layer, z, np.ones((2, 2, 2)))
    assert dz.tolist() == np.ones((2, 2, 2)).tolist()
    np.testing.assert_allclose(gradient, np.array([[1 + 2, -2 + 2], [0 + 1, 3 - 1]]) * slope, rtol=1e-6)


def test_gradient_of_hold() -> None:
    layer = trained(None, "relu", 4, 0.5, 1.0, train_hold=True, shape=(1,))
    z = [[0.6], [0.85], [1.1], [2.6]]  # in steps 1.2, 1.7, 2.2, 5.2
    assert layer(np.array(z), frames=4).numpy().ravel().tolist() == [0.5, 0.5, 1.0, 2.5]
    dz, (dh,) = gradients(layer, z, [[1], [2], [4], [8]], frames=4)
    assert dz.ravel().tolist() == [1, 2, 4, 8]
    # beyond the threshold by 0.2, -0.3, 0.2 and 2.2 steps: all but the last are in the box, with reference - q = -0.5
    assert dh == pytest.approx(-0.5 * (1 + 2 + 4))


def test_gradient_of_hold_knows_where_clips_begin() -> None:
    layer = trained(None, "identity", 5, 0.5, 1.0, train_hold=True, shape=(1,))
    z = [[0.6], [0.85], [-0.35], [-0.45]]  # the second clip starts from 0: -0.7 and -0.9 steps, held, q is -0.5
    assert layer(np.array(z), frames=2).numpy().ravel().tolist() == [0.5, 0.5, 0.0, 0.0]
    _, (dh,) = gradients(layer, z, [[1], [2], [4], [8]], frames=2)
    assert dh == pytest.approx(-0.5 * (1 + 2) + 0.5 * (4 + 8))
    _, (dh,) = gradients(layer, z, [[1], [2], [4], [8]])  # four streams of one frame: 0.2, 0.7, -0.3, -0.1
    assert dh == pytest.approx(-0.5 * 1 + 0.5 * (4 + 8))


def test_step_and_hold_train_together() -> None:
    layer = trained(None, "relu", 4, "po2", 1.0, per="layer", initial_step=0.5, train_hold=True, shape=(1,))
    _, (dk, dh) = gradients(layer, [[0.6], [0.85], [2.3], [2.6]], [[1], [2], [4], [8]], frames=4)
    assert dk == pytest.approx(-LN2 * (0.5 * 1 + 0.5 * 2 + 2.5 * 4 + 2.5 * 8))
    assert dh == pytest.approx(-1.5)


def test_step_rate_is_the_chain_rule() -> None:
    layer = trained([1 / 16, 0.0], "relu", 4, "po2", initial_step=0.25, step_rate=16, shape=(2,))
    assert layer.step_log2 == (1, 0)
    _, (dk,) = gradients(layer, [[0.6, 1.3]], [[1, 2]])
    np.testing.assert_allclose(dk, [-LN2 * 0.5 * 16, -LN2 * 1.25 * 2 * 16], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hold", [None, 0.7, 1.5])
@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize(("per", "k"), [("layer", 1.4), ("channel", [0.5, 1.5, 2.6]), ("neuron", [0.0, 4.2, 1.0])])
def test_equals_the_golden_model(
    per: str, k: Any, activation: str, hold: float | None, dtype: str, rng: np.random.Generator
) -> None:
    train_hold = hold is not None
    layer = trained(
        k, activation, 6, "po2", hold, per=per, initial_step=2.0**-5, max_value=1.7, train_hold=train_hold, dtype=dtype
    )
    assert layer.step_log2 == tuple(np.rint(np.atleast_1d(k)).astype(int))
    if hold is not None:
        layer.weights[-1].assign(hold + 0.13)
        assert layer.hold == float(np.float32(hold + 0.13))
    assert layer.hi == min(layer.fmt.hi, 54)
    codes = models.walk(rng, (40, 3), pace=40, lo=-700, hi=700)
    graph = Graph(name="one", nodes=(Source(name="x", shape=(3,), fmt=IN), models.to_delta(layer, "x", (3,), IN)))
    expected = Golden(graph).run(codes).outputs
    call = tf.function(lambda z: layer(z, frames=40), jit_compile=dtype == "float32")
    assert np.array_equal(layer.fmt.to_codes(call(IN.to_values(codes))), expected)


def test_real_steps_bound_their_levels() -> None:
    layer = trained([0.3, 0.5, 2.0], "identity", 3, "real", max_value=1.4)
    z = np.array([[9.0, 9.0, 9.0], [-9.0, -9.0, -9.0]])
    np.testing.assert_allclose(
        layer(z), [[0.9, 1.0, 0.0], [-1.2, -2.0, -8.0]], rtol=1e-6
    )  # 1.4: 4 levels of 0.3, 3 max
    assert layer.to_codes(layer(z)).tolist() == [[3, 2, 0], [-4, -4, -4]]
    assert (layer.unit, layer.lo, layer.hi) == (2.0**-4, -4, 3)


def test_max_value() -> None:
    layer = DeltaActivation("relu", 8, 2.0**-4, max_value=6)
    assert (layer.hi, layer.fmt.hi) == (96, 255)
    assert DeltaActivation("relu", 8, [2.0**-2, 2.0**-4], max_value=6.03).hi == 96
    assert DeltaActivation("relu", 4, 2.0**-4, max_value=6).hi == 15
    z = tf.Variable([[5.9, 6.0, 6.1]])
    with tf.GradientTape() as tape:
        r = layer(z)
    assert r.numpy().tolist() == [[5.875, 6.0, 6.0]]
    assert tape.gradient(r, z).numpy().tolist() == [[1.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("step", "per", "jit_compile"),
    [("po2", "layer", False), ("po2", "channel", True), ("real", "channel", False), ("real", "neuron", True)],
)
def test_an_l1_loss_pushes_the_step_up(step: str, per: str, jit_compile: bool, rng: np.random.Generator) -> None:
    layer = DeltaActivation("identity", 6, step, per=per, initial_step=2.0**-4)
    model = keras.Sequential([keras.Input((2, 3)), layer])
    model.compile(keras.optimizers.SGD(0.05), loss="mae", jit_compile=jit_compile)
    z = rng.normal(size=(64, 2, 3)).astype(np.float32)
    before = layer.weights[0].numpy()
    losses = model.fit(z, np.zeros_like(z), epochs=8, verbose=0).history["loss"]
    assert (layer.weights[0].numpy() > before).all()
    assert losses[-1] <= losses[0] * 1.05


def test_an_l1_loss_pushes_the_hold_up(rng: np.random.Generator) -> None:
    layer = trained(None, "identity", 6, 2.0**-2, 0.6, train_hold=True, shape=(8,))
    z = models.walk(rng, (50, 8), pace=12, lo=-400, hi=400) / 128
    for _ in range(5):
        with tf.GradientTape() as tape:
            r = layer(z, frames=50)
            loss = tf.reduce_mean(tf.abs(r[1:] - r[:-1]))
        (gradient,) = tape.gradient(loss, layer.trainable_variables)
        layer.weights[0].assign_sub(10.0 * gradient)
    assert layer.hold is not None
    assert layer.hold > 0.7


@pytest.mark.parametrize(
    ("layer", "start", "end"),
    [
        (trained(None, "relu", 4, "po2"), 5.0, 3.0),
        (trained(None, "relu", 4, "po2"), -5.0, 0.0),
        (trained(None, "relu", 4, "po2", step_rate=16), 5.0, 3 / 16),
        (trained(None, "relu", 4, "real", initial_step=0.25), -5.0, 2.0**-6),
        (trained(None, hold=1.0, train_hold=True), 0.1, 0.5),
    ],
)
def test_what_is_trained_stays_in_bounds(layer: DeltaActivation, start: float, end: float) -> None:
    (weight,) = layer.weights
    weight.assign(np.full(weight.shape, start))
    outside = layer(np.ones((2, 3))).numpy()
    keras.optimizers.SGD().apply([tf.zeros(weight.shape)], [weight])
    assert (weight.numpy() == end).all()
    assert np.array_equal(layer(np.ones((2, 3))), outside)  # a weight out of bounds is read as the nearest inside


def network(step: str, per: str = "channel", **kwargs: Any) -> keras.Sequential:
    """The network of `tiny_models` with trained steps, weights random but for steps near every kind of tie."""
    frame = models.frame_model()
    options: dict[str, Any] = {"per": per, "train_hold": True, "hold": 0.9, "step_rate": 3.0, **kwargs}
    frame = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            DeltaActivation("relu", 4, 2.0**-4, 0.6, train_hold=True, name="encode"),
            keras.layers.Flatten(),
            frame.get_layer("fc1"),
            DeltaActivation("relu", 7, step, initial_step=2.0**-5, name="delta1", **options),
            frame.get_layer("fc2"),
        ],
        name="tiny",
    )
    if step == "po2":
        weight = frame.get_layer("delta1").weights[0]
        ties = np.linspace(0.0, 4.5, int(np.prod(weight.shape, dtype=int)), dtype=np.float32) / np.float32(3)
        weight.assign(np.reshape(ties, weight.shape))
    frame.get_layer("delta1").weights[-1].assign(0.77 / 3)
    return frame


@pytest.mark.parametrize("per", ["layer", "channel", "neuron"])
def test_stream_equals_the_golden_model(per: str, rng: np.random.Generator) -> None:
    frame = network("po2", per)
    frames = models.walk(rng, (200, 6, 6, 1), pace=6)
    run, golden = stream(frame, frames / 256), Golden(models.to_graph(frame)).run(frames)
    assert len(set(frame.get_layer("delta1").step_log2)) == (1 if per == "layer" else 5)
    for name, codes in run.codes.items():
        assert np.array_equal(codes.reshape(len(frames), -1), golden.codes[name])
    assert np.array_equal(models.to_graph(frame).output.fmt.to_codes(run.outputs), golden.outputs)


def test_stream_counts_the_levels_of_real_steps(rng: np.random.Generator) -> None:
    frame = network("real")
    run = stream(frame, models.walk(rng, (50, 6, 6, 1), pace=6) / 256)
    assert run.codes["delta1"].min() == 0
    assert len(np.unique(run.codes["delta1"])) > 8


@pytest.mark.parametrize("step", ["po2", "real"])
def test_saved_model_is_the_same(step: str, tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    frame = network(step, max_value=3.0, stateless=True)
    x = rng.random((20, 6, 6, 1))
    frame.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    before, after = frame.get_layer("delta1"), again.get_layer("delta1")
    assert after.get_config() == before.get_config()
    assert (after.hold, after.stateless, after.hi) == (before.hold, True, before.hi)
    assert np.array_equal(frame.predict(x, verbose=0), again.predict(x, verbose=0))
    if step == "po2":
        assert after.step_log2 == before.step_log2


def test_unit_is_never_trained() -> None:
    assert DeltaActivation(step=[0.5, 0.125]).unit == 0.125
    assert trained([2.0, 3.0, 1.0], step="po2", initial_step=0.25).unit == 0.25
    assert trained([2.0, 3.0, 1.0], step="real", initial_step=0.3).unit == 0.3


def test_numbers_of_numpy_are_numbers() -> None:
    sixth: Any = np.float32(2.0**-6)
    six: Any = np.float32(6)
    four: Any = np.int64(4)
    several: Any = np.array([0.5, 0.25])
    config = DeltaActivation(step=sixth, initial_step=sixth, max_value=six, step_rate=four).get_config()
    assert [type(config[name]) for name in ("step", "initial_step", "max_value", "step_rate")] == [float] * 4
    assert DeltaActivation(step=several).get_config()["step"] == [0.5, 0.25]


def test_before_there_are_weights() -> None:
    layer = DeltaActivation("relu", 8, "po2", 0.7, initial_step=0.25, train_hold=True)
    assert (layer.step_log2, layer.fmt) == ((0,), Fixed(width=8, frac=2, signed=False))
    assert layer.hold == np.float32(0.7)


@pytest.mark.parametrize("what", ["fmt", "step_log2"])
def test_a_real_step_has_no_lattice(what: str) -> None:
    with pytest.raises(ConversionError, match=r"here: .*step='real'.*train with step='po2'"):
        getattr(DeltaActivation(step="real", name="here"), what)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"step": "pow2"}, "'po2' or 'real'"),
        ({"per": "pixel"}, "'layer', 'channel' or 'neuron'"),
        ({"step": "po2", "initial_step": 0.3}, "power of two"),
        ({"step": "real", "initial_step": 0.0}, "initial_step"),
        ({"step": "real", "initial_step": float("nan")}, "initial_step"),
        ({"max_value": 0.01}, "less than a step"),
        ({"max_value": float("inf")}, "max_value"),
        ({"train_hold": True}, "no hold to train"),
        ({"step_rate": 0}, "step_rate"),
        ({"train_hold": "yes", "hold": 1.0}, "train_hold is neither"),
        ({"stateless": 1}, "stateless is neither"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        DeltaActivation(name="here", **arguments)
    assert "here" in str(error.value)


def test_a_step_per_neuron_needs_a_known_frame() -> None:
    with pytest.raises(ConfigError, match=r"here: .*known"):
        DeltaActivation(step="po2", per="neuron", name="here")(keras.Input((None, 3)))
    DeltaActivation(step="po2", per="channel")(keras.Input((None, 3)))
