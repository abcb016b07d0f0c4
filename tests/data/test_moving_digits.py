# SPDX-License-Identifier: Apache-2.0
"""Moving digits: deterministic, no leak between splits, and moved by their knobs as documented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from codesign.data import ClipDataset, Clips, moving_digits
from codesign.errors import ConfigError

SMALL = {"frames": 4, "train": 60, "val": 20, "test": 30}


@pytest.fixture(scope="module")
def digits() -> ClipDataset[Clips]:
    return moving_digits(**SMALL)


def test_shapes_and_types(digits: ClipDataset[Clips]) -> None:
    assert digits.shape == (4, 32, 32, 1)
    assert digits.classes == tuple("0123456789")
    assert [len(split) for split in (digits.train, digits.val, digits.test)] == [60, 20, 30]
    for split in (digits.train, digits.val, digits.test):
        assert (split.frames.dtype, split.labels.dtype) == (np.dtype(np.uint8), np.dtype(np.int64))
    values = digits.test.values()
    assert values.dtype == np.float32
    assert np.array_equal(values * 256, digits.test.frames)


def test_no_image_is_in_two_splits() -> None:
    dataset = moving_digits(frames=1, train=1500, val=500, test=500)
    images, labels = load_digits(return_X_y=True)
    splits = [dataset.train, dataset.val, dataset.test]
    used = [set(split.sources.tolist()) for split in splits]
    assert not used[0] & used[1]
    assert not used[0] & used[2]
    assert not used[1] & used[2]
    assert sum(map(len, used)) == len(images)
    for split in splits:
        assert np.array_equal(split.labels, labels[split.sources])
        assert len(set(split.labels.tolist())) == 10
    # nor is the same drawing under another index
    drawings = [{images[i].tobytes() for i in indices} for indices in used]
    assert not drawings[0] & drawings[1]
    assert not drawings[0] & drawings[2]


def test_seed_decides_everything(digits: ClipDataset[Clips]) -> None:
    again, other = moving_digits(**SMALL), moving_digits(**SMALL, seed=1)
    for name in ("train", "val", "test"):
        assert np.array_equal(getattr(digits, name).frames, getattr(again, name).frames)
        assert not np.array_equal(getattr(digits, name).frames, getattr(other, name).frames)


def test_camera_is_fixed_and_noise_is_as_asked() -> None:
    quiet = moving_digits(**SMALL, noise=0.0, speed=0.0, travel=0.0).test.frames
    assert (quiet == quiet[:, :1]).all()
    corner = moving_digits(**{**SMALL, "frames": 50}, noise=4.0).test.frames[:, :, :2, :2].astype(float)
    assert corner.std(axis=1).mean() == pytest.approx(4.0, rel=0.05)


def test_speed_is_bounded() -> None:
    """A digit pixel is 3 frame pixels wide: along each axis an edge changes by at most speed / 3 of the contrast."""
    slow = moving_digits(**SMALL, noise=0.0, texture=0.0, speed=0.1, contrast=1.0).test.frames.astype(int)
    change = np.abs(np.diff(slow, axis=1)).max()
    assert 0 < change <= 2 * 255 * 0.1 / 3 + 1


def test_contrast_and_travel_are_knobs() -> None:
    faint = moving_digits(**SMALL, contrast=0.2, texture=0.0, noise=0.0).test.frames
    bold = moving_digits(**SMALL, contrast=0.9, texture=0.0, noise=0.0).test.frames
    assert np.ptp(faint) < np.ptp(bold)
    near = moving_digits(**SMALL, texture=0.0, noise=0.0, travel=0.0, speed=0.0).test.frames
    assert near[:, :, :2].max() == near[:, :, :2].min()  # nothing but background there


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"frames": 0}, "frames is out of range"),
        ({"frames": 2.5}, "frames is not an integer"),
        ({"train": True}, "train is not an integer"),
        ({"size": 4}, "size is out of range"),
        ({"seed": -1}, "seed is out of range"),
        ({"noise": -1.0}, "noise is out of range"),
        ({"noise": "loud"}, "noise is not a number"),
        ({"contrast": 1.5}, "contrast is out of range"),
        ({"digit": 28.0}, "leaves the frame"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        moving_digits(**arguments)


def test_clips_check_themselves() -> None:
    frames, ones = np.zeros((2, 3, 4, 4, 1), np.uint8), np.ones(2, np.int64)
    with pytest.raises(ConfigError, match=r"uint8 \[N, T, \*frame\]"):
        Clips(frames=frames.astype(float), labels=ones, sources=ones)
    with pytest.raises(ConfigError, match="one label"):
        Clips(frames=frames, labels=ones[:1], sources=ones)
