# SPDX-License-Identifier: Apache-2.0
"""What sample frames show about a network: the values of its tensors, the steps that fit them, where state pays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import ConfigError
from codesign.keras_model.kinds import ACTIVATIONS, NO_OPS
from codesign.layers.activation import DeltaActivation
from codesign.layers.clip import call_frames, share_layers
from codesign.layers.probe import Tracer

MAX_FRAMES = 64
"""Most frames whose values are looked at, spread evenly over those given."""

_BATCH = 8
_KEPT = 2**14


def frames_of(clips: ArrayLike, shape: tuple[int, ...], where: str) -> NDArray[np.float32]:
    """Return ``clips``, ``[N, T, *shape]`` or one ``[T, *shape]``, as float32 ``[N, T, *shape]``.

    Raises:
        ConfigError: another shape, no frames, or values that are not finite.
    """
    values = np.asarray(clips, dtype=np.float32)
    values = values[None] if values.ndim == len(shape) + 1 else values
    if values.shape[2:] != shape or not values.size or values.ndim != len(shape) + 2:
        raise ConfigError(
            "clips have a wrong shape",
            where=where,
            expected=f"[N, T, {', '.join(map(str, shape))}], at least one frame",
            received=list(np.shape(clips)),
        )
    if not np.isfinite(values).all():
        raise ConfigError("clips hold values that are not finite", where=where, expected="finite values")
    return values


def spread(count: int, most: int = MAX_FRAMES) -> NDArray[np.int64]:
    """Return the places of at most ``most`` of ``count`` frames, evenly spread."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def sample(model: Any, names: Sequence[str], clips: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Return values that the layers of ``model`` called ``names`` give out on ``clips``, a part of all.

    The smallest and largest value of every batch are among them.
    """
    frames = clips.reshape(-1, *clips.shape[2:])
    frames = frames[spread(len(frames))]
    seen: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    watched = keras.Model(model.inputs[0], {name: model.get_layer(name).output for name in names})
    for batch in np.split(frames, range(_BATCH, len(frames), _BATCH)):
        for name, output in watched.predict_on_batch(batch).items():
            flat = np.asarray(output, np.float64).ravel()
            seen[name] += [flat[:: -(-flat.size // _KEPT)], np.array([flat.min(), flat.max()])]
    return {name: np.concatenate(parts) for name, parts in seen.items()}


def range_exponent(values: ArrayLike) -> int | None:
    """Return the smallest ``e`` with ``|values| <= 2**e``; None if all are 0."""
    largest = float(np.abs(values).max(initial=0.0))
    mantissa, exponent = math.frexp(largest)
    return None if largest == 0 else exponent - int(mantissa == 0.5)


def step_exponent(values: NDArray[Any], bits: int, *, signed: bool, clips: int = 3) -> int | None:
    """Return ``log2`` of the power-of-two step at which codes of ``bits`` bits show ``values`` best; None if all are 0.

    Best is the least squared error, among the step that clips nothing (the largest value may lose one code) and the
    ``clips`` next smaller ones.
    """
    top = range_exponent(values)
    if top is None:
        return None
    levels = bits - int(signed)
    lo, hi = (-(2.0**levels) if signed else 0.0), 2.0**levels - 1

    def error(exponent: int) -> float:
        codes = np.clip(np.rint(np.ldexp(values, -exponent)), lo, hi)
        return float(np.square(np.ldexp(codes, exponent) - values).sum())

    return min((top - levels - fewer for fewer in range(clips + 1)), key=error)


def wasteful(model: Any, clips: NDArray[np.float32]) -> list[str]:
    """Return the `DeltaActivation` layers after which state costs more than it saves on ``clips``.

    Those whose linear layers have at least as many MACs of changed elements as of nonzero ones (the first frame of
    every clip not counted).

    Raises:
        ConfigError: clips of one frame.
    """
    if clips.shape[1] < 2:
        raise ConfigError("clips of one frame show no changes", where="skip='auto'", expected="[N, T >= 2, ...]")
    temporal: Counter[str] = Counter()
    spatial: Counter[str] = Counter()
    watched, fanouts, origins = _linear_inputs(model, clips.shape[1])
    for clip in clips:
        for inputs, fanout, names in zip(watched.predict_on_batch(clip), fanouts, origins, strict=True):
            changed, alive = (
                np.sum(moved, axis=-1) * fanout for moved in (np.diff(inputs, axis=0) != 0, inputs[1:] != 0)
            )
            for name in names:
                temporal[name] += int(changed.sum())
                spatial[name] += int(alive.sum())
    return [name for name in temporal if temporal[name] >= spatial[name]]


def _linear_inputs(model: Any, frames: int) -> tuple[Any, list[NDArray[np.int64]], list[frozenset[str]]]:
    """Return a model of the inputs of the linear layers, MACs of an element by position, and the deltas before each."""
    tracer = Tracer(between=False)
    origins: list[frozenset[str]] = []
    origin: dict[int, frozenset[str]] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        before = frozenset[str]().union(*_origins(origin, args))
        output = call_frames(layer, frames, *args, **kwargs)
        tracer.follow(layer, args, output)
        origins.extend([before] * (len(tracer.probes) - len(origins)))
        origin[id(output)] = frozenset({layer.name}) if isinstance(layer, DeltaActivation) else before
        return output

    clone = share_layers(model, call)
    fanouts = [probe.fanout() for probe in tracer.probes]
    return keras.Model(clone.inputs[0], tracer.tensors), fanouts, origins


def _origins(origin: dict[int, frozenset[str]], args: Any) -> Iterator[frozenset[str]]:
    return (origin.get(id(tensor), frozenset()) for tensor in keras.tree.flatten(args))


def watched(folded: Any) -> list[str]:
    """Return the layers whose values set a step: activations, and what other layers read, as that may be quantised."""
    makers = {id(layer.output): layer.name for layer in folded.layers}
    read = [
        makers[id(tensor)]
        for layer in folded.layers
        if type(layer).__name__ not in (*ACTIVATIONS, *NO_OPS, "InputLayer")
        for tensor in keras.tree.flatten(layer.input)
    ]
    return [*dict.fromkeys([layer.name for layer in folded.layers if type(layer).__name__ in ACTIVATIONS] + read)]
