# SPDX-License-Identifier: Apache-2.0
"""`codesign import`: a Keras model that others trained, and a folder of clips, become a design that runs."""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from typing import Any

from codesign.commands import build, run
from codesign.data.video import SUFFIXES
from codesign.errors import ConfigError
from codesign.outputs import check_folder, write_text
from codesign.records import Problems
from codesign.synth.target import load_target

HEADER = "# Written by codesign import; `codesign run` repeats it."
RANGES = {"0:1": (0.0, 1.0), "0:255": (0.0, 255.0), "-1:1": (-1.0, 1.0)}
"""What models are trained to read for pixels of 0 and of 255, by the option."""
FRAMES = 12
"""Frames of a clip; the network is simulated on two of them."""
DOES_IT_ITSELF = ("Rescaling", "Normalization")
"""Layers at the start of a model that reads 0 to 255."""


def command(arguments: argparse.Namespace) -> int:
    """Check model and clips, write the design beside its build folder, and run it."""
    output: Path = arguments.output or Path("build") / _name(arguments.model.stem)
    name = _name(output.name)
    if name != output.name:
        raise ConfigError(
            "not a name of a design",
            where="--output",
            expected="letters, digits and _ at its end, not a digit first",
            received=output.name,
            fix=f"use {output.with_name(name)}",
        )
    check_folder(output, "--output")
    design = output.with_suffix(".toml")
    if design.exists() and not design.read_text(encoding="utf-8").startswith(HEADER):
        raise ConfigError(
            "there is another design", where=str(design), expected="none, or one that import wrote", fix="use --output"
        )
    plain = _is_plain(arguments.clips)
    text = _design(arguments, name, design.parent, plain=plain)
    design.parent.mkdir(parents=True, exist_ok=True)
    write_text(design, text)
    print(f"{design}: codesign run {design} repeats this")
    if arguments.target is not None:
        load_target(arguments.target)
    options = {"first": None, "last": arguments.last, "force": False, "dry_run": False, "verbose": False}
    code = run.command(argparse.Namespace(design=design, build_dir=output.parent, **options))
    if arguments.target is None or arguments.last is not None:
        return code
    names = ("clock", "baud", "seed")
    choice = {"targets": False, "hls": False, "dense": False, "force": False, **dict.fromkeys(names)}
    return build.command(argparse.Namespace(folder=output, target=arguments.target, **choice))


def _design(arguments: argparse.Namespace, name: str, folder: Path, *, plain: bool) -> str:
    """Return the TOML text of the design.

    Raises:
        StageError, TrustError: the model cannot be read.
        ConfigError, UnsupportedLayerError: the model, or the clips, cannot be used; names all layers.
    """
    from codesign.calibration.checks import check_model
    from codesign.data import DataConfig
    from codesign.layers.load import load_model

    model = load_model(arguments.model)
    shape = tuple(model.inputs[0].shape[1:]) if len(getattr(model, "inputs", None) or ()) == 1 else ()
    low, high = RANGES[arguments.input_range] if arguments.input_range else _range(model)
    labels = not (plain or arguments.no_labels)
    square = len(shape) == 3 and shape[0] == shape[1] and shape[2] in (1, 3)
    size, grey = (int(shape[0] or 0), shape[2] == 1) if square else (0, False)
    wrong, classes = Problems(), None
    with wrong.collected():
        data = DataConfig(kind="video_folder", path=arguments.clips, size=max(1, size), plain=plain, frames=FRAMES)
        data.verify(1, clips=2, frames=FRAMES)
        classes = data.class_names(1) if labels else None
    check_model(model, frame=(size, size, 1 if grey else 3), classes=classes, input_range=(low, high))
    wrong.check()
    sections: dict[str, dict[str, Any]] = {
        "design": {"name": name},
        "model": {
            "kind": "keras",
            "path": _relative(arguments.model, folder),
            "input_range": [low, high],
            "agreement": arguments.agreement,
            **({"labels": False} if arguments.no_labels else {}),
        },
        "data": {
            "kind": "video_folder",
            "path": _relative(arguments.clips, folder),
            "size": size,
            "grey": grey,
            "frames": FRAMES,
            **({"plain": True} if plain else {}),
        },
        "hardware": {"cycles": "balanced"},
        "clip": {"clips": 2, "frames": FRAMES, "dense_frames": 2},
        "synth": {"targets": [], "route": False},
    }
    lines = [HEADER]
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _name(text: str) -> str:
    """Return ``text`` as a name that C++ and SystemVerilog take."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()
    return f"net_{name}" if not name or name[0].isdigit() else name


def _is_plain(folder: Path) -> bool:
    """Return whether videos lie in ``folder`` itself, and in no folders of classes."""
    if not folder.is_dir():
        raise ConfigError("no such folder", where="--clips", expected="a folder of videos", received=str(folder))
    inside = [path for path in folder.iterdir() if path.is_dir()]
    classes = any(file.suffix.lower() in SUFFIXES for path in inside for file in path.iterdir())
    return not classes


def _range(model: Any) -> tuple[float, float]:
    """Return what a model reads, as far as its first layers show: 0 to 255 if it scales by itself, else 0 to 1."""
    own = any(type(layer).__name__ in DOES_IT_ITSELF for layer in model.layers[:3])
    return RANGES["0:255" if own else "0:1"]


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
