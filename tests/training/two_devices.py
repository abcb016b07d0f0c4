# SPDX-License-Identifier: Apache-2.0
"""Trains on one and on two logical processors; prints as JSON how the results differ. Started by test_trainer."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from codesign.data import DataConfig
from codesign.errors import ConfigError
from codesign.layers import SparsityLoss, Target, WarmUp
from codesign.training import ModelConfig, TrainingConfig
from codesign.training.phases import Phase
from codesign.training.trainer import Trainer

NETWORK = ModelConfig(hidden=())


def make(folder: Path, devices: int, batch_size: int = 8) -> Trainer:
    data = DataConfig(frames=2, size=8, digit=8.0, travel=0.0, noise=30.0, train=12, val=5, test=1)
    training = TrainingConfig(batch_size=batch_size, devices=devices)
    checkpoint = folder / f"{devices}.npz"
    trainer = Trainer(data.load(2), NETWORK, training, 2, checkpoint=checkpoint, key="key")
    phase = Phase(name="delta", epochs=1, rate=0.01, model=NETWORK, loss=SparsityLoss(1.0))
    warmed = replace(phase, name="warmed", epochs=2, schedule=lambda: [WarmUp(2)])
    aimed = replace(phase, name="aimed", schedule=lambda: [Target(operation_sparsity=0.9)])
    trainer.phases = (phase, warmed, aimed)
    return trainer


def main(folder: Path) -> dict[str, Any]:
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
    trainers = [make(folder, devices) for devices in (1, 2)]
    states = [trainer.run(lambda _: None) for trainer in trainers]
    with trainers[1].strategy.scope():
        copies = tf.Variable(0.0).values
    try:
        make(folder, 2, batch_size=9)
    except ConfigError as error:
        refused = str(error)
    return {
        "replicas": [trainer.devices for trainer in trainers],
        "used": [copy.device.removeprefix("/job:localhost/replica:0/task:0/device:") for copy in copies],
        "difference": max(float(np.abs(a - b).max()) for a, b in zip(*(s.weights for s in states), strict=True)),
        "logs": [state.log[0] for state in states],
        "factors": [[line.get("sparsity_factor") for line in state.log] for state in states],
        "refused": refused,
    }


print(json.dumps(main(Path(sys.argv[1]))))
