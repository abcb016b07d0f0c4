# SPDX-License-Identifier: Apache-2.0
"""Layers that scale and shift channels, BatchNormalization and Rescaling: folded where they can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from codesign.errors import UnsupportedLayerError
from codesign.graph.ir import Linear
from codesign.hls4ml_plugin.reader import between as hls_between
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.hls4ml_plugin.reader import linear as hls_linear
from codesign.hls4ml_plugin.reader.nodes import Tensor
from codesign.hls4ml_plugin.reader.tensors import Tensors
from codesign.names import identifier


class Affine(Tensors):
    """The part of a builder that knows them."""

    def _normalization(self, layer: Any) -> Tensor:
        """Fold a BatchNormalization into the linear layer before it."""
        origin = self.origins[layer.inputs[0]]
        if origin not in self.linears:
            maker = next(other for other in self.model.graph.values() if layer.inputs[0] in other.outputs)
            raise UnsupportedLayerError(
                "its place is the reason: a BatchNormalization is folded into a linear layer directly before it",
                where=layer.name,
                expected="Dense or a convolution, without activation, directly before it",
                received=f"{layer.get_attr('keras_class', 'normalization')} after {maker.name!r} ({maker.class_name})",
                fix="move it directly after the linear layer, before the activation, or let "
                "codesign.layers.delta(model) fold it where it is",
            )
        name, delta = self.linears[origin]
        if self.reads[origin] > 1:
            raise UnsupportedLayerError(
                "a BatchNormalization cannot be folded into a layer that others read, too",
                where=layer.name,
                expected=f"{layer.name!r} as only reader of {name!r}",
                received=f"{self.reads[origin]} readers",
                fix="let the others read the BatchNormalization, or fold it before conversion",
            )
        node = self._linear_node(name)
        self.nodes.replace(hls_linear.fold(node, layer.name, *hls_linear.normalization(node, layer), delta))
        self._folded(name, layer)
        self.linears[layer.outputs[0]] = name, delta
        return self._read(layer)

    def _rescaling(self, layer: Any) -> Tensor:
        """Move the lattice; else fold a Rescaling into the linear layer before it, or append one."""
        tensor = self._read(layer)
        scale, offset = (
            np.broadcast_to(np.asarray(layer.get_attr(f"rescaling_{name}"), np.float64), tensor.shape[-1:]).copy()
            for name in ("scale", "offset")
        )
        if (scale == scale[0]).all() and scale[0] > 0 and not offset.any():
            zeros = self.tensors[layer.inputs[0]].zeros
            return replace(tensor, zeros=zeros, log2_scale=tensor.log2_scale + int(np.log2(scale[0])))
        self._refuse_zeros(self.tensors[layer.inputs[0]], f"Rescaling {layer.name!r}")
        origin = self.origins[layer.inputs[0]]
        if origin in self.linears and self.reads[origin] == 1:
            name, delta = self.linears[origin]
            self.nodes.replace(hls_linear.fold(self._linear_node(name), layer.name, scale, offset, delta))
            self._folded(name, layer)
            self.linears[layer.outputs[0]] = name, delta
            return tensor
        name, axes = identifier(layer.name), hls_between.positions(tensor.shape[:-1])
        delta, pe = self.nodes.codes(tensor, name), hls_config.pe(self.model, layer, len(scale))
        return self.nodes.add(hls_linear.scaled(name, scale, offset, delta, axes, pe), tensor.shape)

    def _folded(self, name: str, layer: Any) -> None:
        """Remember that ``layer`` is folded into the node ``name``, which no tensor before it stands for any more."""
        self.sources[name] += (layer,)
        self.of_keras = {tensor: made for tensor, made in self.of_keras.items() if made.node != name}

    def _linear_node(self, name: str) -> Linear:
        node = self.nodes[name]
        assert isinstance(node, Linear)
        return node
