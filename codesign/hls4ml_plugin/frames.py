# SPDX-License-Identifier: Apache-2.0
"""The input check of ``predict``: a frame is values exactly on the input's lattice, or codes of a format set for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import FrameError, LatticeError
from codesign.fixed import IntArray
from codesign.graph.golden import as_array, check_frames
from codesign.graph.ir import Graph, Source


def frame_codes(graph: Graph, x: Any) -> IntArray:
    """Return frames ``x`` as int64 codes ``[T, size]``.

    Args:
        graph: network that gives the shape and format of a frame.
        x: consecutive frames, ``[T, *shape]`` or ``[T, size]``. Floats are values, which must be multiples of the
            input's step and inside its range. Integers are codes if the input layer was given a Precision, and
            otherwise values like floats.

    Raises:
        FrameError: another shape or dtype, a value off the lattice or out of range.
    """
    source = graph.source
    frames = _numbers(source, x)
    if frames.dtype.kind == "f" or not source.explicit:
        frames = _codes_of_values(source, frames)
    return check_frames(graph, frames)


def _numbers(source: Source, x: Any) -> NDArray[Any]:
    """Return ``x`` as an array of integers or of float64, each as it was given."""
    frames = as_array(x, f"predict(), input {source.name}")
    if frames.dtype.kind not in "fiu" or frames.dtype.itemsize > 8 or np.ma.is_masked(x):
        fixes = {
            "b": "convert with x.astype(numpy.uint8) if 0 and 1 are meant",
            "f": "convert with numpy.asarray(x, dtype=numpy.float64)",
            "O": "give one array of numbers, such as numpy.stack(frames)",
        }
        raise FrameError(
            "masked elements have no value" if np.ma.is_masked(x) else "not numbers of at most 64 bits",
            where=f"predict(), input {source.name}",
            expected="float values or integers",
            received=frames.dtype,
            fix=fixes.get(frames.dtype.kind, "convert with numpy.asarray(x, dtype=numpy.float32)"),
        )
    return frames


def _codes_of_values(source: Source, frames: NDArray[Any]) -> IntArray:
    where, step = f"predict(), input {source.name}", source.fmt.scale
    precision = f"config['LayerName'][{source.name!r}]['Precision']"
    if frames.dtype.kind == "f" and not np.isfinite(frames).all():
        raise FrameError(
            "NaN and infinity are off the lattice, and outside of every format",
            where=where,
            expected=f"multiples of {step}",
            received=f"{int((~np.isfinite(frames)).sum())} of {frames.size} are NaN or infinite",
            fix="replace them before predict()",
        )
    fix = f"round to multiples of {step} and clip, or set {precision} to the format your frames have"
    if source.explicit:
        fix += ", or give integer codes"
    if frames.dtype.kind in "iu":
        lo, hi = source.fmt.lo * step, source.fmt.hi * step
        fix = (
            f"set {precision} to 'ap_uint<8>' if pixels 0..255 are the values that the model was trained on, or to "
            f"'ap_ufixed<8,0>' if it was trained on pixels / 256; in a format that you set, integers are codes"
        )
        ends = (int(frames.min()), int(frames.max())) if frames.size else (0, 0)
        if not lo <= ends[0] <= ends[1] <= hi:  # reported before they become floats, which hold 53 bits
            raise FrameError(
                "integers are values here, as the input has the default format, and these are outside of it",
                where=where,
                expected=f"{lo} to {hi} ({source.fmt})",
                received=f"{frames.dtype}, {ends[0]} to {ends[1]}",
                fix=fix,
            )
    try:
        return source.fmt.to_codes(frames)
    except LatticeError as error:
        raise FrameError(str(error), where=where, fix=fix) from None
