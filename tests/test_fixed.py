# SPDX-License-Identifier: Apache-2.0
"""`Fixed` speaks Keras, Vitis and SystemVerilog; the expected numbers are worked out by hand."""

import numpy as np
import pytest

from codesign.errors import LatticeError
from codesign.fixed import Fixed


@pytest.mark.parametrize(
    ("fmt", "lo", "hi", "scale"),
    [
        (Fixed(width=8, frac=8, signed=False), 0, 255, 1 / 256),
        (Fixed(width=8, frac=5, signed=True), -128, 127, 1 / 32),
        (Fixed(width=1, frac=0, signed=False), 0, 1, 1.0),
        (Fixed(width=4, frac=-2, signed=True), -8, 7, 4.0),
    ],
)
def test_range_and_scale(fmt: Fixed, lo: int, hi: int, scale: float) -> None:
    assert (fmt.lo, fmt.hi, fmt.scale) == (lo, hi, scale)


def test_integer_bits_count_the_sign_only_in_vitis_types() -> None:
    assert Fixed.from_qkeras(6, 1, signed=True) == Fixed(width=6, frac=4, signed=True)
    assert Fixed.from_qkeras(4, 2, signed=False) == Fixed(width=4, frac=2, signed=False)
    assert Fixed(width=6, frac=4, signed=True).ap() == "ap_fixed<6,2>"
    assert Fixed(width=4, frac=2, signed=False).ap() == "ap_ufixed<4,2>"


@pytest.mark.parametrize(
    ("text", "fmt"),
    [
        ("fixed<16,6>", Fixed(width=16, frac=10, signed=True)),
        ("ap_ufixed<8,0,AP_RND_CONV,AP_SAT,0>", Fixed(width=8, frac=8, signed=False)),
        ("ap_int<5>", Fixed(width=5, frac=0, signed=True)),
        ("uint<5>", Fixed(width=5, frac=0, signed=False)),
        ("ap_fixed<4,-2>", Fixed(width=4, frac=6, signed=True)),
    ],
)
def test_from_ap(text: str, fmt: Fixed) -> None:
    assert Fixed.from_ap(text) == fmt


@pytest.mark.parametrize("text", ["float", "fixed<8>", "ap_fixed<>", ""])
def test_from_ap_refuses(text: str) -> None:
    with pytest.raises(LatticeError, match=r"Expected: fixed<width,integer>"):
        Fixed.from_ap(text)


@pytest.mark.parametrize(
    ("lo", "hi", "width", "signed"),
    [
        (0, 0, 1, False),
        (0, 255, 8, False),
        (0, 256, 9, False),
        (-1, 0, 1, True),
        (-128, 127, 8, True),
        (-5, 128, 9, True),
    ],
)
def test_holding_is_the_narrowest(lo: int, hi: int, width: int, signed: bool) -> None:
    fmt = Fixed.holding(lo, hi, frac=0)
    assert (fmt.width, fmt.signed) == (width, signed)
    assert fmt.lo <= lo <= hi <= fmt.hi


def test_codes_and_values_are_inverse() -> None:
    fmt = Fixed(width=7, frac=3, signed=True)
    codes = np.arange(fmt.lo, fmt.hi + 1)
    assert np.array_equal(fmt.to_codes(fmt.to_values(codes)), codes)


def test_to_codes_names_what_is_off() -> None:
    fmt = Fixed(width=4, frac=2, signed=False)
    with pytest.raises(LatticeError, match=r"1 of 3 values are off the lattice.*0\.3 at index \(1,\)"):
        fmt.to_codes([0.25, 0.3, 0.5])
    with pytest.raises(LatticeError, match=r"outside the format's range.*0\.0 to 3\.75"):
        fmt.to_codes([4.0])


def test_width_must_be_positive() -> None:
    with pytest.raises(LatticeError, match="at least one bit"):
        Fixed(width=0, frac=0, signed=False)
