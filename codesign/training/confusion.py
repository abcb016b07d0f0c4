# SPDX-License-Identifier: Apache-2.0
"""`Confusion`: how clips of each class are classified."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


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
