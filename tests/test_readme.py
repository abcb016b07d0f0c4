# SPDX-License-Identifier: Apache-2.0
"""The README's Python runs as it stands, and its figures are those on record."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"


def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names: dict[str, Any] = {"clips": rng.integers(0, 256, (8, 8, 32, 32, 1)) / 256, "labels": np.arange(8)}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    assert (names["hls_model"].rtl_stats["cycles_per_frame"] > 0).all()
    assert np.isfinite(names["clip_model"].history.history["loss"]).all()
    assert "operation_sparsity" in capsys.readouterr().out


def test_every_path_in_the_readme_exists() -> None:
    text = README.read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\((?!http)([^)]+)\)", text)) | set(re.findall(r"`((?:flows|\.github)/[\w./-]+)`", text))
    assert linked
    missing = [path for path in linked if not (README.parent / path).exists()]
    assert not missing


def test_the_first_screen_has_a_picture_and_five_figures_that_are_on_record() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 110
    screen = lines[:30]
    (picture,) = (match[1] for line in screen if (match := re.match(r"!\[.*\]\((.*)\)", line)))
    assert len([line for line in screen if "**" in line and line.startswith("|")]) == 5
    text = "\n".join(screen)
    assert f"dense {re.findall(r'and ([0-9,]+) for the same', text)[0]}" in (README.parent / picture).read_text()
    results = json.loads((README.parent / "docs" / "experiments.json").read_text())["results"]
    macs = {name: [1 - r["operation_sparsity"] for r in results if r["variant"] == name] for name in ("dense", "delta")}
    fewer = [dense / delta for dense, delta in zip(macs["dense"], macs["delta"], strict=True)]
    assert f"**{sum(fewer) / len(fewer):.1f} times fewer** multiply" in text
