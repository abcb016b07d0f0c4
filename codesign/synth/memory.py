# SPDX-License-Identifier: Apache-2.0
"""Every memory of an emitted design, to the bit, and whether a target's block RAM can hold them.

The sizes are those of the leaves' arrays, found from the parameters at which the generated top instantiates them. A
leaf with memories has one function here, listed in `LEAVES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from codesign.errors import SynthesisError
from codesign.synth.resources import ECP5_BLOCK_RAM_BITS, XC7_BLOCK_RAM_BITS

Parameters: TypeAlias = Mapping[str, int | str]

CAPACITY_BITS = {"ecp5": 208 * ECP5_BLOCK_RAM_BITS, "xc7": 1880 * XC7_BLOCK_RAM_BITS}
"""Block RAM of the largest device of each family: LFE5U-85F and XC7VX1140T."""

GENERATED = "// Generated from the graph"
"""What stands at the head of a top that ``codesign.rtl.emit`` wrote."""
PLACES_QUEUE, OUTPUT_QUEUE = 4, 8  # words to send and sent words of a convolution, fixed in the leaf

ADVICE = {
    "weights": "fewer outputs or weight bits in this layer",
    "state": "fewer channels, a larger stride, or fewer weight or activation bits (narrower accumulators)",
    "references": "fewer activation bits, fewer channels, or a smaller frame",
    "packet": "fewer outputs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One array of the design.

    Attributes:
        layer: node of the graph that it belongs to.
        kind: what is in it: weights, biases, state, marks, references, lists, tables, steps, queue or packet.
        words: lines.
        width: bits of a line.
        path: hierarchical name below the top.
        registered: it is read through a register, so block RAM can hold it; others become look-up tables.
    """

    layer: str
    kind: str
    words: int
    width: int
    path: str
    registered: bool = True

    @property
    def bits(self) -> int:
        """Bits stored."""
        return self.words * self.width


Found: TypeAlias = Iterator[tuple[str, str, int, int]]
"""Kind, path below the instance, words, width."""


def memories(top: str) -> tuple[Memory, ...]:
    """Return every memory of a design, from the text of its generated top; none of any other module is known.

    Raises:
        SynthesisError: a leaf is instantiated whose memories are not known here.
    """
    found: list[Memory] = []
    if GENERATED not in top:
        return ()
    for leaf, parameters, instance in _instances(top):
        if leaf not in LEAVES:
            raise SynthesisError(
                f"the memories of delta_{leaf} are not known",
                where=instance,
                expected=f"one of {', '.join(LEAVES)}",
                fix="add a function for it to codesign/synth/memory.py",
            )
        layer = _BRANCH.sub("", instance.removeprefix("i_").rpartition("_")[0])
        for kind, path, words, width in LEAVES[leaf](parameters):
            found.append(
                Memory(
                    layer=layer,
                    kind=kind,
                    words=words,
                    width=width,
                    path=f"{instance}.{path}",
                    registered=kind != "queue",
                )
            )
    return tuple(found)


def check_fits(found: Iterable[Memory], target: str, *, where: str, room: int | None = None) -> None:
    """Check that the memories fit ``room`` bits of block RAM, or that of the largest device of a family.

    target: the family or the board, for the message. Only bits are counted, so a design that passes may still be
    refused by the tool.

    Raises:
        SynthesisError: they do not; says how much each layer needs, what there is, and what to reduce.
    """
    block = [memory for memory in found if memory.registered]
    need, room = sum(memory.bits for memory in block), room or CAPACITY_BITS[target]
    if need <= room:
        return
    layers: dict[str, int] = {}
    for memory in block:
        layers[memory.layer] = layers.get(memory.layer, 0) + memory.bits
    largest = max(block, key=lambda memory: memory.bits)
    shares = ", ".join(f"{name} {bits:,}" for name, bits in sorted(layers.items(), key=lambda item: -item[1]))
    raise SynthesisError(
        f"the design's memories do not fit {target}",
        where=where,
        expected=f"at most {room:,} bits of block RAM",
        received=f"{need:,} bits: {shares}",
        fix=f"reduce the {largest.kind} of layer {largest.layer!r} ({largest.bits:,} bits): "
        f"{ADVICE.get(largest.kind, 'a smaller layer')}",
    )


_INSTANCE = re.compile(r"^  delta_(\w+) #\(\n(.*?)\n  \) (i_\w+) \(", re.MULTILINE | re.DOTALL)
_BRANCH = re.compile(r"__\d+$")  # what the top appends where a node has several readers or inputs
_PARAMETER = re.compile(r"\.(\w+)\((.*)\)")


def _instances(top: str) -> Iterator[tuple[str, Parameters, str]]:
    """Return leaf, parameters and name of every instance in a generated top."""
    for leaf, text, name in _INSTANCE.findall(top):
        yield leaf, {key: _value(value) for key, value in _PARAMETER.findall(text)}, name


