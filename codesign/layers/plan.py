# SPDX-License-Identifier: Apache-2.0
"""What `codesign.layers.delta` was asked for, and what it knows of each tensor while it builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codesign.fixed import Fixed
from codesign.layers.weights import WeightStep


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments of `delta` that hold for the whole network."""

    weight_bits: int
    weight_step: WeightStep
    activation_bits: int
    input_bits: int
    step: str
    per: str
    step_rate: float
    hold: float | None
    input_hold: float | None
    train_hold: bool
    pixels: Fixed | None  # format in which they enter; None: no pixels
    divided: Mapping[str, int]  # by the name of a mean: it is the sum over 2 to this


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of a tensor.

    Attributes:
        maker: name of the layer that made it.
        signed: it can be negative.
        unit: value of one code; None if it is not made of codes.
        most: largest magnitude of its codes; 0 if it is not made of codes.
        bits: bits of the sums that it is made of; 0 if it is made of codes, or they are not known.
        scale: the tensor of the folded model is this many times it, as the divisor of a mean is still to come.
    """

    maker: str
    signed: bool
    unit: float | None = None
    scale: float = 1.0
    most: float = 0.0
    bits: int = 0
