# SPDX-License-Identifier: Apache-2.0
"""A study that really trains, twice; what is done stays done, a failure names its log and loses nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from codesign.cli import main
from codesign.errors import StageError
from codesign.study import Result, load_study, run_study, work
from codesign.study import run as study_run
from codesign.study.origin import find_origin

STUDY = """
[study]
name = "tiny"
seeds = [3]
[data]
frames = 3
size = 8
digit = 8.0
travel = 0.0
noise = 20.0
train = 8
val = 0
test = 5
[model]
blocks = [{kind = "conv", filters = 2, stride = 2}]
hidden = []
[training]
float_epochs = 1
quantized_epochs = 1
delta_epochs = 1
batch_size = 4
[variant.dense]
training = {method = "dense"}
[variant.delta]
simulate = true
model = {activation_step = "po2"}
"""


@pytest.fixture(scope="module", params=["1", pytest.param("2", marks=pytest.mark.heavy)])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was trained in this process, or in two others."""
    request.getfixturevalue("eager_module")
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(STUDY, encoding="utf-8")
    assert main(["compare", str(path), "--jobs", request.param, "--build-dir", str(path.parent), *_outputs(path)]) == 0
    return path


def _outputs(path: Path) -> list[str]:
    document = path.with_name("doc.md")
    names = ("command", "variants", "results", "targets", "times", "deployed", "layers", "classes")
    marks = [f"{name} of tiny" for name in names]
    document.write_text("\n".join(f"<!-- begin {name} -->\n<!-- end {name} -->" for name in marks), encoding="utf-8")
    return [
        "--json",
        str(path.with_name("all.json")),
        "--plot",
        str(path.with_name("p.svg")),
        "--markdown",
        str(document),
    ]


def test_what_is_trained_is_what_the_rtl_computes(study: Path) -> None:
    told: list[tuple[str, bool]] = []

    def tell(result: Result, _: int, total: int, cached: bool) -> None:
        assert total == 2
        told.append((result.variant, cached))

    results = run_study(load_study(study), study.parent / "tiny", command="again", progress=tell)
    assert told == [("dense", True), ("delta", True)]
    dense, delta = results.of("dense")[0], results.of("delta")[0]
    assert dense.operation_sparsity == dense.spatial_sparsity
    assert dense.simulated_cycles_per_frame is None
    assert (delta.mismatches, delta.values) == (0, 5 * 3 * 10)
    assert delta.as_trained()
    assert delta.simulated_cycles_per_frame is not None
    assert delta.simulated_cycles_per_frame > 0
    text = study.with_name("doc.md").read_text()
    assert "| delta | 3 | 150 | 0 | as training counts it |" in text
    assert "| 0 | " in text, "a row for each class"
    assert "| conv1 | " in text
    assert study.with_name("p.svg").is_file()


def test_what_is_trained_so_far(study: Path, tmp_path: Path) -> None:
    options = ["--trained", "--seeds", "3", "4", "--json", str(tmp_path / "a.json")]
    assert main(["compare", str(study), "--build-dir", str(study.parent), *options]) == 0
    found = json.loads((tmp_path / "a.json").read_text())["results"]
    assert [(item["variant"], item["seed"]) for item in found] == [("dense", 3), ("delta", 3)]
    assert list(found[0]["class_accuracy"]) == [str(digit) for digit in range(10)]
    assert main(["compare", str(study), "--build-dir", str(tmp_path), "--trained"]) == 2


def test_figures_of_other_code_or_tools_are_not_used_again(study: Path) -> None:
    loaded, origin = load_study(study), find_origin()
    pair = loaded.variants[0], loaded.seeds[0]
    assert study_run._cached(*pair, origin, study.parent / "tiny") is not None
    for other in (
        replace(origin, sources="other"),
        replace(origin, versions={**origin.versions, "keras": "0.1"}),
    ):
        assert study_run._cached(*pair, other, study.parent / "tiny") is None
    elsewhere = replace(origin, machine="another", cores=64, commit=None)
    assert study_run._cached(*pair, elsewhere, study.parent / "tiny") is not None
    record = json.loads(study.with_name("all.json").read_text())
    assert record["origin"]["versions"]["tensorflow"] == origin.versions["tensorflow"] is not None
    assert record["origin"]["sources"] == origin.sources


def test_a_network_that_differs_fails_the_command(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = study.parent / "tiny" / "delta" / "seed3" / work.RESULT
    record = json.loads(path.read_text())
    for wrong, words in (
        ({"mismatches": 7}, "7 of 150 values differ"),
        ({"rtl_operation_sparsity": 0.123}, "sparsity counted by the RTL differs"),
    ):
        path.write_text(json.dumps({**record, "result": {**record["result"], **wrong}}))
        assert main(["compare", str(study), "--build-dir", str(study.parent)]) == 1
        assert words in capsys.readouterr().out
    path.write_text(json.dumps(record))
    assert main(["compare", str(study), "--build-dir", str(study.parent)]) == 0


def test_only_what_changed_is_trained_again_and_a_failure_loses_nothing(study: Path) -> None:
    changed = study.with_name("changed.toml")
    changed.write_text(STUDY.replace('method = "dense"', 'method = "spatial"'), encoding="utf-8")
    in_the_way = study.parent / "tiny" / "dense" / "seed3" / f"{work.RESULT}.part"
    in_the_way.mkdir()
    with pytest.raises(StageError, match=r"the training failed.*log\.txt") as error:
        run_study(load_study(changed), study.parent / "tiny", command="changed")
    in_the_way.rmdir()
    assert str(study.parent / "tiny" / "dense" / "seed3") in str(error.value)
    told: list[bool] = []
    run_study(load_study(study), study.parent / "tiny", command="c", progress=lambda *args: told.append(args[3]))
    assert told == [True, True]
