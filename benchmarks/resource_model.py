# SPDX-License-Identifier: Apache-2.0
"""Find the coefficients of the resource model: ``python -m benchmarks.resource_model`` writes the JSON of the package.

Three of four drawn networks (`benchmarks.resource_networks`) calibrate it, the others are held out: the errors in the
JSON are theirs. Coefficients are the non-negative ones of the least squares of relative errors, over leaves and, four
times as heavy, over whole layers; a little of their size is added to the errors: no term grows without a reason.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls  # type: ignore[import-untyped]

from benchmarks.resource_board import board_sample, surrounded
from benchmarks.resource_networks import PAIRS, network
from benchmarks.resource_samples import REST, Leaf, Sample, by_layer, sampled
from codesign import provenance
from codesign.errors import CodesignError
from codesign.fit.leaves import terms
from codesign.fit.memories import LUTS, memories_of, widths_of
from codesign.fit.multiplications import multipliers
from codesign.fit.resources import MODEL
from codesign.graph.ir import Graph
from codesign.outputs import write_text
from codesign.report.document import fill, table

FIRST_SEED, NETWORKS, HELD_OUT = 100, 36, 4
"""The networks that are drawn; one of so many is held out."""
SMALL = 60
"""An error is that of a leaf or layer of at least so many cells."""
LEAF_WEIGHT, RIDGE = 0.25, 0.02
AROUND = ((1, 1.0), (4, None), (8, None))
"""P and the hold of the first activation of designs that are built for a board."""
Term = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An equation: the terms of some leaves, and what they take beside distributed RAM (``known``)."""

    terms: dict[Term, float]
    value: float
    known: float
    weight: float


def draw(seed: int) -> Graph:
    """Return a network of the set."""
    return network(seed, *PAIRS[seed % len(PAIRS)])


def row(leaves: Iterable[Leaf], kind: str, weight: float = 1.0) -> Row:
    """Return the equation of leaves together, for ``lut`` or ``ff``."""
    found: dict[Term, float] = defaultdict(float)
    value = known = 0.0
    for leaf in leaves:
        own = LUTS * leaf.distributed if kind == "lut" else 0
        value, known = value + getattr(leaf, kind) - own, known + own
        if leaf.leaf != REST:
            for name, amount in terms(leaf.instance()).items():
                found[leaf.leaf, name] += amount
    return Row(terms=dict(found), value=value, known=known, weight=weight)


def rows(sample: Sample, graph: Graph, kind: str) -> list[Row]:
    """Return the equations of a network: of its layers, and of their leaves."""
    layers = [row(leaves, kind) for leaves in by_layer(sample, graph).values()]
    return layers + [row([leaf], kind, LEAF_WEIGHT) for leaf in sample.leaves if leaf.node]


