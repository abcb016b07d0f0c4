# SPDX-License-Identifier: Apache-2.0
"""What hls4ml reads from PyTorch, without PyTorch: the layers that its reader gives, and a stand-in of the module."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hls4ml
import numpy as np
import pytest
from hls4ml.model.graph import ModelGraph

from codesign.errors import ConfigError, ConversionError, LatticeError, UnsupportedLayerError
from codesign.graph.golden import Golden


class Module:
    """A convolution 2 -> 3 of kernel 2, a relu, and a dense layer of its values, channels first: as PyTorch does it."""

    def __init__(self, random: np.random.Generator) -> None:
        self.kernel = random.integers(-7, 8, (3, 2, 2, 2)) / 8.0
        self.weight = random.integers(-7, 8, (4, 12)) / 8.0
        self.bias = random.integers(-7, 8, 4) / 8.0
        self.wrong = 0.0

    def double(self) -> Module:
        return self

    def eval(self) -> Module:
        return self

    def __call__(self, x: Any) -> Any:
        windows = np.lib.stride_tricks.sliding_window_view(x.values, (2, 2), (2, 3))
        made = np.maximum(np.einsum("nchwij,ocij->nohw", windows, self.kernel), 0)
        return Tensor(made.reshape(len(made), -1) @ self.weight.T + self.bias + self.wrong)


class Tensor:
    def __init__(self, values: Any, dtype: Any = None) -> None:
        self.values = np.asarray(values, dtype)

    def numpy(self) -> Any:
        return self.values


class NoGrad:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Module:
    torch = SimpleNamespace(nn=SimpleNamespace(Module=Module), tensor=Tensor, float64=np.float64, no_grad=NoGrad)
    monkeypatch.setitem(sys.modules, "torch", torch)
    return Module(np.random.default_rng(2))


def converted(module: Module, folder: Path, conversion: str = "internal") -> Any:
    """Return what hls4ml's converter makes of the layers that it reads from such a module."""
    size = {"in_height": 3, "in_width": 3, "out_height": 2, "out_width": 2, "filt_height": 2, "filt_width": 2}
    pads = dict.fromkeys(("pad_top", "pad_bottom", "pad_left", "pad_right"), 0)
    layers: list[dict[str, Any]] = [
        {"name": "x", "class_name": "InputLayer", "input_shape": [2, 3, 3]},
        {
            "name": "conv",
            "class_name": "Conv2D",
            "inputs": ["x"],
            "data_format": "channels_first",
            "n_chan": 2,
            "n_filt": 3,
            "stride_height": 1,
            "stride_width": 1,
            "padding": "valid",
            "use_bias": False,
            **size,
            **pads,
            "weight_data": module.kernel,
            "bias_data": None,
        },
        {"name": "relu", "class_name": "Activation", "activation": "relu", "inputs": ["conv"]},
        {"name": "flat", "class_name": "Reshape", "target_shape": [12], "inputs": ["relu"]},
        {
            "name": "fc",
            "class_name": "Dense",
            "inputs": ["flat"],
            "n_in": 12,
            "n_out": 4,
            "use_bias": True,
            "weight_data": module.weight,
            "bias_data": module.bias,
        },
    ]
    section = {"Precision": {"default": "ap_fixed<6,3>"}, "ReuseFactor": 1, "Strategy": "Latency"}
    section |= {"ChannelsLastConversion": conversion, "TransposeOutputs": False, "TraceOutput": False}
    written = {"Model": section, "PytorchModel": module, "InputShape": (2, 3, 3)}
    config = {
        "Backend": "Delta",
        "OutputDir": str(folder),
        "ProjectName": "net",
        "IOType": "io_parallel",
        "Part": "x",
        "PytorchModel": module,
        "InputShape": (2, 3, 3),
        "HLSConfig": {"Model": section},
        "ClockPeriod": 5,
    }
    from codesign.hls4ml_plugin.reader.keys import check_shape

    check_shape(written)  # what config_from_pytorch_model writes is known
    return ModelGraph.from_layer_list(config, layers, ["x"], ["fc"])


def test_is_the_module_bit_for_bit(tmp_path: Path, module: Module) -> None:
    assert hls4ml.backends.get_backend("Delta").name == "Delta"
    graph = converted(module, tmp_path).delta_graph
    assert graph.source.shape == (3, 3, 2)
    frames = np.random.default_rng(3).integers(-32, 32, (5, 3, 3, 2))
    received = graph.output.fmt.to_values(Golden(graph).run(frames).outputs)
    expected = module(Tensor(np.moveaxis(graph.source.fmt.to_values(frames), -1, 1))).values
    np.testing.assert_array_equal(received, expected)


def test_a_difference_is_found(tmp_path: Path, module: Module) -> None:
    module.wrong = 2.0**-10
    with pytest.raises(ConversionError, match=r"net: 64 of 64 values .* differ from those of the module"):
        converted(module, tmp_path)


def test_frames_stay_channels_last(tmp_path: Path, module: Module) -> None:
    for conversion in ("full", "off"):
        with pytest.raises(ConfigError, match=r"channels last.*channels_last_conversion='internal'"):
            converted(copy.copy(module), tmp_path, conversion)


def test_weights_lie_on_the_lattice_of_their_precision(tmp_path: Path, module: Module) -> None:
    module.weight = module.weight + 1 / 3
    with pytest.raises(LatticeError, match=r"fc weight: .*off the lattice"):
        converted(module, tmp_path)


def test_onnx_is_refused_as_such(tmp_path: Path, module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ModelGraph.from_layer_list

    def from_onnx(config: Any, *rest: Any) -> Any:
        del config["PytorchModel"]
        return real({**config, "OnnxModel": "m.onnx"}, *rest)

    monkeypatch.setattr(ModelGraph, "from_layer_list", from_onnx)
    with pytest.raises(UnsupportedLayerError, match=r"net: an ONNX model .*Next step: build the network from QKeras"):
        converted(module, tmp_path)
