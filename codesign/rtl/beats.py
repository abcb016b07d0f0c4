# SPDX-License-Identifier: Apache-2.0
"""Codes as the bytes of AXI4-Stream beats, and back: lane 0 in the low bits, each lane in whole bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codesign.fixed import IntArray


def to_beats(codes: np.ndarray, lane_bits: int) -> NDArray[np.uint8]:
    """Return codes ``[M, lanes]`` as little-endian beats ``[M, bytes]``."""
    raw = np.ascontiguousarray(codes, dtype="<i8").view(np.uint8).reshape(*codes.shape, 8)
    return np.ascontiguousarray(raw[:, :, : lane_bits // 8].reshape(len(codes), -1))


def from_beats(beats: NDArray[np.uint8], lane_bits: int, *, signed: bool) -> IntArray:
    """Return little-endian beats ``[M, bytes]`` as codes ``[M, lanes]``."""
    lanes = beats.shape[1] * 8 // lane_bits
    raw = np.zeros((len(beats), lanes, 8), np.uint8)
    raw[:, :, : lane_bits // 8] = beats.reshape(len(beats), lanes, -1)
    wide = raw.view("<i8")[:, :, 0]
    if not signed:
        return wide.astype(np.int64)
    spare = 64 - lane_bits
    return (wide << spare) >> spare
