# SPDX-License-Identifier: Apache-2.0
"""`build_graph`: from a freshly converted hls4ml ModelGraph to the delta graph."""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from codesign.errors import ConversionError, ConversionWarning, UnsupportedLayerError
from codesign.fixed import Fixed
from codesign.graph import hls_config
from codesign.graph.ir import Delta, Dense, Graph, Node, Source, accumulator_format
from codesign.graph.lattice import codes_of, finest_frac, refine

FLOAT32_BITS = 24
"""Widest accumulator that float32 Keras computes exactly."""

SUPPORTED = "Dense or QDense, DeltaActivation, QActivation of quantized_relu or quantized_bits, relu, Flatten, Reshape"


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

    def build(self) -> Graph:
        hls_config.check(self.model)
        convert: dict[str, Callable[[Any], None]] = {
            "Input": self._input,
            "Reshape": self._reshape,
            "Dense": self._dense,
            "DeltaActivation": self._delta_activation,
            "Activation": self._activation,
            "ParametrizedActivation": self._parametrized,
            "Softmax": self._softmax,
        }
        for layer in self._chain():
            convert.get(layer.class_name, self._unsupported)(layer)
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
        if layer.get_attr("data_format", "channels_last") != "channels_last":
            raise UnsupportedLayerError(
                "codes travel channels last, so this would reorder them",
                where=layer.name,
                expected="data_format='channels_last'",
                received=f"data_format={layer.get_attr('data_format')!r}",
                fix="keep frames channels last",
            )
        self.shape = tuple(int(n) for n in layer.get_output_variable().shape)

    def _dense(self, layer: Any) -> None:
        hls_config.check_strategy(self.model, layer)
        name = identifier(layer.name)
        n_in, n_out = layer.get_attr("n_in"), layer.get_attr("n_out")
        if self.shape != (n_in,):
            raise UnsupportedLayerError(
                "a Dense layer reads one vector",
                where=layer.name,
                expected=f"an input of shape ({n_in},)",
                received=f"{layer.class_name} on {self.shape}",
                fix="put a Flatten layer before it",
            )
        if not isinstance(self.nodes[-1], Delta):
            self._append_identity(f"{name}_input")
        delta = self.nodes[-1]
        assert isinstance(delta, Delta)
        weight, weight_fmt = self._codes(layer, "weight")
        bias_values = layer.get_weights("bias").data
        bias, bias_fmt = self._codes(layer, "bias")
        # The accumulator lattice is that of weight * code; a finer bias refines it by scaling the weight codes.
        weight, weight_fmt = refine(
            weight, weight_fmt, max(0, finest_frac(bias_values) - weight_fmt.frac - delta.fmt.frac)
        )
        frac = weight_fmt.frac + delta.fmt.frac
        bias = bias << (frac - bias_fmt.frac) if frac >= bias_fmt.frac else bias >> (bias_fmt.frac - frac)
        fmt = accumulator_format(layer.name, weight, bias, weight_fmt=weight_fmt, delta=delta)
        if fmt.width > FLOAT32_BITS:
            warnings.warn(
                f"{layer.name}: the accumulator has {fmt.width} bits, more than float32's {FLOAT32_BITS}, so Keras in "
                "float32 is not exact here. Evaluate in float64 (codesign.layers.stream) or compare with the golden "
                "model (codesign.golden).",
                ConversionWarning,
                stacklevel=2,
            )
        pe = hls_config.pe(self.model, layer, n_out)
        self.nodes.append(
            Dense(name=name, input=delta.name, weight=weight, bias=bias, weight_fmt=weight_fmt, fmt=fmt, pe=pe)
        )
        self.shape = (n_out,)

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
            quantised = _quantized_relu if activation == "relu" else _quantized_bits
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
            _quantized_relu(layer.name, quantizer["config"])  # refuses the slope
        if layer.get_attr("activation") != "thresholdedrelu" or layer.get_attr("activ_param") != 0.0:
            self._unsupported(layer)
        self._relu(layer)  # hls4ml reads keras.layers.ReLU as a threshold at 0

    def _relu(self, layer: Any) -> None:
        """Plain relu quantises nothing: keep every bit of the accumulator."""
        fmt = replace(self._feeding.fmt, signed=False, width=max(1, self._feeding.fmt.hi.bit_length()))
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

    # Helpers.

    @property
    def _feeding(self) -> Source | Delta | Dense:
        return self.nodes[-1]

    def _append(self, name: str, **fields: Any) -> None:
        before = self._feeding
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
        fmt = self._feeding.fmt
        self._append(name, fmt=fmt, activation="identity", lo=fmt.lo, hi=fmt.hi)

    def _codes(self, layer: Any, what: str) -> Any:
        """Return the codes and format of the layer's ``weight`` or ``bias``."""
        variable = layer.get_weights(what)
        quantizer = layer.get_attr(f"{what}_quantizer")
        kernel = "kernel" if what == "weight" else what
        bits, fmt = 0, None
        if quantizer is None:
            fmt = hls_config.precision(self.model, variable.type.precision, f"{layer.name} {what}")
            if not variable.data.any():
                fmt = Fixed(width=1, frac=0, signed=True)
            fix = f"use QDense with {kernel}_quantizer=quantized_bits(bits, integer, alpha=1)"
        else:
            given = getattr(quantizer, "qkeras_config", {})
            config = given.get("config", {})
            bits = int(config.get("bits") or quantizer.bits)
            if given.get("class_name") == "quantized_bits" and config.get("alpha") in (None, 1) and bits > 1:
                signed = bool(config.get("keep_negative", True))
                fmt = Fixed.from_qkeras(bits, int(config.get("integer", 0)), signed=signed)
            fix = f"use {kernel}_quantizer=quantized_bits(bits, integer, alpha=1)"
        return codes_of(variable.data, fmt, bits=bits, where=f"{layer.name} {what}", fix=fix)

    def _shape_output(self) -> None:
        last = self.nodes[-1]
        if self.shape == last.shape:
            return
        if not isinstance(last, Delta):
            raise UnsupportedLayerError(
                "a Reshape after the last layer",
                where=last.name,
                received=self.shape,
                fix="reshape predict() on the host",
            )
        self.nodes[-1] = replace(last, shape=self.shape, channels=last.channels)


