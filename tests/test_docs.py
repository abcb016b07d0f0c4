# SPDX-License-Identifier: Apache-2.0
"""What the documents say of layers, errors, boards and commands is so. Run as a script, it renews the lists."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from pathlib import Path

import pytest

import codesign
from codesign.cli import parser
from codesign.flow.config import load
from codesign.keras_model import kinds
from codesign.keras_model.instead import INSTEAD
from codesign.paths import PACKAGE
from codesign.synth.target import target_names

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SUPPORT = DOCS / "support.md"
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
GROUPS = {
    "multiply and accumulate": kinds.LINEAR,
    "activate": kinds.ACTIVATIONS,
    "move values": kinds.MOVES,
    "add up": kinds.SUMS,
    "do nothing in inference": kinds.NO_OPS,
}


def readable() -> str:
    """Return the list of layers that convert."""
    grouped = {name for names in GROUPS.values() for name in names}
    rows = [*GROUPS.items(), ("others", [name for name in kinds.READABLE if name not in grouped])]
    return "\n".join(
        [
            "| layers that | |",
            "|---|---|",
            *(f"| {what} | {', '.join(f'`{n}`' for n in names)} |" for what, names in rows),
        ]
    )


def instead() -> str:
    """Return the table of what to use in place of the others."""
    by_advice = defaultdict(list)
    for name, advice in INSTEAD.items():
        by_advice[advice].append(f"`{name}`")
    rows = [f"| {', '.join(names)} | {advice} |" for advice, names in by_advice.items()]
    return "\n".join(["| instead of | |", "|---|---|", *rows])


def filled(text: str) -> str:
    """Return the document with the lists of today."""
    for name, made in (("readable", readable()), ("instead", instead())):
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        assert tail, f"the marks of {name}"
        text = f"{head}{begin}{made}\n{end}{tail}"
    return text


def test_layers_are_those_of_the_reader() -> None:
    text = SUPPORT.read_text(encoding="utf-8")
    assert text == filled(text), "docs/support.md is stale: run `python tests/test_docs.py`"


def test_every_message_of_the_troubleshooting_page_is_one_of_ours() -> None:
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    messages = re.findall(r"^### `(.+)`$", text, re.MULTILINE)
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert len(messages) > 15
    assert [message for message in messages if message not in source] == []
    assert text.count("*Next:*") == len(messages), "each has a next step"


def test_every_board_has_a_row() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", (DOCS / "targets.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(rows) & set(target_names())) == sorted(target_names())


def tutorial_commands(kind: str = "sh") -> list[list[str]]:
    """Return the words of the commands of the tutorial."""
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def tutorial_design() -> str:
    """Return the design file of the tutorial."""
    (block,) = re.findall(r"^```toml\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    return str(block)


def test_commands_of_the_tutorial_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = tutorial_commands()
    assert len(commands) >= 7
    for program, *words in commands:
        if program == "codesign":
            assert parser().parse_args(words)
        else:
            assert (program, (ROOT / words[0]).is_file()) == ("python", True)
    monkeypatch.chdir(tmp_path)
    Path("own.toml").write_text(tutorial_design(), encoding="utf-8")
    Path("build/own/videos").mkdir(parents=True)
    assert load(Path("own.toml")).design.name == "own"


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = set(re.findall(r"[\w-]+\.md", text[text.index("\nnav:") :]))
    assert pages == {path.name for path in DOCS.glob("*.md")}


def test_the_public_face_is_documented() -> None:
    shown = re.findall(
        r"^::: codesign\.(?:[\w]+\.)*(\w+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(codesign.__all__) - {"__version__"} <= set(shown)


def test_every_decision_has_a_date() -> None:
    text = (DOCS / "decisions.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\*\*(.+)$", text, re.MULTILINE)
    assert len(entries) > 80
    assert not re.search(r"^#+ .+ \(20\d\d-", text, re.MULTILINE), "a decision stands under the heading of its subject"
    assert [entry for entry in entries if not re.match(r"[^*]+\*\* \(20\d\d-\d\d-\d\d\)\. ", entry)] == []


def test_files_that_the_recipes_name_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w./-])((?:codesign|tests|rtl_tests|docs|flows|hls_templates)/[\w./-]+)", text)
    assert len(set(named)) > 30
    assert [path for path in named if not (ROOT / path).exists() and "<" not in text[text.index(path) :][:60]] == []


if __name__ == "__main__":
    SUPPORT.write_text(filled(SUPPORT.read_text(encoding="utf-8")), encoding="utf-8")
