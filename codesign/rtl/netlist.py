# SPDX-License-Identifier: Apache-2.0
"""A generated top as records: streams, the leaves between them, and the parameters of each; no text.

`codesign.rtl.top` makes them from a graph, `codesign.rtl.verilog` writes them, and everything that
asks what is in a design, such as `codesign.synth.memory`, reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from codesign.rtl.spec import TopSpec
from codesign.rtl.tokens import Token

Parameter: TypeAlias = int | bool | str
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
        node: name of the graph's node that it works for; "" for what serves the whole top.
        parameters: parameters of the leaf.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one node of the graph becomes.

    Attributes:
        about: the node in a few words.
        streams: streams that it declares.
        signals: signals that it declares.
        assigns: assignments of the signals that no leaf drives.
        instances: the leaves that compute it, from its inputs to its output.
    """

    about: str
    streams: tuple[Stream, ...] = ()
    signals: tuple[Signal, ...] = ()
    assigns: tuple[Assign, ...] = ()
    instances: tuple[Instance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """A generated top.

    Attributes:
        graph: name of the graph.
        pipeline: the way from its input to its output, in one line.
        spec: its ports and counters.
        parts: part of each node, in topological order, then what serves all of them.
    """

    graph: str
    pipeline: str
    spec: TopSpec
    parts: tuple[Part, ...]

    @property
    def instances(self) -> Iterator[Instance]:
        """Every leaf, from the input to the output."""
        return (instance for part in self.parts for instance in part.instances)

    @property
    def streams(self) -> Iterator[Stream]:
        """Every stream."""
        return (stream for part in self.parts for stream in part.streams)
