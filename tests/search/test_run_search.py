# SPDX-License-Identifier: Apache-2.0
"""A search of trials that train nothing: it goes on wherever it was ended, and does no trial twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from html import unescape
from pathlib import Path

import pytest
import search_work

from codesign.cli import main
from codesign.commands import search as search_command
from codesign.errors import ConfigError, StageError, WorkersDiedError
from codesign.executor import Workers
from codesign.executor.worker import made_by
from codesign.search import Found, Search, load_search, run_search
from codesign.search.page import page
from codesign.search.run import importances, known
from codesign.search.store import Store
from codesign.search.trial import Outcome, Trial

TESTS = Path(__file__).parents[1]
LARGEST = 900_000
"""Bytes of the log of a database with a few trials."""
SEARCH = """
[search]
name = "s"
constraints = ["accuracy >= 0.6"]
trials = 14
seed = 3
[search.space]
"model.weight_bits" = {from = 2, to = 8}
"model.activation_bits" = [4, 6]
"training.sparsity" = {from = 0.1, to = 20.0, log = true}
"""


def search(folder: Path, text: str = SEARCH) -> Search:
    path = folder / "search.toml"
    path.write_text(text, encoding="utf-8")
    return load_search(path)


def done(found: Found) -> list[tuple[int, str]]:
    return [(item.number, json.dumps(item.choice)) for item in found.tried]


def begun(root: Path) -> dict[str, int]:
    return {path.parent.name: len(path.read_text().splitlines()) for path in root.glob("trials/*/begun")}


def run(searched: Search, root: Path) -> Found:
    return run_search(searched, root, workers=Workers(), work=search_work.work)


def test_what_is_found_keeps_to_the_constraints_and_is_beaten_by_no_other(tmp_path: Path) -> None:
    found = run(search(tmp_path), tmp_path / "s")
    assert len(found.tried) == 14
    assert {item.outcome.pruned for item in found.tried if item.outcome} == {True, False}
    front = [item.outcome.figures for item in found.front() if item.outcome and item.outcome.figures]
    assert front
    assert all(figures.accuracy >= 0.6 for figures in front)
    rates = [figures.frames_per_second_per_lut for figures in front]
    assert rates == sorted(rates, reverse=True)
    accuracies = [figures.accuracy for figures in front]
    assert accuracies == sorted(accuracies)
    assert not found.unmet()
    assert found.hand_made is not None
    assert found.hand_made.figures is not None


def test_a_search_that_is_interrupted_goes_on_as_it_would_have(tmp_path: Path) -> None:
    searched = search(tmp_path)
    whole = run(searched, tmp_path / "whole")

    def stop(found: Found, *_: object) -> None:
        if len(found.tried) in (3, 8):
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_search(searched, tmp_path / "parts", workers=Workers(), show=stop, work=search_work.work)
    parts = run(searched, tmp_path / "parts")
    assert done(parts) == done(whole)
    assert set(begun(tmp_path / "parts").values()) == {1}
    again = run(searched, tmp_path / "parts")
    assert done(again) == done(whole)
    assert set(begun(tmp_path / "parts").values()) == {1}


@pytest.mark.timeout(120)
def test_a_killed_driver_loses_and_repeats_nothing(tmp_path: Path) -> None:
    searched = search(tmp_path)
    command = subprocess.Popen(script(tmp_path, 2), env=os.environ | {search_work.SECONDS: "0.3"})
    while len(begun(tmp_path / "s")) < 4:
        assert command.poll() is None
        time.sleep(0.05)
    command.send_signal(signal.SIGKILL)
    command.wait()
    known = run_before(searched, tmp_path / "s")
    found = run(searched, tmp_path / "s")
    assert len(found.tried) == 14
    assert len({choice for _, choice in done(found)}) == 14
    times = begun(tmp_path / "s")
    assert len(times) == 14
    assert all(times[f"{number:04d}"] == 1 for number in known), "a trial that was done was done again"
    assert max(times.values()) <= 2


def run_before(searched: Search, root: Path) -> list[int]:
    return [item.number for item in known(searched, root).tried]


def script(folder: Path, *numbers: int) -> list[str]:
    names = (TESTS / "search_work.py", folder / "search.toml", folder / "s", *numbers)
    return [sys.executable, *map(str, names)]


def test_a_full_disk_is_an_error_and_the_search_goes_on_later(tmp_path: Path) -> None:
    searched = search(tmp_path)
    full = subprocess.run(script(tmp_path, 1, LARGEST), capture_output=True, text=True, check=False)
    words = full.stderr
    assert full.returncode == 1, words
    assert "OutputError" in words
    assert "make room" in words
    known = run_before(searched, tmp_path / "s")
    assert len(known) < 14
    found = run(searched, tmp_path / "s")
    assert len(found.tried) == 14
    assert all(begun(tmp_path / "s")[f"{number:04d}"] == 1 for number in known)


def test_the_storage_of_another_search_is_refused(tmp_path: Path) -> None:
    run(search(tmp_path, SEARCH.replace("trials = 14", "trials = 2")), tmp_path / "s")
    for old, new, words in (
        ("to = 8", "to = 7", "other space"),
        ("seed = 3", "seed = 4", "other seed"),
        ("[search.space]", "[data]\nsize = 16\ndigit = 8.0\n[search.space]", "other design"),
    ):
        with pytest.raises(ConfigError, match=rf"search.db: this is the storage of another search.*{words}"):
            run(search(tmp_path, SEARCH.replace(old, new)), tmp_path / "s")
    (tmp_path / "t").mkdir()
    (tmp_path / "t/search.db").write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    with pytest.raises(ConfigError, match="not the storage of a search"):
        run(search(tmp_path), tmp_path / "t")


def test_a_constraint_that_no_trial_meets_is_named(tmp_path: Path) -> None:
    text = SEARCH.replace('"accuracy >= 0.6"', '"accuracy >= 0.6", "lut <= 100"').replace("trials = 14", "trials = 5")
    found = run(search(tmp_path, text), tmp_path / "s")
    (said,) = found.unmet()
    assert said.startswith("none of 5 trials kept to lut <= 100: the nearest had ")
    assert said in unescape(page(found, [], "codesign search x"))


def test_a_space_ends_when_all_of_it_is_tried(tmp_path: Path) -> None:
    space = SEARCH[: SEARCH.index('"model.weight_bits"')] + '"model.weight_bits" = [4, 5, 6]\n'
    found = run(search(tmp_path, space), tmp_path / "s")
    assert found.exhausted
    assert sorted(item.choice["model.weight_bits"] for item in found.tried) == [4, 5, 6]


def test_a_trial_that_fails_names_its_log_and_is_done_again(tmp_path: Path) -> None:
    searched = search(tmp_path)
    with pytest.raises(StageError, match=r"a trial failed: broken.*0000.*log\.txt"):
        run_search(searched, tmp_path / "s", workers=Workers(), work=broken)


def test_a_design_that_kills_its_workers_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    found = run_search(search(tmp_path), tmp_path / "s", workers=Workers(), work=deadly)
    assert len(found.tried) == 14
    problems = [item.outcome.problem for item in found.tried if item.outcome and item.outcome.problem]
    assert any("died" in problem for problem in problems)


def deadly(root: Path, place: str, trial: Trial) -> Outcome:
    if place.endswith("0001"):
        raise WorkersDiedError("each worker that did this died")
    return search_work.work(root, place, trial)


def broken(root: Path, place: str, trial: Trial) -> Outcome:
    if trial.given:
        return search_work.work(root, place, trial)
    raise ValueError("broken")


def test_the_page_holds_every_design_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    searched = search(tmp_path)
    found = run(searched, tmp_path / "s")
    found.importances = importances(searched, tmp_path / "s")
    assert {name: set(shares) for name, shares in found.importances.items()} == {
        name: {"model.weight_bits", "model.activation_bits", "training.sparsity"}
        for name in ("accuracy", "frames_per_second_per_lut")
    }
    text = page(found, [], "codesign search x.toml")
    for item in found.tried:
        assert f'id="trial-{item.number}"' in text
    for item in found.front():
        assert f'href="#trial-{item.number}"' in text
    for words in ("hand-made", "dense", "model.weight_bits", "What each choice matters", "seed 3"):
        assert words in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_command_writes_page_and_figures_and_prints_a_design(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    search(tmp_path)
    path = str(tmp_path / "search.toml")
    monkeypatch.setattr(search_command, "run_search", partial(run_search, work=search_work.work))
    monkeypatch.setattr(search_command, "check_best", lambda *_: [])
    options = ["--jobs", "1", "--build-dir", str(tmp_path)]
    assert main(["search", path, "--trials", "4", *options]) == 0
    said = capsys.readouterr().out
    assert "[4/4] trial 3: " in said
    assert "LUTs" in said
    figures = json.loads((tmp_path / "s/search.json").read_text())
    assert [trial["number"] for trial in figures["trials"]] == [0, 1, 2, 3]
    assert "<h1>s</h1>" in (tmp_path / "s/search.html").read_text()
    assert main(["search", path, "--design", "2", *options]) == 0
    design = capsys.readouterr().out
    (tmp_path / "found.toml").write_text(design)
    from codesign.flow.config import load

    made = load(tmp_path / "found.toml")
    assert made.model.weight_bits == figures["trials"][2]["choice"]["model.weight_bits"]
    assert made.design.name == "s_0002"
    assert main(["search", path, "--design", "9", *options]) == 2
    assert "there is no such trial" in capsys.readouterr().err


def test_choices_that_a_kill_left_half_done_are_left_alone(tmp_path: Path) -> None:
    searched = search(tmp_path, SEARCH.replace("trials = 14", "trials = 3"))
    run(searched, tmp_path / "s")
    store = Store(searched, tmp_path / "s", made_by(search_work.__name__))
    half, twice = store._study.ask(), store._study.ask()
    half.suggest_categorical("model.activation_bits", [4, 6])
    for key, value in store.tried()[0].choice.items():
        store._study._storage.set_trial_param(twice._trial_id, key, *_internal(store, key, value))
    assert store.begun() == []
    assert len(store.tried()) == 3


def _internal(store: Store, key: str, value: object) -> tuple[float, object]:
    distribution = store._study.get_trials()[0].distributions[key]
    return distribution.to_internal_repr(value), distribution
