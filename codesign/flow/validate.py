# SPDX-License-Identifier: Apache-2.0
"""What is known to be wrong with a design before anything is trained, from its own values and from this machine.

Nothing here imports TensorFlow. `check_sections` looks at the design alone, `check_machine` at what it needs here.
"""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.data.recording import printable
from codesign.errors import ConfigError, ConversionError
from codesign.graph.axis import Axis
from codesign.graph.pe import check_pe
from codesign.graph.pooling import windows
from codesign.records import Problems
from codesign.suggest import did_you_mean
from codesign.training.config import TrainingConfig
from codesign.training.layout import ENGINES, SLIDING, Piece, layout

if TYPE_CHECKING:
    from codesign.data.config import DataConfig
    from codesign.flow.config import Design, LayerSection

DIGITS = 10
"""Classes of the moving digits."""
ONLY_TRAIN = "stop after the training with --to 1_model"


def check_sections(design: Design) -> None:
    """Check that the sections of a design fit each other.

    Raises:
        ConfigError: they do not, or the design cannot run; lists each problem.
    """
    wrong = Problems()
    imported = design.model.kind == "keras"
    with wrong.collected():
        pieces = () if imported else layout(design.model, picture_shape(design.data), class_count(design.data) or 1)
        for number, block in enumerate(design.model.blocks, start=1):
            if block.kind == "maxpool":
                with wrong.collected():
                    _check_window(number, {piece.name: piece for piece in pieces})
        for name, section in () if imported else design.hardware.layer.items():
            with wrong.collected():
                _check_layer(name, section, pieces, last=class_count(design.data) is None)
    with wrong.collected():
        _check_core(design)
    training = design.training
    with wrong.collected():
        _check_trained(design)
    with wrong.collected():
        training.check_frames(design.data.frames)
    with wrong.collected():
        if training.early_stop and not _validates(design.data):
            raise ConfigError(
                "there is nothing to validate with",
                where="training.early_stop",
                expected="clips in the validation split",
                received="none",
                fix="set data.val or data.val_share above 0, or training.early_stop to 0",
            )
    with wrong.collected():
        if training.method == "hold" and not design.model.input_hold_steps and not design.model.hold_steps:
            raise ConfigError(
                "there is no hold to apply",
                where="training.method",
                expected="model.input_hold_steps or model.hold_steps above 0",
                received="'hold' with neither",
            )
    wrong.check()


def _check_core(design: Design) -> None:
    """Check that only a design for a core describes one."""
    if design.hardware.architecture == "pipeline" and design.core != type(design.core)():
        raise ConfigError(
            "a pipeline does not use this section",
            where="core",
            expected='hardware.architecture = "core", which uses it',
            fix="set hardware.architecture, or remove [core]",
        )


def check_deployed(design: Design, where: str = "model.activation_step", fix: str = "") -> None:
    """Check that what is trained can become hardware.

    Raises:
        ConfigError: it cannot.
    """
    if not design.model.trained:
        return
    if design.model.activation_step == "real" and design.training.method != "hold":
        raise ConfigError(
            "real steps do not deploy",
            where=where,
            expected="model.activation_step 'po2' or 'fixed'",
            received="'real'",
            fix=f'use model.activation_step = "po2", or {fix or ONLY_TRAIN}',
        )
    places = ["a model of others"]
    if design.model.kind == "network":
        pieces = layout(design.model, picture_shape(design.data), class_count(design.data) or 1)
        places = [piece.name for piece in pieces if piece.kind == "delta" and len(piece.shape) > 1]
    trained = design.model.activation_step == "po2" and design.training.method != "hold"
    if trained and design.model.step_per == "neuron" and places:
        raise ConfigError(
            "hardware has one step per channel, not one per neuron",
            where=where.replace("activation_step", "step_per"),
            expected=f"model.step_per 'channel' or 'layer', as {places[0]} has several neurons in a channel",
            received="'neuron'",
            fix=f'use model.step_per = "channel", or {fix or ONLY_TRAIN}',
        )


