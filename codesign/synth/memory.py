# SPDX-License-Identifier: Apache-2.0
"""Every memory of an emitted design, to the bit, and whether a target's block RAM and UltraRAM can hold them.

The sizes are those of the leaves' arrays, found from the parameters at which the top instantiates them. A leaf with
memories has one function here, listed in `LEAVES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from codesign.errors import SynthesisError
from codesign.rtl.netlist import Parameters, Top
from codesign.rtl.tokens import index_bits as _clog2
from codesign.synth.resources import (
    ECP5_BLOCK_RAM_BITS,
    ULTRA_BITS,
    ULTRA_WIDTH,
    ULTRA_WORDS,
    XC7_BLOCK_RAM_BITS,
    DeviceMemory,
)
from codesign.synth.target import Target, load_target, target_names

CAPACITY_BITS = {"ecp5": 208 * ECP5_BLOCK_RAM_BITS, "xc7": 1880 * XC7_BLOCK_RAM_BITS}
"""Block RAM of the largest device of each family: LFE5U-85F and XC7VX1140T."""

WITHOUT_CONTENTS = ("state", "references", "marks")
"""Kinds of memories that are written before they are read: they may be UltraRAM."""
_LEAVES_WITHOUT_CONTENTS = ("delta_accumulate.sv", "delta_state.sv")
_STYLE = "ram_style = "
LAYERS_SHOWN = 5
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
        words: number of words.
        width: bits of a word.
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

    @property
    def ultra_rams(self) -> int:
        """UltraRAMs that it takes."""
        return -(-self.words // ULTRA_WORDS) * -(-self.width // ULTRA_WIDTH)


Found: TypeAlias = Iterator[tuple[str, str, int, int]]
"""Kind, path below the instance, words, width."""


def memories(top: Top) -> tuple[Memory, ...]:
    """Return every memory of a design, in the order of its leaves.

    Raises:
        SynthesisError: a leaf is instantiated whose memories are not known here.
    """
    found: list[Memory] = []
    for instance in top.instances:
        if instance.leaf not in LEAVES:
            raise SynthesisError(
                f"the memories of delta_{instance.leaf} are not known",
                where=f"i_{instance.name}",
                expected=f"one of {', '.join(LEAVES)}",
                fix="add a function for it to codesign/synth/memory.py",
            )
        for kind, path, words, width in LEAVES[instance.leaf](instance.parameters):
            found.append(
                Memory(
                    layer=instance.node,
                    kind=kind,
                    words=words,
                    width=width,
                    path=f"i_{instance.name}.{path}",
                    registered=kind != "queue",
                )
            )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the memories of a design go on a device.

    Attributes:
        block_bits: bits in block RAM.
        ultra_rams: UltraRAMs taken.
        least_bits: memories that need no first contents go to UltraRAM from so many bits on; None: none does.
    """

    block_bits: int
    ultra_rams: int = 0
    least_bits: int | None = None


def plan(found: Iterable[Memory], capacity: DeviceMemory) -> Plan | None:
    """Return how the memories fit a device: in block RAM alone if they do, else the largest ones that may in UltraRAM.

    Only bits of block RAM are counted, but whole UltraRAMs, as their shape is fixed. None: they do not fit.
    """
    block = [memory for memory in found if memory.registered]
    need = sum(memory.bits for memory in block)
    if need <= capacity.block_bits:
        return Plan(block_bits=need)
    movable = [memory for memory in block if memory.kind in WITHOUT_CONTENTS]
    for least in sorted({memory.bits for memory in movable}, reverse=True):
        moved = [memory for memory in movable if memory.bits >= least]
        rest, rams = need - sum(memory.bits for memory in moved), sum(memory.ultra_rams for memory in moved)
        if rest <= capacity.block_bits and rams <= capacity.ultra_rams:
            return Plan(block_bits=rest, ultra_rams=rams, least_bits=least)
    return None


def check_fits(
    found: Iterable[Memory], target: str, *, where: str, capacity: int | None = None, ultra_rams: int = 0
) -> Plan:
    """Check that the memories fit ``capacity`` bits of block RAM, or those of a family's largest device, and UltraRAMs.

    target: the family or the board, for the message. Only bits are counted, so a design that passes may still be
    refused by the tool.

    Returns: where they go.

    Raises:
        SynthesisError: they do not fit; names the bits of each kind, the layers that need most, what there is, what to
            reduce, and the smallest board that they fit.
    """
    memories = [memory for memory in found if memory.registered]
    space = DeviceMemory(block_bits=capacity or CAPACITY_BITS[target], ultra_rams=ultra_rams)
    made = plan(memories, space)
    if made is not None:
        return made
    largest = max(memories, key=lambda memory: memory.bits)
    kinds, layers = _totals(memories, "kind"), _totals(memories, "layer")
    without = ", ".join(WITHOUT_CONTENTS)
    ultra = f", and {ultra_rams} UltraRAMs of {ULTRA_BITS:,} bits for {without} alone" if ultra_rams else ""
    raise SynthesisError(
        f"the design's memories do not fit {target}",
        where=where,
        expected=f"at most {space.block_bits:,} bits of block RAM{ultra}",
        received=f"{sum(memory.bits for memory in memories):,} bits ({_shares(kinds)}); "
        f"most in the layers {_shares(layers, LAYERS_SHOWN)}",
        fix=f"reduce the {largest.kind} of layer {largest.layer!r} ({layers[largest.layer]:,} bits): "
        f"{ADVICE.get(largest.kind, 'a smaller layer')}; or {_larger_board(memories)}",
    )


