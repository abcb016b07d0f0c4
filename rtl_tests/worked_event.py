# SPDX-License-Identifier: Apache-2.0
"""``python rtl_tests/worked_event.py``: fill the tables of ``docs/architecture.md``.

They are the token formats, and one changed pixel on its way through a small design: every token of its frame, as the
models of the leaves send it. `bench_worked_event` finds the same tokens in the simulated RTL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from models import Beat, Encode, Place, Word, locate, pack, serialize, unpack

from codesign.fixed import Fixed, IntArray
from codesign.graph import Axis, Conv, Delta, Graph, Source, accumulator_format
from codesign.graph.golden import Golden
from codesign.report.document import fill, table
from codesign.rtl.about import about
from codesign.rtl.tokens import FLAGS, FORMATS, Token
from codesign.rtl.top import top_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"
PIXEL, BEFORE, AFTER = (2, 2), 3, 9
"""Row and column of the pixel that changes, and its codes."""
SHOWN = {
    "frame_word": "`encode`: a word for each beat",
    "scan_word": "`emit`: what changed in each word",
    "scan_event": "`serialize`: the changes, one by one",
    "edges_located": "`locate`: the outputs that they reach",
    "edges_word": "`conv`: the outputs that changed",
}
"""Streams of the example from the input to the output, and what they carry."""
Sent = tuple[str, int]
"""A stream of the top, and a token on it."""


def example() -> Graph:
    """Return the design: two edge filters of 3x3, stride 2, on pictures of 6x6 pixels of 4 bits."""
    code, narrow = Fixed(width=4, frac=0, signed=False), Fixed(width=3, frac=0, signed=True)
    edge = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]], np.int64)
    weight, bias = np.stack([edge, edge.T], axis=-1)[:, :, None, :], np.zeros(2, np.int64)
    shape = (6, 6, 1)
    delta = Delta(name="scan", input="frame", shape=shape, in_fmt=code, fmt=code, activation="identity", lo=0, hi=15)
    conv = Conv(
        name="edges",
        input="scan",
        weight=weight,
        bias=bias,
        weight_fmt=narrow,
        fmt=accumulator_format("edges", weight, bias, weight_fmt=narrow, delta=delta),
        y=Axis.same(6, 3, 2),
        x=Axis.same(6, 3, 2),
        pe=2,
    )
    return Graph(name="worked", nodes=(Source(name="frame", shape=shape, fmt=code, lanes=3), delta, conv))


def frames(graph: Graph) -> IntArray:
    """Return two frames of codes: all 0 but for one pixel, which changes."""
    made = np.zeros((2, *graph.source.shape), np.int64)
    made[0][PIXEL], made[1][PIXEL] = BEFORE, AFTER
    return made


def tokens(graph: Graph) -> dict[str, Token]:
    """Return the tokens of the streams that are shown."""
    return {stream.name: stream.token for stream in top_of(graph).streams if stream.name in SHOWN}


def sent(graph: Graph) -> list[Sent]:
    """Return every token of the second frame, stream by stream, as the models of the leaves send it."""
    known = tokens(graph)
    return [(stream, known[stream].pack(**fields)) for stream, fields in _fields(graph)]


def _fields(graph: Graph) -> Iterator[tuple[str, dict[str, Any]]]:
    source, scan, edges = graph.nodes
    assert isinstance(source, Source)
    assert isinstance(scan, Delta)
    assert isinstance(edges, Conv)
    codes, trace = frames(graph), Golden(graph).run(frames(graph))
    deltas = trace.deltas["scan"][1].reshape(source.beats, source.lanes).tolist()
    encode, words = Encode(beats=source.beats, lanes=source.lanes), list[Word]()
    for frame in codes:
        words = []
        for at, beat in enumerate(frame.reshape(source.beats, source.lanes).tolist()):
            last = Beat(codes=tuple(beat), last=at == source.beats - 1, user=False)
            words += encode.push(last, source.fmt.width)
    yield from (("frame_word", asdict(word)) for word in words)
    for word, row in zip(words, deltas, strict=True):
        flags = {name: value for name, value in asdict(word).items() if name != "data"}
        yield "scan_word", flags | {"mask": pack(map(bool, row), 1), "deltas": pack(row, scan.delta_bits)}
    lanes = ([delta or None for delta in row] for row in deltas)
    events = serialize(zip(words, lanes, strict=True), source.lanes)
    yield from (("scan_event", asdict(event)) for event in events)
    places = [place for event in events if (place := locate(edges, event)) is not None]
    yield from (("edges_located", asdict(place)) for place in places)
    yield from (("edges_word", asdict(word)) for word in _results(edges, places, trace.outputs[1]))


def _results(edges: Conv, places: list[Place], outputs: IntArray) -> list[Word]:
    """Return the words that events reach, row by row, and the end of the frame."""
    lines = outputs.reshape(edges.words, edges.pe)
    reached = sorted(
        row * edges.x.outputs + column
        for place in places
        for row in range(place.first_row, place.first_row + place.rows)
        for column in range(place.first_column, place.first_column + place.columns)
    )
    words = [Word(word=word, data=pack(lines[word], edges.fmt.width)) for word in reached]
    return [*words, Word(has_word=False, end_of_frame=True)]


def tables() -> dict[str, str]:
    """Return the tables of the page by name."""
    graph = example()
    design = "\n".join(f"* `{about(node)}`" for node in graph.nodes)
    return {"tokens": _formats(), "design": design, "event": _event(graph)}


def _formats() -> str:
    rows = [
        (f"**{item.name}** ({item.between})" if at == 0 else "", f"`{part.name}`", part.width, part.meaning)
        for item in FORMATS
        for at, part in enumerate(item.parts)
    ]
    return table(("token", "field", "bits", "meaning"), rows)


def _event(graph: Graph) -> str:
    """Return the tokens of the frame that say something; a run of empty words is one line."""
    known, rows, empty, before = tokens(graph), list[tuple[str, str, str]](), 0, ""
    for stream, token in sent(graph):
        fields = known[stream].unpack(token)
        if not any(value for name, value in fields.items() if name not in ("has_word", "word")):
            empty += 1
            continue
        if empty:
            rows.append(_row(stream, before, "", f"{empty} words in which nothing is set"))
            empty, before = 0, stream
        rows.append(_row(stream, before, f"`{token:0{-(-known[stream].bits // 4)}x}`", _shown(graph, stream, fields)))
        before = stream
    return table(("stream", "token", "fields that are not 0"), rows)


def _row(stream: str, before: str, token: str, fields: str) -> tuple[str, str, str]:
    return ("" if stream == before else f"{SHOWN[stream]} (`{stream}`)", token, fields)


def _shown(graph: Graph, stream: str, fields: dict[str, int]) -> str:
    """Return the fields of a token that are not 0; values of several lanes one by one."""
    formats = {"frame_word": graph.source.fmt, "edges_word": graph.output.fmt}
    fmt = formats.get(stream, Fixed(width=graph.deltas[0].delta_bits, frac=0, signed=True))
    lanes = graph.output.pe if stream == "edges_word" else graph.source.lanes  # type: ignore[union-attr]
    shown = []
    for name, value in fields.items():
        if name in ("data", "deltas") and value:
            signs = (1 << fmt.width - 1) * fmt.signed
            values = [lane - ((lane & signs) << 1) for lane in unpack(value, fmt.width, lanes)]
            shown.append(f"`{name}` {{{', '.join(map(str, values))}}}")
        elif name in FLAGS:
            shown += [f"`{name}`"] * value
        elif value:
            shown.append(f"`{name}` {value:b}b" if name == "mask" else f"`{name}` {value}")
    return ", ".join(shown)


if __name__ == "__main__":
    fill(PAGE, tables())
