# SPDX-License-Identifier: Apache-2.0
"""The client against the simulated board: every result is the golden model's, whatever happens to the line."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import moving_pictures, picture_graph
from faults import Lost, Noise, Once, hang_up
from finished import finish

from codesign.board import Board, link
from codesign.board.client import RESET
from codesign.board.counters import live_layers, live_sparsity
from codesign.board.port import Port
from codesign.errors import (
    BoardError,
    ConversionError,
    DesignMismatchError,
    DisconnectedError,
    LinkError,
    StreamBrokenError,
)
from codesign.flow.graph_file import save_graph
from codesign.golden import Golden
from codesign.graph.sparsity import activity
from codesign.rtl.board import register_map
from codesign.sim.board import SimulatedBoard

GRAPH = picture_graph()
PICTURES = moving_pictures(300)
Open = Callable[..., Board]


@pytest.fixture
def simulated(rtl_cache: Path) -> Iterator[SimulatedBoard]:
    with SimulatedBoard(GRAPH, rtl_cache) as board:
        yield board


@pytest.fixture
def connect(simulated: SimulatedBoard) -> Iterator[Open]:
    """Open the simulated board, checked against the golden model; it is closed at the end."""
    boards: list[Board] = []

    def opened(design: object = GRAPH, **options: object) -> Board:
        known = {"baud": simulated.baud, "slowdown": simulated.slowdown, "check": True, "notice": print}
        boards.append(Board(simulated.port, design, **known | options))
        return boards[-1]

    yield opened
    for board in boards:
        board.close()


def sends(board: Board, pictures: np.ndarray) -> None:
    """Send frames of a stream that goes on; every result is right."""
    for picture in pictures:
        result = board.send(picture)
        assert (result.mismatches, result.new_stream) == (0, False)


def starts(board: Board, picture: np.ndarray, **options: bool) -> None:
    """Send a frame that starts a new stream; its result is right."""
    result = board.send(picture, **options)
    assert (result.mismatches, result.new_stream) == (0, True)


def test_results_cycles_and_counters_are_those_of_the_golden_model(connect: Open) -> None:
    board = connect()
    starts(board, PICTURES[0])
    before = board.counters()
    cycles = []
    for picture in PICTURES[1:101]:
        result = board.send(picture)
        assert result.mismatches == 0
        cycles.append(result.cycles)
    assert min(cycles) >= GRAPH.source.beats
    counted = board.counters().since(before)
    trace = Golden(GRAPH).run(PICTURES[:101])
    assert (counted.frames, counted.errors) == (100, 0)
    assert counted.engines["delta1"].events == np.count_nonzero(trace.deltas["delta1"][1:])
    exact = activity(GRAPH, trace)
    for layer, counter in zip(exact, live_layers(GRAPH, counted), strict=True):
        assert counter.name == layer.name
        assert counter.events_per_frame == pytest.approx(layer.events.mean())  # every element reaches an output
        assert counter.density == pytest.approx(layer.density.mean())
        assert counter.operation_sparsity == pytest.approx(layer.operation_sparsity)
    total = 1 - sum(layer.active_macs.mean() for layer in exact) / sum(layer.macs for layer in exact)
    assert live_sparsity(GRAPH, live_layers(GRAPH, counted)) == pytest.approx(total)
    assert board.repeated == 0


def test_a_new_stream_forgets_the_old_one(connect: Open) -> None:
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:4])
    starts(board, PICTURES[5], new_stream=True)
    sends(board, PICTURES[6:9])
    board.reset()
    starts(board, PICTURES[9])
    assert board.counters().frames == 1


def test_sequence_numbers_come_round(connect: Open) -> None:
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:270])
    for _ in range(255):  # so that the counters' numbers meet the last frame's
        board.identify()
    sends(board, PICTURES[270:])
    assert board.counters().frames == len(PICTURES)


@pytest.mark.parametrize("way", ["to_board", "to_host"])
def test_noise_on_the_line_costs_time_only(simulated: SimulatedBoard, connect: Open, way: str) -> None:
    board = connect()
    starts(board, PICTURES[0])
    noise = Noise(seed=3, probability=0.003)
    setattr(simulated.line, way, noise)
    sends(board, PICTURES[1:61])
    assert noise.faults > 5
    assert board.repeated > 3
    assert board.counters().frames == 61  # none was computed twice


def test_a_lost_answer_is_given_again_and_not_computed_again(simulated: SimulatedBoard, connect: Open) -> None:
    board = connect()
    starts(board, PICTURES[0])
    simulated.line.to_host = Lost(20)
    sends(board, PICTURES[1:3])
    assert board.repeated == 1
    assert board.counters().frames == 3


def test_unplugging_in_mid_frame_is_an_error_and_the_next_frame_must_start_a_stream(
    simulated: SimulatedBoard, connect: Open
) -> None:
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:3])
    simulated.line.to_board = Once(40, hang_up)
    with pytest.raises(DisconnectedError, match=r"plug the board in again"):
        board.send(PICTURES[3])
    with pytest.raises(StreamBrokenError, match="new_stream=True"):
        board.send(PICTURES[3])
    simulated.line.plug(power_cycle=False)
    wait_for(simulated.port)
    starts(board, PICTURES[3], new_stream=True)
    sends(board, PICTURES[4:8])


@pytest.mark.parametrize("power_cycle", [False, True])
@pytest.mark.parametrize(("way", "at"), [("to_board", 40), ("to_host", 9)])
def test_a_client_that_may_reconnect_goes_on_with_a_new_stream(
    simulated: SimulatedBoard, connect: Open, way: str, at: int, power_cycle: bool
) -> None:
    said: list[str] = []
    board = connect(reconnect_s=20.0, notice=said.append)
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:3])
    setattr(simulated.line, way, Once(at, hang_up))
    again = threading.Timer(0.5, simulated.line.plug, kwargs={"power_cycle": power_cycle})
    again.start()
    starts(board, PICTURES[3])
    sends(board, PICTURES[4:8])
    assert board.reconnections == 1
    assert "connection is lost" in said[0]
    assert "new stream" in said[-1]
    assert board.counters().frames == 5


def test_a_port_that_never_comes_back_is_an_error(simulated: SimulatedBoard, connect: Open) -> None:
    board = connect(reconnect_s=0.5)
    starts(board, PICTURES[0])
    simulated.line.unplug()
    start = time.monotonic()
    with pytest.raises(DisconnectedError):
        board.send(PICTURES[1])
    assert 0.5 < time.monotonic() - start < 5


def test_another_design_is_refused_by_name(connect: Open, tmp_path: Path) -> None:
    other = picture_graph(seed=6, name="other")
    for graph in (GRAPH, other):
        folder = tmp_path / graph.name / "2_graph"
        folder.mkdir(parents=True)
        save_graph(graph, folder)
        finish(folder)
    with pytest.raises(DesignMismatchError, match=r"Expected: other, id \w{8}.*Received: design small, id \w{8}.*load"):
        connect(tmp_path / "other")
    with pytest.raises(DesignMismatchError, match="a design that is not beside it"):
        connect(other)
    assert connect(tmp_path / "small").graph.name == "small"


def test_a_board_that_was_reset_behind_the_clients_back_is_noticed(simulated: SimulatedBoard, connect: Open) -> None:
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:3])
    stranger = link.encode(link.pack(link.Write(address=register_map(GRAPH)["control"].address, data=RESET), 77))
    simulated.line.to_board = Once(0, lambda byte: stranger + bytes([byte]))
    with pytest.raises(StreamBrokenError, match=r"Expected: 3 frames. Received: 0 frames"):
        board.counters()
    with pytest.raises(StreamBrokenError):
        board.send(PICTURES[3])
    starts(board, PICTURES[3], new_stream=True)
    sends(board, PICTURES[4:6])


def test_what_the_last_user_of_the_port_asked_for_is_not_taken_for_an_answer(
    simulated: SimulatedBoard, connect: Open
) -> None:
    rude = Port(simulated.port, simulated.baud)
    rude.write(link.encode(link.pack(link.Read(address=0, count=3), 0)))
    rude.write(link.encode(link.pack(link.Frame(beats=bytes(64)), 0))[:30])
    rude.close()
    board = connect()
    starts(board, PICTURES[0])


def test_another_hold_starts_a_new_stream_and_outlives_a_reset(connect: Open) -> None:
    board = connect()

    def events() -> int:
        starts(board, PICTURES[0])
        before = board.counters()
        sends(board, PICTURES[1:15])
        return board.counters().since(before).engines["delta1"].events

    usual = events()
    board.set_hold("delta1", 6.0)
    assert events() < usual
    board.set_hold("delta2", None)
    board.reset()
    assert events() < usual
    board.set_hold("delta1", 1.0)
    board.set_hold("delta2", 0.75)
    assert events() == usual


def test_a_new_session_starts_with_the_designs_own_holds(connect: Open) -> None:
    first = connect()
    first.set_hold("delta1", 9.0)
    first.close()
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:10])


def test_holds_that_make_no_sense_are_refused(connect: Open) -> None:
    board = connect()
    with pytest.raises(ConversionError, match="'delta1', 'delta2'"):
        board.set_hold("conv1", 1.0)
    for hold in (0.25, 1e9):
        with pytest.raises(ConversionError):
            board.set_hold("delta1", hold)
    starts(board, PICTURES[0])


def test_a_line_with_nobody_behind_it(simulated: SimulatedBoard, connect: Open) -> None:
    simulated.line.to_host = lambda _: b""
    with pytest.raises(LinkError, match=r"no answer to READ in 5 attempts.*Received: silence.*baud rate"):
        connect(slowdown=1.0)


def test_a_line_that_never_falls_silent(simulated: SimulatedBoard, connect: Open) -> None:
    chatter = threading.Event()

    def talk() -> None:
        while not chatter.wait(0.005):
            simulated.line.say(b"hello")

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        with pytest.raises(LinkError, match="never falls silent"):
            connect(slowdown=1.0)
    finally:
        chatter.set()
        thread.join()


def test_something_else_that_speaks_the_protocol(simulated: SimulatedBoard, connect: Open) -> None:
    def disguised(data: bytes) -> bytes:
        packets = link.Decoder().feed(data)
        return b"".join(link.encode(replace(packet, payload=bytes(12))) for packet in packets)

    simulated.line.to_host = disguised
    with pytest.raises(BoardError, match=r"no delta board.*Expected: magic 44454c54.*Received: magic 00000000"):
        connect()


def test_a_port_that_is_not_there_or_taken(connect: Open) -> None:
    with pytest.raises(BoardError, match=re.escape("/dev/none")):
        Board("/dev/none", GRAPH)
    connect()
    with pytest.raises(BoardError, match="cannot be opened"):
        connect()


def test_frames_that_are_none_are_refused_before_anything_is_sent(connect: Open) -> None:
    board = connect()
    with pytest.raises(Exception, match="integer codes"):
        board.send(PICTURES[0] / 255.0)
    with pytest.raises(Exception, match="wrong frame shape"):
        board.send(PICTURES[:2])
    starts(board, PICTURES[0])


def wait_for(port: str) -> None:
    """Wait until a port is there."""
    deadline = time.monotonic() + 5
    while not Path(port).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
