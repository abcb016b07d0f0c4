# SPDX-License-Identifier: Apache-2.0
"""`codesign report` finds what was built for boards since, leaves out what is stale, and compares designs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from finished import finish
from nodes import node as node_of

from benchmarks.dense import network
from codesign.cli import main
from codesign.flow.manifest import check_unedited
from codesign.graph import Dense
from codesign.graph.file import save_graph
from codesign.report.model import (
    DETAIL,
    REPORT,
    SCHEMA,
    Accuracy,
    Detail,
    Report,
    Throughput,
    read_report,
    write_json,
)
from codesign.report.percentiles import Percentiles
from codesign.rtl import emit
from codesign.rtl.identity import design_id
from codesign.synth.record import Area, BoardBuild, write_build

GRAPH = network(shape=(2, 4), outputs=(4, 2))


def finished_design(build: Path) -> Path:
    """Put a finished design with a graph and a report into ``build``."""
    (build / "2_graph").mkdir(parents=True)
    (build / "6_report").mkdir()
    save_graph(GRAPH, build / "2_graph")
    speed = Throughput(cycles_per_frame=Percentiles(mean=100.0, p95=150.0, max=200.0))
    write_json(Report(design=build.name, tool_versions={}, throughput=speed), build / "6_report" / REPORT)
    write_json(Detail(), build / "6_report" / DETAIL)
    finish(build / "6_report")
    return build


def put_build(build: Path, target: str, identity: str) -> None:
    record = BoardBuild(
        design=build.name,
        design_id=identity,
        target=target,
        top="uart",
        skip=True,
        clock_mhz=100.0,
        fmax_mhz=110.0,
        met=True,
        used=Area(lut=1000),
        available=Area(lut=10000),
    )
    (folder := build / "boards" / target).mkdir(parents=True)
    write_build(record, folder / "build.json")


def test_builds_made_since_are_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = finished_design(tmp_path / "first")
    put_build(build, "ulx3s-85f", f"{design_id(emit(GRAPH)):08x}")
    put_build(build, "zcu104", "00000000")
    for _ in range(2):
        assert main(["report", str(build)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "1,100,000 frames/s mean, 550,000 worst, at 110.0 MHz routed for ulx3s-85f" in out
    assert "boards/zcu104/build.json holds another state of first" in out
    check_unedited(build / "6_report")
    (board,) = json.loads((build / "6_report" / REPORT).read_text())["boards"]
    assert board["frames_per_second"] == {"mean": 1.1e6, "p95": pytest.approx(110e6 / 150), "worst": 5.5e5}
    assert board["share"] == {"lut": 0.1, "ff": None, "dsp": None, "bram_bits": None}
    assert "On ulx3s-85f" in (build / "6_report" / "report.html").read_text()
    (build / "boards" / "ulx3s-85f" / "build.json").unlink()
    assert main(["report", str(build)]) == 0
    assert json.loads((build / "6_report" / REPORT).read_text())["boards"] == []


def test_several_designs_are_compared_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (finished_design(tmp_path / name) for name in ("first", "second"))
    put_build(first, "ulx3s-85f", f"{design_id(emit(GRAPH)):08x}")
    outputs = {kind: tmp_path / f"out.{kind}" for kind in ("markdown", "html", "latex")}
    arguments = [part for kind, path in outputs.items() for part in (f"--{kind}", str(path))]
    assert main(["report", str(first), str(second), *arguments]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Not built for ulx3s-85f: second." in out
    assert "|  | first | second |" in outputs["markdown"].read_text()
    assert "1,100,000" in outputs["html"].read_text()
    assert r"\toprule" in outputs["latex"].read_text()


def test_one_design_is_written_as_dense_beside_skipping(tmp_path: Path) -> None:
    build = finished_design(tmp_path / "first")
    put_build(build, "ulx3s-85f", f"{design_id(emit(GRAPH)):08x}")
    assert main(["report", str(build), "--markdown", str(tmp_path / "out.md")]) == 0
    assert "|  | dense | skipping | skipping / dense |" in (tmp_path / "out.md").read_text()


def test_a_changed_weight_makes_a_build_stale() -> None:
    first = node_of(GRAPH, "fc0", Dense)
    other = dataclasses.replace(first, weight=-first.weight)
    nodes = tuple(other if node.name == "fc0" else node for node in GRAPH.nodes)
    assert design_id(emit(dataclasses.replace(GRAPH, nodes=nodes))) != design_id(emit(GRAPH))


def test_a_report_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    build = finished_design(tmp_path / "first")
    path = build / "6_report" / REPORT
    data = json.loads(path.read_text())
    for key in ("schema", "made", "network"):
        del data[key]
    data["accuracy"] = {"float": 0.5, "quantized": None, "delta": 0.75}
    del data["throughput"]["bound_cycles_per_frame"], data["throughput"]["bound_efficiency"]
    path.write_text(json.dumps(data))
    finish(build / "6_report")
    assert main(["report", str(build)]) == 0
    now = json.loads(path.read_text())
    assert (now["schema"], now["accuracy"]["delta"], now["accuracy"]["clips"]) == (SCHEMA, 0.75, None)
    assert now["throughput"]["bound_efficiency"] is None
    assert set(now["made"].values()) == {None}
    assert (build / "6_report" / "figures" / "accuracy.png").is_file()
    check_unedited(build / "6_report")
    assert main(["report", str(build)]) == 0


@pytest.mark.parametrize(
    "detail",
    [
        {"cycles": (-1, 5), "ideal": (1, 1)},
        {"cycles": (0, 0), "ideal": (0, 0)},
        {"stills": ({"frame": 0, "height": 3, "width": 7, "codes": (999,), "changes": (5,)},)},
    ],
)
def test_values_that_cannot_be_are_one_error_and_change_nothing(
    detail: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = finished_design(tmp_path / "first")
    (build / "6_report" / DETAIL).write_text(json.dumps(detail))
    finish(build / "6_report")
    put_build(build, "ulx3s-85f", f"{design_id(emit(GRAPH)):08x}")
    before = (build / "6_report" / REPORT).read_bytes()
    assert main(["report", str(build)]) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "the figures cannot be drawn" in error
    assert "--from 6_report" in error
    assert (build / "6_report" / REPORT).read_bytes() == before
    check_unedited(build / "6_report")


def test_figures_that_were_deleted_are_made_again(tmp_path: Path) -> None:
    build = finished_design(tmp_path / "first")
    report = dataclasses.replace(read_report(build / "6_report" / REPORT), accuracy=Accuracy(delta=0.5))
    write_json(report, build / "6_report" / REPORT)
    finish(build / "6_report")
    assert main(["report", str(build)]) == 0
    figure = build / "6_report" / "figures" / "accuracy.svg"
    before = figure.read_text()
    figure.unlink()
    assert main(["report", str(build)]) == 0
    assert figure.read_text() == before
