# SPDX-License-Identifier: Apache-2.0
"""The compiled HLS project against the golden model: outputs, state, counters, and bad frames."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hls_trips import check_trips
from numpy.typing import NDArray
from qkeras import QActivation, QDense, quantized_bits, quantized_relu
from random_models import dense, design, rich_design, walk

from codesign.errors import ConfigError, ConversionWarning, FrameError, SimulationError
from codesign.graph.golden import Golden
from codesign.hls4ml_plugin import library
from codesign.layers import DeltaActivation
from codesign.verify.golden_run import run_golden
from codesign.verify.software import run_csim

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Compile each form once, in whatever order the tests come."""

    @cache
    def build(io_type: str) -> Any:
        made = rich_design().convert(tmp_path_factory.mktemp(io_type), io_type=io_type)
        made.compile()
        return made

    return build


@pytest.fixture(params=["io_parallel", "io_stream"])
def model(request: pytest.FixtureRequest, compiled: Callable[[str], Any]) -> Any:
    return compiled(request.param)


@pytest.fixture
def stream(model: Any) -> NDArray[np.int64]:
    """A new stream: the model after reset, and codes of 400 frames."""
    model.reset()
    return walk(np.random.default_rng(1), model.delta_graph.source.fmt, model.delta_graph.source.shape, 400)


def codes(model: Any, x: Any, **kwargs: Any) -> NDArray[np.int64]:
    return np.asarray(model.delta_graph.output.fmt.to_codes(model.predict(x, **kwargs)))


def test_equals_golden(model: Any, stream: NDArray[np.int64]) -> None:
    np.testing.assert_array_equal(codes(model, stream), Golden(model.delta_graph).run(stream).outputs)


def test_state_persists_between_calls(model: Any, stream: NDArray[np.int64]) -> None:
    parts = [codes(model, part) for part in np.split(stream, [1, 2, 100, 100, 350])]
    np.testing.assert_array_equal(np.concatenate(parts), Golden(model.delta_graph).run(stream).outputs)


def test_reset_starts_a_new_stream(model: Any, stream: NDArray[np.int64]) -> None:
    golden = Golden(model.delta_graph)
    model.predict(stream[200:])
    golden.run(stream[200:])
    carried_on = golden.run(stream[:1]).outputs
    model.reset()
    golden.reset()
    fresh = golden.run(stream[:1]).outputs
    assert (carried_on != fresh).any()  # otherwise the hold remembers nothing and this test shows nothing
    np.testing.assert_array_equal(codes(model, stream[:1]), fresh)


def test_copies_run_clips_at_the_same_time(compiled: Callable[[str], Any]) -> None:
    """Each is a stream of its own; the model's own goes on where it was."""
    made = design([DeltaActivation("relu", 5, 2.0**-4, hold=1.5, name="d"), dense(3, "fc")], shape=(40,)).convert(
        compiled("io_parallel").config.get_output_dir() + "_copies"
    )
    library.link(made, library.fresh_project(made), Path(made.config.get_output_dir()) / library.LOG)
    graph = made.delta_graph
    clips = walk(np.random.default_rng(2), graph.source.fmt, graph.source.shape, 600).reshape(30, 20, 40)
    others = library.copies(made, 2)
    seen = {id(model): 0 for model in (made, *others)}
    for model in (made, *others):
        predict = model.predict
        model.predict = lambda x, model=model, predict=predict, **more: (
            seen.update({id(model): 1}),
            predict(x, **more),
        )[1]
    outputs, figures = run_csim(made, graph, clips, beside=others)
    np.testing.assert_array_equal(outputs, run_golden(graph, clips).outputs)
    np.testing.assert_array_equal(figures.cycles, run_csim(made, graph, clips)[1].cycles)
    assert all(seen.values())
    alone = Golden(graph)
    alone.run(clips[0])
    others[0].reset()
    others[0].predict(clips[0])
    others[1].reset()
    others[1].predict(clips[1])  # is another stream
    np.testing.assert_array_equal(codes(others[0], clips[2]), alone.run(clips[2]).outputs)


def test_values_and_codes_are_the_same_frames(model: Any, stream: NDArray[np.int64]) -> None:
    values = model.delta_graph.source.fmt.to_values(stream)
    expected = model.predict(stream)
    for dtype in (np.float32, np.float64):
        model.reset()
        np.testing.assert_array_equal(model.predict(values.astype(dtype)), expected)
    model.reset()
    np.testing.assert_array_equal(model.predict(stream.reshape(len(stream), -1).astype(np.int16)), expected)


def test_counters(model: Any, stream: NDArray[np.int64]) -> None:
    model.predict(stream)
    graph = model.delta_graph
    assert list(model.csim_stats) == [*(node.name for node in graph.nodes[1:]), f"{graph.output.name}_frame"]
    check_trips(model, Golden(graph).run(stream))
    total = model.csim_stats["fc1"]
    assert total["macs"] == total["events"] * graph["fc1"].n_out == int(total["per_frame"]["macs"].sum())


