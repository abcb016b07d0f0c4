# SPDX-License-Identifier: Apache-2.0
"""The input check of ``predict``: every frame is codes of the input format, or values exactly on its lattice."""

from __future__ import annotations

from typing import Any

from codesign.errors import FrameError, LatticeError
from codesign.fixed import IntArray
from codesign.golden import as_array, check_frames
from codesign.graph.ir import Graph


def frame_codes(graph: Graph, x: Any) -> IntArray:
    """Return frames ``x`` as int64 codes ``[T, size]``.

    Args:
        graph: gives the shape and format of a frame.
        x: consecutive frames, ``[T, *shape]`` or ``[T, size]``. Integers are codes; floats are values, which must be
            multiples of the input's step and inside its range.

    Raises:
        FrameError: another shape or dtype, a value off the lattice or out of range.
    """
    source = graph.source
    frames = as_array(x, f"predict(), input {source.name}")
    if frames.dtype.kind == "f":
        try:
            frames = source.fmt.to_codes(frames)
        except LatticeError as error:
            raise FrameError(
                str(error),
                where=f"predict(), input {source.name}",
                fix=f"round to multiples of 2**{-source.fmt.frac} and clip, give integer codes, or set "
                f"config['LayerName'][{source.name!r}]['Precision'] to the format your frames have",
            ) from None
    elif frames.dtype.kind not in "iu":
        raise FrameError(
            "not numbers",
            where=f"predict(), input {source.name}",
            expected="float values or integer codes",
            received=frames.dtype,
            fix="convert with numpy.asarray(x, dtype=numpy.float32)",
        )
    return check_frames(graph, frames)
