# SPDX-License-Identifier: Apache-2.0
"""The user's entries in an hls4ml config that the delta graph reads: Strategy, PE, Unroll, P, Precision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from codesign.errors import ConfigError, ConversionError, LatticeError
from codesign.fixed import Fixed
from codesign.graph.axis import AnyAxis
from codesign.graph.pe import DEFAULT_PE, largest_divisor
from codesign.suggest import nearest

LINEAR = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D")
"""hls4ml classes of the layers that multiply and accumulate."""

POOLINGS = ("Pooling1D", "Pooling2D", "GlobalPooling1D", "GlobalPooling2D")
JOINS = ("Merge", "Concatenate", "DeltaMerge")
ENGINES = (*LINEAR, *POOLINGS, *JOINS, "Resize", "DeltaRescale")
"""hls4ml classes of the layers that have processing elements."""
SLIDING = (*LINEAR[1:], *POOLINGS, "Resize")
"""hls4ml classes of the layers in which an element reaches several positions."""

_INTEGERS = re.compile(r"(u?)int(8|16)")

DEFAULT_P = 16
TARGET = ("Cycles", "Multipliers", "Activity")
"""Keys of a whole model that choose PE and Unroll, see `codesign.hls4ml_plugin.reader.target`."""


def types(layer: Any) -> tuple[str, ...]:
    """Return the names that ``LayerType`` may have for a layer: hls4ml's, and that of its Keras layer."""
    names = (layer.class_name, layer.get_attr("class_name"), layer.get_attr("keras_class"))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def check(model: Any) -> None:
    """Check that PE, Unroll and P are set for layers that have them.

    Raises:
        ConfigError: an entry of ``LayerName`` or ``LayerType`` with one of them names no layer, or one of another kind.
    """
    kinds = {"PE": ENGINES, "Unroll": SLIDING, "P": ("Input",)}
    owners = {"PE": "a layer that computes", "Unroll": "a layer whose window slides", "P": "an input layer"}
    layers = list(model.graph.values())
    for section in ("LayerName", "LayerType"):
        for name, entry in _section(model, section).items():
            for key in kinds.keys() & (entry or {}).keys():
                fit = [layer for layer in layers if layer.class_name in kinds[key]]
                names = [item for layer in fit for item in (types(layer) if section == "LayerType" else (layer.name,))]
                if name not in names:
                    near = nearest(name, names)
                    raise ConfigError(
                        f"{key} belongs to {owners[key]}",
                        where=f"config[{section!r}][{name!r}][{key!r}]",
                        expected=f"one of {list(dict.fromkeys(names))}",
                        received=repr(name),
                        fix=f"write {near[0]!r}" if near else "remove the entry",
                    )


def is_delta(model: Any, layer: Any) -> bool:
    """Return whether the user set Strategy 'delta' for ``layer``, by name, type or model."""
    asked = entry_of(model, layer, "Strategy") or _section(model, "Model").get("Strategy")
    return bool(str(asked).lower() == "delta")


def check_strategy(model: Any, layer: Any) -> None:
    """Check that no other strategy was asked for.

    Raises:
        ConversionError: one was. The model-wide 'Latency' is hls4ml's own default and counts as unset.
    """
    by_model = _section(model, "Model").get("Strategy")
    default = by_model if str(by_model).lower() != "latency" or model.config.backend.name != "Delta" else None
    asked = entry_of(model, layer, "Strategy") or default
    if asked is not None and str(asked).lower() != "delta":
        raise ConversionError(
            "every linear layer is a delta layer, so another Strategy cannot be mixed in",
            where=layer.name,
            expected="Strategy 'delta' for every linear layer",
            received=f"Strategy {asked!r}",
            fix="remove Strategy from the config, or convert the whole model with another hls4ml backend",
        )


def pe(model: Any, layer: Any, n_out: int) -> int:
    """Return the processing elements of a layer with ``n_out`` output channels.

    A layer's own PE must divide ``n_out`` (at least ``n_out`` means fully parallel); the model's PE, 16 unless set,
    becomes the largest divisor of ``n_out`` that is not above it.

    Raises:
        ConversionError: it does not divide; lists what does.
        ConfigError: not a positive integer.
    """
    own = entry_of(model, layer, "PE")
    if own is None:
        return largest_divisor(
            n_out, _positive(_section(model, "Model").get("PE", DEFAULT_PE), "config['Model']['PE']")
        )
    wanted = min(_positive(own, f"config['LayerName'][{layer.name!r}]['PE']"), n_out)
    if n_out % wanted:
        raise ConversionError(
            "PE does not divide the number of outputs",
            where=layer.name,
            expected=f"one of {[d for d in range(1, n_out + 1) if n_out % d == 0]}",
            received=f"PE={wanted} for {n_out} outputs",
            fix=f"set config['LayerName'][{layer.name!r}]['PE'] to one of these",
        )
    return wanted


