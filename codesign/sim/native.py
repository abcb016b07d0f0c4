# SPDX-License-Identifier: Apache-2.0
"""ctypes mirror of ``harness.cpp``: one `Model` is one Verilated top in this process."""

from __future__ import annotations

import ctypes
import os
import weakref
from pathlib import Path
from typing import NoReturn

from codesign import trust
from codesign.errors import SimulationError
from codesign.rtl import TopSpec
from codesign.sim.build import LIBRARY

# Cycles per C call: Ctrl-C and `Model.stopped` are seen between calls.
_BUDGET = 100_000
_DONE, _AGAIN = 0, 1
_WRONG = {
    2: ("the design hangs", "an accepted beat or an engine event"),
    3: ("the run took too many cycles", "fewer cycles than max_cycles"),
    4: ("m_axis_tvalid fell before tready took the beat", "tvalid held until the handshake"),
    5: ("m_axis_tdata or tlast changed while the sink stalled", "a stable payload until the handshake"),
    6: ("m_axis_tlast is on the wrong beat", "TLAST on the last beat of a packet only"),
    7: ("an output beat belongs to no input frame", "one packet for each frame"),
    8: ("an engine's frame_done pulses do not match the frames", "one pulse for each frame and engine"),
    9: ("error_o rose on well-formed frames", "error_o unchanged"),
    10: ("the design stopped the simulation", "no failed assertion"),
}


def job_type(engines: int) -> type[ctypes.Structure]:
    """Return the `Job` structure of harness.cpp for a top with so many engines."""
    pointer, u64, u32 = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32
    groups: tuple[tuple[object, str], ...] = (
        (pointer, "data last user"),
        (u64, "beats"),
        (pointer, "out_data out_last"),
        (u64, "capacity frames"),
        (pointer, "first_in last_in out_at work"),
        (u32, "source_stall sink_stall"),
        (u64, "source_seed sink_seed patience max_cycles in_done out_done out_frames out_beat cycles idle tail"),
        (u64 * engines, "engine_frames"),
    )
    fields = [(name, kind) for kind, names in groups for name in names.split()]
    return type("Job", (ctypes.Structure,), {"_fields_": fields})


class Model:
    """A Verilated top, out of power-on reset.

    `close` frees it; it must not be used after that.

    Args:
        folder: folder that `codesign.sim.build.build` returned.
        spec: ports and widths of the top.
        seed: seed of everything the design leaves uninitialised.

    Attributes:
        stopped: set by another thread, makes `run` fail soon.
    """

    def __init__(self, folder: Path, spec: TopSpec, seed: int) -> None:
        self._spec = spec
        self._library = trust.load(folder / LIBRARY, folder.name)
        for name, result, arguments in (
            ("sim_job_bytes", ctypes.c_uint64, []),
            ("sim_message", ctypes.c_char_p, []),
            ("sim_open", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_uint32]),
            ("sim_close", None, [ctypes.c_void_p]),
            ("sim_reset", ctypes.c_int, [ctypes.c_void_p]),
            ("sim_thresholds", None, [ctypes.c_void_p, ctypes.c_char_p]),
            ("sim_skip", None, [ctypes.c_void_p, ctypes.c_int]),
            ("sim_error_bits", ctypes.c_int, [ctypes.c_void_p]),
            ("sim_begin", None, [ctypes.c_void_p, ctypes.c_void_p]),
            ("sim_statistic", ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint8, ctypes.c_void_p]),
            ("sim_advance", ctypes.c_int, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64]),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self.stopped = False
        self.job = job_type(len(spec.engines))
        if self._library.sim_job_bytes() != ctypes.sizeof(self.job):
            raise SimulationError("harness.cpp and native.py disagree about Job", where=spec.module)
        self._handle = self._library.sim_open(os.fsencode(folder), seed & 0xFFFFFFFF)
        if not self._handle:
            raise SimulationError(self._library.sim_message().decode(), where=spec.module)
        # Frees the model: when called, or when this object is forgotten, or at exit; once.
        self.close = weakref.finalize(self, self._library.sim_close, self._handle)

    def reset(self) -> None:
        """Hold ``rst_ni`` low for four cycles."""
        self._check(self._library.sim_reset(self._handle))

    def drive_thresholds(self, word: int) -> None:
        """Set ``threshold_i``, if there is one, from now on."""
        size = -(-self._spec.threshold_bits // 8)
        self._library.sim_thresholds(self._handle, word.to_bytes(size, "little"))

    def drive_skip(self, skip: bool) -> None:
        """Set ``skip_i`` from now on."""
        self._library.sim_skip(self._handle, int(skip))

    @property
    def error_bits(self) -> int:
        """``error_o``."""
        return int(self._library.sim_error_bits(self._handle))

    def statistic(self, address: int) -> int:
        """Return the 32-bit counter at ``address``; takes a few idle cycles."""
        value = ctypes.c_uint32()
        self._check(self._library.sim_statistic(self._handle, address, ctypes.byref(value)))
        return value.value

    def _check(self, code: int) -> None:
        if code != _DONE:
            raise SimulationError(f"{_WRONG[code][0]}: {self._library.sim_message().decode()}", where=self._spec.module)

    def run(self, job: ctypes.Structure) -> None:
        """Run ``job`` to its end.

        Raises:
            SimulationError: the design hung or broke the protocol, or it was `stopped`; names the frame and the beat.
        """
        self._library.sim_begin(self._handle, ctypes.byref(job))
        code = _AGAIN
        while code == _AGAIN:
            if self.stopped:
                raise SimulationError("the simulation was stopped", where=self._spec.module)
            code = self._library.sim_advance(self._handle, ctypes.byref(job), _BUDGET)
        if code != _DONE:
            self._fail(code, job)

    def _fail(self, code: int, job: ctypes.Structure) -> NoReturn:
        what, expected = _WRONG[code]
        if code == 10:
            what = f"{what}: {self._library.sim_message().decode()}"
        done = dict(zip(self._spec.engines, job.engine_frames, strict=True))
        raise SimulationError(
            what,
            where=f"{self._spec.module}, cycle {job.cycles}, output frame {job.out_frames} beat {job.out_beat}",
            expected=expected,
            received=f"{job.in_done} of {job.beats} input beats ({self._spec.beats} per frame) taken, "
            f"{job.out_frames} of {job.frames} packets complete, frames done by engine: {done}",
            fix="reset(hard=True) before the next run",
        )
