# SPDX-License-Identifier: Apache-2.0
"""How Keras models are read for delta networks, in front of hls4ml's own reader.

hls4ml reads a model layer by layer and stops at the first that it does not know, in its own words. For backend Delta,
or where a Strategy is 'delta', `read` looks at the whole model first (`codesign.keras_model.calls`), refuses all that
cannot be exact at once (`codesign.keras_model.kinds`), and only then asks the handlers of hls4ml and the plugin for
each layer. All other conversions get hls4ml as it is.

`install` puts it there: in front of ``config_from_keras_model`` and of ``keras_v3_to_hls``, which all conversions call.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hls4ml.converters.keras_v3._base import registry

from codesign.errors import CodesignError, ConversionError, UnsupportedLayerError
from codesign.hls4ml_plugin.calls import output_folder
from codesign.hls4ml_plugin.reader.exact import HANDLERS
from codesign.hls4ml_plugin.reader.weights import share
from codesign.keras_model.calls import Call, calls_of
from codesign.keras_model.kinds import check_kinds
from codesign.names import check_layers

_CONVERTER = "hls4ml.converters.keras_v3_to_hls"

ATTRIBUTES = (
    *("input", "class_name", "config_cpp", "function_cpp", "include_header", "keras_layer", "keras_class"),
    *("input_keras_tensor_names", "output_keras_tensor_names", "result_t", "ir", "lanes", "stream_shape"),
    *("weight", "weight_t", "bias", "bias_t", "step", "step_t", "threshold", "threshold_t"),
)
"""Names under which hls4ml keeps something else of a layer, in the place where it keeps what the layer makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A Keras model in the words of hls4ml.

    Attributes:
        layers: their configurations, in order; ``keras_layer`` is the name of the `codesign.keras_model.calls.Call`.
        inputs: names of the input layers.
        outputs: names of the output layers.
        shapes: shapes of the outputs, batch first.
    """

    layers: list[dict[str, Any]]
    inputs: list[str]
    outputs: list[str]
    shapes: list[list[int | None]]


def read(model: Any) -> Reading:
    """Return ``model`` in the words of hls4ml; the model stays as it is.

    Raises:
        ConversionError: see `codesign.keras_model.calls.calls_of`; or a layer's name that hls4ml uses itself.
        UnsupportedLayerError: layers that cannot be read exactly; names all of them.
    """
    from hls4ml.converters.keras_v3_to_hls import UniqueName

    calls = calls_of(model)
    check_kinds(calls)
    unique, layers = UniqueName(), []
    made: dict[str, str] = {}
    for call in calls.calls:
        for config in _configurations(call):
            config["keras_layer"] = call.name
            config["name"] = unique(call.name + config["name"].removeprefix(call.layer.name))
            config["inputs"] = [made[name] for name in config["input_keras_tensor_names"]]
            made.update(dict.fromkeys(config["output_keras_tensor_names"], config["name"]))
            layers.append(config)
    check_layers((config["name"] for config in layers), where=calls.name)
    for config in layers:
        _check_name(config["name"], calls.name)
    share(layers)
    first = calls.calls[0].outputs[0]
    return Reading(
        layers=layers, inputs=[made[first.name]], outputs=[made[calls.output.name]], shapes=[list(calls.output.shape)]
    )


def _check_name(name: str, where: str) -> None:
    if name in ATTRIBUTES:
        raise ConversionError(
            "a name that hls4ml uses for something else",
            where=where,
            expected=f"a layer name that is none of {', '.join(ATTRIBUTES)}",
            received=repr(name),
            fix=f"call the layer {'my_' + name!r}, for example",
        )


def _configurations(call: Call) -> Sequence[dict[str, Any]]:
    """Return the hls4ml layers that ``call`` is."""
    kind = type(call.layer)
    handler = HANDLERS.get(kind.__name__) or registry.get(f"{kind.__module__}.{kind.__name__}")
    handler = handler or registry.get(kind.__name__)
    if handler is None:
        raise UnsupportedLayerError(
            "hls4ml cannot read this layer",
            where=call.name,
            received=call.kind,
            fix="install hls4ml 1.3, or the version that constraints.txt names",
        )
    try:
        configurations: Sequence[dict[str, Any]] = handler(call.layer, call.inputs, call.outputs)
    except CodesignError:
        raise
    except Exception as error:
        raise UnsupportedLayerError(
            "hls4ml cannot read this layer",
            where=call.name,
            received=f"{call.kind}: {type(error).__name__}: {error}",
            fix="leave its arguments at their defaults, or use another layer",
        ) from error
    return configurations


def install() -> None:
    """Put `read` in front of hls4ml's reader; doing so again changes nothing."""
    utils, config = importlib.import_module("hls4ml.utils"), importlib.import_module("hls4ml.utils.config")
    _wrap(config, "config_from_keras_model", _config)
    utils.config_from_keras_model = config.config_from_keras_model  # type: ignore[attr-defined]
    if _CONVERTER in sys.modules:
        _install_in_converter(sys.modules[_CONVERTER])
        face = sys.modules["hls4ml.converters"]
        for name in ("parse_keras_v3_model", "keras_v3_to_hls"):
            setattr(face, name, getattr(sys.modules[_CONVERTER], name))
    elif not any(isinstance(finder, _WhenImported) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenImported())


