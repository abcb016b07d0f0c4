# SPDX-License-Identifier: Apache-2.0
"""ctypes mirror of ``core.cpp``: one `CoreModel` is one Verilated delta core in this process."""

from __future__ import annotations

import ctypes
import os
import weakref
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from codesign import trust
from codesign.errors import SimulationError
from codesign.sim.build import LIBRARY
from codesign.sim.memory import Timing

# Cycles per C call: Ctrl-C and `CoreModel.stopped` are seen between calls.
_BUDGET = 100_000
_PATIENCE = 1_000_000
"""Cycles that a word of an image may wait: for the external memory, if there is one."""
_DONE, _AGAIN, _STOPPED, _MEMORY, _LOST = 0, 1, 10, 11, 12
_WRONG = {
    2: ("the core hangs", "an accepted beat or an operation"),
    3: ("the run took too many cycles", "fewer cycles than max_cycles"),
    4: ("m_axis_tvalid fell before tready took the beat", "tvalid held until the handshake"),
    5: ("m_axis_tdata or tlast changed while the sink stalled", "a stable payload until the handshake"),
    6: ("m_axis_tlast is on the wrong beat", "TLAST on the last beat of a packet only"),
    7: ("an output beat belongs to no input frame", "one packet for each frame"),
    8: ("the frames that the core ended are not those that came in", "one end for each frame"),
    9: ("error_o rose on well-formed frames", "error_o unchanged"),
    _STOPPED: ("the core stopped the simulation", "no failed assertion"),
    _MEMORY: ("the core broke a rule of AXI4", "bursts that the memory takes"),
    _LOST: ("the core lost its network: the external memory does not answer, or with an error", "a memory that does"),
}


class CoreJob(ctypes.Structure):
    """The `Job` structure of core.cpp."""

    _fields_ = tuple(
        (name, kind)
        for kind, names in (
            (ctypes.c_void_p, "data last user"),
            (ctypes.c_uint64, "beats"),
            (ctypes.c_void_p, "out_data out_last"),
            (ctypes.c_uint64, "capacity frame_beats packet_beats steps engines frames"),
            (ctypes.c_void_p, "first_in last_in out_at sent added traffic"),
            (ctypes.c_uint32, "source_stall sink_stall"),
            (ctypes.c_uint64, "source_seed sink_seed patience max_cycles in_done out_done out_frames out_beat cycles"),
            (ctypes.c_uint64, "idle tail core_frames"),
        )
        for name in names.split()
    )


class CoreModel:
    """A Verilated core, out of power-on reset, without a network.

    `close` frees it; it must not be used after that.

    Args:
        folder: folder that `codesign.sim.build.compile_library` returned.
        seed: seed of everything the core leaves uninitialised.

    Attributes:
        stopped: set by another thread, makes `run` fail soon.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._library = trust.load(folder / LIBRARY, folder.name)
        pointer, u64, u32, integer = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int
        for name, result, arguments in (
            ("core_job_bytes", u64, []),
            ("core_message", ctypes.c_char_p, []),
            ("core_open", pointer, [ctypes.c_char_p, u32]),
            ("core_close", None, [pointer]),
            ("core_reset", integer, [pointer]),
            ("core_skip", None, [pointer, integer]),
            ("core_status", u32, [pointer]),
            ("core_load", integer, [pointer, pointer, u64, u64, pointer]),
            ("core_memory", None, [pointer, pointer]),
            ("core_begin", None, [pointer, pointer]),
            ("core_advance", integer, [pointer, pointer, u64]),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self.stopped = False
        if self._library.core_job_bytes() != ctypes.sizeof(CoreJob):
            raise SimulationError("core.cpp and core_native.py disagree about Job")
        self._handle = self._library.core_open(os.fsencode(folder), seed & 0xFFFFFFFF)
        if not self._handle:
            raise SimulationError(self._library.core_message().decode(), where="delta_core")
        # Frees the model: when called, or when this object is forgotten, or at exit; once.
        self.close = weakref.finalize(self, self._library.core_close, self._handle)

    def reset(self) -> None:
        """Hold ``rst_ni`` low for four cycles: after it there is no network."""
        self._check(self._library.core_reset(self._handle))

    def skip(self, skip: bool) -> None:
        """Set ``skip_i`` from now on."""
        self._library.core_skip(self._handle, int(skip))

    def memory(self, timing: Timing) -> None:
        """Let the external memory answer like this from now on."""
        self._library.core_memory(self._handle, ctypes.byref(timing))

    def load(self, image: NDArray[np.uint32]) -> int:
        """Offer the words of an image; return ``load_error_o``, 0 if the core has the network now.

        Raises:
            SimulationError: the core does not take all of it.
        """
        words, done = np.ascontiguousarray(image, np.uint32), ctypes.c_uint64()
        self._check(self._library.core_load(self._handle, words.ctypes.data, len(words), _PATIENCE, ctypes.byref(done)))
        if done.value != len(words):
            raise SimulationError(
                "the core does not take the image", expected=f"{len(words)} words", received=f"{done.value} taken"
            )
        return self._status() >> 8 & 255

    @property
    def loaded(self) -> bool:
        """Whether the core has a network."""
        return bool(self._status() >> 16 & 1)

    @property
    def error_bits(self) -> int:
        """``error_o``."""
        return self._status() & 255

    def _status(self) -> int:
        return int(self._library.core_status(self._handle))

    def _check(self, code: int) -> None:
        if code != _DONE:
            raise SimulationError(f"{_WRONG[code][0]}: {self._library.core_message().decode()}", where="delta_core")

    def run(self, job: CoreJob) -> None:
        """Run ``job`` to its end.

        Raises:
            SimulationError: the core hung or broke the protocol, or it was `stopped`; names the frame and the beat.
        """
        self._library.core_begin(self._handle, ctypes.byref(job))
        code = _AGAIN
        while code == _AGAIN:
            if self.stopped:
                raise SimulationError("the simulation was stopped", where="delta_core")
            code = self._library.core_advance(self._handle, ctypes.byref(job), _BUDGET)
        if code != _DONE:
            self._fail(code, job)

    def _fail(self, code: int, job: CoreJob) -> NoReturn:
        what, expected = _WRONG[code]
        if code in (_STOPPED, _MEMORY):
            what = f"{what}: {self._library.core_message().decode()}"
        raise SimulationError(
            what,
            where=f"delta_core, cycle {job.cycles}, output frame {job.out_frames} beat {job.out_beat}",
            expected=expected,
            received=f"{job.in_done} of {job.beats} input beats ({job.frame_beats} per frame) taken, "
            f"{job.out_frames} of {job.frames} packets complete, {job.core_frames} frames ended",
            fix="reset(hard=True) before the next run",
        )