def _quantized_relu(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the `Delta` fields of QKeras ``quantized_relu``: half to even, clip to ``0 .. 2**bits - 1``."""
    _refuse(name, "quantized_relu", config, use_sigmoid=0, negative_slope=0, use_stochastic_rounding=False)
    if config.get("relu_upper_bound") is not None and not config.get("is_quantized_clip", True):
        _refuse(name, "quantized_relu", config, relu_upper_bound=None)
    fmt = Fixed.from_qkeras(int(config["bits"]), int(config["integer"]), signed=False)
    return {"fmt": fmt, "activation": "relu", "lo": 0, "hi": fmt.hi}


def _quantized_bits(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the `Delta` fields of QKeras ``quantized_bits``: half to even, symmetric clip if asked."""
    alpha = 1 if config.get("alpha") is None else config["alpha"]
    _refuse(name, "quantized_bits", {**config, "alpha": alpha}, alpha=1, use_stochastic_rounding=False)
    signed = bool(config.get("keep_negative", True))
    if int(config["bits"]) <= int(signed):
        raise UnsupportedLayerError(
            "quantized_bits of one bit is a sign, which has no code for 0", where=name, expected="bits >= 2", received=1
        )
    fmt = Fixed.from_qkeras(int(config["bits"]), int(config["integer"]), signed=signed)
    lo = fmt.lo + int(signed and bool(config.get("symmetric")))
    return {"fmt": fmt, "activation": "identity", "lo": lo, "hi": fmt.hi}


def _refuse(name: str, quantizer: str, config: dict[str, Any], **wanted: Any) -> None:
    """Refuse a quantiser argument that differs from the one the hardware computes."""
    for key, value in {**wanted, "qnoise_factor": 1.0}.items():
        if key in config and config[key] != value:
            raise UnsupportedLayerError(
                f"{quantizer} with this {key} has no exact delta implementation",
                where=name,
                expected=f"{key}={value}",
                received=f"{key}={config[key]!r}",
                fix=f"leave {key} at {value}, or use codesign.layers.DeltaActivation",
            )
