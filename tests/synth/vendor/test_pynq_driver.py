# SPDX-License-Identifier: Apache-2.0
"""The driver that runs on a PYNQ board, with a pynq that computes in the golden model."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from random_graphs import random_conv_graph, random_graph, random_walk
from synth.vendor import fake_pynq

from codesign.graph import Delta, Graph
from codesign.graph.golden import Golden
from codesign.paths import pynq_driver
from codesign.rtl import emit
from codesign.rtl.identity import design_id
from codesign.rtl.soc import emit_soc
from codesign.rtl.spec import top_spec
from codesign.synth.vendor.pynq import DESIGN, DRIVER, driver, streams

FRAMES = 30


def registers(graph: Graph) -> dict[str, Any]:
    """The register map that lies beside the RTL."""
    found: dict[str, Any] = json.loads(emit_soc(graph)["registers.json"])
    return found


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function graph -> (driver module, bitstream), the driver loaded as on a board."""

    def load(graph: Graph) -> tuple[ModuleType, str]:
        for name, text in driver(graph, registers(graph)).items():
            (tmp_path / name).write_text(text)
        monkeypatch.setitem(sys.modules, "pynq", fake_pynq)
        monkeypatch.setattr(fake_pynq.Overlay, "graph", graph, raising=False)
        monkeypatch.setattr(fake_pynq.Overlay, "loaded", [], raising=False)
        spec = importlib.util.spec_from_file_location("delta_board", tmp_path / DRIVER)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module, str(tmp_path / "design.bit")

    return load


GRAPHS = {
    "dense, hold": random_graph(np.random.default_rng(1833), layers=2, size=24, hold=0.75, end="delta"),
    "wide results": random_graph(np.random.default_rng(1001), layers=1, size=20, wide=True, end="dense"),
    "beats of 3 bytes": random_graph(np.random.default_rng(5), lanes=3, end="dense"),
    "convolutions": random_conv_graph(np.random.default_rng(9)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_frames_come_out_as_the_golden_model_computes_them(name: str, load: Any) -> None:
    graph = GRAPHS[name]
    module, bitstream = load(graph)
    frames = random_walk(np.random.default_rng(1), graph, FRAMES, 0.2)
    expected = Golden(graph).run(frames).outputs
    with module.Board(bitstream) as board:
        for t, frame in enumerate(frames):
            result = board.send(frame)
            np.testing.assert_array_equal(result.outputs, expected[t])
            assert (result.outputs.shape, result.cycles, result.first_of_stream) == (graph.output.shape, None, t == 0)
        assert board.counters()["frames"] == FRAMES
        assert set(board.counters()) == {"frames", "cycles", "errors", *top_spec(graph).engines}
        inside, outside = board._in, board._out
    assert inside.freed
    assert outside.freed
    assert fake_pynq.Overlay.loaded == [(bitstream, True)]


def test_these_streams_need_padding() -> None:
    widths = {name: streams(graph) for name, graph in GRAPHS.items()}
    assert widths["beats of 3 bytes"].in_bytes == 3
    assert any(side.out_bytes & (side.out_bytes - 1) for side in widths.values())


def test_new_stream_and_reset(load: Any) -> None:
    graph = GRAPHS["dense, hold"]
    module, bitstream = load(graph)
    frames = random_walk(np.random.default_rng(2), graph, 6, 0.2)
    golden = Golden(graph)
    board = module.Board(bitstream)
    for t, frame in enumerate(frames):
        if t in (2, 4):
            golden.reset()
        if t == 4:
            board.reset()
        result = board.send(frame, first_of_stream=t == 2)
        np.testing.assert_array_equal(result.outputs, golden.run(frame[None]).outputs[0])
        assert result.first_of_stream == (t in (0, 2, 4))
    reset, new_stream = ("control", 1), ("control", 2)
    assert board.overlay.core.written == [reset, new_stream, new_stream, reset, new_stream]
    assert board.counters()["frames"] == 2


def test_holds(load: Any) -> None:
    graph = GRAPHS["dense, hold"]
    module, bitstream = load(graph)
    board, layer = module.Board(bitstream), graph.deltas[0].name
    frames = random_walk(np.random.default_rng(3), graph, FRAMES, 0.3)
    for hold in (2.0, None, 0.7):
        board.set_hold(layer, hold)
        thresholds = replace(graph.deltas[0], hold=hold).thresholds()
        assert board.overlay.core.written[-1] == (f"hold.{layer}", 0 if thresholds is None else int(thresholds.max()))
        nodes = tuple(
            replace(node, hold=hold) if isinstance(node, Delta) and node.name == layer else node for node in graph.nodes
        )
        golden = Golden(Graph(name=graph.name, nodes=nodes))
        for t, frame in enumerate(frames):
            result = board.send(frame)
            assert result.first_of_stream == (t == 0)
            np.testing.assert_array_equal(result.outputs, golden.run(frame[None]).outputs[0])
    with pytest.raises(ValueError, match=f"'nothing' has no hold to change; these have: {layer}"):
        board.set_hold("nothing", 1.0)
    with pytest.raises(ValueError, match=r"at least 0\.5 steps"):
        board.set_hold(layer, 0.4)
    with pytest.raises(ValueError, match=r"at most .* steps in this bitstream; received 1000000"):
        board.set_hold(layer, 1e6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame[..., :-1], "integers of shape"),
        (lambda frame: frame.astype(float), "float64"),
        (lambda frame: frame * 0 + 10**6, "codes are .* received 1000000 to 1000000"),
    ],
)
def test_frames_that_are_none(change: Any, message: str, load: Any) -> None:
    graph = GRAPHS["convolutions"]
    module, bitstream = load(graph)
    frame = random_walk(np.random.default_rng(1), graph, 1, 0.2)[0]
    board = module.Board(bitstream)
    with pytest.raises(ValueError, match=message):
        board.send(change(frame))
    assert board.send(frame).first_of_stream  # nothing was sent before


