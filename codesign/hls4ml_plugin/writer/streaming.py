# SPDX-License-Identifier: Apache-2.0
"""The network as a stream of beats, in one C++ file of its own: what an HLS compiler builds as a core.

Each function is a process that runs freely, with streams only: a kernel of ``hls_templates/``, or two that need a
memory between them. The top has the data of an AXI4-Stream on either side, and no control: a beat of the input has one
bit more than its codes, the first of a stream; a beat of the output, the last of a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codesign.graph.ir import Delta
from codesign.hls.core import Source
from codesign.hls4ml_plugin.writer.cpp import PARTS
from codesign.hls4ml_plugin.writer.layers import DeltaActivation, DeltaCopy, DeltaDense, DeltaFrame
from codesign.hls4ml_plugin.writer.sliding import KINDS, SlidingConfig
from codesign.hls4ml_plugin.writer.templates import ActivationConfig, DenseConfig, FrameConfig
from codesign.paths import hls_templates

INCLUDES = ("activation", "conv", "dense", "frame", "join")
KERNELS = tuple(f"nnet_delta_{name}.h" for name in PARTS if name != "ports")
MOST_BITS = 64
"""Bits of a token that every HLS compiler takes."""
QUEUE = 32
"""Tokens that wait between the processes of one layer."""

TEXT = """// SPDX-License-Identifier: Apache-2.0
// Generated from the graph {graph}: the network as processes that run freely, with streams of tokens between them.
{includes}
{constants}
{configs}
{processes}
#ifdef __BAMBU__ // compares no more bits than these
{limits}
#endif

