# SPDX-License-Identifier: Apache-2.0
"""A study file: what a variant inherits, what it changes, and errors that name the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import ConfigError
from codesign.study import load_study, open_study

ROOT = Path(__file__).resolve().parents[2]
STUDY = """
[study]
name = "s"
seeds = [4, 5]
baseline = "plain"
length = "delta"
epochs = [1, 3]
[data]
size = 16
digit = 8.0
[training]
float_epochs = 2
[variant.plain]
text = "nothing"
training = {method = "dense"}
[variant.delta]
simulate = true
training = {sparsity = 7.0}
hardware = {pe = 4}
[[target]]
variant = "delta"
against = "plain"
figure = "fewer MACs"
at_least = 2.0
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_variant_is_the_base_and_its_changes(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, STUDY))
    assert [variant.name for variant in study.variants] == ["plain", "delta", "delta_1", "delta_3"]
    plain, delta, one, three = (variant.design for variant in study.variants)
    assert plain.training.method == "dense"
    assert delta.training.method == "delta"
    assert {design.data.size for design in (plain, delta, one, three)} == {16}
    assert {design.training.float_epochs for design in (plain, delta, one, three)} == {2}
    assert (delta.training.sparsity, delta.hardware.pe) == (7.0, 4)
    assert (one.training.delta_epochs, three.training.delta_epochs) == (1, 3)
    assert (one.training.sparsity, one.hardware.pe) == (7.0, 4)
    assert [variant.simulate for variant in study.variants] == [False, True, False, False]
    assert [variant.length for variant in study.variants] == [None, 6, 1, 3]
    assert delta.design.name == "s_delta"
    assert (study.seeds, study.baseline, study.targets[0].at_least) == ((4, 5), "plain", 2.0)


def test_seeds_can_be_given_instead(tmp_path: Path) -> None:
    assert open_study([write(tmp_path, STUDY)], [9]).seeds == (9,)


def test_designs_are_variants_as_they_are() -> None:
    study = open_study([ROOT / "flows/moving_digits.toml", ROOT / "flows/mobile_block.toml"])
    assert [variant.name for variant in study.variants] == ["moving_digits", "mobile_block"]
    assert (study.seeds, study.baseline) == ((1, 2, 3), "moving_digits")
    with pytest.raises(ConfigError, match="one name"):
        open_study([ROOT / "flows/moving_digits.toml"] * 2)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('baseline = "plain"', 'baseline = "plane"', r"study.baseline.*no such variant.*one of plain, delta.*plane"),
        ('against = "plain"', 'against = "nobody"', r"target\[0\].against.*no such variant"),
        ('figure = "fewer MACs"', 'figure = "fewer MAC"', r"target\[0\].figure.*did you mean 'fewer MACs'"),
        ("sparsity = 7.0", "sparsty = 7.0", r"variant.delta.*unknown key 'sparsty'.*did you mean 'sparsity'"),
        ("[variant.plain]", "[variant.plain]\nblocks = 1", r"variant.plain.blocks.*unknown key"),
        ("seeds = [4, 5]", "seeds = [4, 4]", r"study.seeds.*different"),
        ("[variant.plain]", '[variant."a b"]', r"variant.a b.*not a name"),
        ("at_least = 2.0", "", r"target of delta: one limit is needed"),
        ('method = "dense"}', 'method = "dense"}\nsimulate = true', r"variant.plain.simulate.*method.*'dense'.*remove"),
        (
            'method = "dense"}',
            'method = "input_delta"}\nsimulate = true',
            r"variant.plain.simulate.*delta, hold.*'input_delta'",
        ),
        ("hardware = {pe = 4}", 'model = {activation_step = "real"}', r"variant.delta.simulate.*real.*\"po2\""),
        ('"fewer MACs"', '"fewer cycles"', r"target\[0\].against.*simulate = true: delta.*in variant.plain"),
        ("size = 16", "sise = 16", r"unknown key 'sise'"),
    ],
)
def test_errors_say_where(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = write(tmp_path, STUDY.replace(old, new, 1))
    with pytest.raises(ConfigError, match=r"(?s)study.toml.*" + words):
        load_study(path)


def test_a_study_without_variants_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="variant"):
        load_study(write(tmp_path, '[study]\nname = "s"\n'))


def test_the_shipped_studies_are_valid(tmp_path: Path) -> None:
    for path in sorted((ROOT / "flows/studies").glob("*.toml")):
        users = {"model": tmp_path, "clips": tmp_path} if "mobilenet" in path.name else {}
        study = load_study(path, **users)
        assert len(study.seeds) >= 3
        assert study.targets


def test_files_that_a_study_leaves_to_its_user_are_given(tmp_path: Path) -> None:
    path = ROOT / "flows/studies/ucf101_mobilenet.toml"
    study = open_study([path], model=tmp_path / "m.h5", clips=tmp_path)
    assert {variant.design.model.path for variant in study.variants} == {tmp_path / "m.h5"}
    assert {variant.design.data.path for variant in study.variants} == {tmp_path}
    with pytest.raises(ConfigError, match=r"model\.path"):
        open_study([path], clips=tmp_path)
    with pytest.raises(ConfigError, match=r"--clips.*\[study\]"):
        open_study([ROOT / "flows/moving_digits.toml"], clips=tmp_path)