def solve(equations: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return the coefficients of every term, by leaf."""
    columns = {term: at for at, term in enumerate(sorted({term for each in equations for term in each.terms}))}
    matrix: NDArray[np.float64] = np.zeros((len(equations), len(columns)))
    values = np.zeros(len(equations))
    for at, each in enumerate(equations):
        scale = each.weight / max(SMALL, each.value + each.known)
        values[at] = each.value * scale
        for term, amount in each.terms.items():
            matrix[at, columns[term]] = amount * scale
    largest = np.maximum(matrix.max(axis=0), 1e-9)
    stacked = np.vstack([matrix / largest, RIDGE * np.eye(len(columns))])
    found, _ = nnls(stacked, np.concatenate([values, np.zeros(len(columns))]), maxiter=50 * len(columns))
    made: dict[str, dict[str, float]] = defaultdict(dict)
    for (leaf, name), at in columns.items():
        if found[at] > 0:
            made[leaf][name] = round(float(found[at] / largest[at]), 4)
    return dict(made)


def predicted(each: Row, coefficients: dict[str, dict[str, float]]) -> float:
    """Return what the model makes of an equation's left side."""
    return each.known + sum(
        amount * coefficients.get(leaf, {}).get(name, 0.0) for (leaf, name), amount in each.terms.items()
    )


def errors(
    held_out: Sequence[tuple[Sample, Graph]], coefficients: dict[str, dict[str, float]], kind: str
) -> dict[str, dict[str, float]]:
    """Return the number of layers and of whole networks, and their median and worst relative error."""
    found: dict[str, list[float]] = {"layers": [], "networks": []}
    for sample, graph in held_out:
        layers = by_layer(sample, graph)
        for name, leaves in layers.items():
            if name != REST:
                found["layers"].append(_error(row(leaves, kind), coefficients))
        found["networks"].append(_error(row(sample.leaves, kind), coefficients))
    return {
        name: {"count": len(each), "median": round(float(np.median(each)), 4), "worst": round(max(each), 4)}
        for name, each in found.items()
    }


def _error(each: Row, coefficients: dict[str, dict[str, float]]) -> float:
    total = each.value + each.known
    return abs(predicted(each, coefficients) - total) / max(SMALL, total)


def wrong(samples: Sequence[tuple[Sample, Graph]]) -> dict[str, int]:
    """Return the leaves that were looked at, and those whose multipliers or block RAMs are not as Yosys has them."""
    found = {"leaves": 0, "dsp": 0, "block_rams": 0}
    for sample, graph in samples:
        widths = {node.name: widths_of(graph, node.name) for node in graph.nodes}
        for leaf in sample.leaves:
            if leaf.leaf == REST:
                continue
            instance = leaf.instance()
            blocks = sum(item.blocks for item in memories_of(instance, widths.get(leaf.node, {})))
            found["leaves"] += 1
            found["dsp"] += multipliers(instance) != leaf.dsp
            found["block_rams"] += blocks != leaf.block_rams
    return found


def calibrate(samples: Sequence[tuple[Sample, Graph]], around: Mapping[str, list[Row]]) -> dict[str, Any]:
    """Return the JSON of the model; ``around``: equations of what stands around a design, by kind."""
    held_out = [pair for at, pair in enumerate(samples) if at % HELD_OUT == HELD_OUT - 1]
    used = [pair for at, pair in enumerate(samples) if at % HELD_OUT != HELD_OUT - 1]
    model = {
        kind: solve([*around[kind], *(each for pair in used for each in rows(*pair, kind))]) for kind in ("lut", "ff")
    }
    return {
        "family": "ecp5",
        "tool": "yosys",
        "tool_version": samples[0][0].tool_version,
        "calibrated_on": {"networks": len(used), "engines": sum(len(graph.engines) for _, graph in used)},
        "held_out": {"networks": len(held_out), "engines": sum(len(graph.engines) for _, graph in held_out)},
        "errors": {kind: errors(held_out, model[kind], kind) for kind in ("lut", "ff")},
        "wrong": wrong(samples),
        **model,
    }


def board_rows(folder: Path) -> dict[str, list[Row]]:
    """Return the equations of what stands around a design: registers, serial link and pads."""
    found: dict[str, list[Row]] = {"lut": [], "ff": []}
    for lanes, hold in AROUND:
        graph = surrounded(lanes, hold)
        for leaves in board_sample(graph, folder / f"board_{lanes}"):
            for kind, equations in found.items():
                equations.append(row(leaves, kind))
    return found


def samples(folder: Path, jobs: int) -> list[tuple[Sample, Graph]]:
    """Synthesise every network, ``jobs`` at a time, in folders below ``folder``; those that are there are read."""

    def one(seed: int) -> tuple[Sample, Graph]:
        graph = draw(seed)
        found = sampled(graph, seed, folder / str(seed))
        print(f"{seed}: {sum(leaf.lut for leaf in found.leaves):,} LUTs", flush=True)
        return found, graph

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, range(FIRST_SEED, FIRST_SEED + NETWORKS)))


def summary(found: dict[str, Any]) -> str:
    """Return the errors as a Markdown table."""
    head = ("held-out", "number", "median", "worst")
    names = {"layers": "layers, each with the activation behind it", "networks": "whole networks"}
    body = [
        (f"{kind.upper()}s of {names[what]}", str(each["count"]), f"{each['median']:.1%}", f"{each['worst']:.1%}")
        for kind in ("lut", "ff")
        for what, each in found["errors"][kind].items()
    ]
    wrongs = found["wrong"]
    used, held = found["calibrated_on"], found["held_out"]
    return (
        f"{table(head, body)}\n\n"
        f"Calibrated on {used['networks']} networks with {used['engines']} engines, held out: {held['networks']} with "
        f"{held['engines']}; Yosys {found['tool_version']}, ECP5.\nOf {wrongs['leaves']:,} leaves of all of them, "
        f"{wrongs['dsp']} have other multipliers than the model says, and {wrongs['block_rams']} other block RAMs."
    )


def main() -> int:
    """Calibrate, and write the model and its errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/resource_model"), help="where Yosys works")
    parser.add_argument("--jobs", type=int, default=max(1, provenance.cores()), help="runs of Yosys at a time")
    parser.add_argument("--json", type=Path, default=MODEL, help="the model")
    parser.add_argument("--markdown", type=Path, help="document whose marks get the errors")
    arguments = parser.parse_args()
    pairs = samples(arguments.folder, arguments.jobs)
    around = board_rows(arguments.folder)
    found = calibrate(pairs, around)
    write_text(arguments.json, json.dumps(found, indent=1) + "\n")
    if arguments.markdown:
        fill(arguments.markdown, {"resource model": summary(found)})
    print(summary(found))
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CodesignError as error:
        raise SystemExit(f"error: {error}") from None
