# SPDX-License-Identifier: Apache-2.0
"""The layers that `layout` foresees are those of the Keras networks, and their engines those that conversion finds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import keras
import pytest

from codesign.errors import CodesignError, ConfigError
from codesign.flow.config import load
from codesign.flow.convert import convert, settings
from codesign.training import BlockConfig, ModelConfig
from codesign.training.layout import ENGINES, SLIDING, Piece, layout
from codesign.training.network import build_network

KINDS: tuple[Literal["conv", "separable", "residual", "maxpool", "avgpool"], ...] = (
    "conv",
    "separable",
    "residual",
    "maxpool",
    "avgpool",
)


def drawn(draw: random.Random) -> ModelConfig:
    """Return a random network."""
    blocks = []
    for _ in range(draw.randrange(4)):
        kind = draw.choice(KINDS)
        kernel = draw.choice([1, 2]) if kind.endswith("pool") else draw.choice([1, 2, 3, 5])
        filters = None if kind.endswith("pool") else draw.randrange(1, 5)
        blocks.append(BlockConfig(kind=kind, filters=filters, kernel=kernel, stride=draw.randrange(1, 4)))
    return ModelConfig(blocks=tuple(blocks), hidden=tuple(draw.randrange(1, 5) for _ in range(draw.randrange(3))))


def foreseen(model: ModelConfig, shape: tuple[int, int, int]) -> tuple[Piece, ...] | None:
    """Return the layers; None if a pool does not fit."""
    try:
        return layout(model, shape, 7)
    except ConfigError:
        return None


@pytest.mark.parametrize("seed", range(12))
def test_layers_of_random_networks(seed: int) -> None:
    draw = random.Random(seed)
    model, shape = drawn(draw), (draw.randrange(5, 14), draw.randrange(5, 14), draw.choice([1, 3]))
    pieces = foreseen(model, shape)
    if pieces is None:
        with pytest.raises(ConfigError, match="larger than the frame"):
            build_network(model, shape, 7, quantized=False, seed=1)
        return
    network = build_network(model, shape, 7, quantized=seed % 4 == 0, seed=1)
    layers = {layer.name: layer for layer in network.layers}
    assert layers.keys() - {"frame", "encode"} == {piece.name for piece in pieces} - {"encode"}
    for piece in pieces[1:]:
        layer = layers[piece.name]
        assert layer.output.shape[1:] == piece.shape
        window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", (1, 1))
        assert window == (piece.kernel,) * 2
        assert getattr(layer, "strides", (1, 1)) == (piece.stride,) * 2
        read = {tensor._keras_history.operation.name for tensor in keras.tree.flatten(layer.input)}
        assert read == {name if name in layers else "frame" for name in piece.inputs}


DESIGN = """
[design]
name = "all_kinds"
[data]
size = 8
digit = 8.0
travel = 0.0
[model]
blocks = [{kind = "conv", filters = 2, stride = 2}, {kind = "separable", filters = 2}, {kind = "residual", filters = 3},
          {kind = "maxpool", kernel = 2, stride = 1}, {kind = "avgpool", kernel = 2}]
hidden = [3]
"""


@pytest.mark.heavy
@pytest.mark.parametrize("key", ["pe", "unroll"])
def test_engines_are_those_of_the_conversion(tmp_path: Path, key: str) -> None:
    (tmp_path / "x.toml").write_text(DESIGN)
    design = load(tmp_path / "x.toml")
    pieces = layout(design.model, (8, 8, 1), 10)
    model = build_network(design.model, (8, 8, 1), 10, quantized=True, seed=1)
    kinds = ENGINES if key == "pe" else SLIDING
    for piece in pieces:
        arguments = settings(design, model)
        arguments["hls_config"]["LayerName"][piece.name][key.capitalize() if key == "unroll" else "PE"] = (
            1 if key == "pe" else [1, 1]
        )
        if piece.kind in kinds:
            assert convert(model, arguments, tmp_path / "hls").delta_graph
        else:
            with pytest.raises(CodesignError, match="belongs to"):
                convert(model, arguments, tmp_path / "hls").delta_graph  # noqa: B018
