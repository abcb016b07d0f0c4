# SPDX-License-Identifier: Apache-2.0
"""Means, spreads, ratios and targets of a study against hand-computed values; tables and plot of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from codesign.errors import ConfigError
from codesign.study.origin import Origin
from codesign.study.plot import plot
from codesign.study.results import Goal, Result, Results
from codesign.study.tables import markdown, rows, terminal


def result(variant: str, seed: int, accuracy: float, skipped: float, **more: object) -> Result:
    values: dict[str, Any] = {
        "variant": variant,
        "seed": seed,
        "accuracy": accuracy,
        "operation_sparsity": skipped,
        "spatial_sparsity": 0.25,
        "cycles_per_frame": 100.0 * (1 - skipped),
        "events_per_frame": 1000.0 * (1 - skipped),
        "density": {"fc": 1 - skipped},
        "training_s": 30.0,
    }
    return Result(**{**values, **more})


ORIGIN = Origin(sources="5e", versions={"keras": "3.1", "none": None}, commit="abc", machine="a chip", cores=2)
SIMULATED = {"simulated_cycles_per_frame": 60.0, "values": 80, "mismatches": 0}


def results(*targets: Goal) -> Results:
    deployed = {**SIMULATED, "rtl_density": {"fc": 1 - 0.875}, "rtl_operation_sparsity": 0.875}
    return Results(
        study="s",
        command="codesign compare s.toml",
        baseline="dense",
        results=(
            result("dense", 1, 0.75, 0.5, **{**SIMULATED, "simulated_cycles_per_frame": 240.0}),
            result("dense", 2, 0.5, 0.0, **{**SIMULATED, "simulated_cycles_per_frame": 120.0}),
            result("delta", 1, 0.625, 0.875, **deployed),
            result("delta", 2, 0.5625, 0.875, **{**deployed, "rtl_density": {"fc": 0.5}}),
            result("delta_3", 1, 0.5, 0.875, cycles_per_frame=None),
            result("delta_3", 2, 0.25, 0.875, cycles_per_frame=None),
        ),
        settings={"dense": {}, "delta": {}, "delta_3": {}},
        texts={"dense": "as it is", "delta": "trained", "delta_3": ""},
        lengths={"delta": 6, "delta_3": 3},
        targets=targets,
        origin=ORIGIN,
        jobs=2,
    )


def test_ratios_are_taken_seed_by_seed() -> None:
    study = results()
    fewer, points = study.fewer("delta"), study.points("delta")
    assert fewer.mean == pytest.approx((4 + 8) / 2)
    assert fewer.spread == pytest.approx(8**0.5)
    assert points.mean == pytest.approx((-12.5 + 6.25) / 2)
    accuracy = study.summary("dense", lambda r: r.accuracy)
    assert accuracy is not None
    assert (accuracy.mean, accuracy.spread) == pytest.approx((0.625, 0.125 * 2**0.5))
    assert study.summary("delta_3", lambda r: r.cycles_per_frame) is None
    with pytest.raises(ConfigError, match="no such variant"):
        study.of("detla")


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        ("fewer MACs", 6.0),
        ("fewer events", 6.0),
        ("fewer cycles", 3.0),
        ("points of accuracy", -3.125),
    ],
)
def test_targets_compare_the_mean_with_the_limit(figure: str, value: float) -> None:
    for limit, met in ((value, True), (value + 0.01, False)):
        target = Goal(variant="delta", against="dense", figure=figure, at_least=limit)  # type: ignore[arg-type]
        study = results(target)
        assert study.figure(target).mean == pytest.approx(value)
        assert study.met(target) is met
        assert ("MISSED" in markdown(study)["targets"]) is not met


@pytest.mark.parametrize(("limit", "met"), [(3.125, True), (3.1, False)])
def test_equal_means_neither_less_nor_more(limit: float, met: bool) -> None:
    for variant, against in (("delta", "dense"), ("dense", "delta")):
        target = Goal(variant=variant, against=against, figure="points of accuracy", within=limit)
        assert results(target).met(target) is met
    assert f"| within {limit:g} of equal | 3.12 ± 13.26 | 12.50, -6.25 |" in markdown(results(target))["targets"]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "one limit.*neither"),
        ({"at_least": 1.0, "within": 1.0}, "one limit.*both"),
        ({"within": 1.0, "figure": "fewer MACs"}, "points of accuracy.*use at_least"),
        ({"within": -1.0}, "points of accuracy.*at least 0"),
    ],
)
def test_a_target_has_one_limit(limits: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Goal(**{"variant": "a", "against": "b", "figure": "points of accuracy", **limits})


def test_failures_are_missed_targets_and_networks_that_differ() -> None:
    met = Goal(variant="delta", against="dense", figure="fewer MACs", at_least=6.0)
    missed = Goal(variant="delta", against="dense", figure="fewer MACs", at_least=6.5)
    found = results(met, missed).failures()
    assert found == [
        "target missed: delta: fewer MACs against dense, at least 6.5, measured 6.00",
        "delta, seed 2: the sparsity counted by the RTL differs from that of training",
    ]
    assert result("a", 1, 0.5, 0.5, **{**SIMULATED, "mismatches": 3}).wrong() == (
        "3 of 80 values differ from the golden model's"
    )


def test_cycles_that_were_not_simulated_are_not_compared() -> None:
    target = Goal(variant="delta_3", against="dense", figure="fewer cycles", at_least=1.0)
    with pytest.raises(ConfigError, match="simulate = true"):
        results(target).figure(target)


def test_tables_hold_every_variant() -> None:
    study = results()
    assert [row[0] for row in rows(study)] == ["dense", "delta", "delta_3"]
    assert rows(study)[1][4] == "6.00x ± 2.83"
    assert rows(study)[2][7:] == ("-", "-")
    parts = markdown(study)
    assert "| delta | 1 | 80 | 0 | as training counts it |" in parts["deployed"]
    assert "| delta | 2 | 80 | 0 | **DIFFERS** |" in parts["deployed"]
    assert parts["times"] == (
        "6 trainings, 2 at a time, 3 minutes of training in all, the longest 0.5, on a chip, 2 cores. "
        "Made by commit abc with keras 3.1."
    )
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as shown:
        console.print(terminal(study))
    assert "delta_3" in shown.get()


def test_json_holds_every_figure(tmp_path: Path) -> None:
    results().write(tmp_path / "deep" / "s.json")
    record = json.loads((tmp_path / "deep" / "s.json").read_text())
    assert [item["accuracy"] for item in record["results"]] == [0.75, 0.5, 0.625, 0.5625, 0.5, 0.25]
    assert record["lengths"] == {"delta": 6, "delta_3": 3}
    assert record["origin"] == {
        "sources": "5e",
        "versions": {"keras": "3.1", "none": None},
        "commit": "abc",
        "machine": "a chip",
        "cores": 2,
    }


def test_the_plot_names_the_variants_and_is_the_same_again(tmp_path: Path) -> None:
    plot(results(), tmp_path / "a.svg")
    plot(results(), tmp_path / "b.svg")
    picture = (tmp_path / "a.svg").read_text()
    assert ">delta<" in picture
    assert "refinement epochs" in picture
    assert picture == (tmp_path / "b.svg").read_text()


def test_what_is_not_trained_yet_is_said_and_seeds_in_common_are_compared() -> None:
    targets = [Goal(variant=name, against="dense", figure="fewer MACs", at_least=9.0) for name in ("delta", "later")]
    whole = results(*targets)
    part = replace(
        whole, results=tuple(whole.results[place] for place in (0, 1, 2)), texts={**whole.texts, "later": "more"}
    )
    assert part.points("delta").mean == pytest.approx(-12.5)
    assert part.failures() == [
        "target missed: delta: fewer MACs against dense, at least 9, measured 4.00",
    ]
    parts = markdown(part)
    assert "| later | more (not run) |" in parts["variants"]
    (seed,) = {item.seed for item in part.results if item.variant == "delta"}
    for name in ("results", "layers"):
        assert f"| delta (seed {seed}) |" in parts[name]
        assert "| dense |" in parts[name]
    assert "| later: fewer MACs against dense | at least 9 | - | - | not run |" in parts["targets"]
    other = replace(part, results=(whole.results[0], whole.results[3]))
    with pytest.raises(ConfigError, match="no seed in common"):
        other.points("delta")


def test_classes_and_layers_are_means_over_seeds() -> None:
    whole = results()
    shares: dict[str, Any] = {"class_sparsity": {"a": 0.5, "b": None}, "class_accuracy": {"a": 0.25, "b": None}}
    others: dict[str, Any] = {"class_sparsity": {"a": 1.0, "b": None}, "class_accuracy": {"a": 0.75, "b": None}}
    found = [replace(whole.results[0], **shares), replace(whole.results[1], **others)]
    parts = markdown(replace(whole, results=tuple(found)))
    assert "| a | 75.0 / 50.0 |" in parts["classes"]
    assert "| b | - / - |" in parts["classes"]
    assert "| fc | 75.0 | 12.5 | 12.5 |" in markdown(whole)["layers"]
    assert "classes" not in markdown(whole), "results of an earlier version do not have them"
