# SPDX-License-Identifier: Apache-2.0
"""Codes as the bytes of AXI4-Stream beats, and back: lane 0 in the low bits, each lane in whole bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray


def to_beats(codes: np.ndarray, lane_bits: int) -> NDArray[np.uint8]:
    """Return codes ``[M, lanes]`` as little-endian beats ``[M, bytes]``."""
    raw = np.ascontiguousarray(codes, dtype="<i8").view(np.uint8).reshape(*codes.shape, 8)
    size = lane_bits // 8
    return np.ascontiguousarray(raw[:, :, :size].reshape(len(codes), codes.shape[1] * size))


def from_beats(beats: NDArray[np.uint8], lane_bits: int, *, signed: bool) -> IntArray:
    """Return little-endian beats ``[M, bytes]`` as codes ``[M, lanes]``."""
    size = lane_bits // 8
    lanes = beats.shape[1] // size
    raw = np.zeros((len(beats), lanes, 8), np.uint8)
    raw[:, :, :size] = beats.reshape(len(beats), lanes, size)
    wide = raw.view("<i8")[:, :, 0]
    if not signed:
        return wide.astype(np.int64)
    spare = 64 - lane_bits
    return (wide << spare) >> spare
