# SPDX-License-Identifier: Apache-2.0
"""The training loop: phases, epochs, checkpoints, exact evaluation."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from codesign.data.clips import ClipDataset, Clips
from codesign.layers import over_time
from codesign.layers.stream import float64, in_float64
from codesign.training.config import ModelConfig, TrainingConfig
from codesign.training.network import build_network

TEST_BATCH = 250
"""Clips evaluated at once."""


class Progress(Protocol):
    """Something that shows how far training is."""

    def __call__(self, fraction: float, text: str) -> None:
        """Show ``fraction`` (0 to 1) and a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One network to train, from the weights of the phase before."""

    name: str
    epochs: int
    rate: float
    sparsity: float = 0.0

    @property
    def quantised(self) -> bool:
        """False for the float network only."""
        return self.name != "float"


@dataclass(slots=True, kw_only=True)
class State:
    """Where training is; what a checkpoint holds.

    Attributes:
        phase: index of the current phase.
        epoch: epochs done in it.
        weights: of the network.
        optimizer: its variables; empty at the start of a phase.
        log: one line for every epoch done.
        results: figures of every phase done.
    """

    weights: list[np.ndarray]
    phase: int = 0
    epoch: int = 0
    optimizer: list[np.ndarray] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def save(self, path: Path, key: str) -> None:
        """Write the state so that an interruption at any time leaves a whole file."""
        meta = {name: getattr(self, name) for name in ("phase", "epoch", "log", "results")} | {"key": key}
        arrays: dict[str, Any] = {f"weight{i}": array for i, array in enumerate(self.weights)}
        arrays |= {f"optimizer{i}": array for i, array in enumerate(self.optimizer)}
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez(file, meta=np.array(json.dumps(meta)), **arrays)
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path, key: str) -> State | None:
        """Return the state saved at ``path`` with the same ``key``; None if there is none or it is damaged."""
        try:
            with np.load(path) as data:
                meta = json.loads(str(data["meta"]))
                if meta.pop("key") != key:
                    return None
                arrays = {
                    kind: [data[f"{kind}{i}"] for i in range(sum(name.startswith(kind) for name in data.files))]
                    for kind in ("weight", "optimizer")
                }
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        return cls(weights=arrays["weight"], optimizer=arrays["optimizer"], **meta)


class Trainer:
    """Trains one configuration; see `codesign.training.train`."""

    def __init__(
        self,
        dataset: ClipDataset,
        model: ModelConfig,
        training: TrainingConfig,
        seed: int,
        *,
        checkpoint: Path,
        key: str,
    ) -> None:
        self.dataset, self.model, self.training, self.seed = dataset, model, training, seed
        self.checkpoint, self.key = checkpoint, key
        self.progress: Progress | None = None
        self.phases = (
            Phase(name="float", epochs=training.float_epochs, rate=training.learning_rate),
            Phase(name="quantized", epochs=training.quantized_epochs, rate=training.refine_rate),
            Phase(name="delta", epochs=training.delta_epochs, rate=training.refine_rate, sparsity=training.sparsity),
        )

    def network(self, *, quantised: bool) -> Any:
        """Return an untrained frame model."""
        shape, classes = self.dataset.shape[1:], len(self.dataset.classes)
        return build_network(self.model, shape, classes, quantised=quantised, seed=self.seed)

    def run(self, after_epoch: Callable[[State], None]) -> State:
        """Go through what is left of the phases and return the final state."""
        state = State.load(self.checkpoint, self.key)
        if state is None:
            state = State(weights=self.network(quantised=False).get_weights())
        after_epoch(state)
        while state.phase < len(self.phases):
            self._phase(self.phases[state.phase], state, after_epoch)
        return state

    def _phase(self, phase: Phase, state: State, after_epoch: Callable[[State], None]) -> None:
        network = self.network(quantised=phase.quantised)
        network.set_weights(state.weights)
        clips = over_time(network, self.dataset.shape[0], "mean", sparsity=phase.sparsity)
        optimizer = self._compile(clips, phase)
        for variable, value in zip(optimizer.variables, state.optimizer, strict=False):
            variable.assign(value)
        while state.epoch < phase.epochs:
            logs = self._epoch(clips, phase, state)
            state.epoch += 1
            state.log.append({"phase": phase.name, "epoch": state.epoch, **logs})
            state.weights = network.get_weights()
            state.optimizer = [variable.numpy() for variable in optimizer.variables]
            state.save(self.checkpoint, self.key)
            after_epoch(state)
        state.results[phase.name] = evaluate(network, self.dataset.test, deltas=phase.quantised)
        state.phase, state.epoch, state.optimizer = state.phase + 1, 0, []
        state.save(self.checkpoint, self.key)

    def _compile(self, clips: Any, phase: Phase) -> Any:
        steps = phase.epochs * self._steps()
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(phase.rate, steps))
        optimizer.build(clips.trainable_variables)
        clips.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        return optimizer

    def _steps(self) -> int:
        return math.ceil(len(self.dataset.train) / self.training.batch_size)

    def _epoch(self, clips: Any, phase: Phase, state: State) -> dict[str, float]:
        """Train one epoch, in an order that only the seed, phase and epoch decide; return its figures."""
        train, val = self.dataset.train, self.dataset.val
        order = np.random.default_rng((self.seed, state.phase, state.epoch)).permutation(len(train))
        history = clips.fit(
            train.values()[order],
            train.labels[order],
            batch_size=self.training.batch_size,
            shuffle=False,
            verbose=0,
            validation_data=(val.values(), val.labels) if len(val) else None,
            validation_batch_size=TEST_BATCH,
            callbacks=[_Bar(self, phase, state)] if self.progress else [],
        ).history
        return {name: float(values[-1]) for name, values in sorted(history.items())}


class _Bar(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells a trainer's progress after every step."""

    def __init__(self, trainer: Trainer, phase: Phase, state: State) -> None:
        super().__init__()
        self.done = sum(before.epochs for before in trainer.phases[: state.phase]) + state.epoch
        self.total = sum(each.epochs for each in trainer.phases)
        self.steps, self.show = trainer._steps(), trainer.progress
        self.text = f"{phase.name} network, epoch {state.epoch + 1}/{phase.epochs}"

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Show the fraction of all epochs."""
        accuracy = f", accuracy {logs['accuracy']:.3f}" if logs and "accuracy" in logs else ""
        if self.show:
            self.show((self.done + (batch + 1) / self.steps) / self.total, self.text + accuracy)


def evaluate(network: Any, clips: Clips, *, deltas: bool = True) -> dict[str, Any]:
    """Return ``accuracy`` of a frame model on ``clips``, exact: in float64, head 'mean'.

    With ``deltas`` also ``operation_sparsity`` and ``density`` by linear layer.
    """
    with float64():
        model = over_time(in_float64(network), clips.frames.shape[1], "mean")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(loss=loss, metrics=["accuracy"])
        logs = model.evaluate(clips.values(), clips.labels, batch_size=TEST_BATCH, verbose=0, return_dict=True)
    figures: dict[str, Any] = {"accuracy": float(logs["accuracy"])}
    if deltas:
        figures["operation_sparsity"] = float(logs["operation_sparsity"])
        density = {name.removeprefix("density/"): float(v) for name, v in logs.items() if name.startswith("density/")}
        figures["density"] = density
    return figures
