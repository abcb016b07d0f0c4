# SPDX-License-Identifier: Apache-2.0
"""Token formats: fields in order, widths, packing."""

from __future__ import annotations

import random

import pytest

from codesign.rtl import tokens


def test_fields_lie_first_in_the_high_bits() -> None:
    token = tokens.event(size=20, delta_bits=4)
    assert [(field.name, field.bits, token.bit(field.name)) for field in token.fields] == [
        ("first_of_stream", 1, 11),
        ("has_event", 1, 10),
        ("end_of_frame", 1, 9),
        ("address", 5, 4),
        ("delta", 4, 0),
    ]
    assert token.bits == 12
    assert token.pack(has_event=1, address=17, delta=-3) == 0b010_10001_1101
    assert token.unpack(0b101_00001_0111) == {
        "first_of_stream": 1,
        "has_event": 0,
        "end_of_frame": 1,
        "address": 1,
        "delta": 7,
    }


def test_only_deltas_are_signed() -> None:
    place = tokens.located(row=2, column=3, group=1, line=4, lane=1, delta=5)
    assert place.bits == 3 + 2 * 2 + 2 * 3 + 1 + 4 + 1 + 5
    assert [field.name for field in place.fields if field.signed] == ["delta"]
    assert tokens.changes(words=3, lanes=2, delta_bits=5).bits == tokens.word(words=3, data_bits=2 * (5 + 1)).bits
    assert tokens.word(words=1, data_bits=8).bits == 3 + 1 + 8, "an index has a bit even if there is one word"


@pytest.mark.parametrize(
    "token",
    [
        tokens.word(5, 12),
        tokens.changes(9, 4, 6),
        tokens.event(100, 7),
        tokens.located(row=3, column=4, group=2, line=6, lane=1, delta=9),
    ],
    ids=lambda token: token.format,
)
def test_what_is_packed_is_read(token: tokens.Token) -> None:
    rng = random.Random(1)
    for _ in range(50):
        raw = rng.getrandbits(token.bits)
        assert token.pack(**token.unpack(raw)) == raw


def test_unknown_and_missing_fields_are_errors() -> None:
    with pytest.raises(TypeError, match="word token has no delta"):
        tokens.word(4, 8).pack(delta=1)
    with pytest.raises(TypeError, match="widths of address, delta are needed, not of address"):
        tokens.EVENT.token(address=3)
