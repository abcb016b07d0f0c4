# SPDX-License-Identifier: Apache-2.0
"""The stills of the report as pictures in the page: a frame in grey, and its changes in two colors on clear."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from codesign.report.model import Still

ROSE = (30, 132, 204, 255)
FELL = (220, 100, 10, 255)


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Return ``[H, W]`` grey or ``[H, W, 4]`` RGBA pixels as a ``data:image/png`` URI."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


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
