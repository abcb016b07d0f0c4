# SPDX-License-Identifier: Apache-2.0
"""Integers are codes of a format that was chosen, and values where none was chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from random_models import dense

from codesign.errors import FrameError
from codesign.fixed import Fixed
from codesign.graph.file import load_graph, save_graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Delta, Graph, Source
from codesign.hls4ml_plugin.frames import frame_codes

Edit = Callable[[dict[str, Any]], object]
"""Changes a configuration before it is converted."""

KINDS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def graph_of(ap: str, *, explicit: bool) -> Graph:
    fmt = Fixed.from_ap(ap)
    delta = Delta(
        name="d",
        input="frame",
        shape=(3,),
        in_fmt=fmt,
        fmt=fmt,
        activation="identity",
        channels=3,
        lo=fmt.lo,
        hi=fmt.hi,
    )
    return Graph(name="g", nodes=(Source(name="frame", shape=(3,), fmt=fmt, explicit=explicit), delta))


def converted(
    folder: Path, edit: Edit = lambda _: None, granularity: str = "name", **options: Any
) -> tuple[Any, Graph]:
    model = keras.Sequential([keras.Input((3,), name="frame", **options), dense(2, "fc")])
    config = hls4ml.utils.config_from_keras_model(model, granularity=granularity, backend="Delta")
    edit(config)
    hls = hls4ml.converters.convert_from_keras_model(model, hls_config=config, backend="Delta", output_dir=str(folder))
    return model, hls.delta_graph


@pytest.mark.parametrize("dtype", KINDS)
def test_integers_of_a_default_format_are_values(dtype: str) -> None:
    frames = np.array([[0, 1, 31]], dtype)
    np.testing.assert_array_equal(frame_codes(graph_of("fixed<16,6>", explicit=False), frames), [[0, 1024, 31 * 1024]])
    np.testing.assert_array_equal(frame_codes(graph_of("fixed<16,6>", explicit=True), frames), [[0, 1, 31]])


@pytest.mark.parametrize("dtype", KINDS)
def test_integers_that_a_default_format_does_not_hold_are_refused(dtype: str) -> None:
    frames = np.full((2, 3), np.iinfo(dtype).max, dtype)
    with pytest.raises(FrameError, match=r"integers are values here.*-32.0 to 31.9.*Next step: set config.*ap_uint<8>"):
        frame_codes(graph_of("fixed<16,6>", explicit=False), frames)


def test_integers_off_a_coarse_default_lattice_are_refused() -> None:
    np.testing.assert_array_equal(
        frame_codes(graph_of("fixed<4,6>", explicit=False), np.array([[4, -8, 0]])), [[1, -2, 0]]
    )
    with pytest.raises(FrameError, match=r"off the lattice.*Next step: set config"):
        frame_codes(graph_of("fixed<4,6>", explicit=False), np.array([[4, 3, 0]]))


REFUSED = {
    "bool": np.ones((1, 3), bool),
    "object": np.array([[1, 2, None]], object),
    "objects that are integers": np.array([[1, 2, 3]], object),
    "complex": np.ones((1, 3), complex),
    "text": np.array([["1", "2", "3"]]),
    "ragged": [[1, 2, 3], [1, 2]],
    "NaN": np.array([[0, np.nan, 1]]),
    "infinity": np.array([[0, np.inf, 1]], np.float32),
    "masked": np.ma.array([[1, 2, 3]], mask=[[False, True, False]]),
    "dates": np.array([["2026-01-01"] * 3], "datetime64[D]"),
    "nothing": None,
}


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_number_is_refused(name: str, explicit: bool) -> None:
    with pytest.raises(FrameError, match=r"predict\(\), input frame: .*Received: .*Next step: "):
        frame_codes(graph_of("fixed<16,6>", explicit=explicit), REFUSED[name])


EXPLICIT = {
    "by name": lambda config: config["LayerName"]["frame"].update(Precision="ap_ufixed<8,0>"),
    "result by name": lambda config: config["LayerName"]["frame"]["Precision"].update(result="ap_ufixed<8,0>"),
    "by type": lambda config: config.update(LayerType={"InputLayer": {"Precision": "ap_ufixed<8,0>"}}),
    "by hls4ml's type": lambda config: config.update(LayerType={"Input": {"Precision": {"result": "ufixed<8,0>"}}}),
}


@pytest.mark.parametrize("name", EXPLICIT)
def test_a_precision_of_the_input_is_a_choice(tmp_path: Path, name: str) -> None:
    _, graph = converted(tmp_path, EXPLICIT[name])  # by type, it stands beside the 'auto' that hls4ml writes by name
    assert (str(graph.source.fmt), graph.source.explicit) == ("ap_ufixed<8,0>", True)


@pytest.mark.parametrize("granularity", ["model", "type", "name"])
def test_what_hls4ml_writes_is_none(tmp_path: Path, granularity: str) -> None:
    model, graph = converted(tmp_path, granularity=granularity)
    assert (str(graph.source.fmt), graph.source.explicit) == ("ap_fixed<16,6>", False)
    frames = np.random.default_rng(0).integers(0, 32, (4, 3)).astype("uint8")
    received = graph.output.fmt.to_values(Golden(graph).run(frame_codes(graph, frames)).outputs)
    np.testing.assert_array_equal(received, keras.ops.convert_to_numpy(model(frames)))


def test_a_precision_of_the_whole_model_is_none(tmp_path: Path) -> None:
    _, graph = converted(tmp_path, lambda config: config["Model"]["Precision"].update(default="ap_fixed<12,4>"))
    assert (str(graph.source.fmt), graph.source.explicit) == ("ap_fixed<12,4>", False)


def test_a_model_of_integers_has_integers(tmp_path: Path) -> None:
    _, graph = converted(tmp_path, dtype="uint8")
    assert (str(graph.source.fmt), graph.source.explicit) == ("ap_ufixed<8,8>", True)


@pytest.mark.parametrize("explicit", [True, False])
def test_a_saved_graph_still_knows(tmp_path: Path, explicit: bool) -> None:
    save_graph(graph_of("fixed<16,6>", explicit=explicit), tmp_path)
    assert load_graph(tmp_path).source.explicit is explicit