def _value(text: str) -> int | str:
    """Return a literal of the generated top as an integer; a file name or a parameter's name as it is."""
    found = re.fullmatch(r"(?:\d+'[bd])?(-?\d+)", text)
    return int(found[1]) if found else text.strip('"')


def _clog2(count: int) -> int:
    return max(1, (count - 1).bit_length())


def _number(parameters: Parameters, name: str) -> int:
    return int(parameters[name])


def _fifo(p: Parameters) -> Found:
    yield "queue", "memory", _number(p, "Depth"), _number(p, "Width")


def _state(kind: str, instance: str, words: int, width: int) -> Found:
    if words > 1:  # one word is a register
        yield kind, f"{instance}.g_memory.memory", words, width


def _emit(p: Parameters) -> Found:
    lanes, words = _number(p, "Lanes"), _words(p)
    yield from _state("references", "i_reference", words, lanes * _number(p, "CodeWidth"))
    if "StepFile" in p:
        yield "steps", "g_steps.memory", words, lanes * max(1, _number(p, "StepMax").bit_length())


def _serialize(p: Parameters) -> Found:
    width = 2 + _clog2(_words(p)) + _number(p, "Lanes") * (_number(p, "DeltaWidth") + 1)
    yield "queue", "i_queue.memory", _number(p, "Depth"), width


def _dense(p: Parameters) -> Found:
    lanes, words = _number(p, "Lanes"), _number(p, "Words")
    yield "weights", "weights", _number(p, "Inputs") * words, lanes * _number(p, "WeightWidth")
    yield "biases", "biases", words, lanes * _number(p, "AccWidth")
    yield from _state("state", "i_state", words, lanes * _number(p, "AccWidth"))


def _locate(p: Parameters) -> Found:
    line = _number(p, "WeightBits")
    yield "tables", "row_table", _number(p, "Height"), 2 * _number(p, "RowBits") + line
    yield "tables", "column_table", _number(p, "Width"), 2 * _number(p, "ColumnBits") + line


def _conv(p: Parameters) -> Found:
    lanes, groups, value = _number(p, "Lanes"), _number(p, "Groups"), _number(p, "AccWidth")
    rows, columns = _number(p, "Rows"), _number(p, "Columns")
    bank_rows, bank_columns = _number(p, "BankRows"), _number(p, "BankColumns")
    row_words = -(-columns // bank_columns) * groups
    if "WeightFile" in p:
        for slot in range(_number(p, "TapRows") * _number(p, "TapColumns")):
            path = f"g_product[{slot}].g_weights.weights"
            yield "weights", path, _number(p, "WeightLines"), lanes * _number(p, "WeightWidth")
        yield "biases", "g_bias.biases" if groups == 1 else "g_biases.biases", groups, lanes * value
    entry = _number(p, "ColumnBits") + _clog2(groups)
    kept = lanes * value * max(1, int(p.get("Window", 0)))
    banks, words = bank_rows * bank_columns, -(-rows // bank_rows) * row_words
    adders = 1 if _number(p, "TapRows") * _number(p, "TapColumns") == 1 else banks
    for bank in range(banks):
        adder, own = divmod(bank, banks // adders)
        yield "lists", f"g_list[{bank}].list", _number(p, "Lists") // bank_rows << _clog2(row_words), entry
        yield "state", f"g_adder[{adder}].i_sums.g_bank[{own}].memory", words, kept
        yield from _state("marks", f"g_touched[{bank}].i_touched", words, 1)
    ring_rows = 2 * -(-max(rows + 1, _number(p, "Lists")) // bank_rows) * bank_rows + 2  # two frames
    place = _number(p, "RowBits") + _number(p, "ColumnBits") + _clog2(groups)
    flags = 3  # odd, end, fresh
    yield "queue", "i_places.memory", PLACES_QUEUE, flags + _clog2(ring_rows) + place + _clog2(banks) + _clog2(words)
    yield "queue", "i_output.memory", OUTPUT_QUEUE, 3 + _clog2(rows * columns * groups) + lanes * value


def _decode(p: Parameters) -> Found:
    yield "packet", "memory", _number(p, "Words"), _number(p, "Lanes") * _number(p, "ValueWidth")


def _nothing(_: Parameters) -> Found:
    yield from ()


def _words(p: Parameters) -> int:
    return -(-_number(p, "Size") // _number(p, "Lanes"))


LEAVES: Mapping[str, Callable[[Parameters], Found]] = {
    "admit": _nothing,
    "encode": _nothing,
    "emit": _emit,
    "serialize": _serialize,
    "fifo": _fifo,
    "dense": _dense,
    "fork": _nothing,
    "locate": _locate,
    "join": _nothing,
    "conv": _conv,
    "decode": _decode,
    "stats": _nothing,
}
