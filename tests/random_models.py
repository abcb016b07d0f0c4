# SPDX-License-Identifier: Apache-2.0
"""Small QKeras models for backend Delta, and their hls4ml configs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
from qkeras import QActivation, QConv1D, QConv2D, QDense, QDepthwiseConv2D, quantized_bits, quantized_relu

from codesign.fixed import Fixed, IntArray
from codesign.layers import DeltaActivation


@dataclass(frozen=True, kw_only=True)
class Design:
    """A Keras model with the config it is to be converted with."""

    keras: Any
    config: dict[str, Any]

    def convert(self, folder: Path, *, io_type: str = "io_parallel", backend: str = "Delta") -> Any:
        return hls4ml.converters.convert_from_keras_model(
            self.keras, hls_config=self.config, backend=backend, output_dir=str(folder), io_type=io_type
        )


def design(
    layers: list[Any], *, shape: tuple[int, ...] = (8,), precision: str = "ufixed<4,0>", seed: int = 0
) -> Design:
    """Return ``layers`` after an input called ``frame``, with random weights."""
    return configured(keras.Sequential([keras.Input(shape, name="frame"), *layers]), precision=precision, seed=seed)


def network(
    build: Callable[[Any], Any], *, shape: tuple[int, ...], precision: str = "ufixed<4,0>", seed: int = 0
) -> Design:
    """Return what ``build`` makes of an input called ``frame``, with random weights."""
    frame = keras.Input(shape, name="frame")
    return configured(keras.Model(frame, build(frame)), precision=precision, seed=seed)


def two_adds() -> Design:
    """Return a network in which two tensors with tokens of the same bits branch."""

    def add(name: str, x: Any) -> Any:
        return keras.layers.Add(name=f"add{name}")([conv(2, (1, 1), f"c{name}", bias=6)(x), x])

    def build(x: Any) -> Any:
        x = DeltaActivation("relu", 4, 2.0**-4, name="d0")(x)
        x = DeltaActivation("relu", 4, 2.0**-2, name="d1")(add("0", x))
        return DeltaActivation("relu", 4, 2.0**-2, name="d2")(add("1", x))

    return network(build, shape=(2, 2, 2))


def configured(model: Any, *, precision: str, seed: int) -> Design:
    """Return ``model`` with random weights and its config."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(size=weight.shape) * 0.6
        weight.assign(np.abs(values) if weight.name == "moving_variance" else values)
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = precision
    return Design(keras=model, config=config)


def dense(units: int, name: str, *, bias: int | None = None, bits: int = 4, **kwargs: Any) -> Any:
    """Return a QDense on a power-of-two lattice; ``bias`` is the bits of its bias, None for no bias."""
    return QDense(
        units,
        kernel_quantizer=quantized_bits(bits, 0, alpha=1),
        bias_quantizer=None if bias is None else quantized_bits(bias, 1, alpha=1),
        use_bias=bias is not None,
        name=name,
        **kwargs,
    )


def conv(filters: int, kernel: Any, name: str, *, bias: int | None = None, bits: int = 4, **kwargs: Any) -> Any:
    """Return a QConv2D (a QConv1D if ``kernel`` is a number) on a power-of-two lattice; ``bias`` as in `dense`."""
    return (QConv1D if isinstance(kernel, int) else QConv2D)(
        filters,
        kernel,
        kernel_quantizer=quantized_bits(bits, 0, alpha=1),
        bias_quantizer=None if bias is None else quantized_bits(bias, 1, alpha=1),
        use_bias=bias is not None,
        name=name,
        **kwargs,
    )


def depthwise(kernel: Any, name: str, *, bias: int | None = None, bits: int = 4, **kwargs: Any) -> Any:
    """Return a QDepthwiseConv2D on a power-of-two lattice; ``bias`` as in `dense`."""
    return QDepthwiseConv2D(
        kernel,
        depthwise_quantizer=quantized_bits(bits, 0, alpha=1),
        bias_quantizer=None if bias is None else quantized_bits(bias, 1, alpha=1),
        use_bias=bias is not None,
        name=name,
        **kwargs,
    )


