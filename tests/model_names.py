# SPDX-License-Identifier: Apache-2.0
"""The ``Model:`` line of a SystemVerilog module: dotted names, a remark in parentheses after some, between commas."""

from __future__ import annotations

import ast
import importlib
import re

from codesign.paths import RTL

BENCHES = RTL.parent.parent / "rtl_tests"
_NAME = re.compile(r"([A-Za-z_][\w.]*)(?: \([\w ]+\))?$")


def models(text: str) -> list[str]:
    """Return the names in the ``Model:`` line of a module's text.

    Raises:
        ValueError: it is no list of names.
    """
    line = next(line for line in text.splitlines() if line.startswith("// Model:"))
    found = [_NAME.match(part.strip()) for part in line.removeprefix("// Model:").split(",")]
    if None in found:
        raise ValueError(f"not a list of names: {line}")
    return [name[1] for name in found if name]


def exists(name: str) -> bool:
    """Return whether ``name`` is a module or something in one; benches are read, not run, as they need a simulator."""
    parts = name.split(".")
    if parts[0] == "rtl_tests":
        path = BENCHES / f"{parts[1]}.py"
        return path.is_file() and _defines(ast.parse(path.read_text(encoding="utf-8")), parts[2:])
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def _defines(scope: ast.AST, names: list[str]) -> bool:
    """Return whether a module or class defines the first name, which defines the next one, and so on."""
    if not names:
        return True
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == names[0]:
            return _defines(node, names[1:])
    return False
