# SPDX-License-Identifier: Apache-2.0
"""`build_graph`: from a freshly converted hls4ml ModelGraph to the delta graph."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph import hls_config, hls_linear, hls_quantizers
from codesign.graph.hls_linear import Padding
from codesign.graph.ir import Conv, Delta, Dense, Graph, Linear, Node, Source

CONVOLUTIONS = tuple(kind for kind in hls_config.LINEAR if kind != "Dense")

SUPPORTED = (
    "Dense, Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D and their QKeras forms, ZeroPadding2D, "
    "BatchNormalization, DeltaActivation, QActivation of quantized_relu or quantized_bits, relu, Flatten, Reshape"
)


class Zeros(NamedTuple):
    """A ZeroPadding layer that the convolution behind it is to make."""

    name: str
    padding: Padding


def build_graph(model: Any) -> Graph:
    """Return the delta graph of an hls4ml ``ModelGraph``.

    A model converted by backend Delta already carries its graph; that one is returned.

    Raises:
        UnsupportedLayerError: a layer has no delta implementation.
        LatticeError: weights or biases are not on a power-of-two lattice.
        ConversionError: PE does not divide, two activations in a row, another Strategy asked for.

    Warns:
        ConversionWarning: an accumulator is wider than float32 Keras computes exactly.
    """
    graph = getattr(model, "delta_graph", None)
    return graph if graph is not None else _Builder(model).build()


def identifier(name: str) -> str:
    """Return ``name`` as a C and SystemVerilog identifier."""
    safe = re.sub(r"\W", "_", name)
    return safe if safe[:1].isalpha() else f"n_{safe}"


class _Builder:
    """Walks the layers once, in order, and collects nodes."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self.shape: tuple[int, ...] = ()
        self.zeros: Zeros | None = None

    def build(self) -> Graph:
        hls_config.check(self.model)
        convert: dict[str, Callable[[Any], None]] = {
            "Input": self._input,
            "Reshape": self._reshape,
            "Dense": self._dense,
            **dict.fromkeys(CONVOLUTIONS, self._convolution),
            **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D"), self._zero_padding),
            "BatchNormalization": self._normalization,
            "DeltaActivation": self._delta_activation,
            "Activation": self._activation,
            "ParametrizedActivation": self._parametrized,
            "Softmax": self._softmax,
        }
        for layer in self._chain():
            if self.zeros is not None and layer.class_name not in CONVOLUTIONS:
                self._refuse_zeros(f"{layer.class_name} {layer.name!r}", self.zeros)
            convert.get(layer.class_name, self._unsupported)(layer)
        if self.zeros is not None:
            self._refuse_zeros("the end of the model", self.zeros)
        self._shape_output()
        return Graph(name=identifier(self.model.config.get_project_name()), nodes=tuple(self.nodes))

    def _chain(self) -> list[Any]:
        """Return the layers in order; refuse branches and several inputs or outputs."""
        layers = list(self.model.graph.values())
        for before, layer in itertools.pairwise(layers):
            if list(layer.inputs) != list(before.outputs):
                raise UnsupportedLayerError(
                    "only a chain of layers has a delta implementation yet",
                    where=layer.name,
                    expected=f"the output of {before.name!r} as only input",
                    received=f"{layer.class_name} of {list(layer.inputs)}",
                    fix="use a Sequential model",
                )
        return layers

    def _input(self, layer: Any) -> None:
        self.shape = tuple(int(n) for n in layer.get_output_variable().shape)
        fmt = hls_config.precision(self.model, layer.get_output_variable().type.precision, layer.name)
        lanes = min(hls_config.lanes(self.model, layer), math.prod(self.shape))
        self.nodes.append(Source(name=identifier(layer.name), shape=self.shape, fmt=fmt, lanes=lanes))

    def _reshape(self, layer: Any) -> None:
        self._check_channels_last(layer)
        self.shape = tuple(int(n) for n in layer.get_output_variable().shape)

    def _zero_padding(self, layer: Any) -> None:
        """Remember the zeros for the convolution behind; padding codes is padding what it reads."""
        self._check_channels_last(layer)
        self.zeros = Zeros(name=layer.name, padding=hls_linear.padding(layer))

    def _dense(self, layer: Any) -> None:
        self._check_input(layer, (layer.get_attr("n_in"),), "put a Flatten layer before it")
        weight, weight_fmt = hls_linear.tensor_codes(self.model, layer, "weight")
        self._linear(layer, partial(Dense, weight=weight, weight_fmt=weight_fmt))

    def _convolution(self, layer: Any) -> None:
        hls_linear.check_convolution(layer)
        zeros, self.zeros = self.zeros, None
        if zeros is not None and any(hls_linear.padding(layer)):
            self._refuse_zeros(f"{layer.name!r}, which pads itself", zeros)
        y, x = hls_linear.axes(layer, zeros and zeros.padding)
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
        self._linear(layer, make, (y.outputs,) if one else (y.outputs, x.outputs))

    def _linear(self, layer: Any, make: Callable[..., Linear], positions: tuple[int, ...] = ()) -> None:
        """Append the node that ``make`` gives, behind an identity `Delta` if none feeds it."""
        hls_config.check_strategy(self.model, layer)
        name = identifier(layer.name)
        if not isinstance(self.nodes[-1], Delta):
            self._append_identity(f"{name}_input")
        bias, bias_fmt = hls_linear.tensor_codes(self.model, layer, "bias")
        pe = hls_config.pe(self.model, layer, len(bias))
        node = make(name=name, input=self.nodes[-1].name, bias=bias, fmt=bias_fmt, pe=pe)
        self.nodes.append(hls_linear.place(node, self._feeding(node)))
        self.shape = (*positions, len(bias))

    def _normalization(self, layer: Any) -> None:
        """Fold a BatchNormalization into the linear layer before it."""
        node = self.nodes[-1]
        if isinstance(node, Linear):
            self.nodes[-1] = hls_linear.fold(node, layer, self._feeding(node))
        else:
            self._unsupported(layer)

    def _delta_activation(self, layer: Any) -> None:
        self._append(
            layer.name,
            fmt=Fixed(**layer.get_attr("code_format")),
            activation=layer.get_attr("activation"),
            step_log2=tuple(layer.get_attr("step_log2")),
            lo=layer.get_attr("lo"),
            hi=layer.get_attr("hi"),
            hold=layer.get_attr("hold"),
        )

    def _activation(self, layer: Any) -> None:
        activation = layer.get_attr("activation")
        quantizer = layer.get_attr("activation_quantizer")
        if quantizer is not None and activation in ("relu", "linear"):
            quantised = hls_quantizers.relu_fields if activation == "relu" else hls_quantizers.bits_fields
            self._append(layer.name, **quantised(layer.name, quantizer["config"]))
        elif activation == "relu":
            self._relu(layer)
        elif activation == "softmax":
            self._softmax(layer)
        elif activation != "linear":  # a plain linear activation changes nothing
            self._unsupported(layer)

    def _parametrized(self, layer: Any) -> None:
        quantizer = layer.get_attr("activation_quantizer")
        if quantizer is not None and quantizer["class_name"] == "quantized_relu":
            hls_quantizers.relu_fields(layer.name, quantizer["config"])  # refuses the slope
        if layer.get_attr("activation") != "thresholdedrelu" or layer.get_attr("activ_param") != 0.0:
            self._unsupported(layer)
        self._relu(layer)  # hls4ml reads keras.layers.ReLU as a threshold at 0

    def _relu(self, layer: Any) -> None:
        """Plain relu quantises nothing: keep every bit of the accumulator."""
        fmt = replace(self.nodes[-1].fmt, signed=False, width=max(1, self.nodes[-1].fmt.hi.bit_length()))
        asked = hls_config.asked_precision(self.model, layer)
        if asked is not None and (asked.frac < fmt.frac or asked.hi * asked.scale < fmt.hi * fmt.scale):
            raise ConversionError(
                "a plain relu computes every bit in Keras, so a coarser Precision would change the result",
                where=layer.name,
                expected=f"at least {fmt}, or no Precision",
                received=asked,
                fix="quantise in the Keras model: QActivation(quantized_relu(...)) or DeltaActivation",
            )
        self._append(layer.name, fmt=fmt, activation="relu", lo=0, hi=fmt.hi)

    def _softmax(self, layer: Any) -> None:
        raise UnsupportedLayerError(
            "softmax is not computed in hardware",
            where=layer.name,
            expected="a model that ends with its logits",
            received=layer.class_name,
            fix="train with from_logits=True and no softmax layer, or compute the softmax of predict() on the host",
        )

    def _unsupported(self, layer: Any) -> None:
        activation = layer.get_attr("activation")
        raise UnsupportedLayerError(
            "this layer has no delta implementation",
            where=layer.name,
            expected=SUPPORTED,
            received=layer.get_attr("keras_class", layer.class_name)
            + (f" ({activation})" if isinstance(activation, str) else ""),
            fix="replace the layer, or convert the model with another hls4ml backend",
        )

    def _refuse_zeros(self, behind: str, zeros: Zeros) -> None:
        raise UnsupportedLayerError(
            "zero padding is part of the convolution behind it",
            where=zeros.name,
            expected="a convolution with padding='valid' directly behind, activations before",
            received=behind,
            fix="move the padding there, or use padding='same'",
        )

    # Helpers.

    def _feeding(self, node: Linear) -> Delta:
        return next(delta for delta in self.nodes if isinstance(delta, Delta) and delta.name == node.input)

    @staticmethod
    def _check_channels_last(layer: Any) -> None:
        if layer.get_attr("data_format", "channels_last") != "channels_last":
            raise UnsupportedLayerError(
                "codes travel channels last, so this would reorder them",
                where=layer.name,
                expected="data_format='channels_last'",
                received=f"data_format={layer.get_attr('data_format')!r}",
                fix="keep frames channels last",
            )

    def _check_input(self, layer: Any, shape: tuple[int, ...], fix: str) -> None:
        if self.shape != shape:
            raise UnsupportedLayerError(
                "the layer reads another shape",
                where=layer.name,
                expected=f"an input of shape {shape}",
                received=f"{layer.class_name} on {self.shape}",
                fix=fix,
            )

    def _append(self, name: str, **fields: Any) -> None:
        before = self.nodes[-1]
        if isinstance(before, Delta):
            raise ConversionError(
                "two activations in a row: the second would quantise the first",
                where=name,
                expected="a linear layer between them",
                received=f"{name!r} right after {before.name!r}",
                fix="remove one of the two",
            )
        self.nodes.append(
            Delta(
                name=identifier(name),
                input=before.name,
                shape=self.shape,
                in_fmt=before.fmt,
                channels=self.shape[-1],
                **fields,
            )
        )

    def _append_identity(self, name: str) -> None:
        fmt = self.nodes[-1].fmt
        self._append(name, fmt=fmt, activation="identity", lo=fmt.lo, hi=fmt.hi)

    def _shape_output(self) -> None:
        last = self.nodes[-1]
        if self.shape == last.shape:
            return
        if isinstance(last, Conv):  # one axis, or flattened: an identity carries the shape
            self._append_identity(f"{last.name}_output")
            return
        if not isinstance(last, Delta):
            raise UnsupportedLayerError(
                "a Reshape after the last layer",
                where=last.name,
                received=self.shape,
                fix="reshape predict() on the host",
            )
        self.nodes[-1] = replace(last, shape=self.shape, channels=last.channels)
