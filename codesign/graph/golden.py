# SPDX-License-Identifier: Apache-2.0
"""The golden model: the network's integer semantics in NumPy, in both forms.

``form='dense'`` computes each frame from all its codes (``a = W r + b``); ``form='delta'`` computes it from what
changed (``a += W d``). They are equal on every element of every frame; hardware and csim are compared with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from codesign.errors import FrameError
from codesign.fixed import IntArray
from codesign.graph.ir import Conv, Delta, Dense, Engine, Graph, Join, Linear, Pool, Source, Upsample

Form = Literal["dense", "delta"]

WINDOW_ELEMENTS = 1 << 20
"""Elements of the windows of a convolution that are laid out as one matrix at a time: what fits a cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the network did on consecutive frames.

    Attributes:
        outputs: codes of the last node, ``[T, *shape]``.
        codes: what each `Delta` last sent after each frame (``r_t``), ``[T, size]``.
        deltas: ``d_t`` of each `Delta`, ``[T, size]``; the first frame after a reset is ``r_0 - 0``.
        accumulators: what each engine makes of the codes (``a_t`` of a linear layer), ``[T, size]``.
    """

    outputs: IntArray
    codes: dict[str, IntArray]
    deltas: dict[str, IntArray]
    accumulators: dict[str, IntArray]


def as_array(frames: object, where: str) -> np.ndarray:
    """Return ``frames`` as an array of whatever dtype.

    Raises:
        FrameError: they are not an array, such as lists of different lengths.
    """
    try:
        return np.asarray(frames)
    except (ValueError, TypeError, OverflowError) as error:
        fix = "give one array, such as numpy.stack(frames)"
        raise FrameError(
            "not an array", where=where, expected="numbers of one shape", received=error, fix=fix
        ) from None


def check_frames(graph: Graph, frames: np.ndarray) -> IntArray:
    """Return ``frames`` as int64 codes ``[T, size]``.

    Raises:
        FrameError: not integers, not ``[T, *shape]`` (or ``[T, size]``), or codes outside the input format.
    """
    source = graph.source
    frames = as_array(frames, source.name)
    if frames.dtype.kind not in "iu":
        raise FrameError(
            "frames must hold integer codes",
            where=source.name,
            expected="an integer dtype",
            received=frames.dtype,
            fix=f"multiply values by 2**{source.fmt.frac} and round",
        )
    if frames.ndim < 2 or frames.shape[1:] not in (source.shape, (source.size,)):
        raise FrameError(
            "wrong frame shape",
            where=source.name,
            expected=f"[T, {', '.join(map(str, source.shape))}]",
            received=list(frames.shape),
            fix="give consecutive frames with the time first; a single frame is x[None]",
        )
    if frames.size and (int(frames.min()) < source.fmt.lo or int(frames.max()) > source.fmt.hi):
        raise FrameError(
            "codes are outside the input format",
            where=source.name,
            expected=f"{source.fmt.lo} to {source.fmt.hi} ({source.fmt})",
            received=f"{frames.min()} to {frames.max()}",
            fix="clip the codes, or give the input a wider format",
        )
    return frames.reshape(len(frames), source.size).astype(np.int64)


def activate(node: Delta, z: IntArray) -> IntArray:
    """Return ``f(z)`` on the widened z-lattice, same shape."""
    wide = z << node.widen
    return np.maximum(wide, 0) if node.activation == "relu" else wide


def quantize(node: Delta, f: IntArray) -> IntArray:
    """Return ``q(z)`` for activated ``f = f(z)``, ``[..., size]``: round half to even, step, clip."""
    k = node.steps()
    shift = node.shift + k
    floor = f >> shift
    rest = f - (floor << shift)
    half = (np.int64(1) << shift) >> 1
    up = (rest > half) | ((rest == half) & (half > 0) & ((floor & 1) == 1))
    result: IntArray = np.clip((floor + up) << k, node.lo, node.hi)
    return result


def send(node: Delta, z: IntArray, reference: IntArray) -> IntArray:
    """Return what ``node`` last sent after each of consecutive frames ``z``, ``[T, size]``, after ``reference``."""
    f = activate(node, z)
    q = quantize(node, f)
    threshold = node.thresholds()
    if threshold is None:
        return q
    sent = np.empty_like(q)
    for t in range(len(q)):
        moved = np.abs(f[t] - (reference << node.shift)) >= threshold
        reference = sent[t] = np.where(moved, q[t], reference)
    return sent


class Golden:
    """A stream through the golden model. State persists between `run` calls; `reset` starts a new stream."""

    def __init__(self, graph: Graph, form: Form = "dense") -> None:
        self.graph = graph
        self.form = form
        self.reset()

    def reset(self) -> None:
        """Start a new stream: every reference is 0, every accumulator its bias."""
        self._reference = {node.name: np.zeros(node.size, np.int64) for node in self.graph.deltas}
        self._accumulator = {node.name: np.resize(node.bias, node.size) for node in self.graph.linears}

    def run(self, frames: np.ndarray) -> Trace:
        """Push consecutive frames of codes, ``[T, *shape]``, and return everything that happened.

        Raises:
            FrameError: see `check_frames`.
        """
        values: dict[str, IntArray] = {}
        codes: dict[str, IntArray] = {}
        deltas: dict[str, IntArray] = {}
        accumulators: dict[str, IntArray] = {}
        for node in self.graph.nodes:
            if isinstance(node, Source):
                values[node.name] = check_frames(self.graph, frames)
            elif isinstance(node, Delta):
                before = self._reference[node.name]
                sent = self._send(node, values[node.input])
                values[node.name] = codes[node.name] = sent
                deltas[node.name] = np.diff(sent, axis=0, prepend=before[None])
                self._reference[node.name] = sent[-1] if len(sent) else before
            elif isinstance(node, Dense | Conv) and self.form == "delta":
                values[node.name] = accumulators[node.name] = self._accumulate(node, deltas[node.input])
            else:
                codes_in = [codes[name] for name in node.inputs]
                values[node.name] = accumulators[node.name] = compute(node, codes_in)
        output = self.graph.output
        outputs = values[output.name].reshape(-1, *output.shape)
        return Trace(outputs=outputs, codes=codes, deltas=deltas, accumulators=accumulators)

    def _send(self, node: Delta, z: IntArray) -> IntArray:
        return send(node, z, self._reference[node.name])

    def _accumulate(self, node: Linear, d: IntArray) -> IntArray:
        total = np.empty((len(d), node.size), np.int64)
        accumulator = self._accumulator[node.name]
        for t, frame in enumerate(d):
            accumulator = total[t] = accumulator + scatter(node, frame)
        self._accumulator[node.name] = accumulator
        return total


def compute(node: Engine, codes: list[IntArray]) -> IntArray:
    """Return what an engine makes of whole frames of codes, one ``[T, n_in]`` per input -> ``[T, size]``."""
    if isinstance(node, Dense | Conv):
        return products(node, codes[0]) + np.resize(node.bias, node.size)
    frames = [
        array.reshape(len(array), node.y.size, node.x.size, node.channels_in(at)) for at, array in enumerate(codes)
    ]
    if isinstance(node, Pool):
        result = pooled(node, frames[0])
    elif isinstance(node, Upsample):
        result = frames[0].repeat(node.y.factor, axis=1).repeat(node.x.factor, axis=2)
    else:
        result = joined(node, frames)
    return result.reshape(len(result), node.size)


def windows(node: Conv | Pool, frames: np.ndarray) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Yield each element of the kernel and what every output sees at it, ``[T, H, W, C]`` -> ``[T, *shape[:2], C]``."""
    y, x, padded = node.y, node.x, _padded(node, frames)
    for tap_y, tap_x in np.ndindex(y.kernel, x.kernel):
        rows = slice(tap_y, tap_y + y.stride * (y.outputs - 1) + 1, y.stride)
        columns = slice(tap_x, tap_x + x.stride * (x.outputs - 1) + 1, x.stride)
        yield (tap_y, tap_x), padded[:, rows, columns]


