# SPDX-License-Identifier: Apache-2.0
"""What `codesign doctor` prints: a paragraph for each tool, readable at any width."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from codesign.endings import FAILED, OK
from codesign.flow.console import Terminal
from codesign.tools import ToolStatus, doctor

_INDENT = " " * 10


def state(tool: ToolStatus) -> str:
    """Return ``ok``; or ``missing`` if it is required, ``optional`` if not."""
    return "ok" if tool.ok else "missing" if tool.required else "optional"


def paragraphs(found: Sequence[ToolStatus], width: int) -> list[str]:
    """Return, for each tool, its state, name, version and purpose, and below what is wrong and what to do.

    No line is longer than ``width``, except for a word that is longer itself; nothing is cut off.
    """
    return ["\n".join(_folded(tool, width)) for tool in found]


def _folded(tool: ToolStatus, width: int) -> list[str]:
    head = f"{state(tool):{len(_INDENT)}}{tool.name}{f' {tool.version}' if tool.version else ''}: {tool.needed_for}"
    texts = [(head, "")]
    if not tool.ok:
        texts = [(f"{head}; {tool.problem or 'not found'}", ""), (f"get it: {tool.how}", _INDENT)]
    return [
        line
        for text, indent in texts
        for line in textwrap.wrap(
            text,
            max(width, 40),
            initial_indent=indent,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def command(_: argparse.Namespace) -> int:
    """List the tools, and how to get what is missing."""
    terminal = Terminal()
    with terminal.bar("trying the tools"):
        found = doctor()
    for tool, text in zip(found, paragraphs(found, min(terminal.console.width, 100)), strict=True):
        terminal.text(text, style="" if tool.ok else "red" if tool.required else "dim")
    return OK if all(tool.ok for tool in found if tool.required) else FAILED