class _WhenImported(importlib.abc.MetaPathFinder):
    """Installs the reader when hls4ml imports its converter, which is after it imports its plugins."""

    def find_spec(
        self, fullname: str, _: Sequence[str] | None, __: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the converter's own specification with a loader that installs."""
        if fullname != _CONVERTER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _install_in_converter(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _install_in_converter(module: ModuleType) -> None:
    _wrap(module, "parse_keras_v3_model", _parse)
    _wrap(module, "keras_v3_to_hls", _convert)


def _wrap(module: ModuleType, name: str, wrapper: Callable[..., Any]) -> None:
    """Put ``wrapper(original, *args, **kwargs)`` in the place of a function."""
    original = getattr(module, name)
    if hasattr(original, "in_front_of"):
        return

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    wrapped.in_front_of = original  # type: ignore[attr-defined]
    setattr(module, name, wrapped)


def _config(original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """``config_from_keras_model``: of backend Delta, on what `read` gives."""
    backend = kwargs.get("backend", args[1] if len(args) > 1 else None)
    ours = isinstance(backend, str) and backend.lower() == "delta"
    return original(read(in_qkeras(model)) if ours else model, *args, **kwargs)


def _parse(original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
    """``parse_keras_v3_model``: what was read already stays as it is."""
    if isinstance(model, Reading):
        return model.layers, model.inputs, model.outputs, model.shapes
    return original(model, *args, **kwargs)


def _convert(original: Callable[..., Any], config: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """``keras_v3_to_hls``: a delta network is made of what `read` gives."""
    if not _is_delta(config):
        return original(config, *args, **kwargs)
    from hls4ml.model import ModelGraph

    config["OutputDir"] = output_folder(config.get("OutputDir"))
    config["KerasModel"] = in_qkeras(config["KerasModel"])
    reading = read(config["KerasModel"])
    return ModelGraph.from_layer_list(config, reading.layers, reading.inputs, reading.outputs)


def in_qkeras(model: Any) -> Any:
    """Return ``model``, or one of QKeras layers that computes the same, if it has layers of HGQ2.

    Raises: the errors of `codesign.layers.hgq.from_hgq`.
    """
    if "hgq" not in sys.modules:
        return model
    from codesign.layers.hgq import from_hgq, is_hgq

    return from_hgq(model) if is_hgq(model) else model


def _is_delta(config: dict[str, Any]) -> bool:
    """Return whether a conversion is to backend Delta, or any Strategy in its configuration is 'delta'."""
    if str(config.get("Backend", "")).lower() == "delta":
        return True
    sections = config.get("HLSConfig") or {}
    entries = [sections.get("Model"), *((sections.get("LayerType") or {}).values())]
    entries += (sections.get("LayerName") or {}).values()
    return any(isinstance(entry, dict) and str(entry.get("Strategy")).lower() == "delta" for entry in entries)
