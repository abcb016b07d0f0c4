# SPDX-License-Identifier: Apache-2.0
"""The figures as files: the same as in the page, whole without a style sheet, and readable wherever they are shown."""

from __future__ import annotations

import dataclasses
import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph
from report.synthetic import synthetic_detail, synthetic_report

from codesign.report.charts import NAMES, figures
from codesign.report.diagram import diagram
from codesign.report.drawing import NARROW, WIDE, Box, Drawing, Text, standalone
from codesign.report.drawing import Path as Line
from codesign.report.files import draw_pages, write_pages
from codesign.report.matrix import matrix
from codesign.report.model import Confusion, Detail, Epoch, Report
from codesign.report.network import units
from codesign.report.style import CLASSES, PLAIN

SVG = "{http://www.w3.org/2000/svg}"


def inside(drawing: Drawing) -> None:
    """Check that every mark is on the page; letters are taken as 8 pixels wide at most."""
    for mark in drawing.marks:
        if isinstance(mark, Box):
            assert mark.x >= -0.1
            assert mark.x + mark.width <= drawing.width + 0.1
            assert 0 <= mark.y <= mark.y + mark.height <= drawing.height + 0.1
        elif isinstance(mark, Line):
            assert all(-0.1 <= x <= drawing.width + 0.1 and -0.1 <= y <= drawing.height + 0.1 for x, y in mark.points)
        else:
            assert 0 <= mark.x <= drawing.width, mark
            assert 0 <= mark.y <= drawing.height, mark


def test_each_figure_of_the_page_is_a_file_twice_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        written = draw_pages(synthetic_report(), synthetic_detail())
        write_pages(written, folder)
        assert sorted(written) == sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    assert set(written) == {"report.html", *(f"figures/{name}.{kind}" for name in NAMES for kind in ("svg", "png"))}
    for name in written:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    for path in (first / "figures").glob("*.svg"):
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert root.find(f"{SVG}title") is not None
        assert not root.findall(".//*[@class]")
        assert "var(" not in path.read_text(encoding="utf-8")
        png = path.with_suffix(".png").read_bytes()
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = (float(root.attrib[side]) for side in ("width", "height"))
        size = tuple(int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
        assert size == pytest.approx((2 * width, 2 * height), abs=1)


def test_a_figure_that_has_no_data_any_more_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for name in ("cycles.svg", "cycles.png"):
        (tmp_path / "figures" / name).write_text("old")
    pages = draw_pages(Report(design="empty", tool_versions={}), Detail())
    write_pages(pages, tmp_path)
    assert set(pages) == {"report.html"}
    assert list((tmp_path / "figures").iterdir()) == []


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_every_mark_has_its_style_and_its_place(width: int) -> None:
    for draw in figures(synthetic_report(), synthetic_detail()).values():
        drawing = draw(width)
        inside(drawing)
        assert {name for mark in drawing.marks for name in mark.style.split()} <= {*CLASSES, PLAIN}
        ET.fromstring(standalone(drawing))


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("seed", range(9))
def test_the_diagram_has_a_box_for_each_engine_and_they_do_not_meet(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    graph = (random_graph, random_conv_graph, random_branching_graph)[seed % 3](rng)
    drawing = diagram(width, Report(design="t", tool_versions={}, network=units(graph)))
    inside(drawing)
    names = [mark.text for mark in drawing.marks if isinstance(mark, Text) and "label" in mark.style]
    assert names.count(graph.source.name) == 1
    assert set(names) == {graph.source.name, *(node.name for node in graph.engines)}
    boxes = [mark for mark in drawing.marks if isinstance(mark, Box) and mark.style == "box"]
    assert len(boxes) == len(names)
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y
    arrows = [mark for mark in drawing.marks if isinstance(mark, Line) and len(mark.points) == 3]
    reads = {(node.name, graph[name].inputs[0]) for node in graph.engines for name in node.inputs}
    assert len(arrows) == len(reads)
    texts = " ".join(mark.text for mark in drawing.marks if isinstance(mark, Text))
    assert f"PE {graph.engines[0].pe}" in texts
    assert "input scan: changes" in texts or width == NARROW


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("classes", [1, 2, 10, 24, 101])
def test_a_confusion_matrix_of_any_size_fits(classes: int, width: int) -> None:
    counts = np.random.default_rng(classes).integers(0, 3, (classes, classes)).tolist()
    names = tuple(f"a class with a long name {index}" for index in range(classes))
    drawing = matrix(width, Confusion(classes=names, counts=tuple(map(tuple, counts))), title="t")
    inside(drawing)
    cells = [mark for mark in drawing.marks if isinstance(mark, Box)]
    assert len(cells) == sum(count > 0 for row in counts for count in row)
    rows = [mark for mark in drawing.marks if isinstance(mark, Text) and "end" in mark.style.split()]
    assert all(len(mark.text) * 6.5 <= mark.x + 8 for mark in rows)


def test_training_that_was_not_recorded_in_full_has_gaps() -> None:
    detail = Detail(
        epochs=(
            Epoch(phase="float", epoch=1, accuracy=0.5),
            Epoch(phase="delta", epoch=1, accuracy=0.7, operation_sparsity=0.9),
            Epoch(phase="delta", epoch=2),
            Epoch(phase="delta", epoch=3, accuracy=0.8, operation_sparsity=0.95),
        )
    )
    (draw,) = figures(Report(design="t", tool_versions={}), detail).values()
    drawing = draw(WIDE)
    texts = {mark.text for mark in drawing.marks if isinstance(mark, Text)}
    assert {"training clips", "unchanged MACs", "float", "delta"} <= texts
    assert "validation clips" not in texts
    many = Detail(epochs=tuple(Epoch(phase=f"a phase {at}", epoch=1, accuracy=0.5) for at in range(6)))
    (narrow,) = figures(Report(design="t", tool_versions={}), many).values()
    names = [mark for mark in narrow(NARROW).marks if isinstance(mark, Text) and mark.text.startswith("a phase")]
    rows = [[mark.x for mark in names if mark.y == y] for y in {mark.y for mark in names}]
    assert sum(map(len, rows)) >= 4
    assert all(other - one >= 60 for row in rows for one, other in itertools.pairwise(row))
    lines = [mark for mark in drawing.marks if isinstance(mark, Line) and "line" in mark.style.split()]
    assert [len(mark.points) for mark in lines] == [2, 1, 1, 1]
    assert figures(Report(design="t", tool_versions={}), dataclasses.replace(detail, epochs=())) == {}
