# SPDX-License-Identifier: Apache-2.0
"""`fold`: the same function with one task per layer: a sum of products, an activation, or codes that only move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import qkeras
from numpy.typing import NDArray

from codesign.errors import ConfigError, UnsupportedLayerError
from codesign.fixed import CENTERED, PIXEL, Fixed
from codesign.keras_model.calls import Call, Calls, calls_of
from codesign.keras_model.kinds import FOLDED, LINEAR, NO_OPS, check_kinds, does_nothing, name_of
from codesign.keras_model.rescaling import inexact
from codesign.layers import transposed
from codesign.layers.affine import KINDS, Affine
from codesign.layers.anew import copied, free_name, fresh_input
from codesign.layers.linear import folded_weights, kernel_of, plain_like, unfolded, weights_of
from codesign.layers.pixels import exact_format, of_pixels

PADS = ("ZeroPadding1D", "ZeroPadding2D", "Flatten", "Reshape")
"""Classes of layers through which a scale and a shift of the input move."""

_ABSORB = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D", *KINDS)
"""Classes of layers that take them."""


def fold(model: Any) -> Any:
    """Return a functional model that computes what ``model`` does in inference, of linear layers, activations, layers
    that move or add up values, and ``Identity`` layers only; ``model`` stays as it is.

    * A BatchNormalization directly after a linear layer that nothing else reads is folded into its weights (an
      ``Identity`` keeps its name); anywhere else it becomes a depthwise convolution of kernel 1, which it is.
    * ``activation=`` arguments become layers, called ``<layer>_delta``.
    * A SeparableConv2D becomes the two that it is, the first called ``<layer>_depthwise``; a DepthwiseConv1D becomes
      one of two dimensions between ``<layer>_in`` and ``<layer>_out``, which QKeras can quantise.
    * A causal convolution becomes one after a ZeroPadding1D, ``<layer>_causal``.
    * A Conv2DTranspose becomes ordinary convolutions (see `codesign.layers.transposed`).
    * Dropout, noise and activity regularisation, which do nothing in inference, are left out: drawn anew in each
      frame, they would be changes.
    * Models inside the model are opened; layers of the same name get that of the model around them as a prefix.
    * ``a + b`` and ``keras.ops`` become the layers that compute the same (see `codesign.keras_model.operations`).

    Raises:
        ConfigError: a layer with weights is used twice.
        ConversionError: no built model of layers, of one frame of a known size.
        UnsupportedLayerError: several inputs or outputs, or layers of other kinds; names all of them.
    """
    return _folded(model, None)[0]


def fold_pixels(model: Any, low: float, high: float) -> tuple[Any, Fixed]:
    """Return `fold` of a model that reads pixels as ``low`` (0) to ``high`` (255), and the format in which they enter.

    What the model itself does to them first (``Rescaling``, ``Normalization``, BatchNormalization, by any numbers) is
    folded as well. The folded model reads values of `codesign.fixed.PIXEL`, or of `codesign.fixed.CENTERED`, pixels
    less 128, where that keeps the zeros that pad the frames nearly right: they stand for the middle of the range then.
    Where neither keeps them, a depthwise convolution of kernel 1, ``input_scaled``, scales and shifts before they are
    padded.

    First weights with a quantiser of their own take no scale. Such a model reads what it was trained to read, where
    that is a format (see `codesign.layers.pixels.exact_format`); else ``input_scaled`` is before them, too.

    Raises: the errors of `fold`; ConfigError: no range.
    """
    channels, exact = model.inputs[0].shape[-1], exact_format(low, high)
    if exact is not None and quantizes_first(model):
        return fold(model), exact
    folded, kept = _folded(model, of_pixels(low, high, channels, PIXEL))
    if kept:
        return folded, PIXEL
    other, kept = _folded(model, of_pixels(low, high, channels, CENTERED))
    return (other, CENTERED) if kept else (folded, PIXEL)


def quantizes_first(model: Any) -> bool:
    """Return whether the first layer that computes has weights with a quantiser of its own."""
    for call in calls_of(model).calls[1:]:
        if call.kind not in (*PADS, *NO_OPS):
            return getattr(call.layer, f"{kernel_of(call.layer)}_quantizer", None) is not None
    return False


def _folded(model: Any, pixels: Affine | None) -> tuple[Any, bool]:
    """Return what `fold` does of a model that reads ``pixels``, and whether the zeros around the input stay right."""
    calls = calls_of(model)
    scaled = () if pixels is None else ("Rescaling", "Normalization")
    check_kinds(calls, but=(*transposed.KINDS, *scaled), after="training")
    frame = fresh_input(model)
    folder = _Folder({call.name for call in calls.calls}, _shared(calls))
    if pixels is not None:
        folder.pending[id(frame)] = pixels
    folder.inputs.add(id(frame))
    return keras.Model(frame, folder.plain(calls.run(frame, folder.call)), name=calls.name), folder.borders


class _Folder:
    """Calls new layers in place of those of a model, in order.

    taken: names of those. shared: names of those whose output several others read, or which end the model, too.
    """

    def __init__(self, taken: set[str], shared: set[str]) -> None:
        self.taken, self.shared = taken, shared
        self.names: dict[int, str] = {}  # the name of a layer of the folded model, by the id of the layer
        self.uses: Counter[int] = Counter()
        self.makers: dict[int, Any] = {}  # the linear layer that made a tensor, by the tensor's id
        self.kept: list[Any] = []  # tensors whose id must not be used again
        self.inputs: set[int] = set()  # the input, and what was only scaled and shifted since
        self.pending: dict[int, Any] = {}  # what is still to be done to a tensor
        self.borders = True  # the zeros around the input stay nearly what they are

    def call(self, call: Call, given: Any) -> Any:
        """Return the output of what stands for ``call``."""
        output = self._made(call, given)
        if call.name in self.shared:
            self.makers.pop(id(output), None)  # others want it as it is
        return output

    def _made(self, call: Call, given: Any) -> Any:
        layer, kind = call.layer, call.kind
        if does_nothing(call):
            return given
        inputs = keras.tree.flatten(given)
        self.names.setdefault(id(layer), call.name)
        if not self._absorbs(layer, kind, given):
            given = keras.tree.map_structure(self.plain, given)
        output = self._handler(kind)(layer, given)
        if kind in PADS and id(given) in self.pending:
            self.pending[id(output)] = self.pending[id(given)].over(output.shape[-1])
        self.kept += [output, layer, *inputs]
        return output

    def _handler(self, kind: str) -> Callable[..., Any]:
        handlers: dict[str, Callable[..., Any]] = {
            **dict.fromkeys(LINEAR, self._linear),
            **dict.fromkeys(FOLDED, self._normalized),
            **dict.fromkeys(("SeparableConv2D", "QSeparableConv2D"), self._separable),
            **dict.fromkeys(transposed.KINDS, self._transposed),
            "DepthwiseConv1D": self._depthwise_of_one_dimension,
            "BatchNormalization": self._normalization,
            **dict.fromkeys(("Rescaling", "Normalization"), self._rescaling),
        }
        return handlers.get(kind, self._copy)

    def _name(self, layer: Any) -> str:
        """Return the name of the next use of ``layer``."""
        self.uses[id(layer)] += 1
        name = self.names[id(layer)]
        if self.uses[id(layer)] == 1:
            return name
        if layer.weights:
            raise ConfigError("a layer with weights is used twice", where=name, fix="give each use its own layer")
        return free_name(name, self.taken)

    def _copy(self, layer: Any, given: Any) -> Any:
        new = copied(layer, self._name(layer))
        output = new(given)
        new.set_weights(layer.get_weights())
        return output

    def plain(self, x: Any) -> Any:
        """Return ``x`` after what is still to be done to it."""
        if id(x) not in self.pending:
            return x
        todo = self.pending[id(x)]
        output = self._convolved(free_name("input_scaled", self.taken), x, todo.scale, todo.shift)
        self.kept += [x, output]
        return output

    def _absorbs(self, layer: Any, kind: str, given: Any) -> bool:
        """Return whether what is still to be done to ``given`` can be done in ``layer``, or after it."""
        todo = self.pending.get(id(given))
        if todo is None or kind not in (*PADS, *_ABSORB):
            return False
        pads = "ZeroPadding" in kind or getattr(layer, "padding", "valid") != "valid"
        if pads and not todo.keeps_borders:
            self.borders = False
            return False
        if kind in PADS:
            return todo.over(layer.compute_output_shape(given.shape)[-1]) is not None
        return True

    def _rescaling(self, layer: Any, x: Any) -> Any:
        """Fold a Rescaling or Normalization as a BatchNormalization, or into what reads the input."""
        exact = type(layer).__name__ == "Rescaling" and not inexact(layer, x.shape[-1])
        if id(x) not in self.pending and exact:
            return self._copy(layer, x)
        return self._normalization(layer, x)

    def _linear(self, layer: Any, x: Any) -> Any:
        if type(layer).__name__ == "DepthwiseConv2D" and layer.depth_multiplier > 1 and x.shape[-1] == 1:
            layer = self._of_one_channel(layer, x)
        if getattr(layer, "padding", "") == "causal":
            layer, x = self._padded_before(layer, x)
        todo, name = self.pending.get(id(x)), self._name(layer)
        new = copied(layer, name, activation=None) if todo is None else plain_like(layer, name)
        output = new(x)
        new.set_weights(layer.get_weights() if todo is None else todo.into(*weights_of(layer)))
        self.makers[id(output)] = new
        return self._activated(layer, output)

    def _of_one_channel(self, layer: Any, x: Any) -> Any:
        """Return a depthwise convolution with several outputs of the only channel as the convolution that it is."""
        shared = ("kernel_size", "strides", "padding", "data_format", "dilation_rate", "use_bias", "activation")
        options = {name: getattr(layer, name) for name in shared}
        new = keras.layers.Conv2D(layer.depth_multiplier, name=layer.name, **options)
        new.build(x.shape)
        new.set_weights(layer.get_weights())
        self.names[id(new)] = self.names[id(layer)]
        self.kept.append(new)
        return new

    def _padded_before(self, layer: Any, x: Any) -> tuple[Any, Any]:
        """Return a causal convolution as one of padding 'valid', and ``x`` with the zeros before it."""
        size = (layer.kernel_size[0] - 1) * layer.dilation_rate[0]
        new = copied(layer, padding="valid")
        padding = keras.layers.ZeroPadding1D((size, 0), name=free_name(f"{self.names[id(layer)]}_causal", self.taken))
        padded = padding(self.plain(x))
        new.build(padded.shape)
        new.set_weights(layer.get_weights())
        self.names[id(new)] = self.names[id(layer)]
        self.kept += [new, padded]
        return new, padded

    def _activated(self, layer: Any, x: Any) -> Any:
        """Return ``x`` after the ``activation=`` argument of ``layer``."""
        activation = getattr(layer, "activation", None)
        if activation is None or name_of(activation) == "linear":
            return x
        kind = keras.layers.Activation if name_of(activation) else qkeras.QActivation
        output = kind(activation, name=free_name(f"{self.names[id(layer)]}_delta", self.taken))(x)
        self.kept += [x, output]
        return output

    def _separable(self, layer: Any, x: Any) -> Any:
        """Return the depthwise and the pointwise convolution of a separable one."""
        name, weights = self._name(layer), layer.get_weights()
        depthwise_kind, pointwise_kind = keras.layers.DepthwiseConv2D, keras.layers.Conv2D
        first: dict[str, Any] = {"data_format": layer.data_format}
        second = dict(first)
        if isinstance(layer, qkeras.QSeparableConv2D):
            depthwise_kind, pointwise_kind = qkeras.QDepthwiseConv2D, qkeras.QConv2D
            first["depthwise_quantizer"] = layer.depthwise_quantizer
            second |= {"kernel_quantizer": layer.pointwise_quantizer, "bias_quantizer": layer.bias_quantizer}
        depthwise = depthwise_kind(
            layer.kernel_size,
            strides=layer.strides,
            padding=layer.padding,
            dilation_rate=layer.dilation_rate,
            depth_multiplier=layer.depth_multiplier,
            use_bias=False,
            name=free_name(f"{name}_depthwise", self.taken),
            **first,
        )
        pointwise = pointwise_kind(layer.filters, 1, use_bias=layer.use_bias, name=name, **second)
        between = depthwise(x)
        output = pointwise(between)
        depthwise.set_weights(weights[:1])
        pointwise.set_weights(weights[1:])
        self.makers[id(output)] = pointwise
        self.kept.append(between)
        return self._activated(layer, output)

    def _transposed(self, layer: Any, x: Any) -> Any:
        """Return a transposed convolution as the ordinary ones that it is."""
        made = transposed.Transposed.of(layer, x, self._name(layer))
        output = made.output()
        self.makers[id(output)] = made
        return self._activated(layer, output)

    def _normalized(self, layer: Any, x: Any) -> Any:
        """Return the linear layer with folded weights that QKeras computes once trained."""
        new = unfolded(layer, name=self._name(layer), activation=None)
        output = new(x)
        new.set_weights([np.asarray(weight) for weight in folded_weights(layer)])
        self.makers[id(output)] = new
        return self._activated(layer, output)

    def _normalization(self, layer: Any, x: Any) -> Any:
        """Fold a BatchNormalization into the linear layer that made ``x``, or return it as a convolution."""
        if getattr(layer, "axis", -1) not in (-1, (-1,), None, (), len(x.shape) - 1, (len(x.shape) - 1,)):
            raise UnsupportedLayerError(
                "only the last axis, the channels, can be normalised",
                where=layer.name,
                expected="axis=-1",
                received=f"axis={layer.axis}",
            )
        todo = Affine.of(layer, x.shape[-1])
        if id(x) in self.inputs and id(x) in self.pending:
            output = keras.layers.Identity(name=self._name(layer))(x)
            self.inputs.add(id(output))
            self.pending[id(output)] = self.pending[id(x)].then(todo)
            return output
        linear, scale, shift = self.makers.get(id(x)), todo.scale, todo.shift
        if linear is None:
            return self._convolved(self._name(layer), self.plain(x), scale, shift)
        if isinstance(linear, transposed.Transposed):
            return keras.layers.Identity(name=self._name(layer))(linear.then(scale, shift).output())
        kernel, bias = weights_of(linear)
        across = scale.reshape(kernel.shape[-2:]) if kernel_of(linear) == "depthwise" else scale
        new = plain_like(linear)
        output = new(linear.input)
        new.set_weights([kernel * across, bias * scale + shift])
        return keras.layers.Identity(name=self._name(layer))(output)

    def _convolved(self, name: str, x: Any, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> Any:
        """Return ``scale * x + shift`` as a depthwise convolution of kernel 1."""
        convolution = keras.layers.DepthwiseConv2D(1, name=name)
        output = self._in_two_dimensions(convolution, x)
        convolution.set_weights([scale.reshape(1, 1, -1, 1), shift])
        return output

    def _depthwise_of_one_dimension(self, layer: Any, x: Any) -> Any:
        """Return a DepthwiseConv1D as one of frames of one column, which QKeras can quantise."""
        convolution = keras.layers.DepthwiseConv2D(
            (*layer.kernel_size, 1),
            strides=layer.strides * 2,
            padding=layer.padding,
            dilation_rate=(*layer.dilation_rate, 1),
            depth_multiplier=layer.depth_multiplier,
            use_bias=layer.use_bias,
            name=self._name(layer),
        )
        output = self._in_two_dimensions(convolution, x)
        kernel, *bias = layer.get_weights()
        convolution.set_weights([kernel[:, None], *bias])
        return self._activated(layer, output)

    def _in_two_dimensions(self, convolution: Any, x: Any) -> Any:
        """Return ``convolution(x)``; a frame of fewer dimensions is brought to two and back."""
        frame = tuple(x.shape[1:])
        if len(frame) == 3:
            return convolution(x)
        wide = (*frame[:-1], *(1,) * (3 - len(frame)), frame[-1])
        output = convolution(keras.layers.Reshape(wide, name=free_name(f"{convolution.name}_in", self.taken))(x))
        narrow = (*output.shape[1 : len(frame)], output.shape[-1])
        return keras.layers.Reshape(narrow, name=free_name(f"{convolution.name}_out", self.taken))(output)


def _shared(calls: Calls) -> set[str]:
    """Return the names of the calls that several others read the output of, or that end the model and are read."""
    reads = Counter(tensor for call in calls.calls for tensor in {*call.inputs})
    reads[calls.output] += 1
    return {call.name for call in calls.calls if reads[call.outputs[0]] > 1}
