# SPDX-License-Identifier: Apache-2.0
"""`codesign search`: which designs are best for clips and a board, with the training in the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.search.config import Search, load_search
    from codesign.search.run import Found, run_search

__all__ = ["Found", "Search", "load_search", "run_search"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Found": "codesign.search.run",
        "Search": "codesign.search.config",
        "load_search": "codesign.search.config",
        "run_search": "codesign.search.run",
    },
)
