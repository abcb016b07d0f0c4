# SPDX-License-Identifier: Apache-2.0
"""Opening a ``.keras`` file that may have come from anywhere: only layers whose code is known here are made.

Keras' own safe mode refuses lambdas, but makes objects of any module that a file names. Here the configuration is read
first, as data: every class and function in it has to be one of Keras' layers and their parts, QKeras', ours, or one
that this process has registered itself. The bytes that were checked are those that are loaded.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from codesign import trust
from codesign.errors import StageError, TrustError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LARGEST = 1 << 32
"""Bytes of a file, packed and unpacked."""
_DATA = ("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__")
"""What Keras writes for values that are no objects of a class."""
_KERAS = re.compile(
    r"(builtins|keras|keras\.(layers|models|initializers|regularizers|constraints|activations|quantizers|ops"
    r"|dtype_policies|optimizers|optimizers\.schedules|losses|metrics)|keras\.src\.(models|layers|ops)(\.\w+)*"
    r"|qkeras(\.\w+)*|codesign\.(layers|training)(\.\w+)*)"
)
_FOREIGN = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__typespec__")
"""What holds code, or runs what lies in other files."""
_LOOKUPS = ("StringLookup", "IntegerLookup", "TextVectorization")
"""Layers of Keras that read a file that their configuration names."""
_NAME = re.compile(r"\w+")
_CALLED = re.compile(r"quantizer|activation|initializer|constraint|regularizer")
_QUANTIZERS = re.compile(r"quantized_\w+|stochastic_\w+|(stochastic_)?(binary|ternary)|bernoulli")


def load_keras(path: Path, *, fix: str) -> Any:
    """Return the Keras model in a ``.keras`` file, not compiled, with finite weights.

    Args:
        path: path of the file.
        fix: the next step where it cannot be read.

    Raises:
        StageError: there is no such file, it is damaged, of another version, or its weights do not fit.
        TrustError: it names code: a Lambda layer, or a class that is not known here.
    """
    content = trust.read_regular(path.resolve(), largest=LARGEST) if path.exists() else None
    if content is None:
        raise StageError("there is no trained model", where=str(path), expected="a .keras file", fix=fix)
    return made(content, path, fix=fix)


def made(content: bytes, path: Path, *, fix: str, renewed: Callable[[Any], Any] | None = None) -> Any:
    """Return the same for the bytes of a file.

    Args:
        content: what was read from ``path``.
        path: what an error names.
        fix: as of `load_keras`.
        renewed: changes the configuration before it is checked.
    """
    config, version = _configuration(content, path, fix)
    if renewed is not None:
        config = renewed(config)
        content = _with_configuration(content, config)
    check_objects(config, path, modules=renewed is not None)
    import keras

    try:
        with tempfile.NamedTemporaryFile(suffix=".keras", dir=trust.private("models")) as copy:
            copy.write(content)
            copy.flush()
            model = keras.models.load_model(copy.name, custom_objects=unregistered(), compile=False, safe_mode=True)
    except Exception as problem:  # Keras has no errors of its own
        newer = (
            f" It was saved by Keras {version}; this is {keras.__version__}." if version != keras.__version__ else ""
        )
        raise StageError(
            "the model cannot be made",
            where=str(path),
            expected="a whole .keras file whose weights fit its layers",
            received=f"{in_words(problem)}{newer}",
            fix=fix,
        ) from problem
    check_finite(model, path, fix)
    return model


def check_objects(config: Any, path: Path, *, modules: bool = False) -> None:
    """Check that a model's configuration names no code but that of layers that are known here.

    Args:
        config: of the model.
        path: what an error names.
        modules: what has no module is not known either: Keras would look for it in a namespace that holds more.

    Raises:
        TrustError: it does; names the layer and what it is.
    """
    for item, layer in objects(config):
        where = f"{path}: layer {layer!r}" if layer else str(path)
        name, module = item["class_name"], item.get("module")
        if name in _FOREIGN:
            raise TrustError(
                "the model holds code of its own, which would run here",
                where=where,
                expected="layers of Keras, QKeras and codesign.layers",
                received=f"a {'Lambda layer' if name in ('Lambda', '__lambda__') else name}",
                fix="replace it by a layer that has a name for what it does, and save the model again",
            )
        function = item.get("config") if name == "function" else name
        function = function if isinstance(function, str) else ""
        known = _NAME.fullmatch(function) and (_registered(item, function) or _of_keras(function, module))
        if name not in _DATA and (not known or (modules and module is None)):
            raise TrustError(
                "the model names code that is not known here",
                where=where,
                expected="layers of Keras, QKeras and codesign.layers, or a registered class",
                received=f"{function[:60]} of {str(module)[:60]}",
                fix="if you trust the file, first import the module that registers the class with "
                "keras.saving.register_keras_serializable",
            )
        _check_quantizers(item.get("config"), where)


def _of_keras(name: str, module: object) -> bool:
    own = module is None or (isinstance(module, str) and _KERAS.fullmatch(module) is not None)
    return own and name not in _LOOKUPS


def _check_quantizers(config: Any, where: str) -> None:
    """Check the texts that QKeras makes calls of: they name quantisers only.

    Raises:
        TrustError: one names something else.
    """
    for key, value in config.items() if isinstance(config, dict) else ():
        called = value.partition("(")[0].strip() if isinstance(value, str) and "(" in value else None
        if called is not None and _CALLED.search(key) and not _QUANTIZERS.fullmatch(called):
            raise TrustError(
                "the model calls what is no quantizer",
                where=f"{where}, {key}",
                expected="a quantizer of QKeras, such as quantized_bits(4, 0, alpha=1)",
                received=value[:60],
                fix="replace it and save the model again",
            )


def unregistered() -> dict[str, Any]:
    """Return layers of QKeras that it does not register with Keras, by name (qkeras-v3 1.2)."""
    import qkeras

    return {"QDenseBatchnorm": qkeras.QDenseBatchnorm}


def in_words(problem: Exception) -> str:
    """Return what an error of Keras says in one line: where it reports another one, what that says."""
    _, _, text = str(problem).rpartition("Exception encountered:")
    first = (text.strip().splitlines() or [""])[0][:200]
    return f"{type(problem).__name__}: {first}" if first else type(problem).__name__


def _configuration(content: bytes, path: Path, fix: str) -> tuple[Any, str | None]:
    """Return what the file's configuration holds, and the version of Keras that wrote it."""
    expected = f"a .keras file: a zip archive with {CONFIG} and {WEIGHTS}"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(item.file_size for item in archive.infolist()) > LARGEST:
                raise ValueError(f"more than {LARGEST:,} bytes unpacked")
            damaged = archive.testzip()
            if damaged is not None:
                raise ValueError(f"{damaged} is damaged")
            config = json.loads(archive.read(CONFIG))
            version = (
                json.loads(archive.read(METADATA)).get("keras_version") if METADATA in archive.namelist() else None
            )
    except Exception as problem:  # zipfile and json have many
        old = content[:8] == b"\x89HDF\r\n\x1a\n"
        raise StageError(
            "the model cannot be read",
            where=str(path),
            expected=expected,
            received="an HDF5 file, the older format" if old else in_words(problem),
            fix="save the model as .keras" if old else fix,
        ) from problem
    if not isinstance(config, dict) or "class_name" not in config:
        received = f"{CONFIG} without a class_name"
        raise StageError("the model cannot be read", where=str(path), expected=expected, received=received, fix=fix)
    return config, version


