# SPDX-License-Identifier: Apache-2.0
"""`RtlSimulator`: frames of codes through the emitted RTL, with cycle counts per frame and per engine."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import Structure
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConversionError, FrameError, SimulationError
from codesign.fixed import IntArray
from codesign.graph.golden import check_frames
from codesign.graph.ir import Graph
from codesign.rtl.beats import from_beats, to_beats
from codesign.rtl.spec import TopSpec, top_spec
from codesign.sim.build import build
from codesign.sim.native import Model

Bytes = NDArray[np.uint8]
VERILATOR = "verilator"
"""Folder of a cache that simulators are built in."""
EMIT = "codesign.rtl.project:emit"
"""Looked up where no files are given, so that a stage which simulates given files does not depend on the generator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalls:
    """Random stalls on both sides of the design, drawn separately in each cycle.

    Attributes:
        seed: seed of both random generators.
        source_probability: probability that no new input beat is offered in a cycle, 0 <= p < 1.
        sink_probability: probability that the sink is not ready in a cycle, 0 <= p < 1.
    """

    seed: int
    source_probability: float
    sink_probability: float

    def __post_init__(self) -> None:
        for side in ("source_probability", "sink_probability"):
            if not 0.0 <= getattr(self, side) < 1.0:
                raise SimulationError("a stall is a probability", where=side, expected="0 <= p < 1", received=self)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """What one engine did on each frame, ``[T]`` each.

    Attributes:
        events: events finished.
        busy: cycles with work.
        stalled: cycles with work that downstream did not take.
    """

    events: IntArray
    busy: IntArray
    stalled: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RtlRun:
    """What the RTL did on ``T`` consecutive frames.

    Attributes:
        outputs: codes of the last node, int64 ``[T, *shape]``.
        cycles: cycles from one output TLAST to the next, ``[T]``; of the first frame, from its first accepted beat.
        latency: cycles from the last accepted input beat to the output TLAST, ``[T]``.
        engines: activity of each engine of the top.
        total_cycles: cycles from the first accepted input beat to the last TLAST.
    """

    outputs: IntArray
    cycles: IntArray
    latency: IntArray
    engines: dict[str, EngineRun]
    total_cycles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatRun:
    """What came out when raw beats, well-formed or not, went in.

    Attributes:
        accepted: input beats taken.
        outputs: output beats, int64 ``[M, lanes]``.
        last: TLAST of each output beat, ``[M]``.
        errors: ``error_o`` at the end.
    """

    accepted: int
    outputs: IntArray
    last: NDArray[np.bool_]
    errors: int


