# SPDX-License-Identifier: Apache-2.0
"""Which Keras layers become hardware exactly, and what to use in place of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from codesign.errors import UnsupportedLayerError
from codesign.keras_model.calls import Call, Calls
from codesign.keras_model.instead import ACTIVATING, INSTEAD, ONE
from codesign.keras_model.rescaling import inexact

NO_OPS = (
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"),
    *("GaussianNoise", "ActivityRegularization", "Identity"),
    *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear", "RandomContrast"),
    *("RandomBrightness", "RandomHue", "RandomSaturation", "RandomErasing", "RandomPerspective"),
)
"""Classes of layers that do nothing in inference."""

FOLDED = {
    "QDenseBatchnorm": "QDense",
    "QConv2DBatchnorm": "QConv2D",
    "QDepthwiseConv2DBatchnorm": "QDepthwiseConv2D",
}
"""Layers of QKeras that fold a BatchNormalization and quantise what that gives, and what they are once trained."""

LINEAR = (
    *("Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv2D"),
    *("QDense", "QConv1D", "QConv2D", "QDepthwiseConv2D", "QSeparableConv2D"),
    *FOLDED,
)
"""Classes of layers that multiply and accumulate."""

ACTIVATIONS = ("Activation", "ReLU", "Softmax", "QActivation", "DeltaActivation")
"""Classes of layers that activate."""

MOVES = (
    *("Flatten", "Reshape", "Permute", "ZeroPadding1D", "ZeroPadding2D", "UpSampling1D", "UpSampling2D"),
    *("Concatenate", "MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
)
"""Classes of layers that give out values they were given."""

SUMS = (
    *("Add", "AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *("SumPooling1D", "SumPooling2D"),
)
"""Classes of layers that add up, without weights."""

READABLE = (*LINEAR, *ACTIVATIONS, *MOVES, *SUMS, *NO_OPS, "InputLayer", "BatchNormalization", "Rescaling")

SUPPORTED = (
    "Dense, Conv1D, Conv2D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv2D and their QKeras forms, ZeroPadding, "
    "BatchNormalization directly after one of these, MaxPooling, AveragePooling, GlobalMaxPooling, "
    "GlobalAveragePooling, UpSampling, Add, Concatenate, DeltaActivation, QActivation of quantized_relu or "
    "quantized_bits, relu, relu6, Flatten, Reshape, Rescaling by a power of two, models of these, softmax, sigmoid "
    "or tanh at the end"
)

ENDINGS = ("softmax", "sigmoid", "tanh")
"""Activation functions that are left to the host where they end a model; the largest output, and the sign, stay."""

FUNCTIONS = ("linear", "relu", "relu6", *ENDINGS)
"""Activation functions that become hardware, or may end a model."""

After = Literal["nothing", "folding", "training"]
"""What a model goes through before it is hardware: `codesign.layers.fold` makes a depthwise convolution of one channel
an ordinary one; what is only trained as delta layers may have any arguments of `ONE`."""

QUANTIZERS = ("quantized_relu", "quantized_bits")
"""QKeras quantizers whose codes hardware computes."""

MAX_NAMED = 8
"""With more layers than these an error counts them by kind and names them once."""

_HOMES = ("keras", "qkeras", "codesign")
"""Packages whose classes are known by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why one layer does not become hardware.

    Attributes:
        where: name of the layer.
        received: what it is.
        fix: what to do.
        what: what is wrong with it.
    """

    where: str
    received: str
    fix: str
    what: str = "hls4ml cannot read this layer"


def check_kinds(calls: Calls, but: Sequence[str] = (), *, after: After = "nothing") -> None:
    """Check that every layer is of a kind that becomes hardware.

    Args:
        calls: of a model.
        but: classes of layers that are not looked at.
        after: what the model goes through before it is hardware, see `After`.

    Raises:
        UnsupportedLayerError: some are not; names all of them, and what to use.
    """
    last = _last(calls)
    found = [problem_of(call, last=call is last, after=after) for call in calls.calls if call.kind not in but]
    problems = [problem for problem in found if problem is not None]
    if not problems:
        return
    first = problems[0]
    if len(problems) == 1:
        raise UnsupportedLayerError(first.what, where=first.where, received=first.received, fix=first.fix)
    fixes: dict[str, list[str]] = {}
    for problem in problems:
        fixes.setdefault(problem.fix, []).append(problem.where)
    received = ", ".join(f"{problem.where} ({problem.received})" for problem in problems)
    if len(problems) > MAX_NAMED:  # the next step names all of them, too
        kinds = Counter(problem.received for problem in problems)
        received = ", ".join(f"{count} times {kind}" for kind, count in kinds.most_common())
    raise UnsupportedLayerError(
        f"{len(problems)} layers of the model do not become hardware",
        where=calls.name,
        expected=SUPPORTED,
        received=received,
        fix="; ".join(f"{', '.join(names)}: {fix}" for fix, names in fixes.items()),
    )


def problem_of(call: Call, *, last: bool = True, after: After = "nothing") -> Problem | None:
    """Return why ``call`` does not become hardware; None if it does, as far as its kind shows.

    last: nothing that computes comes after it. after: see `check_kinds`.
    """
    import keras

    layer, kind = call.layer, call.kind
    foreign = _foreign(layer)
    if foreign is not None:
        return Problem(where=call.name, received=kind, fix=foreign)
    if kind not in READABLE or not isinstance(layer, keras.Layer):
        return _unreadable(call)
    return _numbers(call) or _convolution(call, after) or _arguments(call) or _activation(call, last=last)


def ending_of(layer: Any) -> str:
    """Return the one of `ENDINGS` that a layer is, or ends with; empty if it is none."""
    if type(layer).__name__ == "Softmax":
        return "softmax"
    name = name_of(getattr(layer, "activation", None))
    return name if name in ENDINGS else ""


def does_nothing(call: Call) -> bool:
    """Return whether a layer gives out, in inference, what it reads."""
    return call.kind in NO_OPS or (call.kind == "Activation" and name_of(call.layer.activation) == "linear")


def _last(calls: Calls) -> Call:
    """Return the last call of a layer that computes, or moves values."""
    last = calls.calls[-1]
    makers = {tensor: call for call in calls.calls for tensor in call.outputs}
    while last.inputs and does_nothing(last):
        last = makers[last.inputs[0]]
    return last


def _unreadable(call: Call) -> Problem:
    """Return the problem of a kind of layer that is not read; names what it wraps, too."""
    kind, fix = call.kind, INSTEAD.get(call.kind, f"use one of {SUPPORTED}")
    if kind in READABLE:
        fix = f"use keras.layers.{kind}, or a tensor and one number: what these arguments give is no layer"
    wrapped: list[Any] = [getattr(call.layer, name, None) for name in ("cell", "layer", "forward_layer")]
    inner: Any = next((own for own in wrapped if hasattr(own, "name")), None)
    if kind == "TimeDistributed" and type(inner).__name__ not in ("Dense", "QDense"):
        fix = "give the model single frames: backend Delta takes a stream of them, one after another"
    received = f"{kind} of {type(inner).__name__} {inner.name!r}" if inner is not None else kind
    return Problem(where=call.name, received=received, fix=fix)


def _foreign(layer: Any) -> str | None:
    """Return what to use in place of a layer of a class that is no known one; None if it is one."""
    import keras

    kind = type(layer)
    if isinstance(layer, keras.Model):
        return (
            "build it as a functional model whose inputs have the shape and type of what it reads: "
            "frame = keras.Input(shape); keras.Model(frame, inner.call(frame))"
        )
    if kind.__module__.split(".")[0] in _HOMES:
        return None
    if kind.__module__.split(".")[0] == "hgq":
        return "convert the model with backend='Delta' as it is: its weights and activations are quantised already"
    bases = [base.__name__ for base in kind.__mro__ if base.__module__.split(".")[0] in _HOMES]
    known = next((name for name in bases if name in READABLE), None)
    if known is not None:
        return f"use {known} itself: what a class derived from it computes is not known"
    return "build it from layers of Keras or QKeras: what a class of your own computes is not known"


def _numbers(call: Call) -> Problem | None:
    """Return a problem if Keras does not compute in float32 or float64."""
    if call.kind == "InputLayer":
        dtype = call.outputs[0].dtype
        if "int" in dtype or dtype in ("float32", "float64"):
            return None
        return Problem(
            where=call.name,
            received=f"an input of dtype {dtype!r}",
            fix="build the model on keras.Input(shape), which is float32, and copy the weights: "
            "new.set_weights(old.get_weights())",
            what="Keras rounds the frames of this input, or takes no numbers",
        )
    policy: Any = getattr(call.layer, "dtype_policy", None)
    if getattr(policy, "quantization_mode", None):
        return Problem(
            where=call.name,
            received=f"dtype policy {policy.name!r}",
            fix="leave out model.quantize(), and quantize with QKeras: QDense, QConv2D, QActivation",
            what="Keras rescales the values of a layer quantized by itself, so they lie on no power-of-two lattice",
        )
    compute, made = str(getattr(call.layer, "compute_dtype", "float32")), call.outputs[0].dtype
    short = next((dtype for dtype in (compute, made) if "float" in dtype and dtype not in ("float32", "float64")), None)
    if short is not None:
        return Problem(
            where=call.name,
            received=short,
            fix="build the model with keras.config.set_dtype_policy('float32') and copy the weights: "
            "new.set_weights(old.get_weights())",
            what="Keras rounds the values of this layer to few bits",
        )
    if "float" not in made and call.kind not in (*MOVES, *NO_OPS):
        return Problem(
            where=call.name,
            received=made,
            fix="give the model an input of dtype='float32'",
            what="Keras computes this layer with integers that wrap around",
        )
    return None


def _convolution(call: Call, after: After) -> Problem | None:
    """Return a problem if a convolution has an argument that no engine has."""
    if after == "training" or call.kind not in LINEAR:
        return None
    odd = next((name for name in ONE if getattr(call.layer, name, 1) not in (1, (1,), (1, 1))), None)
    one_channel = odd == "depth_multiplier" and call.inputs[0].shape[-1] == 1
    if odd is None or (after == "folding" and one_channel):
        return None
    return Problem(
        where=call.name,
        received=f"{odd}={getattr(call.layer, odd)!r}",
        fix=ONE[odd],
        what=f"a convolution with this {odd} has no delta implementation",
    )


def _arguments(call: Call) -> Problem | None:
    """Return a problem if an argument makes the layer one that is not exact."""
    layer, shape = call.layer, call.inputs[0].shape if call.inputs else ()
    if call.kind == "ReLU" and (layer.negative_slope or layer.threshold):
        received = f"ReLU(negative_slope={layer.negative_slope}, threshold={layer.threshold})"
        return Problem(where=call.name, received=received, fix=ACTIVATING)
    if call.kind == "Permute" and not _keeps_order([shape[axis] for axis in layer.dims], layer.dims):
        return Problem(
            where=call.name,
            received=f"Permute({tuple(layer.dims)}) of {shape[1:]}",
            fix="permute the frames before predict() and build the model on them; codes travel in raster order",
        )
    if call.kind == "Concatenate" and layer.axis == 0:
        return Problem(
            where=call.name, received="Concatenate(axis=0), the batch", fix="join an axis of the frame, such as axis=-1"
        )
    return _rescaling(layer, int(shape[-1] or 1), call.name) if call.kind == "Rescaling" else None


def _rescaling(layer: Any, channels: int, where: str) -> Problem | None:
    fix, received = inexact(layer, channels), f"Rescaling(scale={layer.scale}, offset={layer.offset})"
    return Problem(where=where, received=received, fix=fix) if fix else None


def _keeps_order(sizes: Sequence[int | None], dims: Sequence[int]) -> bool:
    """Return whether a permutation moves only axes of one element."""
    moved = [dim for dim, size in zip(dims, sizes, strict=True) if size != 1]
    return moved == sorted(moved)


def _activation(call: Call, *, last: bool) -> Problem | None:
    """Return a problem if the layer is, or has, an activation that is none of hardware's."""
    layer, kind = call.layer, call.kind
    if ending_of(layer) and not last:
        return Problem(
            where=call.name,
            received=ending_of(layer) + (f", activation of {kind}" if kind in LINEAR else ""),
            fix=f"{ACTIVATING}; end the model with it, or with logits (train with from_logits=True)",
            what=f"{ending_of(layer)} can only be the last layer, where it is left to the host",
        )
    if kind not in ("Activation", "QActivation", *LINEAR):
        return None
    activation = getattr(layer, "quantizer", None) if kind == "QActivation" else None
    activation = activation or getattr(layer, "activation", None)
    name = name_of(activation)
    own = str(getattr(activation, "__module__", "")).split(".")[0] not in ("keras", "qkeras", "tensorflow")
    if activation is None or (not own and (name in FUNCTIONS or type(activation).__name__ in QUANTIZERS)):
        return None
    name = name or type(activation).__name__
    name = f"{name}, a function of your own" if own and name in FUNCTIONS else name
    received = f"{name}, activation of {kind}" if kind in LINEAR else name
    return Problem(
        where=call.name,
        received=received,
        fix=f"{ACTIVATING}, or QActivation of quantized_relu or quantized_bits",
        what="this activation has no delta implementation",
    )


def name_of(activation: Any) -> str:
    """Return the name of a plain activation function; empty for a quantizer or a layer."""
    return "" if hasattr(activation, "bits") else str(getattr(activation, "__name__", ""))
