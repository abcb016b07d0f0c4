# SPDX-License-Identifier: Apache-2.0
"""What travels between the HLS kernels: streams of tokens, one packed word each, with the widths of the graph.

==========  ==================================  ============================================================
token       fields, first in the high bits      from
==========  ==================================  ============================================================
event       ``{mark, address, delta}``          a `Delta`, or a join that another one carries on
word        ``{mark, index, values}``           an engine: the values of a touched word of PE lanes
beat        ``{flag, codes}``                   the outside: codes of a frame
==========  ==================================  ============================================================

A ``mark`` is a token of its own: the end of a frame or, with bit 0 set, the start of a stream before its first frame.
The ``flag`` of the input is set in the first beat of a stream, that of the output in the last of a frame.
`nnet_delta_common.h` packs and unpacks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hls4ml.backends.fpga.fpga_types import APTypeConverter, HLSTypeConverter
from hls4ml.backends.vivado.vivado_types import VivadoStreamVariableDefinition
from hls4ml.model.optimizer import GlobalOptimizerPass
from hls4ml.model.types import IntegerPrecisionType, NamedType, TensorVariable

from codesign.fixed import Fixed
from codesign.graph.ir import Delta, Engine, Graph, Join, Node

QUEUE = 64
"""Tokens that wait between two kernels: enough to hide the bursts of a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token of one address and ``lanes`` values.

    Attributes:
        count: things that can be addressed: elements of a frame, or words.
        value: format of a value, signed or not, without a fraction.
        lanes: values in a token; 1 for an event.
        addressed: False for a beat, whose place in the frame is known.
        spare: bits between mark and address that hold nothing.
    """

    count: int
    value: Fixed
    lanes: int = 1
    addressed: bool = True
    spare: int = 0

    @property
    def address(self) -> Fixed:
        """Format of an address."""
        return Fixed.holding(0, self.count - 1, frac=0)

    @property
    def bits(self) -> int:
        """Bits of a token."""
        return 1 + self.spare + self.addressed * self.address.width + self.lanes * self.value.width


def token_of(graph: Graph, node: Delta | Engine) -> Token:
    """Return the token that ``node`` sends; ``graph`` has joins of two inputs only."""
    if isinstance(node, Delta) or carries_on(graph, node):
        return events_of(graph, node)
    return words_of(node)


def beats_of(node: Node, fmt: Fixed, lanes: int) -> Token:
    """Return the beat of frames as large as those of ``node``, of ``lanes`` codes."""
    return Token(count=-(-node.size // lanes), value=integers(fmt), lanes=lanes, addressed=False)


def words_of(node: Engine) -> Token:
    """Return the word of the sums of an engine."""
    return Token(count=node.words, value=integers(node.fmt), lanes=node.pe)


def carries_on(graph: Graph, node: Node) -> bool:
    """Return whether ``node`` is a join whose sums are joined further: it sends events."""
    return isinstance(node, Join) and any(isinstance(graph[name], Join) for name in graph.readers(node.name))


def events_of(graph: Graph, node: Node) -> Token:
    """Return the event of a `Delta`, or of what a `Join` adds up."""
    if isinstance(node, Delta):
        return Token(count=node.size, value=Fixed(width=node.delta_bits, frac=0, signed=True))
    assert isinstance(node, Join)
    inputs = [events_of(graph, graph[name]).value.width for name in node.inputs]
    width = max(bits + shift for bits, shift in zip(inputs, node.shifts, strict=True))
    return Token(count=node.size, value=Fixed(width=width, frac=0, signed=True))


def integers(fmt: Fixed) -> Fixed:
    """Return the format of the codes of ``fmt`` as integers."""
    return Fixed(width=fmt.width, frac=0, signed=fmt.signed)


class TokenStream(TensorVariable, VivadoStreamVariableDefinition):  # type: ignore[misc]
    """A stream of tokens between two kernels, in io_parallel and io_stream alike.

    Attributes:
        pragma: how many of them it holds: `QUEUE`; where a tensor with several readers branches, a frame of them, so
            that no branch ever waits for another one within a frame.
    """

    def __init__(self, variable: Any, token: Token, *, branches: bool) -> None:
        precision = IntegerPrecisionType(width=token.bits, signed=False)
        name = variable.type.name
        super().__init__(variable.shape, variable.name, name, precision)
        self.type = HLSTypeConverter(precision_converter=APTypeConverter()).convert(NamedType(name, precision))
        frame = token.count + 1
        self.pragma = ("stream", frame if branches else min(QUEUE, frame))


class TokenStreams(GlobalOptimizerPass):  # type: ignore[misc]
    """Let tokens travel between delta layers; frames stay at the input and the output of the network."""

    def transform(self, model: Any, node: Any) -> bool:
        """Replace the outputs of a delta layer by streams; partition the array of a frame to what is read at once."""
        token, lanes = node.get_attr("token"), node.get_attr("lanes")
        for name in node.outputs:
            variable = node.get_output_variable(name)
            if token is not None and not isinstance(variable, TokenStream):
                node.set_attr(name, TokenStream(variable, token, branches=node.class_name == "DeltaCopy"))
            elif token is None and lanes is not None and model.config.get_config_value("IOType") == "io_parallel":
                mode = "reshape" if node.name in model.inputs else "partition"
                variable.pragma = (mode, "cyclic", lanes)
        return False
