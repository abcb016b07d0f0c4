# SPDX-License-Identifier: Apache-2.0
"""A network into a simulated core and frames through it, whatever happens to the line; results are as golden."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import finish
from host.designs import moving_pictures, picture_graph
from host.faults import Lost, Noise, Once, hang_up
from random_graphs import random_conv_graph, random_walk

from codesign.core import CoreConfig, compile_graph, image_of, write_image
from codesign.errors import (
    BoardError,
    ConversionError,
    DesignMismatchError,
    DisconnectedError,
    ImageError,
    LinkError,
    NoNetworkError,
)
from codesign.graph import Graph
from codesign.graph.file import save_graph
from codesign.graph.golden import Golden
from codesign.graph.sparsity import activity
from codesign.host import Board, framing, link, load_network, loading
from codesign.host.core import look as look_at
from codesign.host.counters import live_layers
from codesign.host.exchange import Exchange
from codesign.host.port import Port
from codesign.sim.board import SimulatedBoard, SimulatedCore
from codesign.sim.line import perfect

GRAPH = picture_graph()
PICTURES = moving_pictures(40)
CONFIG = CoreConfig(
    lanes=8,
    quantisers=4,
    code_bits=9,
    weight_bits=9,
    sum_bits=27,
    sum_words=1536,
    code_rows=1100,
    weight_lines=1024,
    table_rows=256,
    param_rows=64,
    step_words=256,
    places=32,
    walks=32,
    chunks=64,
)
"""Widths as those of a board: narrower than on the line and in an image."""


@pytest.fixture(scope="module")
def core(rtl_cache: Path) -> Iterator[SimulatedCore]:
    with SimulatedCore(CONFIG, rtl_cache, patience=100_000) as simulated:
        yield simulated


@pytest.fixture(autouse=True)
def whole(core: SimulatedCore) -> None:
    """A plugged core on a perfect line, without a network."""
    core.line.to_board = core.line.to_host = perfect
    core.line.plug(power_cycle=True)
    with opened(core) as exchange:
        exchange.request(link.Load(offset=0, words=bytes(4)), link.Loaded, answer_bytes=link.LOADED_BYTES)


class opened:  # noqa: N801 - used as a function
    """The line of a core, for requests of one's own."""

    def __init__(self, core: SimulatedCore) -> None:
        self.core = core

    def __enter__(self) -> Exchange:
        self.port = Port(self.core.port, self.core.baud)
        return Exchange(self.port, self.core.baud, self.core.slowdown)

    def __exit__(self, *_: object) -> None:
        self.port.close()


def load(core: SimulatedCore, design: Graph | Path = GRAPH, **options: Any) -> loading.Loading:
    return load_network(core.port, design, baud=core.baud, slowdown=core.slowdown, **options)


def board(core: SimulatedCore, design: Graph | Path = GRAPH, **options: Any) -> Board:
    known: dict[str, Any] = {"baud": core.baud, "slowdown": core.slowdown, "check": True, "notice": print}
    return Board(core.port, design, **known | options)


def sends(board: Board, frames: np.ndarray, *, first: bool) -> None:
    for at, frame in enumerate(frames):
        result = board.send(frame)
        assert (result.mismatches, result.first_of_stream) == (0, first and at == 0)


def has_no_network(core: SimulatedCore) -> None:
    """Neither a client nor a frame of one's own gets an answer."""
    with pytest.raises(NoNetworkError, match=r"no network.*codesign load build/DESIGN --port"):
        board(core)
    with opened(core) as exchange, pytest.raises(NoNetworkError):
        exchange.request(link.Frame(beats=bytes(64), compact=True), link.Result, answer_bytes=1)


def test_results_cycles_and_counters_are_those_of_the_golden_model(core: SimulatedCore) -> None:
    has_no_network(core)
    parts: list[tuple[int, int]] = []
    loaded = load(core, progress=lambda taken, words: parts.append((taken, words)))
    program = compile_graph(GRAPH, CONFIG).program
    assert (loaded.design, loaded.words) == (program.design, len(image_of(program)))
    assert loaded.found.config == CONFIG
    assert parts[-1] == (loaded.words, loaded.words)
    with board(core) as client:
        sends(client, PICTURES[:1], first=True)
        before = client.counters()
        sends(client, PICTURES[1:21], first=False)
        counted = client.counters().since(before)
        trace = Golden(GRAPH).run(PICTURES[:21])
        assert (counted.frames, counted.errors) == (20, 0)
        assert counted.engines["delta1"].events == np.count_nonzero(trace.deltas["delta1"][1:])
        layers = live_layers(GRAPH, counted, client.work)
        for layer, counter in zip(activity(GRAPH, trace), layers, strict=True):
            assert counter.events_per_frame == pytest.approx(layer.events.mean())
            assert counter.density == pytest.approx(layer.density.mean())
            assert counter.operation_sparsity == pytest.approx(layer.operation_sparsity)
        result = client.send(PICTURES[21], first_of_stream=True)
        assert (result.mismatches, result.first_of_stream) == (0, True)
        client.reset()
        sends(client, PICTURES[22:25], first=True)
        assert client.counters().frames == 3


