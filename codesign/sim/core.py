# SPDX-License-Identifier: Apache-2.0
"""`CoreSimulator`: networks as programs on the RTL of the delta core, with cycle counts per frame and step."""

from __future__ import annotations

from ctypes import Structure
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codesign.core import Compiled, CoreConfig, compile_graph, image_of, pack_input, unpack_output
from codesign.core.files import MODULE, core_files
from codesign.core.registers import refusal
from codesign.core.timing import DDR, MemoryTiming
from codesign.errors import FrameError, SimulationError
from codesign.fixed import IntArray
from codesign.graph.golden import check_frames
from codesign.graph.ir import Graph
from codesign.rtl.beats import from_beats, to_beats
from codesign.sim.build import CXX_FLAGS, VERILATOR_FLAGS, Recipe, compile_library
from codesign.sim.core_native import CoreJob, CoreModel
from codesign.sim.memory import MemoryTraffic, Timing
from codesign.sim.simulator import BeatRun, EngineRun, RtlRun, Stalls

Bytes = NDArray[np.uint8]
MEMORY_PATIENCE = 100
"""How many times as long it may wait with an external memory."""
HARNESS = Path(__file__).with_name("core.cpp")
PATIENCE_PER_WORD = 64
"""Cycles without a beat or an operation, for each word of the network's state, after which the core hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreRun(RtlRun):
    """What the core did on ``T`` consecutive frames.

    Of the first delta activation, which reads the input, ``engines`` has the events that it sends and the cycles of its
    step; of each engine the events that it takes, its operations and the cycles in which one of them waited.

    Attributes:
        steps: cycles of each step of the program, in order, ``[T]`` each; the last is that of the packet.
        memory: what went through the external memory; None without one.
    """

    steps: dict[str, IntArray]
    memory: MemoryTraffic | None = None


def build_core(config: CoreConfig, folder: Path, files: dict[str, str] | None = None) -> Path:
    """Compile the core of ``config`` with its harness; one library for all networks, cached in ``folder``.

    ``files``: its RTL project, if it is to be that of a folder; None: `core_files`.

    Raises:
        SimulationError: Verilator or g++ failed, or a beat is no whole number of bytes.
        ToolNotFoundError: Verilator, g++, make or perl is missing.
    """
    if config.code_bits % 8 or config.sum_bits % 8:
        raise SimulationError(
            "lanes of a beat are no whole bytes",
            where="core.code_bits, core.sum_bits",
            expected="multiples of 8",
            received=f"{config.code_bits} and {config.sum_bits}",
        )
    constants = {
        "MEMORY_BYTES": config.memory_bits // 8,
        "MEMORY_KIB": config.memory_kib,
        "IN_BYTES": config.quantisers * config.code_bits // 8,
        "OUT_BYTES": config.quantisers * config.sum_bits // 8,
    }
    defines = " ".join(f"-D{name}={value}" for name, value in constants.items())
    flags = (*VERILATOR_FLAGS, "--top-module", MODULE, "-CFLAGS", f"{CXX_FLAGS} {defines}")
    recipe = Recipe(module=MODULE, flags=flags, harness=HARNESS, prefix="core_")
    return compile_library(core_files(config) if files is None else files, recipe, folder)


class CoreSimulator:
    """The RTL of the core, built with Verilator and loaded into this process, with a network in it.

    State persists between `run` calls; `reset` starts a new stream, `load` another network.

    Args:
        graph: the network.
        folder: cache folder; there is one build for all networks.
        config: lanes, widths and depths of the core.
        files: its RTL project, path -> text; None: `codesign.core.files.core_files`.
        skip: False runs the dense baseline, the same build with ``skip_i`` low: every element is an event.
        memory: when the external memory answers, if the core has one; None: `codesign.sim.memory.DDR`.
        seed: seed of what the core leaves uninitialised, and of garbage on idle lanes.

    Raises:
        ConversionError: the network does not fit the core.
        ToolNotFoundError: Verilator, g++, make or perl is missing.
        SimulationError: the build failed.
    """

    def __init__(
        self,
        graph: Graph,
        folder: Path,
        *,
        config: CoreConfig | None = None,
        files: dict[str, str] | None = None,
        skip: bool = True,
        memory: MemoryTiming | None = None,
        seed: int = 1,
    ) -> None:
        self.config = config or CoreConfig()
        self._seed, self._skip, self._memory = seed, skip, memory or DDR
        self._traffic = np.zeros(3, np.int64)
        compiled = compile_graph(graph, self.config)
        self.folder = build_core(self.config, Path(folder), files)
        self._model: CoreModel | None = self._power_up()
        self._enter(graph, compiled)

    def __enter__(self) -> CoreSimulator:
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

    def load(self, graph: Graph) -> None:
        """Load another network; the next frame starts a stream.

        Raises:
            ConversionError: it does not fit the core, which keeps the network that it has.
        """
        self._enter(graph, compile_graph(graph, self.config))

    def load_image(self, image: NDArray[np.uint32]) -> None:
        """Offer the words of an image, right or wrong, as a host does.

        Raises:
            SimulationError: the core refuses it, and has no network any more.
        """
        if error := self._open_model().load(image):
            raise SimulationError(
                "the core refuses the image",
                where=self.graph.name,
                received=refusal(error),
                fix="compile the network for this core, and load it again",
            )

    def answer_as(self, memory: MemoryTiming) -> None:
        """Let the external memory answer like this from now on."""
        self._memory = memory
        self._open_model().memory(Timing.of(memory))

    @property
    def loaded(self) -> bool:
        """Whether the core has a network."""
        return self._open_model().loaded

    def reset(self, *, hard: bool = False) -> None:
        """Start a new stream at the next frame, by ``tuser``.

        Args:
            hard: also pulse ``rst_ni``, or power up again if the last run failed, and load the network again.
        """
        if hard:
            if self._broken:
                self._open_model().close()
                self._model = self._power_up()
            else:
                self._open_model().reset()
            self._enter(self.graph, self.compiled)
        self._first_of_stream = True

    def run(self, codes: np.ndarray, *, stalls: Stalls | None = None, max_cycles: int | None = None) -> CoreRun:
        """Push consecutive frames of codes, ``[T, *shape]`` integers, and return what came out.

        Args:
            codes: frames; also accepted flat, ``[T, size]``.
            stalls: None: beats always offered, sink always ready.
            max_cycles: most cycles of the whole run; None: no limit but that something has to happen.

        Raises:
            FrameError: see `codesign.graph.golden.check_frames`.
            SimulationError: the core hung or broke a protocol rule; names the frame and the beat.
        """
        frames = check_frames(self.graph, codes)
        count, beats = len(frames), self.program.beats
        last = np.tile(np.arange(beats) == beats - 1, count)
        user = np.zeros(count * beats, bool)
        user[:1] = self._first_of_stream
        first_in, last_in, out_at = np.zeros((3, count), np.uint64)
        sent = np.zeros((count, len(self.compiled.steps), 2), np.uint32)
        added = np.zeros((count, len(self.compiled.engines), 2), np.uint32)
        traffic = np.zeros((count, 3), np.uint64)
        data, _, _ = self._execute(
            self._pack(frames),
            last,
            user,
            count * self.program.output_beats,
            stalls,
            frames=count,
            max_cycles=2**62 if max_cycles is None else max_cycles,
            first_in=first_in.ctypes.data,
            last_in=last_in.ctypes.data,
            out_at=out_at.ctypes.data,
            sent=sent.ctypes.data,
            added=added.ctypes.data,
            traffic=traffic.ctypes.data,
        )
        self._first_of_stream &= count == 0
        done = out_at.astype(np.int64)
        outputs = unpack_output(self.compiled, self._codes(data).reshape(count, -1, self.config.quantisers))
        return CoreRun(
            outputs=outputs.reshape(count, *self.graph.output.shape),
            cycles=np.diff(done, prepend=first_in[:1].astype(np.int64)),
            latency=done - last_in.astype(np.int64),
            engines=self._engines(sent.astype(np.int64), added.astype(np.int64)),
            steps={name: sent[:, at, 0].astype(np.int64) for at, name in enumerate(self.compiled.steps)},
            total_cycles=int(done[-1] - first_in[0]) if count else 0,
            memory=self._moved(traffic.astype(np.int64)) if self.config.memory_bits else None,
        )

    def run_beats(
        self, beats: np.ndarray, last: np.ndarray, user: np.ndarray, *, stalls: Stalls | None = None
    ) -> BeatRun:
        """Push raw beats, ``[N, quantisers]`` codes with ``tlast`` and ``tuser`` ``[N]``, until the core falls silent.

        Only the handshake rules are checked, not the framing: for malformed frames.

        Raises:
            FrameError: wrong shapes.
            SimulationError: the core broke a handshake rule.
        """
        beats, lanes = np.asarray(beats), self.config.quantisers
        if beats.ndim != 2 or beats.shape[1] != lanes or not len(beats) == len(last) == len(user):
            raise FrameError(
                "wrong shape of raw beats",
                expected=f"beats [N, {lanes}], last [N], user [N]",
                received=f"{beats.shape}, {np.shape(last)}, {np.shape(user)}",
            )
        slots = (len(beats) + 2) * self.program.output_beats
        data, out_last, job = self._execute(
            to_beats(beats, self.config.code_bits),
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

    def _enter(self, graph: Graph, compiled: Compiled) -> None:
        self.graph, self.compiled, self.program = graph, compiled, compiled.program
        self._broken, self._first_of_stream = False, True
        self.load_image(image_of(self.program))

    def _power_up(self) -> CoreModel:
        model = CoreModel(self.folder, self._seed)
        model.skip(self._skip)
        model.memory(Timing.of(self._memory))
        self._traffic[:] = 0
        return model

    def _open_model(self) -> CoreModel:
        if self._model is None:
            raise SimulationError("the simulator is closed", where=self.graph.name, fix="make a new CoreSimulator")
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
                "the last run failed, the core's state is unknown", where=self.graph.name, fix="reset(hard=True)"
            )
        stalls = stalls or Stalls(seed=1, source_probability=0.0, sink_probability=0.0)
        source_seed, sink_seed = np.random.SeedSequence(stalls.seed).generate_state(2, np.uint64)
        out_data = np.zeros((slots, self.config.quantisers * self.config.sum_bits // 8), np.uint8)
        out_last = np.zeros(slots, np.uint8)
        inputs = [np.ascontiguousarray(array, dtype=np.uint8) for array in (data, last, user)]
        record = CoreJob(
            **dict(zip(("data", "last", "user"), (array.ctypes.data for array in inputs), strict=True)),
            beats=len(data),
            out_data=out_data.ctypes.data,
            out_last=out_last.ctypes.data,
            capacity=slots,
            frame_beats=self.program.beats,
            packet_beats=self.program.output_beats,
            steps=len(self.program.steps),
            engines=len(self.compiled.engines),
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
        """Return cycles without a beat or an operation after which the core hangs."""
        words = sum(step.words * step.taps + 32 for step in self.program.steps)
        slower = MEMORY_PATIENCE if self.config.memory_bits else 1
        return 1000 + PATIENCE_PER_WORD * words * slower

    def _engines(self, sent: IntArray, added: IntArray) -> dict[str, EngineRun]:
        """Return what was done for each engine of ``sent [T, steps, 2]`` and ``added [T, engines, 2]``."""
        cycles, events = (self.compiled.of_nodes(sent[..., of]) for of in range(2))
        first = self.graph.deltas[0].name
        runs = {first: EngineRun(events=events[first], busy=cycles[first], stalled=np.zeros_like(cycles[first]))}
        for node in self.compiled.graph.engines:
            at = self.compiled.engines.index(node.name)
            taken = np.sum([events[name] for name in node.inputs], axis=0)
            runs[node.name] = EngineRun(events=taken, busy=added[:, at, 0], stalled=added[:, at, 1])
        none = np.zeros(len(sent), np.int64)  # what an addition computes, too, is counted there
        return {
            node.name: runs.get(node.name, EngineRun(events=none, busy=none, stalled=none))
            for node in (self.graph.deltas[0], *self.graph.engines)
        }

    def _moved(self, traffic: IntArray) -> MemoryTraffic:
        """Return the traffic of each frame from that of all since power-up, ``[T, 3]``."""
        moved = np.diff(traffic, axis=0, prepend=self._traffic[None])
        if len(traffic):
            self._traffic = traffic[-1]
        return MemoryTraffic(read_bytes=moved[:, 0], written_bytes=moved[:, 1], busy_cycles=moved[:, 2])

    def _pack(self, frames: IntArray) -> Bytes:
        """Return frames ``[T, size]`` as beats ``[T * beats, bytes]``; lanes after the last element are 0."""
        beats = pack_input(self.compiled, frames).reshape(-1, self.config.quantisers)
        return to_beats(beats, self.config.code_bits)

    def _codes(self, data: Bytes) -> IntArray:
        """Return output beats ``[M, bytes]`` as codes ``[M, quantisers]``."""
        return from_beats(data, self.config.sum_bits, signed=True)
