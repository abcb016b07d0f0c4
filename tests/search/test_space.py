# SPDX-License-Identifier: Apache-2.0
"""A search file: its space becomes designs, and every mistake is named with the nearest valid word."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import ConfigError
from codesign.search import load_search
from codesign.search.objectives import Figures, constraint_of, front, objective_of

ROOT = Path(__file__).resolve().parents[2]
SEARCH = """
[search]
name = "s"
objectives = ["accuracy", "frames_per_second_per_lut"]
constraints = ["accuracy >= 0.9", "lut <= 9000"]
fits = "ulx3s-85f"
trials = 7
[search.space]
"model.weight_bits" = [3, 4, 6]
"model.blocks[1].filters" = {from = 4, to = 16, step = 4}
"model.hidden" = [[], [16, 8]]
"training.sparsity" = {from = 0.1, to = 10.0, log = true}
[data]
size = 16
digit = 8.0
[model]
blocks = [{kind = "conv", filters = 2, stride = 2}, {kind = "conv", filters = 4, stride = 2}]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "search.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_choice_is_the_design_with_some_keys_set(tmp_path: Path) -> None:
    search = load_search(write(tmp_path, SEARCH))
    choice = {
        "model.weight_bits": 3,
        "model.blocks[1].filters": 12,
        "model.hidden": "[16, 8]",
        "training.sparsity": 2.0,
    }
    design = search.space.design(choice, "x")
    assert design.model.weight_bits == 3
    assert [block.filters for block in design.model.blocks] == [2, 12]
    assert (design.model.hidden, design.training.sparsity, design.data.size) == ((16, 8), 2.0, 16)
    assert search.space.design({}, "x").model.blocks[1].filters == 4, "the file's own design is left as it is"
    assert [item.count for item in search.space.dimensions][:3] == [3, 4, 2]
    assert search.least_accuracy == 0.9
    assert search.clock_mhz == search.target.clock.core_mhz


def test_budget_and_best_are_no_part_of_what_a_search_is(tmp_path: Path) -> None:
    here = load_search(write(tmp_path, SEARCH)).identity
    longer = SEARCH.replace("trials = 7", "trials = 9\nminutes = 3\nbest = 1")
    assert load_search(write(tmp_path, longer)).identity == here
    assert load_search(write(tmp_path, SEARCH.replace("size = 16", "size = 24"))).identity != here
    assert load_search(write(tmp_path, SEARCH.replace("[3, 4, 6]", "[3, 4]"))).identity != here


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"accuracy", "frames', '"acuracy", "frames', r"search.objectives.*did you mean 'accuracy'"),
        ('["accuracy", "frames_per_second_per_lut"]', "[]", r"search.objectives"),
        ("lut <= 9000", "luts <= 9000", r"search.constraints.*no such objective.*did you mean 'lut'"),
        ("lut <= 9000", "lut < 9000", r"search.constraints.*not a constraint"),
        ("lut <= 9000", "accuracy <= 0.8", r"no design can keep to both.*accuracy >= 0.9 and accuracy <= 0.8"),
        ('"ulx3s-85f"', '"ulx3s-85"', r"unknown board.*did you mean 'ulx3s-85f'"),
        ("model.weight_bits", "modle.weight_bits", r"no such dimension.*did you mean 'model'"),
        ("model.weight_bits", "model.weigth_bits", r"unknown key 'weigth_bits'.*did you mean 'weight_bits'"),
        ("[3, 4, 6]", "[]", r"search.space.model.weight_bits: no choice"),
        ("[3, 4, 6]", "[3, 3]", r"no choice.*different"),
        ("[3, 4, 6]", "[3, 99]", r"model.weight_bits = 99.*2 to 16"),
        ("{from = 4, to = 16, step = 4}", "{from = 16, to = 4}", r"not a range.*LOW below HIGH"),
        ("{from = 4, to = 16, step = 4}", "{from = 4, too = 16}", r"unknown key 'too'.*did you mean 'to'"),
        ("blocks[1]", "blocks[2]", r"one of the 2 of model.blocks"),
        ("log = true", 'log = "yes"', r"training.sparsity: not a range"),
        ("trials = 7", "trails = 7", r"unknown key 'trails'.*did you mean 'trials'"),
        ("[data]", '[training]\nmethod = "dense"\n[data]', r"training.method.*delta"),
        ("size = 16", "sise = 16", r"unknown key 'sise'"),
    ],
)
def test_errors_say_where(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in SEARCH
    with pytest.raises(ConfigError, match=r"(?s)search.toml.*" + words):
        load_search(write(tmp_path, SEARCH.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'fits = "ulx3s-85f"',
            'fits = "pynq-z2"',
            r"search.fits: the cells of this board's core are not known.*pynq-z2",
        ),
        (
            "objectives",
            'objectives = ["accuracy", "energy"] #',
            r"search.objectives: the energy of a core is not known",
        ),
    ],
)
def test_a_core_of_which_too_little_is_known(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = SEARCH.replace("[search.space]", '[search.space]\n"hardware.architecture" = ["pipeline", "core"]')
    assert load_search(write(tmp_path, text)).clock_mhz
    assert old in text
    with pytest.raises(ConfigError, match=words):
        load_search(write(tmp_path, text.replace(old, new)))


def test_an_empty_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the space is empty"):
        load_search(write(tmp_path, '[search]\nname = "s"\n'))
    with pytest.raises(ConfigError, match=r"search: missing"):
        load_search(write(tmp_path, '[design]\nname = "s"\n'))


def test_values_that_never_go_together_are_refused_and_rare_ones_are_not(tmp_path: Path) -> None:
    hold = (
        '"model.train_hold" = [true, false]\n"model.hold_steps" = [0.0, 1.0]\n"model.input_hold_steps" = [0.0, 1.0]\n'
    )
    load_search(write(tmp_path, SEARCH.replace("[data]", f"{hold}[data]")))
    never = hold.replace("[0.0, 1.0]", "[0.0]")
    with pytest.raises(ConfigError, match=r"model.train_hold = true.*there is no hold to train"):
        load_search(write(tmp_path, SEARCH.replace("[data]", f"{never}[data]")))


def figures(accuracy: float, rate: float, lut: int = 1000) -> Figures:
    return Figures(
        origin="predicted",
        accuracy=accuracy,
        cycles_per_frame=100.0,
        frames_per_second=rate * lut,
        frames_per_second_per_lut=rate,
        lut=lut,
    )


def test_the_front_is_what_no_other_design_beats() -> None:
    known = [figures(0.9, 1.0), figures(0.8, 2.0), figures(0.8, 1.5), figures(0.95, 0.5), figures(0.9, 1.0)]
    objectives = (objective_of("accuracy", ""), objective_of("frames_per_second_per_lut", ""))
    assert front(known, objectives) == [0, 1, 3, 4]
    assert front(known, (objective_of("lut", ""),)) == [0, 1, 2, 3, 4]


def test_a_constraint_says_how_far_a_design_is_from_it() -> None:
    assert constraint_of("accuracy >= 0.8", "").missed_by(figures(0.6, 1.0)) == pytest.approx(0.25)
    assert constraint_of("lut<=1e3", "").missed_by(figures(0.6, 1.0)) == 0.0
    assert constraint_of("lut <= 500", "").missed_by(figures(0.6, 1.0)) == 1.0


def test_the_shipped_searches_are_valid() -> None:
    paths = sorted((ROOT / "flows/searches").glob("*.toml"))
    assert paths
    for path in paths:
        assert load_search(path).space.count > load_search(path).section.trials
