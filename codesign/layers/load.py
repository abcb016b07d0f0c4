# SPDX-License-Identifier: Apache-2.0
"""`load_model`: a Keras model from a file that anyone may have written, in any format that Keras had."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import keras
import qkeras  # noqa: F401  (registers its layers)

import codesign.layers  # noqa: F401  (registers ours)
from codesign import trust
from codesign.errors import CodesignError, StageError
from codesign.keras_model import hdf5
from codesign.keras_model.file import check_finite, check_objects, in_words, made, unregistered
from codesign.keras_model.formats import HDF5, JSON, KERAS, READ, content_of, format_of
from codesign.keras_model.old_config import modernized

_TRAINED = "model.keras"
"""What a training writes into its folder."""


def load_model(path: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None) -> Any:
    """Return the Keras model in a file, not compiled; what the file says of optimizers and losses is not read.

    No code of the file is run: it may name layers of Keras, QKeras and `codesign.layers`, and classes that this process
    has registered with ``keras.saving.register_keras_serializable``.

    Args:
        path: a ``.keras`` file; an HDF5 file of Keras 2 or 3; an architecture as JSON, of ``model.to_json()``; or the
            folder of a training. The content decides, not the name.
        weights: with an architecture, its weights: an HDF5 file of ``model.save_weights()`` or ``model.save()``.

    Raises:
        StageError: it cannot be read: says what it is and what to do.
        TrustError: it names code: a Lambda layer, a class that is not known here; or it is a pickle.
    """
    file = Path(path)
    if file.is_dir() and (file / _TRAINED).is_file():
        file = file / _TRAINED
    content = content_of(file)
    kind = format_of(content, file)
    if weights is not None and kind != JSON:
        raise StageError(
            "the model has weights of its own",
            where=str(file),
            expected="an architecture as JSON where weights= is given",
            received="a .keras file" if kind == KERAS else "an HDF5 file",
            fix="leave out weights=",
        )
    if kind == KERAS:
        return made(content, file, fix="copy or save it again", renewed=lambda config: modernized(config, str(file)))
    model = _of_hdf5(content, file) if kind == HDF5 else _of_json(content, file, weights)
    check_finite(model, file, "train or save it again")
    return model


def _of_hdf5(content: bytes, file: Path) -> Any:
    with hdf5.opened(content, str(file)) as opened:
        config = hdf5.architecture(opened, str(file))
        if config is None:
            raise StageError(
                "the file holds weights only, not what they belong to",
                where=str(file),
                expected=READ,
                received="an HDF5 file without an architecture",
                fix="give the architecture, too: load_model('model.json', weights=...), where model.json is what "
                "model.to_json() returns; or save the whole model: model.save('model.keras')",
            )
        model = _made(config, file)
        hdf5.assign_weights(opened, model, str(file))
    return model


def _of_json(content: bytes, file: Path, weights: str | os.PathLike[str] | None) -> Any:
    try:
        config = json.loads(content)
    except ValueError as problem:
        raise StageError(
            "the architecture cannot be read",
            where=str(file),
            expected="JSON",
            received=str(problem),
            fix="save it again",
        ) from problem
    if weights is None:
        raise StageError(
            "an architecture has no weights",
            where=str(file),
            expected=READ,
            received="JSON alone",
            fix=f"give them, too: load_model({file.name!r}, weights='model.weights.h5')",
        )
    model, path = _made(config, file), Path(weights)
    data = content_of(path, "file of weights")
    if format_of(data, path) != HDF5:
        raise StageError(
            "the weights cannot be read", where=str(path), expected="an HDF5 file", fix="use model.save_weights('w.h5')"
        )
    with hdf5.opened(data, str(path)) as opened:
        if not hdf5.is_new_weights(opened):
            hdf5.assign_weights(opened, model, str(path))
            return model
    with tempfile.NamedTemporaryFile(suffix=".weights.h5", dir=trust.private("models")) as copy:
        copy.write(data)
        copy.flush()
        try:
            model.load_weights(copy.name)
        except Exception as problem:  # Keras has no errors of its own
            raise StageError(
                "the weights do not fit the model",
                where=str(path),
                expected=f"weights of {file.name}",
                received=in_words(problem),
                fix="give the architecture and the weights of one model",
            ) from problem
    return model


def _made(config: Any, file: Path) -> Any:
    """Return the model of a configuration, with the weights that its initializers give it."""
    if not isinstance(config, dict) or "class_name" not in config:
        raise StageError(
            "the architecture cannot be read",
            where=str(file),
            expected="what model.to_json() returns",
            received="JSON without a class_name",
            fix="save it again",
        )
    try:
        config = modernized(config, str(file))
        check_objects(config, file, modules=True)
        model = keras.saving.deserialize_keras_object(config, custom_objects=unregistered(), safe_mode=True)
    except CodesignError:
        raise
    except Exception as problem:  # Keras has no errors of its own
        raise StageError(
            "the model cannot be made",
            where=str(file),
            expected="layers of Keras or QKeras with arguments that they take",
            received=in_words(problem),
            fix="build the model from layers of Keras 3, and save it again",
        ) from problem
    if not isinstance(model, keras.Model) or not model.built:
        raise StageError(
            "what a frame is cannot be told",
            where=str(file),
            expected="a model with an input of a known shape",
            received=type(model).__name__,
            fix="put keras.Input(shape) in front, and save it again",
        )
    return model
