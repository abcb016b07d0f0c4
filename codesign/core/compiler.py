# SPDX-License-Identifier: Apache-2.0
"""From a graph to the program of a core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from codesign.core.config import CHUNK_BITS, CoreConfig
from codesign.core.image import design_of
from codesign.core.lattices import lattices_of
from codesign.core.layout import Layout
from codesign.core.memory import Rows, check_depths, stacked
from codesign.core.params import packet_rows, param_rows, shift_of
from codesign.core.plan import Plan, plan_of
from codesign.core.planes import in_planes
from codesign.core.program import CODES, EVENTS, SUMS, Place, Program, Step, Walk, reciprocal, values_of
from codesign.core.reach import Reach, check_sums, reaches_of
from codesign.core.records import PARAM, PLACE, STEP, TABLE, WALK
from codesign.errors import ConversionError
from codesign.fixed import IntArray
from codesign.graph.engines import Engine, Pool
from codesign.graph.ir import Delta, Graph, Source

OUTPUT = "output"
"""Name of the step that sends the packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Which reader a `Walk` is, for people.

    Attributes:
        delta: the activation whose events it takes.
        engine: the engine that takes them.
        lines: lines of weights, shared ones included; of a plane its share.
        rows: entries of its tables, shared ones included.
    """

    delta: str
    engine: str
    lines: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compiled:
    """A program, and what a host and a person need to know about it.

    Attributes:
        program: what the core executes.
        graph: the graph as it is executed, which may have a copy of the input that the user's has not, and no
            activation at its end that changes nothing.
        shape: of a frame of the output.
        layouts: how the frame of each node lies in words; the words of the source are the beats.
        steps: name of each step, that of what it sends, with the number of the plane if there are several.
        sends: name of the node that each step sends, or a plane of.
        readers: of each walk.
        engines: name of the engine of each dirty bit.
    """

    program: Program
    graph: Graph = field(repr=False)
    shape: tuple[int, ...]
    layouts: Mapping[str, Layout] = field(repr=False)
    steps: tuple[str, ...]
    sends: tuple[str, ...]
    readers: tuple[Reader, ...]
    engines: tuple[str, ...]

    def of_nodes(self, counted: IntArray) -> dict[str, IntArray]:
        """Return what was counted of each step, ``[..., steps]``, of each node: the sums over its planes, ``[...]``."""
        sends = np.array(self.sends)
        return {name: counted[..., sends == name].sum(axis=-1) for name in dict.fromkeys(self.sends)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Where the sums of an engine are."""

    engine: int
    layout: Layout
    taps: int
    sum_base: int
    mark_base: int
    bias_base: int
    bias_period: int
    narrow: int
    word_beats: int


def compile_graph(graph: Graph, config: CoreConfig | None = None) -> Compiled:
    """Return the program that computes ``graph`` on a core, bit for bit as the golden model.

    Raises:
        ConversionError: the graph does not fit the core; names the layer, and what to change.
    """
    config = config or CoreConfig()
    plain = plan_of(graph, config)
    for plan in in_planes(plain, config):
        with suppress(ConversionError):  # what is wrong without planes, too, is said below
            return _fitting(plan, graph, config)
    return _fitting(plain, graph, config)


def _fitting(plan: Plan, graph: Graph, config: CoreConfig) -> Compiled:
    """Return the program of a plan, if it fits the core."""
    compiled = _Compiler(plan, graph.output.shape, config).compiled()
    check_depths(compiled.program, graph.name)
    return compiled


