# SPDX-License-Identifier: Apache-2.0
"""The written project, other backends, and the synthesis tools behind build()."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from qkeras import QConv2D, quantized_bits
from random_models import dense, design, rich_design, walk

from codesign.errors import ConfigError, ConversionError, SimulationError, SynthesisError, ToolNotFoundError
from codesign.golden import Golden
from codesign.hls4ml_plugin import cpp, writer
from codesign.rtl.emit import emit

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = rich_design().convert(tmp_path_factory.mktemp("project"))
    made.write()
    return made


def folder(model):
    return Path(model.config.get_output_dir())


def test_project_is_self_contained(model):
    headers = {path.name for path in (folder(model) / "firmware" / "nnet_utils").glob("nnet_delta_*.h")}
    assert headers == {f"nnet_delta_{name}.h" for name in cpp.PARTS}
    top = (folder(model) / "firmware" / "myproject.cpp").read_text()
    assert top.count("bool reset") == 1
    assert top.count(", reset);") == 7
    assert "#pragma HLS DATAFLOW" in top
    assert "#pragma HLS ARRAY_RESHAPE variable=frame cyclic factor=4" in top


def test_rtl_project_is_written_beside(model):
    for name, text in emit(model.delta_graph).items():
        assert (folder(model) / "rtl" / name).read_text() == text


def test_the_vendor_testbench_compiles_and_runs(model, tmp_path):
    """What Vitis csim would build: the test bench and the project, as C++11, without the bridge."""
    work = shutil.copytree(folder(model), tmp_path / "project")
    flags = ["-std=c++11", "-Ifirmware/ap_types", f'-DWEIGHTS_DIR="{work}/firmware/weights"', "-w"]
    subprocess.run(["g++", *flags, "myproject_test.cpp", "firmware/myproject.cpp", "-o", "tb"], cwd=work, check=True)
    done = subprocess.run(["./tb"], cwd=work, capture_output=True, text=True, check=True, timeout=60)
    assert "Processed" in done.stdout or done.stdout


def test_changed_hls4ml_text_is_noticed(tmp_path):
    path = tmp_path / "a.cpp"
    path.write_text("void f(); void f();")
    with pytest.raises(ConversionError, match=r"a.cpp: .*1 times 'void f\(\);'.*2 times, hls4ml \d.*Next step"):
        writer._edit(path, "void f();", "", 1)


def test_emulation_constants_are_refused(tmp_path):
    import hls4ml

    made = design([dense(4, "fc")])
    model = hls4ml.converters.convert_from_keras_model(
        made.keras, hls_config=made.config, backend="Delta", output_dir=str(tmp_path), write_emulation_constants=True
    )
    with pytest.raises(ConfigError, match="write_emulation_constants"):
        model.write()


def test_compile_errors_show_the_log(tmp_path):
    model = design([dense(4, "fc")]).convert(tmp_path)
    model.write()
    (tmp_path / "firmware" / "nnet_utils" / "nnet_delta_dense.h").write_text("#error broken on purpose\n")
    with pytest.raises(SimulationError, match=r"build_lib\.log, which ends with"):
        model._compile()


def test_missing_compiler(model, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolNotFoundError, match=r"g\+\+.*apt-get"):
        model._compile()


@pytest.mark.parametrize(("synth", "program"), [("vivado", "vivado"), ("vitis", "vitis-run")])
def test_missing_vendor_tools(model, synth, program, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolNotFoundError, match=f"{program} was not found.*settings64"):
        model.build(synth=synth)


def test_unknown_synthesis_tool(model):
    with pytest.raises(ConfigError, match=r"'vitis', 'vivado', 'yosys'.*'quartus'"):
        model.build(synth="quartus")


def _mock(tmp_path, monkeypatch, name, script):
    program = tmp_path / name
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_vivado_runs_the_rtl_project(model, tmp_path, monkeypatch):
    _mock(tmp_path, monkeypatch, "vivado", "open('utilization.rpt', 'w').write('mock')")
    report = model.build(synth="vivado", target="xc7a100tcsg324-1")
    script = (folder(model) / "rtl" / "vivado.tcl").read_text()
    assert "-part xc7a100tcsg324-1" in script
    assert all((folder(model) / "rtl" / name).exists() for name in script.split("[list ")[1].split("]")[0].split())
    assert Path(report["reports"]["utilization"]).read_text() == "mock"


def test_vivado_failure_is_reported(model, tmp_path, monkeypatch):
    _mock(tmp_path, monkeypatch, "vivado", "raise SystemExit('ERROR: no licence')")
    with pytest.raises(SynthesisError, match="no licence"):
        model.build(synth="vivado")


def test_vitis_runs_the_hls_project(model, tmp_path, monkeypatch):
    _mock(tmp_path, monkeypatch, "vitis-run", "import sys; open('ran', 'w').write(' '.join(sys.argv[1:]))")
    model.build(synth="vitis")
    assert (folder(model) / "ran").read_text() == "--tcl build_prj.tcl --mode hls"


def test_yosys_synthesises_the_rtl(model):
    report = model.build(synth="yosys", target="ecp5")
    assert report["tool"] == "yosys"
    assert report["lut"] > 0
    assert report["dsp"] is not None


def test_stock_vitis_takes_the_delta_strategy(tmp_path):
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
def test_stock_vitis_without_delta_is_untouched(tmp_path):
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
