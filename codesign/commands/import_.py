# SPDX-License-Identifier: Apache-2.0
"""`codesign import`: a Keras model that others trained, and a folder of clips, become a design that runs."""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from codesign import records
from codesign.commands import build, run
from codesign.data import DataConfig, arrays
from codesign.data.folder import VIDEO_FILES, Files, split_folder
from codesign.errors import ConfigError
from codesign.flow.config import Design, DesignSection
from codesign.outputs import check_folder, write_text
from codesign.records import Problems
from codesign.synth.target import Target, load_target

HEADER = "# Written by codesign import; `codesign run` repeats it."
RANGES = {"0:1": (0.0, 1.0), "0:255": (0.0, 255.0), "-1:1": (-1.0, 1.0)}
"""What models are trained to read for pixels of 0 and of 255, by the option."""
QUANTIZED = (0.0, 255 / 256)
"""The same of models whose first weights have quantisers of their own, which stay as they are then."""
LOOKED_AT = 4
"""Clips that show what a model reads."""
CLIPS = "a folder of videos, or of NumPy files of frames, [T, ...] (.npy); or one folder for each class"
FRAMES = 12
"""Frames of a clip; the network is simulated on two of them."""
MULTIPLIER_LUTS = 350
"""About what a multiplier takes with its share of an engine and the activation after it (docs/networks.md)."""
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
    board = None if arguments.target is None else load_target(arguments.target)
    design = output.with_suffix(".toml")
    if design.exists() and not design.read_text(encoding="utf-8").startswith(HEADER):
        raise ConfigError(
            "there is another design", where=str(design), expected="none, or one that import wrote", fix="use --output"
        )
    most = arguments.multipliers or (None if board is None else _multipliers(board))
    text = _design(arguments, name, design.parent, most)
    design.parent.mkdir(parents=True, exist_ok=True)
    write_text(design, text)
    print(f"{design}: codesign run {design} repeats this")
    options = {"first": None, "last": arguments.last, "force": False, "dry_run": False, "verbose": False}
    code = run.command(argparse.Namespace(design=design, build_dir=output.parent, **options))
    if board is None or arguments.last is not None:
        return code
    names = ("clock", "baud", "seed")
    choice = {"targets": False, "hls": False, "dense": False, "force": False, **dict.fromkeys(names)}
    return build.command(argparse.Namespace(folder=output, target=arguments.target, **choice))


def _design(arguments: argparse.Namespace, name: str, folder: Path, most: int | None) -> str:
    """Return the TOML text of the design, with at ``most`` so many multipliers.

    Raises:
        StageError, TrustError: the model cannot be read.
        ConfigError, VideoError, RecordingError, ConversionError: the model, or the clips, cannot be used; names all
            layers.
    """
    from codesign.calibration.checks import check_model
    from codesign.layers.load import load_model

    kind, plain = _kind(arguments.clips)
    model = load_model(arguments.model)
    wrong, classes = Problems(), None
    seed = DesignSection(name=name).seed
    with wrong.collected():
        data = _videos(arguments, model, plain=plain) if kind == "video_folder" else _recordings(arguments, plain=plain)
        data, (low, high) = _ranges(arguments, model, data, seed)
        data.verify(seed, clips=2, frames=data.frames)
        classes = None if plain or arguments.no_labels else data.class_names(seed)
        check_model(model, frame=data.frame, classes=classes, input_range=(low, high))
    wrong.check()
    given = ("kind", "size", "grey", "shape", "range", "frames")
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
            **{key: getattr(data, key) for key in given if getattr(data, key) != getattr(DataConfig(), key)},
            "path": _relative(arguments.clips, folder),
            **({"plain": True} if plain else {}),
        },
        "hardware": {"cycles": "balanced", **({"multipliers": most} if most else {})},
        "clip": {"clips": 2, "frames": data.frames, "dense_frames": 2},
        "synth": {"targets": [], "route": False},
    }
    written = json.loads(json.dumps(sections))  # lists, as TOML has no tuples
    _check_converts(records.build(Design, written, where="", folder=folder), model)
    lines = [HEADER]
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _videos(arguments: argparse.Namespace, model: Any, *, plain: bool) -> DataConfig:
    """Return videos as the model reads them, or, if it reads no such pictures, pictures of one pixel."""
    shape = tuple(model.inputs[0].shape[1:]) if len(getattr(model, "inputs", None) or ()) == 1 else ()
    square = len(shape) == 3 and shape[0] == shape[1] and shape[2] in (1, 3)
    size, grey = (int(shape[0] or 0), shape[2] == 1) if square else (0, False)
    return DataConfig(
        kind="video_folder", path=arguments.clips, size=max(1, size), grey=grey, plain=plain, frames=FRAMES
    )


