# SPDX-License-Identifier: Apache-2.0
"""C++ configuration structs and calls of the delta layers; the kernels are in ``hls_templates/``."""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from codesign.fixed import Fixed
from codesign.graph.ir import Conv, Delta, Linear
from codesign.hls4ml_plugin.writer import moving
from codesign.hls4ml_plugin.writer.cpp import HEADERS, PARTS, boolean, integer
from codesign.hls4ml_plugin.writer.layers import DeltaActivation, DeltaConv, DeltaDense
from codesign.paths import hls_templates

ACTIVATION_CONFIG = """struct config{index} : nnet::delta_activation_config {{
    static const unsigned index = {index};
    static const unsigned n = {n};
    static const unsigned lanes = {lanes};
    static const unsigned n_step = {n_step};
    static const unsigned widen = {widen};
    static const unsigned shift = {shift};
    static const long long lo = {lo};
    static const long long hi = {hi};
    static const bool relu = {relu};
    static const bool hold = {hold};
    typedef {wide} wide_t;
    typedef {code} code_t;
    typedef {step_t.name} step_t;
    typedef {threshold_t.name} threshold_t;
}};
"""

DENSE_CONFIG = """struct config{index} : nnet::delta_dense_config {{
    static const unsigned index = {index};
    static const unsigned n_in = {n_in};
    static const unsigned n_out = {n_out};
    static const unsigned lanes = {lanes};
    static const unsigned reuse_factor = {reuse_factor};
    typedef {code} code_t;
    typedef {delta} delta_t;
    typedef {address} address_t;
    typedef {state} state_t;
    typedef {weight_t.name} weight_t;
    typedef {bias_t.name} bias_t;
}};
"""

CONV_CONFIG = """struct config{index} : nnet::delta_conv_config {{
    static const unsigned index = {index};
    static const unsigned n_in = {n_in};
    static const unsigned lanes = {lanes};
    static const unsigned in_width = {x.size};
    static const unsigned n_chan = {n_chan};
    static const unsigned out_height = {y.outputs};
    static const unsigned out_width = {x.outputs};
    static const unsigned n_filt = {n_filt};
    static const unsigned filt_height = {y.kernel};
    static const unsigned filt_width = {x.kernel};
    static const unsigned stride_height = {y.stride};
    static const unsigned stride_width = {x.stride};
    static const unsigned pad_top = {y.before};
    static const unsigned pad_left = {x.before};
    static const unsigned pe = {pe};
    static const unsigned tap_rows = {tap_rows};
    static const unsigned tap_columns = {tap_columns};
    static const bool depthwise = {depthwise};
    typedef {code} code_t;
    typedef {delta} delta_t;
    typedef {address} address_t;
    typedef {state} state_t;
    typedef {weight_t.name} weight_t;
    typedef {bias_t.name} bias_t;
}};
"""


def install(backend: Any) -> None:
    """Register the templates and copy the headers into every project of ``backend``."""
    for template in (ActivationConfig, ActivationCall, DenseConfig, DenseCall, ConvConfig, ConvCall, *moving.TEMPLATES):
        backend.register_template(template)
    for name in PARTS:
        backend.register_source(hls_templates() / f"nnet_delta_{name}.h")


class ActivationConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaActivation."""

    def __init__(self) -> None:
        super().__init__(DeltaActivation)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Delta = node.get_attr("ir")
        params = {
            **self._default_config_params(node),
            "n": ir.size,
            "n_step": len(ir.step_log2),
            "widen": ir.widen,
            "shift": ir.shift,
            "lo": ir.lo,
            "hi": ir.hi,
            "relu": boolean(ir.activation == "relu"),
            "hold": boolean(ir.hold is not None),
            "wide": integer(_wide(ir)),
            "code": integer(ir.fmt),
            "step_t": node.get_weights("step").type,
            "threshold_t": node.get_weights("threshold").type,
        }
        return ACTIVATION_CONFIG.format(**params)


class DenseConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaDense."""

    def __init__(self) -> None:
        super().__init__(DeltaDense)

    def format(self, node: Any) -> str:
        """Return the struct."""
        return DENSE_CONFIG.format(**{**self._default_config_params(node), **_linear_types(node)})


class ConvConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaConv."""

    def __init__(self) -> None:
        super().__init__(DeltaConv)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Conv = node.get_attr("ir")
        params = {
            **self._default_config_params(node),
            **_linear_types(node),
            "n_in": ir.n_in,
            "n_chan": ir.channels_in(),
            "n_filt": ir.channels_out,
            "y": ir.y,
            "x": ir.x,
            "pe": ir.pe,
            "tap_rows": ir.unroll[0],
            "tap_columns": ir.unroll[1],
            "depthwise": boolean(ir.depthwise),
        }
        return CONV_CONFIG.format(**params)


def _linear_types(node: Any) -> dict[str, Any]:
    """Return the C++ types of a linear layer."""
    ir: Linear = node.get_attr("ir")
    delta = node.model.delta_graph[ir.input]
    return {
        "code": integer(delta.fmt),
        "delta": f"ap_int<{delta.delta_bits}>",
        "address": integer(Fixed.holding(0, ir.n_in - 1, frac=0)),
        "state": integer(ir.fmt),
        "weight_t": node.get_weights("weight").type,
        "bias_t": node.get_weights("bias").type,
    }


class _Call(FunctionCallTemplate):  # type: ignore[misc]
    function: str
    weights: tuple[str, str]

    def format(self, node: Any) -> str:
        """Return the call. Only projects of backend Delta have a reset argument."""
        params = self._default_function_params(node)
        first, second = (node.get_weights(name).name for name in self.weights)
        reset = "reset" if node.model.config.backend.name == "Delta" else "false"
        return (
            f"nnet::{self.function}<{params['input_t']}, {params['output_t']}, {params['config']}>"
            f"({params['input']}, {params['output']}, {first}, {second}, {reset});"
        )


class ActivationCall(_Call):
    """Call of a DeltaActivation."""

    function = "delta_activation"
    weights = ("step", "threshold")

    def __init__(self) -> None:
        super().__init__(DeltaActivation, include_header=HEADERS)


class DenseCall(_Call):
    """Call of a DeltaDense."""

    function = "delta_dense"
    weights = ("weight", "bias")

    def __init__(self) -> None:
        super().__init__(DeltaDense, include_header=HEADERS)


class ConvCall(_Call):
    """Call of a DeltaConv."""

    function = "delta_conv"
    weights = ("weight", "bias")

    def __init__(self) -> None:
        super().__init__(DeltaConv, include_header=HEADERS)


def _wide(ir: Delta) -> Fixed:
    """Return a format for every intermediate of the activation: f, r * 2**s, their difference, the threshold."""
    step = ir.shift + max(ir.step_log2)
    thresholds = ir.thresholds()
    peak = 0 if thresholds is None else int(thresholds.max())
    bits = max(ir.in_fmt.width + ir.widen, ir.fmt.width + ir.shift, step, peak.bit_length())
    return Fixed(width=bits + 3, frac=0, signed=True)
