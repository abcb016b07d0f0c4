# SPDX-License-Identifier: Apache-2.0
"""Inputs, layers and names for a model that is built in place of another."""

from __future__ import annotations

from typing import Any

import keras


def fresh_input(functional: Any) -> Any:
    """Return a new input like that of ``functional``, of the same name."""
    layer = functional.inputs[0]._keras_history.operation
    return keras.Input(batch_shape=layer.batch_shape, dtype=layer.dtype, name=layer.name)


def copied(layer: Any, name: str | None = None, **changes: Any) -> Any:
    """Return a new layer of the configuration of ``layer`` with ``changes``; weights are not copied."""
    return type(layer).from_config({**layer.get_config(), "name": name or layer.name, **changes})


def free_name(name: str, taken: set[str]) -> str:
    """Return ``name``, or with the first number after it that makes it none of ``taken``; takes it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free
