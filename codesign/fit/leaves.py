# SPDX-License-Identifier: Apache-2.0
"""What the logic of each leaf grows with: terms, each a number of bits found from the leaf's parameters.

A leaf's look-up tables and flip-flops are a sum over its terms, each times a coefficient that `make resource-model`
finds. A term counts bits that are added, compared, multiplexed or kept, so a coefficient is of the order of one.
Distributed RAM is counted by itself, as it is known from shapes (`codesign.fit.memories`), and so are multipliers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from codesign.fit.memories import is_block_rom, mapped
from codesign.rtl.netlist import Instance, Parameters
from codesign.rtl.tokens import index_bits

Terms: TypeAlias = dict[str, float]


def terms(instance: Instance) -> Terms:
    """Return the terms of a leaf."""
    constant = 0.0 if instance.leaf == "box" else 1.0  # that of the link
    found = {"one": constant, **LEAVES[instance.leaf](instance.parameters)}
    return {name: value for name, value in found.items() if value}


def number(p: Parameters, name: str, default: int = 0) -> int:
    """Return a parameter that is a number or a flag."""
    value = p.get(name, default)
    assert isinstance(value, int), name
    return int(value)


def _fifo_terms(width: int, depth: int, *, registered: bool) -> Terms:
    cells = mapped("queue", "memory", depth, width)
    parts = -(-depth // 16)
    return {
        "queue": float(width if registered and not cells.blocks else 0),
        "queue_block": float(bool(cells.blocks)),
        "queue_pick": float(width * (parts - 1)) if cells.distributed else 0.0,
        "queue_parts": float(parts - 1) if cells.distributed else 0.0,
        "queue_ahead": float(width if cells.blocks else 0),
        "queue_pointer": float(index_bits(depth)),
    }


def _encode(p: Parameters) -> Terms:
    return {
        "word": float(index_bits(number(p, "Beats"))),
        "codes": float(number(p, "Lanes") * number(p, "CodeWidth")),
    }


def _state(words: int, width: int, distance: int) -> Terms:
    if words == 1:
        return {"register": float(width)}
    return {
        "operand": float(width),
        "forward": float(width * max(0, 4 - distance)),
        "match": float(index_bits(words) * max(0, 4 - distance)),
    }


def _emit(p: Parameters) -> Terms:
    lanes, code, shift = number(p, "Lanes"), number(p, "CodeWidth"), number(p, "Shift")
    most, words = number(p, "StepMax"), -(-number(p, "Size") // lanes)
    hold, codes = bool(number(p, "Hold")), bool(number(p, "SendCodes"))
    signed = bool(number(p, "InSigned"))
    active = number(p, "InWidth") + (0 if signed else 1) + number(p, "Widen")
    width = max(code + shift, shift + most + 2, number(p, "ThresholdWidth", 1)) + 2
    kept = min(active, width)  # bits of an input that count
    floor = max(1, kept - shift)
    varies = "StepFile" in p and number(p, "StepLines", 1) > 1
    found = {
        "lanes": lanes,
        "saturated": lanes * kept if active > width else 0,
        "relu": lanes * kept if number(p, "Relu") and signed else 0,
        "kept": lanes * kept,
        "rest": lanes * min(shift, kept),
        "floor": lanes * floor,
        "code": lanes * code,
        "signed": lanes * code if number(p, "CodeSigned") else 0,
        "shifted": lanes * floor * most.bit_length() if varies else 0,
        "rounded": lanes * (shift + most) if varies else 0,
        "step": lanes * most.bit_length() if varies else 0,
        "sent": 0 if codes else lanes * number(p, "DeltaWidth"),
        "hold": lanes * (kept + 1) if hold else 0,
        "hold_floor": lanes * floor if hold else 0,
        "hold_code": lanes * code if hold else 0,
        "threshold": (most + 1 if varies else 1) * number(p, "ThresholdWidth") if hold else 0,
        "threshold_pick": lanes * most * number(p, "ThresholdWidth") if hold and varies else 0,
        "padded": lanes if number(p, "Size") % lanes else 0,
        "word": index_bits(words),
    }
    kept_codes = {} if codes and not hold else _state(words, lanes * code, number(p, "Distance", 1))
    return {name: float(value) for name, value in found.items()} | {
        f"reference_{name}": value for name, value in kept_codes.items()
    }


def _serialize(p: Parameters) -> Terms:
    lanes, delta, size = number(p, "Lanes"), number(p, "DeltaWidth"), number(p, "Size")
    words = -(-size // lanes)
    width = 2 + index_bits(words) + lanes * (delta + 1)
    return {
        "lanes": float(lanes),
        "many": float(lanes * index_bits(lanes)) if lanes > 1 else 0.0,
        "picked": float(lanes * delta) if lanes > 1 else 0.0,
        "address": float(index_bits(size)) if lanes > 1 else 0.0,
        **_fifo_terms(width, number(p, "Depth"), registered=True),
    }


def _fifo(p: Parameters) -> Terms:
    return _fifo_terms(number(p, "Width"), number(p, "Depth"), registered=bool(number(p, "Registered", 1)))


def _dense(p: Parameters) -> Terms:
    lanes, words, sums = number(p, "Lanes"), number(p, "Words"), number(p, "AccWidth")
    return {
        "lanes": float(lanes),
        "sums": float(lanes * sums),
        "products": float(lanes * (number(p, "DeltaWidth") + number(p, "WeightWidth"))),
        "weights": rom_terms(number(p, "Inputs") * words, lanes * number(p, "WeightWidth")),
        "biases": rom_terms(words, lanes * sums) if words > 1 else 0.0,
        "word": float(index_bits(words)),
        "row": float(index_bits(number(p, "Inputs") * words)),
        "delta": float(number(p, "DeltaWidth")),
        **{f"state_{name}": value for name, value in _state(words, lanes * sums, words).items()},
    }


def rom_terms(lines: int, width: int) -> float:
    """Return the bits of a table that becomes logic, in units of 16; 0: it is block RAM."""
    return 0.0 if is_block_rom(lines, width) else width * lines / 16.0


def _conv(p: Parameters) -> Terms:
    lanes, sums = number(p, "Lanes"), number(p, "AccWidth")
    slots = number(p, "TapRows") * number(p, "TapColumns")
    bank_rows, bank_columns = number(p, "BankRows"), number(p, "BankColumns")
    banks, fields = bank_rows * bank_columns, max(1, number(p, "Window"))
    kept = lanes * sums * fields
    rows, columns, groups = number(p, "Rows"), number(p, "Columns"), number(p, "Groups")
    lists, row_words = number(p, "Lists"), -(-columns // bank_columns) * groups
    bank_words = -(-rows // bank_rows) * row_words
    index, spot = index_bits(row_words) + 1, index_bits(bank_words)
    entry = number(p, "ColumnBits") + index_bits(groups)
    ring = 2 * -(-max(rows + 1, lists) // bank_rows) * bank_rows + 2
    place = number(p, "RowBits") + number(p, "ColumnBits") + index_bits(groups)
    weighted, channelwise = "WeightFile" in p, bool(number(p, "Channelwise"))
    adders = 1 if slots == 1 else banks
    weight, lines = number(p, "WeightWidth"), number(p, "WeightLines")
    return {
        "sums": float(adders * kept),
        "banked": float(2 * kept) if slots == 1 else float(banks * kept),
        "spread": float(slots * banks * kept) if slots > 1 else 0.0,
        "gated": float(slots * kept) if channelwise or fields > 1 else 0.0,
        "products": float(slots * (1 if channelwise else lanes) * (number(p, "DeltaWidth") + weight)),
        "weight_pick": float(slots * lanes * weight) if channelwise and lanes > 1 else 0.0,
        "weights": slots * rom_terms(lines, lanes * weight) if weighted else 0.0,
        "biases": rom_terms(groups, lanes * sums) if weighted and groups > 1 else 0.0,
        "delta": float(slots * number(p, "DeltaWidth")),
        "lines": float(slots * number(p, "WeightBits")) if weighted or fields > 1 else 0.0,
        "line": float(number(p, "WeightBits")) if weighted or fields > 1 else 0.0,
        "ring": float(index_bits(ring)),
        "place": float(place),
        "slot_place": float(slots * (place + spot)) if slots > 1 else float(spot),
        "mark": float(banks * spot),
        "mark_slots": float(banks * slots * spot) if slots > 1 else 0.0,
        "banks": float(banks),
        "counts": float(lists * bank_columns * index),
        "filled": float(lists),
        "entries": float(banks * entry),
        "entry_slots": float(banks * slots * entry) if slots > 1 else 0.0,
        "count": float(bank_columns * index),
        "largest": float(lanes * sums * (fields - 1)),
        "out_word": float(index_bits(rows * columns * groups)),
        "late": float(index_bits(ring)) if number(p, "Late") else 0.0,
    }


def _locate(p: Parameters) -> Terms:
    height, width, channels = number(p, "Height"), number(p, "Width"), number(p, "Channels")
    address = index_bits(height * width * channels)
    line = number(p, "WeightBits")
    bits = 2 * (number(p, "RowBits") + number(p, "ColumnBits"))
    return {
        "address": float(address),
        "line": float(line),
        "delta": float(number(p, "DeltaWidth")),
        "out": float(bits),
        "rows": rom_terms(height, 2 * number(p, "RowBits") + line),
        "columns": rom_terms(width, 2 * number(p, "ColumnBits") + line),
        "channelwise": float(index_bits(channels)) if number(p, "Channelwise") else 0.0,
        "odd": float(sum(n & (n - 1) != 0 for n in (width, channels))),
    }


def _join(p: Parameters) -> Terms:
    inputs = number(p, "Inputs")
    return {
        "rows": float(inputs * number(p, "RowBits")),
        "rest": float(inputs * number(p, "RestBits")),
        "out": float(number(p, "RestBits")),
    }


def _align(p: Parameters) -> Terms:
    if number(p, "Lines") == 1:
        return {}
    lanes = number(p, "Lanes")
    return {
        "shifted": float(lanes * number(p, "OutWidth") * number(p, "ShiftWidth")),
        "token": float(lanes * number(p, "InWidth")),
        "entries": rom_terms(number(p, "Lines"), lanes * (number(p, "ShiftWidth") + number(p, "LowWidth"))),
    }


def _decode(p: Parameters) -> Terms:
    words, data = number(p, "Words"), number(p, "Lanes") * number(p, "ValueWidth")
    return {"word": float(index_bits(words)), "data": float(data)}


def _fork(p: Parameters) -> Terms:
    return {"outputs": float(number(p, "Outputs"))}


def _admit(p: Parameters) -> Terms:
    return {"streams": float(number(p, "Streams"))}


def _stats(p: Parameters) -> Terms:
    return {"engines": float(number(p, "Engines"))}


def _box(p: Parameters) -> Terms:
    return {"bytes": float(number(p, "BeatBytes")), "beats": float(index_bits(number(p, "Beats")))}


def _registers(p: Parameters) -> Terms:
    return {"thresholds": float(number(p, "ThresholdBits"))}


def _constant(_: Parameters) -> Terms:
    return {}


LEAVES: Mapping[str, Callable[[Parameters], Terms]] = {
    "admit": _admit,
    "encode": _encode,
    "emit": _emit,
    "serialize": _serialize,
    "fifo": _fifo,
    "dense": _dense,
    "fork": _fork,
    "locate": _locate,
    "join": _join,
    "conv": _conv,
    "align": _align,
    "decode": _decode,
    "stats": _stats,
    "registers": _registers,
    "box": _box,
    "link": _constant,
    "pads": _constant,
}
"""Of the leaves of a top, and of what stands around it on a board."""
