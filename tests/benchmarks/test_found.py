# SPDX-License-Identifier: Apache-2.0
"""A found design against the hand-made one: the table, the targets, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import found
from benchmarks.found import Against, Run, Side
from benchmarks.origin import Origin
from codesign.flow.config import load
from codesign.records import read_toml
from codesign.search.config import load_search
from codesign.search.space import kept

FLOWS = Path(__file__).parents[2] / "flows"
PLACE = Origin(commit="0123456789ab", cpu=None, cores=2, load=0.0, tools={})


def run(seed: int, accuracy: float, rate: float) -> Run:
    return Run(
        seed=seed,
        accuracy=accuracy,
        cycles_per_frame=100.0 * seed,
        lut=10_000,
        dsp=4,
        frames_per_second_per_lut=rate,
        values=1_000,
    )


def against(found_accuracy: float = 0.92, rate: float = 40.0) -> Against:
    made = Side(design="made", runs=(run(1, 0.93, 10.0), run(2, 0.91, 20.0)))
    return Against(hand_made=made, found=Side(design="better", runs=(run(1, found_accuracy, rate), run(2, 0.92, 50.0))))


def test_gains_are_those_of_each_seed() -> None:
    text = found.words(against(), PLACE)
    assert against().gains == (4.0, 2.5)
    assert "| made, hand-made | 92.0 ± 1.4 | 150.0 ± 70.7 | 10,000 ± 0 | 4 ± 0 | 15.0 ± 7.1 |" in text
    assert "3.2 times the frames/s per LUT (seed by seed 4.0, 2.5), +0.0 points of accuracy (-1.0, +1.0)." in text
    assert "agree in all of 4,000 output values" in text


@pytest.mark.parametrize(
    ("accuracy", "rate", "met"), [(0.92, 40.0, True), (0.91, 40.0, True), (0.909, 40.0, False), (0.92, 14.0, False)]
)
def test_both_targets_count(accuracy: float, rate: float, met: bool) -> None:
    assert against(accuracy, rate).met() is met


def test_the_record_names_both_and_the_gain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "measure", lambda *_: against())
    page, record = tmp_path / "page.md", tmp_path / "search.json"
    page.write_text("<!-- begin found -->\n<!-- end found -->\n")
    arguments = ["made.toml", "better.toml", "--json", str(record), "--markdown", str(page)]
    assert found.main(arguments) == 0
    figures = json.loads(record.read_text())
    assert figures["gain"] == 3.25
    assert {"accuracy", "cycles_per_frame", "lut", "frames_per_second_per_lut"} < set(figures["found"])
    assert [each["seed"] for each in figures["hand_made"]["seeds"]] == [1, 2]
    assert "| better, found |" in page.read_text()


def test_other_clips_are_no_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (FLOWS / "moving_digits.toml").read_text()
    easier = tmp_path / "easier.toml"
    easier.write_text(text.replace("size = 32", "size = 40"))
    assert found.main([str(FLOWS / "moving_digits.toml"), str(easier), "--folder", str(tmp_path / "build")]) == 2
    assert "the designs see other clips" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()


def test_the_search_starts_from_the_hand_made_design() -> None:
    made = load(FLOWS / "moving_digits.toml")
    start = load_search(FLOWS / "searches" / "digits.toml").space.design({}, "start")
    for section in ("data", "model", "training", "hardware", "clip"):
        assert getattr(start, section) == getattr(made, section), section


def test_what_was_found_is_in_the_space_of_its_search() -> None:
    space = load_search(FLOWS / "searches" / "digits.toml").space
    table = read_toml(FLOWS / "found" / "moving_digits_found.toml")
    choice = {}
    for item in space.dimensions:
        section, key = item.key.split(".")
        value = table[section][key]
        assert value in item.choices if item.choices else item.low <= value <= item.high, item.key
        choice[item.key] = kept(value)
    made, shipped = space.design(choice, "x"), load(FLOWS / "found" / "moving_digits_found.toml")
    for section in ("data", "model", "training", "clip"):
        assert getattr(made, section) == getattr(shipped, section), section
