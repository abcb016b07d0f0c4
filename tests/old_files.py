# SPDX-License-Identifier: Apache-2.0
"""Files as Keras 2 wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def old_layer(name: str, kind: str, reads: list[str], **config: Any) -> dict[str, Any]:
    """Return a layer as Keras 2 wrote it."""
    nodes = [[[source, 0, 0, {}] for source in reads]] if reads else []
    config = {"name": name, "trainable": True, "dtype": "float32", **config}
    return {"class_name": kind, "config": config, "name": name, "inbound_nodes": nodes}


def old_config(layers: list[dict[str, Any]]) -> dict[str, Any]:
    ends = {"input_layers": [[layers[0]["name"], 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return {"class_name": "Model", "config": {"name": "old", "layers": layers, **ends}}


def zeros(**config: Any) -> dict[str, Any]:
    return {"class_name": "Zeros", "config": config}


CONVOLUTION = {
    "strides": [1, 1],
    "kernel_size": [3, 3],
    "padding": "same",
    "data_format": "channels_last",
    "dilation_rate": [1, 1],
    "groups": 1,
    "use_bias": True,
    "bias_initializer": zeros(dtype="float32"),
}


def written(path: Path, config: Any, weights: dict[str, dict[str, tuple[int, ...]]]) -> dict[str, np.ndarray[Any, Any]]:
    """Write an HDF5 file as Keras 2 did, with random weights; returns them by name. No ``config``: weights only."""
    rng, values = np.random.default_rng(1), {}
    with h5py.File(path, "w") as file:
        root = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode()
            file.attrs["training_config"] = (
                b'{"loss": "a function of mine", "optimizer_config": {"class_name": "Mine"}}'
            )
            root = file.create_group("model_weights")
            file.create_group("optimizer_weights")
        root.attrs["layer_names"] = [name.encode() for name in weights]
        for layer, tensors in weights.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in tensors]
            for name, shape in tensors.items():
                values[name] = rng.uniform(0.1, 1, shape).astype(np.float32)
                group[name] = values[name]
    return values
