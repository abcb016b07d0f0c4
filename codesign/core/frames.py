# SPDX-License-Identifier: Apache-2.0
"""Frames as the beats that a core takes and gives."""

from __future__ import annotations

import numpy as np

from codesign.core.compiler import Compiled
from codesign.fixed import IntArray
from codesign.graph.golden import check_frames


def pack_input(compiled: Compiled, frames: np.ndarray) -> IntArray:
    """Return frames of codes, ``[T, *shape]``, as beats ``[T, beats, quantisers]``; the last beat is filled with 0.

    Raises:
        FrameError: they are no frames of the network.
    """
    codes = check_frames(compiled.graph, frames)
    beats: IntArray = compiled.layouts[compiled.graph.source.name].spread(codes, compiled.program.config.quantisers)
    return beats


def unpack_output(compiled: Compiled, packets: np.ndarray) -> IntArray:
    """Return packets of the output, ``[T, beats, quantisers]``, as frames ``[T, *shape]``."""
    step, node = compiled.program.output, compiled.graph.output
    words = packets.reshape(len(packets), step.words, step.parts * compiled.program.config.quantisers)
    frames: IntArray = compiled.layouts[node.name].gather(words).reshape(len(packets), *compiled.shape)
    return frames
