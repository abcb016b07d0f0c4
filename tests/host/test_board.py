# SPDX-License-Identifier: Apache-2.0
"""The client against the simulated board: every result is the golden model's, whatever happens to the line."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import finish
from host.designs import moving_pictures, picture_graph
from host.faults import Lost, Noise, Once, hang_up

from codesign.errors import (
    BoardError,
    ConversionError,
    DesignMismatchError,
    DisconnectedError,
    LinkError,
    OldNameWarning,
    StreamBrokenError,
)
from codesign.graph import Graph
from codesign.graph.file import save_graph
from codesign.graph.golden import Golden
from codesign.graph.sparsity import activity
from codesign.host import Board, framing, link, stream
from codesign.host.client import RESET
from codesign.host.counters import live_layers, live_sparsity
from codesign.host.port import Port
from codesign.rtl.soc import register_map
from codesign.sim.board import SimulatedBoard
from codesign.sim.line import HangUp, Wire, perfect

GRAPH = picture_graph()
PICTURES = moving_pictures(300)
Open = Callable[..., Board]


def packets_of(data: bytes) -> list[framing.Packet]:
    """Return the packets in bytes of the line, those that are damaged left out."""
    return [packet for packet in framing.Decoder().feed(data) if isinstance(packet, framing.Packet)]


@pytest.fixture
def simulated(rtl_cache: Path) -> Iterator[SimulatedBoard]:
    with SimulatedBoard(GRAPH, rtl_cache) as board:
        yield board


@pytest.fixture
def connect(simulated: SimulatedBoard) -> Iterator[Open]:
    """Open the simulated board, checked against the golden model; it is closed at the end."""
    boards: list[Board] = []

    def opened(design: Graph | Path = GRAPH, **options: Any) -> Board:
        known: dict[str, Any] = {"baud": simulated.baud, "slowdown": simulated.slowdown, "check": True, "notice": print}
        boards.append(Board(simulated.port, design, **known | options))
        return boards[-1]

    yield opened
    for board in boards:
        board.close()


def sends(board: Board, pictures: np.ndarray) -> None:
    """Send frames of a stream that goes on; every result is right."""
    for picture in pictures:
        result = board.send(picture)
        assert (result.mismatches, result.first_of_stream) == (0, False)


def starts(board: Board, picture: np.ndarray, **options: bool) -> None:
    """Send a frame that starts a new stream; its result is right."""
    result = board.send(picture, **options)
    assert (result.mismatches, result.first_of_stream) == (0, True)


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
    starts(board, PICTURES[5], first_of_stream=True)
    sends(board, PICTURES[6:9])
    board.reset()
    starts(board, PICTURES[9])
    assert board.counters().frames == 1
    with pytest.warns(OldNameWarning, match="'new_stream' is now 'first_of_stream'"):
        assert board.send(PICTURES[10], new_stream=True).first_of_stream


@pytest.mark.heavy
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
    with pytest.raises(StreamBrokenError, match="first_of_stream=True"):
        board.send(PICTURES[3])
    simulated.line.plug(power_cycle=False)
    wait_for(simulated.port)
    starts(board, PICTURES[3], first_of_stream=True)
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
    stranger = framing.encode(link.pack(link.Write(address=register_map(GRAPH)["control"].address, data=RESET), 77))
    simulated.line.to_board = Once(0, lambda byte: stranger + bytes([byte]))
    with pytest.raises(StreamBrokenError, match=r"Expected: 3 frames. Received: 0 frames"):
        board.counters()
    with pytest.raises(StreamBrokenError):
        board.send(PICTURES[3])
    starts(board, PICTURES[3], first_of_stream=True)
    sends(board, PICTURES[4:6])


def test_what_the_last_user_of_the_port_asked_for_is_not_taken_for_an_answer(
    simulated: SimulatedBoard, connect: Open
) -> None:
    rude = Port(simulated.port, simulated.baud)
    rude.write(framing.encode(link.pack(link.Read(address=0, count=3), 0)))
    rude.write(framing.encode(link.pack(link.Frame(beats=bytes(64)), 0))[:30])
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
            connect(slowdown=3.0)  # a silence of 90 ms: the other thread may have to wait for its turn
    finally:
        chatter.set()
        thread.join()


def test_something_else_that_speaks_the_protocol(simulated: SimulatedBoard, connect: Open) -> None:
    def disguised(data: bytes) -> bytes:
        packets = packets_of(data)
        return b"".join(framing.encode(replace(packet, payload=bytes(12))) for packet in packets)

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


def test_a_hold_that_the_board_may_not_have_needs_a_new_stream(simulated: SimulatedBoard, connect: Open) -> None:
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:3])
    simulated.line.to_host = after_answers(1, lambda _: b"")  # the first of two holds is confirmed
    with pytest.raises(LinkError, match="no answer to WRITE"):
        board.set_hold("delta1", 6.0)
    simulated.line.to_host = perfect
    with pytest.raises(StreamBrokenError, match="first_of_stream=True"):
        board.send(PICTURES[3])
    board.set_hold("delta2", None)  # on its way with the next frame, too
    with pytest.raises(StreamBrokenError):
        board.send(PICTURES[3])
    starts(board, PICTURES[3], first_of_stream=True)
    sends(board, PICTURES[4:12])


ASKED: dict[str, Callable[[Board], object]] = {
    "counters": Board.counters,
    "set_hold": lambda board: board.set_hold("delta1", 6.0),
    "reset": Board.reset,
}
"""What is not a frame, and may be under way when the plug is pulled."""


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_unplugging_between_frames_is_an_error_and_the_next_frame_must_start_a_stream(
    simulated: SimulatedBoard, connect: Open, ask: Callable[[Board], object]
) -> None:
    board = connect()
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:3])
    simulated.line.to_board = Once(5, hang_up)
    with pytest.raises(DisconnectedError, match=r"plug the board in again"):
        ask(board)
    with pytest.raises(StreamBrokenError, match="first_of_stream=True"):
        board.send(PICTURES[3])
    simulated.line.plug(power_cycle=True)
    wait_for(simulated.port)
    starts(board, PICTURES[3], first_of_stream=True)
    sends(board, PICTURES[4:8])


@pytest.mark.parametrize("power_cycle", [False, True])
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_client_that_may_reconnect_does_so_between_frames(
    simulated: SimulatedBoard, connect: Open, ask: Callable[[Board], object], power_cycle: bool
) -> None:
    board = connect(reconnect_s=20.0)
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:3])
    resets = board.resets
    simulated.line.to_board = Once(5, hang_up)
    threading.Timer(0.3, simulated.line.plug, kwargs={"power_cycle": power_cycle}).start()
    ask(board)
    assert (board.reconnections, board.resets) == (1, resets + 1)
    assert board.counters().frames == 0
    starts(board, PICTURES[3])
    sends(board, PICTURES[4:8])
    assert board.counters().frames == 5


def test_waiting_for_a_port_repeats_nothing(simulated: SimulatedBoard, connect: Open) -> None:
    board = connect(reconnect_s=1.5)
    starts(board, PICTURES[0])
    simulated.line.to_host = Lost(20)
    sends(board, PICTURES[1:3])
    repeated = board.repeated  # once, or more often on a busy computer
    assert repeated >= 1
    simulated.line.unplug()
    with pytest.raises(DisconnectedError):
        board.send(PICTURES[3])
    assert board.repeated == repeated
    simulated.line.plug(power_cycle=False)
    wait_for(simulated.port)
    starts(board, PICTURES[3], first_of_stream=True)
    assert board.repeated >= repeated


@pytest.mark.parametrize("loses", [False, True], ids=["between frames", "within a frame"])
@pytest.mark.parametrize("hold", [None, 6.0])
def test_the_reset_button_starts_a_new_stream_and_says_so(
    simulated: SimulatedBoard, connect: Open, hold: float | None, loses: bool
) -> None:
    said: list[str] = []
    board = connect(notice=said.append)
    if hold is not None:
        board.set_hold("delta1", hold)  # the button brings back the design's own
    starts(board, PICTURES[0])
    sends(board, PICTURES[1:10])
    simulated.line.to_board = press_reset(simulated, at=40 if loses else 0, loses=loses)
    starts(board, PICTURES[10])
    assert said == [f"{simulated.port}: the board was reset; the layers start a new stream"]
    sends(board, PICTURES[11:20])
    assert board.counters().frames == 10
    assert len(said) == 1


def test_the_reset_button_before_a_frame_that_starts_a_stream_does_not_cost_the_holds(
    simulated: SimulatedBoard, connect: Open
) -> None:
    board = connect()
    board.set_hold("delta1", 6.0)
    for options in ({}, {"first_of_stream": True}):
        simulated.line.to_board = press_reset(simulated)
        starts(board, PICTURES[0], **options)
        sends(board, PICTURES[1:10])


def test_a_board_that_says_the_opposite_of_what_was_asked_is_an_error(simulated: SimulatedBoard, connect: Open) -> None:
    held = bytearray()  # what the board says comes in pieces

    def denies(data: bytes) -> bytes:
        held.extend(data)
        whole = bytes(held)
        found = [link.parse(packet) for packet in packets_of(whole)]
        if not found:
            return b""
        held.clear()
        if not isinstance(found[0], link.Result):
            return whole
        return framing.encode(link.pack(replace(found[0], first_of_stream=False), whole[2]))

    board = connect()
    simulated.line.to_host = denies
    with pytest.raises(BoardError, match="goes on with a stream"):
        board.send(PICTURES[0])
    with pytest.raises(StreamBrokenError):
        board.send(PICTURES[0])


OTHERS = [pytest.param(*case, marks=pytest.mark.heavy) for case in ((0.0, 2), (100.0, 1))]


@pytest.mark.parametrize("happen", ["unplug", "reset"])
@pytest.mark.parametrize(("refresh_s", "reading"), [(0.0, 1), (0.0, 4), (100.0, 2), *OTHERS])
def test_a_stream_goes_on_whatever_happens_while_the_counters_are_read(
    simulated: SimulatedBoard,
    connect: Open,
    monkeypatch: pytest.MonkeyPatch,
    happen: str,
    refresh_s: float,
    reading: int,
) -> None:
    """Counters are read after the first frame of a stream, at refreshes, and at the end."""
    monkeypatch.setattr(stream, "REFRESH_S", refresh_s)
    said: list[str] = []
    board = connect(reconnect_s=20.0, notice=said.append)

    def fault(data: bytes) -> bytes:
        if happen == "reset":
            simulated.power_cycle()
            return data
        threading.Timer(0.3, simulated.line.plug, kwargs={"power_cycle": True}).start()
        raise HangUp

    simulated.line.to_board = at_reading(reading, fault)
    shown: list[stream.Live] = []
    summary = stream.Stream(board, shown.append).run(iter(PICTURES[:12]), "pictures")
    assert (summary.frames, summary.mismatches) == (12, 0)
    assert summary.reconnections == (happen == "unplug")
    assert "new stream" in said[-1]
    assert shown[-1].frames == 12
    for live in shown:
        assert live.operation_sparsity is None or 0 <= live.operation_sparsity <= 1
    last = refresh_s and reading == 2  # after the last frame: what was counted is lost
    assert (summary.operation_sparsity is None) == bool(last)
    if not last:
        assert summary.operation_sparsity is not None
        assert 0 < summary.operation_sparsity < 1


def after_answers(count: int, wire: Wire) -> Wire:
    """Return a line that is perfect for ``count`` answers, each in one piece, and then ``wire``."""
    left = [count]

    def carry(data: bytes) -> bytes:
        if not data:
            return data
        left[0] -= 1
        return data if left[0] >= 0 else wire(data)

    return carry


def at_reading(number: int, wire: Wire) -> Wire:
    """Return a line that is ``wire`` for the request number ``number``, from 1, for the counters."""
    left, address = [number], register_map(GRAPH)["counters.frames"].address

    def carry(data: bytes) -> bytes:
        for request in map(link.parse, packets_of(data)):
            if isinstance(request, link.Read) and request.address == address:
                left[0] -= 1
                return data if left[0] else wire(data)
        return data

    return carry


def press_reset(simulated: SimulatedBoard, at: int = 0, *, loses: bool = False) -> Once:
    """Return a line on which the board is reset before byte number ``at``, which may be lost by that."""

    def press(byte: int) -> bytes:
        simulated.power_cycle()
        return b"" if loses else bytes([byte])

    return Once(at, press)


def wait_for(port: str) -> None:
    """Wait until a port is there."""
    deadline = time.monotonic() + 5
    while not Path(port).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
