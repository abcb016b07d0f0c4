# SPDX-License-Identifier: Apache-2.0
"""`layout`: the layers that a ``[model]`` section becomes, with their names, order and shapes, without Keras.

`codesign.training.network` builds exactly these, so what a design sets for a layer can be checked before it is trained.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from codesign.errors import ConfigError
from codesign.suggest import did_you_mean
from codesign.training.config import BlockConfig, LayerConfig, ModelConfig

Kind = Literal["encode", "conv", "depthwise", "dense", "delta", "maxpool", "avgpool", "add", "flatten"]
LINEAR = ("conv", "depthwise", "dense")
"""Kinds that multiply and accumulate."""
SLIDING = ("conv", "depthwise", "maxpool", "avgpool")
"""Kinds whose window slides: an element reaches several positions."""
ENGINES = (*LINEAR, "maxpool", "avgpool", "add")
"""Kinds that have an engine with processing elements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A layer of the frame models.

    Attributes:
        name: name of the Keras layer, and of ``[hardware.layer.<name>]`` and the report's row if it has an engine.
        kind: kind of the layer; ``encode`` is the input's delta activation, ``delta`` a hidden one.
        inputs: names of the layers it reads; the first one's is ``frame``.
        shape: shape of its output frame, channels last.
        kernel: height and width of its window.
        stride: stride in both directions.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    kernel: int = 1
    stride: int = 1


def layout(model: ModelConfig, shape: tuple[int, ...], classes: int) -> tuple[Piece, ...]:
    """Return the layers after the input ``frame``, in the order in which they are made.

    Args:
        model: sizes.
        shape: shape of a frame, ``(H, W, C)``.
        classes: number of outputs.

    Raises:
        ConfigError: a pool does not fit on what the blocks before it leave of a frame; ``model.layer`` names no layer.
    """
    pieces = [Piece(name="encode", kind="encode", inputs=("frame",), shape=shape)]
    for number, block in enumerate(model.blocks, start=1):
        pieces += _block(pieces[-1], block, number)
    flat = (math.prod(pieces[-1].shape),)
    pieces.append(Piece(name="flatten", kind="flatten", inputs=(pieces[-1].name,), shape=flat))
    for number, units in enumerate((*model.hidden, classes), start=1):
        pieces.append(Piece(name=f"fc{number}", kind="dense", inputs=(pieces[-1].name,), shape=(units,)))
        if number <= len(model.hidden):
            pieces.append(_delta(pieces[-1], f"delta{number}"))
    for name, layer in model.layer.items():
        _check_settings(name, layer, pieces)
    return tuple(pieces)


def _check_settings(name: str, layer: LayerConfig, pieces: list[Piece]) -> None:
    """Check that ``[model.layer.<name>]`` is of a layer that has what it sets."""
    weights = [piece.name for piece in pieces if piece.kind in LINEAR]
    active = [piece.inputs[0] for piece in pieces if piece.kind == "delta"]
    for key, found in (("weight_bits", weights), ("activation_bits", active), ("hold_steps", active)):
        if getattr(layer, key) is not None and name not in found:
            raise ConfigError(
                f"no layer with {'weights' if key == 'weight_bits' else 'an activation'} is called {name!r}",
                where=f"model.layer.{name}.{key}",
                expected=f"one of {', '.join(found)}",
                fix=did_you_mean(name, found),
            )


def _block(source: Piece, block: BlockConfig, number: int) -> Iterator[Piece]:
    if block.kind == "conv":
        yield (conv := _conv(source, block, f"conv{number}"))
        yield _delta(conv)
    elif block.kind == "separable":
        yield (depthwise := _window(source, block, f"dw{number}", "depthwise", source.shape[-1]))
        yield (after := _delta(depthwise))
        yield (conv := _conv(after, block, f"pw{number}", kernel=1, stride=1))
        yield _delta(conv)
    elif block.kind == "residual":
        yield from _residual(source, block, f"res{number}")
    else:
        yield (pool := _pool(source, block, number))
        if block.kind == "avgpool":
            yield _delta(pool)


def _residual(source: Piece, block: BlockConfig, name: str) -> Iterator[Piece]:
    yield (first := _conv(source, block, f"{name}_a"))
    yield (after := _delta(first))
    yield (second := _conv(after, block, f"{name}_b", stride=1))
    skip = source
    if source.shape != second.shape:
        yield (skip := _conv(source, block, f"{name}_skip", kernel=1))
    both = Piece(name=f"{name}_add", kind="add", inputs=(second.name, skip.name), shape=second.shape)
    yield both
    yield _delta(both, f"{name}_delta")


def _delta(source: Piece, name: str | None = None) -> Piece:
    return Piece(name=name or f"{source.name}_delta", kind="delta", inputs=(source.name,), shape=source.shape)


def _conv(
    source: Piece, block: BlockConfig, name: str, *, kernel: int | None = None, stride: int | None = None
) -> Piece:
    """Return the convolution of a block, or one of another kernel or stride."""
    assert block.filters is not None  # `BlockConfig.check` has refused it
    return _window(source, block, name, "conv", block.filters, kernel=kernel, stride=stride)


def _window(
    source: Piece,
    block: BlockConfig,
    name: str,
    kind: Kind,
    channels: int,
    *,
    kernel: int | None = None,
    stride: int | None = None,
) -> Piece:
    """Return a layer with a sliding window and Keras' padding ``same``."""
    step = block.stride if stride is None else stride
    sides = [-(-side // step) for side in source.shape[:2]]
    return Piece(
        name=name,
        kind=kind,
        inputs=(source.name,),
        shape=(*sides, channels),
        kernel=block.kernel if kernel is None else kernel,
        stride=step,
    )


def _pool(source: Piece, block: BlockConfig, number: int) -> Piece:
    height, width, channels = source.shape
    if block.kernel > min(height, width):
        raise ConfigError(
            "the pool is larger than the frame it reads",
            where=f"model.blocks[{number - 1}].kernel",
            expected=f"at most {min(height, width)}, as {height} x {width} are left of a frame",
            received=block.kernel,
            fix="use a smaller kernel here, or smaller strides before",
        )
    sides = ((side - block.kernel) // block.stride + 1 for side in (height, width))
    kind: Kind = "maxpool" if block.kind == "maxpool" else "avgpool"
    return Piece(
        name=f"pool{number}",
        kind=kind,
        inputs=(source.name,),
        shape=(*sides, channels),
        kernel=block.kernel,
        stride=block.stride,
    )
