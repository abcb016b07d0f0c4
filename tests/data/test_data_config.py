# SPDX-License-Identifier: Apache-2.0
"""The data section of a design."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from codesign.data import Clips, DataConfig, moving_digits
from codesign.errors import ConfigError, VideoError


def test_defaults_are_those_of_moving_digits() -> None:
    defaults = {name: p.default for name, p in inspect.signature(moving_digits).parameters.items() if name != "seed"}
    assert defaults == {item.name: item.default for item in fields(DataConfig) if item.name in defaults}


def test_loads_moving_digits() -> None:
    config = DataConfig(frames=2, train=12, val=3, test=5)
    loaded = config.load(4).train
    assert isinstance(loaded, Clips)
    assert np.array_equal(loaded.frames, moving_digits(frames=2, train=12, val=3, test=5, seed=4).train.frames)


def test_long_test_clips_show_nothing_that_was_trained_with() -> None:
    config = DataConfig(frames=2, train=1100, val=0, test=400, noise=0.0, texture=0.0)
    clips = config.test_clips(4, clips=7, frames=20)
    assert (clips.shape, clips.dtype) == ((7, 20, 32, 32, 1), np.dtype(np.uint8))
    dataset = config.load(4)
    assert isinstance(dataset.train, Clips)
    assert isinstance(dataset.test, Clips)
    long = moving_digits(frames=20, train=1, val=0, test=7, seed=4, noise=0.0, texture=0.0)
    assert np.array_equal(long.test.frames, clips)
    assert not set(long.test.sources.tolist()) & set(dataset.train.sources.tolist())
    assert set(long.test.sources.tolist()) <= set(dataset.test.sources.tolist())


def test_bad_values(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.frames"):
        DataConfig(frames=1)
    with pytest.raises(ConfigError, match=r"data\.path"):
        DataConfig(kind="video_folder")
    with pytest.raises(VideoError, match="no folders"):
        DataConfig(kind="video_folder", path=tmp_path).load(0)
    with pytest.raises(ConfigError, match="noise is out of range"):
        DataConfig(noise=-1.0).load(0)
