# SPDX-License-Identifier: Apache-2.0
"""`evaluate`: what a network does on clips; `Confusion`: how those of each class are classified."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from codesign.data.clips import ClipSource
from codesign.fixed import PIXEL, Fixed
from codesign.layers import Engines, over_time
from codesign.layers.meter import Ratio
from codesign.layers.streaming import float64, in_float64
from codesign.training.feed import Feed, errors_of


@keras.saving.register_keras_serializable(package="codesign")
class Confusion(keras.metrics.Metric):  # type: ignore[misc]
    """Counts clips by true class and by the class with the largest output (the first one of equal ones).

    Its value is the share on the diagonal: the accuracy, from integer counts.

    Args:
        classes: number of classes.

    Attributes:
        counts: int64 ``[true class, chosen class]``.
    """

    def __init__(self, classes: int, name: str = "confusion", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.classes = classes
        self.counts = self.add_variable((classes, classes), "zeros", dtype="int64", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
        """Count class indices ``[B]`` or ``[B, 1]`` and outputs ``[B, classes]``."""
        true, chosen = ops.reshape(y_true, (-1,)), ops.argmax(y_pred, axis=-1)
        rows = ops.one_hot(ops.cast(true, "int64"), self.classes, dtype="int64")
        columns = ops.one_hot(ops.cast(chosen, "int64"), self.classes, dtype="int64")
        self.counts.assign_add(ops.sum(rows[:, :, None] * columns[:, None, :], axis=0))

    def result(self) -> Any:
        """Return the share of clips on the diagonal, float64; NaN before the first clip."""
        right = ops.sum(ops.diagonal(self.counts))
        return ops.cast(right, "float64") / ops.cast(ops.sum(self.counts), "float64")

    def table(self) -> list[list[int]]:
        """Return the counts."""
        found: list[list[int]] = np.asarray(self.counts).tolist()
        return found

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}


def evaluate(
    network: Any,
    clips: ClipSource,
    *,
    deltas: bool = True,
    engines: Engines | None = None,
    fmt: Fixed = PIXEL,
    by_class: bool = False,
) -> dict[str, Any]:
    """Return ``accuracy`` and ``confusion`` of a frame model that reads ``fmt`` on ``clips``, exact: in float64, head
    'mean'.

    ``confusion`` counts clips by true class (rows) and chosen class.

    With ``deltas`` also ``operation_sparsity``, ``spatial_sparsity``, ``density`` by linear layer and
    ``events_per_frame``; with ``engines`` ``cycles_per_frame`` of the slowest layer; and ``by_class`` the first of
    these for the clips of each class alone, ``class_sparsity``, from the same pass. First frames are left out.
    """
    model, counters = _counting(network, clips, engines)
    labels = range(model.output_shape[-1]) if deltas and by_class else ()
    feeds = [Feed(clips, np.flatnonzero(clips.labels == label), fmt=fmt) for label in labels] or [Feed(clips, fmt=fmt)]
    counts, sparsities = [0 * counter.numpy() for counter in _variables(counters)], list[float | None]()
    for feed in feeds:
        if not len(feed):
            sparsities.append(None)
            continue
        with float64(), errors_of(feed):
            logs = model.evaluate(feed.dataset(), verbose=0, return_dict=True)
        counts = [count + counter.numpy() for count, counter in zip(counts, _variables(counters), strict=True)]
        sparsities.append(float(logs["operation_sparsity"]) if deltas else None)
    for counter, count in zip(_variables(counters), counts, strict=True):
        counter.assign(count)
    found = {counter.name: float(counter.result()) for counter in counters}
    figures: dict[str, Any] = {"accuracy": found["confusion"], "confusion": counters[0].table()}
    if deltas:
        names = ("operation_sparsity", "spatial_sparsity", *(("cycles_per_frame",) if engines else ()))
        figures |= {name: found[name] for name in names}
        density = {name.removeprefix("density/"): v for name, v in found.items() if name.startswith("density/")}
        figures["density"] = density
        sizes = {name: math.prod(network.get_layer(name).input.shape[1:]) for name in density}
        figures["events_per_frame"] = sum(share * sizes[name] for name, share in density.items())
    return figures | ({"class_sparsity": sparsities} if labels else {})


def _counting(network: Any, clips: ClipSource, engines: Engines | None) -> tuple[Any, list[Any]]:
    """Return the clip model of a frame model in float64, and what counts in it: a `Confusion`, then each `Ratio`."""
    with float64():
        model = over_time(in_float64(network), clips.shape[0], "mean", engines=engines)
        confusion = Confusion(model.output_shape[-1])
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[confusion])
    return model, [confusion, *(metric for metric in model.metrics if isinstance(metric, Ratio))]


def _variables(counters: list[Any]) -> list[Any]:
    return [variable for counter in counters for variable in counter.variables]
