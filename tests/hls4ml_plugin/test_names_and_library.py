# SPDX-License-Identifier: Apache-2.0
"""Names are refused before anything is written, and csim compiles what was written this moment, wherever it is."""

import os
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import pytest
from qkeras import QActivation, QDense, quantized_bits
from random_models import dense, design, walk

from codesign.errors import CodesignError, ConfigError, ConversionError, StageError
from codesign.flow.convert import SETTINGS, compile_csim, read_settings
from codesign.graph.golden import Golden

pytestmark = pytest.mark.timeout(300)


def converted(
    folder: object, *, project: str = "net", backend: str = "Delta", frame: str = "frame", layer: str = "fc"
) -> Any:
    quantizer = quantized_bits(4, 0, alpha=1)
    kernel = {"kernel_quantizer": quantizer, "bias_quantizer": quantizer}
    model = keras.Sequential(
        [
            keras.Input((4,), name=frame),
            QActivation(quantized_bits(4, 0, alpha=1), name="q-in"),
            QDense(3, name=layer, **kernel),
        ]
    )
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=backend)
    config["Model"]["Strategy"] = "delta"
    return hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend=backend, output_dir=folder, project_name=project
    )


@pytest.mark.parametrize("backend", ["Delta", "Vitis"])
@pytest.mark.parametrize("project", ["a;touch x", "../../x", "main", "inside", "delta_dense", "w2", "x" * 300, ""])
def test_projects_are_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, project: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^project_name: .*Next step"):
        converted(tmp_path / "out", project=project, backend=backend)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "names",
    [
        *({"layer": name} for name in ("q_in", "Q-IN", "l" * 300, "fc__1", "a{0}", "input", "bias", "config_cpp")),
        *({"frame": name} for name in ("int", "reset", "x[8]){}void y(")),
    ],
)
def test_layers_are_refused_before_anything_is_written(tmp_path: Path, names: dict[str, str]) -> None:
    with pytest.raises(ConversionError, match="Next step"):
        converted(tmp_path / "out", **names)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["", None, 3, "f" * 300, "a\0b", "file", "file/below", "/proc/below"])
def test_folders_are_refused_before_the_model_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: object
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no folder")
    with pytest.raises(ConfigError, match=r"output_dir.*Next step"):
        hls4ml.converters.convert_from_keras_model(keras.Sequential(), output_dir=folder, backend="Delta")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def agrees(model: Any, count: int = 20) -> None:
    stream = walk(np.random.default_rng(1), model.delta_graph.source.fmt, model.delta_graph.source.shape, count)
    model.reset()
    values = model.predict(model.delta_graph.source.fmt.to_values(stream))
    expected = Golden(model.delta_graph).run(stream).outputs
    np.testing.assert_array_equal(model.delta_graph.output.fmt.to_codes(values), expected)


def test_odd_folders_and_inputs_work(tmp_path: Path) -> None:
    """The letters of the path do not reach the compiler, nor those of the input's name the C++."""
    model = converted(tmp_path / "my 'project'; $(touch x) \"q\" \u00e9", frame="frame-1")
    model.compile()
    agrees(model)
    assert not Path("x").exists()


def test_what_lies_in_the_folder_is_not_compiled(tmp_path: Path) -> None:
    """Somebody put headers where the compiler would look first, and changed the script."""
    model = converted(tmp_path / "out")
    model.write()
    firmware = tmp_path / "out" / "firmware"
    for place in (firmware, firmware / "nnet_utils", firmware / "ap_types"):
        for name in ("iostream", "ap_fixed.h", "algorithm"):
            if not (place / name).exists():
                (place / name).write_text("#error planted\n")
    (tmp_path / "out" / "build_lib.sh").write_text(f"touch {tmp_path}/ran\n")
    (tmp_path / "out" / "build_lib.log").symlink_to(tmp_path / "mine")
    (tmp_path / "mine").write_text("precious")
    model._compile()
    agrees(model)
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.fixture
def project(tmp_path: Path) -> tuple[Any, Path]:
    """Return a model, and the folder of stage 3_hls that it was written into."""
    folder = tmp_path / "3_hls"
    model = design([dense(3, "fc")]).convert(folder)
    model.write()
    return model, folder


def test_what_stage_3_hls_wrote_is_what_runs(project: tuple[Any, Path], tmp_path: Path) -> None:
    _, folder = project
    folder.rename(tmp_path / "moved")
    again = design([dense(3, "fc")]).convert(tmp_path / "again")  # in stage 4_csim it was never written
    compile_csim(again, tmp_path / "moved", tmp_path / "csim")
    agrees(again)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["firmware/myproject.cpp", "myproject_bridge.cpp", "firmware/nnet_utils/nnet_types.h"])
@pytest.mark.parametrize("way", ["edited", "deleted", "linked"])
def test_other_sources_are_not_compiled(project: tuple[Any, Path], tmp_path: Path, name: str, way: str) -> None:
    model, folder = project
    path = folder / name
    if way == "edited":
        path.write_text(path.read_text() + '\nstatic int x = system("touch ran");\n')
    elif way == "deleted":
        path.unlink()
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StageError, match=rf"3_hls: these are not the sources.*{name} differ.*--from 3_hls"):
        compile_csim(model, folder, tmp_path / "csim")
    assert not os.path.lexists(tmp_path / "csim")


@pytest.mark.parametrize(
    "text",
    [
        '{"hls_config": {}, "io_type": "io_parallel", "project_name": "a;touch x"}',
        '{"hls_config": {"Model": {"Precision": "int(system(\\"x\\"))"}}, "io_type": "x", "project_name": "a"}',
        '{"hls_config": {"Model": {"ClockPeriod": "5\\nexec x"}}, "io_type": "x", "project_name": "a"}',
        '{"hls_config": {"[exec x]": 1}, "io_type": "x", "project_name": "a"}',
        '{"hls_config": {"Model": NaN}, "io_type": "x", "project_name": "a"}',
        '{"hls_config": []}',
        "[]",
        "{",
    ],
)
def test_settings_hold_plain_words(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(CodesignError, match=rf"{SETTINGS}: "):
        read_settings(tmp_path)
