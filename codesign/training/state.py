# SPDX-License-Identifier: Apache-2.0
"""`State`: where training is, as a checkpoint holds it; `hand_over`: weights from one network to the next."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from codesign.stored import DAMAGED

ARRAYS = ("weights", "others", "optimizer", "best", "float_weights")
NUMBERS = ("phase", "epoch", "log", "results")


@dataclass(slots=True, kw_only=True)
class State:
    """Where training is; what a checkpoint holds.

    Attributes:
        weights: weights of the network.
        others: weights of the clip model that are not the network's, such as the factor of the sparsity loss; empty
            at the start of a phase.
        optimizer: its variables; empty at the start of a phase.
        best: weights of the network after the best epoch of the phase; empty unless a phase may stop early.
        float_weights: weights of the trained float network, of which the others are made; empty before, and where they
            are not made of it.
        phase: index of the current phase.
        epoch: epochs done in it.
        log: one line for every epoch done.
        results: figures of every phase done.
    """

    weights: list[np.ndarray]
    others: list[np.ndarray] = field(default_factory=list)
    optimizer: list[np.ndarray] = field(default_factory=list)
    best: list[np.ndarray] = field(default_factory=list)
    float_weights: list[np.ndarray] = field(default_factory=list)
    phase: int = 0
    epoch: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def save(self, path: Path, key: str) -> None:
        """Write the state so that an interruption at any time leaves a whole file."""
        meta: dict[str, Any] = {name: getattr(self, name) for name in NUMBERS} | {"key": key}
        meta["arrays"] = {name: len(getattr(self, name)) for name in ARRAYS}
        arrays: dict[str, Any] = {f"{name}{i}": array for name in ARRAYS for i, array in enumerate(getattr(self, name))}
        unfinished = path.with_name(f"{path.stem}_{uuid.uuid4().hex}.part")  # two processes may write one network
        try:
            with unfinished.open("wb") as file:
                np.savez(file, meta=np.array(json.dumps(meta)), **arrays)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, key: str) -> State | None:
        """Return the state saved at ``path`` with the same ``key``; None if there is none or it is damaged."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                meta = json.loads(str(data["meta"]))
                if meta["key"] != key:
                    return None
                arrays = {name: [data[f"{name}{i}"] for i in range(meta["arrays"][name])] for name in ARRAYS}
                numbers = {name: meta[name] for name in NUMBERS}
        except DAMAGED:
            return None
        kinds = (int, int, list, dict)
        whole = all(type(value) is kind for value, kind in zip(numbers.values(), kinds, strict=True))
        state: dict[str, Any] = {**arrays, **numbers}
        return cls(**state) if whole and min(numbers["phase"], numbers["epoch"]) >= 0 else None


def hand_over(network: Any, successor: Any) -> list[np.ndarray]:
    """Return the weights of ``successor`` with those that ``network`` has too taken from it.

    Weights are the same if layer and weight have the same names and shape; QKeras calls the kernel of a depthwise
    convolution ``depthwise_kernel``, Keras ``kernel``. Others, such as a trained step of an activation that was a
    relu before, are as they start.
    """
    known = {_key(layer, weight): weight for layer in network.layers for weight in layer.weights}
    for layer in successor.layers:
        for weight in layer.weights:
            found = known.get(_key(layer, weight))
            if found is not None:
                weight.assign(found.numpy())
    weights: list[np.ndarray] = successor.get_weights()
    return weights


def _key(layer: Any, weight: Any) -> tuple[Any, ...]:
    return layer.name, weight.name.removeprefix("depthwise_"), tuple(weight.shape)
