# SPDX-License-Identifier: Apache-2.0
"""The hls4ml layers `DeltaActivation`, `DeltaDense`, `DeltaConv`, and those that only move codes.

Before lowering (`writer.lower`) a DeltaActivation comes from Keras with its parameters as attributes.
After it, every node of these classes carries its node of the delta graph as attribute ``ir``, and what it sends as
attribute ``token`` (`writer.tokens`); a `DeltaFrame` makes the frames of the network's output of the last one's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hls4ml.model.attributes import Attribute
from hls4ml.model.layers import Layer, register_layer
from hls4ml.model.types import FixedPrecisionType, IntegerPrecisionType

from codesign.fixed import Fixed, IntArray


def install() -> None:
    """Register the layers with hls4ml."""
    for layer in (
        DeltaMerge,
        DeltaRescale,
        DeltaActivation,
        DeltaDense,
        DeltaConv,
        DeltaPool,
        DeltaUpsample,
        DeltaJoin,
        DeltaCopy,
        DeltaFrame,
    ):
        register_layer(layer.__name__, layer)


LINEAR = ("DeltaDense", "DeltaConv")
"""Classes of the layers that multiply and accumulate."""
COUNTING = ("DeltaActivation", *LINEAR, "DeltaPool", "DeltaUpsample", "DeltaJoin", "DeltaFrame")
"""Classes of the layers that csim counts."""


class DeltaMerge(Layer):  # type: ignore[misc]
    """Three or more tensors that Keras adds or concatenates, until the model is lowered."""

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_attr("output_shape"))


class DeltaRescale(Layer):  # type: ignore[misc]
    """A Rescaling of Keras, by attributes ``rescaling_scale`` and ``rescaling_offset``, until the model is lowered."""

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_input_variable().shape)


class DeltaActivation(Layer):  # type: ignore[misc]
    """Step, clip and hold on integer codes: words of accumulators, or the frames of the input, to events."""

    def initialize(self) -> None:
        """Add the output and, once lowered, the per-channel parameters."""
        ir = self.get_attr("ir")
        fmt = ir.fmt if ir is not None else Fixed(**self.get_attr("code_format"))
        self.add_output_variable(self.get_input_variable().shape, precision=fixed_type(fmt))
        if ir is None:
            return
        _add_codes(self, "step", "k{index}", np.asarray(ir.step_log2, dtype=np.int64))
        thresholds = ir.thresholds()
        count = len(ir.step_log2)
        _add_codes(
            self, "threshold", "h{index}", np.zeros(count, np.int64) if thresholds is None else thresholds[:count]
        )


class DeltaDense(Layer):  # type: ignore[misc]
    """Multiply-accumulate events; sends words of exact accumulators."""

    _expected_attributes = [Attribute("n_in"), Attribute("n_out")]  # noqa: RUF012

    def initialize(self) -> None:
        """Add the output, the weight codes and the biases on the accumulator lattice."""
        ir = self.get_attr("ir")
        self.add_output_variable([ir.n_out], precision=fixed_type(ir.fmt))
        _add_codes(self, "weight", "w{index}", ir.weight, ir.weight_fmt)
        _add_codes(self, "bias", "b{index}", ir.bias)


class DeltaConv(Layer):  # type: ignore[misc]
    """The same with a kernel that slides; the output is ``[positions, channels]``."""

    def initialize(self) -> None:
        """Add the output, the weight codes and the biases on the accumulator lattice."""
        ir = self.get_attr("ir")
        self.add_output_variable([ir.y.outputs * ir.x.outputs, ir.channels_out], precision=fixed_type(ir.fmt))
        _add_codes(self, "weight", "w{index}", ir.weight, ir.weight_fmt)
        _add_codes(self, "bias", "b{index}", ir.bias)


class _Moving(Layer):  # type: ignore[misc]
    """Codes to codes, without parameters; the output is ``[positions, channels]``."""

    def initialize(self) -> None:
        """Add the output."""
        ir = self.get_attr("ir")
        self.add_output_variable([ir.size // ir.channels_out, ir.channels_out], precision=fixed_type(ir.fmt))


class DeltaPool(_Moving):
    """The maximum or the sum of a window."""


class DeltaUpsample(_Moving):
    """Every code repeated."""


class DeltaJoin(_Moving):
    """Two tensors added or concatenated; sends events if another join reads it."""


class DeltaCopy(Layer):  # type: ignore[misc]
    """One stream of tokens for two readers."""

    def initialize(self) -> None:
        """Add the two outputs."""
        given = self.get_input_variable()
        for number, name in enumerate(self.outputs, 1):
            self.add_output_variable(
                given.shape, out_name=name, var_name=f"layer{{index}}_copy{number}", precision=given.type.precision
            )


class DeltaFrame(Layer):  # type: ignore[misc]
    """The whole frames that leave the network; ``ir`` is the last node."""

    def initialize(self) -> None:
        """Add the output."""
        self.add_output_variable(self.get_attr("frame_shape"), precision=fixed_type(self.get_attr("ir").fmt))


def fixed_type(fmt: Fixed) -> Any:
    """Return ``fmt`` as hls4ml's fixed-point type."""
    return FixedPrecisionType(width=fmt.width, integer=fmt.width - fmt.frac, signed=fmt.signed)


def _add_codes(layer: Any, name: str, var_name: str, codes: IntArray, fmt: Fixed | None = None) -> None:
    """Add integer ``codes`` as a weight array of plain integers."""
    lo, hi = int(min(codes.min(), 0)), int(max(codes.max(), 0))
    narrow = fmt or Fixed.holding(lo, hi, frac=0)
    precision = IntegerPrecisionType(width=narrow.width, signed=narrow.signed)
    layer.add_weights_variable(name=name, var_name=var_name, data=codes.astype(np.float64), precision=precision)
