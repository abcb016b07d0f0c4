# SPDX-License-Identifier: Apache-2.0
"""What a user writes into an hls4ml config, or gives to predict() and build(), has an effect or is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from qkeras import QActivation, QConv2D, QDense, quantized_bits, quantized_relu

from codesign.errors import ConfigError, ConversionError
from codesign.hls4ml_plugin.calls import builder

Edit = Callable[[dict[str, Any]], object]
"""Changes a configuration before it is converted."""
Configs = dict[tuple[str, str], dict[str, Any]]


def linear(bits: int = 4) -> dict[str, Any]:
    return {
        "kernel_quantizer": quantized_bits(bits, 0, alpha=1),
        "bias_quantizer": quantized_bits(6, 1, alpha=1),
    }


@pytest.fixture(scope="module")
def model() -> Any:
    parts = [
        keras.Input((4, 4, 1), name="frame"),
        QActivation(quantized_bits(5, 0, alpha=1), name="encode"),
        QConv2D(2, 3, **linear(), name="conv"),
        QActivation(quantized_relu(4, 1), name="act"),
        keras.layers.MaxPooling2D(2, name="pool"),
        keras.layers.Flatten(name="flat"),
        QDense(3, **linear(), activation=quantized_bits(5, 1, keep_negative=False, alpha=1), name="fc"),
        QDense(3, **linear(), name="fc2"),
        keras.layers.Softmax(name="soft"),
    ]
    keras.utils.set_random_seed(0)
    return keras.Sequential(parts)


@pytest.fixture(scope="module")
def configs(model: Any) -> Configs:
    return {
        (backend, kind): hls4ml.utils.config_from_keras_model(model, granularity=kind, backend=backend)
        for backend in ("Delta", "Vitis")
        for kind in ("model", "type", "name")
    }


def convert(model: Any, config: dict[str, Any] | None, folder: Path, **kwargs: Any) -> Any:
    kwargs = {"backend": "Delta", "output_dir": str(folder), **kwargs}
    return hls4ml.converters.convert_from_keras_model(model, hls_config=config, **kwargs)


@pytest.mark.parametrize("kind", ["model", "type", "name"])
@pytest.mark.parametrize("backend", ["Delta", "Vitis"])
def test_what_hls4ml_writes_passes(model: Any, configs: Configs, tmp_path: Path, backend: str, kind: str) -> None:
    convert(model, copy.deepcopy(configs[backend, kind]), tmp_path)


def test_no_config_passes(model: Any, tmp_path: Path) -> None:
    convert(model, None, tmp_path)


def by_name(layer: str, **entry: Any) -> Edit:
    return lambda config: config["LayerName"][layer].update(entry)


def whole(**entry: Any) -> Edit:
    return lambda config: config["Model"].update(entry)


def by_type(kind: str, **entry: Any) -> Edit:
    return lambda config: config.setdefault("LayerType", {}).update({kind: entry})


def precision(layer: str, **entry: Any) -> Edit:
    return lambda config: config["LayerName"][layer]["Precision"].update(entry)


REFUSED = {
    "pe": (by_name("fc", pe=2), r"LayerName'\]\['fc'\]: unknown key 'pe'.*did you mean 'PE'"),
    "ReuseFaktor": (by_name("fc", ReuseFaktor=2), r"'fc'\]: unknown key 'ReuseFaktor'.*did you mean 'ReuseFactor'"),
    "Unrol": (by_name("conv", Unrol=[1, 1]), r"unknown key 'Unrol'.*did you mean 'Unroll'"),
    "reuse_factor": (by_name("conv", reuse_factor=4), r"unknown key 'reuse_factor'.*did you mean '(ReuseFactor|PE)'"),
    "model pe": (whole(pe=2), r"config\['Model'\]: unknown key 'pe'.*did you mean 'PE'"),
    "type pe": (by_type("QDense", pe=2), r"LayerType'\]\['QDense'\]: unknown key 'pe'.*did you mean 'PE'"),
    "unknown layer": (lambda c: c["LayerName"].update(fc_2={}), r"unknown layer 'fc_2'.*did you mean 'fc2'"),
    "unknown type": (by_type("QDence", PE=1), r"(unknown type|PE belongs).*did you mean 'QDense'"),
    "unknown section": (lambda c: c.update(Layername={}), r"unknown section 'Layername'.*did you mean 'LayerName'"),
    "reuse of a layer": (by_name("fc", ReuseFactor=4), r"\['fc'\]\['ReuseFactor'\]: .*no effect.*Next step: set PE"),
    "reuse of a type": (by_type("QDense", ReuseFactor=4), r"\['QDense'\]\['ReuseFactor'\]: .*Next step: set PE"),
    "reuse of all": (whole(ReuseFactor=4), r"\['Model'\]\['ReuseFactor'\]: .*Next step: set PE"),
    "parallelism": (
        by_name("conv", ParallelizationFactor=4),
        r"ParallelizationFactor has no effect.*set PE and Unroll",
    ),
    "implementation": (by_name("conv", ConvImplementation="Encoded"), r"ConvImplementation has no effect.*Next step"),
    "table": (by_name("act", TableSize=64), r"TableSize has no effect.*Next step"),
    "table's type": (precision("act", table="fixed<9,4>"), r"\['table'\]: this type has no effect.*Next step"),
    "compression": (whole(Compression=True), r"Compression has no effect.*Next step"),
    "cycles": (whole(TargetCycles=9), r"TargetCycles has no effect.*Next step: set PE"),
    "a key of another layer": (by_name("fc", TableSize=1024), r"\['fc'\]\['TableSize'\].*no effect on this layer"),
    "PE of what has none": (by_name("flat", PE=2), r"\['flat'\]\['PE'\]: PE belongs to a layer that computes"),
    "PE of a type that has none": (by_type("Activation", PE=2), r"\['Activation'\]\['PE'\]: PE belongs"),
    "PE of a wrong type": (by_name("fc", PE="all"), r"\['fc'\]\['PE'\]: not a positive integer.*Next step"),
    "strategy of a wrong type": (by_name("fc", Strategy=1), r"\['fc'\]\['Strategy'\]: not a strategy.*Next step"),
    "a layer that is no dict": (lambda c: c["LayerName"].update(fc=4), r"\['fc'\]: not a dict.*Received: 4.*Next step"),
    "a layer that is None": (lambda c: c["LayerName"].update(fc=None), r"\['fc'\]: not a dict.*Received: None.*remove"),
    "layers that are None": (lambda c: c.update(LayerName=None), r"\['LayerName'\]: not a dict.*Next step"),
    "a model that is None": (lambda c: c.update(Model=None), r"\['Model'\]: not a dict.*Next step"),
    "no default type": (whole(Precision={"weight": "fixed<8,3>"}), r"needs a default.*Next step: add 'default'"),
    "other passes": (lambda c: c.update(Flows=["convert"]), r"config\['Flows'\]: .*own passes.*Next step: remove"),
    "unknown passes": (lambda c: c.update(Flows=["nope"]), r"config\['Flows'\]: .*own passes.*Next step: remove"),
    "passes left out": (lambda c: c.update(SkipOptimizers=["delta:lower"]), r"\['SkipOptimizers'\]: .*no effect"),
    "layers that are no dict": (lambda c: c.update(LayerName=["fc"]), r"\['LayerName'\]: not a dict.*Next step"),
    "reuse of a wrong type": (by_name("fc", ReuseFactor="4"), r"\['fc'\]\['ReuseFactor'\]: .*Expected: an integer"),
    "trace": (by_name("fc", Trace=True), r"\['fc'\]\['Trace'\]: Trace has no effect on a delta network.*remove Trace"),
    "trace of all": (whole(TraceOutput=True), r"TraceOutput has no effect on a delta network.*remove TraceOutput"),
    "trace of a wrong type": (by_name("fc", Trace="yes"), r"\['Trace'\]: not a flag.*True or False"),
    "no type": (precision("frame", result="fixed<a>"), r"\['result'\]: not a type.*Next step"),
    "a number for a type": (by_name("frame", Precision=8), r"\['Precision'\]: not a type.*Received: 8"),
    "a typo in a type's name": (precision("fc", reslt="auto"), r"unknown key 'reslt'.*did you mean 'result'"),
    "a typo in the model's types": (lambda c: c["Model"]["Precision"].update(wieght="auto"), "did you mean 'weight'"),
    "a coarser result": (precision("fc2", result="fixed<4,2>"), r"\['fc2'\].*\['result'\]: .*coarser.*QActivation"),
    "a coarser sum": (precision("conv", accum="fixed<4,2>"), r"\['conv'\].*\['accum'\]: .*coarser.*Next step"),
    "other weights": (
        precision("fc2", weight="fixed<3,1>"),
        r"\['fc2'\].*\['weight'\]: .*kernel_quantizer in the Keras",
    ),
    "a coarser pool": (by_name("pool", Precision="ufixed<2,1>"), r"\['pool'\].*\['result'\]: .*coarser"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_effect_is_refused(model: Any, configs: Configs, tmp_path: Path, name: str) -> None:
    edit, message = REFUSED[name]
    config = copy.deepcopy(configs["Delta", "name"])
    edit(config)
    with pytest.raises((ConfigError, ConversionError), match=message):
        convert(model, config, tmp_path)


def test_types_of_keras_and_of_hls4ml_have_an_effect(model: Any, configs: Configs, tmp_path: Path) -> None:
    config = copy.deepcopy(configs["Delta", "type"])
    config["LayerType"]["QDense"]["PE"] = 1
    config["LayerType"]["InputLayer"]["P"] = 2
    config["LayerType"]["InputLayer"]["Precision"] = "ap_ufixed<8,0>"
    graph = convert(model, config, tmp_path).delta_graph
    assert [graph["fc"].pe, graph["fc2"].pe, graph["conv"].pe] == [1, 1, 2]
    assert (graph.source.lanes, str(graph.source.fmt), graph.source.explicit) == (2, "ap_ufixed<8,0>", True)


def test_a_finer_type_changes_nothing(model: Any, configs: Configs, tmp_path: Path) -> None:
    config = copy.deepcopy(configs["Delta", "name"])
    config["LayerName"]["fc2"]["Precision"].update(result="fixed<32,16>", accum="fixed<40,20>", weight="fixed<8,2>")
    convert(model, config, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"io_type": "io_serial"}, r"unknown io_type.*Expected: 'io_parallel' or 'io_stream'.*Next step"),
        ({"clock_periode": 4}, r"unknown argument 'clock_periode'.*did you mean 'clock_period'"),
        ({"iotype": "io_stream"}, r"unknown argument 'iotype'.*did you mean 'io_type'"),
    ],
)
def test_settings_of_a_conversion(model: Any, tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        convert(model, None, tmp_path, **settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"skip": False},
            r"only the RTL can be run without skipping.*Next step: call predict\(x, sim='rtl', skip=False",
        ),
        ({"sim": "csim", "skip": False}, "only the RTL can be run without skipping"),
        ({"sim": "rtl", "skip": "no"}, r"skip is no flag.*True or False"),
        ({"logit": True}, r"unknown argument 'logit'.*did you mean 'logits'"),
        ({"batch_size": 3}, r"unknown argument 'batch_size'.*Next step: leave batch_size out"),
        ({"sim": "RTL"}, r"unknown simulation.*did you mean 'rtl'"),
    ],
)
def test_arguments_of_predict(model: Any, tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    converted = convert(model, None, tmp_path)
    with pytest.raises(ConfigError, match=message):
        converted.predict(np.zeros((1, 4, 4, 1)), **arguments)


@pytest.mark.parametrize(
    ("synth", "options", "message"),
    [
        ("yoysys", {}, r"unknown synthesis tool.*did you mean 'yosys'"),
        ("yosys", {"timeout": 3}, r"unknown argument 'timeout'.*did you mean 'timeout_s'"),
        ("yosys", {"csim": False}, r"unknown argument 'csim'.*Next step: use build\(synth='vitis', csim=...\)"),
        ("vivado", {"skp": False}, r"unknown argument 'skp'.*did you mean 'skip'"),
        ("vitis", {"vsynt": True}, r"unknown argument 'vsynt'.*Next step"),
    ],
)
def test_arguments_of_build(synth: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        builder(synth, options)
    builder("vitis", {"csim": True, "timeout_s": 9.0})


@pytest.mark.parametrize("text", ["delt", "Dleta"])
def test_a_typo_in_the_strategy_of_another_backend(model: Any, configs: Configs, tmp_path: Path, text: str) -> None:
    config = copy.deepcopy(configs["Vitis", "name"])
    config["LayerName"]["fc"]["Strategy"] = text
    with pytest.raises(ConfigError, match=r"\['fc'\]\['Strategy'\]: unknown strategy.*did you mean 'delta'"):
        convert(model, config, tmp_path, backend="Vitis")
