# SPDX-License-Identifier: Apache-2.0
"""`flows/keras_to_delta.py` goes from a plain Keras model to RTL without a mismatch, in under 40 lines."""

import re
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "flows" / "keras_to_delta.py"


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert "RTL: 0 mismatches" in said
    figures = re.search(r"^accuracy (0\.\d+), operation sparsity (0\.\d+)$", said, re.MULTILINE)
    assert figures is not None
    accuracy, sparsity = map(float, figures.groups())
    assert accuracy > 0.7
    assert sparsity > 0.6


def test_is_short() -> None:
    code = re.sub(r'"""[\s\S]*?"""', "", SCRIPT.read_text(encoding="utf-8"))
    assert len([line for line in code.splitlines() if line.strip() and not line.startswith("#")]) < 40
