# SPDX-License-Identifier: Apache-2.0
"""Models that hls4ml read from PyTorch: brought to channels last before they are read, and compared with the module.

hls4ml transposes the weights of PyTorch in a pass of its own, which would come after the lowering to delta layers. What
is compared is what the module computes, in float64, of frames on the lattice of the input: every value has to be equal.
"""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np

from codesign.errors import ConfigError, ConversionError, UnsupportedLayerError
from codesign.graph.golden import Golden
from codesign.graph.ir import Graph

_PASSES = ("channels_last_converter", "remove_transpose_before_flatten")
_KEY = "ChannelsLastConversion"
FRAMES = 16
"""Frames that are compared; each is another one of all that the input holds."""


def module_of(model: Any) -> Any:
    """Return the PyTorch module that a ModelGraph was read from; None if it was read from something else."""
    module = model.config.config.get("PytorchModel")
    torch = sys.modules.get("torch")
    return module if torch is not None and isinstance(module, torch.nn.Module) else None


def check_front_end(model: Any) -> None:
    """Check that a ModelGraph was not read from ONNX, as which hls4ml reads QONNX and Brevitas as well.

    Raises:
        UnsupportedLayerError: it was.
    """
    if "OnnxModel" in model.config.config:
        raise UnsupportedLayerError(
            "an ONNX model cannot become a delta network: hls4ml reads it as single operations whose weights and "
            "quantizers are constants, and rounds where it puts them together",
            where=model.config.get_project_name(),
            expected="a model of Keras, QKeras, HGQ2 or PyTorch",
            received="OnnxModel",
            fix="build the network from QKeras layers and copy the weights: QONNX's Quant of n bits and scale 2**-f is "
            "quantized_bits(n, n - f - 1, alpha=1)",
        )


def to_channels_last(model: Any) -> None:
    """Let hls4ml bring a ModelGraph that was read from PyTorch to channels last now, and never again.

    Raises:
        ConfigError: a channels_last_conversion that leaves frames channels first.
    """
    from hls4ml.model.optimizer import optimize_model

    if module_of(model) is None:
        return
    section = model.config.config["HLSConfig"]["Model"]
    given = section.get(_KEY, "off")
    wide = any(len(layer.get_output_variable().shape) > 1 for layer in model.graph.values())
    if given == "off" or (given == "full" and wide):
        raise ConfigError(
            "frames of a delta network are channels last",
            where=f"config['Model'][{_KEY!r}]",
            expected="'internal', and frames [T, H, W, C] for predict()",
            received=repr(given),
            fix="use config_from_pytorch_model(..., channels_last_conversion='internal')",
        )
    optimize_model(model, _PASSES)
    section[_KEY] = "off"


def check_against_pytorch(module: Any, graph: Graph) -> None:
    """Compare ``graph`` with the PyTorch module that it was read from.

    Raises:
        ConversionError: they differ.
    """
    torch: Any = sys.modules["torch"]
    source = graph.source
    codes = np.random.default_rng(0).integers(source.fmt.lo, source.fmt.hi + 1, (FRAMES, *source.shape))
    codes[0], codes[1] = source.fmt.lo, source.fmt.hi
    with torch.no_grad():
        exact = copy.deepcopy(module).double().eval()
        made = exact(torch.tensor(np.moveaxis(source.fmt.to_values(codes), -1, 1), dtype=torch.float64)).numpy()
    expected = np.moveaxis(made, 1, -1).reshape(FRAMES, -1)
    sent = np.stack([Golden(graph).run(frame[None]).outputs[0] for frame in codes])
    received = graph.output.fmt.to_values(sent).reshape(FRAMES, -1)
    wrong = expected != received if expected.shape == received.shape else np.ones((1, 1), bool)
    if wrong.any():
        frame, element = (int(index) for index in np.argwhere(wrong)[0])
        raise ConversionError(
            f"{int(wrong.sum())} of {wrong.size} values of the converted network differ from those of the module",
            where=graph.name,
            expected=f"{expected[frame, element]} in element {element} of frame {frame}, as the module computes it",
            received=received[frame, element],
            fix="use weights, biases and layers that hls4ml reads as they are; or build the model in Keras with QKeras",
        )
