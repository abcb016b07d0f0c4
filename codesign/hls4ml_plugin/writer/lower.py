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

from codesign.graph.ir import Delta, Dense, Engine, Graph, Join, Node, Pool, Source, Spatial, Upsample
from codesign.graph.pe import largest_divisor
from codesign.hls4ml_plugin import simulators
from codesign.hls4ml_plugin.against_keras import check_against_keras
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.hls4ml_plugin.reader import keys, old_names
from codesign.hls4ml_plugin.reader.builder import left_to_host, read_graph
from codesign.hls4ml_plugin.reader.pytorch import check_front_end, to_channels_last
from codesign.hls4ml_plugin.writer.layers import fixed_type


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
            _replace(model, with_pairs(graph))
            model.delta_graph = graph
            model.reset = partial(simulators.reset, model)
        return False


def hls_lanes(graph: Graph, node: Node, *, streaming: bool) -> int:
    """Return how many codes per cycle the HLS kernel of ``node`` reads.

    Layers that only move codes read what they make, PE. A `Delta` and the linear layers after it read what the engine
    before makes in a cycle; at the input P (io_stream packets cannot be padded: there the largest divisor of the frame
    not above P).
    """
    if isinstance(node, Source):
        return largest_divisor(node.size, node.lanes) if streaming else node.lanes
    if isinstance(node, Pool | Upsample | Join):
        return node.pe
    before = graph[node.inputs[0]]
    return hls_lanes(graph, before, streaming=streaming) if isinstance(before, Source | Delta) else before.pe


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
    if streaming:
        lanes = hls_lanes(graph, graph.source, streaming=True)
        variable.shape = [graph.source.size // lanes, lanes]
    model.index = source.index
    model.graph = OrderedDict({source.name: source})
    model.output_vars = {source.outputs[0]: variable}
    model.outputs = [graph.output.name]
    model.config.pipeline_style = "dataflow"
    model.config.config["HLSConfig"].setdefault("Model", {})["BitExact"] = False
    tensors = {graph.source.name: [source.outputs[0]]}
    for node in graph.nodes:
        if isinstance(node, Source):
            continue
        inputs = [tensors[name].pop(0) for name in node.inputs]
        model.graph[node.name] = layer = _layer(model, graph, node, inputs, streaming=streaming)
        tensors[node.name] = _copies(model, layer, len(graph.readers(node.name)))


def _layer(model: Any, graph: Graph, node: Delta | Engine, inputs: list[str], *, streaming: bool) -> Any:
    """Return the hls4ml layer that computes ``node``."""
    lanes = hls_lanes(graph, node, streaming=streaming)
    attributes: dict[str, Any] = {"ir": node, "lanes": lanes}
    if isinstance(node, Delta):
        kind, reuse_factor = "DeltaActivation", -(-node.size // lanes)
        attributes["stream_shape"] = _packets(graph, node, lanes if streaming else node.size)
    else:
        kind, reuse_factor = f"Delta{type(node).__name__}", node.words
        if isinstance(node, Dense):
            attributes.update(n_in=node.n_in, n_out=node.n_out)
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
        copy = model.make_node("DeltaCopy", name, {"lanes": layer.get_attr("lanes")}, [rest], outputs)
        model.graph[name] = copy
        names.append(name)
        rest = outputs[1]
    return [*names, rest]


def _packets(graph: Graph, node: Delta, lanes: int) -> list[int]:
    """Return the shape of the output: those of its input, as packets do not change on the way."""
    before = graph[node.input]
    if isinstance(before, Source) and lanes < node.size:
        return [node.size // lanes, lanes]
    return [node.size // before.channels_out, before.channels_out] if isinstance(before, Spatial) else [node.size]
