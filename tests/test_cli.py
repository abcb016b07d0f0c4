# SPDX-License-Identifier: Apache-2.0
"""The command line: exit codes, one clean paragraph an error, nothing heavy imported when nothing runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from finished import finish

from codesign.cli import main
from codesign.errors import ConfigError
from codesign.flow.manifest import check_unedited
from codesign.records import plain
from codesign.report.model import DETAIL, REPORT, Detail, Report, write_json

ROOT = Path(__file__).parents[1]
DESIGN = ROOT / "flows" / "moving_digits.toml"


def finished_report(build: Path, report: Report | None = None) -> Path:
    """Put a finished 6_report stage into ``build`` as the runner leaves it."""
    folder = build / "6_report"
    folder.mkdir(parents=True)
    write_json(report or Report(design="made_up", tool_versions={"keras": "3.15"}), folder / REPORT)
    write_json(Detail(), folder / DETAIL)
    (folder / "report.html").write_text("old")
    finish(folder)
    return folder


def test_error_is_one_paragraph_and_exit_2_for_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[design]\nname = "x"\n[hardwear]\npe = 4\n')
    assert main(["run", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error:")
    assert "x.toml:hardwear" in error.replace("\n", " ")
    assert "did you mean 'hardware'" in error.replace("\n", " ")
    assert "Traceback" not in error


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        main(["run", str(tmp_path / "none.toml"), "--debug"])


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["measure", "build/x"], ["measure", "b", "--video", "v", "--frames", "1"]]
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: codesign" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["--help"], ["run", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0
    assert "codesign 0" in capsys.readouterr().out


def test_dry_run_of_the_shipped_design_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from codesign.cli import main;"
        f"code = main(['run', {str(DESIGN)!r}, '--build-dir', {str(tmp_path)!r}, '--dry-run']);"
        "heavy = {'tensorflow', 'keras', 'hls4ml', 'qkeras', 'sklearn', 'cocotb'} & set(sys.modules);"
        "print('heavy:', sorted(heavy)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "[1/9] 1_model would run (never run)" in done.stdout
    assert "[9/9] 6_report may run" in done.stdout
    assert "heavy: []" in done.stdout
    assert not list(tmp_path.iterdir())


def test_stages_lists_all_nine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "codesign.cli", "stages", str(DESIGN), "--build-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        "1_model", "2_graph", "3_hls", "3_rtl", "4_csim", "4_rtlsim", "5_hls", "5_synth", "6_report",
    ]  # fmt: skip


def test_report_prints_the_table_and_rewrites_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished_report(tmp_path / "made_up")
    for _ in range(2):  # the second time over its own page: no edit is seen
        assert main(["report", str(tmp_path / "made_up")]) == 0
        assert "made_up" in capsys.readouterr().out
        assert (folder / "report.html").read_text().startswith("<!doctype html>")
    check_unedited(folder)


def test_report_of_an_edited_or_missing_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 1
    assert "no finished report" in " ".join(capsys.readouterr().err.split())
    folder = finished_report(tmp_path / "made_up")
    write_json(Report(design="better", tool_versions={}), folder / REPORT)
    assert main(["report", str(tmp_path / "made_up")]) == 1
    assert "edited" in capsys.readouterr().err


def test_doctor_lists_every_tool(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from codesign import tools

    def status(name: str, *, ok: bool, required: bool) -> tools.ToolStatus:
        return tools.ToolStatus(
            name=name, version="1.2" if ok else None, ok=ok, required=required, needed_for="x", how=f"get {name}"
        )

    found = [status("verilator", ok=True, required=True), status("vivado", ok=False, required=False)]
    monkeypatch.setattr("codesign.commands.doctor.doctor", lambda: tuple(found))
    assert main(["doctor"]) == 0
    assert "get vivado" in capsys.readouterr().out
    found.append(status("g++", ok=False, required=True))
    assert main(["doctor"]) == 1
    assert "missing" in capsys.readouterr().out


def test_plain_keeps_unknown() -> None:
    assert plain(Report(design="x", tool_versions={}))["throughput"]["speedup"] is None
