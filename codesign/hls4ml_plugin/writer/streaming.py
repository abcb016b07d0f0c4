# SPDX-License-Identifier: Apache-2.0
"""The network as a stream of beats, in one C++ file of its own: what an HLS compiler builds as a core.

Each function is a process that runs freely, with streams only: a kernel of ``hls_templates/``, or two that need a
memory between them. The top has the data of an AXI4-Stream on either side, and no control: a beat of the input has one
bit more than its codes, the first of a stream; a beat of the output, the last of a frame.

A compiler that takes no wide tokens gets the words of a layer in several, see `narrowed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from codesign.fixed import Fixed
from codesign.graph.ir import Delta
from codesign.hls.core import Source
from codesign.hls4ml_plugin.writer.cpp import PARTS
from codesign.hls4ml_plugin.writer.layers import LINEAR
from codesign.hls4ml_plugin.writer.sliding import SlidingConfig
from codesign.hls4ml_plugin.writer.templates import ActivationConfig, DenseConfig, FrameConfig
from codesign.hls4ml_plugin.writer.tokens import Token, beats_of, words_of
from codesign.paths import hls_templates

INCLUDES = ("activation", "conv", "dense", "frame", "join")
KERNELS = tuple(f"nnet_delta_{name}.h" for name in PARTS if name != "ports")
CONFIGS: dict[str, Any] = {"DeltaActivation": ActivationConfig, "DeltaDense": DenseConfig, "DeltaFrame": FrameConfig}
WORD, FAR = 32, 42
"""Bits of tokens that PandA-Bambu 2024.10 handles rightly: up to the first, or from the second on, and even numbers of
them (docs/hls.md)."""
MOST_INT = 2**31 - 1
ENGINES = ("DeltaDense", "DeltaConv", "DeltaPool", "DeltaUpsample", "DeltaJoin")
QUEUE = 32
"""Tokens that wait between the processes of one layer."""

TEXT = """// SPDX-License-Identifier: Apache-2.0
// Generated from the graph {graph}: the network as processes that run freely, with streams of tokens between them.
{includes}
{constants}
{configs}
{processes}
{limits}
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


