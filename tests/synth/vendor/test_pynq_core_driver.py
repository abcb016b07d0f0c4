# SPDX-License-Identifier: Apache-2.0
"""The driver of a core that runs on a PYNQ board, with a pynq that computes in the interpreter of programs."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from random_graphs import random_conv_graph, random_graph, random_walk
from rtl_cases import KINDS
from synth.vendor import fake_pynq_core
from synth.vendor.fake_pynq_core import Allocator

from codesign.core import CoreConfig, compile_graph
from codesign.core import registers as core_map
from codesign.core.beside import write_network
from codesign.core.soc import GIVEN
from codesign.graph import Graph
from codesign.graph.golden import Golden
from codesign.synth.vendor.pynq_core import core_driver

CONFIG = CoreConfig(
    lanes=8, quantisers=4, memory_bits=64, memory_kib=1024, cached_words=8, cached_lines=8, sum_words=2048
)
DRIVERS = ("delta_core_board", "delta_core_network", "delta_board")
FRAMES = 12


@dataclass
class Bench:
    """A folder of a board with the files of a bitstream and of networks."""

    folder: Path
    driver: ModuleType
    memory: Allocator

    def board(self, **options: Any) -> Any:
        return self.driver.Board(self.folder / "design.bit", **{"timeout_s": 0.05, **options})

    def network(self, graph: Graph, config: CoreConfig = CONFIG, name: str = "a.core") -> Path:
        write_network(compile_graph(graph, config), self.folder / name)
        return self.folder / name


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Bench]:
    """Return a function that makes a bench, the driver loaded as on a board."""

    def made(config: CoreConfig = CONFIG) -> Bench:
        for name, text in core_driver(config).items():
            (tmp_path / name).write_text(text)
        memory = Allocator()
        monkeypatch.setattr(fake_pynq_core, "allocate", memory, raising=False)
        for name, value in (("config", config), ("memory", memory), ("loaded", [])):
            monkeypatch.setattr(fake_pynq_core.Overlay, name, value, raising=False)
        monkeypatch.setitem(sys.modules, "pynq", fake_pynq_core)
        monkeypatch.syspath_prepend(str(tmp_path))
        for name in DRIVERS:
            monkeypatch.delitem(sys.modules, name, raising=False)
        driver = importlib.import_module(DRIVERS[0])
        for name in DRIVERS:
            monkeypatch.delitem(sys.modules, name)  # not that of another test
        return Bench(tmp_path, driver, memory)

    return made


GRAPHS = {
    "dense, hold": random_graph(np.random.default_rng(1833), layers=2, size=24, hold=0.75, end="delta"),
    "beats of 3 bytes": random_graph(np.random.default_rng(5), lanes=3, end="dense"),
    "convolutions": random_conv_graph(np.random.default_rng(9)),
    **{kind: KINDS[kind](np.random.default_rng(at)) for at, kind in enumerate(KINDS)},
}


@pytest.mark.parametrize("name", GRAPHS)
def test_frames_come_out_as_the_golden_model_computes_them(name: str, bench: Callable[..., Bench]) -> None:
    graph, on = GRAPHS[name], bench()
    frames = random_walk(np.random.default_rng(1), graph, FRAMES, 0.2)
    expected = Golden(graph).run(frames).outputs
    with on.board() as board:
        board.load(on.network(graph))
        for t, frame in enumerate(frames):
            result = board.send(frame)
            np.testing.assert_array_equal(result.outputs, expected[t])
            assert (result.outputs.shape, result.cycles, result.first_of_stream) == (graph.output.shape, None, t == 0)
        counters = board.counters()
        compiled = compile_graph(graph, CONFIG)
        assert (counters["frames"], counters["errors"]) == (FRAMES, 0)
        assert tuple(counters["events"]) == compiled.steps
        assert counters["events"][compiled.steps[0]] > 0
        assert list(counters["waits"].values()) == [4 * at for at in range(len(compiled.engines))]
    assert fake_pynq_core.freed(on.memory)
    assert fake_pynq_core.Overlay.loaded == [(str(on.folder / "design.bit"), True)]


def test_one_network_after_the_other_and_new_streams(bench: Callable[..., Bench]) -> None:
    on = bench()
    board = on.board()
    for name in ("convolutions", "dense, hold", "convolutions"):
        graph = GRAPHS[name]
        board.load(on.network(graph))
        golden, frames = Golden(graph), random_walk(np.random.default_rng(2), graph, 6, 0.2)
        for t, frame in enumerate(frames):
            if t in (2, 4):
                golden.reset()
            if t == 4:
                board.reset()
            result = board.send(frame, first_of_stream=t == 2)
            np.testing.assert_array_equal(result.outputs, golden.run(frame[None]).outputs[0])
            assert result.first_of_stream == (t in (0, 2, 4))
        assert board.counters()["frames"] == 2
    board.close()
    assert fake_pynq_core.freed(on.memory)


def test_a_frame_ends_after_its_packet(bench: Callable[..., Bench]) -> None:
    on, graph = bench(), GRAPHS["convolutions"]
    frames = random_walk(np.random.default_rng(2), graph, 4, 0.2)
    board = on.board()
    board.load(on.network(graph))
    board.overlay.core.late_status = 3
    assert [board.send(frame).first_of_stream for frame in frames[:3]] == [True, False, False]
    board.overlay.core.faults = {"never ends"}
    with pytest.raises(on.driver.BoardError, match=r"did not end the frame: not within 0\.05 s"):
        board.send(frames[3])


def test_the_core_gets_its_memory_before_a_network(bench: Callable[..., Bench]) -> None:
    on = bench()
    board = on.board()
    region = on.memory.made[0]
    assert region.nbytes == CONFIG.memory_kib << 10
    assert board.overlay.core.log == [
        ("memory", 0),
        ("control", core_map.RESET | core_map.FORGET),
        ("memory", region.device_address | GIVEN),
    ]
    board.close()
    board.close()
    assert board.overlay.core.region == 0
    assert region.freed


def test_a_core_without_a_memory(bench: Callable[..., Bench]) -> None:
    config = replace(CONFIG, memory_bits=0, memory_kib=0, cached_words=0, cached_lines=0)
    on, graph = bench(config), GRAPHS["convolutions"]
    with on.board(download=False) as board:
        board.load(on.network(graph, config))
        frame = random_walk(np.random.default_rng(1), graph, 1, 0.2)
        np.testing.assert_array_equal(board.send(frame[0]).outputs, Golden(graph).run(frame).outputs[0])
    assert all(buffer.nbytes < 1 << 20 for buffer in on.memory.made)
    assert fake_pynq_core.freed(on.memory)


@pytest.mark.parametrize(("start", "offset"), [(0xFFFF_0000, 0), (0x1000_0000, 64)])
def test_memory_that_the_core_cannot_reach(start: int, offset: int, bench: Callable[..., Bench]) -> None:
    on = bench()
    on.memory.next, on.memory.offset = start, offset
    with pytest.raises(on.driver.BoardError, match=rf"1,048,576 bytes were allocated at {start + offset:#x}: .* 4 GiB"):
        on.board()
    assert fake_pynq_core.freed(on.memory)


def test_no_network(bench: Callable[..., Bench]) -> None:
    board = bench().board()
    for call in (lambda: board.send(np.zeros(3, int)), board.counters):
        with pytest.raises(Exception, match=r"the core has no network\. load\(\) one"):
            call()


def words(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes(), "<u4").copy()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-2]), "cut off, or no image: .* bytes"),
        (lambda path: path.write_bytes(path.read_bytes()[:-8]), "damaged or cut off: CRC-32"),
        (lambda path: path.write_bytes(path.read_bytes()[:12]), "cut off, or no image: 12 bytes"),
        (lambda path: path.write_bytes(b"\x7fELF" + path.read_bytes()[4:]), "no image of a network: its first word is"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:4] + b"\x01\0\0\0" + path.read_bytes()[8:]),
            "version 1; this",
        ),
        (lambda path: (words(path) ^ np.uint32(1 << 9)).tofile(path), "no image of a network"),
    ],
)
def test_an_image_that_is_none(change: Callable[[Path], None], message: str, bench: Callable[..., Bench]) -> None:
    on = bench()
    path = on.network(GRAPHS["convolutions"])
    board = on.board()
    before = list(board.overlay.core.log)
    change(path)
    with pytest.raises(on.driver.BoardError, match=f"{message}.*Nothing was sent"):
        board.load(path)
    assert board.overlay.core.log == before


def test_an_image_for_another_core(bench: Callable[..., Bench]) -> None:
    on, graph = bench(), GRAPHS["convolutions"]
    frame = random_walk(np.random.default_rng(1), graph, 1, 0.2)[0]
    board = on.board()
    board.load(on.network(graph))
    for change in ({"lanes": 4}, {"quantisers": 2}, {"weight_bits": 17}, {"memory_bits": 32}):
        path = on.network(graph, replace(CONFIG, **change), "b.core")
        with pytest.raises(on.driver.BoardError, match=rf"other lanes or widths.*{CONFIG.geometry:08x} \(8,4,16"):
            board.load(path)
    path = on.network(graph, replace(CONFIG, chunks=1 << 14, table_rows=1 << 14), "b.core")
    board.load(path)  # only deeper
    board.send(frame)


def test_a_network_that_is_too_large(bench: Callable[..., Bench]) -> None:
    on, graph = bench(replace(CONFIG, table_rows=2)), GRAPHS["convolutions"]
    board = on.board()
    before = list(board.overlay.core.log)
    with pytest.raises(on.driver.BoardError, match=r"does not fit the memories of this core: table_rows = \d+ of 2\."):
        board.load(on.network(graph))
    assert board.overlay.core.log == before


def test_descriptions_that_are_missing_or_of_another_image(bench: Callable[..., Bench]) -> None:
    on = bench()
    path, other = on.network(GRAPHS["convolutions"]), on.network(GRAPHS["dense, hold"], name="b.core")
    board = on.board()
    beside = path.with_name("a.core.json")
    beside.write_text(other.with_name("b.core.json").read_text())
    with pytest.raises(on.driver.BoardError, match=r"a\.core\.json is of another image"):
        board.load(path)
    beside.unlink()
    with pytest.raises(on.driver.BoardError, match=r"a\.core\.json is missing"):
        board.load(path)
    with pytest.raises(on.driver.BoardError, match=r"c\.core is missing"):
        board.load(on.folder / "c.core")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("image hangs", r"did not take the image: not within 0\.05 s"),
        ("image damaged", r"refuses .*a\.core, and has no network now: it is damaged: its CRC-32 is wrong\."),
        ("no memory", r"has no network now: the external memory does not answer"),
        ("other id", r"not what was sent is in the core: .*load\(\) the network again"),
    ],
)
def test_a_load_that_fails_leaves_no_network(fault: str, message: str, bench: Callable[..., Bench]) -> None:
    on, graph = bench(), GRAPHS["convolutions"]
    frames = random_walk(np.random.default_rng(1), graph, 2, 0.2)
    board = on.board()
    board.load(on.network(graph))
    board.send(frames[0])
    board.overlay.core.faults = {fault}
    with pytest.raises(on.driver.BoardError, match=message):
        board.load(on.network(graph))
    assert board.overlay.core.core is None
    with pytest.raises(on.driver.BoardError, match="no network"):
        board.send(frames[1])
    board.overlay.core.faults = set()
    board.load(on.network(graph))  # nothing is left that keeps it from working
    np.testing.assert_array_equal(board.send(frames[0]).outputs, Golden(graph).run(frames).outputs[0])
    board.close()
    assert fake_pynq_core.freed(on.memory)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("frame hangs", r"did not take the frame: not within 0\.05 s\. load\(\) the network again"),
        ("memory lost", r"did not send a result: .* The core has no network now: the external memory does not answer"),
        ("early", "malformed: early TLAST"),
        ("late", "malformed: late TLAST"),
        ("short", "malformed: no TLAST, .* bytes of .* came back"),
    ],
)
def test_a_frame_that_fails(fault: str, message: str, bench: Callable[..., Bench]) -> None:
    on, graph = bench(), GRAPHS["convolutions"]
    frames = random_walk(np.random.default_rng(1), graph, 2, 0.2)
    board = on.board()
    board.load(on.network(graph))
    board.overlay.core.faults = {fault}
    with pytest.raises(on.driver.BoardError, match=message):
        board.send(frames[0])
    board.overlay.core.faults = set()
    with pytest.raises(on.driver.BoardError, match="no network"):
        board.send(frames[0])
    board.load(on.network(graph))
    np.testing.assert_array_equal(board.send(frames[0]).outputs, Golden(graph).run(frames).outputs[0])
    board.close()
    assert fake_pynq_core.freed(on.memory)


def test_a_dma_that_stops_with_an_error(bench: Callable[..., Bench]) -> None:
    on, graph = bench(), GRAPHS["convolutions"]
    board = on.board()
    board.load(on.network(graph))
    board.overlay.core.faults, board.overlay.dma.sendchannel.error = {"frame hangs"}, True
    resets = board.overlay.dma.resets
    with pytest.raises(on.driver.BoardError, match="the DMA stopped with an error"):
        board.send(random_walk(np.random.default_rng(1), graph, 1, 0.2)[0])
    assert board.overlay.dma.resets == resets + 1


def test_a_dma_that_cannot_be_stopped(bench: Callable[..., Bench]) -> None:
    on = bench()
    board = on.board()
    board.overlay.images.stuck = 1 << 40
    with pytest.raises(on.driver.BoardError, match=r"did not stop its DMA: not within 0\.05 s"):
        board.close()


def test_memory_that_is_used_is_not_given_back(bench: Callable[..., Bench]) -> None:
    on = bench()
    board = on.board()
    board.load(on.network(GRAPHS["convolutions"]))
    board.overlay.core.faults = {"busy"}
    with pytest.raises(on.driver.BoardError, match="did not end what it does in its memory"):
        board.close()
    assert not on.memory.made[0].freed
    assert any(held is on.memory.made[0] for each in on.driver._STILL_USED for held in each)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame[..., :-1], "integers of shape"),
        (lambda frame: frame.astype(float), "float64"),
        (lambda frame: frame * 0 + 10**6, "codes are .* received 1000000 to 1000000"),
    ],
)
def test_frames_that_are_none(change: Any, message: str, bench: Callable[..., Bench]) -> None:
    on, graph = bench(), GRAPHS["convolutions"]
    frame = random_walk(np.random.default_rng(1), graph, 1, 0.2)[0]
    board = on.board()
    board.load(on.network(graph))
    with pytest.raises(ValueError, match=message):
        board.send(change(frame))
    assert board.send(frame).first_of_stream  # nothing was sent before


@pytest.mark.parametrize("name", ["magic", "streams", "geometry", "lanes", "cached_lines"])
def test_another_core(name: str, bench: Callable[..., Bench]) -> None:
    on = bench()
    path = on.folder / "design.json"
    about = json.loads(path.read_text())
    place = about if name in about else about["core"]
    place[name] += 1
    board = on.board  # the fabric is the one of design.json before
    logic = fake_pynq_core.Logic
    real = dict(logic.__dict__)["read"]

    def read(self: Any, offset: int = 0) -> int:
        found = int(real(self, offset))
        return found - 1 if self.names.get(offset) == name else found

    path.write_text(json.dumps(about))
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(logic, "read", read)
        with pytest.raises(on.driver.BoardError, match=f"holds something else: {name} is"):
            board()
