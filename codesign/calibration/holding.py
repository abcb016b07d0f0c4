# SPDX-License-Identifier: Apache-2.0
"""Send-on-delta of one activation on clips, in NumPy: what is sent, and what that changes in the answer.

The rule is that of `codesign.layers.surrogate.send`, bit for bit. In NumPy nothing is compiled for each shape, and a
frame of a few clips stays in the caches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signal:
    """What an activation is given on clips.

    Attributes:
        active: values after the activation function, ``[N, T, P, C]``, P positions.
        codes: the same, rounded and clipped.
    """

    active: Floats
    codes: Floats

    def sent(self, thresholds: Floats) -> Floats:
        """Return what is sent, ``[N, T, P, C]``, with the ``thresholds`` of the channels, ``[C]``."""
        sent = self.codes.copy()
        reference = np.zeros_like(sent[:, 0])
        for t in range(sent.shape[1]):
            np.copyto(sent[:, t], reference, where=np.abs(self.active[:, t] - reference) < thresholds)
            reference = sent[:, t]
        return sent

    def off(self, sent: Floats, slopes: Floats) -> Floats:
        """Return by how much ``sent`` changes the answer, to first order, frame by frame and channel: ``[N, T, C]``.

        Args:
            sent: what is sent, ``[N, T, P, C]``.
            slopes: derivative of the answer by each value, ``[N, T, P, C]``.
        """
        return np.asarray(np.einsum("ntpc,ntpc->ntc", sent - self.active, slopes))


def changes(sent: Floats) -> NDArray[np.int64]:
    """Return how often each element of a frame changes on clips ``[N, T, ...]``, without the first frame of each."""
    return np.asarray(np.count_nonzero(sent[:, 1:] != sent[:, :-1], axis=(0, 1)))