@pytest.mark.parametrize("seed", range(3))
def test_one_core_computes_any_network(core: SimulatedCore, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_conv_graph(rng)
    load(core, graph)
    with board(core, graph) as client:
        sends(client, random_walk(rng, graph, 6, 0.3), first=True)


def test_another_design_is_refused_by_name(core: SimulatedCore, tmp_path: Path) -> None:
    load(core)
    other = picture_graph(seed=6, name="other")
    for graph in (GRAPH, other):
        folder = tmp_path / graph.name / "2_graph"
        folder.mkdir(parents=True)
        save_graph(graph, folder)
        finish(folder)
    says = r"Expected: other, id \w{8}.*Received: design small, id \w{8}.*codesign load \S*/other --port \S*, or stream"
    with pytest.raises(DesignMismatchError, match=says):
        board(core, tmp_path / "other")
    with pytest.raises(DesignMismatchError, match="a design that is not beside it"):
        board(core, other)
    load(core, other)
    with board(core, other) as client:
        sends(client, PICTURES[:3], first=True)


def test_an_image_is_loaded_from_its_file(core: SimulatedCore, tmp_path: Path) -> None:
    write_image(compile_graph(GRAPH, CONFIG).program, tmp_path / "small.core")
    assert load(core, tmp_path / "small.core").name == str(tmp_path / "small.core")
    with board(core) as client:
        sends(client, PICTURES[:3], first=True)


def test_noise_on_the_line_costs_time_only(core: SimulatedCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "PART_WORDS", 16)
    noise = {way: Noise(seed=3, probability=0.0015) for way in ("to_board", "to_host")}
    for way, fault in noise.items():
        setattr(core.line, way, fault)
    assert load(core).repeated > 0
    with board(core) as client:
        sends(client, PICTURES[:25], first=True)
        assert client.repeated > 1
        assert client.counters().frames == 25  # none was computed twice
    assert min(fault.faults for fault in noise.values()) > 1


def test_a_part_whose_answer_is_lost_is_not_taken_twice(core: SimulatedCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "PART_WORDS", 100)
    parts: list[int] = []

    def progress(taken: int, _: int) -> None:
        parts.append(taken)
        core.line.to_host = Lost(10)

    assert load(core, progress=progress).repeated >= 3
    assert parts[:3] == [100, 200, 300]
    with board(core) as client:
        sends(client, PICTURES[:3], first=True)


def test_unplugging_in_the_middle_of_a_load_leaves_no_network(
    core: SimulatedCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(core)
    monkeypatch.setattr(loading, "PART_WORDS", 50)
    core.line.to_board = Once(900, hang_up)
    with pytest.raises(DisconnectedError):
        load(core)
    core.line.to_board = perfect
    core.line.plug(power_cycle=False)
    wait_for(core.port)
    has_no_network(core)
    load(core)
    with board(core) as client:
        sends(client, PICTURES[:3], first=True)


def test_a_core_that_lost_its_network_says_so(core: SimulatedCore) -> None:
    load(core)
    with board(core) as client:
        sends(client, PICTURES[:3], first=True)

        def press(byte: int) -> bytes:
            core.power_cycle()
            return bytes([byte])

        core.line.to_board = Once(0, press)
        with pytest.raises(NoNetworkError, match="codesign load"):
            client.send(PICTURES[3])
        core.line.to_board = perfect


WRONG: dict[str, tuple[Callable[[bytearray], None], int]] = {
    "no image": (lambda data: data.__setitem__(0, 1), 1),
    "another version": (lambda data: data.__setitem__(4, 2), 2),
    "other lanes": (lambda data: data.__setitem__(8, data[8] ^ 1), 3),
    "an unknown section": (lambda data: data.__setitem__(32, 9), 4),
    "too large": (lambda data: data.__setitem__(38, 1), 5),
    "a wrong word": (lambda data: data.__setitem__(len(data) - 9, data[-9] ^ 4), 6),
    "cut off": (lambda data: data.__delitem__(slice(len(data) - 40, None)), 7),
    "too long": (lambda data: data.extend(bytes(4)), 7),
}
"""What a careless program may send, and the error of the core."""


@pytest.mark.parametrize("fault", WRONG)
def test_the_core_itself_refuses_a_wrong_image(core: SimulatedCore, fault: str) -> None:
    load(core)
    wrong, error = WRONG[fault]
    data = bytearray(image_of(compile_graph(GRAPH, CONFIG).program).astype("<u4").tobytes())
    wrong(data)
    with opened(core) as exchange:
        for at in range(0, len(data), 400):
            part = link.Load(offset=at // 4, words=bytes(data[at : at + 400]), last=at + 400 >= len(data))
            answer = exchange.request(part, link.Loaded, answer_bytes=link.LOADED_BYTES)
    assert answer == link.Loaded(taken=len(data) // 4, crc=zlib.crc32(data), loaded=False, error=error)
    has_no_network(core)


def test_a_client_names_what_the_core_refuses(core: SimulatedCore, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = image_of
    monkeypatch.setattr(loading, "image_of", lambda program: honest(program) ^ (np.arange(1) == 0))
    with pytest.raises(BoardError, match=r"refuses the image, and has no network now.*it is no image of a network"):
        load(core)
    has_no_network(core)


def test_a_second_program_on_the_port_is_noticed(core: SimulatedCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "PART_WORDS", 100)
    stranger = framing.encode(link.pack(link.Load(offset=0, words=bytes(8)), 77))

    def progress(taken: int, _: int) -> None:
        if taken == 200:
            core.line.to_board = Once(0, lambda byte: stranger + bytes(4000) + bytes([byte]))

    with pytest.raises(NoNetworkError, match=r"something else reached the core.*Received: 2 words"):
        load(core, progress=progress)
    core.line.to_board = perfect
    has_no_network(core)


def test_what_does_not_fit_is_said_before_anything_is_sent(
    core: SimulatedCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(core)
    wide = replace(CONFIG, lanes=16)
    write_image(compile_graph(GRAPH, wide).program, tmp_path / "wide.core")
    with pytest.raises(ImageError, match="an image for a core of other lanes or widths"):
        load(core, tmp_path / "wide.core")
    write_image(compile_graph(GRAPH, CONFIG).program, tmp_path / "small.core")
    (tmp_path / "cut.core").write_bytes((tmp_path / "small.core").read_bytes()[:200])
    with pytest.raises(ImageError, match="cut off"):
        load(core, tmp_path / "cut.core")
    monkeypatch.setattr(loading, "look", small_look(sum_words=16, weight_lines=20))
    with pytest.raises(ConversionError) as failure:
        load(core)
    for text in ("small: the network does not fit the memories", "at most 16 words of sums", "at most 20 lines"):
        assert text in str(failure.value)
    monkeypatch.setattr(loading, "look", small_look(frame_words=8))
    with pytest.raises(ConversionError, match=r"a frame does not fit.*at most 8 words of 32 bits. Received: 16"):
        load(core)
    monkeypatch.undo()
    with board(core) as client:  # the network that it had is still there
        sends(client, PICTURES[:3], first=True)


def small_look(**fields: int) -> Callable[..., Any]:
    """Return what describes a smaller core than there is."""
    honest = look_at

    def look(*arguments: Any) -> Any:
        found = honest(*arguments)
        frame_words = fields.pop("frame_words", found.frame_words)
        return replace(found, config=replace(CONFIG, **fields), frame_words=frame_words)

    return look


def test_a_hold_is_the_networks(core: SimulatedCore) -> None:
    load(core)
    with board(core) as client:
        sends(client, PICTURES[:2], first=True)
        with pytest.raises(ConversionError, match="holds of the network that was loaded"):
            client.set_hold("delta1", 6.0)
        sends(client, PICTURES[2:4], first=False)


def test_a_bitstream_of_one_network_loads_nothing(rtl_cache: Path) -> None:
    with SimulatedBoard(GRAPH, rtl_cache) as pipeline, pytest.raises(BoardError, match=r"no core.*--core --target"):
        load_network(pipeline.port, GRAPH, baud=pipeline.baud, slowdown=pipeline.slowdown)


def test_nobody_answers(core: SimulatedCore) -> None:
    core.line.to_host = lambda _: b""
    with pytest.raises(LinkError, match="no answer to READ"):
        load_network(core.port, GRAPH, baud=core.baud)


def wait_for(port: str) -> None:
    """Wait until a port is there."""
    import time

    deadline = time.monotonic() + 5
    while not Path(port).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
