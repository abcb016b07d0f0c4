# SPDX-License-Identifier: Apache-2.0
"""hls4ml's own dense kernels on the networks of `benchmarks.hls`: cycles per frame, and whether their bits are right.

Backend Vitis, io_stream, at least as many multipliers as ours have. These kernels have static schedules, so cycles
follow from loops and II, which are read from the converted model; no HLS compiler is run. Weights do not matter to
them: the designs are built with initial ones. A few random frames go through the C++ of each, against the golden model.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.clips import noise_clip
from benchmarks.stock_loops import cycles, multipliers, reuse_factor
from codesign.errors import UnsupportedLayerError
from codesign.graph.golden import Golden
from codesign.graph.ir import Conv, Dense, Graph

SEED = 1
FRAMES = 8
"""Random frames that go through the C++."""
THREE = "three convolutions"
Strategy = Literal["Latency", "Resource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowest:
    """The slowest kernel of a dataflow, which sets the cycles of a frame."""

    layer: str
    cycles: int
    multipliers: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One network in hls4ml's own kernels.

    Attributes:
        network: its name.
        ours: multipliers of our linear layers (PE x unroll).
        multipliers: multipliers of its own.
        latency: slowest kernel with Strategy Latency.
        resource: slowest kernel with Strategy Resource, at least.
        values: output values compared with the golden model, holds left out.
        mismatches: those that differ.
    """

    network: str
    ours: int
    multipliers: int
    latency: Slowest
    resource: Slowest
    values: int
    mismatches: int

    @property
    def cycles(self) -> int:
        """Cycles per frame of the faster strategy."""
        return min(self.latency.cycles, self.resource.cycles)


def of_design(path: Path) -> StockRow:
    """Return the row of a design, with initial weights."""
    from codesign.flow.config import load
    from codesign.flow.convert import convert, settings
    from codesign.training.network import build_network

    design = load(path)
    seed = design.design.seed
    classes = len(design.data.class_names(seed))
    model = build_network(design.model, design.data.frame, classes, quantized=True, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        return measure(model, convert(model, settings(design, model), Path(folder)).delta_graph, design.design.name)


def of_three() -> StockRow:
    """Return the row of the convolutional network of the benchmark."""
    from benchmarks.conv_network import conv_network

    with tempfile.TemporaryDirectory() as folder:
        network = conv_network(noise_clip(SEED).frames, hold=None, seed=SEED, folder=Path(folder))
        return measure(network.model, network.graph, THREE)


def measure(model: Any, graph: Graph, name: str) -> StockRow:
    """Convert a frame model to hls4ml's own layers with both strategies, count both, run the second.

    Args:
        model: Keras model with `DeltaActivation` layers.
        graph: what it was converted to, with the PE of its layers.
        name: name of the row.

    Raises:
        UnsupportedLayerError: an activation that QKeras has not, or a kernel whose loops are not known.
    """
    ours = our_multipliers(graph)
    stock = without_deltas(model)
    with tempfile.TemporaryDirectory() as folder:
        latency = convert_stock(stock, graph, ours, "Latency", Path(folder) / "latency")
        resource = convert_stock(stock, graph, ours, "Resource", Path(folder) / "resource")
        values, wrong = _differing(resource, graph)
    return StockRow(
        network=name,
        ours=sum(ours.values()),
        multipliers=sum(multipliers(layer) or 0 for layer in resource.get_layers()),
        latency=_slowest(latency),
        resource=_slowest(resource),
        values=values,
        mismatches=wrong,
    )


def our_multipliers(graph: Graph) -> dict[str, int]:
    """Return the multiply-accumulates per cycle of each linear layer: PE x unroll."""
    return {
        node.name: node.pe * (node.unroll[0] * node.unroll[1] if isinstance(node, Conv) else 1)
        for node in graph.engines
        if isinstance(node, Conv | Dense)
    }


def without_deltas(model: Any) -> Any:
    """Return the model with QKeras' quantised relu in place of each `DeltaActivation`; what is held is lost.

    Raises:
        UnsupportedLayerError: an activation is not a relu with one step.
    """
    import keras
    import qkeras

    from codesign.layers import DeltaActivation

    def plain(layer: Any) -> Any:
        if not isinstance(layer, DeltaActivation):
            return type(layer).from_config(layer.get_config())
        if layer.activation != "relu" or layer.fmt.signed or len(set(layer.step_log2)) > 1:
            raise UnsupportedLayerError("no stock activation does this", where=layer.name, expected="relu, one step")
        bits = layer.fmt.width
        return qkeras.QActivation(qkeras.quantized_relu(bits, bits - layer.fmt.frac), name=layer.name)

    copy = keras.models.clone_model(model, clone_function=plain)
    for layer in model.layers:
        if not isinstance(layer, DeltaActivation):
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def convert_stock(model: Any, graph: Graph, least: dict[str, int], strategy: Strategy, folder: Path) -> Any:
    """Return hls4ml's ModelGraph of backend Vitis, io_stream, each linear layer with at least that many multipliers.

    Formats of activations are given: from a quantised relu of step 1 hls4ml makes an integer type, which neither rounds
    nor saturates.
    """
    import hls4ml

    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Vitis")
    config["LayerName"][graph.source.name]["Precision"] = {"result": graph.source.fmt.ap()}
    for delta in graph.deltas:
        if delta.name in config["LayerName"]:  # not one that conversion put in
            bits, integer = delta.fmt.width, delta.fmt.width - delta.fmt.frac
            config["LayerName"][delta.name]["Precision"] = {"result": f"ufixed<{bits},{integer},RND_CONV,SAT>"}
    arguments = {"backend": "Vitis", "io_type": "io_stream", "output_dir": str(folder), "project_name": "stock"}
    plain = hls4ml.converters.convert_from_keras_model(model, hls_config=config, **arguments)
    for name, count in least.items():
        factor = reuse_factor(plain.graph[name], count)
        config["LayerName"][name] |= {"Strategy": strategy.lower(), "ReuseFactor": factor}
    return hls4ml.converters.convert_from_keras_model(model, hls_config=config, **arguments)


def _slowest(model: Any) -> Slowest:
    layer = max(model.get_layers(), key=cycles)
    return Slowest(layer=layer.name, cycles=cycles(layer), multipliers=multipliers(layer))


def _differing(model: Any, graph: Graph) -> tuple[int, int]:
    """Return how many output values were compared with the golden model without holds, and how many differ."""
    fmt = graph.source.fmt
    frames = np.random.default_rng(SEED).integers(fmt.lo, fmt.hi + 1, (FRAMES, *graph.source.shape))
    memoryless = graph.with_thresholds({delta.name: 0 for delta in graph.deltas if delta.hold is not None})
    expected = Golden(memoryless).run(frames).outputs
    model.compile()
    found = np.asarray(model.predict(np.ascontiguousarray(fmt.to_values(frames), np.float32)), np.float64)
    codes = found.reshape(expected.shape) * 2.0**graph.output.fmt.frac
    return expected.size, int((codes != expected).sum())
