# SPDX-License-Identifier: Apache-2.0
"""The check of a conversion finds each of these faults, in small frames and in large ones, at the same cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import qkeras
from qkeras import QActivation, QConv2D, quantized_bits, quantized_relu
from random_models import conv, dense, depthwise, network

from codesign.errors import ConversionError
from codesign.graph import golden
from codesign.graph.ir import Graph
from codesign.hls4ml_plugin import against_keras
from codesign.hls4ml_plugin.reader import builder
from codesign.hls4ml_plugin.trials import trials_of
from codesign.hls4ml_plugin.writer import lower
from codesign.keras_model.calls import calls_of
from codesign.layers import DeltaActivation

SIZES = (30, 224)
Change = Callable[[Any], Any]
"""Makes another node of one."""


def branches(frame: Any) -> Any:
    """Return every kind of layer; activations have a number of bits of their own."""
    x = QActivation(quantized_bits(6, 1, alpha=1), name="q0")(frame)
    x = conv(6, (3, 3), "c1", bias=6, strides=2, padding="same")(x)
    x = DeltaActivation("relu", bits=5, step=[0.25, 0.5, 0.5, 0.25, 0.5, 0.25], hold=1.0, name="d1")(x)
    x = keras.layers.ZeroPadding2D(((1, 0), (0, 1)), name="zeros")(x)
    x = QActivation(quantized_relu(4, 2), name="q2")(depthwise((2, 3), "dw", bias=6, strides=2)(x))
    left = QActivation(quantized_relu(3, 2), name="q3")(conv(8, (1, 1), "left")(x))
    right = QConv2D(8, (1, 3), kernel_quantizer=qkeras.binary(alpha=1), use_bias=False, padding="same", name="right")(x)
    right = QActivation(quantized_bits(7, 4, alpha=1), name="q4")(right)
    both = keras.layers.Concatenate(name="both")([right, keras.layers.Add(name="sum")([left, right])])
    x = keras.layers.UpSampling2D((1, 2), name="wide")(keras.layers.MaxPooling2D(2, name="peak")(both))
    return QActivation(quantized_relu(5, 4), name="q5")(conv(24, (3, 3), "deep", bias=6)(x))


def headed(frame: Any) -> Any:
    return dense(10, "fc", bias=6)(keras.layers.GlobalMaxPooling2D(name="top")(branches(frame)))


@pytest.fixture(scope="module", params=SIZES)
def made(request: pytest.FixtureRequest) -> Any:
    return network(headed, shape=(request.param, request.param, 2), precision="fixed<8,2>")


def changed(monkeypatch: pytest.MonkeyPatch, name: str, change: Change) -> None:
    """Let the reader make another node ``name``."""
    read = builder.read_graph

    def wrong(model: Any) -> Any:
        reading = read(model)
        nodes = tuple(change(node) if node.name == name else node for node in reading.graph.nodes)
        assert any(new is not old for new, old in zip(nodes, reading.graph.nodes, strict=True))
        return replace(reading, graph=Graph(name=reading.graph.name, nodes=nodes))

    monkeypatch.setattr(lower, "read_graph", wrong)


def last_weight(node: Any) -> Any:
    weight = node.weight.copy()
    weight.flat[-1] += 1
    return replace(node, weight=weight)


def last_bias(node: Any) -> Any:
    return replace(node, bias=node.bias + np.eye(1, len(node.bias), len(node.bias) - 1, dtype=np.int64)[0])


def without_relu(node: Any) -> Any:
    fmt = replace(node.fmt, width=node.fmt.width + 1, signed=True)
    return replace(node, activation="identity", fmt=fmt, lo=-node.hi)


def moved(axis: Any) -> Any:
    return replace(axis, before=axis.before + 1, after=max(0, axis.after - 1))


CHANGES: dict[str, tuple[str, Change]] = {
    "binary weights 0 and 1": ("right", lambda node: replace(node, weight=(node.weight + 1) // 2)),
    "one weight of the last channel": ("deep", last_weight),
    "one weight of a depthwise layer": ("dw", last_weight),
    "one weight of the last layer": ("fc", last_weight),
    "the last bias": ("deep", last_bias),
    "rows for columns": ("deep", lambda node: replace(node, weight=node.weight.swapaxes(0, 1).copy())),
    "channels in another order": ("left", lambda node: replace(node, weight=node.weight[..., ::-1].copy())),
    "padding on the other side": ("c1", lambda node: replace(node, x=moved(node.x))),
    "zeros of a ZeroPadding on the other side": (
        "dw",
        lambda node: replace(node, y=replace(node.y, before=0, after=1)),
    ),
    "a stride of 1": ("dw", lambda node: replace(node, x=replace(node.x, stride=1))),
    "an end of the range": ("q3", lambda node: replace(node, hi=node.hi - 1)),
    "the lower end of the range": ("q4", lambda node: replace(node, lo=node.lo + 1)),
    "no relu": ("q5", without_relu),
    "another lattice": ("q2", lambda node: replace(node, fmt=replace(node.fmt, frac=node.fmt.frac + 1))),
    "input on another lattice": (
        "q0",
        lambda node: replace(node, in_fmt=replace(node.in_fmt, frac=node.in_fmt.frac + 1)),
    ),
    "sums on another lattice": ("deep", lambda node: replace(node, fmt=replace(node.fmt, frac=node.fmt.frac - 1))),
    "a threshold": ("d1", lambda node: replace(node, hold=1.25)),
    "no threshold": ("d1", lambda node: replace(node, hold=None)),
    "the step of one channel": ("d1", lambda node: replace(node, step_log2=(*node.step_log2[:-1], 1))),
    "a mean for a maximum": ("peak", lambda node: replace(node, kind="sum")),
    "another window": ("peak", lambda node: replace(node, y=replace(node.y, kernel=1))),
    "columns twice for rows": (
        "wide",
        lambda node: replace(node, y=replace(node.y, factor=2), x=replace(node.x, factor=1)),
    ),
    "one branch twice": ("sum", lambda node: replace(node, inputs=(node.inputs[0],) * 2)),
    "the other order": ("both", lambda node: replace(node, inputs=node.inputs[::-1])),
    "another input": ("left", lambda node: replace(node, input="d1", weight=node.weight[:, :, ::-1].copy())),
    "a concatenation shifted": ("both", lambda node: replace(node, shifts=tuple(shift + 1 for shift in node.shifts))),
}
"""What is wrong, by the name of the node that it is wrong in."""


@pytest.mark.parametrize("name", CHANGES)
def test_results_alone_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any, name: str) -> None:
    node, change = CHANGES[name]
    monkeypatch.setattr(against_keras, "_check_weights", lambda *_: None)
    changed(monkeypatch, node, change)
    with pytest.raises(ConversionError, match=r"(differ from those of Keras|than Keras does|reads another shape)"):
        made.convert(tmp_path)


@pytest.mark.parametrize("name", [name for name, (node, _) in CHANGES.items() if "weight" in name])
def test_weights_alone_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any, name: str) -> None:
    node, change = CHANGES[name]
    monkeypatch.setattr(against_keras, "_check_results", lambda *_: None)
    changed(monkeypatch, node, change)
    with pytest.raises(ConversionError, match=rf"{node}: \d+ of \d+ weights .* differ from those of Keras"):
        made.convert(tmp_path)


@pytest.mark.parametrize("layer", ["q0", "q2", "q3", "q5"])
@pytest.mark.parametrize("rounding", ["half up", "down", "towards zero"])
def test_another_rounding_of_one_layer_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any, layer: str, rounding: str
) -> None:
    right = golden.quantize
    node = made.convert(tmp_path).delta_graph[layer]
    ways: dict[str, Callable[[Any], Any]] = {
        "half up": lambda x: np.floor(x + 0.5),
        "down": np.floor,
        "towards zero": np.trunc,
    }
    way = ways[rounding]

    def wrong(other: Any, f: Any) -> Any:
        if (other.fmt, other.hi) != (node.fmt, node.hi):
            return right(other, f)
        return np.clip(way(f / 2.0**other.shift), other.lo, other.hi).astype(np.int64)

    monkeypatch.setattr(golden, "quantize", wrong)
    with pytest.raises(ConversionError, match=rf"{layer}: \d+ of \d+ values .* tried input"):
        made.convert(tmp_path)


def trials(monkeypatch: pytest.MonkeyPatch, made: Any, folder: Path) -> tuple[Any, list[Any]]:
    seen: list[Any] = []
    check = against_keras.check_against_keras

    def watched(*args: Any) -> None:
        seen.append(args)
        check(*args)

    monkeypatch.setattr(lower, "check_against_keras", watched)
    made.convert(folder)
    (_, reading), calls = seen[0], calls_of(made.keras)
    return calls, list(trials_of(calls, reading))


def test_every_layer_is_tried_on_two_frames_or_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any) -> None:
    calls, tried = trials(monkeypatch, made, tmp_path)
    assert {call.name for trial in tried for call in trial.calls} == {call.name for call in calls.calls[1:]}
    assert min(len(values) for trial in tried for values in trial.inputs.values()) >= 2
    kernels = [np.ravel(values) for trial in tried for values in trial.inputs.values()]
    assert all(len(np.unique(values)) > 2 for values in kernels)


def test_large_frames_cost_what_small_ones_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = []
    for size in (30, 446):  # without the maximum over all positions, which is always one of the whole frame
        made = network(branches, shape=(size, size, 2), precision="fixed<8,2>")
        _, tried = trials(monkeypatch, made, tmp_path)
        work.append([values.shape for trial in tried for values in trial.inputs.values()])
    assert work[0] == work[1]