def _recordings(arguments: argparse.Namespace, *, plain: bool) -> DataConfig:
    """Return recordings as they are."""
    files = split_folder(arguments.clips, seed=0, val=0, test=0.5, plain=plain, files=arrays.RECORDINGS).files
    shape, _ = arrays.survey(files)
    frames = min(len(arrays.open_recording(file)) for file in files)
    return DataConfig(kind="arrays", path=arguments.clips, shape=shape, plain=plain, frames=max(2, min(FRAMES, frames)))


def _ranges(
    arguments: argparse.Namespace, model: Any, data: DataConfig, seed: int
) -> tuple[DataConfig, tuple[float, float]]:
    """Return the data, with the range of recordings that are no pixels, and what the model reads for 0 and 255."""
    from codesign.layers.fold import quantizes_first

    own = quantizes_first(model)
    if data.kind != "arrays" or data.holds_pixels():
        if arguments.input_range:
            return data, RANGES[arguments.input_range]
        scales = any(type(layer).__name__ in DOES_IT_ITSELF for layer in model.layers[:3])
        return data, RANGES["0:255"] if scales else QUANTIZED if own else _shown(model, data, seed)
    if arguments.input_range:
        raise ConfigError(
            "the recordings hold what the model reads",
            where="--input-range",
            expected="none, or recordings of uint8",
            received=arguments.input_range,
            fix="leave it out",
        )
    limits = data.measured_range(seed, exact=own)
    return replace(data, range=limits), limits


def _multipliers(board: Target) -> int:
    """Return how many multipliers a board has, or has logic for."""
    return max(1, min(board.capacity.dsp, board.capacity.lut // MULTIPLIER_LUTS))


def _check_converts(design: Design, model: Any) -> None:
    """Convert what a float ``model`` becomes before calibration, to know what is refused before anything slow."""
    from codesign.flow.convert import convert, settings
    from codesign.layers.replace import delta

    low, high = design.model.input_range
    network = delta(model, step="fixed", input_range=(low, high))
    with tempfile.TemporaryDirectory() as folder:
        convert(network, settings(design, network), Path(folder))


def _name(text: str) -> str:
    """Return ``text`` as a name that C++ and SystemVerilog take."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()
    return f"net_{name}" if not name or name[0].isdigit() else name


def _shown(model: Any, data: DataConfig, seed: int) -> tuple[float, float]:
    """Return what a model reads for pixels of 0 and 255, as its statistics show; 0 to 1 if they do not."""
    from codesign.calibration.ranges import likely_range

    if tuple(model.inputs[0].shape[1:]) != data.frame:
        return RANGES["0:1"]  # they do not fit, which is an error soon
    data.verify(seed, clips=1, frames=data.frames)
    clips = data.labeled_clips(seed, clips=LOOKED_AT, test=False).frames
    found = likely_range(model, clips[:, :: data.frames // 2].reshape(-1, *data.frame), tuple(RANGES.values()))
    low, high = found or RANGES["0:1"]
    why = "as its BatchNormalization shows" if found else "as most models do"
    print(f"pixels are {low:g} to {high:g} to the model, {why}; --input-range says otherwise")
    return low, high


def _kind(folder: Path) -> tuple[Literal["video_folder", "arrays"], bool]:
    """Return what lies in a folder, and whether it does in ``folder`` itself, and in no folders of classes.

    Raises:
        ConfigError: no such folder, neither videos nor recordings in it, or both.
    """
    if not folder.is_dir():
        raise ConfigError("no such folder", where="--clips", expected=CLIPS, received=str(folder))
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    kinds: dict[Literal["video_folder", "arrays"], Files] = {"video_folder": VIDEO_FILES, "arrays": arrays.RECORDINGS}
    found = {
        (kind, plain)
        for kind, files in kinds.items()
        for plain, places in ((True, [folder]), (False, inside))
        if any(files.inside(place) for place in places)
    }
    if len({kind for kind, _ in found}) != 1:
        raise ConfigError(
            "both videos and recordings" if found else "neither videos nor recordings",
            where=f"--clips {folder}",
            expected=CLIPS,
            fix="move one of them away" if found else None,
        )
    return min(found)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
