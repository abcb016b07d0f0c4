# SPDX-License-Identifier: Apache-2.0
"""A small float model, and videos of a spot that moves through a noisy scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from data.videos import write_video
from keras import layers as L  # noqa: N812
from numpy.typing import NDArray

SIZE = 12


def spots(clips: int, frames: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return pixels ``[clips, frames, SIZE, SIZE, 3]``; in every second clip the scene is dark."""
    rng = np.random.default_rng(seed)
    scene = rng.integers(60, 120, (clips, 1, SIZE, SIZE, 3))
    scene[1::2] //= 3
    made = scene + rng.integers(-1, 2, (clips, frames, SIZE, SIZE, 3))
    for t in range(frames):
        made[:, t, 4:6, t % (SIZE - 1) : t % (SIZE - 1) + 2] = 230
    return np.asarray(np.clip(made, 0, 255), np.uint8)


def float_model(seed: int = 3, ends: Any = None) -> Any:
    """Return a model that pixels of 0 to 1 are for: BatchNormalization, a depthwise layer, a mean over 9 places."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3), name="frame"),
            L.Conv2D(6, 3, strides=2, padding="same", use_bias=False, name="conv"),
            L.BatchNormalization(
                name="norm", moving_variance_initializer=keras.initializers.RandomUniform(0.01, 0.5, seed=seed)
            ),
            L.ReLU(name="relu"),
            L.DepthwiseConv2D(3, strides=2, padding="same", name="dw"),
            L.ReLU(name="relu2"),
            L.Conv2D(8, 1, activation="relu", name="pw"),
            L.GlobalAveragePooling2D(name="mean"),
            L.Dense(2, name="fc"),
            *([ends] if ends is not None else []),
        ]
    )
    # a decision that depends on the clip: the middle between both kinds of scenes is the bias
    frames = spots(8, 4).reshape(-1, SIZE, SIZE, 3) / np.float32(255)
    logits = keras.Model(model.inputs[0], model.get_layer("fc").output).predict(frames, verbose=0)
    kernel, bias = model.get_layer("fc").get_weights()
    model.get_layer("fc").set_weights([kernel, bias - np.array([np.median(logits[:, 0] - logits[:, 1]), 0.0])])
    return model


def write_folder(folder: Path, names: tuple[str, ...] = (), frames: int = 26) -> Path:
    """Write four videos into ``folder``, or two into each folder ``names`` in it."""
    clips = spots(4, frames)
    for number, clip in enumerate(clips):
        inside = folder / names[number % len(names)] if names else folder
        inside.mkdir(parents=True, exist_ok=True)
        write_video(inside / f"clip{number}.mkv", clip)
    return folder
