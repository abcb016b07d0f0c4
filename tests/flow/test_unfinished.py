# SPDX-License-Identifier: Apache-2.0
"""What interrupted and failed runs leave: the next run goes on with it, or removes it, and says which."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from flow.fake_stages import ONE, THREE, TWO, stage
from flow.test_runner import Flow, design

from codesign.errors import StageError

SLOW = stage("1_slow", "stops_once", resumable=True)
AFTER = stage("2_one", "one", "1_slow")


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path / "fake", (SLOW, AFTER))


def interrupt(flow: Flow, **options: Any) -> None:
    (flow.root / "cache").mkdir(parents=True, exist_ok=True)
    (flow.root / "cache" / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        flow(**options)
    assert "1_slow interrupted run again to go on" in flow.lines


def test_a_first_run_goes_on(flow: Flow) -> None:
    interrupt(flow)
    assert flow(dry_run=True) == ["would run", "may run"]
    assert "(an earlier run of it stopped, and goes on)" in flow.lines
    assert flow() == ["ok", "ok"]
    assert "1_slow: going on where an earlier run of it stopped" in flow.lines
    assert (flow.root / "1_slow" / "starts.txt").read_text() == "new resumed "


@pytest.mark.parametrize("again", [{}, {"first": "1_slow"}])
def test_a_repeated_run_goes_on_though_an_older_one_had_finished(flow: Flow, again: dict[str, Any]) -> None:
    assert flow(first="1_slow") == ["ok", "ok"]  # also on a design that has never run
    interrupt(flow, first="1_slow")
    assert flow(**again)[0] == "ok"
    assert "going on where an earlier run of it stopped" in flow.lines
    assert (flow.root / "1_slow" / "starts.txt").read_text() == "new resumed "
    assert flow() == ["cached", "cached"]
    assert not list(flow.root.glob("*.partial"))


def test_force_starts_over(flow: Flow) -> None:
    flow()
    interrupt(flow, first="1_slow")
    assert flow(force=True) == ["ok", "ok"]
    assert (flow.root / "1_slow" / "starts.txt").read_text() == "new "


def test_work_that_waits_is_said_before_from(flow: Flow) -> None:
    flow()
    interrupt(flow, first="1_slow")
    assert flow(first="2_one") == ["cached", "ok"]
    assert "1_slow cached (an earlier run of it stopped, and goes on without --from 2_one)" in flow.lines
    assert (flow.root / "1_slow.partial").exists()


def test_what_cannot_go_on_is_removed(tmp_path: Path) -> None:
    """Killed, so that nothing could be tidied up; and of other inputs."""
    flow = Flow(tmp_path, (dataclasses.replace(ONE, resumable=True), TWO, THREE))
    flow()
    for name in ("1_one.partial", "2_two.partial", "3_three.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inputs.sha256").write_text("others")
    assert flow(dry_run=True) == ["cached", "cached", "cached"]
    assert len(list(tmp_path.glob("*.partial"))) == 2
    assert flow() == ["cached", "cached", "cached"]
    assert flow.lines.count("cached (removed what an interrupted or failed run of it left)") == 3
    assert not list(tmp_path.glob("*.partial")) + list(tmp_path.glob("*.old"))


def test_a_failure_keeps_its_own_log_only(tmp_path: Path) -> None:
    flow = Flow(tmp_path, (stage("1_crash", "crash_beside"), stage("2_wait", "wait", beside=True)))
    with pytest.raises(StageError, match="by hand"):
        flow()
    assert [path.name for path in tmp_path.glob("*.partial")] == ["1_crash.partial"]


def test_from_a_stage_whose_sources_never_ran(flow: Flow) -> None:
    with pytest.raises(StageError, match=r"1_slow: the stage is not up to date \(never run\).*without --from 2_one"):
        flow(design(), first="2_one")
