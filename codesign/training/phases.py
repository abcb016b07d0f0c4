# SPDX-License-Identifier: Apache-2.0
"""The phases of a training: which network each one trains, how long, and with which sparsity loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from codesign.errors import ConfigError
from codesign.layers import SparsityLoss, Target, WarmUp
from codesign.training.config import LOSSES, ModelConfig, TrainingConfig
from codesign.training.network import Stateless


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One network to train, from the weights of the phase before.

    Attributes:
        name: name of the phase, and of its figures in the results.
        epochs: most epochs; 0 only evaluates.
        rate: learning rate at its start.
        model: the network's configuration.
        quantized: the delta network; otherwise the float one.
        stateless: activations whose readers are computed anew in every frame.
        loss: loss on what travels; None for none.
        warmup: epochs at the start in which the loss grows; none of them can be the best one.
        schedule: makes the callbacks that move the factor of the loss, anew for each epoch.
        frames: frames of the clips to train on, cut from those of the data; None for those themselves.
        piece: train on one of the clips that each is cut into, drawn anew in each epoch, instead of all.
    """

    name: str
    epochs: int
    rate: float
    model: ModelConfig
    quantized: bool = True
    stateless: Stateless = "none"
    loss: SparsityLoss | None = None
    warmup: int = 0
    schedule: Callable[[], list[Any]] = list
    frames: int | None = None
    piece: bool = False


def phases_of(model: ModelConfig, training: TrainingConfig) -> tuple[Phase, ...]:
    """Return the phases: ``float``, ``quantized``, for method ``hold`` one more, ``delta``: the network that is saved.

    With ``short_epochs`` a phase on short clips follows the refinement, which is then called ``long``. Steps and
    holds are trained from the refinement on, so that what is compared has one origin.

    Raises:
        ConfigError: method ``hold`` without a hold in ``model``.
    """
    method = training.method
    stateless: Stateless = {"dense": "all", "spatial": "all", "input_delta": "hidden"}.get(method, "none")  # type: ignore[assignment]
    plain = replace(model, activation_step="fixed", train_hold=False)
    unheld = {name: replace(layer, hold_steps=None) for name, layer in model.layer.items()}
    if method in ("dense", "spatial", "hold"):
        plain = replace(plain, input_hold_steps=0.0, hold_steps=0.0, layer=unheld)
    elif method == "input_delta":
        plain = replace(plain, hold_steps=0.0, layer=unheld)
    refine = training.refine_rate
    first = (
        Phase(
            name="float",
            epochs=training.float_epochs,
            rate=training.learning_rate,
            model=plain,
            quantized=False,
            frames=training.float_frames or None,
            piece=bool(training.float_frames),
        ),
        Phase(name="quantized", epochs=training.quantized_epochs, rate=refine, model=plain, stateless=stateless),
    )
    if method == "hold":
        if not model.input_hold_steps and not model.hold_steps:
            raise ConfigError(
                "there is no hold to apply",
                where="training.method",
                expected="model.input_hold_steps or model.hold_steps above 0",
                received="'hold' with neither",
            )
        held = replace(model, activation_step="fixed", train_hold=False)
        return (
            *first,
            *_refine(Phase(name="refined", epochs=training.delta_epochs, rate=refine, model=plain), training),
            Phase(name="delta", epochs=0, rate=refine, model=held),
        )
    last = Phase(
        name="delta",
        epochs=training.delta_epochs,
        rate=refine,
        model=model if method == "delta" else replace(plain, activation_step=model.activation_step),
        stateless=stateless,
        loss=_loss(training),
        warmup=training.warmup_epochs,
        schedule=partial(_schedule, training),
    )
    return (*first, *_refine(last, training))


def _refine(phase: Phase, training: TrainingConfig) -> tuple[Phase, ...]:
    """Return the refinement ``phase``, and before it the one on whole clips if it shall be on short ones."""
    if not training.short_epochs:
        return (phase,)
    short = replace(phase, epochs=training.short_epochs, frames=training.short_frames, warmup=0)
    warmed = replace(training, warmup_epochs=0)
    return replace(phase, name="long"), replace(short, schedule=partial(_schedule, warmed) if phase.loss else list)


def _loss(training: TrainingConfig) -> SparsityLoss | None:
    if not training.sparsity or training.method not in LOSSES:
        return None
    of = "spatial" if training.method == "spatial" else "temporal"
    return SparsityLoss(training.sparsity, of=of, weights=training.weights)  # type: ignore[arg-type]


def _schedule(training: TrainingConfig) -> list[Any]:
    if training.warmup_epochs:
        return [WarmUp(training.warmup_epochs)]
    if training.target_operation_sparsity:
        return [Target(operation_sparsity=training.target_operation_sparsity)]
    return [Target(cycles_per_frame=training.target_cycles)] if training.target_cycles else []
