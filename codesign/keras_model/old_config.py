# SPDX-License-Identifier: Apache-2.0
"""Configurations that Keras 2 wrote, or Keras 3 into HDF5 and JSON, as those of ``.keras`` files: data to data.

Classes are looked up here by their names among those of Keras, QKeras, `codesign.layers` and what this process has
registered, and written down with their modules. So only one way of making objects is left, that of ``.keras`` files,
and what it may make is checked in one place, `codesign.keras_model.file`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from codesign.errors import StageError
from codesign.keras_model.file import objects, unregistered
from codesign.keras_model.tf_calls import as_layers

_HOMES = ("keras", "tf_keras", "tensorflow", "qkeras")
"""Packages whose classes are found by name alone: their modules have moved from version to version."""
_PLACES = ("layers", "initializers", "regularizers", "constraints")
_RENAMED = {"Model": "Functional", "Policy": "DTypePolicy", "PolicyV1": "DTypePolicy"}
_RENAMED_ARGUMENTS = {"LeakyReLU": {"alpha": "negative_slope"}}
_OPERATIONS = (
    "TFOpLambda",
    "SlicingOpLambda",
    "ClassMethod",
    "InstanceMethod",
    "InstanceProperty",
    "TensorFlowOpLayer",
)
"""What Keras 2 made of calls of TensorFlow's own functions on its tensors."""
_MODELS = ("Functional", "Sequential")
_FUNCTIONAL = {"module": "keras.src.models.functional", "registered_name": "Functional"}

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "groups": (1,),
    "rms_scaling": (False,),
    "sparse": (False, None),
    "ragged": (False, None),
    "stateful": (False,),
    "time_major": (False,),
    "renorm": (False,),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "quantization_config": (None,),
    "mode": (0,),
    "mask": (None,),
    "optional": (False,),
    "data_format": ("channels_last", None),
}
"""Arguments that a class no longer takes, and the values with which leaving them out changes nothing."""
_OF_TRAINING = (
    *("kernel_initializer", "kernel_regularizer", "kernel_constraint", "dtype", "fused", "implementation"),
    *(
        "renorm_clipping",
        "renorm_momentum",
        "synchronized",
        "seed",
        "input_axes",
        "output_axes",
        "experimental_autocast",
    ),
    *("batch_input_shape", "input_shape", "input_dim", "input_length", "input_dtype", "autocast", "noise_shape"),
    "experimental_autocast",
)
"""Arguments that a class no longer takes, and that change nothing in inference, whatever they are."""

_LEFT_OUT = ("__passive_serialization__", "shared_object_id")


def modernized(config: Any, where: str) -> Any:
    """Return a configuration in which every object names its module, with arguments that its class takes.

    Args:
        config: of a model, as JSON data; it stays as it is.
        where: what an error names: the file.

    Raises:
        StageError: it calls functions of TensorFlow that are no layers, or a layer has an argument that its class does
            not take and that would change what it computes.
    """
    config = as_layers(config)
    foreign = sorted({_function(item) for item, _ in objects(config) if item["class_name"] in _OPERATIONS})
    if foreign:
        raise StageError(
            "the model calls functions of TensorFlow that are no layers of Keras 3",
            where=where,
            expected="layers of Keras",
            received=", ".join(foreign),
            fix="write them as layers, such as Rescaling, Add, ReLU or Reshape, and save the model again",
        )
    return _modern(config, where)


def _function(item: Mapping[str, Any]) -> str:
    config = item.get("config")
    return f"tf.{config.get('function', config.get('name'))}" if isinstance(config, dict) else item["class_name"]


def _modern(config: Any, where: str) -> Any:
    """Return the same for a part of a configuration."""
    if isinstance(config, list):
        return [_modern(part, where) for part in config]
    if not isinstance(config, dict):
        return config
    config = {key: part for key, part in config.items() if key not in _LEFT_OUT}
    found = _class_of(config) if isinstance(config.get("class_name"), str) and "config" in config else None
    if found is None:  # data, or a class that `codesign.keras_model.file.check_objects` refuses by name
        return {key: _modern(part, where) for key, part in config.items()}
    kind, names = found
    inner = _sequential(config) if names["class_name"] == "Sequential" else config["config"]
    inner = _modern(inner, where)
    if names["class_name"] == "DTypePolicy":
        return inner["name"] if isinstance(inner, dict) and "name" in inner else "float32"
    if isinstance(inner, dict):
        inner = _arguments(kind, names["class_name"], inner, where)
    others = {key: part for key, part in config.items() if key != "config"}  # among them the calls of a layer
    return {**others, **names, "config": inner}


def _class_of(item: Mapping[str, Any]) -> tuple[Any, dict[str, Any]] | None:
    """Return the class that an object's configuration names, and how a ``.keras`` file names it; None if unknown."""
    import keras

    module, full = item.get("module"), item["class_name"]
    if module is not None and (str(module).partition(".")[0] not in _HOMES or ".ops" in module):
        return None
    name = _RENAMED.get(full, full)
    if name in _MODELS:
        kind = keras.Sequential if name == "Sequential" else keras.Model
        names = {"module": "keras", "registered_name": None} if name == "Sequential" else _FUNCTIONAL
        return kind, {**names, "class_name": name}
    if name == "DTypePolicy":
        return keras.DTypePolicy, {"class_name": name}
    for key in (item.get("registered_name"), full, f"qkeras>{full}", f"codesign>{full}", f"Custom>{full}"):
        registered = keras.saving.get_registered_object(key) if isinstance(key, str) and ">" in key else None
        if registered is not None:
            names = {"module": registered.__module__, "class_name": registered.__name__, "registered_name": key}
            return registered, names
    if name in unregistered():
        kind = unregistered()[name]
        return kind, {"module": kind.__module__, "class_name": name, "registered_name": name}
    found = [(getattr(getattr(keras, place), name, None), f"keras.{place}") for place in _PLACES]
    kind, home = next(((kind, place) for kind, place in found if inspect.isclass(kind)), (None, ""))
    operation = _operation(item, kind) if module is None else None
    if operation is not None:
        return operation, {"module": operation.__module__, "class_name": name, "registered_name": name}
    return None if kind is None else (kind, {"module": home, "class_name": name, "registered_name": None})


def _operation(item: Mapping[str, Any], layer: Any) -> Any:
    """Return the operation of ``keras.ops`` that is called in a model, if it is one and not a ``layer`` of its name."""
    import keras

    nodes, name = item.get("inbound_nodes"), item["class_name"]
    if not isinstance(nodes, list) or not nodes or not isinstance(nodes[0], dict):
        return None
    homes = [importlib.import_module(f"keras.src.ops.{home}") for home in ("numpy", "nn", "core", "math")]
    kinds = [vars(home).get(name) for home in homes]
    kind = next((kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, keras.Operation)), None)
    tensors = len(nodes[0].get("args", ()))
    return kind if kind and (layer is None or tensors > 1 or not set(item["config"]) <= _taken(layer)) else None


def _arguments(kind: Any, name: str, config: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the arguments of an object without those that its class no longer takes."""
    changed = dict(config)
    if name == "InputLayer" and "batch_input_shape" in changed:
        changed.setdefault("batch_shape", changed.pop("batch_input_shape"))
    if isinstance(changed.get("axis"), list) and len(changed["axis"]) == 1:
        changed["axis"] = changed["axis"][0]
    if name in _MODELS:
        return _connected(changed)
    for old, new in _RENAMED_ARGUMENTS.get(name, {}).items():
        if old in changed:
            changed.setdefault(new, changed.pop(old))
    taken = _taken(kind)
    for key in [key for key in changed if key not in taken]:
        value = changed.pop(key)
        if key not in _OF_TRAINING and value not in _NEUTRAL.get(key, ()):
            raise StageError(
                f"{name} has no argument {key!r} in this version of Keras",
                where=f"{where}: layer {config.get('name', name)!r}",
                expected="arguments of Keras 3 or QKeras, or old ones that change nothing",
                received=f"{key}={value!r}"[:100],
                fix="build the model from layers of Keras 3, and save it again",
            )
    return changed


def _taken(kind: Any) -> set[str]:
    """Return the names of the arguments of a class, with those that it passes on to its bases."""
    names: set[str] = set()
    for base in inspect.getmro(kind):
        made = vars(base).get("__init__")
        parameters = inspect.signature(made).parameters.values() if inspect.isfunction(made) else ()
        names |= {item.name for item in parameters if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL)}
        if parameters and not any(item.kind is item.VAR_KEYWORD for item in parameters):
            break
    return names - {"self"}


def _connected(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a model with the calls of its layers numbered as Keras 3 does.

    Keras 2 counts the making of a model as the first call of it: one inside another is first called by its number 1.
    """
    layers = [layer for layer in config.get("layers", ()) if isinstance(layer, dict)]
    calls = {layer.get("name"): layer.get("inbound_nodes", ()) for layer in layers}
    inner = {layer.get("name"): layer.get("class_name") for layer in layers if layer.get("class_name") in _MODELS}
    read = [part for nodes in calls.values() for node in nodes for part in _packed(node)]
    ends = [_packed(config.get(key)) for key in ("input_layers", "output_layers")]
    shifted = {part[0] for part in (*read, *ends[1]) if part[0] in inner and part[1] >= len(calls[part[0]])}
    for part in read:
        part[1] -= part[0] in shifted
    for part in ends[1]:  # of a functional model Keras 3 itself subtracts one here
        part[1] -= part[0] in shifted and inner[part[0]] == "Sequential"
    return {key: _unpacked(part) if key.endswith("put_layers") else part for key, part in config.items()}


def _packed(tensors: Any) -> list[list[Any]]:
    """Return inputs or outputs of a model as a list, each [layer, call, tensor]."""
    found = [tensors] if isinstance(tensors, list) and tensors and isinstance(tensors[0], str) else tensors
    return [part for part in found if isinstance(part, list) and len(part) >= 3] if isinstance(found, list) else []


def _unpacked(tensors: Any) -> Any:
    """Return the one input or output of a model by itself: Keras 2 wrote a list of one, too."""
    return tensors[0] if isinstance(tensors, list) and len(tensors) == 1 else tensors


def _sequential(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a Sequential that says in its first layer what a frame is, as Keras 3 does."""
    config, named = item["config"], {"name": item.get("name", "sequential")}
    changed: dict[str, Any] = {**named, **({"layers": config} if isinstance(config, list) else config)}
    layers = list(changed.get("layers", ()))
    first: dict[str, Any] = layers[0] if layers and isinstance(layers[0], dict) else {}
    inner: Any = first.get("config")
    given = inner.get("batch_input_shape") if isinstance(inner, dict) else None
    if given is not None and first.get("class_name") not in ("InputLayer", *_MODELS):
        frame = {"batch_shape": given, "dtype": "float32", "name": f"{inner.get('name', 'frame')}_input"}
        layers.insert(0, {"module": "keras.layers", "class_name": "InputLayer", "config": frame})
    return {**changed, "layers": layers}
