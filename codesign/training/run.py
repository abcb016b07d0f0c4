# SPDX-License-Identifier: Apache-2.0
"""`train`: from a configuration to a trained frame model in a folder; goes on where an interrupted run stopped."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codesign.data.config import DataConfig
from codesign.errors import ConfigError
from codesign.training.config import MODEL, RESULTS, ModelConfig, TrainingConfig

if TYPE_CHECKING:
    from codesign.layers import Engines
    from codesign.training.pretrained import Pretrained
    from codesign.training.state import State
    from codesign.training.trainer import Progress

LOG = "log.csv"
"""One line per epoch."""
CHECKPOINT = "checkpoint.npz"
"""State after the last whole epoch."""
PACKAGES = ("tensorflow", "keras", "qkeras-v3", "numpy")
"""Distributions that the weights depend on."""


def train(
    data: DataConfig,
    model: ModelConfig,
    training: TrainingConfig,
    folder: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    engines: Engines | None = None,
    shared: Path | None = None,
    pretrained: type[Pretrained] | None = None,
    validate: bool = False,
    watch: Callable[[State], None] | None = None,
) -> dict[str, Any]:
    """Train the networks of every phase and write `MODEL`, `RESULTS`, `LOG` and `CHECKPOINT` into ``folder``.

    The same arguments give the same weights. A checkpoint is written after every epoch: after an interruption
    (Ctrl-C included) the next call with the same arguments goes on from it and ends with the same weights as an
    uninterrupted run; a checkpoint of other arguments, of other sources of this package or of another TensorFlow,
    Keras or QKeras is ignored. (On several GPUs sums may come out in another order.)

    Args:
        data: clips to learn from.
        model: shape and formats of the network.
        training: epochs, rates, factor of the sparsity loss, when to stop, where to compute.
        folder: made if missing.
        seed: seed of clips, initial weights and order of clips.
        progress: called with (fraction, words) after every step.
        engines: what will compute the layers: to weigh the loss by their cycles, and to count them.
        shared: folder of networks that several trainings go through alike: the float one, and any after it that
            follows from the same. The first one that needs a certain one trains it, the others use it; only the float
            network and the last one are then evaluated. None: every training has its own.
        pretrained: `codesign.training.pretrained.Pretrained` for a model that others trained; given,
            not imported, so that networks of this package do not depend on what reads models of others.
        validate: judge the networks on the validation clips instead, and leave the test clips alone.
        watch: called after every epoch; what it raises ends the training, which can go on from there.

    Returns:
        What `RESULTS` holds. ``accuracy`` is the share of test clips classified correctly by the mean over time of
        the outputs, computed exactly in float64: ``float``, ``quantized`` (no sparsity loss) and ``delta`` (refined
        with it, the one that is saved). ``operation_sparsity``, ``spatial_sparsity`` and ``density`` of the latter two,
        on the same clips, and with ``engines`` ``cycles_per_frame``. ``test``: the names of the classes, and how the
        saved network classified the test clips: counts by true class (rows) and chosen class; and
        ``operation_sparsity`` of the clips of each class.

    Raises:
        ConfigError, VideoError: the clips cannot be made or read.
        ConfigError: ``training`` or ``validate`` asks for devices, validation clips or a package that are not there; or
            a model of others does not fit the clips.
        StageError, TrustError, UnsupportedLayerError: a model of others cannot be read, or has layers that do not
            become hardware.
    """
    from codesign.provenance import installed
    from codesign.sources import file_hash, source_hash
    from codesign.training.network import freeze
    from codesign.training.trainer import Trainer

    folder.mkdir(parents=True, exist_ok=True)
    made_by: list[Any] = [source_hash(__name__), {name: installed(name) for name in PACKAGES}]
    if pretrained is not None:
        made_by.append(source_hash(pretrained.__module__))
    if model.path is not None:
        file = model.path / MODEL if model.path.is_dir() else model.path
        made_by.append(file_hash(file) if file.is_file() else None)
    settings = [asdict(data), asdict(model), asdict(training), engines and asdict(engines), seed]
    dataset = data.load(seed)
    if validate:
        if not len(dataset.val):
            raise ConfigError(
                "there is nothing to validate with",
                where="data.val" if data.kind == "moving_digits" else "data.val_share",
                expected="clips in the validation split",
                received="none",
                fix="set it above 0",
            )
        dataset = replace(dataset, test=dataset.val)
        made_by.append("validate")
    key = json.dumps([settings, made_by], default=str)
    trainer = Trainer(
        dataset,
        model,
        training,
        seed,
        checkpoint=folder / CHECKPOINT,
        key=key,
        engines=engines,
        shared=shared,
        data_key=json.dumps([asdict(data), made_by], default=str),
        pretrained=pretrained,
    )
    trainer.progress = progress

    def after_epoch(state: State) -> None:
        _write_log(folder / LOG, state.log)
        if watch is not None:
            watch(state)

    state = trainer.run(after_epoch)
    network = trainer.network(trainer.phases[-1])
    network.set_weights(state.weights)
    freeze(network)
    network.save(folder / MODEL)
    figures = ("accuracy", "operation_sparsity", "spatial_sparsity", "density", "events_per_frame", "cycles_per_frame")
    results: dict[str, Any] = {
        figure: {name: value[figure] for name, value in state.results.items() if figure in value} for figure in figures
    }
    last = state.results[trainer.phases[-1].name]
    results["test"] = {
        "classes": list(dataset.classes),
        "confusion": last["confusion"],
        "operation_sparsity": last["class_sparsity"],
    }
    results["seed"] = seed
    results["config"] = {"data": asdict(data), "model": asdict(model), "training": asdict(training)}
    (folder / RESULTS).write_text(json.dumps(results, indent=1, default=str) + "\n")
    return results


def _write_log(path: Path, log: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for line in log for column in line))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(log)
