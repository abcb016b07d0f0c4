# SPDX-License-Identifier: Apache-2.0
"""The runner on fake stages: caching, edits, deletions, failures, interruption, locking."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flow.fake_stages import ONE, STAGES, TWO, stage

from codesign import trust
from codesign.errors import ConfigError, ConversionError, StageError, TrustError
from codesign.flow.config import ClipSection, Design, DesignSection
from codesign.flow.console import Terminal
from codesign.flow.lock import locked
from codesign.flow.runner import Options, Runner
from codesign.flow.stage import Stage

HERE = Path(__file__).parent


def design(*, seed: int = 1, frames: int = 8) -> Design:
    return Design(design=DesignSection(name="fake", seed=seed), clip=ClipSection(frames=frames))


class Flow:
    """Runs stages in one folder and gives back the lines."""

    def __init__(self, root: Path, stages: tuple[Stage, ...] = STAGES) -> None:
        self.root, self.stages, self.lines = root, stages, ""

    def __call__(self, of: Design | None = None, **options: object) -> list[str]:
        out = io.StringIO()
        try:
            Runner(
                design=of or design(),
                stages=self.stages,
                root=self.root,
                options=Options(**options),  # type: ignore[arg-type]
                terminal=Terminal(out),
            ).run()
        finally:
            self.lines = out.getvalue()
        return self.states()

    def states(self) -> list[str]:
        return [match[1] for match in re.finditer(r"^\[\d/\d\] \S+ (\w+(?: run)?)", self.lines, re.MULTILINE)]


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "fake")


def test_first_run_then_cached(flow: Flow) -> None:
    assert flow() == ["ok", "ok", "ok"]
    assert re.search(r"^\[1/3\] 1_one ok \d+\.\d s$", flow.lines, re.MULTILINE)
    assert re.search(r"^\[2/3\] 2_two ok \d+\.\d s \(a note\)$", flow.lines, re.MULTILINE)
    assert flow() == ["cached", "cached", "cached"]
    assert (flow.root / "3_three" / "three.txt").read_text() == "seed 1, 8 frames"
    assert not list(flow.root.glob("*.partial")) + list(flow.root.glob("*.old"))


def test_manifest(flow: Flow) -> None:
    flow()
    data = json.loads((flow.root / "2_two" / "manifest.json").read_text())
    assert data["stage"] == "2_two"
    assert data["status"] == "ok"
    assert data["note"] == "a note"
    assert data["seed"] == 1
    assert data["seconds"] >= 0
    assert data["inputs"]["config"]["clip.frames"] == 8
    assert list(data["inputs"]["upstream"]) == ["1_one"]
    assert list(data["outputs"]) == ["two.txt"]
    assert "one works" in (flow.root / "1_one" / "log.txt").read_text()


def test_only_what_a_change_reaches_runs_again(flow: Flow) -> None:
    flow()
    assert flow(design(frames=9)) == ["cached", "ok", "ok"]
    assert flow(design(frames=9, seed=2), verbose=True) == ["ok", "ok", "ok"]
    assert "design.seed changed" in flow.lines


def test_same_output_stops_the_wave(flow: Flow) -> None:
    flow()
    longer = dataclasses.replace(design(), clip=ClipSection(frames=8, clips=7))
    assert flow(longer) == ["cached", "ok", "cached"]


def test_version_and_source_are_inputs(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.stages = (dataclasses.replace(ONE, packages=("numpy",)),)
    flow()
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0.0")
    assert flow(verbose=True) == ["ok"]
    assert "version of numpy changed" in flow.lines
    monkeypatch.setattr("codesign.flow.manifest.source_hash", lambda _: "other")
    assert flow(verbose=True) == ["ok"]
    assert "its source code changed" in flow.lines


def test_deleted_output_is_said_and_built_again(flow: Flow) -> None:
    flow()
    (flow.root / "1_one" / "deep" / "more.txt").unlink()
    assert flow() == ["ok", "cached", "cached"]
    assert "1_one: deep/more.txt deleted; running it" in flow.lines


def test_deleted_folder_is_built_again(flow: Flow) -> None:
    flow()
    shutil.rmtree(flow.root / "2_two")
    assert flow() == ["cached", "ok", "cached"]


def test_edited_output_is_an_error_with_two_ways_out(flow: Flow) -> None:
    flow()
    path = flow.root / "2_two" / "two.txt"
    good = path.read_text()
    path.write_text("edited")
    with pytest.raises(StageError, match=r"2_two.*two\.txt changed.*restore.*--from 2_two.*--force"):
        flow()
    path.write_text(good)
    assert flow() == ["cached", "cached", "cached"]
    path.write_text("edited")
    assert flow(first="2_two") == ["cached", "ok", "cached"]
    path.write_text("edited")
    assert flow(force=True) == ["ok", "ok", "ok"]
    assert path.read_text() == good


def test_edit_upstream_of_from_is_still_an_error(flow: Flow) -> None:
    flow()
    (flow.root / "1_one" / "one.txt").write_text("edited")
    with pytest.raises(StageError, match="1_one"):
        flow(first="2_two")


def test_unreadable_manifest(flow: Flow) -> None:
    flow()
    (flow.root / "1_one" / "manifest.json").write_text("{")
    with pytest.raises(StageError, match="--from 1_one"):
        flow()


def test_from_and_to(flow: Flow) -> None:
    assert flow(last="2_two") == ["ok", "ok"]
    assert flow(first="2_two") == ["cached", "ok", "ok"]
    with pytest.raises(StageError, match=r"1_one: the stage is not up to date \(design.seed changed\)"):
        flow(design(seed=5), first="2_two")
    with pytest.raises(ConfigError, match="after --to"):
        flow(first="3_three", last="1_one")
    with pytest.raises(ConfigError, match=r"--to.*'2_tow'.*did you mean '2_two'"):
        flow(last="2_tow")


def test_dry_run_touches_nothing(flow: Flow) -> None:
    assert flow(dry_run=True) == ["would run", "may run", "may run"]
    assert not flow.root.exists()
    flow()
    assert flow(design(frames=3), dry_run=True) == ["cached", "would run", "may run"]
    assert "(clip.frames changed)" in flow.lines


def test_crash_shows_the_log_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    flow = Flow(tmp_path, (ONE, stage("2_crash", "crash", "1_one")))
    with pytest.raises(StageError, match=r"2_crash: ZeroDivisionError: by hand"):
        flow()
    assert flow.states() == ["ok", "failed"]
    assert "  | about to crash" in flow.lines
    assert "Traceback" in (tmp_path / "2_crash.partial" / "log.txt").read_text()
    assert not (tmp_path / "2_crash").exists()


def test_own_errors_pass_through(tmp_path: Path) -> None:
    flow = Flow(tmp_path, (stage("1_refuse", "refuse"),))
    with pytest.raises(ConversionError, match="fc1"):
        flow()
    assert "  | a tool said this about 1_refuse.partial" in flow.lines
    assert "Traceback" not in flow.lines


def test_missing_tool_skips_an_optional_stage_and_is_tried_again(tmp_path: Path) -> None:
    flow = Flow(tmp_path, (stage("1_tool", "no_tool", optional=True), stage("2_one", "one", "1_tool")))
    assert flow() == ["skipped", "ok"]
    assert "[1/2] 1_tool skipped: vitis-run not on PATH" in flow.lines
    assert json.loads((tmp_path / "1_tool" / "manifest.json").read_text())["outputs"] == {}
    assert flow() == ["skipped", "cached"]


def test_two_runs_do_not_mix(flow: Flow) -> None:
    with locked(flow.root), pytest.raises(StageError, match=f"another run.*process {os.getpid()}"):
        flow()
    assert flow() == ["ok", "ok", "ok"]


def _slow_process(root: Path) -> subprocess.Popen[str]:
    script = (
        f"import sys; sys.path.insert(0, {str(HERE.parent)!r}); from pathlib import Path;"
        "from flow.fake_stages import stage; from flow.test_runner import design;"
        "from codesign.flow.console import Terminal;"
        "from codesign.flow.runner import *;"
        f"Runner(design=design(), stages=(stage('1_slow', 'slow', resumable=True),), root=Path({str(root)!r}),"
        "options=Options(), terminal=Terminal()).run()"
    )
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_stage_goes_on(tmp_path: Path) -> None:
    process = _slow_process(tmp_path)
    checkpoint = tmp_path / "1_slow.partial" / "checkpoint.txt"
    deadline = time.monotonic() + 90
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=90)
    assert process.returncode != 0
    assert "[1/1] 1_slow interrupted run again to go on" in out
    assert not (tmp_path / "1_slow").exists()
    out, err = _slow_process(tmp_path).communicate(timeout=90)
    assert "1_slow ok" in out, err
    assert (tmp_path / "1_slow" / "starts.txt").read_text().split()[0] == "0"
    assert int((tmp_path / "1_slow" / "starts.txt").read_text().split()[1]) >= 1


def test_interrupted_work_with_other_inputs_is_not_reused(tmp_path: Path) -> None:
    flow = Flow(tmp_path, (dataclasses.replace(TWO, name="1_two", after=(), resumable=True),))
    partial = tmp_path / "1_two.partial"
    partial.mkdir(parents=True)
    (partial / "inputs.sha256").write_text("of another config")
    (partial / "leftover.txt").write_text("old")
    with pytest.raises(StageError, match="KeyError"):
        flow()
    assert not (partial / "leftover.txt").exists()


def test_beside_runs_at_the_same_time(tmp_path: Path) -> None:
    stages = (stage("1_meet", "meet"), stage("2_meet", "meet", beside=True), stage("3_one", "one", "2_meet"))
    flow = Flow(tmp_path, stages)
    assert flow() == ["ok", "ok", "ok"]
    assert flow() == ["cached", "cached", "cached"]


def test_beside_waits_for_what_it_reads_and_is_not_started_past_to(tmp_path: Path) -> None:
    stages = (ONE, dataclasses.replace(TWO, beside=True), stage("3_three", "three", "2_two"))
    flow = Flow(tmp_path, stages)
    assert flow(last="1_one") == ["ok"]
    assert not list(tmp_path.glob("2_two*"))
    assert flow() == ["cached", "ok", "ok"]
    assert (tmp_path / "3_three" / "three.txt").read_text() == "seed 1, 8 frames"


def test_failure_stops_what_runs_beside(tmp_path: Path) -> None:
    flow = Flow(tmp_path, (stage("1_crash", "crash_beside"), stage("2_wait", "wait", beside=True)))
    with pytest.raises(StageError, match="by hand"):
        flow()
    assert (tmp_path / "cache" / "stopped").read_text() == "yes"


def test_errors_and_missing_tools_come_back_from_beside(tmp_path: Path) -> None:
    flow = Flow(tmp_path / "a", (ONE, stage("2_refuse", "refuse", beside=True)))
    with pytest.raises(ConversionError, match="fc1: cannot convert"):
        flow()
    assert "  | a tool said this about 2_refuse.partial" in flow.lines
    assert "Traceback" not in flow.lines
    flow = Flow(tmp_path / "b", (ONE, stage("2_tool", "no_tool", beside=True, optional=True)))
    assert flow() == ["ok", "skipped"]
    assert "2_tool skipped: vitis-run not on PATH" in flow.lines


def test_a_warning_of_a_stage_is_a_line_on_the_terminal_and_in_its_log(tmp_path: Path) -> None:
    """One a file: each reading of a damaged video may come upon other damage."""
    flow = Flow(tmp_path / "fake", (stage("1_warn", "warn"),))
    assert flow() == ["ok"]
    lines = ["warning: a.avi: cut", "warning: b.avi: torn"]
    assert flow.lines.splitlines()[:2] == lines
    assert (tmp_path / "fake" / "1_warn" / "log.txt").read_text().splitlines() == lines


@pytest.mark.parametrize("place", ["log", ".lock", "1_one/made", "1_one.partial/model", "cache/x", "boards/a", "9"])
def test_links_in_a_received_folder_are_refused_before_anything_is_written(flow: Flow, place: str) -> None:
    flow()
    mine = flow.root.parent / "mine"
    mine.write_text("precious")
    path = flow.root / place
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(mine)
    with pytest.raises(TrustError, match=rf"{place}: a symbolic link in a build folder.*Next step: delete it"):
        flow(force=True)
    assert mine.read_text() == "precious"


def test_a_build_folder_may_be_a_link_itself(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "build").symlink_to(tmp_path / "elsewhere")
    assert Flow(tmp_path / "build" / "net")()
    assert (tmp_path / "elsewhere" / "net").is_dir()


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a/../../b"])
def test_a_manifest_names_files_of_its_stage_only(flow: Flow, name: str) -> None:
    flow()
    path = next(flow.root.glob("*/manifest.json"))
    data = json.loads(path.read_text())
    data["outputs"][name] = "0" * 64
    path.write_text(json.dumps(data))
    with pytest.raises(StageError, match=r"manifest\.json.*no file of the stage"):
        flow()


@pytest.mark.parametrize("beside", [False, True])
def test_what_somebody_else_made_is_not_executed(beside: bool, tmp_path: Path) -> None:
    runs = stage("3_runs", "three", "2_two", executes=("2_two",), beside=beside)
    flow = Flow(tmp_path / "fake", (ONE, TWO, runs))
    assert flow() == ["ok", "ok", "ok"]
    (flow.root / "2_two" / f"manifest.json{trust.SEAL}").unlink()
    assert flow() == ["cached", "cached", "cached"]  # nothing is executed
    with pytest.raises(TrustError, match=r"2_two: .*not written by you.*--from 2_two"):
        flow(first="3_runs")
    assert flow(first="2_two") == ["cached", "ok", "cached"]
    assert flow(first="3_runs") == ["cached", "cached", "ok"]
