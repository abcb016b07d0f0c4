# SPDX-License-Identifier: Apache-2.0
"""The ``[model]`` and ``[training]`` sections of a design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codesign.errors import ConfigError


def _check(record: Any, section: str, limits: dict[str, tuple[float, float]]) -> None:
    for name, (low, high) in limits.items():
        value = getattr(record, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not low <= number <= high:
                raise ConfigError(
                    "out of range", where=f"{section}.{name}", expected=f"{low} to {high}", received=value
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A dense network: `DeltaActivation` as input quantiser, then `QDense` layers with one between each two.

    Attributes:
        hidden: outputs of each hidden layer.
        weight_bits: of a weight, sign included.
        weight_integer: integer bits of a weight, sign excluded (as in QKeras): weights in ``+-2**weight_integer``.
        bias_bits: of a bias, sign included.
        bias_integer: integer bits of a bias, sign excluded.
        input_bits: of an input code; the step is ``2**-input_bits``, so codes span the pixels' range.
        input_hold_steps: hold of the input quantiser in steps; 0 for memoryless.
        activation_bits: of a hidden activation's code.
        activation_step_log2: log2 of a hidden activation's step.
        hold_steps: hold of the hidden activations in steps; 0 for memoryless.
    """

    hidden: tuple[int, ...] = (64, 32)
    weight_bits: int = 6
    weight_integer: int = 0
    bias_bits: int = 12
    bias_integer: int = 3
    input_bits: int = 4
    input_hold_steps: float = 1.0
    activation_bits: int = 6
    activation_step_log2: int = -3
    hold_steps: float = 0.0

    def __post_init__(self) -> None:
        _check(
            self,
            "model",
            {
                "hidden": (1, 4096),
                "weight_bits": (2, 16),
                "weight_integer": (-8, 8),
                "bias_bits": (2, 24),
                "bias_integer": (-8, 16),
                "input_bits": (1, 8),
                "activation_bits": (1, 16),
                "activation_step_log2": (-16, 8),
            },
        )
        for name in ("input_hold_steps", "hold_steps"):
            hold = getattr(self, name)
            if hold != 0 and not 0.5 <= hold <= 64:
                raise ConfigError("out of range", where=f"model.{name}", expected="0, or 0.5 to 64", received=hold)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Three phases on the same weights: float, quantised, quantised with the temporal-sparsity loss.

    Attributes:
        float_epochs: of the float network.
        quantized_epochs: of the quantised delta network without sparsity loss.
        delta_epochs: of the refinement with it.
        batch_size: clips in a step.
        learning_rate: at the start of the float phase; each phase falls to 0 along a cosine.
        refine_rate: at the start of the other two phases.
        sparsity: factor of the temporal-sparsity loss.
    """

    float_epochs: int = 6
    quantized_epochs: int = 4
    delta_epochs: int = 6
    batch_size: int = 32
    learning_rate: float = 3e-3
    refine_rate: float = 1e-3
    sparsity: float = 100.0

    def __post_init__(self) -> None:
        epochs = (1.0, 10_000.0)
        _check(
            self,
            "training",
            {
                "float_epochs": epochs,
                "quantized_epochs": epochs,
                "delta_epochs": epochs,
                "batch_size": (1, 65536),
                "learning_rate": (1e-8, 10),
                "refine_rate": (1e-8, 10),
                "sparsity": (0, 1e6),
            },
        )
