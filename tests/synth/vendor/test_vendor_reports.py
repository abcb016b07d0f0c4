# SPDX-License-Identifier: Apache-2.0
"""Reading what Vivado and Vitis HLS write.

The texts in ``reports`` are made up, in the format of real ones: Vivado's after the test data of edalize (2019.2) and
reports of 2021.2 and 2025.1 in public repositories, Vitis HLS' after a csynth.xml of 2024.2.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from codesign.errors import SynthesisError
from codesign.synth.resources import Resources
from codesign.synth.vendor.csynth import HlsModule, read_csynth
from codesign.synth.vendor.vivado_text import read_version
from codesign.synth.vendor.vivado_timing import read_timing
from codesign.synth.vendor.vivado_utilisation import by_layer, layer_of, read_utilisation, resources

REPORTS = Path(__file__).parent / "reports"
UTILISATION, MISSED = REPORTS / "utilisation.rpt", REPORTS / "timing_missed.rpt"
UNCONSTRAINED, CSYNTH = REPORTS / "timing_unconstrained.rpt", REPORTS / "csynth.xml"
BLOCK = 36 * 1024


def test_utilisation() -> None:
    found = read_utilisation(UTILISATION)
    top, conv, state = found[:3]
    assert (top.path, top.module, top.lut, top.ff, top.dsp) == (("net_top",), "(top)", 1000, 800, 16)
    assert top.bram_bits == 3 * BLOCK + BLOCK // 2
    assert conv.path == ("net_top", "i_conv1_conv")
    assert state.path == ("net_top", "i_conv1_conv", "g_bank[0].i_state")
    assert [item.path[-1] for item in found[3:]] == ["i_conv1_locate", "i_fc1_dense", "i_stats_stats"]


def test_utilisation_of_a_family_with_ultra_ram_and_shares(tmp_path: Path) -> None:
    report = tmp_path / "small.rpt"
    report.write_text(
        "| Instance | Module | Total LUTs | FFs | RAMB36 | RAMB18 | URAM | DSP48 Blocks |\n"
        "+---+\n| small | (top) | 37(0.07%) | 5 | 0 | 1 | 2 | 3 |\n+---+\n"
    )
    (top,) = read_utilisation(report)
    assert (top.lut, top.ff, top.dsp, top.bram_bits) == (37, 5, 3, 18 * 1024 + 2 * 288 * 1024)


def test_layers_add_up_to_their_instances() -> None:
    def layer_of(name: str) -> str | None:
        return name.split("_")[1] if name.startswith("i_") else None

    layers = by_layer(read_utilisation(UTILISATION), layer_of)
    assert {name: item.lut for name, item in layers.items()} == {"conv1": 700, "fc1": 200, "stats": 95}
    assert layers["conv1"].bram_bits == 2 * BLOCK
    assert layers["conv1"].ff == 600


def test_what_is_inside_a_layer_is_counted_once(tmp_path: Path) -> None:
    report = tmp_path / "nested.rpt"
    rows = "| top | (top) | 9 |\n|   i_a_conv | conv | 7 |\n|     i_a_queue | fifo | 3 |\n|   i_a_b_emit | emit | 2 |\n"
    header = "| Instance | Module | Total LUTs | FFs | RAMB36 | RAMB18 | DSP Blocks |\n+-+\n"
    report.write_text(header + rows.replace(" |\n", " | 0 | 0 | 0 | 0 |\n") + "+-+\n")
    layers = by_layer(read_utilisation(report), lambda name: layer_of(name, ["a", "a_b"]))
    assert {name: item.lut for name, item in layers.items()} == {"a": 7, "a_b": 2}
    assert layer_of("i_stats_stats", ["a", "a_b"]) is None
    assert layer_of("i_a__0_locate", ["a", "a_b"]) == "a"


def test_missed_timing() -> None:
    timing = read_timing(MISSED)
    assert (timing.wns_ns, timing.tns_ns, timing.failing, timing.endpoints) == (-0.5, -3.25, 12, 2000)
    assert (timing.whs_ns, timing.hold_failing, timing.met) == (0.051, 0, False)
    assert timing.fmax_mhz == pytest.approx(1000 / 10.5)
    path = timing.critical
    assert path is not None
    assert path.source == "i_conv1_conv/address_q_reg[3]/C"
    assert path.destination == "i_conv1_conv/g_bank[0].i_state/memory_reg/ADDRARDADDR[2]"
    assert (path.slack_ns, path.requirement_ns, path.delay_ns, path.levels) == (-0.5, 10.0, 9.9, 2)
    assert len(path.hops) == 4
    assert path.hops[0].split() == ["1.429", "0.456", "SLICE_X40Y60", "FDRE", "(Prop_fdre_C_Q)", path.source[:-1] + "Q"]
    assert "CARRY4 (Prop_carry4_S[1]_CO[3])  i_conv1_conv/sum_carry/CO[3]" in path.hops[2]


def test_met_timing(tmp_path: Path) -> None:
    report = tmp_path / "met.rpt"
    text = MISSED.read_text().replace(
        "-0.500       -3.250                     12", " 1.250        0.000                      0"
    )
    report.write_text(text.replace("-0.500ns", "1.250ns").replace("-0.250ns", "1.500ns"))
    timing = read_timing(report)
    assert (timing.wns_ns, timing.met) == (1.25, True)
    assert timing.fmax_mhz == pytest.approx(1000 / 8.75)


def test_hold_violations_are_not_met(tmp_path: Path) -> None:
    report = tmp_path / "hold.rpt"
    text = MISSED.read_text().replace(
        "-0.500       -3.250                     12", " 1.250        0.000                      0"
    )
    report.write_text(
        text.replace("0.051        0.000                      0", "-0.02       -0.020                      1", 1)
    )
    assert read_timing(report).met is False


def test_unconstrained_timing_is_unknown() -> None:
    timing = read_timing(UNCONSTRAINED)
    assert (timing.wns_ns, timing.failing, timing.met, timing.fmax_mhz, timing.critical) == (None,) * 5


def test_record() -> None:
    assert resources(UTILISATION, MISSED, target="pynq-z2", kind="route") == Resources(
        target="pynq-z2",
        tool="vivado",
        tool_version="2024.2",
        kind="route",
        lut=1000,
        ff=800,
        dsp=16,
        bram_bits=3 * BLOCK + BLOCK // 2,
        fmax_mhz=pytest.approx(95.238, abs=1e-3),  # type: ignore[arg-type]  # equal to a float
    )
    assert resources(UTILISATION, None, target="pynq-z2", kind="synth").fmax_mhz is None


def test_version_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.rpt").write_text("nothing\n")
    assert read_version(tmp_path / "a.rpt") is None


@pytest.mark.parametrize(
    ("report", "keep", "message"),
    [
        (UTILISATION, "1. Utilization by Hierarchy\n-", "Utilization by Hierarchy"),
        (UTILISATION, "g_bank[0].i_state    |", "10 columns.*g_bank"),
        (UTILISATION, "48 |      0 |      0 |          0 |\n", "end of the table"),
        (MISSED, "Timing Summary Report", "Design Timing Summary"),
        (MISSED, "-0.500       -3.250    ", "Design Timing Summary"),
        (MISSED, "Timing constraints are not met.", "Timing Details"),
        (MISSED, "Max Delay Paths", "slowest path"),
        (MISSED, "Path Type: ", "requirement of the slowest path"),
        (CSYNTH, "<FF>2100</FF>", "XML"),
    ],
)
def test_reports_that_break_off(report: Path, keep: str, message: str, tmp_path: Path) -> None:
    text = report.read_text()
    cut = tmp_path / report.name
    cut.write_text(text[: text.index(keep) + len(keep)])
    read: Callable[[Path], object] = {UTILISATION: read_utilisation, MISSED: read_timing, CSYNTH: read_csynth}[report]
    with pytest.raises(SynthesisError, match=rf"{report.name}.*{message}"):
        read(cut)


@pytest.mark.parametrize(
    ("report", "old", "new", "message"),
    [
        (UTILISATION, "Total LUTs", "Slice LUTs", "column 'Total LUTs'.*Slice LUTs"),
        (UTILISATION, "|       1000 |", "|        1k0 |", "a count.*'1k0'"),
        (UTILISATION, "DSP Blocks", "MUL Blocks", "column 'DSP Blocks'"),
        (MISSED, "-3.250", "-3.2x0", "a number.*'-3.2x0'"),
        (CSYNTH, "<Part>xc7z020-clg400-1</Part>", "", "figures of the top.*Part"),
        (CSYNTH, "<Name>relu_config5_s</Name>", "<Name>other</Name>", "relu_config5_s"),
        (CSYNTH, "<EstimatedClockPeriod>8.000<", "<EstimatedClockPeriod>soon<", "soon"),
    ],
)
def test_reports_of_another_format(report: Path, old: str, new: str, message: str, tmp_path: Path) -> None:
    changed = tmp_path / report.name
    changed.write_text(report.read_text().replace(old, new))
    read: Callable[[Path], object] = {UTILISATION: read_utilisation, MISSED: read_timing, CSYNTH: read_csynth}[report]
    with pytest.raises(SynthesisError, match=message):
        read(changed)


@pytest.mark.parametrize("read", [read_utilisation, read_timing, read_csynth])
def test_reports_that_are_missing(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match=r"none\.rpt.*FileNotFoundError"):
        read(tmp_path / "none.rpt")


def test_csynth() -> None:
    report = read_csynth(CSYNTH)
    assert (report.version, report.part, report.target_clock_ns) == ("2024.2", "xc7z020-clg400-1", 10.0)
    assert report.top == HlsModule(
        name="net",
        latency=(300, None),  # depends on the events
        interval=(280, None),
        clock_ns=8.0,
        lut=3300,
        ff=2100,
        dsp=16,
        bram_bits=7 * 18 * 1024,
    )
    dense, relu = report.children
    assert (dense.name, dense.latency, dense.interval) == ("delta_dense_config4_s", (70, 4728), (70, 4728))
    assert dense.bram_bits == 6 * 18 * 1024 + 288 * 1024
    assert (relu.interval, relu.clock_ns, relu.lut, relu.ff) == ((None, None), None, 120, 0)
    assert (relu.dsp, relu.bram_bits) == (None, None)  # not in the report: unknown, not 0
    assert report.resources("pynq-z2") == Resources(
        target="pynq-z2",
        tool="vitis_hls",
        tool_version="2024.2",
        kind="estimate",
        lut=3300,
        ff=2100,
        dsp=16,
        bram_bits=7 * 18 * 1024,
        fmax_mhz=125.0,
    )