def test_another_design(load: Any) -> None:
    graph = GRAPHS["convolutions"]
    module, bitstream = load(graph)
    board = module.Board(bitstream)
    assert board.identify() == design_id(emit(graph))
    board.overlay.core.values["design_id"] = 1
    with pytest.raises(module.BoardError, match=f"another design: design_id is 0x1, {design_id(emit(graph)):#x} was"):
        board.identify()


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ({"hangs": True}, "did not take the frame: not within 0.01 s"),
        ({"malformed": 1}, "early TLAST"),
        ({"malformed": 2}, "late TLAST"),
        ({"short": 1}, "no TLAST, .* bytes of"),
    ],
)
def test_trouble(trouble: dict[str, int], message: str, load: Any) -> None:
    graph = GRAPHS["convolutions"]
    module, bitstream = load(graph)
    frame = random_walk(np.random.default_rng(1), graph, 1, 0.2)[0]
    board = module.Board(bitstream, timeout_s=0.01, download=False)
    for name, value in trouble.items():
        setattr(board.overlay.core, name, value)
    with pytest.raises(module.BoardError, match=message):
        board.send(frame)
    assert fake_pynq.Overlay.loaded == [(bitstream, False)]


def test_dma_error(load: Any) -> None:
    graph = GRAPHS["convolutions"]
    module, bitstream = load(graph)
    board = module.Board(bitstream)
    board.overlay.core.hangs = board.overlay.dma.sendchannel.error = True
    with pytest.raises(module.BoardError, match="the DMA stopped with an error"):
        board.send(random_walk(np.random.default_rng(1), graph, 1, 0.2)[0])


def test_the_description_is_json() -> None:
    design = json.loads(driver(GRAPHS["dense, hold"], registers(GRAPHS["dense, hold"]))[DESIGN])
    assert design["registers"]["control"] == 12
    assert set(design["holds"]) == {node.name for node in GRAPHS["dense, hold"].deltas}
    assert pynq_driver().is_file()
