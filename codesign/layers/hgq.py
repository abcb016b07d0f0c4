# SPDX-License-Identifier: Apache-2.0
"""Models of HGQ2 (``hgq.layers``) as models of QKeras and `DeltaActivation` that compute the same.

The weights are those that each layer computes with, whatever width each of them was given. An input or output quantizer
becomes a memoryless `DeltaActivation` where it is one: a width for the whole tensor, rounding half to even, saturation.
What is made is compared with the model that was given, on frames that reach beyond the range of its first quantizer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import qkeras
from numpy.typing import NDArray

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.graph.lattice import finest_frac
from codesign.keras_model.calls import Call, calls_of
from codesign.layers.activation import DeltaActivation
from codesign.layers.linear import ChannelBits

PACKAGE = "hgq"
LINEAR = {"QDense": "QDense", "QBatchNormDense": "QDense", "QConv1D": "QConv1D", "QConv2D": "QConv2D"}
"""Classes of HGQ2 with weights that are read, and those of QKeras that they become."""

_ARGUMENTS = ("units", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation")
_FRAMES = 16

Floats = NDArray[np.float64]


def is_hgq(model: Any) -> bool:
    """Return whether a Keras model has layers of HGQ2."""
    return any(_of_hgq(layer) for layer in getattr(model, "_flatten_layers", list)())


def from_hgq(model: Any) -> Any:
    """Return a model of QKeras layers and `DeltaActivation` that computes what ``model`` of HGQ2 layers does.

    Raises:
        UnsupportedLayerError: layers or quantizers cannot be exact; names all of them, and why.
        ConversionError: no built model of layers; or the two differ on some frames.
    """
    calls = calls_of(model)
    problems = [problem for call in calls.calls if _of_hgq(call.layer) for problem in _problems(call)]
    if problems:
        raise UnsupportedLayerError(
            f"{len(problems)} parts of the HGQ2 model have no exact codes",
            where=calls.name,
            expected=f"{', '.join(LINEAR)}, Quantizer and layers of Keras; datalane quantizers with one width for the "
            "tensor, round_mode='RND_CONV' and overflow_mode='SAT'",
            received="; ".join(problems),
            fix="train with QuantizerConfigScope(place='datalane', round_mode='RND_CONV', overflow_mode='SAT', "
            "homogeneous_axis=None, heterogeneous_axis=()); weights may have a width each",
        )
    frame = keras.Input(batch_shape=calls.calls[0].outputs[0].shape, name=calls.calls[0].name)
    made = keras.Model(frame, calls.run(frame, _call), name=calls.name)
    _check_same(model, made)
    return made


def _of_hgq(layer: Any) -> bool:
    return type(layer).__module__.split(".")[0] == PACKAGE


def _quantizers(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield what quantises the input and the output of a layer, ``iq`` and ``oq``, where it is enabled."""
    if hasattr(layer, "quantizer"):
        yield "quantizer", layer
    for name in ("iq", "oq"):
        if getattr(layer, f"enable_{name}", False):
            yield name, getattr(layer, name)


def _problems(call: Call) -> Iterator[str]:
    layer, where = call.layer, f"{call.name} ({call.kind})"
    if call.kind not in LINEAR and not hasattr(layer, "quantizer"):
        yield f"{where} is a layer that is not read"
        return
    if getattr(layer, "groups", 1) != 1:
        yield f"{where}: groups={layer.groups}"
    for name, quantizer in _quantizers(layer):
        inner = quantizer.quantizer
        if not hasattr(inner, "kif"):
            yield f"{where}, {name}: no fixed-point quantizer"
            continue
        if inner.round_mode.removeprefix("S_") != "RND_CONV":
            yield f"{where}, {name}: round_mode {inner.round_mode!r} does not round half to even"
        if inner.overflow_mode != "SAT":
            yield f"{where}, {name}: overflow_mode {inner.overflow_mode!r} does not saturate"
        if quantizer.scaler is not None or quantizer.affine is not None:
            yield f"{where}, {name}: a scaler or affine map"
        widths = {tuple(width) for width in _widths(inner).T if sum(width) > 0}
        if len(widths) != 1:
            yield f"{where}, {name}: {len(widths)} widths (sign, integer, fraction) of elements"
        elif not _live(layer, name, inner):
            yield f"{where}, {name}: elements of width 0 that are not whole channels before weights"