class Narrow:
    """A layer of hls4ml, some of its attributes with other values."""

    def __init__(self, layer: Any, changed: dict[str, Any]) -> None:
        self._layer, self._changed = layer, changed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    def get_attr(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self._changed[name] if name in self._changed else self._layer.get_attr(name, default)


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


def stream_source(model: Any, most_bits: int | None = None) -> Source:
    """Return a lowered model as an HLS compiler takes it: the file, and the kernels that it includes.

    most_bits: of a token that the compiler takes; None: any.
    """
    layers = narrowed(model, most_bits)
    kernels = {name: (hls_templates() / name).read_text(encoding="utf-8") for name in KERNELS}
    return Source(
        graph=model.delta_graph,
        top=top_name(model),
        files={
            f"{top_name(model)}.cpp": stream_text(model, layers, most_bits),
            **{f"nnet_utils/{name}": text for name, text in kernels.items()},
        },
        in_lanes=layers[0].get_attr("given")[0].lanes,
        out_lanes=layers[-1].get_attr("lanes"),
        branch=max(
            (layer.get_attr("token").count + 1 for layer in layers if layer.class_name == "DeltaCopy"), default=0
        ),
    )


def narrowed(model: Any, most_bits: int | None) -> list[Any]:
    """Return the layers of a lowered model but its input; beats and words have at most ``most_bits``, if possible.

    A word travels in several tokens then, of as many lanes as fit, and each takes a cycle.
    """
    layers = [layer for layer in model.graph.values() if layer.class_name != "Input"]
    sent: dict[str, Token] = {}
    made = []
    for layer in layers if most_bits is not None else ():
        assert most_bits is not None
        ir, kind = layer.get_attr("ir"), layer.class_name
        named = zip(layer.inputs, layer.get_attr("given") or (), strict=False)
        given = tuple(sent.get(name, token) for name, token in named)
        changed: dict[str, Any] = {"given": given}
        if kind == "DeltaActivation" and layer.get_attr("scans"):
            changed["given"] = (narrow(given[0], most_bits, ir.delta_bits),)
        elif kind == "DeltaFrame":
            beat = beats_of(ir, ir.fmt, layer.get_attr("lanes"))
            changed["lanes"] = narrow(beat, most_bits).lanes if isinstance(ir, Delta) else given[0].lanes
        elif kind in ENGINES:
            if kind == "DeltaJoin":
                changed["events"] = spared(layer.get_attr("events"))
            elif kind != "DeltaDense":
                changed["events"] = given[0]
            if layer.get_attr("carries_on"):
                changed["token"] = changed["events"]
            else:
                readers = [model.delta_graph[name] for name in model.delta_graph.readers(ir.name)]
                bits = max((node.delta_bits for node in readers if isinstance(node, Delta)), default=0)
                leaves = ir.name == model.delta_graph.output.name
                changed["words"] = changed["token"] = narrow(words_of(ir), most_bits, bits, leaves=leaves)
        elif kind == "DeltaCopy":
            changed["token"] = sent[layer.inputs[0]]
        if kind == "DeltaActivation":
            changed["token"] = spared(layer.get_attr("token"))
        sent.update(dict.fromkeys(layer.outputs, changed.get("token")))
        made.append(Narrow(layer, changed))
    return made or layers


def spared(token: Token) -> Token:
    """Return ``token`` with spare bits where a compiler needs them.

    It loses bits from 32 on where there are few of them, and divides an address by half of the divisor where the token
    that it comes from has an odd number of bits. A beat has no address.
    """
    bits = FAR if WORD < token.bits < FAR else token.bits + (token.bits % 2 if token.addressed else 0)
    return replace(token, spare=token.spare + bits - token.bits)


def together(bits: int) -> int:
    """Return how many values of so many bits lie side by side in 64 bits, each in 1, 2, 4 or 8 bytes."""
    return 8 // next(size for size in (1, 2, 4, 8) if bits <= 8 * size)


def narrow(token: Token, most_bits: int, delta_bits: int = 0, *, leaves: bool = False) -> Token:
    """Return ``token`` with as many of its lanes as fit, also where each becomes a delta of so many bits.

    leaves: its values leave the network side by side, too, in beats that have no place for spare bits.
    """
    for lanes in range(min(token.lanes, together(max(token.value.width, delta_bits))), 0, -1):
        part = replace(token, count=token.count * token.lanes // lanes, lanes=lanes)
        changes = replace(part, value=Fixed(width=max(delta_bits, 1), frac=0, signed=True), addressed=True)
        beat = replace(part, addressed=False)
        if part.addressed:
            part = spared(part)
        right = (part.addressed and not leaves) or not WORD < beat.bits < FAR
        if token.lanes % lanes == 0 and right and max(part.bits, spared(changes).bits) <= most_bits:
            return part
    return spared(replace(token, count=token.count * token.lanes, lanes=1))


def stream_text(model: Any, layers: list[Any], most_bits: int | None) -> str:
    """Return the C++ of the layers of a lowered model; a wider token than ``most_bits`` is an error of the compiler."""
    processes = list(_processes(layers))
    source, sink = processes[0].inputs[0], processes[-1].outputs[0]
    between = [queue for process in processes for queue in process.outputs if queue is not sink]
    return TEXT.format(
        graph=model.delta_graph.name,
        includes="".join(f'#include "nnet_utils/nnet_delta_{name}.h"\n' for name in INCLUDES),
        constants="\n".join(_constants(layers, packed=most_bits is not None)),
        configs="\n".join(_config(layer) for layer in layers if layer.class_name != "DeltaCopy"),
        processes="\n".join(_function(process) for process in processes),
        limits="".join(
            f"static_assert(nnet::delta_bits<{queue.token}>::value <= {most_bits}, "
            f'"{queue.name}: this compiler takes tokens of at most {most_bits} bits");\n'
            for queue in ((source, *between, sink) if most_bits is not None else ())
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


def _constants(layers: list[Any], *, packed: bool) -> Iterator[str]:
    """Yield the types and values of the parameters."""
    for layer in layers:
        for weight in layer.get_weights():
            yield weight.type.definition_cpp().strip()
            codes = [int(value) for value in weight.data.reshape(-1)]
            kind = weight.type.name
            if packed and layer.class_name in LINEAR and weight.name == layer.get_weights("weight").name:
                ir, bits = layer.get_attr("ir"), weight.type.precision.width
                per = min(ir.pe, together(ir.fmt.width))
                kind = f"nnet::delta_unsigned<{per * bits}>::type"
                codes = chunks(codes, ir.pe, per, bits, signed=weight.type.precision.signed)
            values = ", ".join(f"{code}ull" if code > MOST_INT else str(code) for code in codes)
            yield f"static const {kind} {weight.name}[{len(codes)}] = {{{values}}};"


def chunks(codes: list[int], lanes: int, per: int, bits: int, *, signed: bool) -> list[int]:
    """Return words of ``lanes`` codes as ``nnet::delta_chunks`` keeps them where a compiler partitions no array.

    ``per`` of them lie side by side, the first in the low bits; signed ones with an offset of half their range.
    """
    offset = 1 << bits - 1 if signed else 0
    made = []
    for first in range(0, len(codes), lanes):
        for at in range(first, first + lanes, per):
            part = codes[at : min(at + per, first + lanes)]
            made.append(sum((code + offset) << bits * lane for lane, code in enumerate(part)))
    return made


def _config(layer: Any) -> str:
    """Return the struct of a layer, the same as in hls4ml's ``parameters.h``."""
    made: str = CONFIGS.get(layer.class_name, SlidingConfig)().format(layer)
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
            if layer.class_name == "DeltaFrame":
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

    if layer.class_name == "DeltaActivation":
        changes = queue("changes", f"nnet::delta_tokens<{kind}>::change_t")
        if layer.get_attr("scans"):
            beats = (Queue(name="s_axis", token=f"{kind}::word_t", depth=2),)
            yield process("scan", "delta_scan_beats", beats, changes, *weights)
        else:
            yield process("send", "delta_send", given, changes, *weights)
        yield process("serialize", "delta_serialize", changes, sent)
    elif layer.class_name == "DeltaDense":
        yield process("dense", "delta_dense", given, sent, *weights)
    elif layer.class_name == "DeltaFrame":
        kernel = "delta_keep_events" if isinstance(layer.get_attr("ir"), Delta) else "delta_keep_words"
        yield process("keep", kernel, given, sent)
    elif layer.class_name == "DeltaCopy":
        token = given[0].token
        yield Process(name=f"{layer.name}_copy", kernel=f"delta_copy<{token}>", inputs=given, outputs=sent)
    else:
        if len(given) == 2:
            joined = sent if layer.get_attr("carries_on") else queue("events", f"{kind}::event_t")
            yield process("merge", "delta_merge", given, joined)
            if layer.get_attr("carries_on"):
                return
            given = joined
        located = queue("located", f"nnet::delta_span<{kind}>::token_t")
        yield process("locate", "delta_locate", given, located)
        yield process("words", "delta_words" if weights else "delta_sums", located, sent, *weights)
