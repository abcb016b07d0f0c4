# SPDX-License-Identifier: Apache-2.0
"""Calls on real workers: none is lost and none counted twice, whatever dies; unfit workers are named."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import worker_calls as calls

from codesign.cli import main
from codesign.errors import ConfigError, StageError, WorkersDiedError, WorkerWarning
from codesign.executor import Workers, executor, worker
from codesign.executor import run as module
from codesign.paths import PACKAGE

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a part of Dask: ``start("worker", address, "--nthreads", "1")``."""
    with ExitStack() as stack:

        def begin(part: str, *options: str, package: Path = PACKAGE.parent) -> subprocess.Popen[bytes]:
            argv = [sys.executable, "-m", "dask", part, *options, "--no-dashboard"]
            path = os.pathsep.join((str(package), str(Path(__file__).parents[1])))
            log = stack.enter_context((tmp_path / f"{part}.log").open("ab"))
            environment = os.environ | {"PYTHONPATH": path}
            process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment, cwd=tmp_path)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield begin


def scheduler(start: Start, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    file = folder / "scheduler.json"
    process = start("scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(file))
    wait_for(lambda: file.is_file() and file.read_text().rstrip().endswith("}"))
    return process, json.loads(file.read_text())["address"]


def workers(start: Start, address: str, count: int, **more: Path) -> list[subprocess.Popen[bytes]]:
    options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0")
    return [start("worker", address, *options, "--name", f"w{n}", **more) for n in range(count)]


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_job_runs_in_this_process(tmp_path: Path) -> None:
    with executor(Workers(), tmp_path, calls.noted) as running:
        assert [*running.unordered(calls.noted, [("a", (0.0,)), ("b", (0.0,))])] == [(0, "a"), (1, "b")]
    assert (tmp_path / "a/done").read_text() == str(os.getpid())


def test_processes_of_this_machine(tmp_path: Path) -> None:
    with executor(Workers(jobs=2), tmp_path, calls.noted) as running:
        assert running.slots == 2
        outcomes = dict(running.unordered(calls.noted, [(str(n), (0.2,)) for n in range(6)]))
        assert outcomes == {n: str(n) for n in range(6)}
        assert len({(tmp_path / str(n) / "done").read_text() for n in range(6)}) == 2
        failed = dict(running.unordered(calls.wrong, [("x", ()), ("y", ())]))
        assert {str(failed[0]), str(failed[1])} == {"x", "y"}
        (died,) = running.unordered(calls.kill, [("poison", ())])
        assert isinstance(died[1], WorkersDiedError)
        assert "each worker that did this died" in str(died[1])
        assert dict(running.unordered(calls.square, [("", (3,))])) == {0: 9}
    assert not list(tmp_path.glob(".seen*"))


@pytest.mark.timeout(120)
def test_a_killed_worker_loses_no_call_and_none_is_counted_twice(start: Start, tmp_path: Path) -> None:
    _, address = scheduler(start, tmp_path)
    crew = workers(start, address, 2)
    counted: Counter[int] = Counter()

    def kill_a_busy_one() -> None:
        wait_for(lambda: unfinished(tmp_path))
        next(process for process in crew if process.pid in unfinished(tmp_path)).kill()

    with executor(Workers(dask=address), tmp_path, calls.noted) as running:
        wait_for(lambda: running.slots == 2 or running._look())  # type: ignore[attr-defined]
        threading.Timer(2.5, kill_a_busy_one).start()
        for number, outcome in running.unordered(calls.noted, [(str(n), (1.0,)) for n in range(8)]):
            assert outcome == str(number)
            counted[number] += 1
    assert counted == dict.fromkeys(range(8), 1)
    assert any(len(list((tmp_path / str(n)).glob("begun_*"))) > 1 for n in range(8)), "no call was interrupted"
    assert all((tmp_path / str(n) / "done").is_file() for n in range(8))


def unfinished(folder: Path) -> set[int]:
    """Return the processes that have begun a call and not ended it."""
    begun = [path for path in folder.glob("*/begun_*") if not (path.parent / "done").is_file()]
    return {int(path.name.removeprefix("begun_")) for path in begun}


@pytest.mark.timeout(120)
def test_unfit_workers_are_named_and_get_no_work(start: Start, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(PACKAGE, other / "codesign", ignore=shutil.ignore_patterns("__pycache__"))
    version = other / "codesign/__init__.py"
    version.write_text(version.read_text().replace('__version__ = "', '__version__ = "9.'), encoding="utf-8")
    _, address = scheduler(start, tmp_path)
    start("worker", address, "--nthreads", "1", "--no-nanny", "--name", "old", package=other)
    start("worker", address, "--nthreads", "3", "--no-nanny", "--name", "wide")
    wait_for(lambda: (tmp_path / "worker.log").read_text().count("Registered to") == 2)
    with (
        pytest.warns(WorkerWarning) as said,
        pytest.raises(StageError, match="no worker of the cluster can do the work"),
        executor(Workers(dask=address), tmp_path, calls.square),
    ):
        pass
    reasons = sorted(str(item.message) for item in said)
    assert ("worker old at" in reasons[0] and "codesign 9." in reasons[0]) or "codesign 9." in reasons[1]
    assert any("worker wide" in reason and "--nthreads 1" in reason for reason in reasons)
    workers(start, address, 1)
    wait_for(lambda: (tmp_path / "worker.log").read_text().count("Registered to") == 3)
    warnings.simplefilter("ignore", WorkerWarning)
    with warnings.catch_warnings(), executor(Workers(dask=address), tmp_path, calls.square) as running:
        assert running.slots == 1
        assert dict(running.unordered(calls.square, [("", (2,)), ("", (4,))])) == {0: 4, 1: 16}
    with (
        pytest.warns(WorkerWarning, match="does not see /nowhere/clips"),
        pytest.raises(StageError, match="does not see /nowhere/clips"),
        executor(Workers(dask=address), tmp_path, calls.square, [Path("/nowhere/clips")]),
    ):
        pass


@pytest.mark.timeout(120)
def test_a_scheduler_that_drops_is_an_error_and_not_a_wait(start: Start, tmp_path: Path) -> None:
    process, address = scheduler(start, tmp_path)
    workers(start, address, 1)
    begin = time.monotonic()
    with executor(Workers(dask=address), tmp_path, calls.noted) as running:
        outcomes = running.unordered(calls.noted, [(str(n), (0.2,)) for n in range(1000)])
        next(outcomes)
        process.kill()
        with pytest.raises(StageError, match="the Dask scheduler is gone"):
            list(outcomes)
    assert time.monotonic() - begin < 40


def test_no_scheduler_is_a_wrong_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codesign.executor.cluster.CONNECT_S", 1.0)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        with (
            pytest.raises(ConfigError, match=r"--dask: no Dask scheduler answers.*dask scheduler"),
            executor(Workers(dask=address), tmp_path, calls.square),
        ):
            pass


@pytest.mark.timeout(120)
def test_a_cluster_without_workers_is_given_up(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.5)
    _, address = scheduler(start, tmp_path)
    with (
        pytest.raises(StageError, match="the cluster has no worker"),
        executor(Workers(dask=address), tmp_path, calls.square) as running,
    ):
        list(running.unordered(calls.square, [("", (1,))]))


def test_files_come_back_where_the_build_folder_is_not_seen(tmp_path: Path) -> None:
    terms = worker.Terms(made_by={}, module="worker_calls", needs=(), root=tmp_path / "elsewhere", token=".seen_0")
    found = worker.answer(terms, calls.noted, "a/b", (0.0,))
    assert found.outcome == "a/b"
    assert found.files is not None
    worker.write(found.files, tmp_path / "home")
    assert (tmp_path / "home/done").read_text() == str(os.getpid())
    with pytest.raises(StageError, match="lies elsewhere"):
        worker.write({"../x": b""}, tmp_path / "home")


def test_dask_and_jobs_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "x.toml", "--jobs", "2", "--dask", "tcp://a:1"])
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_thousand_calls_through_eight_workers(start: Start, tmp_path: Path) -> None:
    _, address = scheduler(start, tmp_path)
    crew = workers(start, address, 8)
    with executor(Workers(dask=address), tmp_path, calls.square) as running:
        wait_for(lambda: running.slots == 8 or running._look(), 60)  # type: ignore[attr-defined]
        counted: Counter[int] = Counter()
        for number, outcome in running.unordered(calls.square, (("", (n,)) for n in range(1000))):
            assert outcome == number * number
            counted[number] += 1
            if len(counted) == 400:
                crew[0].send_signal(signal.SIGKILL)
    assert counted == dict.fromkeys(range(1000), 1)
