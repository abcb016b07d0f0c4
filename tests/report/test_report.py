# SPDX-License-Identifier: Apache-2.0
"""report.json keeps its names and its unknowns; the page is self-contained and its charts carry units."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from report.synthetic import synthetic_detail, synthetic_report
from rich.console import Console

from codesign.errors import ConfigError
from codesign.records import plain
from codesign.report.html import render
from codesign.report.model import (
    Accuracy,
    Agreement,
    Detail,
    Mismatches,
    Report,
    Throughput,
    read_json,
    read_report,
    write_json,
)
from codesign.report.percentiles import Percentiles
from codesign.report.png import FELL, ROSE, change_image, frame_image
from codesign.report.svg import linear_ticks, log_ticks, spread_labels
from codesign.report.terminal import show

SPREAD = {"mean": float, "p95": float, "max": float}
CELLS = {"lut": int, "ff": int, "dsp": int, "bram_bits": int}
NANOJOULES = {"multiply": float, "add": float, "weights": float, "state": float, "references": float, "total": float}
BUILD: dict[str, Any] = {
    "design": str,
    "design_id": str,
    "target": str,
    "top": str,
    "skip": bool,
    "clock_mhz": float,
    "baud": int,
    "seed": int,
    "frame_bytes": int,
    "result_bytes": int,
    "fmax_mhz": float,
    "met": bool,
    "sdram_mhz": float,
    "sdram_fmax_mhz": float,
    "tools": dict,
    "used": CELLS,
    "available": CELLS,
    "layers": [{"name": str, **CELLS}],
    "critical_path": dict,
    "bitstream": str,
    "seconds": {"synthesise": float, "route": float, "pack": float},
    "problem": str,
}
SCHEMA: dict[str, Any] = {
    "design": str,
    "tool_versions": dict,
    "schema": int,
    "architecture": str,
    "core": {
        "lanes": int,
        "cycles_per_frame": float,
        "bytes_per_frame": float,
        "busy": float,
        "estimated_bytes_per_frame": float,
    },
    "fits": [str],
    "made": {"seed": int, "commit": str, "date": str, "command": str, "version": str},
    "network": [
        {
            "name": str,
            "kind": str,
            "inputs": list,
            "shape": list,
            "bits": int,
            "lanes": int,
            "pe": int,
            "unroll": list,
            "kernel": list,
            "stride": list,
            "weights": int,
            "weight_bits": int,
            "hold": float,
        }
    ],
    "accuracy": {
        "float": float,
        "quantized": float,
        "delta": float,
        "clips": int,
        "majority": float,
        "confusion": {"classes": list, "counts": list},
    },
    "agreement": {
        "frames": int,
        "values": int,
        "mismatches": {"keras_golden": int, "golden_csim": int, "golden_rtl": int, "golden_hls": int},
    },
    "float_agreement": {"decisions": float, "mean_abs_difference": float, "frames": int},
    "layers": [
        {
            "name": str,
            "kind": str,
            "macs_per_frame": int,
            "density": SPREAD,
            "operation_sparsity": float,
            "spatial_sparsity": float,
            "events_per_frame": float,
            "cycles_per_frame": float,
            "ideal_cycles_per_frame": float,
            "state_bits": int,
            "weight_bits": int,
            "estimated_cycles_per_frame": float,
            "hls_cycles_per_frame": float,
        }
    ],
    "throughput": {
        "cycles_per_frame": SPREAD,
        "dense_cycles_per_frame": float,
        "speedup": float,
        "ideal_cycles_per_frame": float,
        "skip_efficiency": float,
        "bottleneck_layer": str,
        "latency_cycles": float,
        "clock_mhz": float,
        "frames_per_second": float,
        "estimated_cycles_per_frame": float,
        "estimated_dense_cycles_per_frame": float,
        "dense_cycles_spread": SPREAD,
        "bound_cycles_per_frame": float,
        "bound_efficiency": float,
    },
    "resources": [
        {
            "target": str,
            "tool": str,
            "tool_version": str,
            "kind": str,
            "lut": int,
            "ff": int,
            "dsp": int,
            "bram_bits": int,
            "fmax_mhz": float,
        }
    ],
    "memories": [{"layer": str, "kind": str, "bits": int}],
    "origins": dict,
    "clips": {"source": str, "count": int, "frames": int, "shape": list, "digest": str},
    "hls": {
        "cycles_per_frame": SPREAD,
        "origin": str,
        "compiler": str,
        "clock_mhz": float,
        "estimated_cycles_per_frame": SPREAD,
    },
    "energy": {"source": str, "picojoules": dict, "skipping": NANOJOULES, "dense": NANOJOULES, "ratio": float},
    "boards": [
        {
            "build": BUILD,
            "share": {"lut": float, "ff": float, "dsp": float, "bram_bits": float},
            "frames_per_second": {"mean": float, "p95": float, "worst": float},
            "frames_per_second_per_lut": float,
            "frames_per_second_over_serial": float,
        }
    ],
}


def check_schema(data: Any, schema: Any, where: str = "report") -> None:
    """Every key there, none more, every value of its type or null."""
    if data is None:
        return
    if isinstance(schema, dict):
        assert sorted(data) == sorted(schema), where
        for key, inner in schema.items():
            check_schema(data[key], inner, f"{where}.{key}")
    elif isinstance(schema, list):
        for index, item in enumerate(data):
            check_schema(item, schema[0], f"{where}[{index}]")
    else:
        assert isinstance(data, schema), f"{where}: {data!r}"


def empty_report() -> Report:
    return Report(design="nothing", tool_versions={})


def test_schema(tmp_path: Path) -> None:
    for report in (synthetic_report(), empty_report()):
        write_json(report, tmp_path / "report.json")
        check_schema(json.loads((tmp_path / "report.json").read_text()), SCHEMA)


def test_round_trip(tmp_path: Path) -> None:
    for record in (synthetic_report(), empty_report(), synthetic_detail()):
        write_json(record, tmp_path / "x.json")
        assert read_json(type(record), tmp_path / "x.json") == record


def test_a_report_of_an_earlier_version(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(synthetic_report(), path)
    assert '"unroll"' in path.read_text()
    path.write_text(path.read_text().replace('"unroll"', '"taps"'))
    assert read_json(Report, path) == read_report(path) == synthetic_report()


def test_unknown_is_null_never_0() -> None:
    data = plain(empty_report())
    assert set(data["accuracy"]) >= {"float", "quantized", "delta", "clips", "majority", "confusion"}
    assert set(data["accuracy"].values()) == set(data["made"].values()) == {None}
    for name in ("cycles_per_frame", "dense_cycles_spread"):
        assert data["throughput"].pop(name) == {"mean": None, "p95": None, "max": None}
    assert data["energy"] is data["clips"] is None
    assert set(data["throughput"].values()) == {None}
    assert set(data["agreement"]["mismatches"].values()) == {None}
    assert Percentiles.of([]) == Percentiles()


def test_spread() -> None:
    spread = Percentiles.of(np.arange(101))
    assert (spread.mean, spread.p95, spread.max) == (50.0, 95.0, 100.0)


def test_broken_json_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(ConfigError, match=r"report\.json: cannot be read"):
        read_json(Report, path)
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"report\.json: cannot be read"):
        read_json(Report, path)
    path.write_text('{"design": "x", "tool_versions": {}, "acuracy": {}}')
    with pytest.raises(ConfigError, match="did you mean 'accuracy'"):
        read_json(Report, path)


class Page(HTMLParser):
    """Collects links, and checks that every tag that must be closed is."""

    VOID = frozenset({"meta", "img", "br", "line", "rect", "polyline", "link", "input"})
    OPTIONAL = frozenset({"th", "td", "tr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.urls: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.urls += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]
        if tag not in self.VOID | self.OPTIONAL:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.OPTIONAL | self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return render(synthetic_report(), synthetic_detail())


def test_page_is_self_contained_and_well_formed(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert all(url.startswith("data:image/png;base64,") for url in parsed.urls)
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert not [tag for tag, _ in parsed.tags if tag in ("script", "link", "iframe", "object")]


def test_page_serves_everyone(page: str) -> None:
    parsed = Page(page)
    charts = [attributes for tag, attributes in parsed.tags if tag == "svg"]
    assert len(charts) == 14  # seven charts, each for a desk and for a phone
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert all(attributes.get("alt") for tag, attributes in parsed.tags if tag == "img")
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert 'name="viewport"' in page


def test_axes_have_units(page: str) -> None:
    names = re.findall(r'class="axis-name[^"]*"[^>]*>([^<]*)<', page)
    assert set(names) == {
        "clock cycles per frame, logarithmic",
        "frame of the clip",
        "busy clock cycles per frame",
        "inputs that changed, percent",
        "test clips classified correctly, percent",
        "class that the network chose",
        "true",
        "epoch",
        "percent",
    }


def test_page_names_tool_and_origin_of_every_figure(page: str) -> None:
    assert "yosys 0.60" in page
    assert "routed" in page
    assert "place and route" in page
    assert "hls4ml 1.3.0" in page
    assert "nextpnr-ecp5 not installed" in page


def test_page_without_figures_says_so_and_shows_no_zeros() -> None:
    page = render(empty_report(), Detail())
    Page(page)
    assert "not compared" in page
    assert "Not synthesised" in page
    assert "<svg" not in page


def test_page_escapes_names() -> None:
    layer = dataclasses.replace(synthetic_report().layers[0], name="<b>&fc")
    page = render(dataclasses.replace(synthetic_report(), layers=(layer,)), Detail())
    assert "<b>&fc" not in page
    assert "&lt;b&gt;&amp;fc" in page


def test_mismatches_are_loud() -> None:
    agreement = Agreement(frames=10, values=100, mismatches=Mismatches(keras_golden=0, golden_csim=0, golden_rtl=3))
    page = render(dataclasses.replace(synthetic_report(), agreement=agreement), Detail())
    assert "3 mismatches" in page
    assert 'class="card bad"' in page
    assert "the outputs differ" in page.lower()


def test_same_report_same_page() -> None:
    assert render(synthetic_report(), synthetic_detail()) == render(synthetic_report(), synthetic_detail())


def test_terminal_table() -> None:
    out = io.StringIO()
    show(synthetic_report(), Console(file=out, width=140))
    text = out.getvalue()
    assert "14.2\N{MULTIPLICATION SIGN}" in text
    for figure in ("96.3 %", "102,400", "Keras 0, csim 0, RTL 0", "fc1", "65,536", "nextpnr-ecp5", "112.4"):
        assert figure in text
    out = io.StringIO()
    show(
        dataclasses.replace(empty_report(), throughput=Throughput(), accuracy=Accuracy()), Console(file=out, width=140)
    )
    assert "0" not in out.getvalue()


def test_pictures_are_png() -> None:
    still = synthetic_detail().stills[0]
    begin = "data:image/png;base64,"
    images = [frame_image(still), change_image(still)]
    assert all(image.startswith(begin) for image in images)
    grey, changes = (np.asarray(Image.open(io.BytesIO(base64.b64decode(image[len(begin) :])))) for image in images)
    assert grey.ravel().tolist() == list(still.codes)
    for value, pixel in zip(still.changes, changes.reshape(-1, 4).tolist(), strict=True):
        assert pixel == [0, 0, 0, 0] if value == 0 else tuple(pixel) == (ROSE if value > 0 else FELL)


def test_ticks_and_labels() -> None:
    assert log_ticks(60, 6000) == [100, 200, 500, 1000, 2000, 5000]
    assert linear_ticks(95, 5) == [0, 20, 40, 60, 80]
    apart = spread_labels([100.0, 101.0, 300.0])
    assert apart[1] - apart[0] >= 16.9
    assert apart[2] == 300.0