def _padded(node: Conv | Pool, frames: np.ndarray) -> np.ndarray:
    zeros = ((0, 0), (node.y.before, node.y.after), (node.x.before, node.x.after), (0, 0))
    return np.pad(frames, zeros) if any(map(any, zeros)) else frames


def pooled(node: Pool, frames: IntArray) -> IntArray:
    """Return the maximum or the sum of every window, ``[T, H, W, C]`` -> ``[T, *shape]``; padded places hold 0."""
    elements = [seen for _, seen in windows(node, frames)]
    result: IntArray = np.max(elements, axis=0) if node.kind == "max" else np.sum(elements, axis=0)
    return result


def joined(node: Join, frames: list[IntArray]) -> IntArray:
    """Return the sum or the concatenation of frames ``[T, H, W, C]`` -> ``[T, *shape]``."""
    shifted = [array << shift for array, shift in zip(frames, node.shifts, strict=True)]
    result: IntArray = np.sum(shifted, axis=0) if node.kind == "add" else np.concatenate(shifted, axis=-1)
    return result


def products(node: Linear, r: IntArray) -> IntArray:
    """Return ``W r`` for frames of codes, ``[T, n_in]`` -> ``[T, size]``.

    Integers below 2**53 multiply and add exactly in float64, and BLAS is much faster on it.
    """
    codes, weight = r.astype(np.float64), node.weight.astype(np.float64)
    if isinstance(node, Dense):
        return (codes @ weight).astype(np.int64)
    frames = codes.reshape(len(r), node.y.size, node.x.size, node.channels_in())
    total = np.zeros((len(r), *node.shape))
    if node.depthwise:
        for tap, seen in windows(node, frames):
            total += seen * weight[tap][:, 0]
        return total.reshape(len(r), node.size).astype(np.int64)
    matrix = weight.reshape(-1, node.channels_out)
    some = max(1, WINDOW_ELEMENTS // (total[0, ..., 0].size * len(matrix)))
    for at in range(0, len(r), some):
        padded = _padded(node, frames[at : at + some])
        seen = sliding_window_view(padded, (node.y.kernel, node.x.kernel), axis=(1, 2))
        windowed = seen[:, :: node.y.stride, :: node.x.stride].transpose(0, 1, 2, 4, 5, 3)
        total[at : at + some] = (windowed.reshape(-1, len(matrix)) @ matrix).reshape(-1, *node.shape)
    return total.reshape(len(r), node.size).astype(np.int64)


def scatter(node: Linear, d: IntArray) -> IntArray:
    """Return ``W d`` of one frame from its events alone, ``[n_in]`` -> ``[size]``: what the engines do."""
    changed = np.flatnonzero(d)
    if isinstance(node, Dense):
        result: IntArray = d[changed] @ node.weight[changed]
        return result
    total = np.zeros(node.shape, np.int64)
    for element in changed:
        position, channel = divmod(int(element), node.channels_in())
        iy, ix = divmod(position, node.x.size)
        for oy in range(node.y.first(iy), node.y.last(iy) + 1):
            for ox in range(node.x.first(ix), node.x.last(ix) + 1):
                tap = node.weight[iy + node.y.before - oy * node.y.stride, ix + node.x.before - ox * node.x.stride]
                target = total[oy, ox, channel : channel + 1] if node.depthwise else total[oy, ox]
                target += d[element] * tap[channel]
    return total.ravel()
