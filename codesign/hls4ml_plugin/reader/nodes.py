# SPDX-License-Identifier: Apache-2.0
"""The nodes of a graph while it is built, and what each tensor of hls4ml stands for."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from codesign.errors import ConversionError
from codesign.fixed import Fixed
from codesign.graph.ir import Delta, Engine, Node, Source
from codesign.graph.wide import check_code_width
from codesign.hls4ml_plugin.reader.linear import Padding


def merged(first: Delta, fields: Mapping[str, Any]) -> Delta | None:
    """Return one activation that is ``first`` and then one of ``fields``; None if there is none.

    There is one if the first keeps every bit but for a clip, as a relu does: rounding never changes an order.
    """
    changes: dict[str, Any] = {"step_log2": (0,), "hold": None, **fields}
    second = replace(first, **changes)
    steps = {*second.step_log2}
    if first.hold is not None or any(first.step_log2) or first.shift:
        return None
    relu = "relu" in (first.activation, second.activation)
    lo, hi = 0 if relu else second.lo, second.hi
    clips_lo = not relu and first.lo * first.fmt.scale > first.in_fmt.lo * first.in_fmt.scale
    clips_hi = first.hi * first.fmt.scale < first.in_fmt.hi * first.in_fmt.scale
    if clips_lo or clips_hi:
        least, most = (_rounded(code, first.fmt, second.fmt, steps) for code in (first.lo, first.hi))
        if second.hold is not None or least is None or most is None:
            return None
        lo, hi = max(lo, least) if clips_lo else lo, min(hi, most) if clips_hi else hi
    return replace(second, activation="relu" if relu else "identity", lo=lo, hi=hi)


def _rounded(code: int, fmt: Fixed, to: Fixed, steps: Set[int]) -> int | None:
    """Return the code of ``to`` that a code of ``fmt`` is rounded to; None if that differs by step."""
    found = {round(Fraction(code) * Fraction(2) ** (to.frac - fmt.frac - step)) << step for step in steps}
    return found.pop() if len(found) == 1 else None


class Zeros(NamedTuple):
    """A ZeroPadding layer that the convolution or pooling after it is to make."""

    name: str
    padding: Padding


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """What a tensor of hls4ml stands for.

    Attributes:
        node: name of the node that makes its codes, in raster order.
        shape: shape of a frame as the user sees it, without ``zeros``.
        zeros: padding that the readers of the tensor have yet to make.
        log2_scale: its values are those of the node's codes times two to this power.
    """

    node: str
    shape: tuple[int, ...]
    zeros: Zeros | None = None
    log2_scale: int = 0

    def fmt(self, fmt: Fixed) -> Fixed:
        """Return ``fmt``, which the node has, with the values that the tensor stands for."""
        return replace(fmt, frac=fmt.frac - self.log2_scale)


class Nodes:
    """Nodes in topological order, by name. An engine gets its codes from `codes`, which adds a missing `Delta`.

    `merged` holds activations that read what another one does, and compute both: the name of each, and of the other.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._identities: dict[str, Delta] = {}
        self.merged: dict[str, str] = {}

    def __getitem__(self, name: str) -> Node:
        """Return the node called ``name``."""
        return self._nodes[name]

    def all(self) -> tuple[Node, ...]:
        """Return every node that is read, and the last one, in order."""
        kept: list[Node] = []
        for node in reversed(self._nodes.values()):
            if not kept or any(node.name in other.inputs for other in kept):
                kept.insert(0, node)
        return tuple(kept)

    def add(self, node: Source | Engine, shape: tuple[int, ...]) -> Tensor:
        """Append ``node`` and return its output, which the user sees as ``shape``.

        Raises:
            ConversionError: another node has its name.
        """
        return self._append(node, shape)

    def replace(self, node: Node) -> None:
        """Put ``node`` in the place of the one that has its name."""
        self._nodes[node.name] = node

    def activation(self, name: str, tensor: Tensor, **fields: Any) -> Tensor:
        """Append a `Delta` of ``tensor`` with further ``fields`` and return its output.

        Raises:
            ConversionError: ``tensor`` is one of codes already, and not of a relu; or an input that is quantised
                elsewhere, too.
        """
        before = self._nodes[tensor.node]
        channels = tensor.shape[-1]
        if isinstance(before, Delta):
            first = replace(before, fmt=tensor.fmt(before.fmt), in_fmt=tensor.fmt(before.in_fmt))
            both = merged(first, {**fields, "name": name, "shape": tensor.shape, "channels": channels})
            if both is not None and not isinstance(self._nodes[before.input], Source):
                self.merged[name] = before.name
                return self._append(both, tensor.shape)
            raise ConversionError(
                "two activations in a row: the second would quantise the first",
                where=name,
                expected="a layer that computes between them, or a relu before a quantizer",
                received=f"{name!r} right after {before.name!r}",
                fix="remove one of the two",
            )
        other = next((node for node in self._nodes.values() if tensor.node in node.inputs), None)
        if isinstance(before, Source) and other is not None:
            raise ConversionError(
                "the input is quantised once",
                where=name,
                expected="one activation after the input, which everything else reads",
                received=f"{name!r} beside {other.name!r}",
                fix="let every branch start at one activation, or none",
            )
        in_fmt = tensor.fmt(before.fmt)
        delta = Delta(name=name, input=before.name, shape=tensor.shape, in_fmt=in_fmt, channels=channels, **fields)
        return self._append(delta, tensor.shape)

    def codes(self, tensor: Tensor, reader: str) -> Delta:
        """Return the `Delta` whose codes ``tensor`` is; an identity, which all readers share, if an engine makes it.

        Its format is that of the values that the tensor stands for.

        Args:
            tensor: tensor to be read.
            reader: name of the engine that reads it; the identity is named after the first.
        """
        node = self._nodes[tensor.node]
        if not isinstance(node, Delta):
            if node.name not in self._identities:
                plain = replace(tensor, log2_scale=0)
                delta = self._nodes[self.identity(self._free(f"{reader}_input"), plain).node]
                assert isinstance(delta, Delta)
                self._identities[node.name] = delta
            node = self._identities[node.name]
        return replace(node, fmt=tensor.fmt(node.fmt), in_fmt=tensor.fmt(node.in_fmt))

    def identity(self, name: str, tensor: Tensor) -> Tensor:
        """Append a `Delta` that keeps every bit of ``tensor`` and return its output.

        Raises:
            AccumulatorRangeError: that are more bits than a code has.
        """
        fmt = tensor.fmt(self._nodes[tensor.node].fmt)
        check_code_width(tensor.node, fmt)
        return self.activation(name, tensor, fmt=fmt, activation="identity", lo=fmt.lo, hi=fmt.hi)

    def _free(self, name: str) -> str:
        """Return ``name``, or with the first number after it that makes it a new one."""
        number = 1
        free = name
        while free in self._nodes:
            number += 1
            free = f"{name}{number}"
        return free

    def _append(self, node: Node, shape: tuple[int, ...]) -> Tensor:
        if node.name in self._nodes:
            raise ConversionError(
                "two nodes share a name", where=node.name, received=list(self._nodes), fix="rename one layer"
            )
        self._nodes[node.name] = node
        return Tensor(node=node.name, shape=shape)
