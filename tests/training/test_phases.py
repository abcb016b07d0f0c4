# SPDX-License-Identifier: Apache-2.0
"""Methods of training: what each phase trains, with which loss, and what its results count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codesign.data import Clips, DataConfig
from codesign.errors import ConfigError
from codesign.layers import DeltaActivation, Engines, Target, WarmUp
from codesign.training import BlockConfig, ModelConfig, TrainingConfig, load_model, train
from codesign.training.feed import Feed, cut
from codesign.training.phases import phases_of
from codesign.training.state import State

pytestmark = pytest.mark.usefixtures("eager")

MODEL = ModelConfig(
    blocks=(BlockConfig(kind="conv", filters=2, stride=2),),
    hidden=(),
    input_hold_steps=1.0,
    hold_steps=1.0,
    activation_step="po2",
    train_hold=True,
)
DIGITS = DataConfig(frames=3, size=8, digit=8.0, travel=0.0, noise=20.0, train=8, val=0, test=6)
SHORT = {"float_epochs": 1, "quantized_epochs": 1, "delta_epochs": 1, "batch_size": 4}


def holds(model: ModelConfig) -> tuple[float, float]:
    return model.input_hold_steps, model.hold_steps


def test_delta_trains_steps_and_holds_in_its_last_phase_only() -> None:
    first, quantized, last = phases_of(MODEL, TrainingConfig(sparsity=3.0, weights="cycles"))
    assert [phase.name for phase in (first, quantized, last)] == ["float", "quantized", "delta"]
    assert [phase.quantized for phase in (first, quantized, last)] == [False, True, True]
    assert (quantized.model.activation_step, quantized.model.train_hold, holds(quantized.model)) == (
        "fixed",
        False,
        (1.0, 1.0),
    )
    assert last.model == MODEL
    assert last.loss is not None
    assert (last.loss.factor, last.loss.of, last.loss.weights) == (3.0, "temporal", "cycles")
    assert (quantized.loss, last.stateless) == (None, "none")


@pytest.mark.parametrize(
    ("method", "stateless", "kept", "of"),
    [
        ("dense", "all", (0.0, 0.0), None),
        ("spatial", "all", (0.0, 0.0), "spatial"),
        ("input_delta", "hidden", (1.0, 0.0), None),
    ],
)
def test_baselines_know_no_time(method: str, stateless: str, kept: tuple[float, float], of: str | None) -> None:
    phases = phases_of(MODEL, TrainingConfig(method=method))  # type: ignore[arg-type]
    assert {phase.stateless for phase in phases[1:]} == {stateless}
    assert {holds(phase.model) for phase in phases} == {kept}
    assert (phases[-1].loss and phases[-1].loss.of) == of


def test_a_hold_comes_after_training() -> None:
    phases = phases_of(MODEL, TrainingConfig(method="hold", delta_epochs=5))
    assert [(phase.name, phase.epochs, holds(phase.model)) for phase in phases[2:]] == [
        ("refined", 5, (0.0, 0.0)),
        ("delta", 0, (1.0, 1.0)),
    ]
    assert not any(phase.loss for phase in phases)
    assert {phase.model.activation_step for phase in phases} == {"fixed"}
    with pytest.raises(ConfigError, match="no hold to apply"):
        phases_of(ModelConfig(input_hold_steps=0.0), TrainingConfig(method="hold"))


def test_a_second_refinement_sees_short_clips() -> None:
    long, short = phases_of(MODEL, TrainingConfig(delta_epochs=5, short_epochs=2, short_frames=4, warmup_epochs=3))[2:]
    assert [(long.name, long.epochs, long.frames), (short.name, short.epochs, short.frames)] == [
        ("long", 5, None),
        ("delta", 2, 4),
    ]
    assert long.model == short.model == MODEL
    assert long.loss == short.loss
    assert ([type(item) for item in long.schedule()], short.schedule()) == ([WarmUp], [])
    hold = phases_of(MODEL, TrainingConfig(method="hold", short_epochs=1))
    assert [(phase.name, phase.frames) for phase in hold[2:]] == [("long", None), ("refined", 2), ("delta", None)]


def test_short_clips_are_cut_from_long_ones() -> None:
    clips = np.arange(2 * 5 * 3, dtype=np.float32).reshape(2, 5, 3)
    pieces = cut(clips, 2)
    assert pieces.shape == (4, 2, 3)
    np.testing.assert_array_equal(pieces[1], clips[0, 2:4])
    np.testing.assert_array_equal(pieces[2], clips[1, :2])
    np.testing.assert_array_equal(cut(clips, 5), clips)


def test_the_float_network_may_see_pieces_of_clips() -> None:
    first, *others = phases_of(MODEL, TrainingConfig(float_frames=3))
    assert (first.frames, first.piece) == (3, True)
    assert not any(phase.frames or phase.piece for phase in others)
    assert not any(phase.frames or phase.piece for phase in phases_of(MODEL, TrainingConfig()))
    with pytest.raises(ConfigError, match=r"training\.float_frames: .*at most 3, the frames of a clip .*: 4\."):
        TrainingConfig(float_frames=4).check_frames(3)
    with pytest.raises(ConfigError, match=r"training\.float_frames: .*two frames or more"):
        TrainingConfig(float_frames=1)


def test_a_piece_is_drawn_of_each_clip() -> None:
    """Every piece is consecutive frames of its clip; which ones, only the numbers given decide."""
    frames = np.arange(40 * 5, dtype=np.uint8).reshape(40, 5, 1, 1, 1)
    clips = Clips(frames=frames, labels=np.arange(40) % 3, sources=np.arange(40))
    options: dict[str, Any] = {"batch_size": 7, "frames": 2}

    def taken(piece: tuple[int, ...]) -> list[int]:
        batches = list(Feed(clips, piece=piece, **options).dataset())
        values = np.concatenate([values for values, _ in batches])[..., 0, 0, 0] * 256
        assert values.shape == (40, 2)
        assert np.array_equal(np.concatenate([labels for _, labels in batches]), clips.labels)
        assert np.array_equal(values[:, 1], values[:, 0] + 1)
        starts = values[:, 0] - 5 * np.arange(40)
        assert set(starts) == {0, 1, 2, 3}
        return [int(start) for start in starts]

    assert taken((1, 0)) == taken((1, 0)) != taken((1, 1))


def test_short_clips_cannot_be_longer(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"training.short_frames.*at most 3, the frames of a clip .*Received: 4"):
        train(DIGITS, MODEL, TrainingConfig(short_epochs=1, short_frames=4), tmp_path)


def test_schedules_move_the_factor() -> None:
    (warm,) = phases_of(MODEL, TrainingConfig(warmup_epochs=2))[-1].schedule()
    (share,) = phases_of(MODEL, TrainingConfig(target_operation_sparsity=0.9))[-1].schedule()
    (cycles,) = phases_of(MODEL, TrainingConfig(target_cycles=50.0))[-1].schedule()
    assert isinstance(warm, WarmUp)
    assert isinstance(share, Target)
    assert share.wanted == pytest.approx(0.1)
    assert cycles.wanted == 50.0
    assert phases_of(MODEL, TrainingConfig())[-1].schedule() == []
    phases = phases_of(MODEL, TrainingConfig(warmup_epochs=2, short_epochs=1, early_stop=1))
    assert [(phase.name, phase.warmup) for phase in phases] == [
        ("float", 0),
        ("quantized", 0),
        ("long", 2),
        ("delta", 0),
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"warmup_epochs": 2, "target_cycles": 9.0}, "training.target_cycles.*two schedules.*without it"),
        ({"target_cycles": 9.0, "method": "dense"}, "training.target_cycles.*no sparsity loss.*method='dense'"),
        ({"warmup_epochs": 2, "sparsity": 0.0}, "training.warmup_epochs.*no sparsity loss"),
        (
            {"early_stop": 3, "target_operation_sparsity": 0.9},
            "training.early_stop: .*before the target.*0 beside training.target_operation_sparsity.*warmup_epochs",
        ),
        ({"early_stop": 3, "target_cycles": 9.0}, "training.early_stop.*0 beside training.target_cycles"),
        ({"target_operation_sparsity": 1.0}, "training.target_operation_sparsity.*out of range"),
    ],
)
def test_schedules_without_sense_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TrainingConfig(**settings)


def test_a_hold_that_is_trained_needs_a_start() -> None:
    with pytest.raises(ConfigError, match=r"model.train_hold.*no hold to train"):
        ModelConfig(train_hold=True, input_hold_steps=0.0)


def test_a_trained_network_is_saved_with_its_steps(tmp_path: Path) -> None:
    training = TrainingConfig(**SHORT, sparsity=100.0, target_cycles=1.0)  # type: ignore[arg-type]
    results = train(DIGITS, MODEL, training, tmp_path, seed=3, engines=Engines(pe=2))
    saved = load_model(tmp_path)
    delta = next(layer for layer in saved.layers if isinstance(layer, DeltaActivation) and layer.name != "encode")
    assert delta.step == "po2"
    assert delta.hold is not None
    assert set(results["cycles_per_frame"]) == {"quantized", "delta"}
    sizes = {"conv1": 64, "fc1": 32}
    events = sum(results["density"]["delta"][name] * size for name, size in sizes.items())
    assert results["events_per_frame"]["delta"] == pytest.approx(events)
    log = (tmp_path / "log.csv").read_text()
    assert "sparsity_factor" in log.splitlines()[0]


def test_a_baseline_counts_zeros_and_is_refined_on_short_clips(tmp_path: Path) -> None:
    training = TrainingConfig(**SHORT, method="dense", optimizer="sgd", short_epochs=1)  # type: ignore[arg-type]
    results = train(DIGITS, MODEL, training, tmp_path, seed=3)
    log = (tmp_path / "log.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in log] == ["float", "quantized", "long", "delta"]
    assert results["operation_sparsity"] == results["spatial_sparsity"]


def test_two_may_write_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, save = tmp_path / "float.npz", np.savez
    states = [State(weights=[np.full(3, number)]) for number in (1.0, 2.0)]

    def meanwhile(file: Any, **arrays: Any) -> None:
        monkeypatch.setattr(np, "savez", save)
        states[1].save(path, "key")  # another process begins and ends while this one writes
        save(file, **arrays)

    monkeypatch.setattr(np, "savez", meanwhile)
    states[0].save(path, "key")
    kept = State.load(path, "key")
    assert kept is not None
    assert kept.weights[0].tolist() == [1.0] * 3
    assert list(tmp_path.iterdir()) == [path]

    def full(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        states[1].save(path, "key")
    assert list(tmp_path.iterdir()) == [path]


def ends(results: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of the float network and of the last one, which shared trainings evaluate."""
    figures = {name: value for name, value in results.items() if name not in ("config", "seed", "test")}
    kept = {name: {key: value.get(key) for key in ("float", "delta")} for name, value in figures.items()}
    return {**kept, "test": results["test"]}


