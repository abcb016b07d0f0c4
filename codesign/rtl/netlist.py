# SPDX-License-Identifier: Apache-2.0
"""A generated top as records: streams, the leaves between them, and the parameters of each; no text.

`codesign.rtl.top` makes them from a graph, `codesign.rtl.verilog` writes them, and whoever wants to know what is in a
design, such as `codesign.synth.memory`, reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from codesign.rtl.spec import TopSpec
from codesign.rtl.tokens import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class TopParameter:
    """A parameter of the top that is handed on to a leaf."""

    name: str


SKIP = TopParameter(name="Skip")
Parameter: TypeAlias = int | bool | str | TopParameter
"""Value of a leaf's parameter; a text is the name of a memory file."""
Parameters: TypeAlias = Mapping[str, Parameter]
"""Parameters of a leaf by their names in its SystemVerilog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A valid/ready stream."""

    name: str
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A vector of ``bits`` bits that is no stream."""

    name: str
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """A combinational assignment; ``value`` is a SystemVerilog expression."""

    target: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One leaf in the top.

    Attributes:
        leaf: ``delta_<leaf>`` is the module.
        name: ``i_<name>`` is the instance.
        node: of the graph, that it works for; "" for what serves the whole top.
        parameters: of the leaf.
        inputs: streams that it takes, in the order of its ports.
        outputs: streams that it sends.
        ports: its other ports, beside clock and reset, and the expressions that they are connected to.
    """

    leaf: str
    name: str
    node: str
    parameters: Parameters
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    ports: Mapping[str, str] = field(default_factory=dict)


Item: TypeAlias = Stream | Signal | Assign | Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one node of the graph becomes, in the order of its text; ``node`` is "" for what serves the whole top."""

    node: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """A generated top.

    Attributes:
        graph: name of the graph.
        spec: its outside.
        parts: of each node, in topological order, then what serves all of them.
    """

    graph: str
    spec: TopSpec
    parts: tuple[Part, ...]

    @property
    def instances(self) -> Iterator[Instance]:
        """Every leaf, in the order of the text."""
        return (item for part in self.parts for item in part.items if isinstance(item, Instance))

    @property
    def streams(self) -> Iterator[Stream]:
        """Every stream, in the order of the text."""
        return (item for part in self.parts for item in part.items if isinstance(item, Stream))
