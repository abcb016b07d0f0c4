# SPDX-License-Identifier: Apache-2.0
"""C++ configuration structs and calls of everything that slides: convolutions, pooling, upsampling, joins."""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from codesign.graph.axis import Repeat
from codesign.graph.ir import Conv, Join, Pool, Spatial, Upsample
from codesign.hls4ml_plugin.writer.cpp import HEADERS, boolean, call, token_types
from codesign.hls4ml_plugin.writer.layers import DeltaConv, DeltaJoin, DeltaPool, DeltaUpsample
from codesign.hls4ml_plugin.writer.tokens import Token, words_of

KINDS = (DeltaConv, DeltaPool, DeltaUpsample, DeltaJoin)

CONFIG = """struct config{index} : nnet::delta_{kind}_config {{
    static const unsigned index = {index};
    static const unsigned in_width = {in_width};
    static const unsigned n_chan = {n_chan};
    static const unsigned out_height = {out_height};
    static const unsigned out_width = {out_width};
    static const unsigned n_filt = {n_filt};
    static const unsigned filt_height = {filt_height};
    static const unsigned filt_width = {filt_width};
    static const unsigned stride_height = {stride_height};
    static const unsigned stride_width = {stride_width};
    static const unsigned pad_top = {pad_top};
    static const unsigned pad_left = {pad_left};
    static const unsigned pe = {pe};
    static const unsigned lanes = {lanes};
    static const unsigned tap_rows = {tap_rows};
    static const unsigned tap_columns = {tap_columns};
    static const unsigned window = {window};
    static const bool channelwise = {channelwise};
    static const bool weighted = {weighted};
    static const bool repeats = {repeats};
{types}
    typedef {weight_t} weight_t;
    typedef {bias_t} bias_t;
}};
"""

JOIN = """    static const unsigned n_first = {channels[0]};
    static const unsigned n_second = {channels[1]};
    static const unsigned shift_first = {shifts[0]};
    static const unsigned shift_second = {shifts[1]};
    static const bool add = {add};"""


class SlidingConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of any of these layers."""

    def __init__(self) -> None:
        super().__init__(KINDS)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Spatial = node.get_attr("ir")
        given: tuple[Token, ...] = node.get_attr("given")
        words = node.get_attr("words") or words_of(ir)
        types = [
            token_types(node.get_attr("events"), "event_t", "delta_t"),
            token_types(words, "word_t", "state_t"),
        ]
        if isinstance(ir, Join):
            types.append(JOIN.format(channels=ir.channels, shifts=ir.shifts, add=boolean(ir.kind == "add")))
            for token, name in zip(given, ("first", "second"), strict=True):
                types.append(token_types(token, f"{name}_t", f"{name}_delta_t"))
        weighted = isinstance(ir, Conv)
        return CONFIG.format(
            index=node.index,
            kind="join" if isinstance(ir, Join) else "conv",
            **_axis(ir.y, "height", "top"),
            **_axis(ir.x, "width", "left"),
            in_width=ir.x.size,
            n_chan=ir.channels_out if isinstance(ir, Join) else ir.channels_in(),
            n_filt=ir.channels_out,
            pe=ir.pe,
            lanes=words.lanes,
            tap_rows=ir.unroll[0],
            tap_columns=ir.unroll[1],
            window=ir.window if isinstance(ir, Pool) and ir.kind == "max" else 1,
            channelwise=boolean(ir.channelwise),
            weighted=boolean(weighted),
            repeats=boolean(isinstance(ir, Upsample)),
            types="\n".join(types),
            weight_t=node.get_weights("weight").type.name if weighted else "ap_uint<1>",
            bias_t=node.get_weights("bias").type.name if weighted else "ap_uint<1>",
        )


class SlidingCall(FunctionCallTemplate):  # type: ignore[misc]
    """Call of any of these layers."""

    def __init__(self) -> None:
        super().__init__(KINDS, include_header=HEADERS)

    def format(self, node: Any) -> str:
        """Return the call."""
        if node.class_name == "DeltaConv":
            return call(node, "delta_conv", weights=("weight", "bias"))
        if node.class_name != "DeltaJoin":
            return call(node, "delta_slide")
        return call(node, "delta_merge") if node.get_attr("carries_on") else call(node, "delta_join")


def _axis(axis: Any, length: str, side: str) -> dict[str, int]:
    """Return the constants of an axis, called ``length``, whose padding is on ``side``."""
    repeats = isinstance(axis, Repeat)
    return {
        f"out_{length}": axis.outputs,
        f"filt_{length}": axis.kernel,
        f"stride_{length}": axis.factor if repeats else axis.stride,
        f"pad_{side}": 0 if repeats else axis.before,
    }


TEMPLATES = (SlidingConfig, SlidingCall)
