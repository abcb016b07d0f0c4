# SPDX-License-Identifier: Apache-2.0
"""`Shared`: networks that several trainings go through alike, each trained by the first one that needs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codesign.layers import Engines
from codesign.training.config import TrainingConfig
from codesign.training.phases import Phase
from codesign.training.state import State

FLOAT = ("blocks", "hidden", "path", "head", "input_range")
"""Keys of `ModelConfig` that a float network follows from."""
FITTED = ("batch_size", "optimizer", "early_stop", "early_stop_on", "devices")
"""Keys of `TrainingConfig` that every phase follows from."""
LOSS = ("warmup_epochs", "target_operation_sparsity", "target_cycles")
"""Those that a phase with a sparsity loss follows from, too."""
LOGGED = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
"""Figures of an epoch that do not depend on what a method counts as skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A folder of trained networks, named by all that they follow from: data, seed and every phase up to theirs.

    Which layers are computed anew (`Phase.stateless`) decides what is counted, and nothing else where there is no
    sparsity loss; so the same network may be the quantised one of several methods, or the refined one.

    Attributes:
        folder: made when the first network is kept.
        phases: phases of a training.
        training: its configuration.
        engines: engines that its loss may weigh layers by.
        origin: what else its networks follow from: data, sources, seed.
    """

    folder: Path
    phases: tuple[Phase, ...]
    training: TrainingConfig
    engines: Engines | None
    origin: Sequence[Any]

    def load(self, place: int) -> State | None:
        """Return weights, log and figures of the network of phase ``place`` if another training has finished it."""
        path = self._path(place)
        return State.load(path, path.stem)

    def save(self, place: int, weights: list[np.ndarray], log: list[dict[str, Any]], figures: dict[str, Any]) -> None:
        """Keep the network of phase ``place``, as it is before it becomes the one of the next phase.

        Args:
            place: index of the phase.
            weights: its weights.
            log: lines of its epochs; what a method counts in a delta network is left out.
            figures: its figures on the test clips; none if they depend on what is counted.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        hidden = {"phase"} | {
            name for line in log for name in line if name not in LOGGED and self.phases[place].quantized
        }
        lines = [{name: figure for name, figure in line.items() if name not in hidden} for line in log]
        path = self._path(place)
        State(weights=weights, log=lines, results={"figures": figures}).save(path, path.stem)

    def _path(self, place: int) -> Path:
        common = [getattr(self.training, name) for name in FITTED]
        parts = [self.origin, common, *map(self._parts, self.phases[: place + 1])]
        digest = hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
        return self.folder / f"{'network' if place else 'float'}_{digest[:16]}.npz"

    def _parts(self, phase: Phase) -> list[Any]:
        """Return all that the training of a phase follows from."""
        model = asdict(phase.model)
        shape = model if phase.quantized else {name: model[name] for name in FLOAT}
        parts: list[Any] = [phase.epochs, phase.rate, phase.frames, phase.piece, phase.quantized, shape]
        if phase.loss:
            schedule = [getattr(self.training, name) for name in LOSS]
            engines = self.engines and asdict(self.engines)
            parts += [asdict(phase.loss), phase.warmup, schedule, phase.stateless, engines]
        return parts
