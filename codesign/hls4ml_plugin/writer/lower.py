# SPDX-License-Identifier: Apache-2.0
"""The pass that turns a freshly converted ModelGraph into delta layers, all made from one delta graph.

It runs before every pass of hls4ml, so nothing can have rounded, fused or reordered anything yet.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import Any

from hls4ml.model.optimizer import ModelOptimizerPass

from codesign.graph.ir import Delta, Dense, Engine, Graph, Join, Node, Source, Spatial
from codesign.graph.pe import largest_divisor
from codesign.hls4ml_plugin import simulators
from codesign.hls4ml_plugin.against_keras import check_against_keras
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.hls4ml_plugin.reader import keys, old_names
from codesign.hls4ml_plugin.reader.builder import left_to_host, read_graph
from codesign.hls4ml_plugin.reader.pytorch import check_front_end, to_channels_last
from codesign.hls4ml_plugin.writer.layers import fixed_type
from codesign.hls4ml_plugin.writer.tokens import beats_of, carries_on, events_of, token_of


class LowerToDelta(ModelOptimizerPass):  # type: ignore[misc]
    """Replace the layers of a model by those of `codesign.hls4ml_plugin.writer.layers`.

    Backend Delta lowers every model; on another backend Strategy 'delta' of a linear layer asks for it.
    """

    def __init__(self) -> None:
        self.name = "lower_to_delta"

    def transform(self, model: Any) -> bool:
        """Build ``model.delta_graph``, compare it with Keras, and put the layers made from it in place."""
        keys.check_strategies(model)
        linear = [layer for layer in model.graph.values() if layer.class_name in hls_config.LINEAR]
        wanted = model.config.backend.name == "Delta" or any(hls_config.is_delta(model, layer) for layer in linear)
        if wanted and getattr(model, "delta_graph", None) is None:
            check_front_end(model)
            old_names.rename(model)
            keys.check_effect(model)
            to_channels_last(model)
            reading = read_graph(model)
            keys.check_precisions(model, reading)
            check_against_keras(model, reading)
            graph = reading.graph
            model.on_host = left_to_host(model)
            model.softmax_on_host = model.on_host == "softmax"  # its name in 0.1, for scripts of then; goes away in 0.3
            _replace(model, with_pairs(graph))
            model.delta_graph = graph
            model.reset = partial(simulators.reset, model)
        return False


def input_lanes(graph: Graph, *, streaming: bool) -> int:
    """Return how many codes per cycle the HLS kernel at the input reads: P.

    Packets of io_stream cannot be padded: there it is the largest divisor of the frame not above P.
    """
    source = graph.source
    return largest_divisor(source.size, source.lanes) if streaming else source.lanes


def with_pairs(graph: Graph) -> Graph:
    """Return ``graph`` with every `Join` of more than two inputs as a chain of joins of two: what the HLS kernel takes.

    They are on the lattice of the whole from the first on, so the sums fit its type.
    """
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += _pairs(node) if isinstance(node, Join) else [node]
    return Graph(name=graph.name, nodes=tuple(nodes))


def _pairs(join: Join) -> list[Join]:
    """Return joins of two inputs, each of the next but the first, that together are ``join``."""
    made: list[Join] = []
    before, width, shift = join.inputs[0], join.channels[0], join.shifts[0]
    for at in range(1, len(join.inputs)):
        width_out = width if join.kind == "add" else width + join.channels[at]
        step = replace(
            join,
            name=join.name if at == len(join.inputs) - 1 else f"{join.name}_first{at + 1}",
            inputs=(before, join.inputs[at]),
            channels=(width, join.channels[at]),
            shifts=(shift, join.shifts[at]),
            pe=largest_divisor(width_out, join.pe),
        )
        made.append(step)
        before, width, shift = step.name, width_out, 0
    return made


def _replace(model: Any, graph: Graph) -> None:
    streaming = model.config.get_config_value("IOType") == "io_stream"
    source = next(layer for layer in model.graph.values() if layer.class_name == "Input")
    variable = source.get_output_variable()
    variable.name = graph.source.name  # an argument in C++; hls4ml takes the layer's name as it is
    variable.type.precision = fixed_type(graph.source.fmt)
    lanes = input_lanes(graph, streaming=streaming)
    source.set_attr("lanes", lanes)
    if streaming:
        variable.shape = [graph.source.size // lanes, lanes]
    model.index = source.index
    model.graph = OrderedDict({source.name: source})
    model.output_vars = {source.outputs[0]: variable}
    model.outputs = [f"{graph.output.name}_frame"]
    model.config.pipeline_style = "dataflow"
    model.config.config["HLSConfig"].setdefault("Model", {})["BitExact"] = False
    tensors = {graph.source.name: [source.outputs[0]]}
    for node in graph.nodes:
        if isinstance(node, Source):
            continue
        inputs = [tensors[name].pop(0) for name in node.inputs]
        model.graph[node.name] = layer = _layer(model, graph, node, inputs, lanes)
        tensors[node.name] = _copies(model, layer, len(graph.readers(node.name)))
    _add_frame(model, graph, tensors[graph.output.name], lanes)


def _layer(model: Any, graph: Graph, node: Delta | Engine, inputs: list[str], lanes: int) -> Any:
    """Return the hls4ml layer that computes ``node``; ``lanes`` are those of the input."""
    attributes: dict[str, Any] = {"ir": node, "token": token_of(graph, node)}
    if isinstance(node, Delta):
        before = graph[node.input]
        beats = beats_of(node, node.in_fmt, lanes)
        attributes["scans"] = isinstance(before, Source)
        attributes["given"] = (beats if isinstance(before, Source) else token_of(graph, before),)
        kind, reuse_factor = "DeltaActivation", attributes["given"][0].count
    else:
        attributes["given"] = tuple(events_of(graph, graph[name]) for name in node.inputs)
        kind, reuse_factor = f"Delta{type(node).__name__}", node.words
        if isinstance(node, Dense):
            attributes.update(n_in=node.n_in, n_out=node.n_out)
        else:
            attributes["events"] = events_of(graph, node) if isinstance(node, Join) else attributes["given"][0]
            attributes["carries_on"] = carries_on(graph, node)
    layer = model.make_node(kind, node.name, attributes, inputs)
    layer.set_attr("strategy", "delta")  # after make_node, which takes the user's config over given attributes
    layer.set_attr("reuse_factor", reuse_factor)
    return layer


def _copies(model: Any, layer: Any, readers: int) -> list[str]:
    """Return names of as many tensors with the output of ``layer`` as it has ``readers``, made by a chain of copies."""
    rest, names = layer.outputs[0], []
    for number in range(1, readers):
        name = f"{layer.name}_copy{number}"
        outputs = [name, f"{layer.name}_rest{number}"]
        copy = model.make_node("DeltaCopy", name, {"token": layer.get_attr("token")}, [rest], outputs)
        model.graph[name] = copy
        names.append(name)
        rest = outputs[1]
    return [*names, rest]


def _add_frame(model: Any, graph: Graph, inputs: list[str], lanes: int) -> None:
    """Add what makes frames of what the last node sends."""
    node = graph.output
    engine = graph[node.input] if isinstance(node, Delta) else node
    shape = [node.size]
    if isinstance(engine, Spatial):
        shape = [node.size // engine.channels_out, engine.channels_out]
    elif isinstance(engine, Source) and node.size % lanes == 0:
        shape = [node.size // lanes, lanes]
    width = engine.pe if isinstance(engine, Dense | Spatial) else lanes
    attributes = {"ir": node, "given": (token_of(graph, node),), "lanes": width, "frame_shape": shape}
    name = f"{node.name}_frame"
    model.graph[name] = model.make_node("DeltaFrame", name, attributes, inputs)
