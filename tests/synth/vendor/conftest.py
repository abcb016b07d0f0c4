# SPDX-License-Identifier: Apache-2.0
"""Vendor tools that only pretend, on PATH."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def install(folder: Path, name: str, script: str) -> None:
    """Make an executable Python program ``name`` in ``folder``."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def without_vendor_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here: PATH has no Vivado and no Vitis."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def vivado(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Put the Vivado of fake_vivado.py on PATH."""
    try:
        import tkinter

        tkinter.Tcl()
    except ImportError as error:
        pytest.fail(
            f"{error}: the scripts for Vivado are tested in Python's Tcl interpreter; apt-get install python3-tk"
        )
    install(tmp_path / "bin", "vivado", f"import sys; sys.path.insert(0, {str(HERE)!r})\nimport fake_vivado\n")
    program = tmp_path / "bin" / "vivado"
    program.write_text(program.read_text() + "sys.exit(fake_vivado.main(sys.argv[1:]))\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_REPORTS", str(HERE / "reports"))
