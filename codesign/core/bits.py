# SPDX-License-Identifier: Apache-2.0
"""Numbers of any width in 32-bit words, the lowest bits first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codesign.core.config import words_of
from codesign.fixed import IntArray

Words = NDArray[np.uint32]


def pack(values: np.ndarray, bits: int) -> Words:
    """Return numbers ``[N, K]`` of ``bits`` bits each as ``[N, words]``; each row is padded to whole words."""
    count, each = values.shape
    if bits in (8, 16, 32, 64):
        raw = np.ascontiguousarray(values.astype(f"<i{bits // 8}")).view(np.uint8).reshape(count, each * bits // 8)
    else:
        wide = values.astype(np.int64)[:, :, None] >> np.arange(bits) & 1
        raw = np.packbits(wide.astype(np.uint8).reshape(count, each * bits), axis=1, bitorder="little")
    padded = np.zeros((count, 4 * words_of(each * bits)), np.uint8)
    padded[:, : raw.shape[1]] = raw
    return padded.view("<u4").astype(np.uint32)


def unpack(words: Words, bits: int, each: int) -> IntArray:
    """Return the signed numbers ``[N, each]`` that `pack` packed, from ``[N, words]``."""
    raw = np.ascontiguousarray(words.astype("<u4")).view(np.uint8).reshape(len(words), -1)
    if bits in (8, 16, 32, 64):
        return raw[:, : each * bits // 8].copy().view(f"<i{bits // 8}").astype(np.int64)
    single = np.unpackbits(raw, axis=1, bitorder="little", count=each * bits).reshape(len(words), each, bits)
    weights = np.int64(1) << np.arange(bits, dtype=np.int64)
    weights[-1] = -weights[-1]
    result: IntArray = single.astype(np.int64) @ weights
    return result


def number_words(number: int, count: int) -> list[int]:
    """Return a number as ``count`` 32-bit words, the lowest first."""
    return [number >> 32 * at & 0xFFFFFFFF for at in range(count)]


def words_number(words: Words) -> int:
    """Return the number that `number_words` made words of."""
    return int.from_bytes(words.astype("<u4").tobytes(), "little")
