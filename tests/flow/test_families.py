# SPDX-License-Identifier: Apache-2.0
"""Whatever ends a command, nothing that it started goes on: workers, tools, and what these started."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codesign.errors import StageError
from codesign.flow.children import Child

FAMILIES = Path(__file__).with_name("families.py")
TOOLS = {"run": ("stage", "beside"), "compare": ("first", "second")}


def state(pid: int) -> tuple[str, int]:
    """Return the state letter and the parent of a process; "X" if there is none."""
    try:
        letter, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
        return letter, int(parent)
    except (OSError, ValueError):
        return "X", 0


def descendants(pid: int) -> set[int]:
    parents = {int(path.name): state(int(path.name))[1] for path in Path("/proc").glob("[0-9]*")}
    family, added = {pid}, {pid}
    while added:
        added = {child for child, parent in parents.items() if parent in added} - family
        family |= added
    return family - {pid}


def wait_for(what: object, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("run", signal.SIGKILL),
        ("run", signal.SIGINT),
        ("compare", signal.SIGKILL),
        ("compare", signal.SIGTERM),
        ("compare", signal.SIGHUP),
    ],
)
@pytest.mark.usefixtures("interruptible")
@pytest.mark.timeout(120)
def test_nobody_survives_the_command(kind: str, number: signal.Signals, tmp_path: Path) -> None:
    argv = [sys.executable, str(FAMILIES), kind, str(tmp_path)]
    command = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        started = wait_for(lambda: all((tmp_path / f"{name}.pid").exists() for name in TOOLS[kind]), 60)
        assert started, command.communicate(timeout=1)[0] if command.poll() is not None else "no tool started"
        family = descendants(command.pid)
        shells = {int((tmp_path / f"{name}.pid").read_text()) for name in TOOLS[kind]}
        assert shells <= family
        assert len(family) >= 3 * len(shells)  # each with a guard and a child
        command.send_signal(number)
        command.wait(10)
        gone = wait_for(lambda: all(state(pid)[0] in "XZ" for pid in family), 6)
        assert gone, {pid: state(pid) for pid in family if state(pid)[0] not in "XZ"}
    finally:
        command.kill()
        said = command.communicate(timeout=10)[0]
    assert command.returncode == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        line = "[1/2] 1_alone interrupted run again to start it over; earlier stages are kept\n"
        assert said == (line if kind == "run" else "interrupted\n")
        assert not list(tmp_path.glob("root/*.partial"))


def late(seconds: float, value: int) -> int:
    time.sleep(seconds)
    if value < 0:
        raise ValueError("negative")
    return value


def die(_: int) -> None:
    import os

    os._exit(3)


def test_a_dead_worker_is_an_error_and_not_a_wait() -> None:
    child = Child()
    child.call(die, 1)
    with pytest.raises(StageError, match="exit code 3"):
        child.result()
    child.call(late, 0.0, 1)
    with pytest.raises(StageError, match="exit code 3"):
        child.result()
    child.stop()


def test_a_script_without_a_main_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("from codesign.flow.children import Child\nprint(Child().call(abs, -3).result())\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert f"StageError: {script}: a script that runs stages needs a main guard" in done.stderr
    script.write_text(
        "from codesign.flow.children import Child\n"
        "def main():\n    print(Child().call(abs, -3).result())\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.returncode) == ("3\n", 0)