def _with_configuration(content: bytes, config: Any) -> bytes:
    """Return a ``.keras`` file with another configuration."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps(config) if name == CONFIG else old.read(name))
    return changed.getvalue()


def objects(config: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield everything that Keras would make an object of, with the name of the layer around it."""
    waiting = [(config, "")]
    while waiting:
        item, layer = waiting.pop()
        if isinstance(item, dict):
            if "class_name" in item:
                inner = item.get("config")
                name = inner.get("name") if isinstance(inner, dict) and "trainable" in inner else None
                layer = name if isinstance(name, str) else layer
                yield item, layer
            waiting += [(part, layer) for part in item.values()]
        elif isinstance(item, list):
            waiting += [(part, layer) for part in item]


def _registered(item: dict[str, Any], name: str) -> bool:
    """Return whether a class or function is one that this process has registered: its code is here already."""
    import keras

    registered = name if item["class_name"] == "function" else item.get("registered_name") or name
    return isinstance(registered, str) and keras.saving.get_registered_object(registered) is not None


def check_finite(model: Any, path: Path, fix: str) -> None:
    """Check that all weights of a model are numbers.

    Raises:
        StageError: one is NaN or infinite.
    """
    for weight in model.weights:
        values = weight.numpy()
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise StageError(
                "a weight is not a number",
                where=str(path),
                expected="finite weights",
                received=f"NaN or infinity in {weight.path}",
                fix=fix,
            )
