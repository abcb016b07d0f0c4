# SPDX-License-Identifier: Apache-2.0
"""`build_graph`: from a freshly converted hls4ml ModelGraph to the delta graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NoReturn

from codesign.errors import UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph import pooling
from codesign.graph.ir import Conv, Delta, Dense, Graph, Linear, Source
from codesign.hls4ml_plugin.reader import activations as hls_activations
from codesign.hls4ml_plugin.reader import between as hls_between
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.hls4ml_plugin.reader import linear as hls_linear
from codesign.hls4ml_plugin.reader.affine import Affine
from codesign.hls4ml_plugin.reader.nodes import Tensor, Zeros
from codesign.hls4ml_plugin.reader.target import with_target
from codesign.hls4ml_plugin.reader.tensors import is_nothing
from codesign.keras_model.kinds import ENDINGS, SUPPORTED
from codesign.names import check_design, check_input, check_layers, identifier

CONVOLUTIONS = tuple(kind for kind in hls_config.LINEAR if kind != "Dense")
PADDING = (*CONVOLUTIONS, *hls_config.POOLINGS)
"""Layers that can make the zeros of a ZeroPadding before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A delta graph and where it comes from, to be compared with the Keras model.

    Attributes:
        graph: what was read.
        tensors: what each Keras tensor stands for whose values a node makes, by the tensor's name.
        sources: the hls4ml layers that each linear node comes from: its own, and then every BatchNormalization and
            Rescaling that was folded into it.
        activations: the `Delta` that makes each Keras tensor that an activation makes, by the tensor's name.
        formats: formats of the codes that leave each hls4ml layer, by its name.
        merged: as of `codesign.hls4ml_plugin.reader.nodes.Nodes`.
    """

    graph: Graph
    tensors: Mapping[str, Tensor]
    sources: Mapping[str, tuple[Any, ...]]
    activations: Mapping[str, str]
    formats: Mapping[str, Fixed]
    merged: Mapping[str, str] = field(default_factory=dict)


def build_graph(model: Any) -> Graph:
    """Return the delta graph of an hls4ml ``ModelGraph``.

    A model converted by backend Delta already carries its graph; that one is returned.

    Raises:
        UnsupportedLayerError: a layer has no delta implementation.
        LatticeError: weights or biases are not on a power-of-two lattice.
        ConfigError: a project name that C++ or SystemVerilog do not take.
        ConversionError: two layers share a name, PE does not divide, two activations in a row, another Strategy.

    Warns:
        ConversionWarning: an accumulator is wider than float32 Keras computes exactly.
    """
    graph = getattr(model, "delta_graph", None)
    return graph if graph is not None else read_graph(model).graph


def read_graph(model: Any) -> Reading:
    """Return what `build_graph` reads from a ``ModelGraph`` that was just made, and where it comes from.

    Raises: the errors of `build_graph`.
    """
    return _Builder(model).build()


def left_to_host(model: Any) -> str:
    """Return the function that the last layer of an hls4ml ``ModelGraph`` is and the host computes; empty for none."""
    return next((_ending(layer) for layer in model.graph.values() if layer.outputs[0] in model.outputs), "")


def _ending(layer: Any) -> str:
    """Return the one of `codesign.keras_model.kinds.ENDINGS` that a layer is; empty if it is none."""
    if layer.class_name == "Softmax":
        return "softmax"
    activation = layer.get_attr("activation")
    return activation if activation in ENDINGS else ""


class _Builder(Affine):
    """Walks the layers once, in order, and collects nodes and what every tensor stands for."""

    def build(self) -> Reading:
        model = self.model
        project = model.config.get_project_name()
        check_design(project, where="project_name")
        check_layers((layer.name for layer in model.graph.values()), where=project)
        hls_config.check(model)
        ends = f"{model.inputs} to {model.outputs}"
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise UnsupportedLayerError("a delta network has one input and one output", received=ends)
        convert: dict[str, Callable[[Any], Tensor]] = {
            "Input": self._input,
            "Reshape": self._reshape,
            "Dense": self._dense,
            **dict.fromkeys(CONVOLUTIONS, self._convolution),
            **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D"), self._zero_padding),
            **dict.fromkeys(hls_config.POOLINGS, self._pooling),
            **dict.fromkeys(hls_config.JOINS, self._join),
            "Resize": self._upsampling,
            "BatchNormalization": self._normalization,
            "DeltaRescale": self._rescaling,
            **dict.fromkeys((*hls_activations.KINDS, "Softmax"), self._activation),
        }
        for layer in model.graph.values():
            if layer.class_name not in (*PADDING, "DeltaRescale") and not is_nothing(layer):
                for name in layer.inputs:
                    self._refuse_zeros(self.tensors.get(name), f"{layer.class_name} {layer.name!r}")
            tensor = self.tensors[layer.outputs[0]] = convert.get(layer.class_name, self._unsupported)(layer)
            self.of_keras.update(dict.fromkeys(layer.get_attr("output_keras_tensor_names") or (), tensor))
        last = self.tensors[model.outputs[0]]
        self._refuse_zeros(last, "the end of the model")
        self._shape_output(last)
        graph = with_target(model, Graph(name=project, nodes=self.nodes.all()))
        kept = {node.name for node in graph.nodes}
        return Reading(
            graph=graph,
            tensors={
                name: tensor for name, tensor in self.of_keras.items() if not tensor.zeros and tensor.node in kept
            },
            sources=self.sources,
            activations=self.activations,
            merged=self.nodes.merged,
            formats={layer.name: self._format(layer) for layer in model.graph.values()},
        )

    def _input(self, layer: Any) -> Tensor:
        check_input(layer.name, where=layer.name)
        shape = tuple(int(n) for n in layer.get_output_variable().shape)
        fmt, explicit = hls_config.input_format(self.model, layer)
        lanes = min(hls_config.lanes(self.model, layer), math.prod(shape))
        source = Source(name=identifier(layer.name), shape=shape, fmt=fmt, lanes=lanes, explicit=explicit)
        return self.nodes.add(source, shape)

    def _reshape(self, layer: Any) -> Tensor:
        self._check_channels_last(layer)
        return replace(self._read(layer), shape=tuple(int(n) for n in layer.get_output_variable().shape))

    def _zero_padding(self, layer: Any) -> Tensor:
        """Remember the zeros for the next layer; padding codes is padding what it reads."""
        self._check_channels_last(layer)
        return replace(self._read(layer), zeros=Zeros(name=layer.name, padding=hls_linear.padding(layer)))

    def _dense(self, layer: Any) -> Tensor:
        """Append a `Dense`; on frames of several rows or positions, a convolution of kernel 1."""
        sizes = self._read(layer).shape[:-1]
        self._check_input(
            layer, (*sizes, layer.get_attr("n_in")), f"give it frames of {layer.get_attr('n_in')} channels"
        )
        weight, weight_fmt = hls_linear.tensor_codes(self.model, layer, "weight")
        if not sizes:
            return self._linear(layer, partial(Dense, weight=weight, weight_fmt=weight_fmt))
        y, x = hls_between.positions(sizes)
        make = partial(Conv, weight=weight[None, None], weight_fmt=weight_fmt, y=y, x=x)
        return self._linear(layer, make, tuple(sizes))

    def _convolution(self, layer: Any) -> Tensor:
        hls_linear.check_convolution(layer)
        y, x = hls_linear.axes(layer, self._zeros(layer))
        one = layer.class_name.endswith("1D")
        frame = (y.size,) if one else (y.size, x.size)
        self._check_input(layer, (*frame, int(layer.get_attr("n_chan"))), "put a Reshape layer before it")
        weight, weight_fmt = hls_linear.tensor_codes(self.model, layer, "weight")
        make = partial(
            Conv,
            weight=weight[:, None] if one else weight,
            weight_fmt=weight_fmt,
            y=y,
            x=x,
            depthwise=layer.class_name.startswith("Depthwise"),
        )
        return self._linear(layer, make, (y.outputs,) if one else (y.outputs, x.outputs))

    def _linear(self, layer: Any, make: Callable[..., Linear], positions: tuple[int, ...] = ()) -> Tensor:
        """Append the node that ``make`` gives."""
        hls_config.check_strategy(self.model, layer)
        name = identifier(layer.name)
        delta = self.nodes.codes(self._read(layer), name)
        bias, bias_fmt = hls_linear.tensor_codes(self.model, layer, "bias")
        pe = hls_config.pe(self.model, layer, len(bias))
        node = make(name=name, input=delta.name, bias=bias, fmt=bias_fmt, pe=pe)
        if isinstance(node, Conv) and layer.class_name != "Dense":
            node = replace(node, unroll=hls_config.unroll(self.model, layer, node.y, node.x))
        self.linears[layer.outputs[0]] = node.name, delta
        self.sources[name] = (layer,)
        return self.nodes.add(hls_linear.place(node, delta), (*positions, len(bias)))

    def _pooling(self, layer: Any) -> Tensor:
        """Append a pooling, or a cascade of them."""
        self._check_channels_last(layer)
        tensor, name = self._read(layer), identifier(layer.name)
        zeros = self._zeros(layer)
        y, x = hls_linear.axes(layer, zeros, "pool")
        kind: Literal["max", "sum"] = "max" if layer.get_attr("pool_op") == "Max" else "sum"
        pe = hls_config.pe(self.model, layer, tensor.shape[-1])
        mean = kind == "sum" and not layer.get_attr("sums", False)
        pads = zeros is None
        stages = pooling.windows(layer.name, kind, y, x, pads=pads) if mean or kind == "max" else [(y, x)]
        for i, axes in enumerate(stages, 1):
            stage = name if i == len(stages) else f"{name}_stage{i}"
            node = hls_between.pool(stage, self.nodes.codes(tensor, stage), kind, axes, pe, mean=mean, pads=pads)
            node = replace(node, unroll=hls_config.unroll(self.model, layer, node.y, node.x))
            tensor = self.nodes.add(node, node.shape)
        positions: tuple[int, ...] = (y.outputs,) if layer.class_name.endswith("1D") else (y.outputs, x.outputs)
        if layer.class_name.startswith("Global") and not layer.get_attr("keepdims"):
            positions = ()
        return replace(tensor, shape=(*positions, tensor.shape[-1]))

    def _upsampling(self, layer: Any) -> Tensor:
        self._check_channels_last(layer)
        tensor, name = self._read(layer), identifier(layer.name)
        pe = hls_config.pe(self.model, layer, tensor.shape[-1])
        node = hls_between.upsample(layer, name, self.nodes.codes(tensor, name), tensor.shape, pe)
        node = replace(node, unroll=hls_config.unroll(self.model, layer, node.y, node.x))
        return self.nodes.add(node, (*node.shape[: len(tensor.shape) - 1], tensor.shape[-1]))

    def _join(self, layer: Any) -> Tensor:
        name, op = identifier(layer.name), layer.get_attr("op").lower()  # hls4ml calls a concatenation Concatenate2d
        if op != "add" and not op.startswith("concatenate"):
            self._unsupported(layer)
        tensors = [self.tensors[given] for given in layer.inputs]
        deltas = [self.nodes.codes(tensor, name) for tensor in tensors]
        shapes = [tensor.shape for tensor in tensors]
        pe = partial(hls_config.pe, self.model, layer)
        if op == "add":
            return self.nodes.add(hls_between.added(name, deltas, shapes, pe(shapes[0][-1])), shapes[0])
        axis = int(layer.get_attr("axis"))
        axis = axis - 1 if axis > 0 else axis + len(shapes[0])
        node = hls_between.concatenated(name, deltas, shapes, axis, pe)
        total = sum(shape[axis] for shape in shapes)
        return self.nodes.add(node, (*shapes[0][:axis], total, *shapes[0][axis + 1 :]))

    def _activation(self, layer: Any) -> Tensor:
        """Append a `Delta`; a plain linear activation changes nothing."""
        if _ending(layer):
            return self._left_to_host(layer)
        tensor = self._read(layer)
        if is_nothing(layer):
            return self.tensors[layer.inputs[0]]
        fields = hls_activations.fields(self.model, layer, tensor.fmt(self.nodes[tensor.node].fmt))
        if fields is None:
            self._unsupported(layer)
        made = self.nodes.activation(identifier(layer.name), tensor, **fields)
        self.activations.update(dict.fromkeys(layer.get_attr("output_keras_tensor_names") or (), made.node))
        return made

    def _left_to_host(self, layer: Any) -> Tensor:
        """Leave a softmax or sigmoid at the end to the host: the graph ends with the logits."""
        last, own = layer.outputs[0] in self.model.outputs, self.model.config.backend.name == "Delta"
        if not last or not own or layer.get_attr("axis", -1) != -1:
            raise UnsupportedLayerError(
                f"{_ending(layer)} is not computed in hardware",
                where=layer.name,
                expected=f"{_ending(layer)} as last layer, of the last axis: predict() of backend Delta computes it on "
                "the host",
                received=f"axis {layer.get_attr('axis', -1)}, {'last' if last else 'not the last'} layer, "
                f"backend {self.model.config.backend.name}",
                fix="end the model with its logits (train with from_logits=True), and use backend='Delta'",
            )
        return self._read(layer)

    def _unsupported(self, layer: Any) -> NoReturn:
        activation, kind = layer.get_attr("activation"), layer.get_attr("op") or layer.class_name
        kind = layer.get_attr("keras_class", kind)
        raise UnsupportedLayerError(
            "this layer has no delta implementation",
            where=layer.name,
            expected=SUPPORTED,
            received=f"{kind} ({activation})" if isinstance(activation, str) else kind,
            fix="replace the layer, or convert the model with another hls4ml backend",
        )

    def _shape_output(self, last: Tensor) -> None:
        """Give the output the shape that the user sees; after an engine an identity carries it."""
        node = self.nodes[last.node]
        if isinstance(node, Delta):
            fmt, in_fmt = last.fmt(node.fmt), last.fmt(node.in_fmt)
            self.nodes.replace(replace(node, shape=last.shape, fmt=fmt, in_fmt=in_fmt))
            for tensors in (self.of_keras, self.tensors):
                for name, other in tensors.items():
                    if other.node == node.name:
                        tensors[name] = replace(other, log2_scale=other.log2_scale - last.log2_scale)
        elif isinstance(node, Source) or last.shape != node.shape or last.log2_scale:
            self.nodes.identity(f"{last.node}_output", last)
