# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.moving``: large networks with random weights, and clips in which little moves, for
`benchmarks.cores`: what a core does with them is a matter of shapes and of how much changes, not of what was learnt.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.networks import APPLICATIONS, Network, application
from codesign.errors import CodesignError
from codesign.graph.file import save_graph
from codesign.graph.ir import Graph
from codesign.paths import BuildFolder
from codesign.verify.clips import input_codes, save_clips

SIZE = 224
"""Pixels of a side of a frame."""
SEEDS = (1, 0)
"""Of the clips; in the first one MobileNet skips 95 % of the multiply-accumulates."""
BITS = 7
"""Of weights and of codes: with them MobileNet's sums take 24 bits, and its state fits 32 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A large network.

    Attributes:
        network: its name, and model of keras.applications.
        pixels: what the model reads for pixels of 0 and 255.
    """

    network: Network
    pixels: tuple[float, float]


def _moving(name: str, what: str, model: str, pixels: tuple[float, float]) -> Moving:
    network = Network(name=name, what=what, model=APPLICATIONS + model, clips="a small square that moves")
    return Moving(network=network, pixels=pixels)


NETWORKS = (
    _moving("mobilenet_224", "MobileNetV1 1.0, 224x224x3, random weights", "MobileNet", (-1.0, 1.0)),
    _moving("resnet50_224", "ResNet-50, 224x224x3, random weights", "ResNet50", (0.0, 1.0)),
)


def main(argv: list[str] | None = None) -> int:
    """Write graph and clips of each network where `benchmarks.cores` looks for them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.moving", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/networks"), help="build folders of the designs")
    parser.add_argument("--only", nargs="*", help="names of networks (default: all)")
    options = parser.parse_args(argv)
    try:
        for moving in NETWORKS:
            if not options.only or moving.network.name in options.only:
                write(moving, options.folder)
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def write(moving: Moving, folder: Path) -> None:
    """Write graph and clips of a network into its folder."""
    from codesign.layers.load import load_model

    frames = np.stack([clip(seed) for seed in SEEDS])
    model = load_model(application(moving.network.model.removeprefix(APPLICATIONS), folder))
    graph = graph_of(model, moving, frames[0, ::4])
    target = folder / moving.network.name / BuildFolder.GRAPH
    target.mkdir(parents=True, exist_ok=True)
    save_graph(graph, target)
    save_clips(input_codes(graph, frames), target)
    print(
        f"{target}: {len(graph.linears)} linear layers, {sum(node.macs for node in graph.linears):,} MACs", flush=True
    )


def graph_of(model: object, moving: Moving, frames: NDArray[np.uint8]) -> Graph:
    """Return the delta network of a Keras model, its steps chosen on ``frames``, nothing held."""
    import hls4ml

    from codesign.flow.convert import convert
    from codesign.layers.activation import input_format
    from codesign.layers.replace import delta

    network = delta(
        model, weight_bits=BITS, activation_bits=BITS, step="fixed", input_range=moving.pixels, clips=frames
    )
    config = hls4ml.utils.config_from_keras_model(network, granularity="name", backend="Delta")
    config["Model"] |= {"Strategy": "delta", "PE": 16, "P": 16}
    config["LayerName"][network.inputs[0].name]["Precision"] = {"result": input_format(network).ap()}
    arguments = {"hls_config": config, "io_type": "io_parallel", "project_name": moving.network.name}
    with tempfile.TemporaryDirectory() as folder:
        graph: Graph = convert(network, arguments, Path(folder)).delta_graph
    return graph


def clip(seed: int, *, frames: int = 8, side: int = 12) -> NDArray[np.uint8]:
    """Return a still background with a textured square that moves by a pixel a frame, ``[T, 224, 224, 3]``."""
    rng = np.random.default_rng(seed)
    back = 40 + 150 * _smooth(rng, SIZE, 12) + 20 * (rng.random((SIZE, SIZE, 3)) - 0.5)
    square = np.clip(60 + 120 * _smooth(rng, side, 4), 0, 255)
    top, left = rng.integers(20, SIZE - 44, 2)
    down, right = rng.integers(-1, 2, 2)
    made = np.repeat(back[None], frames, axis=0)
    for t in range(frames):
        y, x = top + down * t, left + (right or 1) * t
        made[t, y : y + side, x : x + side] = square
    return np.clip(made, 0, 255).astype(np.uint8)


def _smooth(rng: np.random.Generator, size: int, points: int) -> NDArray[np.float64]:
    """Return noise between ``points`` x ``points`` random colours, ``[size, size, 3]``, 0 to 1."""
    colours = rng.random((points, points, 3))
    place = np.linspace(0, points - 1.001, size)
    first, rest = place.astype(int), place % 1
    rows = colours[first] * (1 - rest[:, None, None]) + colours[first + 1] * rest[:, None, None]
    smooth: NDArray[np.float64] = rows[:, first] * (1 - rest[:, None]) + rows[:, first + 1] * rest[:, None]
    return smooth


if __name__ == "__main__":
    sys.exit(main())
