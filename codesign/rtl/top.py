# SPDX-License-Identifier: Apache-2.0
"""From a graph to its top: which leaves compute each node, and the streams between them."""

from __future__ import annotations

from codesign.graph.channels import ChannelLattices, channel_lattices
from codesign.graph.cycles import EVENT_QUEUE
from codesign.graph.ir import Delta, Dense, Graph, Join, Linear, Node, Source, Spatial
from codesign.rtl import parameters
from codesign.rtl.about import about, pipeline
from codesign.rtl.netlist import Assign, Instance, Parameters, Part, Signal, Stream, Top
from codesign.rtl.spec import TopSpec, top_spec
from codesign.rtl.tokens import Token

PLACE_QUEUE = 16
"""Located events in front of a spatial engine: hides the events that reach no output."""


class _Growing:
    """What a node of the graph becomes, while it grows."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.streams: list[Stream] = []
        self.signals: list[Signal] = []
        self.assigns: list[Assign] = []
        self.instances: list[Instance] = []

    def stream(self, name: str, token: Token) -> str:
        """Declare a stream; return its name."""
        self.streams.append(Stream(name=name, token=token))
        return name

    def instance(
        self,
        leaf: str,
        name: str,
        parameters: Parameters,
        inputs: tuple[str, ...] = (),
        outputs: tuple[str, ...] = (),
        **ports: str,
    ) -> None:
        """Instantiate a leaf between streams."""
        made = Instance(
            leaf=leaf,
            name=name,
            node=self.node,
            parameters=parameters,
            inputs=inputs,
            outputs=outputs,
            ports=ports,
        )
        self.instances.append(made)

    def fork(self, stream: str, token: Token, outputs: int) -> list[str]:
        """Return ``outputs`` streams that each carry all of ``stream``, which is one of them if it is alone."""
        if outputs < 2:
            return [stream]
        copies = [self.stream(f"{stream}__{i}", token) for i in range(outputs)]
        self.instance("fork", f"{stream}_fork", {"Outputs": outputs}, (stream,), tuple(copies))
        return copies

    def queue(self, stream: str, name: str, token: Token, depth: int, *, registered: bool = True) -> str:
        """Return a new stream ``name``: ``stream`` after a FIFO."""
        self.stream(name, token)
        size: Parameters = {"Width": token.bits, "Depth": depth, "Registered": registered}
        self.instance("fifo", name, size, (stream,), (name,))
        return name

    def part(self, text: str) -> Part:
        """Return what has grown; ``text`` describes it."""
        return Part(
            about=text,
            streams=tuple(self.streams),
            signals=tuple(self.signals),
            assigns=tuple(self.assigns),
            instances=tuple(self.instances),
        )


def top_of(graph: Graph) -> Top:
    """Return the top of ``graph``."""
    spec = top_spec(graph)
    parts = [_encode(graph)]
    streams = {graph.source.name: [f"{graph.source.name}_word"]}  # of each node's output, one for each reader to come
    for node in graph.nodes[1:]:
        made = _Growing(node.name)
        streams[node.name] = _node(made, graph, node, [streams[name].pop(0) for name in node.inputs], spec)
        parts.append(made.part(about(node)))
    parts += [_decode(graph, spec, streams[graph.output.name][0]), _whole(graph, spec)]
    return Top(graph=graph.name, pipeline=pipeline(graph), spec=spec, parts=tuple(parts))


def leaves_of(graph: Graph, name: str) -> tuple[Instance, ...]:
    """Return the leaves that compute a node of ``graph`` other than its source, as they stand in its top; streams that
    come from other nodes have no names.
    """
    made, node = _Growing(name), graph[name]
    _node(made, graph, node, [""] * len(node.inputs), top_spec(graph))
    return tuple(made.instances)


def shared_leaves_of(graph: Graph) -> tuple[Instance, ...]:
    """Return the leaves of a top that compute no node: its input and output, and what admits and counts frames."""
    spec = top_spec(graph)
    parts = _encode(graph), _decode(graph, spec, ""), _whole(graph, spec)
    return tuple(instance for part in parts for instance in part.instances)


def _node(made: _Growing, graph: Graph, node: Node, inputs: list[str], spec: TopSpec) -> list[str]:
    """Instantiate the leaves of ``node``; return the streams of its output, one for each reader."""
    if isinstance(node, Delta):
        return _delta(made, graph, node, inputs[0], spec)
    assert not isinstance(node, Source)
    word = _dense(made, graph, node, inputs) if isinstance(node, Dense) else _spatial(made, graph, node, inputs)
    return made.fork(word, parameters.word_token(graph, node), len(graph.readers(node.name)))


def _encode(graph: Graph) -> Part:
    source, probe = graph.source, probe_of(graph.nodes[1].name)
    made = _Growing(source.name)
    word = made.stream(f"{source.name}_word", parameters.word_token(graph, source))
    made.instance(
        "encode",
        f"{source.name}_encode",
        parameters.encode_parameters(source),
        (),
        (word,),
        hold_i="hold",
        begin_o="enter",
        busy_o=f"{probe}.busy",
        stalled_o=f"{probe}.stalled",
        malformed_o="malformed",
        error_o="error_o",
    )
    return made.part(about(source))


def probe_of(engine: str) -> str:
    """Return the name of the signal that reports an engine's activity."""
    return f"{engine}_probe"


