# SPDX-License-Identifier: Apache-2.0
"""The csim library of a model: its C++ written anew into a private folder, compiled and loaded from there.

Whatever lies in the output folder, which may have come from another user, is not compiled, and the letters of the
folder's path do not matter to the compiler.
"""

from __future__ import annotations

import copy
import ctypes
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from codesign import trust
from codesign.errors import SimulationError, StageError, ToolNotFoundError
from codesign.hls4ml_plugin import csim
from codesign.hls4ml_plugin.writer.project import DeltaWriter
from codesign.stored import anew
from codesign.tools import run

COMPILE_TIMEOUT_S = 1800.0
LOG = "build_lib.log"


def fresh_project(model: Any) -> Path:
    """Write the C++ project of ``model`` into a new private folder, which lives as long as this process: the library
    reads the weights from there.
    """
    folder = Path(tempfile.mkdtemp(prefix="csim_", dir=trust.private("csim")))
    with _settings(model, OutputDir=str(folder), Stamp="csim"):
        DeltaWriter().write_cpp(model)
    return folder


def compile_project(project: Path, log: Path) -> Path:
    """Compile a project that `fresh_project` has written and return its library.

    Raises:
        ToolNotFoundError: g++ is missing.
        SimulationError: it did not compile; holds the log's last lines.
    """
    if shutil.which("g++") is None:
        raise ToolNotFoundError("g++", how="apt-get install g++")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)  # whatever it is: a link would lead elsewhere
        run(["bash", "build_lib.sh"], project, log, COMPILE_TIMEOUT_S, error=SimulationError)
    except OSError as error:
        raise SimulationError(
            f"the log cannot be written ({error.strerror or error})",
            where=str(log),
            fix="choose an output_dir that you can write to",
        ) from None
    return next((project / "firmware").glob("*.so"))


def link(model: Any, project: Path, log: Path) -> None:
    """Compile a project that `fresh_project` has written and let ``model.predict`` run it; raises as that does."""
    model._top_function_lib = ctypes.CDLL(str(compile_project(project, log)))


def copies(model: Any, count: int) -> list[Any]:
    """Return ``count`` models that share everything with ``model``, which `link` compiled, but the stream: each loads
    the library once more, from a file of its own. They may run at the same time.
    """
    made = []
    for number in range(count):
        library = Path(model._top_function_lib._name)
        own = shutil.copyfile(library, library.with_name(f"{library.stem}_{number}.so"))
        other = copy.copy(model)
        other._top_function_lib, other.rtl_simulators, other.hls_simulators = ctypes.CDLL(str(own)), {}, {}
        other.reset = partial(csim.reset, other)
        made.append(other)
    return made


def check_same_sources(project: Path, written: Path) -> None:
    """Check that the sources of a fresh ``project`` that are compiled are those ``written`` in an earlier stage.

    Raises:
        StageError: they are not, so what would run is not what was written.
    """
    names = [path.relative_to(project) for path in sorted(project.rglob("*")) if path.is_file()]
    compiled = [name for name in names if name.parts[0] == "firmware" or name.name.endswith("_bridge.cpp")]
    other = [str(name) for name in compiled if trust.read_regular(written / name) != trust.read_regular(project / name)]
    if other:
        raise StageError(
            "these are not the sources of the design as it is written now",
            where=str(written),
            expected="files as this version writes them: other ones are not compiled and run",
            received=f"{', '.join(other[:5])}{f' and {len(other) - 5} more' if len(other) > 5 else ''} differ",
            fix=f"make it anew: `{anew(written)}`",
        )


@contextmanager
def _settings(model: Any, **settings: object) -> Iterator[None]:
    """Change entries of the model's configuration for a moment."""
    config = model.config.config
    before = {key: config.get(key) for key in settings}
    config.update(settings)
    try:
        yield
    finally:
        config.update(before)