def check_machine(design: Design, *, deploys: bool, surveyed: bool = False) -> None:
    """Check that the data, the devices and the packages that a design asks for are here.

    Args:
        design: what will be trained.
        deploys: it will be measured on the clips of ``[clip]``, too.
        surveyed: its data are known to be here.

    Raises:
        ConfigError: something is not, or videos are shorter than clips of them; lists each problem.
        VideoError, RecordingError: a list or a file of the data cannot be used.
    """
    wrong = Problems()
    with wrong.collected():
        path = design.model.path
        if path is not None and not path.exists():
            raise ConfigError(
                "no such file",
                where="model.path",
                expected="a model file; the path is relative to the TOML file",
                received=printable(path),
            )
    with wrong.collected():
        if not surveyed:
            _check_data(design, measured=design.clip.clips if deploys else 0)
        _check_outputs(design)
    with wrong.collected():
        _check_memory(design, deploys=deploys)
    with wrong.collected():
        _check_devices(design.training.devices)
    with wrong.collected():
        if design.training.tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise ConfigError(
                "TensorBoard is not installed",
                where="training.tensorboard",
                fix="pip install 'delta-codesign[tensorboard]', or set it to false",
            )
    wrong.check()


def check_run(design: Design, path: Path, *, deploys: bool) -> None:
    """Check that a design that was read from ``path`` can be run here, and become hardware if it ``deploys``.

    Raises:
        ConfigError: they do not, or the design cannot run; lists each problem.
        VideoError, RecordingError: a list or a file of the data cannot be used.
    """
    wrong = Problems()
    if deploys:
        with wrong.collected():
            check_deployed(design)
    with wrong.collected():
        check_machine(design, deploys=deploys)
    if wrong.found:
        raise ConfigError.together(wrong.found).inside(f"{path}:")


def picture_shape(data: DataConfig) -> tuple[int, int, int]:
    """Return height, width and channels of the frames.

    Raises:
        ConfigError: they are no pictures.
    """
    if len(data.frame) != 3:
        raise ConfigError(
            "networks that are trained here read pictures",
            where="data.shape",
            expected="[height, width, channels]",
            received=list(data.frame),
            fix='take a model of your own: [model] kind = "keras", or codesign import',
        )
    height, width, channels = data.frame
    return height, width, channels


def class_count(data: DataConfig) -> int | None:
    """Return the number of classes; None if only the videos show it."""
    return DIGITS if data.kind == "moving_digits" else None


def _check_trained(design: Design) -> None:
    """Check that what ``[training]`` says is done, and that there are classes to train with."""
    model = design.model
    if not model.trained and design.training != TrainingConfig():
        raise ConfigError(
            "a model of others is not trained unless this is set",
            where="model.head",
            expected='"own", its outputs are the classes, or "new", an output for each class beside [training]',
            received="none",
            fix="add it, or remove [training]",
        )
    if model.kind == "keras" and model.trained and design.data.plain:
        raise ConfigError(
            "there are no classes to train with",
            where="data.plain",
            expected="a folder of videos for each class",
            received="true",
            fix="sort the videos into folders, or remove model.head",
        )


def _validates(data: DataConfig) -> bool:
    return data.val > 0 if data.kind == "moving_digits" else data.val_share > 0


def _check_layer(name: str, section: LayerSection, pieces: tuple[Piece, ...], *, last: bool) -> None:
    """Check one ``[hardware.layer.<name>]``; ``last``: the outputs of the last layer are not known."""
    where = f"hardware.layer.{name}"
    piece = _piece(name, pieces, ENGINES, where, "has an engine")
    if section.unroll:
        _piece(
            name, pieces, SLIDING, f"{where}.unroll", "slides over its input, so that an element reaches several places"
        )
        if len(section.unroll) != 2:
            raise ConfigError(
                "one number per axis",
                where=f"{where}.unroll",
                expected="[rows, columns]",
                received=list(section.unroll),
            )
    outputs = piece.shape[-1]
    if section.pe is not None and not (last and piece is pieces[-1]):
        try:
            check_pe(name, min(section.pe, outputs), outputs)
        except ConversionError:
            valid = [number for number in range(1, outputs + 1) if outputs % number == 0]
            raise ConfigError(
                "pe does not divide the number of outputs",
                where=f"{where}.pe",
                expected=f"one of {', '.join(map(str, valid))}, or more than that: all {outputs} at once",
                received=f"{section.pe} for {outputs} outputs",
            ) from None


