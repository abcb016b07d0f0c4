# SPDX-License-Identifier: Apache-2.0
"""How the elements of one axis of a frame reach the outputs along it.

`Axis` is a kernel that slides (many inputs to one output), `Repeat` an element that is repeated (one input to many
outputs). Both answer the same questions, and the engines ask nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from codesign.errors import ConversionError
from codesign.fixed import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How a kernel slides along one axis: output ``o`` reads inputs ``o * stride - before + element of the kernel``.

    Attributes:
        size: input elements.
        kernel: kernel elements.
        stride: input elements from one output to the next.
        before: zeros padded before the first element.
        after: zeros padded after the last one.
    """

    size: int
    kernel: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0

    def __post_init__(self) -> None:
        if min(self.size, self.kernel, self.stride) < 1 or min(self.before, self.after) < 0 or self.outputs < 1:
            raise ConversionError(
                "a kernel does not fit its axis",
                expected="size, kernel, stride >= 1, padding >= 0, at least one output",
                received=self,
            )

    @classmethod
    def same(cls, size: int, kernel: int, stride: int) -> Axis:
        """Return Keras' padding 'same': ``ceil(size / stride)`` outputs, the odd zero at the end."""
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return cls(size=size, kernel=kernel, stride=stride, before=total // 2, after=total - total // 2)

    @property
    def outputs(self) -> int:
        """Output elements."""
        return (self.size + self.before + self.after - self.kernel) // self.stride + 1

    @property
    def padded(self) -> bool:
        """Whether an output reads a padded zero; zeros after the last output's last kernel element are not read."""
        return self.before > 0 or (self.outputs - 1) * self.stride + self.kernel > self.size

    def first(self, position: int) -> int:
        """Return the first output that input ``position`` reaches (may be one past the last when it reaches none)."""
        return max(0, -(-(position + self.before - self.kernel + 1) // self.stride))

    def last(self, position: int) -> int:
        """Return the last output that input ``position`` reaches (may be one before `first` when it reaches none)."""
        return min(self.outputs - 1, (position + self.before) // self.stride)

    def tap(self, position: int, output: int) -> int:
        """Return the kernel element with which input ``position`` reaches ``output``."""
        return position + self.before - output * self.stride

    def counts(self) -> IntArray:
        """Return how many outputs each input element reaches, ``[size]``."""
        return np.array([max(0, self.last(i) - self.first(i) + 1) for i in range(self.size)], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Every element of an axis is repeated ``factor`` times: output ``o`` reads input ``o // factor``.

    Attributes:
        size: input elements.
        factor: outputs of each.
    """

    size: int
    factor: int

    def __post_init__(self) -> None:
        if min(self.size, self.factor) < 1:
            raise ConversionError("an axis cannot be repeated so", expected="size, factor >= 1", received=self)

    @property
    def outputs(self) -> int:
        """Output elements."""
        return self.size * self.factor

    @property
    def kernel(self) -> int:
        """Kernel elements: one."""
        return 1

    @property
    def stride(self) -> int:
        """Lines of a weight memory between the kernel elements of neighbouring outputs: none, there is one element."""
        return 0

    def first(self, position: int) -> int:
        """Return the first output that input ``position`` reaches."""
        return position * self.factor

    def last(self, position: int) -> int:
        """Return the last output that input ``position`` reaches."""
        return position * self.factor + self.factor - 1

    def tap(self, position: int, output: int) -> int:  # noqa: ARG002  (the protocol of `Axis`)
        """Return 0, the only kernel element."""
        return 0

    def counts(self) -> IntArray:
        """Return how many outputs each input element reaches, ``[size]``."""
        return np.full(self.size, self.factor, dtype=np.int64)


AnyAxis: TypeAlias = Axis | Repeat
