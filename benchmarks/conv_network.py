# SPDX-License-Identifier: Apache-2.0
"""The convolutional network that is measured: random weights in QKeras, converted by hls4ml's backend Delta."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import qkeras
from numpy.typing import NDArray

import codesign.hls4ml_plugin  # noqa: F401  (hls4ml finds the backend by entry point)
from benchmarks.clips import SIDE
from codesign.fixed import PIXEL
from codesign.graph.ir import Graph
from codesign.layers import DeltaActivation

CHANNELS = (8, 16, 32)
OUTPUTS = 10
CODE_BITS = 4
WEIGHT_BITS = 4
LANES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvNetwork:
    """One network in all its forms.

    Attributes:
        hold: hold of every delta layer in steps; None: memoryless.
        model: the QKeras model of one frame.
        hls: the hls4ml ModelGraph; compiled, it runs the HLS C++.
        graph: what golden model and RTL are made from.
    """

    hold: float | None
    model: Any
    hls: Any
    graph: Graph


def conv_network(frames: NDArray[np.uint8], *, hold: float | None, seed: int, folder: Path) -> ConvNetwork:
    """Return three 3x3 convolutions at stride 2 and a dense layer, with a delta layer of 4-bit codes before each.

    PE is the number of output channels of each layer; 16 codes make an input beat. Weights depend on ``seed`` alone.

    Args:
        frames: pixels ``[N, 64, 64, 1]``, on which every hidden layer's step is chosen so that it is alive. The same
            frames give the same steps with and without hold.
        hold: hold of every delta layer.
        seed: seed of the weights.
        folder: folder of the hls4ml project.
    """
    import hls4ml

    model = _model(frames, hold, np.random.default_rng(seed))
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    config["Model"]["P"] = LANES
    config["LayerName"]["frame"]["Precision"] = {"result": PIXEL.ap()}
    for name, pe in zip(("conv1", "conv2", "conv3", "fc"), (*CHANNELS, OUTPUTS), strict=True):
        config["LayerName"][name]["PE"] = pe
    kind = "memoryless" if hold is None else "hold"
    hls = hls4ml.converters.convert_from_keras_model(
        model,
        hls_config=config,
        backend="Delta",
        output_dir=str(folder / kind),
        io_type="io_stream",
        project_name=f"conv_{kind}",
    )
    return ConvNetwork(hold=hold, model=model, hls=hls, graph=hls.delta_graph)


def _model(frames: NDArray[np.uint8], hold: float | None, rng: np.random.Generator) -> Any:
    values = keras.ops.convert_to_tensor(PIXEL.to_values(frames).astype(np.float32))
    layers: list[Any] = [keras.Input((SIDE, SIDE, 1), name="frame")]
    step = 2.0**-CODE_BITS
    for number, channels in enumerate(CHANNELS, start=1):
        conv = qkeras.QConv2D(channels, 3, strides=2, padding="same", name=f"conv{number}", **_quantizers())
        layers += [DeltaActivation("relu", CODE_BITS, step, hold, name=f"delta{number - 1}"), conv]
        codes = DeltaActivation("relu", CODE_BITS, step)(values)
        conv.build(codes.shape)
        _randomize(conv, rng)
        values = conv(codes)
        step = _step(keras.ops.convert_to_numpy(values))
    layers.append(DeltaActivation("relu", CODE_BITS, step, hold, name=f"delta{len(CHANNELS)}"))
    fc = qkeras.QDense(OUTPUTS, name="fc", **_quantizers())
    model = keras.Sequential([*layers, keras.layers.Flatten(name="flatten"), fc])
    _randomize(fc, rng)
    return model


def _quantizers() -> dict[str, Any]:
    quantizer = qkeras.quantized_bits(WEIGHT_BITS, 0, alpha=1)
    return {"kernel_quantizer": quantizer, "bias_quantizer": quantizer}


def _randomize(layer: Any, rng: np.random.Generator) -> None:
    """Set the weights to any code, the biases to small ones."""
    half = 2 ** (WEIGHT_BITS - 1)
    kernel, bias = layer.weights
    kernel.assign(rng.integers(-half, half, kernel.shape) / half)
    bias.assign(rng.integers(-2, 3, bias.shape) / half)


def _step(z: NDArray[np.float32]) -> float:
    """Return the power of two at which 95 % of what passes relu is below the largest code."""
    return float(2.0 ** np.ceil(np.log2(np.percentile(z[z > 0], 95) / (2**CODE_BITS - 1))))