def test_networks_are_shared_between_trainings(tmp_path: Path) -> None:
    """What another training has trained is what this one would have: the same figures, weights and log."""
    shared = tmp_path / "shared"
    dense, delta = (TrainingConfig(**SHORT, method=method) for method in ("dense", "delta"))  # type: ignore[arg-type]
    alone = train(DIGITS, MODEL, delta, tmp_path / "alone", seed=3)
    train(DIGITS, MODEL, dense, tmp_path / "first", seed=3, shared=shared)
    first = {path: path.stat().st_mtime_ns for path in shared.iterdir()}
    assert [path.name[:5] for path in sorted(first)] == ["float", "netwo", "netwo"]
    second = train(DIGITS, MODEL, delta, tmp_path / "second", seed=3, shared=shared)
    assert ends(second) == ends(alone)
    assert (tmp_path / "second" / "log.csv").read_text() == (tmp_path / "alone" / "log.csv").read_text()
    made = {path: path.stat().st_mtime_ns for path in shared.iterdir()}
    assert len(made) == 5  # the float network is shared, those with a hold are not
    assert first.items() <= made.items()


@pytest.mark.parametrize("method", ["hold", pytest.param("input_delta", marks=pytest.mark.heavy)])
def test_methods_that_train_alike_share_what_they_train(method: str, tmp_path: Path) -> None:
    """A hold after training, and what skips in the first layer only, are the dense network of the same seed."""
    model = replace(MODEL, input_hold_steps=0.0, train_hold=False, activation_step="fixed")
    config = TrainingConfig(**SHORT, method=method)  # type: ignore[arg-type]
    alone = train(DIGITS, model, config, tmp_path / "alone", seed=3)
    dense = TrainingConfig(**SHORT, method="dense")  # type: ignore[arg-type]
    train(DIGITS, model, dense, tmp_path / "first", seed=3, shared=tmp_path / "shared")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "shared").iterdir()}
    assert ends(train(DIGITS, model, config, tmp_path / "own", seed=3, shared=tmp_path / "shared")) == ends(alone)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "shared").iterdir()} == made
    other = train(DIGITS, model, config, tmp_path / "other", seed=4, shared=tmp_path / "shared")
    assert ends(other) != ends(alone)
