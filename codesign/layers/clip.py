# SPDX-License-Identifier: Apache-2.0
"""`over_time`: a model of one frame becomes a model of a clip that trains."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import keras
from keras import ops

from codesign.errors import ConfigError
from codesign.layers.activation import DeltaActivation
from codesign.layers.arguments import is_number
from codesign.layers.meter import DeltaMeter
from codesign.layers.probe import Engines, Tracer
from codesign.layers.sparsity_loss import SparsityLoss

Head = Literal["mean", "last"]


@keras.saving.register_keras_serializable(package="codesign")
class FoldTime(keras.layers.Layer):  # type: ignore[misc]
    """Time becomes batch: ``[B, T, ...]`` to ``[B * T, ...]``. `UnfoldTime` undoes it."""

    def call(self, clips: Any) -> Any:
        """Return the frames of all clips, one clip after the other."""
        return ops.reshape(clips, (-1, *ops.shape(clips)[2:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return ``[None, ...]``."""
        return (None, *input_shape[2:])


@keras.saving.register_keras_serializable(package="codesign")
class UnfoldTime(keras.layers.Layer):  # type: ignore[misc]
    """Batch becomes time again: ``[B * T, ...]`` to ``[B, T, ...]``, or over time its mean or last, ``[B, ...]``.

    Args:
        frames: T.
        head: ``'mean'``, ``'last'`` or None.
    """

    def __init__(self, frames: int, head: Head | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.frames = frames
        self.head = head

    def call(self, outputs: Any) -> Any:
        """Return the outputs of each clip."""
        clips = ops.reshape(outputs, (-1, self.frames, *ops.shape(outputs)[1:]))
        if self.head == "mean":
            return ops.mean(clips, axis=1)
        return clips[:, -1] if self.head == "last" else clips

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return ``[None, T, ...]`` or ``[None, ...]``."""
        return (None, *((self.frames,) if self.head is None else ()), *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "frames": self.frames, "head": self.head}


def over_time(
    frame_model: Any,
    frames: int,
    head: Head | None = "mean",
    *,
    sparsity: float | SparsityLoss = 0.0,
    engines: Engines | None = None,
    name: str | None = None,
) -> Any:
    """Return a model of clips ``[B, frames, ...]`` made of the very layers of ``frame_model``.

    Time is folded into the batch, so memoryless layers cost nothing extra; layers with a hold recur over each clip.
    Training the clip model trains ``frame_model``, which is what gets deployed. `fit` and `evaluate` show
    ``density/<layer>`` for each linear layer, ``operation_sparsity``, ``spatial_sparsity`` and, with ``engines``,
    ``cycles_per_frame`` (see `DeltaMeter`).

    Args:
        frame_model: built `keras.Sequential` or functional model with one input and one output.
        frames: frames per clip, at least 2.
        head: what the clip model outputs: the ``'mean'`` over time of the frame outputs (as in the paper), the
            ``'last'`` one, or None for all, ``[B, frames, ...]``.
        sparsity: a `SparsityLoss`, or its factor if it weighs changes by their MACs; 0 adds none.
        engines: what will compute the layers, to count cycles; None: no cycles are counted, unless the loss weighs
            layers by them (then `Engines()`).
        name: name of the new model; default ``<frame model>_over_time``.

    Raises:
        ConfigError: a wrong argument, or a frame model of another kind.
    """
    _check(frames, head, sparsity)
    loss = sparsity if isinstance(sparsity, SparsityLoss) else SparsityLoss(sparsity) if sparsity else None
    if loss and loss.weights == "cycles":
        engines = engines or Engines()
    functional = as_functional(frame_model)
    tracer = Tracer(between=engines is not None)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = call_frames(layer, frames, *args, **kwargs)
        tracer.follow(layer, args, output)
        return output

    clone = share_layers(functional, call)
    output = clone.outputs[0]
    if tracer.probes:
        meter = DeltaMeter(frames, tracer.probes, loss, engines, name="delta_meter")
        output = meter([output, *tracer.tensors])
    per_frame = keras.Model(clone.inputs[0], output, name=frame_model.name)
    clips = keras.Input((frames, *functional.inputs[0].shape[1:]), dtype=functional.inputs[0].dtype, name="clips")
    outputs = UnfoldTime(frames, head, name="unfold_time")(per_frame(FoldTime(name="fold_time")(clips)))
    return keras.Model(clips, outputs, name=name or f"{frame_model.name}_over_time")


def as_functional(frame_model: Any) -> Any:
    """Return a functional model of the same layers.

    Raises:
        ConfigError: not a built Sequential or functional model, several inputs or outputs, or models in the model.
    """
    where = getattr(frame_model, "name", type(frame_model).__name__)
    if not isinstance(frame_model, keras.Model) or not getattr(frame_model, "inputs", None):
        raise ConfigError(
            "not a model of one frame",
            where=where,
            expected="a keras.Sequential that starts with keras.Input, or a functional model",
            received=type(frame_model).__name__,
        )
    if len(frame_model.inputs) != 1 or len(frame_model.outputs) != 1:
        raise ConfigError(
            "a frame model has one input and one output",
            where=where,
            received=f"{len(frame_model.inputs)} inputs, {len(frame_model.outputs)} outputs",
        )
    nested = [layer.name for layer in frame_model.layers if isinstance(layer, keras.Model)]
    if nested:
        raise ConfigError(
            "models inside a frame model are not supported",
            where=where,
            expected="layers only",
            received=", ".join(nested),
            fix="build one functional model: go on from inner.output instead of calling inner, "
            "keras.Model(inner.input, head(inner.output))",
        )
    return keras.Model(frame_model.inputs[0], frame_model.outputs[0], name=frame_model.name)


def share_layers(functional: Any, call: Callable[..., Any], **kwargs: Any) -> Any:
    """Return the model again, on the same layers, each called through ``call(layer, *args, **kwargs)``."""
    kwargs.setdefault("clone_function", lambda layer: layer)
    return keras.models.clone_model(functional, call_function=call, **kwargs)


def call_frames(layer: Any, frames: int, *args: Any, **kwargs: Any) -> Any:
    """Call ``layer``; a `DeltaActivation` gets ``frames``, the samples per clip."""
    return layer(*args, **{**kwargs, "frames": frames} if isinstance(layer, DeltaActivation) else kwargs)


def _check(frames: int, head: str | None, sparsity: float | SparsityLoss) -> None:
    if not isinstance(frames, int) or isinstance(frames, bool) or frames < 2:
        raise ConfigError("frames is out of range", where="over_time", expected="at least 2", received=repr(frames))
    if head not in ("mean", "last", None):
        raise ConfigError("unknown head", where="over_time", expected="'mean', 'last' or None", received=repr(head))
    if not isinstance(sparsity, SparsityLoss) and not (is_number(sparsity) and 0.0 <= sparsity < math.inf):
        raise ConfigError(
            "sparsity is neither a factor nor a loss",
            where="over_time",
            expected="0 or more, or a SparsityLoss",
            received=repr(sparsity),
        )
