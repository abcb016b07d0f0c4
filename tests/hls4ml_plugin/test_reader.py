# SPDX-License-Identifier: Apache-2.0
"""What is read of a Keras model: exactly, against Keras itself, or refused with what to use. Nothing is compiled."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
import qkeras
from keras import ops
from qkeras import QActivation, QDense, quantized_bits, quantized_relu
from random_models import conv, dense

from codesign.errors import ConversionError, ConversionWarning, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph import Graph
from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.frames import frame_codes
from codesign.keras_model import kinds as keras_kinds
from codesign.keras_model.instead import INSTEAD
from codesign.layers import DeltaActivation, delta, over_time

Edit = Callable[[dict[str, Any]], object]
"""Changes a configuration before it is converted."""

pytestmark = pytest.mark.timeout(600)
L = keras.layers
INPUT = Fixed(width=6, frac=4, signed=True)


def relu(name: str | None = None) -> Any:
    return QActivation(quantized_relu(4, 1), name=name)


def signed(name: str | None = None) -> Any:
    return QActivation(quantized_bits(5, 1, alpha=1), name=name)


def chain(*parts: Any) -> Callable[[Any], Any]:
    """Return a function that applies ``parts``, one after another."""

    def build(x: Any) -> Any:
        for part in parts:
            x = part(x)
        return x

    return build


def model_of(build: Callable[[Any], Any], shape: Any, **options: Any) -> Any:
    """Return what ``build`` makes of an input called ``frame``, with random weights."""
    frame = keras.Input(shape, name="frame", **options)
    return trained(keras.Model(frame, build(frame)))


def trained(model: Any) -> Any:
    rng = np.random.default_rng(0)
    for weight in model.weights:
        values = np.round(rng.normal(size=weight.shape) * 0.6 * 16) / 16
        weight.assign(np.abs(values) if weight.name == "moving_variance" else values)
    return model


def configured(model: Any, backend: str = "Delta") -> dict[str, Any]:
    config: dict[str, Any] = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=backend)
    return config


def convert(model: Any, folder: Path, edit: Edit | None = None) -> Any:
    """Return what backend Delta makes of ``model``."""
    config = configured(model)
    config["LayerName"]["frame"]["Precision"] = INPUT.ap().removeprefix("ap_")
    if edit is not None:
        edit(config)
    return hls4ml.converters.convert_from_keras_model(model, hls_config=config, backend="Delta", output_dir=str(folder))


def mismatches(model: Any, graph: Graph, frames: int = 4) -> int:
    """Return how many values of a stream differ between Keras and the graph, and how many there are."""
    shape = tuple(model.inputs[0].shape[1:])
    codes = np.random.default_rng(1).integers(INPUT.lo, INPUT.hi + 1, (frames, *shape))
    codes[1:] = np.where(np.random.default_rng(2).random(codes[1:].shape) < 0.5, codes[1:], codes[:-1])
    wanted = np.asarray(model(INPUT.to_values(codes).astype(np.float32), training=False), np.float64)
    trace = Golden(graph).run(codes.reshape(frames, -1))
    given = graph.output.fmt.to_values(trace.outputs).reshape(-1, *graph.output.shape)
    assert given.shape == wanted.shape
    assert np.unique(wanted).size > 2, "a test that computes nothing"
    return int((given != wanted).sum())


def inner(*layers: Any, shape: Any = (8,), name: str = "inner") -> Any:
    return keras.Sequential([keras.Input(shape), *layers], name=name)


def deep(x: Any) -> Any:
    """Return a model in a model in a model; all have a layer called ``fc``."""
    core = inner(dense(8, "fc"), relu("q"), name="core")
    middle = inner(core, dense(8, "fc"), relu("q"), name="middle")
    return dense(3, "fc")(middle(signed("q")(x)))


def shared(x: Any) -> Any:
    """Return a model with a graph of its own that is used twice, and a layer used twice."""
    a = keras.Input((8,), name="a")
    block = keras.Model(a, L.Add()([relu()(dense(8, "w")(a)), a]), name="block")
    fc = dense(8, "fc")
    return fc(block(fc(block(signed()(x)))))


def two_to_one(x: Any) -> Any:
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    join = keras.Model([a, b], L.Concatenate()([dense(3, "left")(a), dense(2, "right", bias=4)(b)]), name="join")
    x = signed()(x)
    return dense(3, "fc")(join([x, relu()(dense(8, "h")(x))]))


def backbone(x: Any) -> Any:
    """Return a nested model that was built for frames of any size."""
    body = keras.Sequential([keras.Input((None, None, 2)), conv(3, (3, 3), "c", padding="same"), relu()], name="body")
    return dense(2, "fc")(L.Flatten()(body(signed()(x), training=False)))


def hidden(x: Any) -> Any:
    return relu()(dense(8, "h")(x))


def by_ops(x: Any) -> Any:
    """Return operations that are layers under other names."""
    x = signed()(x)
    y = ops.relu(dense(8, "h", bias=4)(x))
    z = ops.squeeze(ops.expand_dims(ops.stop_gradient(ops.maximum(dense(8, "g")(x), 0)), 1), 1)
    z = ops.concatenate([ops.relu6(dense(4, "k")(y)), ops.clip(dense(4, "m")(z), 0, 0.5)], axis=-1)
    return L.Flatten()(ops.swapaxes(ops.reshape(dense(8, "fc")(z + y), (-1, 8, 1)), 1, 2))


def pooled_by_ops(x: Any) -> Any:
    x = conv(2, (2, 2), "c")(signed()(x))
    return ops.concatenate([ops.mean(x, (1, 2)), ops.max(x, axis=(1, 2)), L.Flatten()(ops.max_pool(x, 2))], axis=1)


def by_numbers(x: Any) -> Any:
    """Return sums and products with numbers."""
    x = signed()(x / 2)
    y = 1.5 - dense(8, "h", bias=4)(x)
    return dense(3, "fc")(relu()(y * 4 + 0.25) - 1)


NOTHING = (
    *(
        lambda kind=kind: getattr(L, kind)(0.1)
        for kind in ("Dropout", "GaussianNoise", "AlphaDropout", "GaussianDropout")
    ),
    lambda: L.ActivityRegularization(0.1),
    L.Identity,
    lambda: L.Activation("linear"),
)
IMAGES = [kind for kind in keras_kinds.NO_OPS if kind.startswith("Random")]
TINTED = {"factor": 0.2, "value_range": (0, 1)}
IMAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "RandomFlip": {},
    "RandomErasing": {},
    "RandomPerspective": {},
    "RandomHue": TINTED,
    "RandomSaturation": TINTED,
    "RandomBrightness": TINTED,
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "RandomShear": {"x_factor": 0.2},
}


def images(x: Any) -> Any:
    for kind in IMAGES:
        x = getattr(L, kind)(**IMAGE_OPTIONS.get(kind, {"factor": 0.2}))(x)
    return conv(2, (2, 2), "c")(signed()(x))


EXACT = {
    "models in models": (deep, (8,)),
    "a model used twice": (shared, (8,)),
    "a model of two inputs": (two_to_one, (8,)),
    "a model of open sizes": (backbone, (5, 4, 2)),
    "nothing": (
        chain(*(make() for make in NOTHING), signed(), dense(4, "a"), *(make() for make in NOTHING), relu()),
        (8,),
    ),
    "dropout of maps": (
        chain(signed(), L.ZeroPadding2D(1), L.SpatialDropout2D(0.5), conv(3, (2, 2), "c"), L.Dropout(0.5)),
        (4, 4, 2),
    ),
    "nothing before a normalization": (
        chain(signed(), dense(4, "a", bias=5), L.Dropout(0.5), L.BatchNormalization(epsilon=0.0, name="norm"), relu()),
        (8,),
    ),
    "augmentation": (images, (6, 6, 3)),
    "rescaling of the input": (chain(L.Rescaling(1 / 4, name="s"), signed(), dense(3, "fc", bias=6)), (8,)),
    "rescaling everywhere": (
        chain(
            signed(),
            L.Rescaling(4.0),
            dense(6, "a", bias=5),
            L.Rescaling(0.5),
            relu(),
            L.Rescaling(0.25),
            dense(3, "b"),
            L.Rescaling(2.0),
        ),
        (8,),
    ),
    "rescaling with an offset": (chain(L.Rescaling(2.0, -1.0, name="s"), signed(), dense(3, "fc", bias=6)), (8,)),
    "rescaling of maps with offsets": (
        chain(
            signed(),
            L.Rescaling([0.5, -2.0], [0.25, 1.0], name="s"),
            conv(3, (2, 2), "c", padding="same", bias=5),
            L.Rescaling(-1.0, 0.5),
            relu(),
        ),
        (4, 3, 2),
    ),
    "rescaling of the output": (chain(signed(), L.Rescaling(0.125)), (8,)),
    "relu with a limit": (chain(signed(), dense(8, "a", bias=5), L.ReLU(max_value=0.75), dense(3, "b")), (8,)),
    "relu with a limit beyond": (chain(signed(), dense(8, "a", bias=5), L.ReLU(max_value=2.0**20)), (8,)),
    "relu with a finer limit": (chain(L.ReLU(max_value=0.3125 + 2**-9), dense(3, "b")), (8,)),
    "relu6": (
        chain(
            signed(), dense(8, "a", bias=5, activation="relu6"), dense(8, "c"), L.Rescaling(8.0), L.Activation("relu6")
        ),
        (8,),
    ),
    "a + b": (lambda x: dense(3, "fc")(hidden(q := signed()(x)) + q), (8,)),
    "operations": (by_ops, (8,)),
    "operations on maps": (pooled_by_ops, (5, 5, 2)),
    "numbers": (by_numbers, (8,)),
    "global pooling that keeps its axes": (
        chain(
            signed(),
            L.GlobalMaxPooling2D(keepdims=True),
            L.UpSampling2D((2, 1)),
            L.GlobalAveragePooling2D(keepdims=True),
        ),
        (3, 3, 4),
    ),
    "permute of one column": (
        chain(signed(), conv(2, (3, 1), "c"), L.Permute((2, 1, 3)), L.Permute((1, 2, 3))),
        (6, 1, 2),
    ),
    "dense of rows": (chain(signed(), dense(3, "r", bias=5), relu(), L.Flatten(), dense(2, "fc")), (6, 4)),
    "dense of positions": (
        chain(signed(), dense(5, "r", bias=5), relu(), dense(2, "r2"), L.MaxPooling2D(2)),
        (4, 4, 2),
    ),
    "dense of volumes": (chain(signed(), dense(5, "r", bias=5)), (2, 3, 2, 4)),
    "plain layers activated by quantizers": (
        chain(
            L.Activation(quantized_bits(5, 1, alpha=1)),
            L.DepthwiseConv1D(3, activation=quantized_relu(4, 1)),
            L.Conv1D(3, 2, activation=quantized_bits(5, 1, alpha=1)),
            L.Dense(3, activation=quantized_relu(4, 1)),
        ),
        (6, 2),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact(tmp_path: Path, name: str) -> None:
    build, shape = EXACT[name]
    model = model_of(build, shape)
    for layer in model._flatten_layers():
        if isinstance(layer, L.BatchNormalization):
            one = np.ones(layer.gamma.shape)
            layer.set_weights([one * 0.5, one * 0.25, one * 0.125, one * 4])
    before = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    hardware = convert(model, tmp_path)
    assert mismatches(model, hardware.delta_graph) == 0
    assert [len(layer._inbound_nodes) for layer in model._flatten_layers()] == before  # the model stays as it is


def rows(x: Any) -> Any:
    """Return Dense on rows in a model inside the model, between Rescalings with and without an offset."""
    block = inner(dense(3, "fc", bias=5), relu(), shape=(6, 4), name="block")
    x = L.Rescaling(2.0, -1.0)(block(signed()(L.Rescaling(0.5)(x))))
    return L.Rescaling(4.0)(dense(2, "fc")(signed()(x)))


def maps(x: Any) -> Any:
    q = signed()(x)
    x = ops.relu6(conv(2, (3, 3), "c", padding="same", bias=5)(q) * 4) + L.Rescaling([-1.0, 2.0], [0.5, -1.0])(q)
    return L.ReLU(max_value=1.5)(x)


@pytest.mark.heavy
@pytest.mark.parametrize(("build", "shape"), [(rows, (6, 4)), (maps, (4, 3, 2))])
def test_exact_in_csim_and_rtl(tmp_path: Path, build: Callable[[Any], Any], shape: Any) -> None:
    model = model_of(build, shape)
    hardware = convert(model, tmp_path)
    hardware.compile()
    frames = INPUT.to_values(np.random.default_rng(1).integers(INPUT.lo, INPUT.hi + 1, (6, *shape)))
    wanted = np.asarray(model(frames.astype(np.float32), training=False), np.float64)
    for options in ({}, {"sim": "rtl"}, {"sim": "rtl", "skip": False}):
        np.testing.assert_array_equal(hardware.predict(frames, **options), wanted)


WHOLE = {
    "uint8, cast": ("uint8", lambda x: dense(3, "fc")(signed()(keras.ops.cast(x, "float32")))),
    "int32": ("int32", lambda x: dense(3, "fc")(signed()(x))),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(tmp_path: Path, name: str) -> None:
    dtype, build = WHOLE[name]
    model = model_of(build, (8,), dtype=dtype)
    config = configured(model)
    graph = hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="Delta", output_dir=str(tmp_path)
    ).delta_graph
    x = np.random.default_rng(0).integers(0, 3, (4, 8)).astype(dtype)
    made = graph.output.fmt.to_values(Golden(graph).run(frame_codes(graph, x)).outputs)
    np.testing.assert_array_equal(made, np.asarray(model(x, training=False)))
    assert np.unique(made).size > 2


def test_an_operation_that_knows_the_size_of_the_batch(tmp_path: Path) -> None:
    frame = keras.Input(batch_shape=(2, 2, 4), name="frame")
    model = trained(keras.Model(frame, dense(3, "fc")(keras.ops.reshape(keras.ops.relu(frame), (2, 8)))))
    assert mismatches(model, convert(model, tmp_path).delta_graph, frames=2) == 0


def test_names_of_nested_layers(tmp_path: Path) -> None:
    model = model_of(deep, (8,))
    hardware = convert(model, tmp_path, edit=lambda config: config["LayerName"]["middle_fc"].update(PE=2))
    assert [node.name for node in hardware.delta_graph.linears] == ["core_fc", "middle_fc", "fc"]
    assert [node.pe for node in hardware.delta_graph.linears] == [8, 2, 3]
    assert sum(name.endswith("fc") for name in configured(model)["LayerName"]) == 3


def test_names_of_shared_layers(tmp_path: Path) -> None:
    graph = convert(model_of(shared, (8,)), tmp_path).delta_graph
    assert sorted(node.name for node in graph.linears) == ["fc", "fc_0", "w", "w_0"]


def test_a_power_of_two_costs_nothing(tmp_path: Path) -> None:
    graph = convert(model_of(EXACT["rescaling of the input"][0], (8,)), tmp_path).delta_graph
    assert [node.name for node in graph.engines] == ["fc"]


class Own(QDense):  # type: ignore[misc]  # QKeras has no types
    """A layer of the user's own."""


