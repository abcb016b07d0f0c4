# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest

CHECKS = {
    "the entry point is found and TensorFlow is not imported": """
import sys, hls4ml
from hls4ml.backends import get_available_backends
assert "delta" in get_available_backends(), get_available_backends()
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
""",
    "importing the plugin first works too": """
import sys, codesign.hls4ml_plugin
import hls4ml
assert "delta" in hls4ml.backends.get_available_backends()
""",
    "a handler of hls4ml's own is kept": """
import hls4ml
from hls4ml.converters.keras_v3._base import registry
from codesign.hls4ml_plugin import bridge
registry["qkeras.qlayers.QDense"] = registry["QActivation"] = own = object()
del registry["QDense"]
bridge.install()
assert "QDense" not in registry and registry["QActivation"] is own
""",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CHECKS)
def test_registration_in_a_fresh_interpreter(name):
    done = subprocess.run(
        [sys.executable, "-c", CHECKS[name]], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout
