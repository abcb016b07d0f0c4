# SPDX-License-Identifier: Apache-2.0
"""The table of networks that others trained: every one is a row, also one that fails."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from six_inputs import small_graph

from benchmarks.networks import TABLE, Network, Row, Table, board_in_words, main, measure, read, words
from codesign.graph.file import save_graph
from codesign.paths import BuildFolder
from codesign.records import build, read_toml
from codesign.synth.record import Area, BoardBuild, write_build

KEYS = (
    "network, architecture, weight_bits, activation_bits, clips, decisions_kept, accuracy, float_accuracy, "
    "operation_sparsity, cycles_per_frame, dense_cycles_per_frame, memory_bits, lut, dsp, target, clock_mhz, "
    "frames_per_second, values, mismatches, bytes_per_frame, load_seconds"
)
DOCUMENT = "<!-- begin networks -->\n<!-- end networks -->\n<!-- begin failed -->\n<!-- end failed -->\n"
NETWORK = Network(name="small", what="a dense layer", model="small.keras", clips="waves")


def finished(folder: Path) -> None:
    """Write what the stages leave that the row is made of."""
    graph, stages = small_graph(), {}
    for stage in BuildFolder.MODEL, BuildFolder.GRAPH, BuildFolder.CSIM, BuildFolder.RTLSIM, BuildFolder.REPORT:
        stages[stage] = folder / stage
        stages[stage].mkdir(parents=True)
    training = {
        "accuracy": {},
        "float_agreement": {"decisions": 0.995, "frames": 96},
        "calibration": {"unseen_operation_sparsity": 0.9, "activations": [{"bits": 8}, {"bits": 10}]},
    }
    (stages[BuildFolder.MODEL] / "training.json").write_text(json.dumps(training))
    save_graph(graph, stages[BuildFolder.GRAPH])
    for stage, pair in ((BuildFolder.GRAPH, "keras_golden"), (BuildFolder.RTLSIM, "golden_rtl")):
        (stages[stage] / f"{pair}.json").write_text(json.dumps({"values": 48, "mismatches": 0}))
    rates = {
        "cycles_per_frame": {"mean": 120.5},
        "dense_cycles_per_frame": 900,
        "clock_mhz": None,
        "frames_per_second": None,
    }
    (stages[BuildFolder.REPORT] / "report.json").write_text(json.dumps({"throughput": rates}))


def test_a_row_has_what_the_stages_found(tmp_path: Path) -> None:
    finished(tmp_path / "small")
    row = read(NETWORK, tmp_path / "small")
    assert ", ".join(dataclasses.asdict(row)) == KEYS
    assert (row.decisions_kept, row.operation_sparsity, row.clips) == (0.995, 0.9, "waves, 96 unseen frames")
    assert (row.activation_bits, row.cycles_per_frame, row.values, row.mismatches) == (10, 120.5, 48, 0)
    assert row.architecture == "pipeline"
    assert (row.accuracy, row.lut, row.frames_per_second) == (None, None, None)
    assert (row.weight_bits or 0) > 1
    assert (row.memory_bits or 0) > 100
    assert board_in_words(tmp_path / "small") == "icebreaker, 6 of 6"
    assert board_in_words(tmp_path / "gone") == "-"
    said = words([row, Row(network="gone")], [NETWORK, dataclasses.replace(NETWORK, name="gone")], {"small": "all"})
    assert "| small: a dense layer | waves, 96 unseen frames |" in said
    assert "99.5 % | 90.0 %" in said
    assert said.splitlines()[-1].count("- |") >= 5
    assert said.splitlines()[-2].count("| all |") == 1


@pytest.mark.parametrize(
    ("builds", "found", "rate", "shown"),
    [
        ({"a": None, "b": 70.0}, "b", 500_000, "| 9,002 / 12, b | 500,000 at 60.25 MHz |"),
        ({"a": 48.2, "b": 70.0}, "a", 400_000, "| 9,001 / 12, a | 400,000 at 48.2 MHz |"),
        ({"a": None, "b": None}, "a", None, "| 9,001 / 12, a | - |"),
        ({}, None, None, "| - | - |"),
    ],
)
def test_a_build_gives_cells_and_a_routed_one_the_rate(
    tmp_path: Path, builds: dict[str, float | None], found: str | None, rate: float | None, shown: str
) -> None:
    finished(tmp_path / "small")
    for number, (target, fmax) in enumerate(builds.items(), 1):
        record = BoardBuild(
            design="small",
            design_id=None,
            target=target,
            top="uart",
            skip=True,
            clock_mhz=60.25,
            met=None if fmax is None else fmax >= 60.25,
            fmax_mhz=fmax,
            used=Area(lut=9000 + number, dsp=12),
        )
        (tmp_path / "small" / BuildFolder.BOARDS / target).mkdir(parents=True)
        write_build(record, tmp_path / "small" / BuildFolder.BOARDS / target / "build.json")
    row = read(NETWORK, tmp_path / "small")
    assert (row.target, row.frames_per_second) == (found, rate)
    assert (row.clock_mhz is None) == (rate is None)
    assert shown in words([row], [NETWORK], {})


def test_one_that_fails_is_a_row_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "clips/waves").mkdir(parents=True)
    (tmp_path / "models/small.keras").write_bytes(b"")
    given: list[Sequence[str]] = []

    def run(arguments: Sequence[str]) -> str:
        given.append(arguments)
        return f"{tmp_path}/models/small.keras: not a model."

    other = dataclasses.replace(NETWORK, name="gone", model="gone.h5")
    rows, failed = measure([NETWORK, other], tmp_path / "models", tmp_path / "clips", tmp_path / "out", run)
    assert failed == {"small": "small.keras: not a model.", "gone": "gone.h5 is missing."}
    assert [row.network for row in rows] == ["small", "gone"]
    assert {row.mismatches for row in rows} == {None}
    assert [arguments[1:3] for arguments in given] == [["--clips", str(tmp_path / "clips/waves")]]


def test_the_table_can_be_read() -> None:
    networks = build(Table, read_toml(TABLE), where="", folder=TABLE.parent).network
    assert len({network.name for network in networks}) == len(networks) >= 10


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_a_model_goes_through_and_into_the_document(tmp_path: Path) -> None:
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((5,)), L.Dense(6, activation="relu"), L.Dense(3)])
    (tmp_path / "models").mkdir()
    model.save(tmp_path / "models/small.keras")
    (tmp_path / "clips/waves").mkdir(parents=True)
    for number in range(4):
        frames = np.sin(np.arange(26)[:, None] / 9 + number + np.arange(5)).astype(np.float32)
        np.save(tmp_path / f"clips/waves/{number}.npy", frames)
    (tmp_path / "t.toml").write_text(
        '[[network]]\nname = "small"\nwhat = "a dense layer"\nmodel = "small.keras"\nclips = "waves"\n'
        'options = ["--agreement", "0.8", "--to", "2_graph"]\n'
    )
    (tmp_path / "n.md").write_text(DOCUMENT)
    argv = ["--models", str(tmp_path / "models"), "--clips", str(tmp_path / "clips"), "--folder", str(tmp_path / "b")]
    argv += ["--table", str(tmp_path / "t.toml"), "--json", str(tmp_path / "n.json")]
    assert main([*argv, "--markdown", str(tmp_path / "n.md")]) == 0
    (row,) = json.loads((tmp_path / "n.json").read_text())
    assert (row["network"], row["mismatches"], row["cycles_per_frame"]) == ("small", 0, None)
    text = (tmp_path / "n.md").read_text()
    assert "0 of 72" in text
    assert "All of them go through." in text
    (tmp_path / "models/small.keras").write_bytes(b"no model")
    assert main([*argv, "--markdown", str(tmp_path / "n.md")]) == 1
    assert "* small: small.keras" in (tmp_path / "n.md").read_text()
