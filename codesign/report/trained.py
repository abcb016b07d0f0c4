# SPDX-License-Identifier: Apache-2.0
"""The results of training for the report: accuracies with what they are compared with, and the epochs."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codesign.calibration.agreement import FloatAgreement
from codesign.report.model import Accuracy, Confusion, Epoch

PHASES = ("float", "quantized", "delta")
"""Networks whose accuracy is reported; some methods of training have more."""


def accuracy(training: Mapping[str, Any]) -> Accuracy:
    """Return the accuracies in ``training.json``; what an earlier version did not record there is unknown."""
    shares = {name: share for name, share in training["accuracy"].items() if name in PHASES}
    test = training.get("test")
    if test is None:
        return Accuracy(**shares)
    counts = tuple(tuple(row) for row in test["confusion"])
    clips = sum(map(sum, counts))
    return Accuracy(
        **shares,
        clips=clips,
        majority=max(map(sum, counts)) / clips if clips else None,
        confusion=Confusion(classes=tuple(test["classes"]), counts=counts),
    )


def float_agreement(training: Mapping[str, Any]) -> FloatAgreement | None:
    """Return how the network agrees with the float model, where ``training.json`` of an imported model says it."""
    found = training.get("float_agreement")
    return None if found is None else FloatAgreement(**found)


def epochs(log: Path) -> tuple[Epoch, ...]:
    """Return the epochs in ``log.csv``; none if there is no such file."""
    if not log.is_file():
        return ()
    with log.open(newline="", encoding="utf-8") as file:
        return tuple(_epoch(line) for line in csv.DictReader(file))


def _epoch(line: Mapping[str, str]) -> Epoch:
    names = [item.name for item in dataclasses.fields(Epoch) if item.name not in ("phase", "epoch")]
    return Epoch(phase=line["phase"], epoch=int(line["epoch"]), **{name: _number(line.get(name)) for name in names})


def _number(text: str | None) -> float | None:
    """Return a number; None if there is none, or it is not finite."""
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else None
