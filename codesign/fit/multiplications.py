# SPDX-License-Identifier: Apache-2.0
"""How many multipliers of an ECP5 a leaf takes: those of its lanes, and of addresses that are no powers of two."""

from __future__ import annotations

from codesign.fit.leaves import number
from codesign.rtl.netlist import Instance, Parameters
from codesign.rtl.tokens import index_bits

WIDTH, LEAST = 18, 2
"""Bits of a factor of one multiplier, and the fewest for which Yosys takes one (``mul2dsp``)."""


def multipliers(instance: Instance) -> int:
    """Return the multipliers of a leaf."""
    count = {"dense": _dense, "conv": _conv, "locate": _locate, "serialize": _serialize}.get(instance.leaf)
    return 0 if count is None else count(instance.parameters)


def _product(one: int, other: int) -> int:
    """Return the multipliers of a product of two numbers of so many bits."""
    return _pieces(one) * _pieces(other)


def _pieces(bits: int) -> int:
    """Return the factors that a number is cut into; one of a single bit is logic."""
    whole, rest = divmod(bits, WIDTH)
    return whole + (rest >= LEAST)


def _scaled(bits: int, factor: int) -> int:
    """Return the multipliers of a number of ``bits`` bits times a constant."""
    return 0 if factor & (factor - 1) == 0 else _product(bits, factor.bit_length())


def _serialize(p: Parameters) -> int:
    lanes = number(p, "Lanes")
    return _scaled(index_bits(-(-number(p, "Size") // lanes)), lanes)


def _dense(p: Parameters) -> int:
    products = number(p, "Lanes") * _product(number(p, "DeltaWidth"), number(p, "WeightWidth"))
    return products + _scaled(index_bits(number(p, "Inputs")), number(p, "Words"))


def _conv(p: Parameters) -> int:
    slot_rows, slot_columns = number(p, "TapRows"), number(p, "TapColumns")
    groups, columns = number(p, "Groups"), number(p, "Columns")
    found = 0
    if "WeightFile" in p:
        lanes = 1 if number(p, "Channelwise") else number(p, "Lanes")
        found = slot_rows * slot_columns * lanes * _product(number(p, "DeltaWidth"), number(p, "WeightWidth"))
    row_words = -(-columns // number(p, "BankColumns")) * groups
    row = number(p, "RowBits") - number(p, "BankRows").bit_length() + 1
    column = number(p, "ColumnBits") - number(p, "BankColumns").bit_length() + 1
    # A place is found for every slot, rows and columns once each, and for the word that is sent.
    found += (slot_rows + 1) * _scaled(row, row_words) + (slot_columns + 1) * _scaled(column, groups)
    position = index_bits(number(p, "Rows") * columns)
    return found + _scaled(number(p, "RowBits"), columns) + _scaled(position, groups)


def _locate(p: Parameters) -> int:
    """Return those of ``delta_locate``: three divisions by reciprocals, and what is left of each."""
    height, width, channels = number(p, "Height"), number(p, "Width"), number(p, "Channels")
    groups, lanes = number(p, "Groups"), number(p, "Lanes")
    address, channel = index_bits(height * width * channels), max(groups * lanes, channels).bit_length()
    reciprocal = max(address, channel) + 1
    position = _quotient(address, channels)
    found = _divided(address, channels, reciprocal) + _scaled(position, channels)
    found += _divided(position, width, reciprocal) + _scaled(_quotient(position, width), width)
    if number(p, "Channelwise"):
        return found + _divided(channel, lanes, reciprocal) + _scaled(_quotient(channel, lanes), lanes)
    return found + (_scaled(channel, groups) if number(p, "Weighted", 1) else 0)


def _divided(bits: int, divisor: int, reciprocal: int) -> int:
    return 0 if divisor & (divisor - 1) == 0 else _product(bits, reciprocal)


def _quotient(bits: int, divisor: int) -> int:
    """Return the bits of a number over a constant."""
    whole = (divisor - 1).bit_length()
    return max(1, bits - whole if divisor & (divisor - 1) == 0 else min(bits, bits + 1 - whole))
