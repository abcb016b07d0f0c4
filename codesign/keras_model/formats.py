# SPDX-License-Identifier: Apache-2.0
"""What a model file is, by its content: a name never decides. Formats that are not read are refused with what to do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from codesign import trust
from codesign.errors import StageError, TrustError
from codesign.keras_model.hdf5 import SIGNATURE

KERAS, HDF5, JSON = "keras", "hdf5", "json"
READ = "a model of Keras: .keras, HDF5 (.h5), or an architecture as .json with weights=..."
LARGEST = 1 << 32
_KERAS = "save the Keras model that it was made from: model.save('model.keras')"
_TORCH = (
    "convert it with hls4ml.converters.convert_from_pytorch_model, or build the model in Keras and copy the weights"
)
_AGAIN = "copy or download it again"
_SAVED_MODEL = (
    "where its source is at hand, save the model as .keras; else load it with the TensorFlow that wrote it, "
    "tf_keras.models.load_model(folder), and save it as model.h5"
)


def content_of(path: Path, what: str = "model") -> bytes:
    """Return the bytes of a file.

    Raises:
        StageError: there is no such file, or it is a folder.
    """
    if path.is_dir():
        raise _folder(path)
    content = trust.read_regular(path.resolve(), largest=LARGEST) if path.exists() else None
    if content is None:
        raise StageError(f"there is no {what}", where=str(path), expected=READ, fix="check the path")
    return content


def format_of(content: bytes, path: Path) -> str:
    """Return `KERAS`, `HDF5` or `JSON`.

    Raises:
        StageError: it is something else; says what, and what to do.
        TrustError: it is a pickle, which would run code.
    """
    if content.startswith(SIGNATURE):
        return HDF5
    if content.startswith(b"PK\x03\x04"):
        return _archive(content, path)
    if content.lstrip()[:1] == b"{":
        return JSON
    received, fix = _other(content, path)
    kind = TrustError if "pickle" in received else StageError
    raise kind("the model cannot be read", where=str(path), expected=READ, received=received, fix=fix)


def _archive(content: bytes, path: Path) -> str:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as problem:
        raise StageError(
            "the model cannot be read",
            where=str(path),
            expected=READ,
            received=f"a .keras file or another zip archive, cut off or damaged ({problem})",
            fix=_AGAIN,
        ) from problem
    if "config.json" in names:
        return KERAS
    received, fix = "a zip archive without config.json", _KERAS
    if any(name.endswith(("data.pkl", "constants.pkl")) for name in names):
        received, fix = "a file of PyTorch, which holds a pickle", _TORCH
    elif any(name.endswith("saved_model.pb") for name in names):
        received, fix = "a zip archive of a TensorFlow SavedModel", _SAVED_MODEL
    elif names and all(name.endswith(".npy") for name in names):
        received, fix = "arrays of NumPy (.npz), without an architecture", "build the model and model.set_weights()"
    kind = TrustError if "pickle" in received else StageError
    raise kind("the model cannot be read", where=str(path), expected=READ, received=received, fix=fix)


def _other(content: bytes, path: Path) -> tuple[str, str]:
    """Return what a file is that is not read, and what to do."""
    start, suffix = content[:512], path.suffix.lower()
    if not content:
        return "an empty file", _AGAIN
    if start[4:8] == b"TFL3":
        return "a TensorFlow Lite model, whose weights are rounded already", _KERAS
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return "a pickle, as PyTorch and joblib write it: reading it runs what it names", _TORCH
    if start.startswith(b"version https://git-lfs"):
        return "the pointer of a file in Git LFS, not the file", "git lfs pull"
    if start.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a page of the web, not the file", "download the file itself: the raw link"
    if start.startswith((b"backend:", b"class_name:", b"config:")):
        return "an architecture as YAML", "save it as JSON: model.to_json()"
    if suffix == ".onnx" or (start[:1] == b"\x08" and any(name in start for name in (b"onnx", b"pytorch", b"keras2"))):
        return "an ONNX model", "convert it with hls4ml.converters.convert_from_onnx_model, or export the Keras model"
    if suffix == ".pb" or b"saved_model" in start:
        return "a graph of TensorFlow", _SAVED_MODEL
    return f"bytes that begin with {start[:8].hex(' ')}", _AGAIN


def _folder(path: Path) -> StageError:
    received, fix = "a folder", "give the file in it"
    if (path / "saved_model.pb").exists() or (path / "saved_model.pbtxt").exists():
        received, fix = "a TensorFlow SavedModel", _SAVED_MODEL
    elif (path / "checkpoint").exists():
        received, fix = "a folder of TensorFlow checkpoints, without an architecture", _KERAS
    return StageError("the model cannot be read", where=str(path), expected=READ, received=received, fix=fix)
