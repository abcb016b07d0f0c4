# SPDX-License-Identifier: Apache-2.0
"""What holds for both suites: shared compiled headers and objects, a key for seals of its own, pretended tools."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import compiler
import numpy as np
import pytest

pytest_plugins = ["quick"]
HERE = Path(__file__).parent
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for _threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # of each worker: networks are so small that more of them mostly wait
SEED = 0
_MADE, _PATH = pytest.StashKey[Path](), pytest.StashKey[str]()
_PRETEND = """import sys  # a tool that pretends; a vendor's in Python's Tcl interpreter: Debian's python3-tk
sys.path.insert(0, '{tests}')
import {module}
sys.exit({module}.main(sys.argv[1:]))
"""


def pytest_configure(config: pytest.Config) -> None:
    """Put the compilers of the tests on PATH, once a session: its processes share headers (`tests/compiler.py`)."""
    if compiler.STORE not in os.environ:  # else a worker, which has them from its session
        config.stash[_MADE] = folder = Path(tempfile.mkdtemp(prefix="codesign_tests_"))
        config.stash[_PATH] = os.environ["PATH"]
        os.environ["PATH"] = compiler.install(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take them away again."""
    if _MADE in config.stash:
        shutil.rmtree(config.stash[_MADE], ignore_errors=True)
        os.environ["PATH"] = config.stash[_PATH]
        del os.environ[compiler.STORE], os.environ[compiler.REAL]


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key for seals out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def rtl_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which a test session keeps its RTL builds: the same design is built once."""
    return tmp_path_factory.mktemp("rtl_cache")


@contextlib.contextmanager
def _eagerly() -> Iterator[None]:
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture
def eager() -> Iterator[None]:
    """Run TensorFlow's functions without tracing them: most of the time of a training of a few steps.

    For tests of what is trained, kept and shared; that the traced functions train is tested by the others.
    """
    with _eagerly():
        yield


@pytest.fixture(scope="module")
def eager_module() -> Iterator[None]:
    """The same for a whole file, and what it trains once."""
    with _eagerly():
        yield


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let this process and its children hear SIGINT, which jobs ignore, and SIGHUP, which what nohup runs ignores."""
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGHUP, hangup)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Return a function that puts a Python program on PATH: ``program(name, source)``."""
    folder = tmp_path / "bin"

    def install(name: str, source: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
        (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


@pytest.fixture
def vivado(program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the Vivado of fake_vivado.py on PATH."""
    monkeypatch.setenv("FAKE_REPORTS", str(HERE / "tests" / "synth" / "vendor" / "reports"))
    program("vivado", _PRETEND.format(tests=HERE / "tests", module="fake_vivado"))


@pytest.fixture
def vitis(program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the Vitis HLS of fake_vitis.py on PATH, as ``vitis-run``."""
    monkeypatch.setenv("FAKE_REPORTS", str(HERE / "tests" / "synth" / "vendor" / "reports"))
    program("vitis-run", _PRETEND.format(tests=HERE / "tests", module="fake_vitis"))


@pytest.fixture
def bambu(program: Callable[[str, str], None]) -> None:
    """Put the PandA-Bambu of fake_bambu.py on PATH."""
    program("bambu", _PRETEND.format(tests=HERE / "tests", module="fake_bambu"))


@pytest.fixture
def without_vendor_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here: PATH has no Vivado and no HLS compiler."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a seeded generator, and print the seed."""
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)
