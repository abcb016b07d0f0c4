# SPDX-License-Identifier: Apache-2.0
"""Builds for boards in the report: rates, shares, dense beside skipping, several designs side by side."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from report.synthetic import made_build, synthetic_detail, synthetic_report
from rich.console import Console

from codesign.errors import ConfigError
from codesign.report import against, compare, summary
from codesign.report.boards import headline, pairs, read_builds, split
from codesign.report.html import render, render_sheet
from codesign.report.model import Report, with_builds
from codesign.report.sheet import Group, Sheet, latex, markdown, terminal
from codesign.report.terminal import show
from codesign.report.words import DASH, quotient, significant
from codesign.synth.record import Area, BoardBuild, write_build

TIMES = "\N{MULTIPLICATION SIGN}"


def rows(sheet: Sheet) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for group in sheet.groups for row in group.rows}


def put(folder: Path, *builds: BoardBuild) -> None:
    for item in builds:
        place = folder / "boards" / item.folder
        place.mkdir(parents=True)
        write_build(item, place / "build.json")


def test_builds_are_read_by_target_and_those_of_another_state_are_told_apart(tmp_path: Path) -> None:
    skipping, dense, other = made_build("b"), made_build("b", skip=False), made_build("a")
    stale = dataclasses.replace(other, design_id="00000000")
    put(tmp_path, dense, skipping, stale)
    assert sorted(path.name for path in (tmp_path / "boards").iterdir()) == ["a", "b", "b_dense"]
    found = read_builds(tmp_path)
    assert found == (stale, skipping, dense)
    assert split(found, "c0ffee00") == ((skipping, dense), (stale,))
    assert read_builds(tmp_path / "none") == ()


def test_a_broken_build_is_a_clear_error(tmp_path: Path) -> None:
    put(tmp_path, made_build("b"))
    path = tmp_path / "boards" / "b" / "build.json"
    path.write_text(path.read_text().replace('"skip"', '"ship"'))
    with pytest.raises(ConfigError, match=r"build\.json.*did you mean 'skip'"):
        read_builds(tmp_path)
    path.write_text("{")
    with pytest.raises(ConfigError, match="`codesign build` again"):
        read_builds(tmp_path)


def test_rates_are_the_routed_clock_over_measured_cycles() -> None:
    report = synthetic_report()
    skipping, dense, unrouted = report.boards
    cycles = report.throughput.cycles_per_frame
    assert cycles.mean is not None
    assert cycles.p95 is not None
    assert cycles.max is not None
    assert skipping.frames_per_second.mean == pytest.approx(108e6 / cycles.mean)
    assert skipping.frames_per_second.p95 == pytest.approx(108e6 / cycles.p95)
    assert skipping.frames_per_second.worst == pytest.approx(108e6 / cycles.max)
    assert dense.frames_per_second.mean == pytest.approx(98e6 / 4099)
    assert dense.frames_per_second.worst == pytest.approx(98e6 / 4100)
    assert skipping.share.dsp == 42 / 156
    assert skipping.frames_per_second_per_lut == pytest.approx(108e6 / cycles.mean / 6000)
    assert unrouted.frames_per_second.mean is None
    assert unrouted.share.lut is None
    assert report.origins["boards.routed"] == "routed"
    assert "boards.routed" not in with_builds(report, ()).origins


def test_the_headline_is_a_target_routed_both_ways() -> None:
    report = synthetic_report()
    assert [pair.target for pair in pairs(report.boards)] == ["ulx3s-85f", "zcu104"]
    alone = with_builds(report, [made_build("a"), made_build("b"), made_build("b", skip=False)])
    found = headline(alone.boards)
    assert found is not None
    assert found.target == "b"
    assert headline(with_builds(report, [made_build("a", routed=False)]).boards) is None


def missed(target: str, *, skip: bool = True) -> BoardBuild:
    return dataclasses.replace(made_build(target, skip=skip), fmax_mhz=78.9, met=False, problem="misses its clock")


def test_the_headline_is_a_build_that_met_its_clock() -> None:
    def named(*builds: BoardBuild) -> str | None:
        found = headline(with_builds(synthetic_report(), builds).boards)
        return found.target if found else None

    met = [dataclasses.replace(made_build("c", skip=False), fmax_mhz=104.0, met=True)]
    assert named(missed("a"), missed("a", skip=False), made_build("b")) == "b"
    assert named(made_build("b"), made_build("b", skip=False), made_build("c"), *met) == "c"  # dense met it, too
    assert named(missed("a"), missed("b"), missed("b", skip=False)) == "b"
    problem = dataclasses.replace(made_build("a"), problem="12 paths are too fast on a (hold).")
    assert named(problem, made_build("b")) == "b"


def test_a_headline_that_missed_its_clock_says_so() -> None:
    report = with_builds(synthetic_report(), [missed("a")])
    fault = "misses its clock of 100.0 MHz"
    rate = f"{78.9e6 / 288.4:,.0f}"
    assert (
        f"Routed for a it {fault}; at the 78.9 MHz that it reaches it would compute {rate} frames per second"
        in summary.lead(report)
    )
    (card,) = (card for card in summary.cards(report) if card["what"] == "Frames/s")
    assert (card["bad"], card["value"]) == (True, rate)
    assert f"at 78.9 MHz routed for a, where it {fault}" in card["note"]
    out = io.StringIO()
    show(report, Console(file=out, width=200))
    assert f"at 78.9 MHz routed for a, where it {fault}" in out.getvalue()


def test_the_serial_port_bounds_what_a_host_sees() -> None:
    slow = dataclasses.replace(made_build("y"), baud=115200)
    bare = dataclasses.replace(made_build("z"), baud=None, frame_bytes=None, result_bytes=None)
    report = with_builds(synthetic_report(), [made_build("x"), slow, bare])
    fast, low, none = (item.frames_per_second_over_serial for item in report.boards)
    assert fast == pytest.approx(1 / (10 * (1035 + 55) / 1e6 + 288.4 / 100e6))
    assert low == pytest.approx(115200 / 10 / 1090, rel=1e-3)
    assert none is None
    sheet = against.sheet(report)
    shown = [{row[0]: row[2] for row in group.rows} for group in sheet.groups[1:]]
    assert [rows.get("frames/s over the serial port") for rows in shown] == ["91.7", "10.6", None]
    notes = " ".join(sheet.notes)
    assert "over the serial port of x, the most that a host sees: 1,000,000 baud, 10 bits per byte" in notes
    assert "a frame travels as 1,035 bytes" in notes
    assert "its result travels as 55 bytes" in notes
    assert "of z" not in notes


def test_a_late_clock_slows_the_serial_port_no_further_than_what_was_routed() -> None:
    (late,) = with_builds(synthetic_report(), [missed("x")]).boards
    assert late.frames_per_second_over_serial == pytest.approx(1 / (10 * 1090 / 1e6 + 288.4 / 78.9e6))


def test_a_dense_build_that_is_not_routed_is_said_to_be() -> None:
    report = with_builds(synthetic_report(), [made_build("x"), made_build("x", skip=False, routed=False)])
    found = rows(against.sheet(report))
    assert found["LUT"] == ("5,000", "6,000 (7.2 %)", f"1.20{TIMES} (dense not routed)")
    assert found["frames/s per LUT"] == ("not routed", "62.4", "dense not routed")
    both = rows(compare.sheet([report, report]))
    assert both["LUT, skipping / dense"] == (f"1.20{TIMES} (dense not routed)",) * 2
    assert both["frames/s per LUT, skipping / dense"] == ("dense not routed",) * 2
    assert f"in 14.2{TIMES} fewer clock cycles than the same engines" in summary.lead(report)
    (card,) = (card for card in summary.cards(report) if card["what"] == "LUTs of dense")
    assert "dense is not routed" in card["note"]
    neither = [made_build("x", routed=False), made_build("x", skip=False, routed=False)]
    found = rows(against.sheet(with_builds(synthetic_report(), neither)))
    assert found["LUT"] == ("5,000", "6,000", f"1.20{TIMES}")
    assert "frames/s per LUT" not in found


def test_lut_and_rate_ratios_of_designs_side_by_side() -> None:
    report = with_builds(synthetic_report(), [made_build("x"), made_build("x", skip=False)])
    found = rows(compare.sheet([report, dataclasses.replace(report, design="other")]))
    per_lut = (108e6 / 288.4 / 6000) / (98e6 / 4099 / 5000)
    assert found["LUT, skipping / dense"] == (f"1.20{TIMES}",) * 2
    assert found["frames/s per LUT, skipping / dense"] == (f"{per_lut:.1f}{TIMES}",) * 2


def test_dense_and_skipping_stand_side_by_side() -> None:
    sheet = against.sheet(with_builds(synthetic_report(), [made_build("x"), made_build("x", skip=False)]))
    found = rows(sheet)
    assert sheet.head[1:3] == ("dense", "skipping")
    assert found["LUT"] == ("5,000 (6.0 %)", "6,000 (7.2 %)", f"1.20{TIMES}")
    assert found["cycles per frame, mean"] == ("4,099", "288", "1/14.2")
    assert found["frames/s, worst frame"] == ("23,902", "176,759", f"7.40{TIMES}")
    assert found["frames/s per LUT"][2] == f"13.1{TIMES}"
    assert found["energy per frame, nJ (estimate)"] == ("300", "20", "1/15.0")
    notes = " ".join(sheet.notes)
    assert "x_dense misses its clock: 98.0 MHz routed, 100.0 MHz asked for" in notes
    assert "estimate, not a measurement" in notes


def test_what_was_not_built_is_a_dash() -> None:
    found = rows(against.sheet(with_builds(synthetic_report(), [made_build("x", routed=False)])))
    assert found["LUT"] == (DASH, "6,000", DASH)
    assert "frames/s, mean" not in found  # a row of which nothing is known


def test_what_is_wrong_with_a_build_is_said(tmp_path: Path) -> None:
    build = dataclasses.replace(made_build("x", skip=False), problem="fc1 needs 9 of 8 DSP: lower its PE.")
    report = with_builds(synthetic_report(), [build])
    assert "x_dense: fc1 needs 9 of 8 DSP: lower its PE." in against.sheet(report).notes
    assert '<p class="missed">fc1 needs 9 of 8 DSP' in render(report, synthetic_detail())
    put(tmp_path, build)
    assert read_builds(tmp_path) == (build,)


def test_layers_add_up_beside_dense() -> None:
    report = with_builds(synthetic_report(), [made_build("x"), made_build("x", skip=False)])
    (pair,) = pairs(report.boards)
    found = rows(against.layers(report, pair))
    assert found["fc1"] == ("5,000", "2,000", "42", "432", "4,000", f"1.25{TIMES}")
    assert found["link"] == ("1,000", "1,000", DASH, DASH, "1,000", f"1.00{TIMES}")
    assert found["whole"][0] == "6,000"


def test_designs_side_by_side_and_what_differs() -> None:
    report = synthetic_report()
    assert report.clips is not None
    same = dataclasses.replace(report, design="second")
    assert list(compare.differences([report, same])) == [
        "Energy is an estimate from operation counts, not a measurement."
    ]
    clips = dataclasses.replace(report.clips, digest="f" * 16, shape=(64, 64, 1))
    build = dataclasses.replace(made_build("ulx3s-85f"), clock_mhz=80.0, tools={"yosys": "0.60"})
    other = with_builds(dataclasses.replace(report, design="other", clips=clips), [build])
    unknown = Report(design="unknown", tool_versions={})
    sheet = compare.sheet([report, other, unknown])
    assert sheet.head == ("", "moving_digits", "other", "unknown")
    assert rows(sheet)["accuracy"] == ("96.3 %", "96.3 %", DASH)
    assert rows(sheet)["mismatches"] == ("0", "0", DASH)
    notes = " ".join(sheet.notes)
    for text in (
        "unknown was measured",
        "did not see the same clips (moving_digits: 5 x 48 frames of 32 x 32 x 1; other: 5 x 48 frames of 64 x 64 x 1)",
        "Not built for zcu104: other, unknown.",
        "different versions of yosys: 0.60, 0.70",
        "different clocks on ulx3s-85f: 80, 100 MHz",
    ):
        assert text in notes
    assert "None is built for a board" in " ".join(compare.differences([unknown]))


def test_designs_of_one_name_are_told_apart() -> None:
    report = synthetic_report()
    assert report.clips is not None
    clips = dataclasses.replace(report.clips, digest="f" * 16, count=7)
    twin = with_builds(dataclasses.replace(report, clips=clips), [made_build("zcu104", routed=False)])
    sheet = compare.sheet([report, twin])
    assert sheet.head == ("", "moving_digits (1)", "moving_digits (2)")
    notes = " ".join(sheet.notes)
    assert "moving_digits (1): 5 x 48 frames of 32 x 32 x 1; moving_digits (2): 7 x 48 frames of 32 x 32 x 1" in notes
    assert "Not built for ulx3s-85f: moving_digits (2)." in notes
    assert (
        "Not built for ulx3s-85f as the dense baseline (`codesign build` with `--dense`): moving_digits (2)." in notes
    )
    assert "zcu104:" not in notes
    unknown = dataclasses.replace(report, clips=None)
    assert "on which clips moving_digits (2) was measured" in " ".join(compare.differences([report, unknown]))


def test_a_sheet_in_every_format() -> None:
    sheet = Sheet(
        title="A_b & c.",
        head=("", "50 %", "x"),
        groups=(Group(title="", rows=(("a", f"2{TIMES}", DASH),)), Group(title="Two", rows=(("b_1", "1", "2"),))),
        notes=("One `note`.",),
    )
    assert markdown(sheet) == (
        f"A_b & c.\n\n|  | 50 % | x |\n| --- | ---: | ---: |\n| a | 2{TIMES} | {DASH} |\n"
        "| **Two** |  |  |\n| b_1 | 1 | 2 |\n\n* One `note`.\n"
    )
    tex = latex(sheet)
    assert r"\caption{A\_b \& c. One \texttt{note}.}" in tex
    assert r"3 $\mu$J" in latex(Sheet(title="3 \N{MICRO SIGN}J", head=("", ""), groups=()))
    assert tex.count(r"\midrule") == 2
    assert r" & 50 \% & x \\" in tex
    assert r"a & 2$\times$ & -- \\" in tex
    assert r"\multicolumn{3}{l}{\emph{Two}} \\" in tex
    out = io.StringIO()
    Console(file=out, width=100).print(terminal(sheet))
    assert "Two" in out.getvalue()
    page = render_sheet(sheet)
    assert "<title>A_b &amp; c.</title>" in page
    assert "One `note`." in page


def test_the_first_screen_says_what_how_fast_and_at_what_cost() -> None:
    report = synthetic_report()
    assert summary.lead(report) == (
        f"A network that sees a stream of 32 {TIMES} 32 {TIMES} 1 frames and computes 10 values for each; 96.3 % of "
        "the test clips are classified correctly. Routed for ulx3s-85f, it computes 374,480 frames per second: "
        f"15.7{TIMES} as many as the same engines computing every frame in full, with 1.20{TIMES} their LUTs (the "
        "dense build misses its clock of 100.0 MHz). "
        "Skipping changes no output bit."
    )
    values = {card["what"]: card["value"] for card in summary.cards(report)}
    assert values["Faster than dense"] == f"15.7{TIMES}"
    assert values["LUTs of dense"] == f"1.20{TIMES}"
    kinds = [how for how, _ in summary.evidence(report)]
    assert kinds == ["Simulated", "Placed and routed", "Synthesised only", "Estimated", "Not measured"]
    bare = with_builds(dataclasses.replace(report, energy=None, clips=None), ())
    assert summary.lead(bare).startswith("On this stream it needs 14.2")
    assert "Less energy" not in {card["what"] for card in summary.cards(bare)}


def test_page_and_terminal_show_the_boards() -> None:
    report = synthetic_report()
    page = re.sub(r"\s+", " ", render(report, synthetic_detail()))
    for text in (
        "On ulx3s-85f",
        "The slowest path goes from fc1 to fc2 and takes 9.3 ns",
        'which it <b class="missed">misses</b>',
        "Bitstream: moving_digits.bit",
        "Synthesised, not routed.",
        "a made-up paper",
    ):
        assert text in page
    out = io.StringIO()
    show(report, Console(file=out, width=160))
    text = out.getvalue()
    for figure in (
        "374,480 frames/s mean",
        "6,000 (7.2 %)",
        "Cells of each part on ulx3s-85f.",
        "zcu104 is not routed",
    ):
        assert figure in text


def test_numbers_as_people_read_them() -> None:
    assert [quotient(2, 1), quotient(1, 20), quotient(1, None), quotient(1, 0)] == [
        f"2.00{TIMES}",
        "1/20.0",
        DASH,
        DASH,
    ]
    assert [significant(value) for value in (None, 0.0, 0.0012345, 7.6543, 1234.5)] == [
        DASH, "0", "0.00123", "7.65", "1,234",
    ]  # fmt: skip
    assert Area() == Area(lut=None, ff=None, dsp=None, bram_bits=None)
