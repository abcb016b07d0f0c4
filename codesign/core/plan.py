# SPDX-License-Identifier: Apache-2.0
"""What the compiler decides before it places anything: which nodes, which layouts, which lattice."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codesign.core.config import CoreConfig
from codesign.core.layout import Layout, lanes_used
from codesign.core.merge import Through, merged, trimmed
from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.graph.axis import Repeat
from codesign.graph.engines import Dense, Engine, Join, Upsample
from codesign.graph.ir import Delta, Graph, Node, Source
from codesign.graph.pe import largest_divisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A graph as a core executes it.

    Attributes:
        graph: nodes that lead to the output; the source has one reader, which does not widen it.
        layouts: how the frame of each node lies in words.
        widen: bits by which the sums of each engine are finer than in the graph.
        through: layers that an addition computes, too; see `codesign.core.merge`.
    """

    graph: Graph
    layouts: dict[str, Layout]
    widen: dict[str, int]
    through: Through

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines, in order: the number of one is that of its dirty bit."""
        return self.graph.engines

    def activations(self, engine: str) -> tuple[str, ...]:
        """Return the names of the delta activations of the engine of this name, in order."""
        return tuple(delta.name for delta in self.graph.deltas if delta.input == engine)

    def delta(self, name: str) -> Delta:
        """Return the delta activation called ``name``."""
        node = self.graph[name]
        assert isinstance(node, Delta)
        return node


def plan_of(graph: Graph, config: CoreConfig) -> Plan:
    """Return how a core executes ``graph``.

    Raises:
        ConversionError: a node reads what it cannot.
    """
    graph = _alone(trimmed(_needed(graph)), config)
    for node in graph.nodes[1:]:
        _check_inputs(graph, node)
    graph, through = merged(graph)
    layouts = {graph.source.name: Layout(positions=1, channels=graph.source.size, used=config.quantisers)}
    for node in graph.nodes[1:]:
        if isinstance(node, Delta):
            layouts[node.name] = layouts[node.input]
        else:
            assert not isinstance(node, Source)
            layouts[node.name] = _layout(graph, through, node, layouts, config)
    widen = {
        node.name: max((read.widen for read in graph.deltas if read.input == node.name), default=0)
        for node in graph.engines
    }
    return Plan(graph=graph, layouts=layouts, widen=widen, through=through)


def _needed(graph: Graph) -> Graph:
    """Return the graph without nodes that nothing leads from to the output."""
    needed, first = {graph.output.name}, graph.nodes[1].name
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed |= set(node.inputs)
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name in needed | {first}))


def _alone(graph: Graph, config: CoreConfig) -> Graph:
    """Return the graph with one memoryless reader of the source, and an engine that copies it, where it needs them.

    A core compares the input with one memory of codes, and shifts sums only: where several activations read the source,
    or one on a finer lattice, they read the sums of a copy.
    """
    source, deltas = graph.source, [node for node in graph.deltas if node.input == graph.source.name]
    if len(deltas) == 1 and not deltas[0].widen:
        return graph
    channels = largest_divisor(source.size, config.quantisers)
    names = {node.name for node in graph.nodes}
    first, copy = (_new(f"{source.name}_{word}", names) for word in ("codes", "copy"))
    fmt = source.fmt
    sent = Delta(
        name=first,
        input=source.name,
        shape=source.shape,
        in_fmt=fmt,
        fmt=fmt,
        activation="identity",
        lo=fmt.lo,
        hi=fmt.hi,
    )
    y, x = Repeat(size=1, factor=1), Repeat(size=source.size // channels, factor=1)
    engine = Upsample(name=copy, input=first, channels=channels, fmt=fmt, y=y, x=x)
    rest = tuple(replace(node, input=copy) if node in deltas else node for node in graph.nodes[1:])
    return replace(graph, nodes=(source, sent, engine, *rest))


def _new(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _check_inputs(graph: Graph, node: Node) -> None:
    """Check that a delta reads an engine or the source, an engine deltas, and each of them the elements there are."""
    for at, name in enumerate(node.inputs):
        before = graph[name]
        if isinstance(node, Delta) == isinstance(before, Delta):
            raise UnsupportedLayerError(
                "activations and engines have to alternate",
                where=node.name,
                expected="an activation between any two engines",
                received=f"input {name}, {type(before).__name__}",
                fix="put an identity activation in between",
            )
        assert not isinstance(node, Source)
        size = node.size if isinstance(node, Delta) else elements_read(node, at)
        if size != before.size:
            raise ConversionError(
                "a node reads a frame of another size",
                where=node.name,
                expected=f"{size} elements",
                received=f"{before.size} of {name}",
            )


def elements_read(node: Engine, at: int) -> int:
    """Return the elements of a frame of input ``at``."""
    return node.n_in if isinstance(node, Dense) else node.y.size * node.x.size * node.channels_in(at)


def channels_of(node: Engine) -> int:
    """Return the output channels."""
    return node.n_out if isinstance(node, Dense) else node.channels_out


def way(through: Through, node: Engine, at: int) -> Engine:
    """Return what input ``at`` of an engine goes through: a layer that it computes, too, or the engine itself."""
    return through.get((node.name, at), node)


def _layout(graph: Graph, through: Through, node: Engine, layouts: dict[str, Layout], config: CoreConfig) -> Layout:
    """Return the layout of an engine: as few words as possible, then lane for lane with most of its inputs."""
    channels = channels_of(node)
    positions = node.size // channels
    exact = positions > 1 and any(view != channels for view in _views(graph, through, node))
    used = lanes_used(channels, config.lanes, exact=exact)
    plain = Layout(positions=positions, channels=channels, used=used)
    if isinstance(node, Dense) or not node.channelwise:
        return plain
    like = [
        replace(plain, used=layouts[name].used) for at, name in enumerate(node.inputs) if way(through, node, at) is node
    ]
    good = [layout for layout in like if layout.words <= plain.words and (layout.raster or not exact)]
    return max([plain, *good], key=lambda layout: (-layout.words, _matches(through, node, layout, layouts)))


def _views(graph: Graph, through: Through, node: Engine) -> list[int]:
    """Return the channels that readers of an engine's activations take its positions to have."""
    deltas = [delta for delta in graph.deltas if delta.input == node.name]
    ways = [
        (way(through, reader, at), at)
        for reader in graph.engines
        for at, name in enumerate(reader.inputs)
        if any(name == delta.name for delta in deltas)
    ]
    return [reader.channels_in(at) for reader, at in ways if not isinstance(reader, Dense)]


def _matches(through: Through, node: Engine, layout: Layout, layouts: dict[str, Layout]) -> int:
    return sum(lane_for_lane(way(through, node, at), at, layouts[name], layout) for at, name in enumerate(node.inputs))


def offset_of(node: Engine, at: int) -> int:
    """Return the output channel of the first channel of input ``at``."""
    return node.offsets[at] if isinstance(node, Join) else 0


def lane_for_lane(node: Engine, at: int, read: Layout, made: Layout) -> bool:
    """Return whether each lane of a word that is read adds to the same lane of the words that it reaches."""
    if isinstance(node, Dense) or not node.channelwise:
        return False
    seen = read.groups_seen(node.channels_in(at))
    return seen is not None and read.used == made.used and offset_of(node, at) % made.used == 0