class RtlSimulator:
    """The RTL of a graph, built with Verilator and loaded into this process.

    State persists between `run` calls; `reset` starts a new stream. Several simulators may live in one process.

    Args:
        graph: network to simulate.
        folder: cache folder; builds of the same sources are used again.
        skip: False runs the dense baseline, the same build with ``skip_i`` low: every element is an event.
        seed: seed of what the design leaves uninitialised, and of garbage on idle or padded lanes.
        thresholds: hold thresholds by layer, see `set_threshold`; None: those of the graph.
        files: its RTL project, as `codesign.rtl.project` returned it; None: emitted now.
        spec: outside of the top, where another tool made it; None: that of the graph.
        slower: how many times as long as ours such a top may take.

    Raises:
        ConversionError: a threshold is refused.
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: the build failed.
    """

    def __init__(
        self,
        graph: Graph,
        folder: Path,
        *,
        skip: bool = True,
        seed: int = 1,
        thresholds: Mapping[str, int] | None = None,
        files: Mapping[str, str] | None = None,
        spec: TopSpec | None = None,
        slower: int = 1,
    ) -> None:
        self.graph, self._slower = graph, slower
        self._thresholds = dict(thresholds or {})
        graph.with_thresholds(self._thresholds)
        self.spec = top_spec(graph) if spec is None else spec
        self._skip = skip
        self.folder = build(dict(resolve_name(EMIT)(graph) if files is None else files), self.spec, Path(folder))
        self._seed = seed
        self._model: Model | None = self._power_up()
        self._garbage = np.random.default_rng(seed)
        self._first_of_stream = True
        self._broken = False

    def __enter__(self) -> RtlSimulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the model; the build stays in its folder."""
        if self._model is not None:
            self._model.close()
            self._model = None

    def stop(self) -> None:
        """Make a run in another thread fail soon; only `close` is useful after that."""
        self._open_model().stopped = True

    def reset(self, *, hard: bool = False) -> None:
        """Start a new stream at the next frame, by ``tuser``.

        Args:
            hard: also pulse ``rst_ni``, or power up again if the last run failed.
        """
        if hard and self._broken:
            self._open_model().close()
            self._model = self._power_up()
            self._broken = False
        elif hard:
            self._open_model().reset()
        self._first_of_stream = True

    def set_threshold(self, layer: str, threshold: int) -> None:
        """Set the hold threshold of a layer, as ``threshold_i`` does; another one starts a new stream. Resets keep it.

        What comes out is what ``graph.with_thresholds`` computes.

        Args:
            layer: name of a `Delta` with hold.
            threshold: threshold of its coarsest step in units of its input codes, `Delta.threshold`; 0 holds nothing.

        Raises:
            ConversionError: see `Graph.with_thresholds`; or the thresholds of this top are constants.
        """
        self.graph.with_thresholds({layer: threshold})
        if layer not in [hold.name for hold in self.spec.holds]:
            raise ConversionError(
                "the hold thresholds of this core are constants", where=layer, fix="convert the model with another hold"
            )
        model, before = self._open_model(), self.spec.threshold_word(self._thresholds)
        self._thresholds[layer] = threshold
        word = self.spec.threshold_word(self._thresholds)
        model.drive_thresholds(word)
        self._first_of_stream |= word != before

    def run(self, codes: np.ndarray, *, stalls: Stalls | None = None, max_cycles: int | None = None) -> RtlRun:
        """Push consecutive frames of codes, ``[T, *shape]`` integers, and return what came out.

        Args:
            codes: frames; also accepted flat, ``[T, size]``.
            stalls: None: beats always offered, sink always ready.
            max_cycles: most cycles of the whole run; None: far more than a dense network needs.

        Raises:
            FrameError: see `codesign.graph.golden.check_frames`.
            SimulationError: the design hung or broke a protocol rule; names the frame and the beat.
        """
        frames = check_frames(self.graph, codes)
        count, beats = len(frames), self.spec.beats
        last = np.tile(np.arange(beats) == beats - 1, count)
        user = np.zeros(count * beats, bool)
        user[:1] = self._first_of_stream
        limit = max_cycles if max_cycles is not None else self._most_cycles(count, stalls)
        first_in, last_in, out_at = np.zeros((3, count), np.uint64)
        work = np.zeros((count, len(self.spec.engines), 3), np.uint32)
        out_data, _, _ = self._execute(
            self._pack(frames),
            last,
            user,
            count * self.spec.out_words,
            stalls,
            frames=count,
            max_cycles=limit,
            first_in=first_in.ctypes.data,
            last_in=last_in.ctypes.data,
            out_at=out_at.ctypes.data,
            work=work.ctypes.data,
        )
        self._first_of_stream &= count == 0
        done = out_at.astype(np.int64)
        lanes = self.spec.out_words * self.spec.out_lanes
        outputs = self._codes(out_data).reshape(count, lanes)[:, : self.graph.output.size]
        return RtlRun(
            outputs=outputs.reshape(count, *self.graph.output.shape),
            cycles=np.diff(done, prepend=first_in[:1].astype(np.int64)),
            latency=done - last_in.astype(np.int64),
            engines={
                name: EngineRun(**dict(zip(("events", "busy", "stalled"), work[:, e].T.astype(np.int64), strict=True)))
                for e, name in enumerate(self.spec.engines)
            },
            total_cycles=int(done[-1] - first_in[0]) if count else 0,
        )

    def run_beats(
        self, beats: np.ndarray, last: np.ndarray, user: np.ndarray, *, stalls: Stalls | None = None
    ) -> BeatRun:
        """Push raw beats, ``[N, lanes]`` codes with ``tlast`` and ``tuser`` ``[N]``, until the design falls silent.

        Only the handshake rules are checked, not the framing: for malformed frames.

        Raises:
            FrameError: wrong shapes.
            SimulationError: the design broke a handshake rule.
        """
        beats = np.asarray(beats)
        if beats.ndim != 2 or beats.shape[1] != self.spec.in_lanes or not len(beats) == len(last) == len(user):
            raise FrameError(
                "wrong shape of raw beats",
                expected=f"beats [N, {self.spec.in_lanes}], last [N], user [N]",
                received=f"{beats.shape}, {np.shape(last)}, {np.shape(user)}",
            )
        slots = (len(beats) + 2) * self.spec.out_words
        data, out_last, job = self._execute(
            to_beats(beats, self.spec.in_lane_bits),
            np.asarray(last, bool),
            np.asarray(user, bool),
            slots,
            stalls,
            max_cycles=2**62,
        )
        self._first_of_stream &= len(beats) == 0
        return BeatRun(
            accepted=int(job.in_done),
            outputs=self._codes(data[: job.out_done]),
            last=out_last[: job.out_done].astype(bool),
            errors=self._open_model().error_bits,
        )

    @property
    def errors(self) -> int:
        """``error_o``: bit 0 early TLAST seen, bit 1 late TLAST seen; sticky until a hard reset."""
        return self._open_model().error_bits

    def counter(self, address: int) -> int:
        """Return the 32-bit counter at ``stat_addr_i = address``."""
        return self._open_model().statistic(address)

    def _power_up(self) -> Model:
        model = Model(self.folder, self.spec, self._seed)
        model.drive_skip(self._skip)
        model.drive_thresholds(self.spec.threshold_word(self._thresholds))
        return model

    def _open_model(self) -> Model:
        if self._model is None:
            raise SimulationError("the simulator is closed", where=self.graph.name, fix="make a new RtlSimulator")
        return self._model

    def _execute(
        self,
        data: Bytes,
        last: NDArray[np.bool_],
        user: NDArray[np.bool_],
        slots: int,
        stalls: Stalls | None,
        **job: int,
    ) -> tuple[Bytes, Bytes, Structure]:
        """Run one job; return output beats ``[slots, bytes]``, their TLAST ``[slots]`` and the job's counters."""
        model = self._open_model()
        if self._broken:
            raise SimulationError(
                "the last run failed, the design's state is unknown", where=self.graph.name, fix="reset(hard=True)"
            )
        stalls = stalls or Stalls(seed=1, source_probability=0.0, sink_probability=0.0)
        source_seed, sink_seed = np.random.SeedSequence(stalls.seed).generate_state(2, np.uint64)
        out_data = np.zeros((slots, self.spec.out_bytes), np.uint8)
        out_last = np.zeros(slots, np.uint8)
        inputs = [np.ascontiguousarray(array, dtype=np.uint8) for array in (data, last, user)]
        record = model.job(
            **dict(zip(("data", "last", "user"), (array.ctypes.data for array in inputs), strict=True)),
            beats=len(data),
            out_data=out_data.ctypes.data,
            out_last=out_last.ctypes.data,
            capacity=slots,
            source_stall=int(stalls.source_probability * 2**32),
            sink_stall=int(stalls.sink_probability * 2**32),
            source_seed=int(source_seed),
            sink_seed=int(sink_seed),
            patience=self._patience(),
            **job,
        )
        self._broken = True
        model.run(record)
        self._broken = False
        return out_data, out_last, record

    def _patience(self) -> int:
        """Cycles without progress after which the design hangs: it may walk every word of every engine."""
        return self._slower * (1000 + 8 * (self.spec.beats + sum(node.words for node in self.graph.engines)))

    def _most_cycles(self, frames: int, stalls: Stalls | None) -> int:
        dense = self.spec.beats * self.spec.in_lanes + sum((node.n_in + 4) * node.words for node in self.graph.engines)
        slow = (1 - stalls.source_probability) * (1 - stalls.sink_probability) if stalls else 1.0
        return self._slower * (int((frames + 2) * (4 * dense + 200) / slow) + 10_000)

    def _pack(self, frames: IntArray) -> Bytes:
        """Return frames ``[T, size]`` as beats ``[T * beats, bytes]``; lanes after the last element hold garbage."""
        padded = np.empty((len(frames), self.spec.beats * self.spec.in_lanes), np.int64)
        padded[:, : frames.shape[1]] = frames
        spare = padded[:, frames.shape[1] :]
        fmt = self.graph.source.fmt
        spare[:] = self._garbage.integers(fmt.lo, fmt.hi, spare.shape, endpoint=True)
        return to_beats(padded.reshape(-1, self.spec.in_lanes), self.spec.in_lane_bits)

    def _codes(self, data: Bytes) -> IntArray:
        """Return output beats ``[M, bytes]`` as codes ``[M, lanes]``."""
        return from_beats(data, self.spec.out_lane_bits, signed=self.graph.output.fmt.signed)