class _Compiler:
    """Places one node after the other."""

    def __init__(self, plan: Plan, shape: tuple[int, ...], config: CoreConfig) -> None:
        self.config, self.plan, self.shape = config, plan, shape
        self.tables, self.params = Rows(3), Rows(config.quantisers, len(PARAM.fields))
        self.weights, self.sums = Rows(config.lanes, dtype=np.int32), Rows(config.lanes)
        self.places: list[Place] = []
        self.walks: list[Walk] = []
        self.readers: list[Reader] = []
        self.steps: list[Step] = []
        self.sends: list[str] = []

    def compiled(self) -> Compiled:
        """Return the whole."""
        config, graph, plan = self.config, self.plan.graph, self.plan
        self._check_source(graph.source)
        deltas = [node for node in graph.nodes if isinstance(node, Delta)]
        self.engines = self._place_sums()
        self.code_bases = self._place_codes(deltas)
        self.reaches = self._place_weights()
        for node in deltas:
            for plane in range(plan.layouts[node.name].planes):
                self.steps.append(self._step(node, plane))
                self.sends.append(node.name)
        self.steps.append(self._packet(graph.output))
        self.sends.append(OUTPUT)
        for step, name in zip(self.steps, self.sends, strict=True):
            STEP.check(config, values_of(step), name)
        program = Program(
            config=config,
            design=0,
            beats=plan.layouts[graph.source.name].words,
            steps=tuple(self.steps),
            places=tuple(self.places),
            walks=tuple(self.walks),
            tables=self.tables.array(),
            params=self.params.array(),
            weights=self.weights.array(),
            sums=self.sums.array(),
        )
        return Compiled(
            program=replace(program, design=design_of(program)),
            graph=graph,
            shape=self.shape,
            layouts=plan.layouts,
            steps=_labels(self.sends),
            sends=tuple(self.sends),
            readers=tuple(self.readers),
            engines=tuple(node.name for node in plan.engines),
        )

    def _check_source(self, source: Source) -> None:
        self._check_codes(source.name, source.fmt.lo, source.fmt.hi)

    def _check_codes(self, name: str, lo: int, hi: int) -> None:
        most = (1 << self.config.code_bits - 1) - 1
        if lo < -most - 1 or hi > most:
            bits = max((-lo - 1).bit_length() if lo < 0 else 0, hi.bit_length()) + 1
            raise ConversionError(
                "the codes do not fit the core",
                where=name,
                expected=f"{self.config.code_bits} bits, signed: {-most - 1} to {most}",
                received=f"{lo} to {hi}",
                fix=f"use fewer bits in this layer, or a core with code_bits = {bits}",
            )

    def _place_sums(self) -> dict[str, _Sums]:
        """Place the biases of all engines, then the sums of one after the other, those of the smallest frames first.

        What comes first lies inside, where there is a memory outside: of a small frame a larger part changes.
        """
        bits = {node.name: check_sums(self.plan, node, self.config) for node in self.plan.engines}
        biases = {node.name: self._bias(node) for node in self.plan.engines}
        kept = {node.name: self.plan.layouts[node.name].words * _taps(node) for node in self.plan.engines}
        places = stacked(kept, self.sums.size)
        found, chunk = {}, 0
        for number, node in enumerate(self.plan.engines):
            layout, word, taps = self.plan.layouts[node.name], places[node.name], _taps(node)
            base, period = biases[node.name]
            narrow = bits[node.name] <= self.config.narrow_bits
            found[node.name] = _Sums(
                engine=number,
                layout=layout,
                taps=taps,
                sum_base=word,
                mark_base=chunk,
                bias_base=base,
                bias_period=period,
                narrow=int(narrow),
                word_beats=self.config.word_beats(layout.used, narrow=narrow),
            )
            chunk += -(-layout.words // CHUNK_BITS)
        return found

    def _place_codes(self, deltas: list[Delta]) -> dict[str, int]:
        """Place the rows of codes of all activations: those of the input first, as each frame visits all of them."""
        layouts, quantisers = self.plan.layouts, self.config.quantisers
        rows = {node.name: layouts[node.name].words * layouts[node.name].parts(quantisers) for node in deltas}
        first = {name: count for name, count in rows.items() if name == deltas[0].name}
        rest = {name: count for name, count in rows.items() if name not in first}
        return stacked(first, 0) | stacked(rest, sum(first.values()))

    def _place_weights(self) -> dict[tuple[str, int], tuple[tuple[Reach, ...], ...]]:
        """Place the weights of all readers, the fewest lines first; return what each input of an engine reaches."""
        found = {
            (engine.name, at): reaches_of(self.plan, engine, at, self.config)
            for engine in self.plan.engines
            for at in range(len(engine.inputs))
        }
        reaches = [reach for planes in found.values() for reach in planes[0]]
        for reach in sorted(reaches, key=lambda reach: len(reach.lines)):
            self.weights.place(reach.lines)
        return found

    def _bias(self, node: Engine) -> tuple[int, int]:
        """Return address and period of an engine's words of biases."""
        layout = self.plan.layouts[node.name]
        bias = lattices_of(self.plan, node).bias
        if bias is None:
            return self.sums.place(np.zeros((1, self.config.lanes), np.int64)), 1
        position = replace(layout, positions=1, planes=1)
        words = position.spread(bias, self.config.lanes)
        words = words[:1] if (words == words[0]).all() else words
        return self.sums.place(words), len(words)

    def _step(self, node: Delta, plane: int) -> Step:
        """Return the step of an activation, or of a plane of it, after placing its codes, parameters and readers."""
        config, layout = self.config, self.plan.layouts[node.name]
        self._check_codes(node.name, node.lo, node.hi)
        groups, rows = param_rows(self.plan, node, config, plane)
        recip, shift = reciprocal(groups, config.index_bits)
        first = len(self.walks)
        for engine in self.plan.engines:
            for at, name in enumerate(engine.inputs):
                for reach in self.reaches[engine.name, at][plane] if name == node.name else ():
                    self._reader(node, engine, reach)
        return Step(
            packet=EVENTS,
            relu=int(node.activation == "relu"),
            groups=groups,
            group_recip=recip,
            group_shift=shift,
            parts=layout.parts(config.quantisers),
            code_base=self.code_bases[node.name] + plane * layout.plane_stride * layout.parts(config.quantisers),
            param_base=self.params.place(rows),
            lo=node.lo,
            hi=node.hi,
            shift=shift_of(self.plan, node),
            reader_base=first,
            readers=len(self.walks) - first,
            **self._sent(node, plane),
        )

    def _sent(self, node: Delta, plane: int) -> dict[str, int]:
        """Return the fields of a step that depend on what it sends: the source, or the sums of an engine."""
        if node.input == self.plan.graph.source.name:
            words = self.plan.layouts[node.name].words
            return {**self._no_sums(words), "source": 1}
        readers = self.plan.activations(node.input)
        keep = int(node.name != readers[-1])
        return {**self._sums_of(node.input, plane, sweep=node.name == readers[0]), "source": 0, "keep": keep}

    def _no_sums(self, words: int) -> dict[str, int]:
        none = dict.fromkeys(("keep", "more", "engine", "mark_base", "sum_base", "bias_base", "sweep_words"), 0)
        none |= {"narrow": 0, "word_beats": 0}
        return {**none, "words": words, "taps": 1, "bias_period": 1}

    def _sums_of(self, name: str, plane: int = 0, *, sweep: bool) -> dict[str, int]:
        """Return the fields of a step that sends a plane of an engine."""
        found, layout = self.engines[name], self.engines[name].layout
        first, group = plane * layout.plane_stride, plane * layout.plane_groups
        return {
            **{name: getattr(found, name) for name in ("engine", "taps", "narrow", "word_beats")},
            "words": layout.plane_words,
            "more": int(plane + 1 < layout.planes),
            "mark_base": found.mark_base + first // CHUNK_BITS,
            "sum_base": found.sum_base + first * found.taps,
            "bias_base": found.bias_base + (group if found.bias_period > 1 else 0),
            "bias_period": min(found.bias_period, layout.plane_groups),
            "sweep_words": layout.plane_words * found.taps if sweep else 0,
        }

    def _packet(self, node: Delta | Engine) -> Step:
        """Return the step that sends the packet of the output."""
        layout = self.plan.layouts[node.name]
        groups, param_base = 1, 0
        if isinstance(node, Delta):
            sent, code_base = self._no_sums(layout.words), self.code_bases[node.name]
        else:
            sent, code_base = {**self._sums_of(node.name, sweep=True), "keep": 0}, 0
            groups, rows = packet_rows(self.plan, node, self.config)
            param_base = self.params.place(rows)
        recip, shift = reciprocal(groups, self.config.index_bits)
        return Step(
            source=0,
            relu=0,
            packet=CODES if isinstance(node, Delta) else SUMS,
            groups=groups,
            group_recip=recip,
            group_shift=shift,
            parts=layout.parts(self.config.quantisers),
            code_base=code_base,
            param_base=param_base,
            lo=0,
            hi=0,
            shift=0,
            reader_base=0,
            readers=0,
            **sent,
        )

    def _reader(self, node: Delta, engine: Engine, reach: Reach) -> None:
        """Add what the events of ``node`` do in ``engine``."""
        config = self.config
        where = f"{engine.name} (input {node.name})"
        _check_indices(reach.read.words * (reach.read.used if reach.element else 1), config, where)
        for table in (reach.rows_table, reach.columns_table):
            _check_table(table, config, where)
        place = self._place(reach)
        walk = self._walk(reach, self.engines[engine.name])
        PLACE.check(config, values_of(place), where)
        WALK.check(config, values_of(walk), where)
        self.places.append(place)
        self.walks.append(walk)
        rows = len(reach.rows_table) + len(reach.columns_table)
        lines = -(-len(reach.lines) // reach.read.planes)
        self.readers.append(Reader(delta=node.name, engine=engine.name, lines=lines, rows=rows))

    def _place(self, reach: Reach) -> Place:
        recip, shift = reciprocal(reach.divisor, self.config.index_bits)
        column_recip, column_shift = reciprocal(reach.columns, self.config.index_bits)
        return Place(
            element=int(reach.element),
            used=reach.read.used,
            divisor=reach.divisor,
            recip=recip,
            rshift=shift,
            columns=reach.columns,
            column_recip=column_recip,
            column_shift=column_shift,
            row_table=self.tables.place(reach.rows_table),
            column_table=self.tables.place(reach.columns_table),
        )

    def _walk(self, reach: Reach, sums: _Sums) -> Walk:
        return Walk(
            channelwise=int(reach.channelwise),
            maximum=int(reach.maximum),
            group_lines=int(reach.group_lines),
            groups=reach.groups,
            group_stride=reach.group_stride,
            used=reach.used,
            word_row=reach.word_steps[0],
            line_row=reach.line_steps[0],
            word_column=reach.word_steps[1],
            line_column=reach.line_steps[1],
            sum_base=sums.sum_base,
            taps=sums.taps,
            mark_base=sums.mark_base,
            engine=sums.engine,
            weight_base=self.weights.place(reach.lines) + reach.line,
            narrow=sums.narrow,
            word_beats=sums.word_beats,
        )


def _taps(node: Engine) -> int:
    """Return the words of sums that are kept for each word of an engine."""
    return node.window if isinstance(node, Pool) and node.kind == "max" else 1


def _labels(sends: Sequence[str]) -> tuple[str, ...]:
    """Return names of steps, those of planes with their number."""
    seen: Counter[str] = Counter()
    labels = []
    for name in sends:
        labels.append(f"{name}[{seen[name]}]" if sends.count(name) > 1 else name)
        seen[name] += 1
    return tuple(labels)


def _check_indices(count: int, config: CoreConfig, where: str) -> None:
    if count > 1 << config.index_bits:
        raise ConversionError(
            "more elements than a core has indices for",
            where=where,
            expected=f"at most {1 << config.index_bits}",
            received=count,
            fix=f"build the core with index_bits = {(count - 1).bit_length()}",
        )


def _check_table(table: IntArray, config: CoreConfig, where: str) -> None:
    """Check the largest entry of each column of a table."""
    word, line, count = (int(value) for value in table.max(axis=0))
    TABLE.check(config, {"word": word, "line": line, "count": count}, where)
