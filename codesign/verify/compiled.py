# SPDX-License-Identifier: Apache-2.0
"""What was measured on the Verilog that an HLS compiler made of a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.fixed import IntArray
from codesign.stored import integers, load_arrays, loaded

FILE = "compiled.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A compiled core on the clips.

    Attributes:
        cycles: cycles from one output TLAST to the next, ``[N, T]``, first frames still in.
        compiler: name and version of the compiler.
        clock_mhz: clock that it scheduled for.
    """

    cycles: IntArray
    compiler: str
    clock_mhz: float


def save_compiled(found: Compiled, folder: Path) -> None:
    """Write ``compiled.npz``."""
    np.savez_compressed(
        folder / FILE,
        cycles=found.cycles,
        compiler=np.array(found.compiler),
        clock_mhz=np.array(found.clock_mhz),
    )


def load_compiled(folder: Path) -> Compiled | None:
    """Return what `save_compiled` wrote; None if the stage was skipped.

    Raises:
        StageError: the file is damaged, or holds something else.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    data = load_arrays(path)
    return loaded(
        path,
        lambda: Compiled(
            cycles=integers(data, "cycles", 2), compiler=str(data["compiler"]), clock_mhz=float(data["clock_mhz"])
        ),
    )