def rich_conv_design(seed: int = 0) -> Design:
    """Return one model with strides, zero padding, depthwise, hold, PE and P, and a dense layer at the end."""
    result = design(
        [
            DeltaActivation("identity", bits=5, step=2.0**-4, hold=0.7, name="d0"),
            conv(4, (3, 2), "c1", bias=6, strides=(2, 1), padding="same"),
            DeltaActivation("relu", bits=4, step=[0.25, 0.5] * 2, hold=1.0, name="d1"),
            keras.layers.ZeroPadding2D(((1, 0), (1, 0)), name="zeros"),
            depthwise((2, 3), "dw", bias=6, activation=quantized_relu(4, 2)),
            keras.layers.Flatten(),
            dense(3, "fc"),
        ],
        shape=(6, 5, 2),
        precision="fixed<9,2>",
        seed=seed,
    )
    result.config["LayerName"]["frame"]["P"] = 4
    result.config["LayerName"]["c1"]["PE"] = 2
    result.config["LayerName"]["dw"]["PE"] = 2
    return result


def rich_unrolled_design(seed: int = 0) -> Design:
    """Return convolutions whose events reach several positions a cycle: stride 1 and 2, two groups, depthwise."""
    result = design(
        [
            DeltaActivation("identity", bits=5, step=2.0**-4, hold=0.7, name="d0"),
            conv(4, (3, 3), "c1", bias=6, padding="same"),
            DeltaActivation("relu", bits=4, step=0.5, hold=1.0, name="d1"),
            conv(4, (5, 3), "c2", bias=6, strides=(2, 1), padding="same"),
            DeltaActivation("relu", bits=4, step=1.0, name="d2"),
            depthwise((2, 3), "dw", bias=6),
        ],
        shape=(7, 8, 2),
        precision="fixed<9,2>",
        seed=seed,
    )
    result.config["LayerName"]["frame"]["P"] = 4
    result.config["LayerName"]["c1"].update(PE=2, Unroll=[2, 3])
    result.config["LayerName"]["c2"].update(PE=2, Unroll=[2, 1])
    result.config["LayerName"]["dw"].update(PE=2, Unroll=[1, 2])
    return result


def rich_design(seed: int = 0) -> Design:
    """Return one model with everything: hold, per-channel steps, biases (one finer than its lattice), PE, P, inline."""
    result = design(
        [
            DeltaActivation("identity", bits=5, step=2.0**-4, hold=0.7, name="d0"),
            keras.layers.Flatten(),
            dense(12, "fc1", bias=6),
            DeltaActivation("relu", bits=5, step=[2.0 ** -(3 + i % 3) for i in range(12)], hold=1.5, name="d1"),
            dense(6, "fc2", bias=12, activation=quantized_relu(4, 1)),
            dense(5, "fc3"),
            QActivation(quantized_bits(6, 2, symmetric=1, alpha=1), name="out"),
        ],
        shape=(4, 5, 1),
        precision="fixed<9,2>",
        seed=seed,
    )
    result.config["LayerName"]["frame"]["P"] = 4
    result.config["LayerName"]["fc1"]["PE"] = 3
    result.config["LayerName"]["fc2"]["PE"] = 2
    return result


def rich_branch_design(seed: int = 0) -> Design:
    """Return one model with every kind of pooling, join and upsampling, tensors that several layers read, a hold."""

    def build(frame: Any) -> Any:
        d0 = DeltaActivation("relu", bits=5, step=2.0**-4, hold=0.7, name="d0")(frame)
        c1 = conv(4, (3, 3), "c1", bias=6, strides=2, padding="same")(d0)
        q1 = QActivation(quantized_relu(4, 2), name="q1")(c1)
        peak = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="peak")(d0)
        mean = keras.layers.AveragePooling2D(2, name="mean")(keras.layers.ZeroPadding2D(((0, 1), (1, 0)))(d0))
        block = keras.layers.Concatenate(name="block")([peak, q1, mean])
        d2 = DeltaActivation("identity", bits=6, step=[0.25, 0.5] * 2, hold=1.0, name="d2")(
            conv(4, (1, 1), "c2")(block)
        )
        q3 = QActivation(quantized_relu(5, 3), name="q3")(keras.layers.Add(name="sum")([q1, d2, c1]))
        wide = keras.layers.Flatten()(keras.layers.UpSampling2D((2, 3), name="wide")(q3))
        top = keras.layers.GlobalMaxPooling2D(name="top")(keras.layers.Add(name="twice")([q3, q3]))
        return dense(3, "fc")(keras.layers.Concatenate(name="head")([wide, top]))

    result = network(build, shape=(5, 9, 2), precision="ufixed<6,0>", seed=seed)
    result.config["LayerName"]["frame"]["P"] = 5
    for name, pe in {"sum": 2, "peak": 1, "wide": 2}.items():
        result.config["LayerName"][name]["PE"] = pe
    return result