def unroll(model: Any, layer: Any, y: AnyAxis, x: AnyAxis) -> tuple[int, int]:
    """Return how many output rows and columns an event of a layer reaches in one cycle; 1 and 1 unless set.

    ``Unroll`` holds one number per axis of the layer; as many as an element reaches, or more, means all of them.

    Raises:
        ConfigError: not positive integers, or another number of axes.
    """
    own = entry_of(model, layer, "Unroll")
    if own is None:
        return 1, 1
    where, axes = f"config['LayerName'][{layer.name!r}]['Unroll']", 1 if layer.class_name.endswith("1D") else 2
    given = list(own) if isinstance(own, list | tuple) else [own]
    if len(given) != axes:
        raise ConfigError(
            "one number per axis",
            where=where,
            expected=f"{axes} numbers",
            received=repr(own),
            fix=f"write {[1] * axes}, or more",
        )
    rows, columns, *_ = (*(_positive(value, where) for value in given), 1)
    return min(rows, int(y.counts().max())), min(columns, int(x.counts().max()))


def lanes(model: Any, layer: Any) -> int:
    """Return P, the codes an input beat holds: the input layer's, or the model's, or 16.

    Raises:
        ConfigError: not a positive integer.
    """
    own = entry_of(model, layer, "P")
    if own is not None:
        return _positive(own, f"config['LayerName'][{layer.name!r}]['P']")
    return _positive(_section(model, "Model").get("P", DEFAULT_P), "config['Model']['P']")


def precision(model: Any, given: Any, where: str) -> Fixed:
    """Return an hls4ml precision as `Fixed`; the model's default if it is 'auto'.

    Raises:
        LatticeError: it is no fixed-point or integer type.
    """
    if type(given).__name__.endswith("UnspecifiedPrecisionType"):
        given = model.config.backend.convert_precision_string(model.config.model_precision["default"])
    if not type(given).__name__.endswith(("FixedPrecisionType", "IntegerPrecisionType")):
        raise LatticeError(
            "not a fixed-point type",
            where=where,
            expected="fixed<w,i> or ufixed<w,i>",
            received=given,
            fix="set its Precision to such a type, for example 'ap_fixed<16,6>'",
        )
    return Fixed(
        width=given.width, frac=given.width - getattr(given, "integer", given.width), signed=bool(given.signed)
    )


def input_format(model: Any, layer: Any) -> tuple[Fixed, bool]:
    """Return the format of an input layer, and whether it was chosen rather than hls4ml's default.

    Only a Precision of the input layer itself, by name or by type, is a choice, and a Keras input of 8 or 16-bit
    integers: the Precision of the whole model is written by hls4ml, too.
    """
    asked = asked_precision(model, layer)
    if asked is not None:
        return asked, True
    inputs = getattr(model.config.config.get("KerasModel"), "inputs", None)
    whole = _INTEGERS.fullmatch(str(inputs[0].dtype)) if inputs else None
    if whole:
        return Fixed(width=int(whole[2]), frac=0, signed=not whole[1]), True
    return precision(model, layer.get_output_variable().type.precision, layer.name), False


def asked_precision(model: Any, layer: Any, what: str = "result") -> Fixed | None:
    """Return the Precision that the user set for this very layer, or else for its type, or None.

    Args:
        model: hls4ml ModelGraph.
        layer: one of its layers.
        what: "result", "weight", "bias", ...; a Precision for everything in the layer counts, too.
    """
    for entry in _entries(model, layer):
        given = entry.get("Precision")
        text = given.get(what, given.get("default")) if isinstance(given, Mapping) else given
        if text is not None and str(text).lower() != "auto":
            return precision(model, model.config.backend.convert_precision_string(text), layer.name)
    return None


def _section(model: Any, name: str) -> dict[str, Any]:
    return model.config.config["HLSConfig"].get(name) or {}


def entry_of(model: Any, layer: Any, key: str) -> Any:
    """Return what the config sets ``key`` to for a layer by its name, or else by one of its types; None if nothing."""
    return next((entry[key] for entry in _entries(model, layer) if entry.get(key) is not None), None)


def whole(model: Any, key: str) -> Any:
    """Return what the config sets ``key`` to for the whole model; None if nothing."""
    return _section(model, "Model").get(key)


def _entries(model: Any, layer: Any) -> list[dict[str, Any]]:
    entries = [_section(model, "LayerName").get(layer.name)]
    entries += [_section(model, "LayerType").get(name) for name in types(layer)]
    return [entry for entry in entries if entry]


def _positive(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(
            "not a positive integer", where=where, expected="1 or more", received=repr(value), fix="write 1 or more"
        )
    return value
