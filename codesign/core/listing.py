# SPDX-License-Identifier: Apache-2.0
"""A program as a person reads it: where everything lies, what it takes, and what frames touched of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codesign.core.compiler import Compiled
from codesign.core.config import CHUNK_BITS, WORD_BITS
from codesign.core.interpret import Counts
from codesign.core.memory import MEMORIES
from codesign.core.program import CODES, EVENTS, Step
from codesign.core.records import row_bits

_ROW_BITS = {
    "sum_words": "sums",
    "weight_lines": "weights",
    "table_rows": "tables",
    "param_rows": "params",
    "places": "places",
    "walks": "walks",
}
"""Section whose lines a memory holds, by its depth."""


def listing(
    compiled: Compiled,
    counts: Counts | None = None,
    cycles: np.ndarray | None = None,
    moved: np.ndarray | None = None,
) -> str:
    """Return what a program is: memories, engines, steps and their readers, a line each.

    Args:
        compiled: the program.
        counts: what an interpreter counted; the last columns are then means per frame, without the first one where
            there are more.
        cycles: of each step in the same frames, ``[T, steps]``.
        moved: bytes to and from the external memory, the same; None without one.
    """
    program, config = compiled.program, compiled.program.config
    head = (
        f"{compiled.graph.name}: design {program.design:08x}, {config.lanes} lanes, {config.quantisers} quantisers, "
        f"codes of {config.code_bits} bits, weights of {config.weight_bits}, sums of {config.sum_bits}, "
        f"{program.beats} beats in, {program.output_beats} out"
    )
    parts = [
        head,
        _memories(compiled),
        _engines(compiled),
        _steps(compiled, counts, cycles, moved),
        _readers(compiled, counts),
    ]
    return "\n\n".join(parts) + "\n"


def memory_bits(compiled: Compiled) -> dict[str, int]:
    """Return the bits that a program uses of each memory, by the name of its depth in `CoreConfig`."""
    config, lines = compiled.program.config, row_bits(compiled.program.config)
    bits = {name: lines[section] for name, section in _ROW_BITS.items()}
    bits |= {"code_rows": config.quantisers * config.code_bits, "step_words": WORD_BITS, "chunks": CHUNK_BITS}
    return {name: count * bits[name] for name, count in compiled.program.needs().items()}


def _memories(compiled: Compiled) -> str:
    config, needs, bits = compiled.program.config, compiled.program.needs(), memory_bits(compiled)
    rows = [
        (
            MEMORIES[name],
            f"{count}",
            f"{getattr(config, name)}",
            f"{count / getattr(config, name):.0%}",
            f"{bits[name]}",
        )
        for name, count in needs.items()
    ]
    rows.append(("all", "", "", "", f"{sum(bits.values())}"))
    return _table(("memory", "used", "of", "", "bits"), rows)


def _engines(compiled: Compiled) -> str:
    rows = []
    for number, name in enumerate(compiled.engines):
        layout = compiled.layouts[name]
        steps = [step for step in compiled.program.steps if _sends(step) and step.engine == number]
        step = next(step for step in steps if step.sweep_words)
        planes = f" x {layout.planes}" if layout.planes > 1 else ""
        rows.append(
            (
                name,
                type(compiled.graph[name]).__name__,
                f"{layout.positions} x {layout.channels}",
                f"{layout.plane_groups} x {layout.used}{planes}",
                f"{layout.words}",
                f"{step.taps}",
                _range(step.sum_base, layout.words * step.taps),
                _range(step.bias_base, step.bias_period * layout.planes),
                f"{layout.size / (layout.words * compiled.program.config.lanes):.0%}",
            )
        )
    head = ("engine", "", "positions x channels", "words x lanes", "words", "taps", "sums", "biases", "lanes used")
    return _table(head, rows)


def _sends(step: Step) -> bool:
    return not step.source and step.packet != CODES


def _steps(compiled: Compiled, counts: Counts | None, cycles: np.ndarray | None, moved: np.ndarray | None) -> str:
    rows, costs = [], {name: cost for name, cost in (("cycles", cycles), ("bytes", moved)) if cost is not None}
    for number, (name, step) in enumerate(zip(compiled.steps, compiled.program.steps, strict=True)):
        what = "input" if step.source else compiled.engines[step.engine] if _sends(step) else compiled.steps[-2]
        code = _range(step.code_base, step.words * step.parts) if step.packet != 1 else ""
        sends = ("", "", "") if step.packet != EVENTS else _how(step, _params(compiled, step))
        counted = () if counts is None else (counts.visited, counts.tokens, counts.events)
        touched = _means(*counted, *costs.values(), at=number)
        rows.append((name, what, f"{step.words}", f"{step.parts}", code, *sends, *touched))
    head = ("step", "sends", "words", "parts", "codes", "parameters", "shift, clip", "")
    columns = (*(("visited", "tokens", "events") if counts else ()), *costs)
    return _table((*head, *columns), rows)


def _params(compiled: Compiled, step: Step) -> np.ndarray:
    rows: np.ndarray = compiled.program.params[step.param_base : step.param_base + step.groups * step.parts]
    return rows.reshape(-1, rows.shape[-1])


def _how(step: Step, params: np.ndarray) -> tuple[str, str, str]:
    """Return where parameters are, how sums become codes, and what else is to be said."""
    used = params[params[:, 0] == 1]
    words = ["relu"] * step.relu + ["keeps marks"] * step.keep
    steps, holds = sorted(set(used[:, 1].tolist())), used[:, 2]
    words += [f"step 2**{steps[0]}" + (f" to 2**{steps[-1]}" if len(steps) > 1 else "")] if steps != [0] else []
    words += (
        [f"hold {holds.min()}" + (f" to {holds.max()}" if holds.min() < holds.max() else "")] if holds.any() else []
    )
    return _range(step.param_base, step.groups * step.parts), f"{step.shift}, {step.lo} to {step.hi}", ", ".join(words)


def _readers(compiled: Compiled, counts: Counts | None) -> str:
    rows, program = [], compiled.program
    for number, (reader, place, walk) in enumerate(zip(compiled.readers, program.places, program.walks, strict=True)):
        way = "lane for lane" if walk.channelwise else "element to lanes" if place.element else "lane to lanes"
        touched = () if counts is None else _means(counts.hits, counts.marked, counts.operations, at=number)
        rows.append(
            (
                reader.delta,
                reader.engine,
                way + (", maximum" if walk.maximum else ""),
                f"{walk.groups}",
                _range(walk.weight_base, reader.lines),
                f"{place.row_table}, {place.column_table}",
                f"{reader.rows}",
                *touched,
            )
        )
    head = ("events of", "reach", "how", "groups", "weights", "tables at", "entries")
    return _table((*head, *(("hits", "touched", "operations") if counts else ())), rows)


def _means(*counted: np.ndarray, at: int) -> tuple[str, ...]:
    """Return the mean per frame of each, without the first frame where there are more."""
    return tuple(f"{count[min(1, len(count) - 1) :, at].mean():.1f}" if len(count) else "" for count in counted)


def _range(first: int, count: int) -> str:
    return f"{first}+{count}" if count else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns that are as wide as their longest entry; numbers to the right."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [all(_number(row[at]) for row in rows) and bool(rows) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _number(text: str) -> bool:
    return not text or (text[0].isdigit() and set(text) <= set("0123456789.%"))
