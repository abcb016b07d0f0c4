# SPDX-License-Identifier: Apache-2.0
"""`stream`: run a frame model over a stream exactly, in float64."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import FrameError
from codesign.fixed import IntArray
from codesign.layers.activation import DeltaActivation
from codesign.layers.clip import as_functional, call_frames, share_layers
from codesign.layers.linear import frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRun:
    """What a frame model did on consecutive frames.

    Attributes:
        outputs: values, ``[T, ...]``.
        codes: what each `DeltaActivation` last sent after each frame (``r_t``), ``[T, ...]``.
    """

    outputs: NDArray[np.float64]
    codes: dict[str, IntArray]


Run: TypeAlias = Callable[[NDArray[np.float64]], StreamRun]

_Part: TypeAlias = tuple[type[Any], dict[str, Any], list[Any]]

ROUND = 64
"""Streams are run as ones of a power of two of frames, or of multiples of this."""
KEPT = 4
"""Most copies that `stream` keeps for each model, one for each state of its weights and length."""
_copies: WeakKeyDictionary[Any, dict[tuple[int, str], Run]] = WeakKeyDictionary()


def stream(frame_model: Any, frames: ArrayLike) -> StreamRun:
    """Run a new stream, ``frames`` of values ``[T, ...]``, through a copy of ``frame_model`` in float64.

    The copy is built and traced once and kept with ``frame_model``, as long as its layers and weights stay as they are.

    Exactness: equal to the golden model while every accumulator fits 53 bits and the quantised weights are on
    their lattice.

    Raises:
        FrameError: ``frames`` is not ``[T, *input shape]`` with T >= 1.
        ConfigError: ``frame_model`` is not a frame model.
        LatticeError: an output of a `DeltaActivation` is not on its lattice (a fault of the layer, never silent).
    """
    functional = as_functional(frame_model)
    values = np.asarray(frames, dtype=np.float64)
    shape = tuple(functional.inputs[0].shape[1:])
    if values.ndim != len(shape) + 1 or not len(values) or values.shape[1:] != shape:
        raise FrameError(
            "wrong frame shape",
            where=frame_model.name,
            expected=f"[T, {', '.join(map(str, shape))}], T >= 1",
            received=list(values.shape),
        )
    return _kept(frame_model, len(values))(values)


def _kept(frame_model: Any, frames: int) -> Run:
    """Return `streaming` of the model as it is now, from an earlier call if there was one.

    Copies are of few lengths: what a frame gives depends on none after it, so a stream may be continued at will.
    """
    length = 1 << (frames - 1).bit_length() if frames < ROUND else -(-frames // ROUND) * ROUND
    parts = _parts(as_functional(frame_model))
    kept, key = _copies.setdefault(frame_model, {}), (length, _digest(parts))
    if key not in kept:
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[key] = streaming(frame_model, length)
    run = kept[key]

    def cut(values: NDArray[np.float64]) -> StreamRun:
        whole = run(np.concatenate([values, np.repeat(values[-1:], length - frames, axis=0)]))
        codes = {name: array[:frames] for name, array in whole.codes.items()}
        return StreamRun(outputs=whole.outputs[:frames], codes=codes)

    return cut


def _digest(parts: Mapping[str, _Part]) -> str:
    """Return a hash of all that decides what a model of these layers computes."""
    state = hashlib.sha256(keras.config.floatx().encode())
    for kind, config, weights in parts.values():
        state.update(f"{kind} {keras.saving.serialize_keras_object(config)}".encode())
        for weight in weights:
            state.update(np.ascontiguousarray(weight).tobytes())
    return state.hexdigest()


def streaming(frame_model: Any, frames: int) -> Run:
    """Return a function that does what `stream` does with ``frames`` frames, and does not check them; for several
    streams, as the copy is built and traced once.
    """
    sent: dict[str, Any] = {}
    deltas: dict[str, DeltaActivation] = {}

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = call_frames(layer, frames, *args, **kwargs)
        if isinstance(layer, DeltaActivation):
            sent[layer.name], deltas[layer.name] = output, layer
        return output

    with float64():
        clone = share_layers(in_float64(as_functional(frame_model)), call)
        model = keras.Model(clone.inputs[0], {"outputs": clone.outputs[0], "codes": sent})

    def run(values: NDArray[np.float64]) -> StreamRun:
        with float64():
            result = model.predict_on_batch(values)  # as a compiled graph: recurring over T frames eagerly is slow
        codes = {name: deltas[name].to_codes(array) for name, array in result["codes"].items()}
        return StreamRun(outputs=result["outputs"], codes=codes)

    return run


def in_float64(frame_model: Any) -> Any:
    """Return a copy of ``frame_model``, weights included, that computes in float64; use it inside `float64`.

    Quantised weights are those that ``frame_model`` computes with, quantised in float32.
    """
    functional = as_functional(frame_model)
    inputs = keras.Input(functional.inputs[0].shape[1:], dtype="float64")

    parts = _parts(functional)

    def copy(layer: Any) -> Any:
        kind, config, _ = parts[layer.name]
        return kind.from_config({**config, "dtype": "float64"})

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs)

    with float64():
        clone = share_layers(functional, call, clone_function=copy, input_tensors=inputs)
    for name, (_, _, weights) in parts.items():
        if weights:
            clone.get_layer(name).set_weights(weights)
    return clone


def _parts(functional: Any) -> dict[str, _Part]:
    """Return what each layer computes with, by name; see `codesign.layers.linear.frozen`."""
    parts = {}
    for layer in functional.layers:
        with _float_type("float64" if layer.dtype == "float64" else "float32"):
            parts[layer.name] = frozen(layer)
    return parts


def float64() -> AbstractContextManager[None]:
    """Make float64 the default float type (QKeras quantisers compute in it), then put it back."""
    return _float_type("float64")


def copy_in_float64(layer: Any, inputs: Any) -> Any:
    """Return a copy of ``layer`` that computes in float64 with the weights that it has, built for ``inputs``."""
    with _float_type("float64" if layer.dtype == "float64" else "float32"):
        kind, config, weights = frozen(layer)
    copy = kind.from_config({**config, "dtype": "float64"})
    if weights:
        copy(inputs)  # builds it
        copy.set_weights(weights)
    return copy


@contextmanager
def _float_type(name: str) -> Iterator[None]:
    before = keras.config.floatx()
    keras.config.set_floatx(name)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