def random_design(rng: np.random.Generator, *, hold: bool) -> Design:
    """Return a random model; with ``hold`` every DeltaActivation has one, else all are memoryless."""
    shape = [(int(rng.integers(5, 40)),), (int(rng.integers(2, 6)), int(rng.integers(2, 6)), 1)][int(rng.integers(2))]
    signed = bool(rng.integers(2))
    first = _activation(rng, "d0", shape[-1], hold, signed=signed)
    layers = [] if first is None else [first]
    layers += [keras.layers.Flatten()] if len(shape) > 1 else []
    units = [int(n) for n in rng.choice([1, 3, 4, 6, 8, 12, 20], size=int(rng.integers(1, 4)))]
    for i, n in enumerate(units):
        last = i == len(units) - 1
        bias = None if rng.random() < 0.3 else int(rng.integers(3, 12))
        layers.append(dense(n, f"fc{i}", bias=bias, bits=int(rng.integers(2, 7))))
        after = (
            None if last and rng.random() < 0.5 else _activation(rng, f"d{i + 1}", n, hold, signed=rng.random() < 0.3)
        )
        if after is None and not last:
            after = QActivation(quantized_relu(int(rng.integers(2, 7)), int(rng.integers(0, 3))), name=f"d{i + 1}")
        layers += [] if after is None else [after]
    width = int(rng.integers(2, 9))
    precision = f"fixed<{width},1>" if signed else f"ufixed<{width},0>"
    result = design(layers, shape=shape, precision=precision, seed=int(rng.integers(2**31)))
    result.config["LayerName"]["frame"]["P"] = int(rng.integers(1, 17))
    result.config["Model"]["PE"] = int(rng.integers(1, 9))
    return result


def random_conv_design(rng: np.random.Generator, *, hold: bool) -> Design:
    """Return a random model of one or two convolutions, some with a dense layer at the end."""
    shape = tuple(int(n) for n in rng.integers((3, 3, 1), (9, 9, 4)))
    layers = [_activation(rng, "d0", shape[-1], hold, signed=False)]
    frame = shape
    for i in range(int(rng.integers(1, 3))):
        kernel = tuple(int(rng.integers(1, min(4, n) + 1)) for n in frame[:2])
        options: dict[str, Any] = {"padding": str(rng.choice(["same", "valid"])), "bias": int(rng.integers(3, 9))}
        options["strides"] = (int(rng.integers(1, 4)),) * 2
        filters = int(rng.choice([1, 3, 4, 6]))
        single = i == 1 and rng.random() < 0.5
        layer = depthwise(kernel, f"c{i}", **options) if single else conv(filters, kernel, f"c{i}", **options)
        frame = layer.compute_output_shape((None, *frame))[1:]
        layers += [layer, _activation(rng, f"d{i + 1}", frame[-1], hold, signed=rng.random() < 0.3)]
    if rng.random() < 0.5:
        layers += [keras.layers.Flatten(), dense(int(rng.integers(1, 5)), "fc")]
    result = design(
        [layer for layer in layers if layer], shape=shape, precision="ufixed<8,0>", seed=int(rng.integers(99))
    )
    result.config["LayerName"]["frame"]["P"] = int(rng.integers(1, 17))
    result.config["Model"]["PE"] = int(rng.integers(1, 5))
    return result


def random_branch_design(rng: np.random.Generator, *, hold: bool) -> Design:
    """Return a random model whose blocks pool, upsample, add and concatenate, some with a dense layer at the end."""

    def build(frame: Any) -> Any:
        first = _activation(rng, "d0", frame.shape[-1], hold, signed=False)
        x, raw = (frame, True) if first is None else (first(frame), False)
        for i in range(int(rng.integers(2, 4))):
            x = _block(rng, x, f"b{i}")
            raw = not raw and rng.random() < 0.3  # no two blocks in a row without an activation: sums would widen
            if not raw:
                x = _activation(rng, f"d{i + 1}", x.shape[-1], hold, signed=rng.random() < 0.3)(x)
        return _head(rng, x)

    shape = tuple(int(n) for n in rng.integers((2, 2, 1), (7, 7, 4)))
    result = network(build, shape=shape, precision="ufixed<6,0>", seed=int(rng.integers(99)))
    result.config["LayerName"]["frame"]["P"] = int(rng.integers(1, 17))
    result.config["Model"]["PE"] = int(rng.integers(1, 5))
    return result


