# SPDX-License-Identifier: Apache-2.0
"""C++ configuration structs and calls of the layers that only move codes: pooling, upsampling, joins and copies."""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from codesign.graph.ir import Join, Pool, Upsample
from codesign.hls4ml_plugin.writer.cpp import HEADERS, boolean, integer
from codesign.hls4ml_plugin.writer.layers import DeltaCopy, DeltaJoin, DeltaPool, DeltaUpsample

POOL_CONFIG = """struct config{index} : nnet::delta_pool_config {{
    static const unsigned index = {index};
    static const unsigned in_height = {y.size};
    static const unsigned in_width = {x.size};
    static const unsigned n_chan = {channels};
    static const unsigned out_height = {y.outputs};
    static const unsigned out_width = {x.outputs};
    static const unsigned pool_height = {y.kernel};
    static const unsigned pool_width = {x.kernel};
    static const unsigned stride_height = {y.stride};
    static const unsigned stride_width = {x.stride};
    static const unsigned pad_top = {y.before};
    static const unsigned pad_left = {x.before};
    static const unsigned pe = {pe};
    static const bool maximum = {maximum};
    typedef {state} state_t;
}};
"""

UPSAMPLE_CONFIG = """struct config{index} : nnet::delta_upsample_config {{
    static const unsigned index = {index};
    static const unsigned in_height = {y.size};
    static const unsigned in_width = {x.size};
    static const unsigned n_chan = {channels};
    static const unsigned height_factor = {y.factor};
    static const unsigned width_factor = {x.factor};
    static const unsigned pe = {pe};
}};
"""

JOIN_CONFIG = """struct config{index} : nnet::delta_join_config {{
    static const unsigned index = {index};
    static const unsigned n_position = {positions};
    static const unsigned n_first = {channels[0]};
    static const unsigned n_second = {channels[1]};
    static const unsigned n_chan = {channels_out};
    static const unsigned shift_first = {shifts[0]};
    static const unsigned shift_second = {shifts[1]};
    static const unsigned pe = {pe};
    static const bool add = {add};
    typedef {state} state_t;
}};
"""

COPY_CONFIG = """struct config{index} : nnet::delta_copy_config {{
    static const unsigned n = {n};
    static const unsigned lanes = {lanes};
}};
"""


class PoolConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaPool."""

    def __init__(self) -> None:
        super().__init__(DeltaPool)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Pool = node.get_attr("ir")
        return POOL_CONFIG.format(
            index=node.index,
            y=ir.y,
            x=ir.x,
            channels=ir.channels,
            pe=ir.pe,
            maximum=boolean(ir.kind == "max"),
            state=integer(ir.fmt),
        )


class UpsampleConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaUpsample."""

    def __init__(self) -> None:
        super().__init__(DeltaUpsample)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Upsample = node.get_attr("ir")
        return UPSAMPLE_CONFIG.format(index=node.index, y=ir.y, x=ir.x, channels=ir.channels, pe=ir.pe)


class JoinConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaJoin."""

    def __init__(self) -> None:
        super().__init__(DeltaJoin)

    def format(self, node: Any) -> str:
        """Return the struct."""
        ir: Join = node.get_attr("ir")
        return JOIN_CONFIG.format(
            index=node.index,
            positions=ir.y.size * ir.x.size,
            channels=ir.channels,
            channels_out=ir.channels_out,
            shifts=ir.shifts,
            pe=ir.pe,
            add=boolean(ir.kind == "add"),
            state=integer(ir.fmt),
        )


class CopyConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Struct of a DeltaCopy."""

    def __init__(self) -> None:
        super().__init__(DeltaCopy)

    def format(self, node: Any) -> str:
        """Return the struct."""
        size = node.get_input_variable().size()
        return COPY_CONFIG.format(index=node.index, n=size, lanes=node.get_attr("lanes"))


class MovingCall(FunctionCallTemplate):  # type: ignore[misc]
    """Call of any of these layers: its inputs, then its outputs; a copy's outputs have one type."""

    functions = {  # noqa: RUF012
        "DeltaPool": "delta_pool",
        "DeltaUpsample": "delta_upsample",
        "DeltaJoin": "delta_join",
        "DeltaCopy": "delta_copy",
    }

    def __init__(self) -> None:
        super().__init__((DeltaPool, DeltaUpsample, DeltaJoin, DeltaCopy), include_header=HEADERS)

    def format(self, node: Any) -> str:
        """Return the call."""
        inputs = [node.get_input_variable(name) for name in node.inputs]
        outputs = [node.get_output_variable(name) for name in node.outputs]
        types = ", ".join(variable.type.name for variable in [*inputs, outputs[0]])
        names = ", ".join(variable.name for variable in [*inputs, *outputs])
        return f"nnet::{self.functions[node.class_name]}<{types}, config{node.index}>({names});"


TEMPLATES = (PoolConfig, UpsampleConfig, JoinConfig, CopyConfig, MovingCall)
