# SPDX-License-Identifier: Apache-2.0
"""A graph on disk is the same graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from random_branches import BLOCKS, random_branching_graph
from random_graphs import random_walk
from six_inputs import small_graph

from codesign.errors import StageError
from codesign.fixed import Fixed
from codesign.graph.file import load_graph, save_graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Axis, Conv, Delta, Graph, Source
from codesign.rtl import emit


def test_round_trip(tmp_path: Path) -> None:
    graph = small_graph()
    save_graph(graph, tmp_path)
    again = load_graph(tmp_path)
    assert again.nodes[:2] == graph.nodes[:2]
    frames = np.random.default_rng(4).integers(0, 256, (50, 2, 3, 1))
    np.testing.assert_array_equal(Golden(again).run(frames).outputs, Golden(graph).run(frames).outputs)
    (one, two) = graph.linears[0], again.linears[0]
    assert (one.fmt, one.pe, one.weight_fmt, one.input) == (two.fmt, two.pe, two.weight_fmt, two.input)


def test_convolution_round_trip(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    source, delta = small_graph().nodes[:2]
    assert isinstance(source, Source)
    assert isinstance(delta, Delta)
    conv = Conv(
        name="conv",
        input=delta.name,
        weight=rng.integers(-8, 8, (2, 2, 1, 3)),
        bias=rng.integers(-20, 20, 3),
        weight_fmt=Fixed(width=4, frac=3, signed=True),
        fmt=Fixed(width=16, frac=7, signed=True),
        y=Axis(size=2, kernel=2, stride=2),
        x=Axis.same(3, 2, 1),
        pe=3,
    )
    graph = Graph(name="small", nodes=(source, delta, conv))
    save_graph(graph, tmp_path)
    again = load_graph(tmp_path)
    (one,) = again.linears
    assert isinstance(one, Conv)
    assert (one.y, one.x, one.depthwise, one.pe, one.fmt) == (conv.y, conv.x, False, 3, conv.fmt)
    frames = rng.integers(0, 256, (50, 2, 3, 1))
    np.testing.assert_array_equal(Golden(again).run(frames).outputs, Golden(graph).run(frames).outputs)


@pytest.mark.parametrize("block", BLOCKS)
def test_branches_round_trip(tmp_path: Path, block: str) -> None:
    rng = np.random.default_rng(6)
    graph = random_branching_graph(rng, blocks=(block,))
    save_graph(graph, tmp_path)
    again = load_graph(tmp_path)
    assert emit(again) == emit(graph)
    frames = random_walk(rng, graph, 20, 0.3)
    np.testing.assert_array_equal(Golden(again).run(frames).outputs, Golden(graph).run(frames).outputs)


def test_a_graph_of_an_earlier_version(tmp_path: Path) -> None:
    graph = random_branching_graph(np.random.default_rng(6), blocks=BLOCKS[:1])
    save_graph(graph, tmp_path)
    path = tmp_path / "graph.json"
    assert '"unroll"' in path.read_text()
    path.write_text(path.read_text().replace('"unroll"', '"taps"'))
    assert emit(load_graph(tmp_path)) == emit(graph)


def test_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_graph(small_graph(), tmp_path / name)
    for name in ("graph.json", "weights.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def set_in(*keys: str | int, value: object) -> Callable[[Path], None]:
    """Return a function that sets one value in ``graph.json``."""

    def change(folder: Path) -> None:
        data = json.loads((folder / "graph.json").read_text())
        place = data
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        (folder / "graph.json").write_text(json.dumps(data))

    return change


def with_arrays(**arrays: np.ndarray | None) -> Callable[[Path], None]:
    """Return a function that puts other arrays into ``weights.npz``; None leaves one out."""

    def change(folder: Path) -> None:
        with np.load(folder / "weights.npz") as data:
            known = {name: data[name] for name in data} | {f"fc/{name}": value for name, value in arrays.items()}
        np.savez(folder / "weights.npz", **{name: value for name, value in known.items() if value is not None})

    return change


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no nodes": set_in("nodes", value=[]),
    "nodes of another type": set_in("nodes", value={"a": 1}),
    "a node that is a text": set_in("nodes", 0, value="Source"),
    "an unknown kind": set_in("nodes", 0, "node", value="Lambda"),
    "a kind that is no text": set_in("nodes", 0, "node", value=[1]),
    "an unknown key": set_in("nodes", 1, "holds", value=1),
    "a wrong type": set_in("nodes", 1, "channels", value="six"),
    "a shape of zero": set_in("nodes", 1, "shape", value=[]),
    "another input": set_in("nodes", 2, "input", value="nobody"),
    "another width": set_in("nodes", 1, "in_fmt", value={"width": 9, "frac": 8, "signed": False}),
    "code in the design's name": set_in("name", value="a;touch x"),
    "a path in the design's name": set_in("name", value="../../x"),
    "code in a layer's name": set_in("nodes", 2, "name", value="fc\n`include"),
    "weights of another shape": with_arrays(weight=np.zeros((7, 4), np.int64)),
    "weights and biases that do not fit": with_arrays(bias=np.zeros(5, np.int64)),
    "real weights": with_arrays(weight=np.zeros((6, 4))),
    "weights beyond their format": with_arrays(weight=np.full((6, 4), 99)),
    "weights that are not numbers": with_arrays(weight=np.full((6, 4), np.nan)),
    "no weights": with_arrays(weight=None),
    "objects": with_arrays(weight=np.array([[{}]], dtype=object)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_graph_is_one_error(name: str, tmp_path: Path) -> None:
    save_graph(small_graph(), tmp_path)
    DAMAGES[name](tmp_path)
    with pytest.raises(
        StageError,
        match=rf"^{tmp_path}/(graph\.json|weights\.npz): .*Next step: make it anew.*--from",
    ):
        load_graph(tmp_path)
