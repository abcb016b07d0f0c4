# SPDX-License-Identifier: Apache-2.0
"""`delta`: a trained Keras model becomes a network with delta activations and quantised weights."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import keras
import numpy as np
import qkeras
from numpy.typing import ArrayLike, NDArray

from codesign.errors import ConfigError
from codesign.graph.ir import MAX_CODE_BITS
from codesign.keras_model.kinds import ACTIVATIONS, LINEAR, MOVES, ending_of, name_of
from codesign.layers import means
from codesign.layers.activation import DeltaActivation
from codesign.layers.activation_kinds import quantizer_fields, refused, relu_limit
from codesign.layers.anew import copied, free_name, fresh_input
from codesign.layers.arguments import check_delta, check_training
from codesign.layers.calibrate import frames_of, range_exponent, sample, spread, step_exponent, wasteful, watched
from codesign.layers.clip import share_layers
from codesign.layers.equalize import Factors, equalize
from codesign.layers.fold import fold, fold_pixels
from codesign.layers.linear import kernel_of
from codesign.layers.pixels import pixel_values
from codesign.layers.plan import Made, Plan
from codesign.layers.weights import WeightStep, quantizers, sum_bits

DEFAULT_RANGE_LOG2 = 3
"""Without sample frames activations range to 2**3 = 8: what a normalised layer gives, and what relu6 needs."""


def delta(
    model: Any,
    *,
    weight_bits: int = 8,
    weight_step: WeightStep = "channel",
    activation_bits: int = 8,
    input_bits: int = 8,
    step: Literal["po2", "real", "fixed"] = "po2",
    per: Literal["layer", "channel", "neuron"] = "channel",
    step_rate: float | None = None,
    hold: float | None = None,
    input_hold: float | None = None,
    train_hold: bool = False,
    skip: Sequence[str] | Literal["auto"] = (),
    clips: ArrayLike | None = None,
    input_range: tuple[float, float] | None = None,
    equalized: bool | Factors = False,
) -> Any:
    """Return a frame model that computes nearly what ``model`` does, to refine through `over_time` and to convert.

    * Every relu, relu6, ``quantized_relu``, ``quantized_bits`` and ``activation=`` argument becomes a
      `DeltaActivation`. The input gets one, ``input_delta``, unless the model starts with an activation; so does what a
      linear layer would read unquantised, such as an average (``<layer before>_delta``). QKeras activations keep
      their bits and lattice.
    * Linear layers become QKeras layers with the same weights, each output channel on the power-of-two lattice that
      shows it best (see `codesign.layers.linear.ChannelBits`).
      Layers that have quantisers keep them.
    * A BatchNormalization is folded first, dropout left out, separable convolutions split, models inside the model
      opened (see `fold`). A softmax, sigmoid or tanh at the end stays.
    * The finest step of an activation is chosen so that ``activation_bits`` show the values on ``clips`` best; without
      ``clips`` it is ``8 / 2**activation_bits``, and the input is taken to lie in 0 to 1.
    * A mean over N elements that is no power of two becomes a sum (`SumPooling2D`), and 1/N goes into the weights of
      the next linear layer before they are quantised, or of the one before if there is none; relu and what only moves
      values may stand between.

    ``model`` stays as it is. What is built here trains; whether it converts too is decided by the conversion.

    Args:
        model: Keras or QKeras, Sequential or functional, one input, one output, trained or not.
        weight_bits: bits of weights, 2 to 24.
        weight_step: what has a power-of-two step of its own in a layer of Keras: each output ``'channel'``, or the
            whole ``'layer'``.
        activation_bits: bits of a code between layers, 1 to 24.
        input_bits: bits of a code of the input, 1 to 24.
        step: how `DeltaActivation` treats its steps: trained as ``'po2'`` or ``'real'``, or ``'fixed'``.
        per: what has a trained step of its own.
        step_rate: how fast trained steps and holds move, as in `DeltaActivation`. None: 16, which is right for
            ``'po2'`` with Adam (with SGD give 1), and 1 for ``'real'``.
        hold: threshold of all activations but the input's, in steps; None for memoryless ones.
        input_hold: threshold of the input's.
        train_hold: train the holds that are given, one for each activation.
        skip: names of activations of the returned model to mark stateless; ``'auto'`` chooses those after which, on
            ``clips``, as many multiply-accumulates see a change as see a value that is not 0: there state would cost
            more than it saves. The mark changes the loss and what is counted, not what is converted: hardware keeps
            state and skips what does not change there, too (see `DeltaActivation`).
        clips: sample frames as the model sees them, with ``input_range`` pixels of 0 to 255; ``[N, T, ...]`` or
            ``[T, ...]``. Up to 64 frames set the steps.
        input_range: what the model was trained to read for pixels of 0 and of 255, such as (0, 1) or (-1, 1). The
            network then reads values of `codesign.fixed.PIXEL`, or of pixels less 128, where zeros that pad frames
            stand for the middle of the range (``input_delta`` is an identity then), or what the model reads (see
            `codesign.layers.fold.fold_pixels`). None: it reads what the model does.
        equalized: scale channels before a relu and the weights after it, so that codes use their range on ``clips``
            (see `codesign.layers.equalize`). Further factors, ``[C]`` by the name of an activation, come on top.

    Returns:
        A functional `keras.Model` of one frame.

    Raises:
        UnsupportedLayerError: a layer or activation cannot be a delta network's; names it and what to use.
        ConversionError: no built model of layers, of one frame of a known size.
        ConfigError: an argument is out of range, or a layer with weights is used twice.
    """
    check_delta(weight_bits, weight_step, step, skip, clips)
    check_training(per, train_hold, hold, input_hold)
    folded, pixels = (fold(model), None) if input_range is None else fold_pixels(model, *input_range)
    values = None if clips is None else frames_of(clips, tuple(folded.inputs[0].shape[1:]), "delta, clips")
    if values is not None and pixels is not None:
        values = pixel_values(values, pixels)
    if equalized is not False and values is not None:
        frames = values.reshape(-1, *values.shape[2:])
        equalize(folded, frames[spread(len(frames))], None if equalized is True else equalized)
    rate = (1.0 if step == "real" else 16.0) if step_rate is None else step_rate
    bits, holds = (weight_bits, weight_step, activation_bits, input_bits), (hold, input_hold, train_hold)
    plan = Plan(*bits, step, per, rate, *holds, pixels, means.divided_before(folded))
    samples = {} if values is None else sample(folded, watched(folded), values)
    names = () if skip == "auto" else tuple(skip)
    network = _Builder(plan, folded, values, samples, names).build()
    if skip == "auto" and values is not None:
        return _Builder(plan, folded, values, samples, tuple(wasteful(network, values))).build()
    return network


class _Builder:
    """Calls new layers in place of those of a folded model, in order."""

    def __init__(
        self,
        plan: Plan,
        folded: Any,
        clips: NDArray[np.float32] | None,
        samples: dict[str, NDArray[np.float64]],
        skip: tuple[str, ...],
    ) -> None:
        self.plan, self.folded, self.clips, self.samples, self.skip = plan, folded, clips, samples, skip
        self.known: dict[int, Made] = {}
        self.quantized: dict[int, Any] = {}  # by id of a tensor: its codes
        self.relus: dict[int, tuple[Any, float | None]] = {}  # what a relu read, and its limit, by id of what it made
        self.kept: list[Any] = []  # tensors whose id must not be used again
        self.ending: Any = None
        self.ending_layer: Any = None
        self.input = fresh_input(folded)
        self.taken = {layer.name for layer in folded.layers}
        self.shifted = False  # without sample frames: a Rescaling shifts the input below zero

    def build(self) -> Any:
        """Return the network."""
        network = share_layers(self.folded, self._call, input_tensors=self.input)
        self._divided(self._of(network.outputs[0]), "the end of the model", "end the model with a layer with weights")
        names = [layer.name for layer in network.layers if isinstance(layer, DeltaActivation)]
        if unknown := sorted(set(self.skip) - set(names)):
            raise ConfigError("no activation has this name", where="skip", expected=names, received=unknown)
        if self.ending is not None and network.outputs[0] is not self.ending:
            name = ending_of(self.ending_layer)
            raise refused(self.ending_layer.name, name, f"{name} can only be the last layer")
        return network

    def _call(self, layer: Any, *args: Any, **_: Any) -> Any:
        kind = type(layer).__name__
        inputs = keras.tree.flatten(args)
        if kind == "Identity":
            self.known[id(inputs[0])] = replace(self._of(inputs[0]), maker=layer.name)
            return inputs[0]
        if kind in ACTIVATIONS:
            output, known = self._activation(layer, inputs[0])
        elif kind in LINEAR:
            output, known = self._linear(layer, inputs[0])
        elif kind == "Rescaling":
            output, known = self._rescaling(layer, inputs[0])
        else:
            output, known = self._moving(layer, kind, args)
        self.known[id(output)] = known
        self.kept.append(output)
        return output

    def _of(self, tensor: Any) -> Made:
        return self.known.get(id(tensor), Made("input", True))

    @staticmethod
    def _divided(tensor: Made, where: str, fix: str) -> None:
        """Check that the divisor of a mean is not still to come."""
        if tensor.scale != 1:
            raise means.undivided(where, f"a mean over {1 / tensor.scale:.0f} elements, {tensor.maker!r}", fix)

    # Activations.

    def _activation(self, layer: Any, x: Any) -> tuple[Any, Made]:
        before = self._of(x)
        if ending_of(layer) or isinstance(layer, DeltaActivation | qkeras.QActivation):
            self._divided(before, layer.name, "use relu, or a mean over a power of two of elements")
        if isinstance(layer, DeltaActivation):
            stateless = layer.stateless or layer.name in self.skip
            output, known = self._sent(new := copied(layer, stateless=stateless), x)
            new.set_weights(layer.get_weights())
            return output, known
        if isinstance(layer, qkeras.QActivation):
            read, limit = self.relus.get(id(x), (x, None))
            return self._sent(self._of_quantizer(layer, limit, relu=read is not x), read)
        if ending_of(layer):
            self.ending, self.ending_layer = copied(layer)(x), layer
            return self.ending, Made(layer.name, signed=False)
        limit = relu_limit(layer, name_of(getattr(layer, "activation", None)))
        step = self._step(layer.name, self.plan.activation_bits, signed=False, scale=before.scale)
        new = self._delta(layer.name, "relu", self.plan.activation_bits, step, limit and limit / before.scale)
        output, known = self._sent(new, x)
        self.relus[id(output)] = x, limit
        return output, replace(known, scale=before.scale)

    def _of_quantizer(self, layer: Any, limit: float | None, *, relu: bool) -> DeltaActivation:
        """Return the layer of a QKeras activation, and of a ``relu`` before it; its bits and lattice stay."""
        fields = quantizer_fields(layer)
        fmt, bits = fields["fmt"], fields["fmt"].width - (fields["fmt"].signed and relu)
        kind = fields["activation"] if fmt.signed and not relu else "relu"
        return self._delta(layer.name, kind, bits, fmt.scale, limit)

    def _delta(
        self, name: str, activation: str, bits: int, step: float, limit: float | None = None, *, first: bool = False
    ) -> DeltaActivation:
        """Return the activation ``name`` whose finest step is ``step``."""
        plan = self.plan
        hold = plan.input_hold if first else plan.hold
        options: dict[str, Any] = {"step_rate": plan.step_rate, "train_hold": plan.train_hold and hold is not None}
        steps: Any = step
        if plan.step != "fixed":
            steps, options["initial_step"], options["per"] = plan.step, step, plan.per
        if limit is not None:
            options["max_value"] = limit
        if name in self.skip:
            options["stateless"] = True
        return DeltaActivation(activation, bits, steps, hold, name=name, **options)

    def _sent(self, layer: DeltaActivation, x: Any) -> tuple[Any, Made]:
        most = 2.0**layer.bits * layer.unit
        return layer(x), Made(layer.name, layer.activation == "identity", layer.unit, most=most)

    def _step(self, name: str, bits: int, *, signed: bool, scale: float = 1.0) -> float:
        """Return the finest step of the activation of the values that the folded layer ``name`` gives out, which are
        ``scale`` times those of the network.
        """
        exponent = step_exponent(self.samples[name] / scale, bits, signed=signed) if name in self.samples else None
        if exponent is None and scale != 1:
            return 2.0 ** (DEFAULT_RANGE_LOG2 - bits + int(signed) + math.ceil(math.log2(1 / scale)))
        return 2.0 ** (DEFAULT_RANGE_LOG2 - bits + int(signed) if exponent is None else exponent)

    def _codes(self, x: Any) -> Any:
        """Return ``x`` in codes: itself, or after an activation that all its readers share."""
        if self._of(x).unit is not None:
            return x
        if id(x) not in self.quantized:
            layer = self._input_delta() if x is self.input else self._between(self._of(x))
            self.quantized[id(x)], known = self._sent(layer, x)
            self.known[id(self.quantized[id(x)])] = replace(known, scale=self._of(x).scale)
            self.kept += [x, self.quantized[id(x)]]
        return self.quantized[id(x)]

    def _input_delta(self) -> DeltaActivation:
        bits = self.plan.input_bits
        signed = self.shifted if self.clips is None else bool(self.clips.min() < 0)
        top = 0 if self.clips is None else range_exponent(self.clips)
        step = 2.0 ** ((top or 0) - bits + int(signed))
        if self.plan.pixels is not None:
            signed, step = self.plan.pixels.signed, 2.0 ** (8 - self.plan.pixels.frac - bits)
        name = free_name("input_delta", self.taken)
        return self._delta(name, "identity" if signed else "relu", bits, step, first=True)

    def _between(self, tensor: Made) -> DeltaActivation:
        bits, name = self.plan.activation_bits, free_name(f"{tensor.maker}_delta", self.taken)
        step = self._step(tensor.maker, bits, signed=tensor.signed, scale=tensor.scale)
        more = means.HEADROOM if tensor.scale != 1 else 0
        return self._delta(name, "identity" if tensor.signed else "relu", bits + more, step)

    # Other layers.

    def _linear(self, layer: Any, x: Any) -> tuple[Any, Made]:
        x = self._codes(x)
        kernel, known, values = kernel_of(layer), self._of(x), layer.get_weights()
        if getattr(layer, f"{kernel}_quantizer", None) is not None:
            self._divided(known, layer.name, "use a layer of Keras, whose weights are quantised here")
            new = copied(layer)
        else:
            values = [values[0] * known.scale, *values[1:]]
            kind = getattr(qkeras, f"Q{type(layer).__name__.removeprefix('Q')}")
            own = quantizers(kernel, values, known.unit or 1.0, self.plan.weight_bits, self.plan.weight_step)
            new = kind.from_config({**layer.get_config(), **own})
        output = new(x)
        new.set_weights(values)
        own = getattr(new, f"{kernel}_quantizer")
        return output, Made(layer.name, signed=True, bits=sum_bits(own, values, known.unit or 1.0, known.most))

    def _moving(self, layer: Any, kind: str, args: Any) -> tuple[Any, Made]:
        """Return the output of a layer without weights; the input, what it takes means of, and sums that are too wide
        to be sent are quantised before it.
        """
        coded = kind.startswith("ZeroPadding") or kind in means.MEANS  # what pads is part of its reader: reads codes
        given = keras.tree.flatten(args)
        padded = means.is_padded_maximum(layer, given[0].shape)  # is raised, and quantised so, below
        widest = sys.maxsize if padded else MAX_CODE_BITS
        wide = [id(x) for x in given if x is self.input or self._of(x).bits > widest]
        args = keras.tree.map_structure(lambda x: self._codes(x) if coded or id(x) in wide else x, args)
        inputs = [self._of(tensor) for tensor in keras.tree.flatten(args)]
        units = [tensor.unit for tensor in inputs]
        unit = min(u for u in units if u is not None) if kind in MOVES and None not in units else None
        most, bits = max(tensor.most for tensor in inputs), max(tensor.bits for tensor in inputs)
        signed, scale = any(tensor.signed for tensor in inputs), inputs[0].scale
        known = Made(layer.name, signed, unit, scale, most, bits and bits + len(inputs) - 1)
        if padded and known.signed and unit is None:
            return self._raised(layer, args[0]), replace(known, scale=1.0)
        if len({tensor.scale for tensor in inputs}) > 1:
            for tensor in inputs:
                self._divided(tensor, layer.name, "let a layer with weights read the mean first")
        if means.has_no_code(layer, given[0].shape):
            divided = self.plan.divided.get(layer.name)
            left = 1 if divided else means.elements(layer, given[0].shape)
            return means.summed(layer, args[0], self.taken, divided), replace(known, scale=scale / left)
        return copied(layer)(*args), known

    def _raised(self, layer: Any, x: Any) -> Any:
        """Return a padded maximum of values that can be negative: of codes with an offset, which then goes."""
        known, bits = self._of(x), self.plan.activation_bits
        self._divided(known, layer.name, "use padding='valid'")
        step = self._step(known.maker, bits, signed=True)
        offset = 2.0 ** (bits - 1) * step
        up, down = (
            keras.layers.Rescaling(1.0, by, name=free_name(f"{layer.name}_{way}", self.taken))
            for by, way in ((offset, "raised"), (-offset, "lowered"))
        )
        raised = self._delta(free_name(f"{layer.name}_delta", self.taken), "relu", bits, step)
        return down(copied(layer)(raised(up(x))))

    def _rescaling(self, layer: Any, x: Any) -> tuple[Any, Made]:
        """Return a copy; after the input, its output is what is quantised as the input."""
        scale, offset = (np.asarray(value, np.float64) for value in (layer.scale, layer.offset))
        output, known = copied(layer)(x), self._of(x)
        below = bool((scale < 0).any() or (offset < 0).any())
        if offset.any():
            self._divided(known, layer.name, "leave out its offset, or let a layer with weights read the mean first")
        if x is self.input:
            self.input, self.shifted = output, below
            self.clips = None if self.clips is None else (self.clips * scale + offset).astype(np.float32)
            return output, Made("input", signed=True)
        unit = None if known.unit is None else known.unit * float(scale.flat[0])
        if offset.any() or scale.flat[0] <= 0 or len(np.unique(scale)) > 1:
            unit = None
        return output, Made(layer.name, known.signed or below, unit, known.scale)
