# SPDX-License-Identifier: Apache-2.0
"""The training loop: phases, epochs, checkpoints, exact evaluation."""

from __future__ import annotations

import importlib.util
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from codesign.data.clips import ClipDataset, ClipSource
from codesign.errors import ConfigError
from codesign.fixed import PIXEL, Fixed
from codesign.layers import Engines, over_time
from codesign.layers.activation import input_format
from codesign.training.config import ModelConfig, TrainingConfig
from codesign.training.evaluate import evaluate
from codesign.training.feed import Feed, errors_of
from codesign.training.network import build_network
from codesign.training.phases import Phase, phases_of
from codesign.training.shared import Shared
from codesign.training.state import State, hand_over

if TYPE_CHECKING:
    from codesign.training.pretrained import Pretrained

BOARDS = "tensorboard"
"""Folder of the TensorBoard logs, beside the checkpoint; one folder per phase in it."""
MOMENTUM = 0.9
"""Momentum of ``sgd``; as in Yousefzadeh & Sifalakis 2021."""


class Progress(Protocol):
    """Something that shows how far training is."""

    def __call__(self, fraction: float, text: str) -> None:
        """Show ``fraction`` (0 to 1) and a few words."""


class Trainer:
    """Trains one configuration; see `codesign.training.train`.

    Raises:
        ConfigError: the data, the devices or what is installed do not allow what the configuration asks for.
    """

    def __init__(
        self,
        dataset: ClipDataset[ClipSource],
        model: ModelConfig,
        training: TrainingConfig,
        seed: int,
        *,
        checkpoint: Path,
        key: str,
        engines: Engines | None = None,
        shared: Path | None = None,
        data_key: str = "",
        pretrained: type[Pretrained] | None = None,
    ) -> None:
        self.dataset, self.model, self.training, self.seed = dataset, model, training, seed
        self.checkpoint, self.key = checkpoint, key
        self.progress: Progress | None = None
        self.strategy = find_strategy(training.devices)
        self.devices: int = self.strategy.num_replicas_in_sync
        self.engines = engines
        self.phases = phases_of(model, training)
        origin = (data_key, seed)
        self.shared = shared and Shared(
            folder=shared, phases=self.phases, training=training, engines=engines, origin=origin
        )
        self._check()
        self.pretrained = pretrained(model, dataset, seed) if pretrained else None
        self.float_weights: list[np.ndarray] = []
        self.fmt = PIXEL

    def _check(self) -> None:
        training = self.training
        if training.batch_size % self.devices:
            raise ConfigError(
                "devices share a batch evenly",
                where="training.batch_size",
                expected=f"a multiple of {self.devices} devices",
                received=training.batch_size,
            )
        if training.early_stop and not len(self.dataset.val):
            raise ConfigError(
                "there is nothing to validate with",
                where="training.early_stop",
                expected="clips in the validation split",
                received="none",
                fix="set data.val or data.val_share above 0, or training.early_stop to 0",
            )
        training.check_frames(self.dataset.shape[0])
        if training.tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise ConfigError(
                "TensorBoard is not installed",
                where="training.tensorboard",
                fix="pip install 'delta-codesign[tensorboard]', or set it to false",
            )

    def network(self, phase: Phase) -> Any:
        """Return the frame model of ``phase``, not trained in it yet."""
        if self.pretrained:
            return self.pretrained.network(phase, self.float_weights)
        shape, classes = self.dataset.shape[1:], len(self.dataset.classes)
        return build_network(
            phase.model, shape, classes, quantized=phase.quantized, stateless=phase.stateless, seed=self.seed
        )

    def run(self, after_epoch: Callable[[State], None]) -> State:
        """Go through what is left of the phases and return the final state."""
        state = State.load(self.checkpoint, self.key)
        if state is None:
            state = State(weights=self.network(self.phases[0]).get_weights())
            shutil.rmtree(self._boards, ignore_errors=True)
        self.float_weights = state.float_weights
        after_epoch(state)
        while state.phase < len(self.phases):
            self._phase(self.phases[state.phase], state, after_epoch)
        return state

    def _phase(self, phase: Phase, state: State, after_epoch: Callable[[State], None]) -> None:
        kept = None if state.epoch or not self.shared else self.shared.load(state.phase)
        with self.strategy.scope():
            network = self.network(phase)
        self.fmt = self._format(network, phase)
        if kept is None:
            before = len(state.log) - state.epoch
            self._fit(network, phase, state, after_epoch)
            log = state.log[before:]
        else:
            network.set_weights(kept.weights)
            state.log += [{"phase": phase.name, **line} for line in kept.log]
        figures = kept.results["figures"] if kept else {}
        last = phase is self.phases[-1]
        if not figures and (last or not self.shared or not phase.quantized):
            figures = evaluate(
                network,
                self.dataset.test,
                deltas=phase.quantized,
                engines=self._engines(phase),
                fmt=self.fmt,
                by_class=last,
            )
        if self.shared and kept is None and phase.epochs:
            self.shared.save(state.phase, network.get_weights(), log, {} if phase.quantized else figures)
        state.results[phase.name] = figures
        state.phase, state.epoch, state.others, state.optimizer, state.best = state.phase + 1, 0, [], [], []
        state.weights = network.get_weights()
        if state.phase < len(self.phases):
            state.weights = self._handed_over(network, phase, state)
        state.save(self.checkpoint, self.key)

    def _fit(self, network: Any, phase: Phase, state: State, after_epoch: Callable[[State], None]) -> None:
        """Train the network of a phase, from where ``state`` is in it."""
        with self.strategy.scope():
            clips = over_time(
                network,
                phase.frames or self.dataset.shape[0],
                "mean",
                sparsity=phase.loss or 0.0,
                engines=self._engines(phase),
            )
            optimizer = self._compile(clips, phase)
        network.set_weights(state.weights)
        own = {id(weight) for weight in network.weights}
        others = [weight for weight in clips.weights if id(weight) not in own]
        _restore(others, state.others)
        _restore(optimizer.variables, state.optimizer)
        while state.epoch < phase.epochs and not self._stalled(phase, state):
            logs = self._epoch(clips, phase, state)
            state.epoch += 1
            state.log.append({"phase": phase.name, "epoch": state.epoch, **logs})
            state.weights = network.get_weights()
            state.others, state.optimizer = _values(others), _values(optimizer.variables)
            if self.training.early_stop and self._epochs_since_best(phase, state) == 0:
                state.best = state.weights
            state.save(self.checkpoint, self.key)
            after_epoch(state)
        if state.best:
            network.set_weights(state.best)

    def _format(self, network: Any, phase: Phase) -> Fixed:
        """Return the format of the pixels that the network of ``phase`` reads."""
        if phase.quantized or not self.pretrained:
            return input_format(network)
        return self.pretrained.fmt

    def _handed_over(self, network: Any, phase: Phase, state: State) -> list[np.ndarray]:
        """Return the weights that the next phase starts with: those of ``phase``, or what is made of them."""
        if self.pretrained and not phase.quantized:
            self.float_weights = state.float_weights = state.weights
            made: list[np.ndarray] = self.network(self.phases[state.phase]).get_weights()
            return made
        return hand_over(network, self.network(self.phases[state.phase]))

    def _compile(self, clips: Any, phase: Phase) -> Any:
        steps = max(1, phase.epochs) * self._steps()
        rate = keras.optimizers.schedules.CosineDecay(phase.rate, steps)
        adam = self.training.optimizer == "adam"
        optimizer = keras.optimizers.Adam(rate) if adam else keras.optimizers.SGD(rate, momentum=MOMENTUM)
        optimizer.build(clips.trainable_variables)
        clips.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        return optimizer

    def _steps(self) -> int:
        return math.ceil(len(self.dataset.train) / self.training.batch_size)

    def _epoch(self, clips: Any, phase: Phase, state: State) -> dict[str, float]:
        """Train one epoch, in an order that only the seed, phase and epoch decide; return its figures."""
        draw = (state.phase, state.epoch)
        options: dict[str, Any] = {"devices": self.devices, "frames": phase.frames, "fmt": self.fmt}
        order = np.random.default_rng((self.seed, *draw)).permutation(len(self.dataset.train))
        piece = (self.seed, *draw) if phase.piece else None
        train = Feed(self.dataset.train, order, self.training.batch_size, draw=draw, piece=piece, **options)
        val = Feed(self.dataset.val, **options)
        with errors_of(train, val):
            history = clips.fit(
                train.dataset(),
                initial_epoch=state.epoch,
                epochs=state.epoch + 1,
                shuffle=False,
                verbose=0,
                validation_data=val.dataset() if len(val) else None,
                callbacks=self._callbacks(phase, state),
            ).history
        return {name: float(values[-1]) for name, values in sorted(history.items())}

    def _callbacks(self, phase: Phase, state: State) -> list[Any]:
        """Return what watches an epoch."""
        watching: list[Any] = [*([_Bar(self, phase, state)] if self.progress else []), *phase.schedule()]
        if self.training.tensorboard:
            watching.append(keras.callbacks.TensorBoard(str(self._boards / phase.name), write_graph=False))
        return watching

    def _engines(self, phase: Phase) -> Engines | None:
        return self.engines if phase.quantized else None

    @property
    def _boards(self) -> Path:
        return self.checkpoint.with_name(BOARDS)

    def _stalled(self, phase: Phase, state: State) -> bool:
        """Return whether a phase is over before its last epoch."""
        patience = self.training.early_stop
        return 0 < patience <= self._epochs_since_best(phase, state)

    def _epochs_since_best(self, phase: Phase, state: State) -> int:
        """Return how many epochs ago the validation figure of a phase was best; 0 before the first epoch that counts.

        Those of a warm-up do not count: as the loss on changes grows so does the figure with it in it, and the first
        epoch, with no sparsity yet, would be the best.
        """
        sign = -1 if self.training.early_stop_on == "val_accuracy" else 1
        lines = [line for line in state.log if line["phase"] == phase.name and line["epoch"] > phase.warmup]
        costs = [sign * line[self.training.early_stop_on] for line in lines]
        costs = [math.inf if math.isnan(cost) else cost for cost in costs]
        return len(costs) - 1 - costs.index(min(costs)) if costs else 0


def find_strategy(devices: int) -> Any:
    """Return the TensorFlow strategy that shares every batch evenly between devices of this machine.

    Each device has a copy of the network, and their gradients are averaged: data parallelism. Keras has
    `keras.distribution.DataParallel` for this, which with TensorFlow distributes nothing, so this is
    `tf.distribute.MirroredStrategy`, which Keras supports.

    Args:
        devices: how many; 0 for every GPU, or the processor if there is none. Processors count if there is no GPU.

    Raises:
        ConfigError: there are fewer.
    """
    found = tf.config.list_logical_devices("GPU")
    wanted = devices or max(1, len(found))
    found = found or tf.config.list_logical_devices("CPU")
    if wanted > len(found):
        raise ConfigError(
            "there are fewer devices",
            where="training.devices",
            expected=f"at most {len(found)}: {', '.join(device.name for device in found)}",
            received=devices,
            fix="set it to 0, which takes every GPU there is",
        )
    if wanted == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in found[:wanted]])


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


def _restore(variables: list[Any], values: list[np.ndarray]) -> None:
    """Give variables their saved values; at the start of a phase there are none."""
    if values:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


class _Bar(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports a trainer's progress after every step."""

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
