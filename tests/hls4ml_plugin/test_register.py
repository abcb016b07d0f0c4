# SPDX-License-Identifier: Apache-2.0
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import codesign

CHECKS = {
    "the entry point is found and TensorFlow is not imported": """
import sys, hls4ml
from hls4ml.backends import get_available_backends
assert "delta" in get_available_backends(), get_available_backends()
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
""",
    "a handler of hls4ml's own is kept": """
import hls4ml
from hls4ml.converters.keras_v3._base import registry
from codesign.hls4ml_plugin.reader import bridge
registry["qkeras.qlayers.QDense"] = registry["QActivation"] = own = object()
del registry["QDense"]
bridge.install()
assert "QDense" not in registry and registry["QActivation"] is own
""",
}


PLUGIN = Path(codesign.__file__).parent / "hls4ml_plugin"
MODULES = sorted(item.name for item in pkgutil.walk_packages([str(PLUGIN)], "codesign.hls4ml_plugin."))
OTHERS = (
    "codesign.hls4ml_plugin",
    "codesign.hls4ml_plugin.reader.builder",
    "codesign.layers",
    "codesign.flow.convert",
    "qkeras",
)
FIRST = """
import importlib, os, sys
import h5py, numpy, yaml  # what hls4ml needs, once for all
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        importlib.import_module(name)
        import hls4ml
        CHECK
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{name} first")
"""
REGISTERED = "assert 'delta' in hls4ml.backends.get_available_backends(), hls4ml.backends.get_available_backends()"
CONVERTED = """
        import contextlib, io, tempfile, keras, qkeras
        dense = qkeras.QDense(2, kernel_quantizer=qkeras.quantized_bits(4, 0, alpha=1), use_bias=False)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            model = keras.Sequential([keras.Input((3,)), dense])
            made = hls4ml.converters.convert_from_keras_model(model, backend="Delta", output_dir=folder)
        assert made.delta_graph is not None
"""


def first_of_a_process(names: Any, check: Any) -> subprocess.CompletedProcess[str]:
    code = FIRST.replace("CHECK", check.strip())
    return subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, timeout=500, check=False
    )


def test_the_backend_is_there_whichever_module_is_imported_first() -> None:
    done = first_of_a_process(
        ["codesign.hls4ml_plugin.csim", "codesign.hls4ml_plugin.writer.layers", OTHERS[0]], REGISTERED
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_a_conversion_works_whichever_module_is_imported_first() -> None:
    assert len(MODULES) > 10
    done = first_of_a_process([*MODULES, *OTHERS], CONVERTED)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CHECKS)
def test_registration_in_a_fresh_interpreter(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECKS[name]], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout
