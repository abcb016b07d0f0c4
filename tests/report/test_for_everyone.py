# SPDX-License-Identifier: Apache-2.0
"""What a phone, a paper and a manager need of a report: columns, units, names, baselines, origins, next steps."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from report.synthetic import made_build, synthetic_detail, synthetic_report
from rich.console import Console

from codesign.errors import ConfigError
from codesign.report import against, compare, summary, tables
from codesign.report.html import render, render_sheet
from codesign.report.model import (
    SCHEMA,
    Accuracy,
    Detail,
    Epoch,
    Made,
    Report,
    Throughput,
    read_report,
    with_builds,
    write_json,
)
from codesign.report.percentiles import Percentiles
from codesign.report.sheet import Sheet, markdown
from codesign.report.terminal import show
from codesign.report.trained import accuracy, epochs


def printed(report: Report, width: int = 400) -> str:
    out = io.StringIO()
    show(report, Console(file=out, width=width))
    return out.getvalue()


def everywhere(report: Report) -> dict[str, str]:
    """Return a report in every form that people read."""
    return {
        "page": render(report, synthetic_detail()),
        "terminal": printed(report),
        "table": markdown(against.sheet(report)),
        "comparison": markdown(compare.sheet([report, dataclasses.replace(report, design="other")])),
    }


def unrouted(report: Report) -> Report:
    speed = dataclasses.replace(report.throughput, clock_mhz=None, frames_per_second=None)
    return with_builds(dataclasses.replace(report, throughput=speed), ())


def test_wide_tables_label_their_cells_for_a_phone() -> None:
    report = synthetic_report()
    sheets = [tables.layers(report, more=True), tables.resources(report), against.sheet(report)]
    sheets.append(compare.sheet([report] * 6))
    for sheet in sheets:
        page = render_sheet(sheet)
        labelled = len(sheet.head) > 4
        assert ('class="sheet labelled"' in page) is labelled
        cells = re.findall(r'<td role="cell" data-head="([^"]*)"', page)
        rows = sum(len(group.rows) for group in sheet.groups)
        assert len(cells) == rows * (len(sheet.head) - 1)
        assert "content: attr(data-head)" in page
    assert tables.layers(report, more=True).head[:3] == ("layer", "cycles", "HLS cycles")  # the most telling first


def test_every_table_of_the_page_is_a_sheet() -> None:
    page = render(synthetic_report(), synthetic_detail())
    found = re.findall(r"<table[^>]*>", page)
    assert len(found) >= 5
    assert all('class="sheet ' in tag for tag in found)


@pytest.mark.parametrize("cards", range(2, 13))
def test_no_card_is_alone_in_its_row(cards: int) -> None:
    columns = summary.columns(cards)
    assert columns in (3, 4)
    assert cards % columns != 1
    report = with_builds(dataclasses.replace(synthetic_report(), energy=None), ())
    assert f"--columns: {summary.columns(len(summary.cards(report)))}" in render(report, Detail())


@pytest.mark.parametrize(("scale", "unit"), [(1e-3, "pJ"), (1.0, "nJ"), (100.0, "µJ"), (1e5, "mJ")])
def test_energies_of_a_report_have_one_unit(scale: float, unit: str) -> None:
    report = synthetic_report()
    assert report.energy is not None
    one = dataclasses.replace(report.energy.dense, total=300.0 * scale)
    quick = dataclasses.replace(report.energy.skipping, total=20.0 * scale)
    report = dataclasses.replace(report, energy=dataclasses.replace(report.energy, dense=one, skipping=quick))
    for place, text in everywhere(report).items():
        assert set(re.findall(r"[pnµm]J\b", text)) == {unit}, place
    small = dataclasses.replace(report, energy=synthetic_report().energy)
    assert set(re.findall(r"[pnµm]J\b", markdown(compare.sheet([report, small])))) <= {unit, "nJ"}
    assert len(set(re.findall(r"[pnµm]J\b", markdown(compare.sheet([report, small]))))) == 1


@pytest.mark.parametrize("name", ["encode", "input_delta", "quantise_pixels"])
def test_the_input_scan_has_one_name_whatever_its_layer_is_called(name: str) -> None:
    report = synthetic_report()
    network = [
        dataclasses.replace(
            item,
            name=name if item.name == "encode" else item.name,
            inputs=tuple(name if source == "encode" else source for source in item.inputs),
        )
        for item in report.network
    ]
    speed = dataclasses.replace(report.throughput, bottleneck_layer=name)
    build = made_build("x")
    cells = (dataclasses.replace(build.layers[0], name=name), *build.layers[1:])
    path = dataclasses.replace(build.critical_path, from_layer=name)  # type: ignore[type-var]
    report = dataclasses.replace(report, network=tuple(network), throughput=speed, memories=())
    report = with_builds(report, [dataclasses.replace(build, layers=cells, critical_path=path)])
    page, terminal = render(report, synthetic_detail()), printed(report)
    assert "here <b>input scan</b>" in page
    assert "goes from input scan to fc2" in page
    assert ">input scan</text>" in page
    assert "busiest unit input scan" in terminal
    for text in (page, terminal):
        assert name not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_a_report_without_its_network_knows_the_input_scan_by_the_name_it_had() -> None:
    speed = dataclasses.replace(synthetic_report().throughput, bottleneck_layer="encode")
    report = dataclasses.replace(synthetic_report(), network=(), throughput=speed)
    assert "here <b>input scan</b>" in render(report, Detail())


@pytest.mark.parametrize(
    ("name", "changes", "helps"),
    [
        ("encode", {}, "raise P above 16 codes a beat"),
        ("conv1", {}, "raise its unroll above 1x2: 2x2 takes one cycle an event"),
        ("conv2", {}, "raise its unroll above 1x2: 3x3 takes one cycle an event"),
        ("conv2", {"pe": 4}, "raise its PE above 4: 8 is all of its outputs at once"),
        ("conv2", {"pe": 4, "kind": "depthwise"}, "raise its unroll above 1x2: 3x3 takes one cycle an event"),
        ("conv2", {"unroll": (3, 3)}, "an event takes one cycle already: fewer changes in front of it"),
        ("add", {}, "an event takes one cycle already: fewer changes in front of it"),
        ("fc1", {"pe": 5}, "raise its PE above 5: 10 is all of its outputs at once"),
    ],
)
def test_the_bottleneck_comes_with_what_helps(name: str, changes: dict[str, Any], helps: str) -> None:
    report = synthetic_report()
    network = [dataclasses.replace(item, **changes) if item.name == name else item for item in report.network]
    speed = dataclasses.replace(report.throughput, bottleneck_layer=name)
    report = dataclasses.replace(report, network=tuple(network), throughput=speed)
    shown = "input scan" if name == "encode" else name
    assert f"{shown}: {helps}" in " ".join(printed(report).split())
    assert f"here <b>{shown}</b> ({helps}" in render(report, synthetic_detail())


def test_an_accuracy_stands_beside_what_it_is_to_be_compared_with() -> None:
    for place, text in everywhere(synthetic_report()).items():
        assert "96.3" in text, place
        assert "110" in text, place
        assert re.search(r"constant answer\W+(\|\s)?40.0", text), place
    unknown = dataclasses.replace(synthetic_report(), accuracy=Accuracy(delta=0.963))
    for place, text in everywhere(unknown).items():
        assert "constant answer" not in text, place


@pytest.mark.parametrize("cycles", [447.0, 12345.0])
def test_without_a_clock_the_cycles_are_shown_and_what_to_run(cycles: float) -> None:
    report = unrouted(synthetic_report())
    speed = dataclasses.replace(report.throughput, cycles_per_frame=Percentiles(mean=cycles, p95=cycles, max=cycles))
    report = dataclasses.replace(report, throughput=speed)
    steps = "frames/s: codesign build build/moving_digits --target ulx3s-85f, or [synth] route = true"
    for place, text in everywhere(report).items():
        assert steps in text, place
        assert f"{cycles:,.0f}" in text, place
    assert f"throughput        {cycles:,.0f} cycles per frame ({steps})" in re.sub(" {2,}", " " * 8, printed(report))
    for text in everywhere(synthetic_report()).values():
        assert "[synth] route" not in text


def test_a_measured_video_names_the_folder_of_its_design() -> None:
    report = dataclasses.replace(unrouted(synthetic_report()), design="moving_digits: v.mp4")
    assert "codesign build build/moving_digits --target" in printed(report)


def test_what_made_the_report_is_in_it() -> None:
    report = synthetic_report()
    made = (
        "codesign run flows/moving_digits.toml, seed 1, codesign 0.1.0, commit 0123456789ab, 2026-01-02T03:04:05+00:00"
    )
    assert made in render(report, Detail())
    assert made in printed(report)
    part = dataclasses.replace(report, made=Made(seed=3))
    assert "Made with seed 3.</p>" in render(part, Detail())
    assert "made with" not in printed(dataclasses.replace(report, made=Made()))


NEW = ("schema", "made", "network")
NEW_PARTS = {
    "accuracy": ("clips", "majority", "confusion"),
    "throughput": ("bound_cycles_per_frame", "bound_efficiency"),
}


def test_a_report_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(synthetic_report(), path)
    data = json.loads(path.read_text())
    for key in NEW:
        del data[key]
    for part, keys in NEW_PARTS.items():
        for key in keys:
            del data[part][key]
    path.write_text(json.dumps(data))
    found = read_report(path)
    assert (found.schema, found.made, found.network, found.accuracy.clips) == (None, Made(), (), None)
    assert found.throughput.bound_efficiency is None
    assert found.throughput.cycles_per_frame == synthetic_report().throughput.cycles_per_frame
    page = render(found, Detail(cycles=(5, 6), ideal=(4, 6)))
    assert "None" not in page
    assert "None" not in printed(found)
    assert "could not be avoided" not in page


def test_a_report_of_a_later_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"design": "x", "tool_versions": {}, "schema": SCHEMA + 1, "a_new_key": 1}))
    with pytest.raises(ConfigError, match=r"later version of codesign.*at most 2.*received 3|later version"):
        read_report(path)


TRAINING = {"accuracy": {"float": 0.5, "quantized": 0.4, "refined": 0.3, "delta": 0.75}}


def test_accuracy_comes_with_its_clips_and_its_majority() -> None:
    test = {"classes": ["a", "b"], "confusion": [[2, 1], [0, 1]]}
    found = accuracy({**TRAINING, "test": test})
    assert (found.float, found.quantized, found.delta) == (0.5, 0.4, 0.75)
    assert (found.clips, found.majority) == (4, 0.75)
    assert found.confusion is not None
    assert found.confusion.counts == ((2, 1), (0, 1))
    assert accuracy(TRAINING) == Accuracy(float=0.5, quantized=0.4, delta=0.75)


def test_epochs_come_from_the_log_of_training(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "phase,epoch,accuracy,density/fc1,loss,operation_sparsity\nfloat,1,0.5,,nan,\ndelta,1,0.75,0.1,2.0,0.9\n"
    )
    assert epochs(log) == (
        Epoch(phase="float", epoch=1, accuracy=0.5),
        Epoch(phase="delta", epoch=1, accuracy=0.75, loss=2.0, operation_sparsity=0.9),
    )
    assert epochs(tmp_path / "none.csv") == ()


def test_throughput_of_an_empty_report_is_a_dash() -> None:
    report = Report(design="x", tool_versions={}, throughput=Throughput())
    assert "frames/s: codesign build build/x" in printed(report)
    assert isinstance(tables.layers(report, more=False), Sheet)
