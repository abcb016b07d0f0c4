# SPDX-License-Identifier: Apache-2.0
"""Calls of functions in several processes, on this machine or on a Dask cluster; a lost one's calls are made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.executor.run import Workers, executor

__all__ = ["Workers", "executor"]

__getattr__, __dir__ = lazy(
    __name__,
    {"Workers": "codesign.executor.run", "executor": "codesign.executor.run"},
)
