# SPDX-License-Identifier: Apache-2.0
"""Single dense layers to measure: random square ones, and those of a trained design with the codes they really see."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codesign.fixed import Fixed, IntArray
from codesign.graph.file import load_graph
from codesign.graph.golden import Golden
from codesign.graph.ir import Delta, Dense, Graph, Source, accumulator_format
from codesign.paths import BuildFolder
from codesign.verify.clips import load_clips

CODE_BITS = 4
WEIGHT_BITS = 6
BIAS = 500
"""Largest magnitude of a random bias."""
LANES = 16
"""Input codes per beat, and most multiply-accumulates per cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A dense layer alone: its graph, and the clip it is measured on.

    Attributes:
        name: name in the tables.
        graph: `Source`, an identity `Delta` that keeps every bit, `Dense`.
        clip: its input codes in a trained design, ``[T, n_in]``; None: streams of given density are made.
    """

    name: str
    graph: Graph
    clip: IntArray | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Inputs and outputs."""
        return self.graph.source.size, self.graph.output.size


def square(size: int, seed: int) -> Layer:
    """Return ``size`` x ``size`` random weights of 6 bits, with unsigned input codes of 4 bits."""
    rng = np.random.default_rng([seed, size])
    fmt = Fixed(width=WEIGHT_BITS, frac=WEIGHT_BITS - 1, signed=True)
    weight = rng.integers(fmt.lo, fmt.hi, (size, size), endpoint=True)
    bias = rng.integers(-BIAS, BIAS, size, endpoint=True)
    codes = Fixed(width=CODE_BITS, frac=CODE_BITS, signed=False)
    return Layer(name=f"{size} x {size}, random", graph=single(f"square_{size}", weight, bias, fmt, codes))


def trained(build: Path) -> tuple[Layer, ...]:
    """Return the dense layers of a finished design, each with its input codes on the design's first clip.

    A layer whose input can be negative is left out: the unrolled one takes unsigned codes.
    """
    graph = load_graph(build / BuildFolder.GRAPH)
    codes = Golden(graph).run(load_clips(build / BuildFolder.GRAPH)[0]).codes
    found = []
    for node in graph.linears:
        delta = graph[node.inputs[0]]
        if isinstance(node, Dense) and isinstance(delta, Delta) and not delta.fmt.signed:
            alone = single(f"{graph.name}_{node.name}", node.weight, node.bias, node.weight_fmt, delta.fmt)
            name = f"{node.n_in} x {node.n_out}, {node.name} of {graph.name}"
            found.append(Layer(name=name, graph=alone, clip=codes[delta.name]))
    return tuple(found)


def single(name: str, weight: IntArray, bias: IntArray, weight_fmt: Fixed, codes: Fixed) -> Graph:
    """Return one dense layer after an activation that sends every change of an input code."""
    size, outputs = weight.shape
    source = Source(name="frame", shape=(size,), fmt=codes, lanes=LANES)
    delta = Delta(
        name="input",
        input=source.name,
        shape=source.shape,
        in_fmt=codes,
        fmt=codes,
        activation="identity",
        lo=codes.lo,
        hi=codes.hi,
    )
    fmt = accumulator_format("fc", weight, bias, weight_fmt=weight_fmt, delta=delta)
    pe = max(number for number in range(1, LANES + 1) if outputs % number == 0)
    dense = Dense(name="fc", input=delta.name, weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=pe)
    return Graph(name=name, nodes=(source, delta, dense))