def test_an_unchanged_frame_costs_its_beats(model: Any, stream: NDArray[np.int64]) -> None:
    model.predict(np.repeat(stream[:1], 3, axis=0))
    cycles = {name: stats["per_frame"]["cycles"][1:] for name, stats in model.csim_stats.items()}
    assert (cycles.pop("d0") == 5).all()  # 20 / P
    assert (cycles.pop("out_frame") == 1 + 1).all()  # PE of fc3 is its 5 outputs
    assert all((layer == 1).all() for layer in cycles.values())


def test_a_frame_in_which_everything_changes_costs_what_dense_does(model: Any) -> None:
    """Every element of the input goes from its least to its largest code and back: dense is all events, and no end."""
    model.reset()
    fmt, shape = model.delta_graph.source.fmt, model.delta_graph.source.shape
    model.predict(np.stack([np.full(shape, code) for code in (fmt.lo, fmt.hi) * 4]))
    node, stats = model.delta_graph["fc1"], model.csim_stats["fc1"]["per_frame"]
    assert (stats["events"][1:] == node.n_in).all()
    assert (stats["cycles"][1:] <= 1.05 * node.n_in * node.words).all()


def test_no_frames(model: Any) -> None:
    assert model.predict(np.empty((0, 4, 5, 1), int)).shape == (0, 5)


BAD_FRAMES = {
    "shape": (np.zeros((3, 5, 4, 1), int), r"wrong frame shape.*\[T, 4, 5, 1\].*\[3, 5, 4, 1\]"),
    "a single frame": (np.zeros((4, 5, 1), int), "wrong frame shape"),
    "codes above": (np.full((1, 4, 5, 1), 256), "outside the input format.*-256 to 255.*256"),
    "codes below": (np.full((1, 4, 5, 1), -257), "outside the input format"),
    "values above": (np.full((1, 4, 5, 1), 2.0), "outside the format's range.*-2.0 to 1.99.*Next step"),
    "off the lattice": (np.full((1, 4, 5, 1), 0.3), r"off the lattice.*2\*\*-7.*0.3 at index.*Next step"),
    "not a number": (np.full((1, 4, 5, 1), np.nan), "off the lattice"),
    "infinite": (np.full((1, 4, 5, 1), np.inf), "outside"),
    "dtype": (np.full((1, 4, 5, 1), "a"), r"not numbers.*<U1"),
    "bool": (np.ones((1, 4, 5, 1), bool), r"not numbers.*bool.*Next step: convert with x\.astype\(numpy\.uint8\)"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
@pytest.mark.parametrize("model", ["io_parallel"], indirect=True)
def test_bad_frames(model: Any, name: str) -> None:
    frames, message = BAD_FRAMES[name]
    with pytest.raises(FrameError, match=message):
        model.predict(frames)


@pytest.mark.parametrize("model", ["io_parallel"], indirect=True)
def test_unknown_simulation(model: Any) -> None:
    with pytest.raises(ConfigError, match=r"'csim', 'rtl' or 'hls'.*'cosim'"):
        model.predict(np.zeros((1, 4, 5, 1), int), sim="cosim")


def test_not_compiled(tmp_path: Path) -> None:
    model = design([dense(4, "fc")]).convert(tmp_path)
    model.reset()  # nothing to reset yet, no error
    with pytest.raises(SimulationError, match=r"not compiled.*call model\.compile\(\)"):
        model.predict(np.zeros((1, 8), int))


def test_wide_accumulators_are_exact(tmp_path: Path) -> None:
    """Accumulators far beyond float32 through the double bridge; identity deltas of full width, 30 bits, between."""
    layers = [dense(4, "a", bits=11), dense(3, "b", bits=12), keras.layers.Activation("relu")]
    with pytest.warns(ConversionWarning):
        model = design(layers, precision="fixed<18,4>").convert(tmp_path)
    assert model.delta_graph["b"].fmt.width > 40
    model.compile()
    stream = walk(np.random.default_rng(2), model.delta_graph.source.fmt, (8,), 200)
    np.testing.assert_array_equal(codes(model, stream), Golden(model.delta_graph).run(stream).outputs)


@pytest.mark.heavy
def test_ten_lines_of_plain_hls4ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like the first example of the README, which test_readme.py runs, on frames of two dimensions."""
    monkeypatch.chdir(tmp_path)
    import hls4ml

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="frame"),
            keras.layers.Flatten(),
            QDense(16, kernel_quantizer=quantized_bits(6, 0, alpha=1), use_bias=False, name="hidden"),
            QActivation(quantized_relu(4, 2)),
            QDense(3, kernel_quantizer=quantized_bits(6, 0, alpha=1), use_bias=False, name="logits"),
        ]
    )
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    config["LayerName"]["frame"]["Precision"] = "ufixed<8,0>"
    hls_model = hls4ml.converters.convert_from_keras_model(model, hls_config=config, backend="Delta", output_dir="mine")
    hls_model.compile()
    frames = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)) / 256
    expected = keras.ops.convert_to_numpy(model(frames))
    np.testing.assert_array_equal(hls_model.predict(frames), expected)
    hls_model.reset()
    np.testing.assert_array_equal(hls_model.predict(frames, sim="rtl"), expected)
    assert hls_model.rtl_stats["cycles_per_frame"].shape == (20,)
    assert set(hls_model.rtl_stats["layers"]) == {"hidden_input", "hidden", "logits"}
