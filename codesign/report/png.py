# SPDX-License-Identifier: Apache-2.0
"""Tiny PNG writer for the stills of the report: a frame in grey, and its changes in two colours on clear."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from codesign.report.model import Still

ROSE = (30, 132, 204, 255)
FELL = (220, 100, 10, 255)


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return ``[H, W]`` grey or ``[H, W, 4]`` RGBA pixels as a ``data:image/png`` URI."""
    height, width = pixels.shape[:2]
    color = 0 if pixels.ndim == 2 else 6
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels))
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def frame_image(still: Still) -> str:
    """Return the frame as a grey picture."""
    return data_uri(np.asarray(still.codes, dtype=np.uint8).reshape(still.height, still.width))


def change_image(still: Still) -> str:
    """Return the changes: blue where a code rose, orange where it fell, clear where nothing is sent."""
    changes = np.asarray(still.changes).reshape(still.height, still.width)
    pixels = np.zeros((still.height, still.width, 4), dtype=np.uint8)
    pixels[changes > 0] = ROSE
    pixels[changes < 0] = FELL
    return data_uri(pixels)
