# SPDX-License-Identifier: Apache-2.0
"""A suggestion is what was probably meant, or nothing; every error that can suggest gets it from one place."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from codesign.data.config import DataConfig
from codesign.errors import ConfigError
from codesign.flow.stage import find
from codesign.flow.steps import STAGES
from codesign.paths import PACKAGE
from codesign.records import build
from codesign.suggest import did_you_mean, nearest
from codesign.synth.target import load_target, target_names
from codesign.training.config import ModelConfig, TrainingConfig

KINDS = ("moving_digits", "video_folder", "ucf101")
DATA, MODEL, TRAINING = ([field.name for field in fields(kind)] for kind in (DataConfig, ModelConfig, TrainingConfig))
NAMES = [stage.name for stage in STAGES]


@pytest.mark.parametrize(
    ("name", "valid", "meant"),
    [
        ("UCF-101", KINDS, "ucf101"),
        ("Moving Digits", KINDS, "moving_digits"),
        ("digits", KINDS, "moving_digits"),
        ("ucf", KINDS, "ucf101"),
        ("lr", TRAINING, "learning_rate"),
        ("learningrate", TRAINING, "learning_rate"),
        ("optimiser", TRAINING, "optimizer"),
        ("sparsty", TRAINING, "sparsity"),
        ("bacth_size", TRAINING, "batch_size"),
        ("gray", DATA, "grey"),
        ("folder", DATA, "path"),
        ("noise_level", DATA, "noise"),
        ("hiden", MODEL, "hidden"),
        ("ep", ("pe", "unroll"), "pe"),
        ("taps", ("pe", "unroll"), "unroll"),
        ("taps", ("PE", "Unroll"), "Unroll"),
        ("graph", NAMES, "2_graph"),
        ("1-model", NAMES, "1_model"),
        ("ulx3s", target_names(), "ulx3s-85f"),
    ],
)
def test_what_was_meant_is_found(name: str, valid: tuple[str, ...], meant: str) -> None:
    assert nearest(name, valid) == (meant,)
    assert did_you_mean(name, valid) == f"did you mean {meant!r}"


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("webcam", KINDS),
        ("imagenet", KINDS),
        ("dropout", TRAINING),
        ("momentum", TRAINING),
        ("x", TRAINING),
        ("", TRAINING),
        ("fps", DATA),
        ("softmax", MODEL),
        ("9_deploy", NAMES),
        ("raspberry", target_names()),
        ("anything", ()),
    ],
)
def test_nothing_is_better_than_something_else(name: str, valid: tuple[str, ...]) -> None:
    assert nearest(name, valid) == ()
    assert did_you_mean(name, valid) is None


def test_several_may_be_meant() -> None:
    assert did_you_mean("epochs", TRAINING) == "did you mean 'float_epochs', 'quantized_epochs' or 'delta_epochs'"


def test_errors_without_a_suggestion_list_what_is_valid(tmp_path: Path) -> None:
    for broken, listed in (
        (lambda: build(DataConfig, {"kind": "webcam"}, where="data", folder=tmp_path), "ucf101"),
        (lambda: build(TrainingConfig, {"dropout": 0.5}, where="training", folder=tmp_path), "learning_rate"),
        (lambda: find(STAGES, "9_deploy", "--to"), "6_report"),
        (lambda: load_target("raspberry"), "ulx3s-85f"),
    ):
        with pytest.raises(ConfigError, match=listed) as refused:
            broken()
        assert "did you mean" not in str(refused.value)
        assert "None" not in str(refused.value)


def test_there_is_one_place_that_suggests() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert path.name == "suggest.py" or not re.search(r"difflib|[\"']did you mean", text), path
