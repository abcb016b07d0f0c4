# SPDX-License-Identifier: Apache-2.0
"""Probes: MACs and cycles of each element, and what is known of the tensors of a frame model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from codesign.errors import ConfigError, ConversionError, OldNameWarning
from codesign.layers import DeltaActivation, Engines, over_time
from codesign.layers.meter import DeltaMeter
from codesign.layers.probe import Probe, Tracer, Wire, probe
from codesign.layers.schedule import find_meter

layers = keras.layers


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Dense(7), (5,)),
        (layers.Dense(3), (4, 5)),
        (layers.Conv2D(3, 3, padding="same"), (5, 6, 2)),
        (layers.Conv2D(3, (3, 2), padding="valid"), (5, 6, 2)),
        (layers.Conv2D(4, 3, strides=2, padding="same", groups=2), (7, 6, 4)),
        (layers.Conv2D(2, (2, 3), strides=(2, 3), padding="valid"), (8, 10, 1)),
        (layers.Conv2D(2, 3, dilation_rate=2, padding="same"), (6, 7, 1)),
        (layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2), (6, 5, 3)),
        (layers.Conv1D(3, 3, padding="causal", dilation_rate=2), (9, 2)),
        (layers.Conv1D(3, 4, strides=2, padding="same"), (9, 2)),
        (layers.DepthwiseConv1D(3, padding="same"), (9, 2)),
    ],
)
def test_fanout_counts_every_product(layer: keras.layers.Layer, shape: tuple[int, ...]) -> None:
    """The gradient of the sum of outputs of a layer of ones is the number of products of each input."""
    inputs = keras.Input(shape)
    layer(inputs)
    layer.set_weights([np.ones_like(layer.get_weights()[0]), *layer.get_weights()[1:]])
    x = tf.Variable(tf.ones((1, *shape)))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(x))
    found = probe(layer, Wire(tensor=inputs))
    gradient = tape.gradient(total, x).numpy()[0]
    assert np.array_equal(np.broadcast_to(found.fanout()[..., None], shape), gradient)
    assert found.whole(found.fanout()) == gradient.sum()


def meter(build: keras.Sequential | keras.Model, engines: Engines | None = None) -> DeltaMeter:
    found = find_meter(over_time(build, 2, engines=engines))
    assert found is not None
    return found


def network(*parts: keras.layers.Layer, shape: tuple[int, ...]) -> keras.Sequential:
    return keras.Sequential([keras.Input(shape), *parts])


def test_zeros_around_a_frame_are_not_counted() -> None:
    """A convolution after a zero padding is one that pads by itself."""
    padded = network(layers.ZeroPadding2D(((1, 1), (1, 1))), layers.Conv2D(3, 3, name="c"), shape=(5, 6, 2))
    same = network(layers.Conv2D(3, 3, padding="same", name="c"), shape=(5, 6, 2))
    assert meter(padded).probes == meter(same).probes
    uneven = network(layers.ZeroPadding1D((0, 2)), layers.Conv1D(2, 3, name="c"), shape=(4, 1))
    assert meter(uneven).probes[0].reach == ((1, 2, 3, 3),)


def test_cycles_of_an_event() -> None:
    dense = Probe(name="fc", shape=(7,), products=10)
    # the largest divisor of 10 not above 16 is 10, not above 4 is 2
    assert [dense.cycles(Engines(pe=pe)) for pe in (16, 4, 1)] == [1, 5, 10]
    assert [dense.cycles(Engines(layer_pe={"fc": pe})) for pe in (5, 64)] == [2, 1]
    with pytest.raises(ConversionError, match=r"fc: .*one of \[1, 2, 5, 10\].*PE=3"):
        dense.cycles(Engines(layer_pe={"fc": 3}))
    conv = Probe(name="c", shape=(3, 2, 4), products=8, reach=((1, 2, 3), (3, 1)))
    assert conv.cycles(Engines(pe=4)).tolist() == [[6, 2], [12, 4], [18, 6]]
    assert conv.cycles(Engines(pe=4, unroll={"c": (2, 3)})).tolist() == [[2, 2], [2, 2], [4, 4]]
    assert conv.cycles(Engines(pe=4, unroll={"c": (9, 1)})).tolist() == [[6, 2]] * 3
    depthwise = probe(layers.DepthwiseConv2D(3, padding="same"), Wire(tensor=keras.Input((2, 2, 8))))
    assert depthwise.cycles(Engines(pe=2)).tolist() == [[4, 4], [4, 4]]  # one channel of every output position
    pool = Probe(name="p", shape=(2, 2, 8), reach=((1, 1), (1, 1)))
    assert pool.cycles(Engines(pe=2)).tolist() == [[1, 1], [1, 1]]


def test_layers_between_are_looked_at_if_there_are_engines() -> None:
    frame = keras.Input((4, 6, 2))
    codes = DeltaActivation("relu", 4, 0.25)(frame)
    conv = layers.Conv2D(2, 3, padding="same", name="conv")(codes)
    pool = layers.MaxPooling2D(3, strides=2, padding="same", name="pool")(codes)
    large = layers.UpSampling2D((2, 2), name="large")(pool)
    whole = layers.Add(name="whole")([conv, large])
    side = layers.Concatenate(name="side")([DeltaActivation("relu", 4, 0.5)(whole), large])
    model = keras.Model(frame, layers.Dense(2, name="fc")(layers.GlobalAveragePooling2D(name="mean")(side)))
    assert [item.name for item in meter(model).probes] == ["conv", "fc"]
    probes = meter(model, Engines()).probes
    assert sorted((item.name, item.products, item.unit or 0.0) for item in probes) == [
        ("conv", 2, 0.25),
        ("fc", 2, 0.5),
        ("large", 0, 0.25),
        ("mean", 0, 0.5),
        ("pool", 0, 0.25),
        ("side", 0, 0.25),
        ("side", 0, 0.5),
        ("whole", 0, 0.0),  # a sum of accumulators is not made of codes
        ("whole", 0, 0.25),
    ]
    reach = {item.name: item.reach for item in probes}
    assert reach["pool"] == ((1, 1, 2, 1), (1, 1, 2, 1, 2, 1))
    assert reach["large"] == ((2,) * 2, (2,) * 3)
    assert reach["mean"] == ((1,) * 4, (1,) * 6)
    assert reach["whole"] == reach["side"] == reach["fc"] == ()


def test_stateless_activations_are_followed() -> None:
    frame = keras.Input((4, 4, 2))
    codes = DeltaActivation("relu", 4, 0.25)
    codes.stateless = True
    tracer = Tracer(between=False)
    pool = layers.MaxPooling2D(2)
    after = DeltaActivation("relu", 4, 0.5)
    conv, dense = layers.Conv2D(2, 2, name="conv"), layers.Dense(1, name="fc")
    x = frame
    for layer in (codes, pool, conv, after, dense):
        output = layer(x)
        tracer.follow(layer, (x,), output)
        x = output
    assert [(item.name, item.unit, item.stateless) for item in tracer.probes] == [
        ("conv", 0.25, True),
        ("fc", 0.5, False),
    ]


def test_what_cannot_be_measured_is_refused() -> None:
    separable = network(layers.SeparableConv2D(2, 3, name="sep"), shape=(5, 5, 2))
    with pytest.raises(ConfigError, match=r"sep: .*DepthwiseConv2D and a Conv2D.*write it as the two"):
        over_time(separable, 2)
    with pytest.raises(ConfigError, match=r"p: frames must be channels-last.*channels_first"):
        probe(layers.MaxPooling2D(2, data_format="channels_first", name="p"), Wire(tensor=keras.Input((2, 4, 4))))


def test_engines_name_layers() -> None:
    model = network(layers.Dense(4, name="fc"), shape=(3,))
    for engines, words in (
        (Engines(layer_pe={"fd": 2}), r"engines\.layer_pe: .*\['fc'\].*\['fd'\]"),
        (Engines(unroll={"conv": (1, 1)}), r"engines\.unroll: .*\['conv'\]"),
    ):
        with pytest.raises(ConfigError, match=words):
            over_time(model, 2, engines=engines)
    wrong = ({"pe": 0}, {"pe": 2.0}, {"layer_pe": {"fc": True}}, {"unroll": {"fc": (1, 0)}}, {"unroll": {"fc": ()}})
    for arguments in wrong:
        with pytest.raises(ConfigError, match="1 or more"):
            Engines(**arguments)
    with pytest.warns(OldNameWarning, match="'taps' is now 'unroll'"):
        assert Engines(taps={"fc": (1, 2)}) == Engines(unroll={"fc": (1, 2)})