extern "C" void {top}(hls::stream<{source}> &s_axis, hls::stream<{sink}> &m_axis) {{
    #pragma HLS INTERFACE mode=axis port=s_axis
    #pragma HLS INTERFACE mode=axis port=m_axis
    #pragma HLS INTERFACE mode=ap_ctrl_none port=return
    #pragma HLS DATAFLOW
{streams}
{calls}
}}
"""

PROCESS = """static void {name}({ports}) {{
    nnet::{kernel}({arguments});
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A stream between two processes: its name, the C++ type of its tokens, and how many it holds."""

    name: str
    token: str
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A function: its name, the kernel with the types it is called with, what it reads and sends, its parameters."""

    name: str
    kernel: str
    inputs: tuple[Queue, ...]
    outputs: tuple[Queue, ...]
    weights: tuple[str, ...] = ()


def top_name(model: Any) -> str:
    """Return the name of the function, and of its file without suffix."""
    return f"{model.config.get_project_name()}_stream"


def stream_source(model: Any) -> Source:
    """Return a lowered model as an HLS compiler takes it: the file, and the kernels that it includes."""
    layers = list(model.graph.values())
    kernels = {name: (hls_templates() / name).read_text(encoding="utf-8") for name in KERNELS}
    return Source(
        graph=model.delta_graph,
        top=top_name(model),
        files={
            f"{top_name(model)}.cpp": stream_text(model),
            **{f"nnet_utils/{name}": kernels[name] for name in kernels},
        },
        in_lanes=layers[0].get_attr("lanes"),
        out_lanes=layers[-1].get_attr("lanes"),
    )


def stream_text(model: Any) -> str:
    """Return the C++ of a lowered model."""
    layers = [layer for layer in model.graph.values() if layer.class_name != "Input"]
    processes = list(_processes(layers))
    source, sink = processes[0].inputs[0], processes[-1].outputs[0]
    between = [queue for process in processes for queue in process.outputs if queue is not sink]
    return TEXT.format(
        graph=model.delta_graph.name,
        includes="".join(f'#include "nnet_utils/nnet_delta_{name}.h"\n' for name in INCLUDES),
        constants="\n".join(_constants(layers)),
        configs="\n".join(_config(layer) for layer in layers if not isinstance(layer, DeltaCopy)),
        processes="\n".join(_function(process) for process in processes),
        limits="\n".join(
            f"static_assert(nnet::delta_bits<{queue.token}>::value <= {MOST_BITS}, "
            f'"{queue.name}: a token of more than {MOST_BITS} bits; choose fewer PE, or fewer lanes (P) at the input");'
            for queue in (source, *between, sink)
        ),
        top=top_name(model),
        source=source.token,
        sink=sink.token,
        streams="\n".join(
            f"    static hls::stream<{queue.token}> {queue.name};\n"
            f"    #pragma HLS STREAM variable={queue.name} depth={queue.depth}"
            for queue in between
        ),
        calls="\n".join(
            f"    {process.name}({', '.join(queue.name for queue in (*process.inputs, *process.outputs))});"
            for process in processes
        ),
    )


def _constants(layers: list[Any]) -> Iterator[str]:
    """Yield the types and values of the parameters."""
    for layer in layers:
        for weight in layer.get_weights():
            values = ", ".join(str(int(value)) for value in weight.data.reshape(-1))
            yield f"{weight.type.definition_cpp().strip()}"
            yield f"static const {weight.type.name} {weight.name}[{weight.data.size}] = {{{values}}};"


def _config(layer: Any) -> str:
    """Return the struct of a layer, the same as in hls4ml's ``parameters.h``."""
    own: dict[Any, Any] = {DeltaActivation: ActivationConfig, DeltaDense: DenseConfig, DeltaFrame: FrameConfig}
    template = next((made for kind, made in own.items() if isinstance(layer, kind)), SlidingConfig)
    made: str = template().format(layer)
    return f"// {layer.name}\n{made}"


def _function(process: Process) -> str:
    ports = [(f"in{at}", queue) for at, queue in enumerate(process.inputs, 1)]
    ports += [(f"out{at}", queue) for at, queue in enumerate(process.outputs, 1)]
    return PROCESS.format(
        name=process.name,
        ports=", ".join(f"hls::stream<{queue.token}> &{name}" for name, queue in ports),
        kernel=process.kernel,
        arguments=", ".join([*(name for name, _ in ports), *process.weights]),
    )


def _processes(layers: list[Any]) -> Iterator[Process]:
    """Yield the processes of all layers, in order."""
    queues: dict[str, Queue] = {}
    for layer in layers:
        given = tuple(queues[name] for name in layer.inputs if name in queues)
        sent = []
        for name in layer.outputs:
            variable = layer.get_output_variable(name)
            kind = f"config{layer.index}"
            if isinstance(layer, DeltaFrame):
                sent.append(Queue(name="m_axis", token=f"{kind}::beat_t", depth=2))
            else:
                token = f"ap_uint<{layer.get_attr('token').bits}>"
                sent.append(Queue(name=variable.name, token=token, depth=variable.pragma[1]))
            queues[name] = sent[-1]
        yield from _of_layer(layer, given, tuple(sent))


def _of_layer(layer: Any, given: tuple[Queue, ...], sent: tuple[Queue, ...]) -> Iterator[Process]:
    kind = f"config{layer.index}"
    weights = tuple(weight.name for weight in layer.get_weights())

    def process(part: str, kernel: str, inputs: Any, outputs: Any, *parameters: str) -> Process:
        return Process(
            name=f"{layer.name}_{part}", kernel=f"{kernel}<{kind}>", inputs=inputs, outputs=outputs, weights=parameters
        )

    def queue(part: str, token: str) -> tuple[Queue]:
        return (Queue(name=f"{layer.name}_{part}", token=token, depth=QUEUE),)

    if isinstance(layer, DeltaActivation):
        changes = queue("changes", f"nnet::delta_tokens<{kind}>::change_t")
        if layer.get_attr("scans"):
            beats = (Queue(name="s_axis", token=f"{kind}::word_t", depth=2),)
            yield process("scan", "delta_scan_beats", beats, changes, *weights)
        else:
            yield process("send", "delta_send", given, changes, *weights)
        yield process("serialize", "delta_serialize", changes, sent)
    elif isinstance(layer, DeltaDense):
        yield process("dense", "delta_dense", given, sent, *weights)
    elif isinstance(layer, DeltaFrame):
        kernel = "delta_keep_events" if isinstance(layer.get_attr("ir"), Delta) else "delta_keep_words"
        yield process("keep", kernel, given, sent)
    elif isinstance(layer, DeltaCopy):
        token = given[0].token
        yield Process(name=f"{layer.name}_copy", kernel=f"delta_copy<{token}>", inputs=given, outputs=sent)
    else:
        assert isinstance(layer, KINDS)
        if len(given) == 2:
            joined = sent if layer.get_attr("carries_on") else queue("events", f"{kind}::event_t")
            yield process("merge", "delta_merge", given, joined)
            if layer.get_attr("carries_on"):
                return
            given = joined
        located = queue("located", f"nnet::delta_span<{kind}>::token_t")
        yield process("locate", "delta_locate", given, located)
        yield process("words", "delta_words" if weights else "delta_sums", located, sent, *weights)
