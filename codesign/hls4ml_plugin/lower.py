# SPDX-License-Identifier: Apache-2.0
"""The pass that turns a freshly converted ModelGraph into delta layers, all made from one delta graph.

It runs before every pass of hls4ml, so nothing can have rounded, fused or reordered anything yet.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Any

from hls4ml.model.optimizer import ModelOptimizerPass

from codesign.errors import UnsupportedLayerError
from codesign.graph import hls_config
from codesign.graph.from_hls import build_graph
from codesign.graph.ir import Conv, Delta, Dense, Graph, Linear, Source
from codesign.hls4ml_plugin import reset
from codesign.hls4ml_plugin.layers import fixed_type


class LowerToDelta(ModelOptimizerPass):  # type: ignore[misc]
    """Replace the layers of a model by DeltaActivation, DeltaDense and DeltaConv.

    Backend Delta lowers every model; on another backend Strategy 'delta' of a linear layer asks for it.
    """

    def __init__(self) -> None:
        self.name = "lower_to_delta"

    def transform(self, model: Any) -> bool:
        """Build ``model.delta_graph`` and the layers made from it."""
        linear = [layer for layer in model.graph.values() if layer.class_name in hls_config.LINEAR]
        wanted = model.config.backend.name == "Delta" or any(hls_config.is_delta(model, layer) for layer in linear)
        if wanted and getattr(model, "delta_graph", None) is None:
            graph = build_graph(model)
            _replace(model, graph)
            model.delta_graph = graph
            model.reset = partial(reset, model)
        return False


def hls_lanes(graph: Graph, node: Delta | Linear, *, streaming: bool) -> int:
    """Return how many codes a cycle the HLS kernel of ``node`` reads.

    The first layers read P (io_stream packets cannot be padded: there the largest divisor of the frame not above P),
    later ones what the linear layer before makes in a cycle.
    """
    before = next((n for n in reversed(graph.nodes[: graph.nodes.index(node)]) if isinstance(n, Linear)), None)
    if before is not None:
        return before.pe
    source = graph.source
    return hls_config.largest_divisor(source.size, source.lanes) if streaming else source.lanes


def _replace(model: Any, graph: Graph) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UnsupportedLayerError("a delta network has one input and one output", received=model.outputs)
    streaming = model.config.get_config_value("IOType") == "io_stream"
    source = next(layer for layer in model.graph.values() if layer.class_name == "Input")
    variable = source.get_output_variable()
    variable.type.precision = fixed_type(graph.source.fmt)
    if streaming:
        lanes = hls_lanes(graph, graph.deltas[0], streaming=True)
        variable.shape = [graph.source.size // lanes, lanes]
    model.index = source.index
    model.graph = OrderedDict({source.name: source})
    model.output_vars = {source.outputs[0]: variable}
    model.outputs = [graph.output.name]
    model.config.pipeline_style = "dataflow"
    model.config.config["HLSConfig"].setdefault("Model", {})["BitExact"] = False
    previous = source.outputs[0]
    for node in graph.nodes:
        if not isinstance(node, Source):
            model.graph[node.name] = _layer(model, graph, node, previous, streaming=streaming)
            previous = node.name


def _layer(model: Any, graph: Graph, node: Delta | Linear, previous: str, *, streaming: bool) -> Any:
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
    layer = model.make_node(kind, node.name, attributes, [previous])
    layer.set_attr("strategy", "delta")  # after make_node, which takes the user's config over given attributes
    layer.set_attr("reuse_factor", reuse_factor)
    return layer


def _packets(graph: Graph, node: Delta, lanes: int) -> list[int]:
    """Return the shape of the output: those of its input, as packets do not change on the way."""
    before = graph[node.input]
    if isinstance(before, Source) and lanes < node.size:
        return [node.size // lanes, lanes]
    return [node.size // before.channels_out, before.channels_out] if isinstance(before, Conv) else [node.size]
