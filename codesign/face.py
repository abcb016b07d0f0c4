# SPDX-License-Identifier: Apache-2.0
"""Lazy faces of packages (PEP 562): what ``from package import name`` gives is imported only then.

A package lists twice what is public: under ``if TYPE_CHECKING:`` for type checkers and for `codesign.sources`, which
reads there what a name depends on, and as a table for `lazy`. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package.

    Args:
        package: its ``__name__``.
        names: public name -> full name of the module that defines it. No name may be that of a module of the package,
            which would take its place as soon as it is imported.
    """

    def getattribute(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(names[name]), name)

    return getattribute, lambda: sorted(names)
