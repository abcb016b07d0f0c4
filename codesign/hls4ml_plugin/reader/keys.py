# SPDX-License-Identifier: Apache-2.0
"""Every entry of an hls4ml config is one that a delta network reads, or is left at what hls4ml writes by itself.

hls4ml ignores a key that it does not know, and a delta network has no use for most of those that it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from hls4ml.model.attributes import ChoiceAttribute, TypeAttribute
from hls4ml.model.layers import layer_map
from hls4ml.model.types import PrecisionType

from codesign.errors import ConfigError, LatticeError
from codesign.fixed import Fixed
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.hls4ml_plugin.reader.builder import Reading
from codesign.hls4ml_plugin.reader.weights import own_weight
from codesign.suggest import did_you_mean, nearest

OWN = {
    "PE": "a positive integer",
    "P": "a positive integer",
    "Unroll": "positive integers",
    "Strategy": "'delta'",
    "Precision": "a type such as 'ap_fixed<8,3>', or a dict of them",
}
"""Keys of a layer that a delta network reads."""

SECTIONS = ("Model", "LayerType", "LayerName", "Flows", "Optimizers", "SkipOptimizers")
"""Keys of a whole config."""

MODEL_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "ReuseFactor": (1,),
    "BramFactor": (1_000_000_000, float("inf")),
    "TargetCycles": (None,),
    "ConvImplementation": ("LineBuffer",),
    "Compression": (False, 0),
    "PipelineStyle": ("auto", "dataflow"),
    "PipelineInterval": (None,),
    "BitExact": (None, False),
    "TraceOutput": (False,),
}
"""Keys of a whole model that have no effect on delta layers, and the values at which they may stay."""

MODEL_FREE = ("AllowDAFallback", "AllowV2Fallback", "ChannelsLastConversion", "TransposeOutputs")
MODEL_KEYS = ("PE", "P", *hls_config.TARGET, "Strategy", "Precision", *MODEL_DEFAULTS, *MODEL_FREE)

LAYER_DEFAULTS: dict[str, tuple[Any, ...]] = {
    key: MODEL_DEFAULTS[key] for key in ("ReuseFactor", "TargetCycles", "ConvImplementation", "Compression")
} | {"Trace": (False,)}
FROM_PYTORCH = ("PytorchModel", "InputShape")
PRECISIONS = ("default", "maximum", "weight", "bias")  # keys of the Precision of a whole model

INSTEAD = {
    "ReuseFactor": "set PE, the multipliers of a layer, in its place and leave ReuseFactor at 1",
    "ParallelizationFactor": "set PE and Unroll in its place",
    "TargetCycles": "set PE, or Cycles of the whole model, in its place",
}


def check_shape(config: Any) -> None:
    """Check what can be known of a config before hls4ml reads it.

    Raises:
        ConfigError: an unknown section, or an entry of a wrong type; names its place.
    """
    if config is None:
        return
    _check_dict(config, "hls_config")
    _check_known([key for key in config if key not in FROM_PYTORCH], SECTIONS, "hls_config", "section")
    _check_passes(config)
    if "Model" in config:
        _check_entry(config["Model"], "config['Model']", MODEL_KEYS)
        _check_model_precision(config["Model"])
    for section in ("LayerType", "LayerName"):
        _check_dict(config.get(section, {}), f"config[{section!r}]")
        for name, entry in config.get(section, {}).items():
            _check_entry(entry, f"config[{section!r}][{name!r}]", (*OWN, *LAYER_DEFAULTS, *_configurable()))


def check_strategies(model: Any) -> None:
    """Check that no Strategy of a model for any backend is 'delta' with a slip in it.

    Raises:
        ConfigError: one is.
    """
    config = model.config.config["HLSConfig"]
    entries = {"config['Model']": config.get("Model")}
    for section in ("LayerType", "LayerName"):
        entries |= {f"config[{section!r}][{name!r}]": entry for name, entry in (config.get(section) or {}).items()}
    for where, entry in entries.items():
        asked = str((entry or {}).get("Strategy", "delta")).lower()
        if asked != "delta" and nearest(asked, ("delta",)):
            raise ConfigError(
                f"unknown strategy {asked!r}",
                where=f"{where}['Strategy']",
                expected="'delta', or a strategy of hls4ml",
                received=repr(asked),
                fix=did_you_mean(asked, ("delta",)),
            )


def check_effect(model: Any) -> None:
    """Check that every entry in the config of an hls4ml ``ModelGraph`` has an effect.

    Raises:
        ConfigError: an entry names no layer or no type of the model, or changes what delta layers do not have.
    """
    config = model.config.config["HLSConfig"]
    check_shape({key: config[key] for key in SECTIONS if key in config})
    layers = list(model.graph.values())
    _check_values(config.get("Model") or {}, "config['Model']", MODEL_DEFAULTS)
    for section, names_of in (("LayerType", hls_config.types), ("LayerName", lambda layer: (layer.name,))):
        meant: dict[str, list[Any]] = {}
        for layer in layers:
            for name in names_of(layer):
                meant.setdefault(name, []).append(layer)
        for name, entry in (config.get(section) or {}).items():
            where = f"config[{section!r}][{name!r}]"
            _check_known([name], meant, where, "layer" if section == "LayerName" else "type of layer in the model")
            for layer in meant[name]:
                _check_layer(layer, entry or {}, where)


def check_precisions(model: Any, reading: Reading) -> None:
    """Check that no Precision is coarser than what a delta layer computes, which is every bit.

    Raises:
        ConfigError: one is; delta layers would not round to it, as hls4ml's own do.
    """
    layers = list(model.graph.values())
    for layer in layers:
        fmt = reading.formats[layer.name]
        kin = [other for other in layers if other.class_name == layer.class_name]  # a type's entry is of the first
        linear = layer.class_name in hls_config.LINEAR
        for what in ("result", "accum") if linear else ("result",) if layer.class_name != "Input" else ():
            asked = _given(model, layer, what, whole=not linear)
            if asked is not None and not _holds(asked, fmt) and not _is_own(kin, asked):
                raise ConfigError(
                    f"a {what} type that is coarser than what the layer computes has no effect: every bit is kept",
                    where=f"config['LayerName'][{layer.name!r}]['Precision'][{what!r}]",
                    expected=f"at least {fmt}, 'auto', or no entry",
                    received=asked,
                    fix="quantise in the Keras model: QActivation(quantized_relu(...)) or DeltaActivation",
                )
        for what in ("weight", "bias", "depthwise", "pointwise") if linear else ():
            asked = _given(model, layer, what, whole=False)
            own = own_weight(layer, "bias" if what == "bias" else "weight")
            if asked is None or own is None or _is_own(kin, asked):
                continue
            try:
                asked.to_codes(own.values)
            except LatticeError as error:
                raise ConfigError(
                    f"the {what} values are those of the Keras layer, and this type does not hold them: {error}",
                    where=f"config['LayerName'][{layer.name!r}]['Precision'][{what!r}]",
                    expected="the type that hls4ml wrote, 'auto', or no entry",
                    received=asked,
                    fix=f"set {own.what}_quantizer in the Keras model",
                ) from None


def _given(model: Any, layer: Any, what: str, *, whole: bool) -> Fixed | None:
    """Return the type asked for; one for everything in the layer counts if ``whole``."""
    entry = hls_config.entry_of(model, layer, "Precision")
    if not whole and not (isinstance(entry, Mapping) and what in entry):
        return None
    return hls_config.asked_precision(model, layer, what)


def _holds(asked: Fixed, fmt: Fixed) -> bool:
    ends = asked.hi * asked.scale >= fmt.hi * fmt.scale and asked.lo * asked.scale <= fmt.lo * fmt.scale
    return asked.frac >= fmt.frac and ends


def _is_own(layers: Iterable[Any], asked: Fixed) -> bool:
    """Return whether ``asked`` is what hls4ml itself writes for a quantizer of one of the layers."""
    from hls4ml.utils.config import _get_precision_from_quantizer

    for quantizer in (
        layer.get_attr(key) for layer in layers for key in layer.attributes if key.endswith("_quantizer")
    ):
        if quantizer is None:
            continue
        written = _get_precision_from_quantizer(quantizer) if isinstance(quantizer, dict) else quantizer.hls_type
        frac = written.width - getattr(written, "integer", written.width)
        if asked == Fixed(width=written.width, frac=frac, signed=bool(written.signed)):
            return True
    return False


def _check_layer(layer: Any, entry: Mapping[str, Any], where: str) -> None:
    attributes = {item.config_name: item for item in type(layer).expected_attributes if item.configurable}
    types = {item.name.removesuffix("_t"): item for item in attributes.values() if isinstance(item, TypeAttribute)}
    plain = {key: (item.default,) for key, item in attributes.items() if not isinstance(item, TypeAttribute)}
    allowed = {**plain, **LAYER_DEFAULTS}
    for key in entry:
        if key not in (*OWN, *allowed):
            raise ConfigError(
                f"{key} has no effect on this layer",
                where=f"{where}[{key!r}]",
                expected=f"one of {', '.join((*OWN, *allowed))}",
                received=repr(entry[key]),
                fix="remove the entry",
            )
    _check_values(entry, where, allowed)
    given = entry.get("Precision")
    if isinstance(given, Mapping):
        quantized = [key.removesuffix("_quantizer") for key in layer.attributes if key.endswith("_quantizer")]
        _check_known(given, ("default", "result", *types, *quantized), f"{where}['Precision']")
        for key, text in given.items():
            default = types[key].default if key in types else None
            if key in ("default", "result", "weight", "bias", "accum", *quantized) or str(text).lower() == "auto":
                continue
            if default is not None and str(text) != str(default):
                raise ConfigError(
                    "this type has no effect on a delta network",
                    where=f"{where}['Precision'][{key!r}]",
                    expected=repr(str(default)),
                    received=repr(str(text)),
                    fix="leave it as hls4ml writes it, or remove it",
                )


def _check_model_precision(entry: Mapping[str, Any]) -> None:
    given = entry.get("Precision")
    if isinstance(given, Mapping):
        _check_known(given, PRECISIONS, "config['Model']['Precision']")
        if "default" not in given:
            raise ConfigError(
                "the Precision of a whole model needs a default",
                where="config['Model']['Precision']",
                expected="a type for 'default'",
                received=repr(given),
                fix="add 'default': 'fixed<16,6>', which is what hls4ml writes",
            )


def _check_passes(config: Mapping[str, Any]) -> None:
    """Check that no section changes which passes run: without those of the backend there is no delta network."""
    for section in ("Flows", "Optimizers", "SkipOptimizers"):
        given = config.get(section)
        if given is not None and not (section == "Flows" and list(given) in (["delta:ip"], ["vitis:ip"])):
            raise ConfigError(
                "a delta network has its own passes, and this section has no effect on them",
                where=f"config[{section!r}]",
                expected="no such section",
                received=repr(given),
                fix=f"remove {section}",
            )


def _check_values(entry: Mapping[str, Any], where: str, allowed: Mapping[str, tuple[Any, ...]]) -> None:
    """Check that what has no effect is left at one of its ``allowed`` values."""
    for key in entry.keys() & allowed.keys():
        value = entry[key]
        if not any(value is item or (type(value) is type(item) and value == item) for item in allowed[key]):
            raise ConfigError(
                f"{key} has no effect on a delta network",
                where=f"{where}[{key!r}]",
                expected=" or ".join(map(repr, allowed[key])),
                received=repr(value),
                fix=INSTEAD.get(key, f"remove {key}, or convert the model with another hls4ml backend"),
            )


def _check_entry(entry: Any, where: str, known: Iterable[str]) -> None:
    """Check the keys of an entry, and the types of those that hls4ml reads before anything else."""
    _check_dict(entry, where)
    _check_known(entry, known, where)
    for key in entry:
        value, at = entry[key], f"{where}[{key!r}]"
        if key == "Precision" and isinstance(value, Mapping):
            for name, item in value.items():
                _check_precision(item, f"{at}[{name!r}]")
        elif key == "Precision":
            _check_precision(value, at)
        elif key == "Strategy" and not isinstance(value, str):
            raise ConfigError("not a strategy", where=at, expected=OWN[key], received=repr(value), fix="remove it")
        elif key in ("Trace", "TraceOutput") and not isinstance(value, bool):
            raise ConfigError("not a flag", where=at, expected="True or False", received=repr(value), fix="remove it")
        elif key in _configurable() and not any(item.validate_value(value) for item in _configurable()[key]):
            raise ConfigError(
                "a value of the wrong type",
                where=at,
                expected=" or ".join(sorted({_kind(item) for item in _configurable()[key]})),
                received=repr(value),
                fix=INSTEAD.get(key, f"remove {key}: it has no effect on a delta network"),
            )


def _check_precision(value: Any, where: str) -> None:
    from hls4ml.backends import get_backend

    try:
        if isinstance(value, PrecisionType):
            return
        get_backend("Delta").convert_precision_string(value)
    except Exception:
        raise ConfigError(
            "not a type",
            where=where,
            expected="'auto', or a type such as 'ap_fixed<8,3>' or 'ap_uint<8>'",
            received=repr(value),
            fix="write the total and the integer bits, as hls4ml does",
        ) from None


def _check_dict(value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        fix = "remove it, or write {...}"
        raise ConfigError("not a dict", where=where, expected="a dict", received=repr(value), fix=fix)


def _check_known(keys: Iterable[Any], known: Iterable[str], where: str, what: str = "key") -> None:
    names = list(dict.fromkeys(known))
    for key in keys:
        if key not in names:
            raise ConfigError(
                f"unknown {what} {key!r}",
                where=where,
                expected=f"one of {', '.join(names)}",
                received=repr(key),
                fix=did_you_mean(str(key), names) or "remove the entry",
            )


@lru_cache(maxsize=1)
def _configurable() -> dict[str, list[Any]]:
    """Return what hls4ml lets a user configure in any kind of layer, types left out: attributes by key."""
    from hls4ml.backends import get_backend

    found: dict[str, list[Any]] = {}
    for kind in dict.fromkeys(layer_map.values()):
        for item in get_backend("Delta").create_layer_class(kind).expected_attributes:
            if item.configurable and not isinstance(item, TypeAttribute):
                found.setdefault(item.config_name, []).append(item)
    return found


def _kind(attribute: Any) -> str:
    if isinstance(attribute, ChoiceAttribute):
        return f"one of {', '.join(map(repr, attribute.choices))}"
    return {"Integral": "an integer", "bool": "True or False"}.get(
        getattr(attribute.value_type, "__name__", ""), f"a {getattr(attribute.value_type, '__name__', 'value')}"
    )
