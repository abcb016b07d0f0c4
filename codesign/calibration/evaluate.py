# SPDX-License-Identifier: Apache-2.0
"""A calibrated network on clips, beside the float model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.calibration.agreement import TOLERANCE, FloatAgreement, Judge, decides, is_binary
from codesign.calibration.forward import Forward
from codesign.fixed import pixel_codes
from codesign.layers.activation import input_format

BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What a network did on clips.

    Attributes:
        agreement: with the float model.
        operation_sparsity: share of the multiply-accumulates that is skipped, first frames left out.
        outputs: of the network, ``[N, T, ...]``.
        float_outputs: of the float model.
    """

    agreement: FloatAgreement
    operation_sparsity: float
    outputs: NDArray[np.float32]
    float_outputs: NDArray[np.float32]


def evaluate(
    model: Any,
    network: Any,
    clips: NDArray[np.uint8],
    *,
    input_range: tuple[float, float],
    tolerance: float = TOLERANCE,
) -> Evaluation:
    """Return what ``network`` does on ``clips`` of pixels, ``[N, T >= 2, *frame]``, beside the float ``model``."""
    wanted = float_outputs(model, clips, input_range)
    forward = Forward(network, pixel_values(network, clips))
    result = forward.run()
    judge = Judge(wanted=wanted, decides=decides(model), tolerance=tolerance)
    return Evaluation(
        agreement=judge.judge(result.outputs),
        operation_sparsity=1 - result.work / forward.total,
        outputs=result.outputs,
        float_outputs=wanted,
    )


def float_outputs(model: Any, clips: NDArray[np.uint8], input_range: tuple[float, float]) -> NDArray[np.float32]:
    """Return the outputs of a float model on pixels, ``[N, T, ...]``; two of one that `is_binary`."""
    low, high = input_range
    frames = clips.reshape(-1, *clips.shape[2:])
    parts = [
        np.asarray(model.predict_on_batch((low + (high - low) / 255 * frames[at : at + BATCH]).astype(np.float32)))
        for at in range(0, len(frames), BATCH)
    ]
    outputs = np.concatenate(parts).astype(np.float32)
    if is_binary(model):
        outputs = np.concatenate([1 - outputs, outputs], axis=-1)
    return outputs.reshape(*clips.shape[:2], *outputs.shape[1:])


def pixel_values(network: Any, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pixels as the values that a network reads that `codesign.layers.delta` made with ``input_range``."""
    fmt = input_format(network)
    return fmt.to_values(pixel_codes(clips, fmt)).astype(np.float32)