def with_ultra(files: Mapping[str, str], least_bits: int | None) -> dict[str, str]:
    """Return the sources with memories of ``least_bits`` and more, of those that may, as UltraRAM.

    The leaves ask for block RAM where a memory has more than a few words, and Vivado takes a memory of theirs for
    UltraRAM only on request (AMD UG901, RAM_STYLE).
    """
    changed = dict(files)
    for name in _LEAVES_WITHOUT_CONTENTS if least_bits is not None else ():
        if name in changed:
            before = changed[name]
            changed[name] = before.replace(_STYLE, f'{_STYLE}Words * Width >= {least_bits} ? "ultra" : ')
            if before.count(_STYLE) != 1:
                raise SynthesisError("one memory was expected", where=name, received=f"{before.count(_STYLE)}")
    return changed


def _totals(memories: Iterable[Memory], by: str) -> dict[str, int]:
    """Return bits by kind or by layer, largest first."""
    totals: dict[str, int] = {}
    for memory in memories:
        totals[getattr(memory, by)] = totals.get(getattr(memory, by), 0) + memory.bits
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _shares(totals: Mapping[str, int], most: int | None = None) -> str:
    shown = [f"{name} {bits:,}" for name, bits in list(totals.items())[:most]]
    return ", ".join(shown) + (f" and {len(totals) - len(shown)} more" if len(shown) < len(totals) else "")


def boards_that_fit(memories: Iterable[Memory]) -> tuple[Target, ...]:
    """Return the known boards whose memory holds ``memories``, from the smallest on; cells are not looked at."""
    found = tuple(memories)
    boards = [board for board in map(load_target, target_names()) if plan(found, board.capacity.memory) is not None]
    return tuple(sorted(boards, key=lambda board: (board.capacity.memory.bits, board.capacity.lut)))


def _larger_board(memories: list[Memory]) -> str:
    """Return the advice about boards that the memories fit."""
    fit = boards_that_fit(memories)
    if not fit:
        return "a board with more memory than those of `codesign build --targets`"
    return f"the smallest of the known boards that they fit: --target {fit[0].name}"


def _number(parameters: Parameters, name: str, default: int | None = None) -> int:
    value = parameters.get(name, default)
    assert isinstance(value, int), f"{name} is no number"
    return value


def _fifo(p: Parameters) -> Found:
    yield "queue", "memory", _number(p, "Depth"), _number(p, "Width")


def _state(kind: str, instance: str, words: int, width: int) -> Found:
    if words > 1:  # one word is a register
        yield kind, f"{instance}.g_memory.memory", words, width


def _emit(p: Parameters) -> Found:
    lanes, words = _number(p, "Lanes"), _words(p)
    yield from _state("references", "i_reference", words, lanes * _number(p, "CodeWidth"))
    if "StepFile" in p:
        lines, width = _number(p, "StepLines"), lanes * max(1, _number(p, "StepMax").bit_length())
        yield "steps", f"{'g_lanes' if lines == 1 else 'g_steps'}.memory", lines, width


def _serialize(p: Parameters) -> Found:
    width = 2 + _clog2(_words(p)) + _number(p, "Lanes") * (_number(p, "DeltaWidth") + 1)
    yield "queue", "i_queue.memory", _number(p, "Depth"), width


def _dense(p: Parameters) -> Found:
    lanes, words = _number(p, "Lanes"), _number(p, "Words")
    weights = _number(p, "Inputs") * words, lanes * _number(p, "WeightWidth")
    yield "weights", "i_product.g_weights.weights", *weights
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
            path = f"g_product[{slot}].i_product.g_weights.weights"
            yield "weights", path, _number(p, "WeightLines"), lanes * _number(p, "WeightWidth")
        yield "biases", f"i_banks.{'g_bias' if groups == 1 else 'g_biases'}.biases", groups, lanes * value
    entry = _number(p, "ColumnBits") + _clog2(groups)
    listed = _number(p, "Lists") // bank_rows << _clog2(row_words)  # of a bank
    kept = lanes * value * _number(p, "Window", 1)
    banks, words = bank_rows * bank_columns, -(-rows // bank_rows) * row_words
    adders = 1 if _number(p, "TapRows") * _number(p, "TapColumns") == 1 else banks
    for bank in range(banks):
        adder, own = divmod(bank, banks // adders)
        yield "lists", f"i_rows.i_lists.g_list[{bank}].list", listed, entry
        yield "state", f"i_banks.g_adder[{adder}].i_sums.g_bank[{own}].memory", words, kept
        yield from _state("marks", f"i_banks.g_mark[{bank}].i_mark", words, 1)
    ring_rows = 2 * -(-max(rows + 1, _number(p, "Lists")) // bank_rows) * bank_rows + 2  # two frames
    place = _number(p, "RowBits") + _number(p, "ColumnBits") + _clog2(groups)
    flags = 3  # odd, end, first_of_stream
    width = flags + _clog2(ring_rows) + place + _clog2(banks) + _clog2(words)
    yield "queue", "i_rows.i_places.memory", PLACES_QUEUE, width
    yield "queue", "i_output.memory", OUTPUT_QUEUE, 3 + _clog2(rows * columns * groups) + lanes * value


def _align(p: Parameters) -> Found:
    entry = _number(p, "ShiftWidth") + _number(p, "LowWidth")
    yield "steps", "lines", _number(p, "Lines"), _number(p, "Lanes") * entry


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
    "align": _align,
    "decode": _decode,
    "stats": _nothing,
}
