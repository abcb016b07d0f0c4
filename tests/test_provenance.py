# SPDX-License-Identifier: Apache-2.0
"""Commit, processor and cores that stand beside figures."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from codesign import provenance


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the folder of a package in a checkout."""
    folder = tmp_path / "project" / "package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    git(folder.parent, "init", "-q")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-qm", "first")
    return folder


def test_the_commit_and_whether_the_package_differs_from_it(package: Path) -> None:
    head = git(package, "rev-parse", "HEAD")[:12]
    assert provenance.commit(package) == head
    (package.parent / "notes").touch()
    assert provenance.commit(package) == head, "not in the package"
    (package / "__init__.py").write_text("x = 1\n")
    assert provenance.commit(package) == f"{head}-dirty"


def test_a_package_in_the_checkout_of_something_else_has_no_commit(package: Path, tmp_path: Path) -> None:
    installed = package.parent / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    assert provenance.commit(installed) is None
    assert provenance.commit(tmp_path) is None


def test_without_git_there_is_no_commit(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert provenance.commit(package) is None


def test_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert provenance.processor() is None
    (tmp_path / "cpuinfo").write_text("vendor_id\t: X\nmodel name\t: A Chip 3000\n")
    assert provenance.processor() == "A Chip 3000"


def test_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7})
    assert provenance.cores() == 3
