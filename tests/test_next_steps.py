# SPDX-License-Identifier: Apache-2.0
"""Every command and option that an error or a document names is one that there is."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from codesign.cli import parser
from codesign.errors import StageError
from codesign.flow import manifest as manifests
from codesign.paths import PACKAGE

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_OPTION = re.compile(r"(?<![\w`-])`{0,2}(--[a-z][a-z0-9-]*)")
_COMMAND = re.compile(r"(?<![\w./-])codesign ([a-z]+)\b([^`\n]*)")
_SAYS = {"fix", "expected", "where", "received"}
# Modules whose errors end one command only, so that they may name its options alone; "" any command.
_COMMANDS = ("run", "build", "report", "measure", "stream", "compare", "load", "core", "search", "fit")
_OWNER = {"synth": "build", "host": "stream", "data/camera": "stream", "cli": "", "flow/runner": "run",
          "flow/steps": "run", "flow/stage": "run", "study": "compare",
          "search": "search", "executor": "compare", "flow/fitted": "fit", "fit": "fit", "endings": "",
          "commands/build_hls": "build", "commands/core_bitstream": "build",
          "commands/import_": "import", **{f"commands/{name}": name for name in _COMMANDS}}  # fmt: skip
_NOT_OURS = ("guard",)  # options of other programs
_OTHERS = {"--nthreads"}  # of dask worker, which an error may name


@cache
def options() -> dict[str, set[str]]:
    found = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return {name: set(command._option_string_actions) for name, command in found.choices.items()}


def wrong(text: str, owner: str | None) -> list[str]:
    """Return what a text names that is not there; ``owner``: None, if options alone may not be named."""
    known, problems = options(), []
    for command, rest in _COMMAND.findall(text):
        if command in known:
            problems += [f"codesign {command} {name}" for name in _OPTION.findall(rest) if name not in known[command]]
        elif command not in ("is", "has", "does"):
            problems.append(f"codesign {command}")
    alone = _OPTION.findall(re.sub(r"`?codesign [a-z]+\b[^`]*`?", "", text))
    valid = set().union(*known.values()) if owner == "" else known.get(owner or "", set())
    return problems + [name for name in alone if name not in valid | _OTHERS]


def owner(path: Path) -> str | None:
    name = path.relative_to(PACKAGE).with_suffix("").as_posix()
    return next((of for start, of in _OWNER.items() if name == start or name.startswith(f"{start}/")), None)


def text_of(node: ast.AST) -> str:
    """Return the words of a string, an f-string or strings put together; X stands for a value."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "X" for part in node.values)
    return " ".join(text_of(child) for child in ast.iter_child_nodes(node))


def said() -> Iterator[tuple[Path, int, str]]:
    """Yield what errors say, and every other text with a command of ours in backquotes."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in _NOT_OURS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                named = ast.unparse(node.func).endswith("Error")
                parts = [word.value for word in node.keywords if word.arg in _SAYS] + (node.args if named else [])
                yield from ((path, node.lineno, text_of(part)) for part in parts)
            elif isinstance(node, ast.Constant | ast.JoinedStr) and "`codesign " in text_of(node):
                yield path, node.lineno, " ".join(re.findall(r"`codesign [^`]*`", text_of(node)))


def test_errors_name_commands_and_options_that_there_are() -> None:
    texts = list(said())
    assert sum("codesign " in text for _, _, text in texts) > 15
    problems = [f"{path.relative_to(PACKAGE)}:{line} {name}" for path, line, text in texts
                for name in wrong(text, owner(path))]  # fmt: skip
    assert not problems


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_documents_name_commands_and_options_that_there_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    code = re.findall(r"`[^`\n]+`|^(?:    |\$ )?(?:\S*bin/)?codesign [a-z].*$", text, re.MULTILINE)
    problems = [name for part in code if "codesign " in part for name in wrong(part, "")]
    assert not problems


def test_the_checker_finds_what_is_wrong() -> None:
    assert wrong("run `codesign report FOLDER --from 6_report`", None) == ["codesign report --from"]
    assert wrong("run `codesign fly`", None) == ["codesign fly"]
    assert wrong("say --from", None) == ["--from"]
    assert (
        wrong("say --from", "run") == wrong("`codesign run X --from 1_model` (or `codesign run X --force`)", None) == []
    )


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("digits/6_report", "codesign run DESIGN.toml --from 6_report"),
        ("digits/boards/ulx3s-85f", "codesign build digits --target ulx3s-85f --force"),
        ("digits/boards/ulx3s-85f_dense", "codesign build digits --target ulx3s-85f --dense --force"),
        ("digits/boards/arty-a7_hls", "codesign build digits --target arty-a7 --hls --force"),
    ],
)
def test_the_way_out_of_an_edit_is_a_command(folder: str, command: str, tmp_path: Path) -> None:
    assert f"`{command}`" in str(manifests.edited_error(Path(folder), ["x.json"]))
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / manifests.NAME).write_text("{")
    with pytest.raises(StageError) as refused:
        manifests.read(tmp_path / folder)
    assert f"`{command.replace('digits', str(tmp_path / 'digits'))}`" in str(refused.value)
    assert wrong(str(refused.value), None) == []
