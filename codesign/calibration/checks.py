# SPDX-License-Identifier: Apache-2.0
"""What is known to be wrong with a model before anything slow: all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codesign.calibration.agreement import is_binary
from codesign.errors import ConfigError
from codesign.keras_model.calls import calls_of
from codesign.keras_model.kinds import check_kinds
from codesign.layers.fold import fold_pixels
from codesign.layers.transposed import KINDS


def check_model(
    model: Any, *, frame: tuple[int, ...], classes: Sequence[str] | None, input_range: tuple[float, float]
) -> None:
    """Check that every layer of a float model becomes hardware, and that the clips fit it.

    Args:
        model: Keras model of one frame.
        frame: shape of a frame of the clips.
        classes: names of the classes, if the clips are labelled.
        input_range: what the model was trained to read for pixels of 0 and of 255.

    Raises:
        UnsupportedLayerError: layers that do not; names all of them.
        ConfigError: frames of another shape, or another number of classes.
        ConversionError: no built model of layers, of one frame of a known size.
    """
    check_kinds(calls_of(model), but=(*KINDS, "Rescaling", "Normalization"), after="folding")
    fold_pixels(model, *input_range)
    shape = tuple(model.inputs[0].shape[1:])
    if shape != frame:
        raise ConfigError(
            "the clips do not fit the input of the model",
            where="the clips",
            expected=f"frames of {list(shape)}, as the model reads them",
            received=f"frames of {list(frame)}",
            fix=_other_size(shape),
        )
    outputs = (2,) if is_binary(model) else tuple(model.outputs[0].shape[1:])
    if classes is not None and outputs != (len(classes),):
        raise ConfigError(
            "the labels do not fit the outputs of the model",
            where="data.path",
            expected=f"{outputs[0]} folders, one for each output" if len(outputs) == 1 else "no classes",
            received=f"{len(classes)}: {', '.join(classes)}",
            fix="leave the labels out: labels = false in [model], or codesign import --no-labels; or train a new head: "
            'head = "new" in [model]',
        )


def _other_size(shape: tuple[int | None, ...]) -> str:
    if len(shape) == 3 and shape[0] == shape[1] and shape[2] in (1, 3):
        return f"with videos, set data.size = {shape[0]} and data.grey = {str(shape[2] == 1).lower()}"
    frame = ", ".join(map(str, shape))
    return f"videos are square here, grey or RGB; save what the model reads as .npy files of frames, [T, {frame}]"
