# SPDX-License-Identifier: Apache-2.0
"""The one number-format type: integer codes on a power-of-two lattice, ``value = code * 2**-frac``.

The conventions that meet here:

==============  ============================  =====================================
source          writes                        integer bits
==============  ============================  =====================================
QKeras          ``quantized_bits(b, i)``      exclude the sign (``frac = b - i - 1``)
QKeras          ``quantized_relu(b, i)``      no sign          (``frac = b - i``)
Vitis, hls4ml   ``ap_[u]fixed<w, i>``         include the sign (``frac = w - i``)
SystemVerilog   ``logic signed [w-1:0]``      codes only; the lattice lives here
==============  ============================  =====================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codesign.errors import LatticeError

IntArray = NDArray[np.int64]
_AP = re.compile(r"(?:ap_)?(u?)(fixed|int)<\s*(\d+)\s*(?:,\s*(-?\d+))?.*>$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A fixed-point format.

    Attributes:
        width: bits of a code, sign included.
        frac: fraction bits; may be negative or larger than ``width``.
        signed: two's complement if true.
    """

    width: int
    frac: int
    signed: bool

    def __post_init__(self) -> None:
        if self.width < 1:
            raise LatticeError("a fixed-point format needs at least one bit", received=f"width={self.width}")

    @property
    def lo(self) -> int:
        """Smallest code."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def hi(self) -> int:
        """Largest code."""
        return (1 << (self.width - int(self.signed))) - 1

    @property
    def scale(self) -> float:
        """Value of one code."""
        return 2.0**-self.frac

    @classmethod
    def from_qkeras(cls, bits: int, integer: int, *, signed: bool) -> Fixed:
        """Return the lattice of ``quantized_bits`` (signed) or ``quantized_relu`` (unsigned) at alpha 1."""
        return cls(width=bits, frac=bits - integer - int(signed), signed=signed)

    @classmethod
    def from_ap(cls, text: str) -> Fixed:
        """Parse ``ap_fixed<w,i,...>``, ``ufixed<w,i>``, ``ap_int<w>`` or ``uint<w>``.

        Raises:
            LatticeError: ``text`` is none of these.
        """
        match = _AP.match(text.replace("ac_", "ap_").strip())
        if match is None or (match[2] == "fixed" and match[4] is None):
            raise LatticeError(
                "not a fixed-point type",
                expected="fixed<width,integer> or ufixed<width,integer>",
                received=text,
            )
        width = int(match[3])
        integer = int(match[4]) if match[2] == "fixed" else width
        return cls(width=width, frac=width - integer, signed=not match[1])

    @classmethod
    def holding(cls, lo: int, hi: int, *, frac: int, signed: bool | None = None) -> Fixed:
        """Return the narrowest format whose codes include ``lo..hi``; signed if asked or if ``lo < 0``."""
        is_signed = lo < 0 if signed is None else signed
        bits = max(lo.bit_length() if lo >= 0 else (-lo - 1).bit_length(), hi.bit_length() if hi >= 0 else 0)
        return cls(width=max(1, bits + int(is_signed)), frac=frac, signed=is_signed)

    def ap(self) -> str:
        """Return the Vitis HLS type, e.g. ``ap_fixed<8,3>``."""
        return f"ap_{'' if self.signed else 'u'}fixed<{self.width},{self.width - self.frac}>"

    def to_codes(self, values: ArrayLike) -> IntArray:
        """Return the integer codes of ``values``, any shape.

        Raises:
            LatticeError: a value is not a multiple of ``2**-frac`` or lies outside ``lo..hi``.
        """
        scaled = np.asarray(values, dtype=np.float64) * 2.0**self.frac
        codes = np.rint(scaled)
        off = codes != scaled
        if off.any():
            where = np.unravel_index(int(np.argmax(off)), off.shape) if off.ndim else ()
            raise LatticeError(
                f"{int(off.sum())} of {off.size} values are off the lattice",
                expected=f"multiples of 2**-{self.frac} ({self})",
                received=f"{np.asarray(values)[where]} at index {tuple(int(i) for i in where)}",
            )
        if codes.size and (codes.min() < self.lo or codes.max() > self.hi):
            raise LatticeError(
                "values are outside the format's range",
                expected=f"{self.lo * self.scale} to {self.hi * self.scale} ({self})",
                received=f"{codes.min() * self.scale} to {codes.max() * self.scale}",
            )
        return codes.astype(np.int64)

    def to_values(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return ``codes * 2**-frac`` as float64, same shape; exact below 53 bits."""
        return np.asarray(codes, dtype=np.int64).astype(np.float64) * self.scale

    def __str__(self) -> str:
        return self.ap()


PIXEL = Fixed(width=8, frac=8, signed=False)
"""Format of a pixel: uint8 codes, values 0 to 255/256."""
CENTERED = Fixed(width=8, frac=8, signed=True)
"""Format of a pixel less 128: int8 codes."""


def pixel_codes(pixels: NDArray[np.uint8], fmt: Fixed) -> NDArray[np.integer]:
    """Return pixels, 0 to 255, as codes of ``fmt``, which has 8 bits: as they are, or less 128 where it is signed."""
    return (pixels.astype(np.int16) - 128).astype(np.int8) if fmt.signed else pixels
