# SPDX-License-Identifier: Apache-2.0
"""The written project, other backends, and the synthesis tools of build()."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from qkeras import QConv2D, quantized_bits
from random_models import dense, design, rich_design, walk

from codesign.errors import ConfigError, ConversionError, SimulationError, SynthesisError, ToolNotFoundError
from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.writer import cpp
from codesign.hls4ml_plugin.writer import project as writer
from codesign.rtl.project import emit

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = rich_design().convert(tmp_path_factory.mktemp("project"))
    made.write()
    return made


def folder(model: Any) -> Path:
    return Path(model.config.get_output_dir())


def test_project_is_self_contained(model: Any) -> None:
    headers = {path.name for path in (folder(model) / "firmware" / "nnet_utils").glob("nnet_delta_*.h")}
    assert headers == {f"nnet_delta_{name}.h" for name in cpp.PARTS}
    top = (folder(model) / "firmware" / "myproject.cpp").read_text()
    assert top.count("bool reset") == 1
    assert top.count(", reset);") == 1  # where frames are read; from there on it travels as a token
    assert top.count("hls::stream<") == 7  # between eight kernels
    assert "#pragma HLS DATAFLOW" in top
    assert "#pragma HLS ARRAY_RESHAPE variable=frame cyclic factor=4" in top


def test_rtl_project_is_written_beside(model: Any) -> None:
    for name, text in emit(model.delta_graph).items():
        assert (folder(model) / "rtl" / name).read_text() == text


def test_the_vendor_testbench_compiles_and_runs(tmp_path: Path) -> None:
    """What Vitis csim would build: the test bench and the project, as C++11, without the bridge."""
    design([dense(4, "fc")]).convert(work := tmp_path / "project").write()
    flags = ["-std=c++11", "-Ifirmware/ap_types", f'-DWEIGHTS_DIR="{work}/firmware/weights"', "-w"]
    subprocess.run(["g++", *flags, "myproject_test.cpp", "firmware/myproject.cpp", "-o", "tb"], cwd=work, check=True)
    done = subprocess.run(["./tb"], cwd=work, capture_output=True, text=True, check=True, timeout=60)
    assert "Processed" in done.stdout or done.stdout


def test_changed_hls4ml_text_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.cpp"
    path.write_text("void f(); void f();")
    with pytest.raises(ConversionError, match=r"a.cpp: .*1 times 'void f\(\);'.*2 times, hls4ml \d.*Next step"):
        writer._edit(path, "void f();", "", 1)


def test_emulation_constants_are_refused(tmp_path: Path) -> None:
    import hls4ml

    made = design([dense(4, "fc")])
    model = hls4ml.converters.convert_from_keras_model(
        made.keras, hls_config=made.config, backend="Delta", output_dir=str(tmp_path), write_emulation_constants=True
    )
    with pytest.raises(ConfigError, match="write_emulation_constants"):
        model.write()


def test_compile_errors_show_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = design([dense(4, "fc")]).convert(tmp_path)
    (tmp_path / "broken.h").write_text("#error broken on purpose\n")
    sources = model.config.backend.get_custom_source()
    monkeypatch.setitem(sources, "nnet_utils/nnet_delta_dense.h", tmp_path / "broken.h")
    with pytest.raises(SimulationError, match=r"build_lib\.log, which ends with"):
        model._compile()


def test_missing_compiler(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolNotFoundError, match=r"g\+\+.*apt-get"):
        model._compile()


@pytest.mark.parametrize(("synth", "program"), [("vivado", "vivado"), ("vitis", "vitis-run")])
def test_missing_vendor_tools(model: Any, synth: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolNotFoundError, match=f"{program} was not found.*settings64"):
        model.build(synth=synth)


def test_unknown_synthesis_tool(model: Any) -> None:
    with pytest.raises(ConfigError, match=r"'vitis', 'vivado', 'yosys'.*'quartus'"):
        model.build(synth="quartus")


@pytest.mark.usefixtures("vivado")
def test_vivado_runs_the_rtl_project(model: Any) -> None:
    report = model.build(synth="vivado", target="xc7z020clg400-1", clock_mhz=125.0)
    settings = (folder(model) / "vivado" / "settings.tcl").read_text()
    assert "set part xc7z020clg400-1" in settings
    assert "set clock_mhz 125" in settings
    assert (report["kind"], report["lut"], report["synthesised"]["kind"]) == ("route", 1000, "synth")
    assert report["fmax_mhz"] == pytest.approx(1000 / 10.5)
    assert report["timing"]["met"] is False


def test_vivado_failure_is_reported(model: Any, program: Callable[[str, str], None]) -> None:
    program("vivado", "raise SystemExit('ERROR: no licence')")
    with pytest.raises(SynthesisError, match="no licence"):
        model.build(synth="vivado")


@pytest.mark.usefixtures("vitis")
def test_vitis_runs_the_hls_project(model: Any) -> None:
    report = model.build(synth="vitis", target="xc7z020-clg400-1", clock_mhz=125.0, csim=True)
    calls = {name: words for name, *words in json.loads((folder(model) / "calls.json").read_text())}
    assert calls["arguments"] == ["--mode", "hls", "--tcl", "build_prj.tcl"]
    assert calls["set_part"] == ["xc7z020-clg400-1"]
    assert calls["create_clock"][:2] == ["-period", "8"]
    assert {"csim_design", "csynth_design", "export_design"} <= set(calls)
    assert report["target"] == "xc7z020-clg400-1"
    assert (report["kind"], report["lut"], report["top"]["latency"]) == ("estimate", 3300, (300, None))
    assert sum(layer["lut"] for layer in report["layers"].values()) == 2900 + 120


def test_unknown_step_of_vitis(model: Any) -> None:
    with pytest.raises(ConfigError, match=r"csim, synth.*'?csimulate"):
        model.build(synth="vitis", csimulate=True)


def test_yosys_synthesises_the_rtl(tmp_path: Path) -> None:
    model = design([dense(4, "fc")]).convert(tmp_path)
    model.write()
    report = model.build(synth="yosys", target="ecp5")
    assert report["tool"] == "yosys"
    assert report["lut"] > 0
    assert report["dsp"] is not None


def test_stock_vitis_takes_the_delta_strategy(tmp_path: Path) -> None:
    made = rich_design()
    made.config["Model"]["Strategy"] = "delta"
    model = made.convert(tmp_path, backend="Vitis")
    model.compile()
    stream = walk(np.random.default_rng(3), model.delta_graph.source.fmt, (4, 5, 1), 100)
    values = model.predict(model.delta_graph.source.fmt.to_values(stream))
    np.testing.assert_array_equal(
        model.delta_graph.output.fmt.to_codes(values), Golden(model.delta_graph).run(stream).outputs
    )
    with pytest.raises(SimulationError, match=r"backend='Delta'.*'Vitis'"):
        model.reset()


@pytest.mark.heavy
def test_stock_vitis_without_delta_is_untouched(tmp_path: Path) -> None:
    layers = [
        QConv2D(2, 2, kernel_quantizer=quantized_bits(4, 0, alpha=1), use_bias=False, name="conv"),
        keras.layers.Flatten(),
        dense(3, "fc"),
    ]
    made = design(layers, shape=(4, 4, 1))
    model = made.convert(tmp_path, backend="Vitis")
    assert not hasattr(model, "delta_graph")
    model.compile()
    frames = np.random.default_rng(4).integers(0, 16, (50, 4, 4, 1)) / np.float32(16)
    np.testing.assert_array_equal(model.predict(frames), keras.ops.convert_to_numpy(made.keras(frames)))