def _piece(name: str, pieces: tuple[Piece, ...], kinds: tuple[str, ...], where: str, what: str) -> Piece:
    found = {piece.name: piece for piece in pieces if piece.kind in kinds}
    if name not in found:
        there = any(piece.name == name for piece in pieces)
        raise ConfigError(
            f"no layer that {what} is called {name!r}" if not there else f"not a layer that {what}",
            where=where,
            expected=f"one of {', '.join(found)}" if found else "no such key: this network has no such layer",
            fix=did_you_mean(name, found) if not there else "remove the key",
        )
    return found[name]


def _check_window(number: int, pieces: Mapping[str, Piece]) -> None:
    """Check that a maximum is not over more elements than one compares."""
    piece = pieces[f"pool{number}"]
    height, width = pieces[piece.inputs[0]].shape[:2]
    y, x = (Axis(size=size, kernel=piece.kernel, stride=piece.stride) for size in (height, width))
    try:
        windows(piece.name, "max", y, x, pads=False)
    except ConversionError as error:
        raise ConfigError(f"model.blocks[{number - 1}].kernel: {error}") from None


def _check_data(design: Design, *, measured: int) -> None:
    """Check that the videos are there, and long enough to train with and for the clips that are ``measured``."""
    data = design.data
    if data.kind != "moving_digits" and data.path is not None and not data.path.is_dir():
        raise ConfigError(
            "no such folder",
            where="data.path",
            expected="a folder of videos or recordings; the path is relative to the TOML file",
            received=printable(data.path),
        )
    data.verify(design.design.seed, clips=measured, frames=design.clip.frames)


def _check_outputs(design: Design) -> None:
    """Check the layer whose outputs are the classes, which only the videos show."""
    if class_count(design.data) is None and design.model.kind == "network":
        classes = len(design.data.class_names(design.design.seed))
        pieces = layout(design.model, picture_shape(design.data), classes)
        section = design.hardware.layer.get(pieces[-1].name)
        if section is not None:
            _check_layer(pieces[-1].name, section, pieces, last=False)


def _check_memory(design: Design, *, deploys: bool) -> None:
    """Check that the frames that are held in memory fit there, with nothing else in it."""
    data, clip = design.data, design.clip
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    needed = {"clip.frames": clip.clips * clip.frames if deploys else 0}
    if data.kind == "moving_digits":
        needed["data.train"] = (data.train + data.val + data.test) * data.frames
    for key, frames in needed.items():
        size = frames * math.prod(data.frame)
        if size > there:
            raise ConfigError(
                "more frames than memory holds",
                where=key,
                expected=f"at most {there >> 20:,} MiB of frames",
                received=f"{size >> 20:,} MiB: {frames:,} frames of {' x '.join(map(str, data.frame))}",
                fix="use fewer, shorter or smaller clips",
            )


def _check_devices(devices: int) -> None:
    """Check that there are as many; TensorFlow itself reports later which of them it can use."""
    here = gpus()
    if here is not None and devices > max(1, here):
        raise ConfigError(
            "there are fewer devices",
            where="training.devices",
            expected=f"at most {max(1, here)}: {here} GPUs" if here else "at most 1: the processor, as there is no GPU",
            received=devices,
            fix="set it to 0, which takes every GPU there is",
        )


def gpus(devices: Path = Path("/dev")) -> int | None:
    """Return how many GPUs there can be at most; None if this cannot be known without TensorFlow."""
    if any((devices / name).exists() for name in ("dxg", "kfd", "nvgpu", "nvhost-gpu")):  # WSL, AMD, Jetson
        return None
    found = [path for path in devices.glob("nvidia*") if path.name[6:].isdigit()]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or any(part.strip().startswith("MIG") for part in visible.split(",")):
        return len(found)
    return min(len(found), len([part for part in visible.split(",") if part.strip() not in ("", "-1")]))