def _widths(inner: Any) -> NDArray[np.int64]:
    """Return sign, integer and fraction bits of each element, ``[3, N]``."""
    found = np.broadcast_arrays(*(np.rint(keras.ops.convert_to_numpy(part)).astype(np.int64) for part in inner.kif))
    return np.stack([part.ravel() for part in found])


def _live(layer: Any, name: str, inner: Any) -> bool:
    """Return whether no element has width 0, or only whole channels that the weights of the layer can leave out."""
    alive = _widths(inner).sum(axis=0) > 0
    channels = layer.qkernel.shape[-2] if hasattr(layer, "qkernel") else 0
    whole = name == "iq" and channels and alive.size % channels == 0
    return bool(alive.all() or (whole and (alive.reshape(-1, channels) == alive[:channels]).all()))


def _call(call: Call, given: Any) -> Any:
    """Return the output of what stands for ``call``."""
    layer = call.layer
    if not _of_hgq(layer):
        new = type(layer).from_config({**layer.get_config(), "name": call.name})
        output = new(given)
        new.set_weights(layer.get_weights())
        return output
    if hasattr(layer, "quantizer"):
        return _activation(layer.quantizer, call.name)(given)
    quantizers = dict(_quantizers(layer))
    x = _activation(layer.iq.quantizer, f"{call.name}_iq")(given) if "iq" in quantizers else given
    kernel = _numpy(layer.qkernel).copy()
    if "iq" in quantizers:
        alive = _widths(layer.iq.quantizer).sum(axis=0) > 0
        if not alive.all():
            kernel[..., ~alive[: kernel.shape[-2]], :] = 0
    weights = [kernel, *([] if layer.qbias is None else [_numpy(layer.qbias)])]
    config = {name: value for name, value in layer.get_config().items() if name in _ARGUMENTS}
    own = {"kernel_quantizer": _lattice(kernel)} | (
        {"bias_quantizer": _lattice(weights[1])} if len(weights) > 1 else {}
    )
    new = getattr(qkeras, LINEAR[call.kind])(name=call.name, use_bias=len(weights) > 1, **config, **own)
    output = new(x)
    new.set_weights(weights)
    return _activation(layer.oq.quantizer, f"{call.name}_oq")(output) if "oq" in quantizers else output


def _activation(inner: Any, name: str) -> DeltaActivation:
    sign, integer, fraction = next(width for width in _widths(inner).T.tolist() if sum(width) > 0)
    return DeltaActivation("identity" if sign else "relu", sign + integer + fraction, 2.0**-fraction, name=name)


def _lattice(values: Floats) -> ChannelBits:
    """Return a quantiser that ``values`` are codes of: a step for each output channel, the coarsest that holds them."""
    channels = np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)
    exponents = [-finest_frac(channel) for channel in channels]
    codes = [np.ldexp(channel, -exponent) for channel, exponent in zip(channels, exponents, strict=True)]
    most = max(float(np.abs(code).max(initial=0)) for code in codes)
    return ChannelBits(max(2, int(most).bit_length() + 1), exponents)


def _numpy(tensor: Any) -> Floats:
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)


def _check_same(model: Any, made: Any) -> None:
    """Compare what was made with what was given."""
    first = next((layer for layer in made.layers if isinstance(layer, DeltaActivation)), None)
    unit, most = (0.125, 64) if first is None else (first.unit, 2 * first.hi)
    shape = (_FRAMES, *(size or 1 for size in made.inputs[0].shape[1:]))
    codes = np.random.default_rng(0).integers(-8 * most, 8 * most + 1, shape)
    frames = (codes * unit / 8).astype(np.float32)
    expected, received = (_numpy(each(frames, training=False)) for each in (model, made))
    wrong = expected != received
    if wrong.any():
        at = tuple(int(index) for index in np.argwhere(wrong)[0])
        raise ConversionError(
            f"{int(wrong.sum())} of {wrong.size} values of the HGQ2 model differ from those of the same in QKeras",
            where=model.name,
            expected=f"{expected[at]} at {list(at)}",
            received=received[at],
            fix="use qkeras layers, and report this with the model: it is a fault of the conversion",
        )
