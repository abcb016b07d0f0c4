# SPDX-License-Identifier: Apache-2.0
"""Every output is checked before any work, for every command and option; it is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from finished import finish
from test_cli import finished_report

from codesign.cli import main
from codesign.commands import compare, measure, report, run, stream  # noqa: F401  (before anything in them is replaced)
from codesign.errors import ConfigError, OutputError
from codesign.outputs import check_folder, check_outputs, replacing, write_text

DESIGN = '[design]\nname = "x"\n'
STUDY = '[study]\nname = "s"\n[variant.one]\n[variant.two]\n'

BAD: dict[str, Callable[[Path], Path]] = {
    "a folder": lambda tmp: folder(tmp / "taken"),
    "a file is in the way": lambda tmp: file(tmp / "file") / "out",
    "a file further up": lambda tmp: file(tmp / "file") / "deep" / "out",
    "below the root": lambda _: Path("/nonexistent/x/out"),
    "not writable": lambda _: Path("/proc/self/out"),
    "a loop of links": lambda tmp: loop(tmp / "loop"),
    "below a loop of links": lambda tmp: loop(tmp / "loop") / "out",
    "a name too long": lambda tmp: tmp / ("n" * 300),
}


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def file(path: Path) -> Path:
    path.write_text("a file")
    return path


def loop(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def commands(tmp: Path, out: Path) -> dict[str, list[str]]:
    """Return a call of each command and option that names an output."""
    build, design, study = tmp / "build" / "x", tmp / "x.toml", tmp / "s.toml"
    video = str(tmp / "v.mkv")
    return {
        "run --build-dir": ["run", str(design), "--build-dir", str(out)],
        "compare --build-dir": ["compare", str(study), "--build-dir", str(out)],
        "compare --json": ["compare", str(study), "--json", str(out)],
        "compare --plot": ["compare", str(study), "--plot", str(out)],
        "compare --markdown": ["compare", str(study), "--markdown", str(out)],
        "measure --json": ["measure", str(build), "--video", video, "--json", str(out)],
        "stream --json": ["stream", str(build), "--port", "sim", "--video", video, "--json", str(out)],
        "report --markdown": ["report", str(build), "--markdown", str(out)],
        "report --html": ["report", str(build), "--html", str(out)],
        "report --latex": ["report", str(build), "--latex", str(out)],
    }


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A design, a study and a finished report, and nothing slow that can start."""
    (tmp_path / "x.toml").write_text(DESIGN)
    (tmp_path / "s.toml").write_text(STUDY)
    finished_report(tmp_path / "build" / "x")
    finish(tmp_path / "build" / "x" / "2_graph")
    monkeypatch.setattr("codesign.flow.runner.work", lambda *_: pytest.fail("the work began"))
    for slow in ("compare.run_study", "measure.measure", "stream.connect", "report.render_again", "run.render_again"):
        monkeypatch.setattr(f"codesign.commands.{slow}", lambda *_, **__: pytest.fail("the work began"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.mark.parametrize("option", commands(Path(), Path()))
@pytest.mark.parametrize("kind", BAD)
def test_where_nothing_can_be_written_is_said_before_the_work(
    place: Path, option: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = BAD[kind](place)
    if option.endswith("--build-dir") and kind == "a folder":
        out = file(out / "x") if option.startswith("run") else file(out / "s")
        out = out.parent
    before = tree(place)
    assert main(commands(place, out)[option]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error:")
    assert error.count("error: ") == 1
    assert tree(place) == before
    assert not Path("/nonexistent").exists()


@pytest.mark.parametrize("option", [name for name in commands(Path(), Path()) if "--build-dir" not in name])
def test_an_output_replaces_no_input(place: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "v.mkv").write_text("a video")
    command = option.split()[0]
    inputs = {
        "compare": ["s.toml"],
        "measure": ["v.mkv", "build/x/6_report/report.json", "build/x/6_report/manifest.json"],
        "stream": ["v.mkv", "build/x/6_report/report.json"],
        "report": ["build/x/6_report/report.json", "build/x/6_report/detail.json"],
    }[command]
    (place / "link").symlink_to(place / inputs[0])
    for name in (*inputs, "link", f"build/../{inputs[0]}"):
        before = (place / inputs[0]).read_text()
        assert main(commands(place, place / name)[option]) == 2
        assert "the output would replace" in " ".join(capsys.readouterr().err.split())
        assert (place / inputs[0]).read_text() == before


@pytest.mark.usefixtures("place")
def test_two_outputs_are_two_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "build/x", "--html", "a", "--latex", "build/../a"]) == 2
    assert "--html a" in capsys.readouterr().err.replace("\n", " ")


def test_a_document_without_marks_is_known_before_training(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text, message in (("no marks", "begin command"), (None, "no such document")):
        if text is not None:
            (place / "doc.md").write_text(text)
        assert main(["compare", "s.toml", "--markdown", "doc.md" if text else "none.md"]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["1_model", "5_synth.partial", "cache"])
def test_a_file_where_a_stage_works(place: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "build" / "x" / name).write_text("in the way")
    assert main(["run", "x.toml"]) == 2
    assert f"{name}: a file is in the way" in capsys.readouterr().err.replace("\n", " ")


def test_missing_folders_are_made_below_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "not" / "yet" / "out.txt"
    check_outputs({"--json": out})
    assert not (tmp_path / "not").exists()
    write_text(out, "text")
    assert out.read_text() == "text"


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise OSError(28, "No space left on device")

    kept = file(tmp_path / "kept")
    for path in (kept, tmp_path / "new", tmp_path / "far" / "new"):
        with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\)"):
            half(path)
    assert kept.read_text() == "a file"
    assert tree(tmp_path) == {"kept"}


def test_links_modes_and_devices_stay(tmp_path: Path) -> None:
    kept = file(tmp_path / "kept")
    kept.chmod(0o640)
    (tmp_path / "link").symlink_to(kept)
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert kept.read_text() == "new"
    assert kept.stat().st_mode & 0o777 == 0o640
    check_outputs({"--json": Path("/dev/null")})
    write_text(Path("/dev/null"), "new")
    assert Path("/dev/null").is_char_device()


def test_a_new_file_has_the_rights_of_any_other(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "new", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o644


def test_a_folder_is_checked_without_a_trace(tmp_path: Path) -> None:
    check_folder(tmp_path, "--build-dir")
    check_folder(tmp_path / "a" / "b", "--build-dir")
    assert not tree(tmp_path)
    with pytest.raises(ConfigError, match="--build-dir /proc: nothing can be written there"):
        check_folder(Path("/proc"), "--build-dir")
