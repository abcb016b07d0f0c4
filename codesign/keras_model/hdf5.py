# SPDX-License-Identifier: Apache-2.0
"""Models and weights in HDF5 files: the format of Keras 2, which Keras 3 still writes.

What is read are the bytes that were given: a file whose parts lie in other files is refused, and a weight is read only
once its size is known to be that of the layer's. Weights are found by their names, and by their order where the names
leave no doubt: never by their order alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from codesign.errors import CodesignError, StageError, TrustError
from codesign.keras_model.file import in_words

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ROOT = "model_weights"
_SYNONYMS = {"depthwise_kernel": "kernel"}
"""Last names of weights in Keras 2, and what Keras 3 calls the same weight."""


@contextmanager
def opened(content: bytes, where: str) -> Iterator[h5py.File]:
    """Open an HDF5 file from its bytes.

    Raises:
        StageError: it is damaged.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            yield file
    except CodesignError:
        raise
    except Exception as problem:  # h5py has many, and finds damage only where it reads
        cut = "truncated" in str(problem)
        raise StageError(
            "the model cannot be read",
            where=where,
            expected="a whole HDF5 file",
            received=f"an HDF5 file cut off after {len(content):,} bytes"
            if cut
            else f"a damaged HDF5 file ({in_words(problem)})",
            fix="copy or download it again",
        ) from problem


def architecture(file: h5py.File, where: str) -> Any:
    """Return the configuration of the model in a file as JSON data; None if it holds weights only.

    Raises:
        StageError: it is no JSON.
    """
    config = file.attrs.get("model_config")
    if config is None:
        return None
    try:
        return json.loads(config)
    except (TypeError, ValueError) as problem:
        raise StageError(
            "the model cannot be read",
            where=where,
            expected="JSON in the attribute model_config",
            received=str(problem),
            fix="save the model again",
        ) from problem


def is_new_weights(file: h5py.File) -> bool:
    """Return whether a file is one that ``save_weights("x.weights.h5")`` of Keras 3 writes."""
    return "layer_names" not in file.attrs and ("layers" in file or "_layer_checkpoint_dependencies" in file)


def assign_weights(file: h5py.File, model: Any, where: str) -> None:
    """Give a model the weights in a file.

    Raises:
        StageError: they are not those of its layers; names the layer.
        TrustError: a weight lies in another file.
    """
    root = file if "layer_names" in file.attrs or _ROOT not in file else _part(file, _ROOT, where)
    saved = {name: _saved(_part(root, name, where), where) for name in _texts(root, "layer_names")}
    saved = {name: weights for name, weights in saved.items() if weights}
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    pairs = [(name, name) for name in layers]
    if set(saved) != set(layers):
        if len(saved) != len(layers):
            raise StageError(
                "the weights are those of another model",
                where=where,
                expected=f"weights of {len(layers)} layers: {_listed(layers)}",
                received=f"weights of {len(saved)}: {_listed(saved)}",
                fix="give the architecture and the weights of one model",
            )
        pairs = list(zip(layers, saved, strict=True))
    for layer, name in pairs:
        _assign(layers[layer], saved[name], where)


def _assign(layer: Any, saved: Sequence[tuple[str, h5py.Dataset]], where: str) -> None:
    variables = [*layer.trainable_weights, *layer.non_trainable_weights]
    order = matched([variable.path for variable in variables], [name for name, _ in saved])
    if order is None or any(
        tuple(saved[position][1].shape) != tuple(variable.shape)
        for variable, position in zip(variables, order, strict=True)
    ):
        raise StageError(
            "the weights do not fit the layer",
            where=f"{where}: layer {layer.name!r}",
            expected=_listed(f"{variable.path} {tuple(variable.shape)}" for variable in variables),
            received=_listed(f"{name} {tuple(data.shape)}" for name, data in saved),
            fix="give the architecture and the weights of one model",
        )
    for variable, position in zip(variables, order, strict=True):
        variable.assign(np.asarray(saved[position][1][()]))


def matched(variables: Sequence[str], saved: Sequence[str]) -> list[int] | None:
    """Return which of the ``saved`` weights each of a layer's variables is; None if it cannot be told.

    Args:
        variables: paths of variables in Keras 3, such as "conv/kernel".
        saved: names in the file, such as "conv/kernel:0".
    """
    if len(variables) != len(saved):
        return None
    for length in (1, 2):
        own, other = ([_end(name, length) for name in names] for names in (variables, saved))
        if sorted(own) == sorted(other) and len(set(own)) == len(own):
            return [other.index(name) for name in own]
    own, other = ([_end(name, 1) for name in names] for names in (variables, saved))
    return list(range(len(own))) if own == other else None


def _end(name: str, length: int) -> tuple[str, ...]:
    """Return the last parts of a weight's name: without what makes it the first or second of its graph."""
    *before, last = name.partition(":")[0].split("/")
    return (*before, _SYNONYMS.get(last, last))[-length:]


def _saved(group: Any, where: str) -> list[tuple[str, h5py.Dataset]]:
    return [(name, _part(group, name, where)) for name in _texts(group, "weight_names")]


def _texts(group: Any, name: str) -> list[str]:
    """Return a list of names in attributes, which Keras writes in several parts where it is long."""
    keys = [name] if name in group.attrs else [key for number in range(len(group.attrs)) if (key := f"{name}{number}")]
    found = [part for key in keys if key in group.attrs for part in group.attrs[key]]
    return [part.decode() if isinstance(part, bytes) else str(part) for part in found]


def _part(group: Any, name: str, where: str) -> Any:
    """Return a group or dataset of a file that lies in it itself.

    Raises:
        StageError: there is none.
        TrustError: it is somewhere else.
    """
    found = group
    for part in name.strip("/").split("/"):
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if link is not None and not isinstance(link, h5py.HardLink):
            raise _elsewhere(f"{name}: {type(link).__name__}", where)
        if link is None:
            raise StageError(
                "a part of the file is missing", where=where, expected=name, fix="copy or download it again"
            )
        found = found[part]
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        raise _elsewhere(f"{name}: a dataset in other files", where)
    return found


def _elsewhere(received: str, where: str) -> TrustError:
    return TrustError(
        "a part of the model is a link, which may lead out of the file",
        where=where,
        expected="weights in the file itself",
        received=received,
        fix="save the model again as one file",
    )


def _listed(names: Any, most: int = 8) -> str:
    found = list(names)
    return ", ".join(map(str, found[:most])) + (f" and {len(found) - most} more" if len(found) > most else "")