def _block(rng: np.random.Generator, x: Any, name: str) -> Any:
    """Return a random block of layers after ``x``; the names of all begin with ``name``."""
    height, width, channels = x.shape[1:]
    layers, bias = keras.layers, int(rng.integers(3, 7))
    kind = int(rng.integers(7))
    if kind == 0:
        size = (int(rng.integers(1, min(height, 3) + 1)), int(rng.integers(1, min(width, 3) + 1)))
        return layers.MaxPooling2D(size, strides=int(rng.integers(1, 3)), name=f"{name}_max")(x)
    if kind == 1:
        size = (min(2, height), min(2, width))
        return layers.AveragePooling2D(size, strides=int(rng.integers(1, 3)), name=f"{name}_mean")(x)
    if kind == 2 and height * width <= 16:
        return layers.UpSampling2D(tuple(int(n) for n in rng.integers(1, 3, 2)), name=f"{name}_up")(x)
    if kind == 3:
        return layers.Add(name=f"{name}_twice")([x, x])
    kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
    if kind == 4:
        beside = depthwise(kernel, f"{name}_dw", bias=bias, padding="same")(x)
        several = [x, beside, x][: int(rng.integers(2, 4))]
        return layers.Concatenate(int(rng.integers(1, 4)), name=f"{name}_cat")(several)
    stride = int(rng.integers(1, 3))
    main = conv(channels, kernel, f"{name}_c", bias=bias, strides=stride, padding="same")(x)
    short = x if stride == 1 else conv(channels, (1, 1), f"{name}_s", strides=stride)(x)
    main = QActivation(quantized_bits(5, 2, alpha=1), name=f"{name}_q")(main) if rng.random() < 0.5 else main
    return layers.Add(name=f"{name}_sum")([main, short])


def _head(rng: np.random.Generator, x: Any) -> Any:
    """Return a random end of a model: the frame as it is, its maximum, its mean if that is exact, or a dense layer."""
    height, width, _ = x.shape[1:]
    kind = int(rng.integers(4))
    if kind == 0:
        return keras.layers.GlobalMaxPooling2D(name="top")(x)
    if kind == 1 and (height * width).bit_count() == 1:
        return keras.layers.GlobalAveragePooling2D(keepdims=bool(rng.integers(2)), name="mean")(x)
    if kind == 2:
        return dense(int(rng.integers(1, 5)), "fc")(keras.layers.Flatten()(x))
    return x


def _activation(rng: np.random.Generator, name: str, channels: int, hold: bool, *, signed: bool) -> Any:
    """Return a random activation of any supported kind, or None."""
    bits = int(rng.integers(2, 7))
    kind = int(rng.integers(4)) if not hold else 0
    if kind == 1:
        return QActivation(quantized_bits(bits, 1, symmetric=int(rng.integers(2)), alpha=1), name=name)
    if kind == 2:
        return QActivation(quantized_relu(bits, 1), name=name)
    if kind == 3 and name == "d0":
        return None
    steps = 2.0 ** rng.integers(-5, -1, size=channels if rng.random() < 0.5 else 1)
    steps = np.maximum(steps, steps.max() * 2.0 ** (1 - bits))
    step = steps.tolist() if len(steps) > 1 else float(steps[0])
    activation = "identity" if signed else "relu"
    threshold = float(rng.choice([0.5, 0.7, 1.0, 2.5])) if hold else None
    return DeltaActivation(activation, bits=bits, step=step, hold=threshold, name=name)


def walk(rng: np.random.Generator, fmt: Fixed, shape: tuple[int, ...], frames: int) -> IntArray:
    """Return a stream of codes ``[frames, *shape]``: small moves, jumps to the extremes, unchanged frames."""
    codes = np.empty((frames, *shape), np.int64)
    now = rng.integers(fmt.lo, fmt.hi + 1, shape)
    for t in range(frames):
        moves = rng.random(shape) < rng.choice([0.0, 0.05, 0.3, 1.0])
        jump = rng.choice([fmt.lo, fmt.hi, int(rng.integers(fmt.lo, fmt.hi + 1))], shape)
        small = now + rng.integers(-2, 3, shape)
        now = np.clip(np.where(moves, np.where(rng.random(shape) < 0.2, jump, small), now), fmt.lo, fmt.hi)
        codes[t] = now
    return codes
