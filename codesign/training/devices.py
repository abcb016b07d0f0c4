# SPDX-License-Identifier: Apache-2.0
"""`find_strategy`: on which devices a network trains."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from codesign.errors import ConfigError


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
