# SPDX-License-Identifier: Apache-2.0
"""Pooling, upsampling, joins and branches: what their graph is, every reason to refuse one, Keras, golden and csim."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
import qkeras
from hls_trips import check_trips
from nodes import node
from numpy.typing import NDArray
from qkeras import QActivation, quantized_bits, quantized_relu
from random_models import conv, dense, network, random_branch_design, rich_branch_design, walk

from codesign.errors import (
    AccumulatorRangeError,
    ConfigError,
    ConversionError,
    ConversionWarning,
    UnsupportedLayerError,
)
from codesign.fixed import Fixed
from codesign.graph import Graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Axis, Join, Pool
from codesign.layers import stream

pytestmark = pytest.mark.timeout(900)
layers = keras.layers


def relu(name: str = "q", bits: int = 4) -> Any:
    return QActivation(quantized_relu(bits, 2), name=name)


def signed(name: str = "q") -> Any:
    return QActivation(quantized_bits(5, 2, alpha=1), name=name)


def chain(*parts: Any) -> Callable[[Any], Any]:
    """Return a function that applies ``parts``, one after another."""

    def build(x: Any) -> Any:
        for part in parts:
            x = part(x)
        return x

    return build


def add(*tensors: Any) -> Any:
    return layers.Add(name="sum")(list(tensors))


def concatenate(*tensors: Any, axis: int = -1) -> Any:
    return layers.Concatenate(axis, name="cat")(list(tensors))


def residual(x: Any, *, filters: int = 4) -> Any:
    """Return a block with a shortcut of stride 2."""
    main = signed()(conv(filters, (3, 3), "c", bias=5, strides=2, padding="same")(x))
    return dense(3, "fc")(layers.Flatten()(relu("out")(add(main, conv(filters, (1, 1), "short", strides=2)(x)))))


def dense_block(x: Any) -> Any:
    """Return a block whose every layer reads all before it."""
    one = relu("q1")(conv(2, (3, 3), "c1", padding="same")(x))
    two = relu("q2", bits=6)(conv(2, (3, 3), "c2", padding="same")(layers.Concatenate(name="cat1")([x, one])))
    return layers.GlobalAveragePooling2D(name="mean")(layers.Concatenate(name="cat2")([x, one, two]))


def two_activations(x: Any) -> Any:
    """Return the sum of one convolution by two activations and by itself."""
    c = conv(3, (2, 2), "c", bias=4)(x)
    return layers.Concatenate(name="cat")([relu("a")(c), signed("b")(c), c])


EXACT = {
    "max": (chain(relu(), layers.MaxPooling2D(2)), (7, 6, 3)),
    "max of signed codes": (layers.MaxPooling2D((2, 3), strides=(1, 2)), (5, 6, 1)),
    "max, same": (chain(relu(), layers.MaxPooling2D(3, strides=2, padding="same")), (7, 6, 3)),
    "max, same, signed, whole windows": (layers.MaxPooling2D(2, padding="same"), (4, 6, 1)),
    "max of accumulators": (chain(conv(3, (2, 2), "c", bias=4), layers.MaxPooling2D(2)), (5, 5, 1)),
    "max behind zeros": (chain(relu(), layers.ZeroPadding2D(1), layers.MaxPooling2D(3, strides=2)), (5, 4, 2)),
    "max in time": (chain(relu(), layers.MaxPooling1D(3, strides=2, padding="same")), (8, 3)),
    "mean": (layers.AveragePooling2D(2), (7, 6, 3)),
    "mean, stride below size": (layers.AveragePooling2D((4, 2), strides=(1, 1)), (6, 5, 1)),
    "mean, same, whole windows": (layers.AveragePooling2D(2, padding="same"), (4, 6, 2)),
    "mean behind zeros": (chain(layers.ZeroPadding2D(((1, 0), (2, 1))), layers.AveragePooling2D(2)), (5, 5, 2)),
    "mean in time": (layers.AveragePooling1D(4, strides=3), (11, 2)),
    "global max": (chain(layers.GlobalMaxPooling2D(), dense(2, "fc")), (5, 3, 3)),
    "global max, kept": (layers.GlobalMaxPooling2D(keepdims=True), (7, 14, 3)),
    "global max in time": (layers.GlobalMaxPooling1D(keepdims=True), (30, 3)),
    "global max, cascade": (layers.GlobalMaxPooling2D(), (8, 7, 1)),
    "global mean": (chain(relu(), layers.GlobalAveragePooling2D(), dense(2, "fc")), (8, 4, 3)),
    "global mean, kept": (layers.GlobalAveragePooling2D(keepdims=True), (4, 4, 1)),
    "global mean in time": (layers.GlobalAveragePooling1D(), (16, 3)),
    "zeros around values of both signs": (
        chain(conv(2, (2, 2), "c"), signed(), layers.ZeroPadding2D(((1, 0), (2, 1))), layers.MaxPooling2D(3, 2)),
        (7, 6, 1),
    ),
    "pooled twice": (chain(layers.AveragePooling2D(2), layers.MaxPooling2D(2)), (8, 8, 1)),
    "large windows, the rest left out": (layers.MaxPooling2D((6, 5)), (13, 11, 2)),
    "upsampling": (chain(relu(), layers.UpSampling2D((2, 3)), conv(2, (2, 2), "c")), (3, 4, 2)),
    "upsampling in time": (layers.UpSampling1D(3), (5, 2)),
    "residual": (residual, (7, 6, 1)),
    "residual of three channels": (residual, (6, 6, 3)),
    "dense block": (dense_block, (4, 4, 3)),
    "a tensor by two activations": (two_activations, (5, 4, 1)),
    "added to itself": (lambda x: add(x, x), (3, 4, 2)),
    "three added": (lambda x: add(x, signed()(conv(2, (1, 1), "c")(x)), x), (3, 4, 2)),
    "accumulators of two lattices": (
        lambda x: add(conv(2, (1, 1), "a")(x), conv(2, (1, 1), "b", bits=6)(x)),
        (3, 4, 2),
    ),
    "rows side by side": (lambda x: concatenate(x, conv(2, (1, 1), "c")(x), x, axis=1), (3, 4, 2)),
    "columns side by side": (lambda x: concatenate(x, signed()(conv(2, (1, 1), "c")(x)), axis=-2), (3, 4, 2)),
    "vectors": (lambda x: dense(3, "fc")(concatenate(dense(3, "a")(x), x, relu()(dense(2, "b")(x)))), (5,)),
    "series": (lambda x: concatenate(x, conv(3, 3, "c", padding="same")(x)), (6, 2)),
    "reshaped between": (
        lambda x: add(layers.Reshape((4, 3))(x), conv(3, 2, "c", padding="same")(layers.Reshape((4, 3))(x))),
        (12,),
    ),
    "reshaped at the end": (chain(dense(4, "fc"), layers.Reshape((2, 2))), (8,)),
    "normalised beside": (
        lambda x: add(x, layers.BatchNormalization(epsilon=0.0, name="n")(conv(2, (1, 1), "c")(x))),
        (3, 3, 2),
    ),
}


def designed(name: str) -> Any:
    build, shape = EXACT[name]
    made = network(build, shape=shape, precision="fixed<5,2>")
    for layer in made.keras.layers:
        if isinstance(layer, layers.BatchNormalization):
            for weight, value in zip(layer.weights, (0.5, 0.25, -0.125, 4.0), strict=True):
                weight.assign(np.full(weight.shape, value))
    return made


def frames_of(graph: Graph, frames: int = 50) -> NDArray[np.int64]:
    """Return a stream of codes, every frame below a level of its own, so that the maximum of many moves, too."""
    rng, fmt, shape = np.random.default_rng(1), graph.source.fmt, graph.source.shape
    levels = rng.integers(fmt.lo, fmt.hi + 1, (frames, *[1] * len(shape)))
    return np.minimum(walk(rng, fmt, shape, frames), np.repeat(levels, 3, axis=0)[:frames])


@pytest.mark.parametrize("name", EXACT)
def test_keras_equals_golden(tmp_path: Path, name: str) -> None:
    made = designed(name)
    graph = made.convert(tmp_path).delta_graph
    codes = frames_of(graph)
    values = graph.source.fmt.to_values(codes)
    outputs = Golden(graph).run(codes).outputs
    assert len(np.unique(outputs)) > 2
    assert outputs.shape[1:] == made.keras.output_shape[1:]
    np.testing.assert_array_equal(
        graph.output.fmt.to_values(outputs), keras.ops.convert_to_numpy(made.keras(values.astype(np.float32)))
    )
    np.testing.assert_array_equal(Golden(graph, form="delta").run(codes).outputs, outputs)


@pytest.mark.parametrize("seed", range(6))
def test_keras_equals_golden_on_random_models(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = random_branch_design(rng, hold=seed % 2 == 0)
    graph = made.convert(tmp_path).delta_graph
    codes = walk(rng, graph.source.fmt, graph.source.shape, 100)
    expected = stream(made.keras, graph.source.fmt.to_values(codes)).outputs
    np.testing.assert_array_equal(graph.output.fmt.to_values(Golden(graph).run(codes).outputs), expected)


@pytest.mark.heavy
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("name", EXACT)
def test_csim_equals_golden_on_every_layer(tmp_path: Path, name: str, io_type: str) -> None:
    model = designed(name).convert(tmp_path, io_type=io_type)
    model.compile()
    codes = frames_of(model.delta_graph, 300)
    expected = Golden(model.delta_graph).run(codes).outputs
    np.testing.assert_array_equal(model.delta_graph.output.fmt.to_codes(model.predict(codes)), expected)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "name",
    [
        "max in time",
        "max behind zeros",
        "mean in time",
        "mean behind zeros",
        "global max, cascade",
        "upsampling in time",
        "residual",
        "dense block",
        "a tensor by two activations",
        "three added",
        "rows side by side",
        "vectors",
    ],
)
def test_rtl_equals_golden(tmp_path: Path, name: str) -> None:
    model = designed(name).convert(tmp_path)
    codes = frames_of(model.delta_graph, 300)
    expected = Golden(model.delta_graph).run(codes).outputs
    np.testing.assert_array_equal(model.delta_graph.output.fmt.to_codes(model.predict(codes, sim="rtl")), expected)


def graph_of(build: Callable[[Any], Any], shape: tuple[int, ...], folder: Path, **config: Any) -> Graph:
    made = network(build, shape=shape, precision="fixed<5,2>")
    for name, entry in config.items():
        made.config["LayerName"][name].update(entry)
    graph = made.convert(folder).delta_graph
    assert isinstance(graph, Graph)
    return graph


def test_identities_are_shared(tmp_path: Path) -> None:
    graph = graph_of(two_activations, (5, 4, 1), tmp_path)
    assert [node.name for node in graph.nodes] == ["frame", "c_input", "c", "a", "b", "cat_input", "cat"]
    assert graph.readers("c") == ("a", "b", "cat_input")
    graph = graph_of(lambda x: add(x, conv(2, (1, 1), "c")(x), x), (3, 4, 2), tmp_path)
    assert graph.readers("frame") == ("c_input",)
    assert graph["sum"].inputs == ("c_input", "sum_input", "c_input")


def test_a_large_maximum_is_a_cascade(tmp_path: Path) -> None:
    graph = graph_of(layers.GlobalMaxPooling2D(name="top"), (24, 10, 3), tmp_path, top={"PE": 1})
    pools = [node for node in graph.nodes if isinstance(node, Pool)]
    assert [pool.name for pool in pools] == ["top_stage1", "top_stage2", "top"][: len(pools)]
    assert [(pool.y.kernel, pool.x.kernel) for pool in pools] == [(4, 2), (3, 5), (2, 1)]
    assert {pool.pe for pool in pools} == {1}
    graph = graph_of(layers.GlobalMaxPooling2D(name="top"), (4, 4, 3), tmp_path)
    top = node(graph, "top", Pool)
    assert (top.y, top.window) == (Axis(size=4, kernel=4, stride=4), 16)


def test_formats(tmp_path: Path) -> None:
    graph = graph_of(chain(relu(), layers.AveragePooling2D((2, 4), name="mean")), (4, 4, 1), tmp_path)
    assert graph["q"].fmt == Fixed(width=4, frac=2, signed=False)
    assert graph["mean"].fmt == Fixed(width=7, frac=5, signed=False)

    def build(x: Any) -> Any:
        c = conv(1, (1, 1), "c")(x)
        return layers.Add(name="sum")([relu("a")(c), signed("b")(c), relu("d", bits=6)(c)])

    graph = graph_of(build, (4, 4, 1), tmp_path)
    assert node(graph, "sum", Join).shifts == (2, 2, 0)  # steps of 1/4, 1/4 and 1/16
    assert graph["sum"].fmt == Fixed.holding(-16 * 4, 15 * 4 + 15 * 4 + 63, frac=4)
    graph = graph_of(two_activations, (5, 4, 1), tmp_path)
    assert graph["cat"].fmt.frac == max(graph[name].fmt.frac for name in graph["cat"].inputs)


def test_pe(tmp_path: Path) -> None:
    graph = graph_of(dense_block, (4, 4, 3), tmp_path, cat2={"PE": 7}, mean={"PE": 100})
    assert [node.pe for node in graph.engines if isinstance(node, Join)] == [5, 7]
    assert node(graph, "mean", Pool).pe == 7
    with pytest.raises(ConversionError, match=r"cat2: PE does not divide.*\[1, 7\].*PE=3"):
        graph_of(dense_block, (4, 4, 3), tmp_path, cat2={"PE": 3})
    with pytest.raises(ConfigError, match="a layer that computes"):
        graph_of(dense_block, (4, 4, 3), tmp_path, q1={"PE": 3})


def test_wide_sums_warn(tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        c = dense(3, "fc", bits=14)(x)
        return add(c, c, c, c, c)

    made = network(build, shape=(4,), precision="fixed<10,2>")
    with pytest.warns(ConversionWarning, match="sum: the accumulator has 2. bits"):
        made.convert(tmp_path)


FRAME = (6, 6, 2)
REFUSED = {
    "mean of 9": (
        layers.AveragePooling2D(3, name="pool"),
        FRAME,
        UnsupportedLayerError,
        r"pool: .*power of two.*\(2, 2\) or \(4, 4\)",
    ),
    "global mean of 36": (
        layers.GlobalAveragePooling2D(name="pool"),
        FRAME,
        UnsupportedLayerError,
        r"pool: .*\(4, 4\) or \(8, 8\)",
    ),
    "mean over a padded window": (
        layers.AveragePooling2D(2, padding="same", name="pool"),
        (5, 5, 1),
        UnsupportedLayerError,
        "pool: .*fewer elements.*ZeroPadding",
    ),
    "maximum over a padded window": (
        layers.MaxPooling2D(2, padding="same", name="pool"),
        (5, 5, 1),
        ConversionError,
        "pool: .*not negative.*ZeroPadding.*a relu before",
    ),
    "too large a window": (
        layers.MaxPooling2D(17, strides=1, name="pool"),
        (17, 17, 1),
        UnsupportedLayerError,
        "pool: .*256.*289",
    ),
    "large primes": (
        layers.GlobalMaxPooling2D(name="pool"),
        (17, 17, 1),
        UnsupportedLayerError,
        "pool: .*289 elements.*two layers",
    ),
    "channels first": (
        layers.GlobalMaxPooling2D(data_format="channels_first", name="pool"),
        FRAME,
        UnsupportedLayerError,
        "pool: .*channels_last",
    ),
    "zeros before a pooling that pads": (
        chain(relu(), layers.ZeroPadding2D(1, name="z"), layers.MaxPooling2D(3, padding="same", name="pool")),
        FRAME,
        UnsupportedLayerError,
        "z: zero padding.*'pool', which pads itself",
    ),
    "zeros before a sum": (
        lambda x: add(layers.ZeroPadding2D(1, name="z")(x), layers.UpSampling2D(2)(conv(2, (3, 3), "c")(x))),
        FRAME,
        UnsupportedLayerError,
        "z: zero padding.*Merge 'sum'",
    ),
    "bilinear": (
        layers.UpSampling2D(2, interpolation="bilinear", name="u2"),
        FRAME,
        UnsupportedLayerError,
        "u2: .*interpolation='nearest'.*'bilinear'",
    ),
    "broadcast": (
        lambda x: add(x, dense(1, "fc")(x)),
        (6,),
        UnsupportedLayerError,
        r"sum: .*broadcast.*\[\(6,\), \(1,\)\]",
    ),
    **{
        kind: (
            lambda x, kind=kind: getattr(layers, kind)(name="m")([x, x]),
            FRAME,
            UnsupportedLayerError,
            f"m: .*{kind}",
        )
        for kind in ("Multiply", "Subtract", "Average", "Maximum")
    },
    "dot": (lambda x: layers.Dot(1, name="m")([x, x]), (6,), UnsupportedLayerError, "m: .*Dot"),
    "the input beside its activation": (
        lambda x: add(relu()(x), x),
        FRAME,
        ConversionError,
        "quantised once.*'sum_input' beside 'q'",
    ),
    "two activations of the input": (
        lambda x: add(relu("a")(x), relu("b")(x)),
        FRAME,
        ConversionError,
        "b: the input is quantised once.*'b' beside 'a'",
    ),
    "two activations in a branch": (
        lambda x: add(x, relu("b")(relu("a")(conv(2, (1, 1), "c")(x)))),
        FRAME,
        ConversionError,
        "b: two activations in a row",
    ),
    "a normalised layer that others read": (
        lambda x: (lambda c: add(c, layers.BatchNormalization(name="norm")(c)))(conv(2, (1, 1), "c")(x)),
        FRAME,
        UnsupportedLayerError,
        "norm: .*'c'.*2 readers",
    ),
    "softmax inside": (
        chain(dense(4, "fc"), layers.Softmax(name="s"), dense(3, "b")),
        (6,),
        UnsupportedLayerError,
        "s: softmax can only be the last layer.*from_logits=True",
    ),
    "softmax of rows": (
        chain(conv(2, (2, 2), "c"), layers.Softmax(axis=1, name="s")),
        FRAME,
        UnsupportedLayerError,
        "s: softmax.*last axis.*axis 1",
    ),
    "an average of no power of two in time": (
        layers.AveragePooling1D(3, name="pool"),
        (9, 1),
        UnsupportedLayerError,
        "pool: ",
    ),
}


@pytest.mark.filterwarnings("ignore:Overriding attribute 'algorithm':UserWarning:hls4ml")  # of what is then refused
@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    build, shape, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        graph_of(build, shape, tmp_path)


UNREADABLE = {
    "SeparableConv1D": (layers.SeparableConv1D(2, 2, name="n"), (6, 2), "DepthwiseConv1D"),
    "QSeparableConv1D": (qkeras.QSeparableConv1D(2, 2, name="n"), (6, 2), "DepthwiseConv1D"),
    "Conv2DTranspose": (layers.Conv2DTranspose(2, 2, name="n"), FRAME, "UpSampling"),
    "Conv3D": (layers.Conv3D(2, 2, name="n"), (4, 4, 4, 1), "one or two dimensions"),
    "MaxPooling3D": (layers.MaxPooling3D(2, name="n"), (4, 4, 4, 1), "one or two dimensions"),
    "Cropping2D": (layers.Cropping2D(1, name="n"), FRAME, "predict"),
    "LayerNormalization": (layers.LayerNormalization(name="n"), FRAME, "BatchNormalization"),
    "QAveragePooling2D": (qkeras.QAveragePooling2D(2, name="n"), FRAME, "QActivation"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_layers_name_what_works(name: str) -> None:
    layer, shape, fix = UNREADABLE[name]
    with pytest.raises(UnsupportedLayerError, match=rf"n: hls4ml cannot read this layer.*{name}.*{fix}"):
        network(layer, shape=shape)


def test_too_wide(tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        return layers.AveragePooling1D(32, name="pool")(conv(1, 1, "c", bits=22)(x))

    made = network(build, shape=(32, 1), precision="fixed<30,2>")
    with pytest.warns(ConversionWarning), pytest.raises(AccumulatorRangeError, match=r"c: .*at most 30"):
        made.convert(tmp_path)


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    model = keras.Model([one, two], add(one, two))
    with pytest.raises(UnsupportedLayerError, match=r"one input and one output.*two"):
        hls4ml.converters.convert_from_keras_model(model, backend="Delta", output_dir=str(tmp_path))


def test_softmax_on_another_backend_is_refused(tmp_path: Path) -> None:
    made = network(chain(dense(4, "fc"), layers.Softmax(name="s")), shape=(6,))
    made.config["LayerName"]["fc"]["Strategy"] = "delta"
    with pytest.raises(UnsupportedLayerError, match=r"s: softmax.*backend Vitis.*backend='Delta'"):
        made.convert(tmp_path, backend="Vitis")


@pytest.mark.parametrize("function", ["softmax", "sigmoid", "tanh"])
@pytest.mark.parametrize("alone", [True, False])
def test_a_softmax_or_sigmoid_at_the_end_is_left_out(tmp_path: Path, function: str, alone: bool) -> None:
    own = chain(dense(4, "fc"), layers.Activation(function))
    model = network(own if alone else dense(4, "fc", activation=function), shape=(6,)).convert(tmp_path)
    assert model.delta_graph.output.name == "fc"
    assert model.on_host == function
    assert model.softmax_on_host == (function == "softmax"), "as in 0.1"


@pytest.mark.parametrize(
    "last",
    [
        layers.Softmax(),
        layers.Activation("sigmoid"),
        pytest.param(layers.Activation("tanh"), marks=pytest.mark.heavy),
    ],
)
def test_a_softmax_or_sigmoid_on_the_host(tmp_path: Path, last: Any) -> None:
    made = network(chain(dense(4, "fc"), last), shape=(6,))
    model = made.convert(tmp_path)
    model.compile()
    codes = frames_of(model.delta_graph)
    logits = model.predict(codes, logits=True)
    np.testing.assert_array_equal(
        model.delta_graph.output.fmt.to_codes(logits), Golden(model.delta_graph).run(codes).outputs
    )
    values = model.delta_graph.source.fmt.to_values(codes)
    np.testing.assert_allclose(model.predict(codes), keras.ops.convert_to_numpy(made.keras(values)), atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_stock_vitis(tmp_path: Path, io_type: str) -> None:
    def build(x: Any) -> Any:
        c = conv(2, (2, 2), "c", padding="same")(x)
        return dense(3, "fc")(layers.Flatten()(layers.MaxPooling2D(2, name="max")(add(c, x, c))))

    made = network(build, shape=(4, 4, 2))
    for name in ("c", "fc"):
        made.config["LayerName"][name]["Strategy"] = "delta"
    model = made.convert(tmp_path, io_type=io_type, backend="Vitis")
    model.compile()
    codes, fmt = frames_of(model.delta_graph), model.delta_graph.output.fmt
    values = model.delta_graph.source.fmt.to_values(codes).astype(np.float32)
    np.testing.assert_array_equal(fmt.to_codes(model.predict(values)), Golden(model.delta_graph).run(codes).outputs)


@pytest.fixture(scope="module", params=[pytest.param("io_parallel", marks=pytest.mark.heavy), "io_stream"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = rich_branch_design().convert(tmp_path_factory.mktemp(request.param), io_type=request.param)
    made.compile()
    return made


def test_csim_equals_golden_over_calls_and_resets(model: Any) -> None:
    model.reset()
    golden = Golden(model.delta_graph)
    codes = frames_of(model.delta_graph, 300)
    for part in np.split(codes, [1, 2, 100, 250]):
        np.testing.assert_array_equal(
            model.delta_graph.output.fmt.to_codes(model.predict(part)), golden.run(part).outputs
        )
    model.reset()
    golden.reset()
    first = golden.run(codes[:1]).outputs
    np.testing.assert_array_equal(model.delta_graph.output.fmt.to_codes(model.predict(codes[:1])), first)


def test_counters(model: Any) -> None:
    graph, codes = model.delta_graph, frames_of(model.delta_graph, 60)
    model.reset()
    model.predict(codes)
    trace = Golden(graph).run(codes)
    check_trips(model, trace)
    first, second = (np.count_nonzero(trace.deltas[name], axis=1) for name in graph["block"].inputs[:2])
    np.testing.assert_array_equal(model.csim_stats["block_first2"]["per_frame"]["cycles"], first + second + 2)


def test_every_stream_has_one_reader_and_branches_hold_a_frame(model: Any) -> None:
    """Otherwise a short branch could stop the tensor that the long one waits for."""
    for layer in model.graph.values():
        for name in layer.outputs:
            readers, variable = layer.get_output_nodes(name), layer.get_output_variable(name)
            assert len(readers) + (name in model.outputs) == 1, name
            if name not in (*model.inputs, *model.outputs):
                frame = layer.get_attr("token").count + 1
                assert variable.pragma == ("stream", frame if layer.class_name == "DeltaCopy" else min(64, frame))
