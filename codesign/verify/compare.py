# SPDX-License-Identifier: Apache-2.0
"""Compare the output codes of two implementations exactly, and report where they first differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.errors import StageError
from codesign.fixed import IntArray
from codesign.records import build, plain
from codesign.stored import load_json, loaded

OURS = "this is a fault of the flow, not of the model: please report it with the design's TOML"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two implementations on the same clips.

    Attributes:
        pair: key in ``report.json``.
        frames: frames compared.
        values: output values compared.
        mismatches: values that differ.
        first: where and what, in words; None if nothing differs.
    """

    pair: str
    frames: int
    values: int
    mismatches: int
    first: str | None = None


def compare(pair: str, expected: IntArray, received: IntArray) -> Comparison:
    """Compare output codes ``[N, T, ...]``; a wrong shape counts as every value wrong."""
    frames = int(np.prod(expected.shape[:2]))
    if expected.shape != received.shape:
        text = f"shape {list(expected.shape)} against {list(received.shape)}"
        return Comparison(pair=pair, frames=frames, values=expected.size, mismatches=expected.size, first=text)
    wrong = np.argwhere(expected != received)
    first = None
    if len(wrong):
        clip, frame, *rest = wrong[0].tolist()
        index = tuple(wrong[0])
        first = f"clip {clip}, frame {frame}, output {rest}: {expected[index]} against {received[index]}"
    return Comparison(pair=pair, frames=frames, values=expected.size, mismatches=len(wrong), first=first)


def must_agree(comparison: Comparison, folder: Path, *, fix: str = OURS) -> None:
    """Write ``<pair>.json`` into a stage's folder.

    fix: what to do where a value differs.

    Raises:
        StageError: a value differs: hardware that computes other bits is not carried on.
    """
    (folder / f"{comparison.pair}.json").write_text(json.dumps(plain(comparison), indent=1) + "\n")
    if comparison.mismatches:
        raise StageError(
            f"{comparison.mismatches} of {comparison.values} output values differ",
            where=comparison.pair,
            expected="no difference",
            received=f"first at {comparison.first}",
            fix=fix,
        )


def read_comparison(folder: Path, pair: str) -> Comparison:
    """Return what `must_agree` wrote.

    Raises:
        StageError: the file is missing, damaged, or holds something else.
    """
    path = folder / f"{pair}.json"
    return loaded(path, lambda: build(Comparison, load_json(path), where=pair, folder=folder))
