# SPDX-License-Identifier: Apache-2.0
"""What all C++ templates share: the headers of the kernels, and how types and constants are written."""

from __future__ import annotations

from typing import Any

from codesign.fixed import Fixed
from codesign.hls4ml_plugin.writer.tokens import Token

PARTS = ("common", "activation", "dense", "locate", "walk", "conv", "join", "frame", "ports")
"""The headers ``nnet_delta_*.h`` of every project."""

HEADERS = [f"nnet_utils/nnet_delta_{name}.h" for name in ("ports", "dense", "conv", "join")]
"""Headers that a project includes; they include the others."""


def integer(fmt: Fixed) -> str:
    """Return the C++ type of codes of ``fmt``."""
    return f"ap_{'' if fmt.signed else 'u'}int<{fmt.width}>"


def boolean(value: bool) -> str:
    """Return ``value`` in C++."""
    return str(value).lower()


def token_types(token: Token, name: str, value: str) -> str:
    """Return the C++ types of a token and its values as lines of a struct."""
    types = {name: f"ap_uint<{token.bits}>", value: integer(token.value)}
    return "\n".join(f"    typedef {what} {called};" for called, what in types.items())


def reset(node: Any) -> str:
    """Return the argument that starts a stream. Only projects of backend Delta have one."""
    return "reset" if node.model.config.backend.name == "Delta" else "false"


def call(node: Any, function: str, *types: str, weights: tuple[str, ...] = (), resets: bool = False) -> str:
    """Return the call of the kernel of ``node``.

    Args:
        node: layer.
        function: kernel.
        types: its types before that of the configuration.
        weights: names of its parameters.
        resets: whether it is told of resets: what reads the frames of the network.
    """
    inputs = [node.get_input_variable(name).name for name in node.inputs]
    outputs = [node.get_output_variable(name).name for name in node.outputs]
    names = [*inputs, *outputs, *(node.get_weights(name).name for name in weights), *([reset(node)] if resets else [])]
    return f"nnet::{function}<{', '.join([*types, f'config{node.index}'])}>({', '.join(names)});"