class OwnModel(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A model without a graph."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fc = QDense(3)

    def call(self, x: Any) -> Any:
        return self.fc(x)


def lstm(kind: str, **options: Any) -> Callable[[Any], Any]:
    return lambda x: getattr(L, kind)(3, name="odd", **options)(x)


def attention(x: Any) -> Any:
    return L.Attention(name="odd")([x, x])


def unit(layer: Any) -> Callable[[Any], Any]:
    return chain(signed(), layer, L.Flatten(), dense(2, "fc"))


REFUSED = {
    "Normalization": (unit(L.Normalization(mean=0.0, variance=1.0, name="odd")), (8,), "scale the frames before"),
    "Rescaling": (unit(L.Rescaling(1 / 255, name="odd")), (8,), r"scale=0\.0039.*1 / 256"),
    "Rescaling by 0": (unit(L.Rescaling(0.0, name="odd")), (8,), "power of two"),
    "Rescaling with an offset of many bits": (unit(L.Rescaling(1.0, 0.1, name="odd")), (8,), "16 bits"),
    "Resizing": (unit(L.Resizing(4, 4, name="odd")), (8, 8, 1), "before predict"),
    "maximum of more than the frame": (
        unit(lambda x: keras.ops.max(x, axis=1, initial=0.5, keepdims=True)),
        (6, 4),
        "Max",
    ),
    "a cast that rounds": (unit(lambda x: keras.ops.cast(keras.ops.cast(x, "float16"), "float32")), (8,), "Cast"),
    "RandomCrop": (unit(L.RandomCrop(4, 4, name="odd")), (8, 8, 1), "before predict"),
    "TimeDistributed": (unit(L.TimeDistributed(QDense(2, name="in"), name="odd")), (6, 4), "of QDense 'in'.*itself"),
    "TimeDistributed of maps": (unit(L.TimeDistributed(L.Conv2D(2, 2), name="odd")), (3, 6, 6, 1), "single frames"),
    "Lambda": (unit(L.Lambda(lambda v: v * 2, name="odd")), (8,), "Rescaling"),
    "Embedding": (chain(L.Embedding(10, 4, name="odd"), L.Flatten(), dense(2, "fc")), (6,), "one-hot"),
    "RepeatVector": (unit(L.RepeatVector(3, name="odd")), (4,), "UpSampling1D"),
    "GRU": (unit(lstm("GRU")), (6, 3), "Conv1D"),
    "Bidirectional": (unit(L.Bidirectional(L.LSTM(3, name="in"), name="odd")), (6, 3), "of LSTM.*Conv1D"),
    "QGRU": (unit(qkeras.QGRU(3, name="cell")), (6, 3), "of QGRUCell 'cell'"),
    "Attention": (unit(attention), (6, 4), "convolutions"),
    "LeakyReLU": (unit(L.LeakyReLU(name="odd")), (8,), "relu6"),
    "ReLU with a slope": (unit(L.ReLU(negative_slope=0.5, name="odd")), (8,), "negative_slope=0.5"),
    "gelu": (chain(signed(), QDense(3, activation="gelu", name="odd")), (8,), "gelu, activation of QDense"),
    "a layer as activation": (chain(signed(), L.Dense(3, activation=L.ReLU(), name="odd")), (8,), "ReLU, activation"),
    "a quantizer of another kind": (unit(QActivation("quantized_tanh(4)", name="odd")), (8,), "quantized_relu"),
    "QBatchNormalization": (
        chain(signed(), dense(3, "a"), qkeras.QBatchNormalization(name="odd")),
        (8,),
        "QConv2DBatch",
    ),
    "a class derived from QDense": (chain(signed(), Own(3, name="odd")), (8,), "use QDense itself"),
    "a model without a graph": (chain(signed(), OwnModel(name="odd")), (8,), "functional"),
    "a permutation": (unit(L.Permute((2, 1), name="odd")), (3, 4), "permute the frames before"),
    "x[:, :4]": (lambda x: dense(3, "fc")(signed()(x)[:, :4]), (8,), "GetItem.*channels"),
    "x * y": (lambda x: dense(3, "fc")(signed()(x) * hidden(x)), (8,), "Multiply.*Add or Concatenate"),
    "x * 0.3": (lambda x: dense(3, "fc")(signed()(x) * 0.3), (8,), "power of two"),
    "1 / x": (lambda x: dense(3, "fc")(1 / signed()(x)), (8,), "TrueDivide"),
    "x - y": (lambda x: dense(3, "fc")(signed()(x) - hidden(x)), (8,), "Subtract.*other sign"),
    "ops.transpose": (unit(lambda x: ops.transpose(x, (0, 2, 1))), (3, 4), "permute the frames before"),
    "ops.exp": (unit(ops.exp), (8,), "use one of"),
    "ops.concatenate of the batch": (lambda x: dense(3, "a")(ops.concatenate([x, x])), (8,), "axis=-1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(tmp_path: Path, name: str) -> None:
    build, shape, words = REFUSED[name]
    frame = keras.Input(shape, name="frame")
    model = keras.Model(frame, build(frame))
    where = "odd: " if "odd" in {layer.name for layer in model.layers} else r"\w+: "
    message = f"^{where}.*Received: .*{words}|^{where}.*{words}"
    with pytest.raises(UnsupportedLayerError, match=message) as config:
        configured(model)
    assert "Next step:" in str(config.value)
    assert "put a Flatten" not in str(config.value)
    with pytest.raises(UnsupportedLayerError) as conversion:
        hls4ml.converters.convert_from_keras_model(model, backend="Delta", output_dir=str(tmp_path))
    assert str(conversion.value) == str(config.value)
    with pytest.raises(UnsupportedLayerError) as replaced:
        delta(model)
    assert str(replaced.value) == str(config.value)


def test_all_layers_at_once() -> None:
    model = model_of(
        chain(L.Lambda(lambda v: v, name="one"), dense(4, "fc"), L.LeakyReLU(name="two"), L.ELU(name="three")), (8,)
    )
    message = (
        r"3 layers.*one \(Lambda\), two \(LeakyReLU\), three \(ELU\).*Next step: one: write.*; two, three: use relu"
    )
    with pytest.raises(UnsupportedLayerError, match=message):
        configured(model)
    with pytest.raises(UnsupportedLayerError, match=message):
        delta(model)


PLACES = {
    "first": (chain(signed("q"), L.BatchNormalization(name="norm"), dense(3, "fc")), "'q'"),
    "behind an activation": (chain(dense(3, "fc", activation="relu"), L.BatchNormalization(name="norm")), "'fc_relu'"),
    "behind Flatten": (chain(dense(3, "fc"), L.Reshape((3,), name="r"), L.BatchNormalization(name="norm")), "'r'"),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_place_of_a_normalization(tmp_path: Path, name: str) -> None:
    build, behind = PLACES[name]
    message = rf"norm: its place is the reason.*BatchNormalization after {behind}.*move it.*codesign\.layers\.delta"
    with pytest.raises(UnsupportedLayerError, match=message):
        convert(model_of(build, (8,)), tmp_path)


def half() -> Any:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return model_of(chain(L.Flatten(), dense(3, "fc")), (8,))
    finally:
        keras.config.set_dtype_policy("float32")


def of_int8() -> Any:
    model = model_of(chain(L.Dense(3, name="fc")), (8,))
    model.quantize("int8")
    return model


MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "a path": (lambda: "model.keras", "a name, not a model.*load_model"),
    "None": (lambda: None, "not a Keras model"),
    "an array": (lambda: np.zeros(3), "not a Keras model.*ndarray"),
    "a description": (lambda: {"class_name": "Sequential"}, "a model of Keras 2.*Keras 3"),
    "a layer": (lambda: QDense(3), "a layer, not a model"),
    "not built": (lambda: keras.Sequential([QDense(3)]), "not built.*keras.Input"),
    "no layers": (lambda: keras.Sequential([]), "no layers that compute"),
    "no layers behind the input": (lambda: keras.Sequential([keras.Input((8,))]), "no layers that compute"),
    "only a call": (OwnModel, r"subclassed model.*keras\.Model\(frame, model\.call\(frame\)\)"),
    "open sizes": (
        lambda: model_of(conv(2, (2, 2), "c"), (None, None, 1)),
        r"frame: .*one size.*Input\(\(32, 32, 1,\)\)",
    ),
    "no sizes": (lambda: model_of(lambda x: x + 1.0, ()), "frame: .*one size"),
    "two outputs": (
        lambda: model_of(lambda x: [dense(3, "cls")(x), dense(2, "box")(x)], (8,)),
        r"2 outputs \(cls, box\).*Next step: .*get_layer\('box'\)",
    ),
    "an input more": (
        lambda: keras.Model(
            [a := keras.Input((8,), name="left"), b := keras.Input((8,), name="right")], L.Add()([a, b])
        ),
        r"2 inputs \(left, right\).*Next step: .*right",
    ),
    "float16": (half, "2 layers.*fc .float16.*set_dtype_policy"),
    "frames that are rounded": (lambda: model_of(dense(3, "fc"), (8,), dtype="float16"), "frame: .*float16.*float32"),
    "truth values": (lambda: model_of(signed(), (8,), dtype="bool"), "frame: .*bool.*float32"),
    "int8": (of_int8, "fc: .*int8.*quantize with QKeras"),
    "integers": (lambda: model_of(lambda x: x + x, (8,), dtype="uint8"), "integers that wrap.*uint8.*float32"),
    "a model of clips": (
        lambda: over_time(delta(model_of(dense(3, "fc"), (8,))), 4),
        "FoldTime.*the model of one frame that over_time was given",
    ),
}


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`:UserWarning")  # Keras, of int8
@pytest.mark.parametrize("name", MODELS)
def test_models_that_are_none(tmp_path: Path, name: str) -> None:
    make, message = MODELS[name]
    model = make()
    with pytest.raises(ConversionError, match=f"{message}") as config:
        configured(model)
    assert "Next step:" in str(config.value)
    with pytest.raises(ConversionError) as conversion:
        hls4ml.converters.convert_from_keras_model(model, backend="Delta", output_dir=str(tmp_path))
    assert str(conversion.value) == str(config.value)
    with pytest.raises(ConversionError) as replaced:
        delta(model)
    assert str(replaced.value) == str(config.value)


def test_every_kind_of_layer_has_an_answer() -> None:
    classes = {kind for module in (L, qkeras) for kind in vars(module).values() if inspect.isclass(kind)}
    kinds = {kind.__name__ for kind in classes if issubclass(kind, L.Layer)} - {"Layer", "Model"}
    assert kinds - {*keras_kinds.READABLE, *INSTEAD} == set()
    assert not {*keras_kinds.READABLE} & {*INSTEAD}


def test_other_backends_read_as_before(tmp_path: Path) -> None:
    """They get what hls4ml's own functions return, and its own errors."""
    convert_function = hls4ml.converters.keras_v3_to_hls
    assert hls4ml.utils.config_from_keras_model is hls4ml.utils.config.config_from_keras_model
    model = model_of(chain(L.Dense(3, name="fc"), L.ReLU(max_value=6.0)), (8,))
    for function in (lambda: configured(model, "Vitis"), lambda: hls4ml.converters.parse_keras_v3_model(model)):
        with pytest.raises(AssertionError, match="Only ReLU with max_value=None"):
            function()
    with pytest.raises(AssertionError, match="Only ReLU with max_value=None"):
        convert_function({"KerasModel": model, "Backend": "Vitis"}, False, False)
    with pytest.warns(ConversionWarning, match="float32"):  # no format is given for the input
        hardware = hls4ml.converters.convert_from_keras_model(  # Strategy delta asks for our reader, on any backend
            model, backend="Vitis", output_dir=str(tmp_path), hls_config={"Model": {"Strategy": "delta"}}
        )
    output = hardware.delta_graph.output
    assert output.hi * output.fmt.scale == 6.0


def test_delta_accepts_what_converts(tmp_path: Path) -> None:
    """A plain model with all that is read becomes a delta network that converts exactly."""
    block = keras.Sequential(
        [keras.Input((4, 4, 3)), L.Conv2D(3, 3, padding="same", name="c"), L.ReLU(6.0)], name="block"
    )

    def build(x: Any) -> Any:
        x = block(L.Rescaling(1 / 4, -0.5, name="scale")(x))
        x = ops.relu6(L.Dense(4, name="rows")(L.Dropout(0.5)(x)) + 0.5) + L.Conv2D(4, 1, name="c")(x) * 0.5
        return L.Dense(3, name="c_2")(L.Flatten()(L.Permute((1, 2, 3))(x)))

    model = model_of(build, (4, 4, 3))
    clips = INPUT.to_values(np.random.default_rng(3).integers(INPUT.lo, INPUT.hi, (2, 3, 4, 4, 3)))
    network = delta(model, clips=clips)
    assert {"block_c", "c", "rows", "input_delta"} <= {layer.name for layer in network.layers}
    wanted, given = (np.asarray(each(clips[0].astype(np.float32), training=False)) for each in (model, network))
    assert np.abs(wanted - given).max() < 0.25
    assert mismatches(network, convert(network, tmp_path).delta_graph) == 0
    assert isinstance(network.get_layer("input_delta"), DeltaActivation)
