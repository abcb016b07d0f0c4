# SPDX-License-Identifier: Apache-2.0
"""Whatever fails, a command ends with an exit code and one paragraph; nothing is printed by Python itself."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codesign.cli import main
from codesign.endings import FAILED, INTERNAL, INTERRUPTED, UNREAD, USAGE, end
from codesign.errors import ConfigError, SimulationError, StageError

FAILURES = [
    (ConfigError("no", where="x.toml:key"), USAGE, "error: x.toml:key: no."),
    (StageError("failed", where="1_model", fix="try again"), FAILED, "Next step: try again."),
    (OSError(errno.ENOSPC, "No space left on device", "/out/x"), FAILED, "/out/x: No space left on device. Next step"),
    (OSError(errno.EROFS, "Read-only file system", "/out/x"), FAILED, "a place that is writable"),
    (IsADirectoryError(errno.EISDIR, "Is a directory", "/out"), FAILED, "move away the folder"),
    (OSError("no number"), FAILED, "error: no number."),
    (MemoryError("Unable to allocate 9 TiB"), FAILED, "not enough memory. Unable to allocate 9 TiB"),
    (RecursionError("maximum"), FAILED, "nested too deeply"),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), FAILED, "Broken pipe"),  # of a tool: what reads stdout is still there
    (KeyboardInterrupt(), INTERRUPTED, "interrupted"),
    (TypeError("'int' object is not iterable"), INTERNAL, "internal error: TypeError: 'int' object is not iterable."),
    (KeyError("layers"), INTERNAL, "please report it"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), INTERNAL, "internal error: UnicodeDecodeError"),
]


def fail(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(("error", "code", "message"), FAILURES, ids=lambda value: type(value).__name__)
def test_every_failure_is_one_paragraph(
    error: BaseException,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert end(lambda: fail(error)) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "\n\n" not in said.err
    assert message in " ".join(said.err.split())
    logs = list(tmp_path.glob("codesign-*.log"))
    assert bool(logs) == (code == INTERNAL)
    for log in logs:
        assert str(log) in said.err.replace("\n", " ")
        assert "Traceback (most recent call last)" in log.read_text()
        assert "in fail" in log.read_text()


def test_several_problems_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigError.together(["a.b: no.", "a.c: wrong."]).inside("x.toml:")
    assert end(lambda: fail(error)) == USAGE
    assert capsys.readouterr().err == "error: x.toml:a.b: no.\nerror: x.toml:a.c: wrong.\n"


@pytest.mark.parametrize("error", [SimulationError("x"), TypeError("y")])
def test_debug_raises(error: Exception) -> None:
    with pytest.raises(type(error)):
        end(lambda: fail(error), debug=True)


def test_a_log_that_cannot_be_written_is_not_promised(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert end(lambda: fail(TypeError("x"))) == INTERNAL
    assert "please report it; --debug" in capsys.readouterr().err.replace("\n", " ")


def run(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which ``codesign`` is the program."""
    program = f'codesign() {{ "{sys.executable}" -m codesign.cli "$@"; }}; set -o pipefail; {command}'
    return subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ("codesign build --targets > /dev/full", FAILED, "error: No space left on device. Next step: make room"),
        ("codesign build --targets | exec true", UNREAD, ""),
        ("codesign --help | exec true", 0, ""),
        ("codesign build --targets >&-", 0, ""),
        ("codesign build --targets >&- 2>&- <&-", 0, ""),
    ],
)
def test_a_terminal_that_takes_nothing(command: str, code: int, error: str) -> None:
    done = run(command)
    assert done.returncode == code
    assert done.stderr.startswith(error)
    assert error or not done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_a_terminal_without_the_characters(tmp_path: Path) -> None:
    name = tmp_path / "caf\u00e9.toml"
    done = run(f"codesign stages {name}", PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == USAGE
    assert "caf\\" in done.stderr
    assert "cannot be read" in " ".join(done.stderr.split())
    name.write_text('[design]\nname = "x"\n', encoding="utf-8")
    assert run(f"codesign stages {name}", PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0").returncode == 0


def test_main_returns_what_the_command_ended_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("codesign.commands.doctor.doctor", lambda: fail(ZeroDivisionError("by hand")))
    assert main(["doctor"]) == INTERNAL
    assert "internal error: ZeroDivisionError: by hand" in capsys.readouterr().err