def _threshold(spec: TopSpec, node: Delta) -> str:
    """Return what drives the threshold of ``node``: its field of ``threshold_i``."""
    low = 0
    for hold in spec.holds:
        if hold.name == node.name:
            return f"threshold_i[{low}+:{hold.width}]"
        low += hold.width
    return "'0"


def _delta(made: _Growing, graph: Graph, node: Delta, stream: str, spec: TopSpec) -> list[str]:
    """Emit, serialise, and queue for each reader; a last `Delta` only emits its codes."""
    word = made.stream(f"{node.name}_word", parameters.word_token(graph, node))
    made.instance(
        "emit",
        f"{node.name}_emit",
        parameters.emit_parameters(graph, node),
        (stream,),
        (word,),
        skip_i="skip",
        threshold_i=_threshold(spec, node),
    )
    if node is graph.output:
        return [word]
    token = parameters.event_token(node)
    event = made.stream(f"{node.name}_event", token)
    sizes = parameters.serialize_parameters(graph, node)
    made.instance("serialize", f"{node.name}_serialize", sizes, (word,), (event,))
    if node is graph.nodes[1]:
        taken = f"{event}_valid && {event}_ready && {event}"
        for name, flag in (("event_done", "has_event"), ("frame_done", "end_of_frame")):
            made.assigns.append(Assign(target=f"{probe_of(node.name)}.{name}", value=f"{taken}.{flag}"))
    copies = made.fork(event, token, len(graph.readers(node.name)))
    queues = [f"{node.name}__{i}" if len(copies) > 1 else node.name for i in range(len(copies))]
    return [made.queue(copy, f"{queue}_queue", token, EVENT_QUEUE) for copy, queue in zip(copies, queues, strict=True)]


def _dense(made: _Growing, graph: Graph, node: Dense, streams: list[str]) -> str:
    delta = graph[node.input]
    assert isinstance(delta, Delta)
    lattices = channel_lattices(node, delta)
    word = made.stream(f"{node.name}_word", parameters.word_token(graph, node, lattices.sum_bits))
    sizes = parameters.dense_parameters(node, delta)
    made.instance("dense", f"{node.name}_dense", sizes, tuple(streams), (word,), probe_o=probe_of(node.name))
    return _aligned(made, graph, node, word, lattices)


def _aligned(made: _Growing, graph: Graph, node: Linear, word: str, lattices: ChannelLattices) -> str:
    """Bring the sums of channels that are on lattices of their own to the common one."""
    if not lattices.narrow:
        return word
    aligned = made.stream(f"{node.name}_aligned", parameters.word_token(graph, node))
    made.instance("align", f"{node.name}_align", parameters.align_parameters(node, lattices), (word,), (aligned,))
    return aligned


def _spatial(made: _Growing, graph: Graph, node: Spatial, streams: list[str]) -> str:
    """Locate the events of every input, join them if there are several, accumulate."""
    feeds = [feed for name in node.inputs if isinstance(feed := graph[name], Delta)]
    place = parameters.located_token(node, feeds)
    queues = []
    for at, stream in enumerate(streams):
        own = node.name if len(streams) == 1 else f"{node.name}__{at}"
        located = made.stream(f"{own}_located", place)
        made.instance("locate", f"{own}_locate", parameters.locate_parameters(node, feeds, at), (stream,), (located,))
        # An engine takes tokens in registers of its own; a join compares their rows first.
        queues.append(made.queue(located, f"{own}_place", place, PLACE_QUEUE, registered=len(streams) > 1))
    floor = "'0"
    if isinstance(node, Join):
        joined, floor = made.stream(f"{node.name}_joined", place), f"{node.name}_floor"
        made.signals.append(Signal(name=floor, bits=parameters.spatial_bits(node)["RowBits"]))
        sizes = parameters.join_parameters(node, feeds)
        made.instance("join", f"{node.name}_join", sizes, tuple(queues), (joined,), floor_o=floor)
        queues = [joined]
    lattices = channel_lattices(node, feeds[0]) if isinstance(node, Linear) else None
    bits = lattices.sum_bits if lattices else node.fmt.width
    word = made.stream(f"{node.name}_word", parameters.word_token(graph, node, bits))
    sizes = parameters.conv_parameters(graph, node)
    probe = probe_of(node.name)
    made.instance("conv", f"{node.name}_conv", sizes, tuple(queues), (word,), floor_i=floor, probe_o=probe)
    return _aligned(made, graph, node, word, lattices) if isinstance(node, Linear) and lattices else word


def _decode(graph: Graph, spec: TopSpec, stream: str) -> Part:
    made = _Growing(graph.output.name)
    made.instance("decode", f"{made.node}_decode", parameters.decode_parameters(graph, spec), (stream,))
    return made.part(f"packets of {spec.out_words} beats")


def _whole(graph: Graph, spec: TopSpec) -> Part:
    """Admit frames, and count."""
    made = _Growing("")
    events = [f"{node.name}_event" for node in graph.deltas if node is not graph.output]
    made.instance(
        "admit",
        "admit",
        parameters.admit_parameters(graph, len(events)),
        enter_i="enter",
        leave_i="leave",
        stalled_i=f"{{{', '.join(f'{event}_valid && !{event}_ready' for event in events)}}}",
        hold_o="hold",
    )
    made.instance(
        "stats",
        "stats",
        {"Engines": len(spec.engines)},
        frame_i="leave",
        error_i="malformed",
        probe_i="probe_o",
        stat_addr_i="stat_addr_i",
        stat_data_o="stat_data_o",
    )
    return made.part("which frames may begin, and what every engine did")
