# SPDX-License-Identifier: Apache-2.0
"""What the conversion says in the flow."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import hls4ml
import pytest

from codesign.errors import ConversionWarning
from codesign.fixed import Fixed
from codesign.flow.convert import convert
from codesign.graph.wide import warn_if_wide


def test_sums_that_float32_does_not_compute_are_no_news_where_float64_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converted(*_: Any, **__: Any) -> str:
        warn_if_wide("fc", Fixed(width=30, frac=4, signed=True))
        warnings.warn("something else", ConversionWarning, stacklevel=1)
        return "graph"

    monkeypatch.setattr(hls4ml.converters, "convert_from_keras_model", converted)
    with pytest.warns(ConversionWarning) as said:
        assert convert(None, {}, tmp_path) == "graph"
    assert [str(item.message) for item in said] == ["something else"]
