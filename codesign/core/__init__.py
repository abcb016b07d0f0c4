# SPDX-License-Identifier: Apache-2.0
"""The delta core: one engine that executes any graph as a program (``docs/core.md``).

`compile_graph` makes a `Program` of a `Graph`, `codesign.core.image` the words that a core loads, and
`codesign.core.interpret` executes a program as the RTL does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.core.config import CoreConfig
    from codesign.core.package import core_package

__all__ = ["CoreConfig", "core_package"]

__getattr__, __dir__ = lazy(
    __name__,
    {"CoreConfig": "codesign.core.config", "core_package": "codesign.core.package"},
)
