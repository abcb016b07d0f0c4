# SPDX-License-Identifier: Apache-2.0
"""One trial that really trains: judged on validation clips, given hardware, not done twice, given up if hopeless."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codesign.executor.worker import made_by
from codesign.flow.config import load
from codesign.flow.convert import convert, settings
from codesign.search import Found, load_search
from codesign.search.best import design_text
from codesign.search.store import Tried
from codesign.search.trial import TRIAL, Outcome, Trial, run_trial, stored
from codesign.synth.target import load_target
from codesign.training import load_model

SEARCH = """
[search]
name = "tiny"
[search.space]
"model.weight_bits" = [3, 4]
"model.layer.fc1.weight_bits" = [5]
"hardware.architecture" = ["pipeline", "core"]
[data]
frames = 3
size = 8
digit = 8.0
travel = 0.0
noise = 20.0
train = 8
val = 6
test = 5
[model]
blocks = [{kind = "conv", filters = 2, stride = 2}]
hidden = []
activation_step = "po2"
[training]
float_epochs = 1
quantized_epochs = 1
delta_epochs = 1
batch_size = 4
"""
CHOICE = {"model.weight_bits": 3, "model.layer.fc1.weight_bits": 5}


@pytest.fixture(scope="module")
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trial, Outcome]:
    request.getfixturevalue("eager_module")
    root = tmp_path_factory.mktemp("search")
    path = root / "tiny.toml"
    path.write_text(SEARCH, encoding="utf-8")
    search = load_search(path)
    trial = Trial(
        design=search.space.design(CHOICE, "trial"),
        target=search.target,
        clock_mhz=50.0,
        rate=None,
        per_lut=True,
        clips=4,
        hopeless=None,
        made_by=made_by(run_trial.__module__),
    )
    return root, trial, run_trial(root, "trials/0000", trial)


def test_figures_are_predicted_on_validation_clips(done: tuple[Path, Trial, Outcome]) -> None:
    _, trial, outcome = done
    figures = outcome.figures
    assert figures is not None
    assert 6 * figures.accuracy == pytest.approx(round(6 * figures.accuracy)), "a share of the 6 validation clips"
    assert figures.frames_per_second == pytest.approx(50e6 / figures.cycles_per_frame)
    assert figures.frames_per_second_per_lut == pytest.approx(figures.frames_per_second / figures.lut)
    assert figures.weight_bits == 3 * 3 * 2 * 3 + 4 * 4 * 2 * 10 * 5
    assert set(outcome.engines) == {"conv1", "fc1"}
    assert figures.fits
    assert trial.design.data.test == 5


def test_a_trial_that_is_done_is_not_done_again(done: tuple[Path, Trial, Outcome]) -> None:
    root, trial, outcome = done
    before = (root / "trials/0000" / TRIAL).stat().st_mtime_ns
    assert run_trial(root, "trials/0000", trial) == outcome
    assert (root / "trials/0000" / TRIAL).stat().st_mtime_ns == before
    assert stored(root / "trials/0000", replace(trial, clock_mhz=60.0)) is None
    (root / "trials/0000" / TRIAL).write_text("{", encoding="utf-8")
    assert stored(root / "trials/0000", trial) is None


def test_the_design_of_a_trial_has_its_network_and_its_hardware(done: tuple[Path, Trial, Outcome]) -> None:
    root, _, outcome = done
    found = Found(search=load_search(root / "tiny.toml"))
    path = root / "found.toml"
    path.write_text(design_text(found, Tried(number=7, choice=CHOICE, outcome=outcome)), encoding="utf-8")
    design = load(path)
    assert design.design.name == "tiny_0007"
    assert design.model.layer["fc1"].weight_bits == 5
    model = load_model(root / "trials/0000")
    graph = convert(model, settings(design, model), root / "hls").delta_graph
    assert {node.name: node.pe for node in graph.engines} == {name: item.pe for name, item in outcome.engines.items()}
    assert graph.source.lanes == outcome.p


def test_a_trial_may_be_a_program_of_the_board_s_core(done: tuple[Path, Trial, Outcome]) -> None:
    root, trial, pipeline = done
    search = load_search(root / "tiny.toml")
    choice = {**CHOICE, "hardware.architecture": "core"}
    design = search.space.design(choice, "trial")
    board = load_target("ulx3s-85f")
    clock_mhz = board.clock.of_delta_core
    assert (search.clock_of(trial.design), search.clock_of(design)) == (100.0, clock_mhz)
    outcome = run_trial(root, "trials/0002", replace(trial, design=design, clock_mhz=clock_mhz))
    figures, other = outcome.figures, pipeline.figures
    assert figures is not None
    assert other is not None
    cells = board.core_area()
    assert cells is not None
    assert (figures.lut, figures.dsp) == (cells.lut, cells.dsp)
    assert figures.accuracy == other.accuracy, "the same network"
    assert figures.frames_per_second == pytest.approx(1e6 * clock_mhz / figures.cycles_per_frame)
    assert figures.cycles_per_frame > other.cycles_per_frame
    assert (outcome.engines, outcome.dense_cycles) == ({}, None)
    path = root / "core.toml"
    path.write_text(
        design_text(Found(search=search), Tried(number=2, choice=choice, outcome=outcome)), encoding="utf-8"
    )
    made = load(path)
    assert (made.hardware.architecture, made.core.lanes, made.core.memory) == ("core", 8, "sdram")
    assert made.report.clock_mhz == clock_mhz


def test_a_network_that_the_core_has_no_room_for_is_no_figure(
    done: tuple[Path, Trial, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, trial, _ = done
    monkeypatch.setattr("codesign.fit.core.on_core", lambda *_, **__: None)
    design = load_search(root / "tiny.toml").space.design({**CHOICE, "hardware.architecture": "core"}, "trial")
    outcome = run_trial(root, "trials/0003", replace(trial, design=design))
    assert outcome.figures is None
    assert "the network does not fit the core" in str(outcome.problem)
    assert not outcome.pruned


def test_a_hopeless_training_is_given_up_at_the_first_network_that_shows_it(
    done: tuple[Path, Trial, Outcome],
) -> None:
    root, trial, _ = done
    other = load_search(root / "tiny.toml").space.design({**CHOICE, "model.weight_bits": 4}, "trial")
    outcome = run_trial(root, "trials/0001", replace(trial, design=other, hopeless=1.5))
    assert outcome.pruned
    assert outcome.figures is None
    assert "the float network classifies" in (outcome.problem or "")
