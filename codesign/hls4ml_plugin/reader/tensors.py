# SPDX-License-Identifier: Apache-2.0
"""What every tensor of an hls4ml model stands for in the delta graph, and what a layer may ask of those it reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from codesign.errors import UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph.ir import Delta
from codesign.hls4ml_plugin.reader import linear
from codesign.hls4ml_plugin.reader.linear import Padding
from codesign.hls4ml_plugin.reader.nodes import Nodes, Tensor


def is_nothing(layer: Any) -> bool:
    """Return whether a layer gives out what it is given."""
    linear = layer.class_name == "Activation" and layer.get_attr("activation") == "linear"
    return linear and layer.get_attr("activation_quantizer") is None


class Tensors:
    """The nodes so far, and the tensors that they make.

    `origins` maps each tensor to the one that it is a copy of, `reads` how often each of those is read, and `linears`
    which of them are what a linear layer makes, with the codes that it reads.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.nodes = Nodes()
        self.tensors: dict[str, Tensor] = {}
        self.of_keras: dict[str, Tensor] = {}
        self.sources: dict[str, tuple[Any, ...]] = {}
        self.activations: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self.reads: Counter[str] = Counter()
        self.linears: dict[str, tuple[str, Delta]] = {}
        for layer in model.graph.values():
            given = [self.origins.get(name, name) for name in layer.inputs]
            self.origins.update({name: given[0] if is_nothing(layer) else name for name in layer.outputs})
            self.reads.update(() if is_nothing(layer) else given)

    def _format(self, layer: Any) -> Fixed:
        tensor = self.tensors[layer.outputs[0]]
        return tensor.fmt(self.nodes[tensor.node].fmt)

    def _read(self, layer: Any) -> Tensor:
        """Return what the only input of ``layer`` stands for; zeros before it are the layer's own to make."""
        return replace(self.tensors[layer.inputs[0]], zeros=None)

    def _zeros(self, layer: Any) -> Padding | None:
        """Return the zeros that ``layer`` is to make for a ZeroPadding before it."""
        tensor = self.tensors[layer.inputs[0]]
        if any(linear.padding(layer)):
            self._refuse_zeros(tensor, f"{layer.name!r}, which pads itself")
        return tensor.zeros and tensor.zeros.padding

    @staticmethod
    def _refuse_zeros(tensor: Tensor | None, reader: str) -> None:
        """Refuse zeros that ``reader`` cannot make."""
        if tensor is not None and tensor.zeros is not None:
            raise UnsupportedLayerError(
                "zero padding is part of the layer after it",
                where=tensor.zeros.name,
                expected="a convolution or pooling with padding='valid' directly after, activations before",
                received=reader,
                fix="move the padding there, or use padding='same'",
            )

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
        given = self._read(layer).shape
        if given != shape:
            raise UnsupportedLayerError(
                "the layer reads another shape",
                where=layer.name,
                expected=f"an input of shape {shape}",
                received=f"{layer.class_name} on {given}",
                fix=fix,
            )
