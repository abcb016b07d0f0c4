# SPDX-License-Identifier: Apache-2.0
"""The RTL project of a core: its modules, and the package of its numbers."""

from __future__ import annotations

from codesign.core.config import CoreConfig
from codesign.core.package import core_package
from codesign.rtl.core import core_module_files
from codesign.rtl.leaves import leaf_files
from codesign.rtl.project import filelist

MODULE = "delta_core"
"""Top module."""


def core_files(config: CoreConfig) -> dict[str, str]:
    """Return the RTL project of the core of ``config``: path -> text, with ``filelist.f``. It has no network."""
    files = {"core_pkg.sv": core_package(config), **leaf_files("fifo", "state", "fork"), **core_module_files()}
    return files | {"filelist.f": filelist(files)}
