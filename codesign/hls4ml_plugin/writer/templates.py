# SPDX-License-Identifier: Apache-2.0
"""C++ configuration structs and calls of the delta layers; the kernels are in ``hls_templates/``."""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from codesign.fixed import Fixed
from codesign.graph.ir import Delta, Dense
from codesign.hls4ml_plugin.writer import sliding
from codesign.hls4ml_plugin.writer.cpp import HEADERS, PARTS, boolean, call, integer, token_types
from codesign.hls4ml_plugin.writer.layers import DeltaActivation, DeltaCopy, DeltaDense, DeltaFrame
from codesign.hls4ml_plugin.writer.tokens import beats_of
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
{given}
{sent}
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
    static const unsigned reuse_factor = {reuse_factor};
    static const unsigned lanes = {lanes};
{given}
{sent}
    typedef {weight_t.name} weight_t;
    typedef {bias_t.name} bias_t;
}};
"""

FRAME_CONFIG = """struct config{index} : nnet::delta_frame_config {{
    static const unsigned index = {index};
    static const unsigned n = {n};
    static const unsigned lanes = {lanes};
{given}
{sent}
}};
"""


def install(backend: Any) -> None:
    """Register the templates and copy the headers into every project of ``backend``."""
    own = (ActivationConfig, ActivationCall, DenseConfig, DenseCall, FrameConfig, FrameCall, CopyCall)
    for template in (*own, *sliding.TEMPLATES):
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
        (given,) = node.get_attr("given")
        return ACTIVATION_CONFIG.format(
            index=node.index,
            n=ir.size,
            lanes=given.lanes,
            n_step=len(ir.step_log2),
            widen=ir.widen,
            shift=ir.shift,
            lo=ir.lo,
            hi=ir.hi,
            relu=boolean(ir.activation == "relu"),
            hold=boolean(ir.hold is not None),
            given=token_types(given, "word_t", "z_t"),
            sent=token_types(node.get_attr("token"), "event_t", "delta_t"),
            wide=integer(_wide(ir)),
            code=integer(ir.fmt),
            step_t=node.get_weights("step").type,
            threshold_t=node.get_weights("threshold").type,
        )


class DenseConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaDense."""

    def __init__(self) -> None:
        super().__init__(DeltaDense)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Dense = node.get_attr("ir")
        (given,) = node.get_attr("given")
        return DENSE_CONFIG.format(
            index=node.index,
            n_in=ir.n_in,
            n_out=ir.n_out,
            reuse_factor=ir.words,
            lanes=node.get_attr("token").lanes,
            given=token_types(given, "event_t", "delta_t"),
            sent=token_types(node.get_attr("token"), "word_t", "state_t"),
            weight_t=node.get_weights("weight").type,
            bias_t=node.get_weights("bias").type,
        )


class FrameConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaFrame."""

    def __init__(self) -> None:
        super().__init__(DeltaFrame)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir = node.get_attr("ir")
        (given,) = node.get_attr("given")
        return FRAME_CONFIG.format(
            index=node.index,
            n=ir.size,
            lanes=node.get_attr("lanes"),
            given=token_types(given, "token_t", "value_t"),
            sent=token_types(beats_of(ir, ir.fmt, node.get_attr("lanes")), "beat_t", "code_t"),
        )


class ActivationCall(FunctionCallTemplate):  # type: ignore[misc]
    """Call of a DeltaActivation, which scans the frames of the input or takes the words of an engine."""

    def __init__(self) -> None:
        super().__init__(DeltaActivation, include_header=HEADERS)

    def format(self, node: Any) -> str:
        """Return the call."""
        if node.get_attr("scans"):
            values = node.get_input_variable().type.name
            return call(node, "delta_scan", values, weights=("step", "threshold"), resets=True)
        return call(node, "delta_activation", weights=("step", "threshold"))


class DenseCall(FunctionCallTemplate):  # type: ignore[misc]
    """Call of a DeltaDense."""

    def __init__(self) -> None:
        super().__init__(DeltaDense, include_header=HEADERS)

    def format(self, node: Any) -> str:
        """Return the call."""
        return call(node, "delta_dense", weights=("weight", "bias"))


class FrameCall(FunctionCallTemplate):  # type: ignore[misc]
    """Call of a DeltaFrame."""

    def __init__(self) -> None:
        super().__init__(DeltaFrame, include_header=HEADERS)

    def format(self, node: Any) -> str:
        """Return the call."""
        result, tokens = node.get_output_variable(), node.get_input_variable().name
        kernel = "delta_frame_of_events" if isinstance(node.get_attr("ir"), Delta) else "delta_frame"
        return f"nnet::{kernel}<config{node.index}, {result.type.name}>({tokens}, {result.name});"


class CopyCall(FunctionCallTemplate):  # type: ignore[misc]
    """Call of a DeltaCopy."""

    def __init__(self) -> None:
        super().__init__(DeltaCopy, include_header=HEADERS)

    def format(self, node: Any) -> str:
        """Return the call."""
        given = node.get_input_variable()
        outputs = ", ".join(node.get_output_variable(name).name for name in node.outputs)
        return f"nnet::delta_copy<{given.type.name}>({given.name}, {outputs});"


def _wide(ir: Delta) -> Fixed:
    """Return a format for every intermediate of the activation: f, r * 2**s, their difference, the threshold."""
    step = ir.shift + max(ir.step_log2)
    thresholds = ir.thresholds()
    peak = 0 if thresholds is None else int(thresholds.max())
    bits = max(ir.in_fmt.width + ir.widen, ir.fmt.width + ir.shift, step, peak.bit_length())
    return Fixed(width=bits + 3, frac=0, signed=True)
