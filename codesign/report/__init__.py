# SPDX-License-Identifier: Apache-2.0
"""The report of a design: records, JSON, terminal tables and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.report.model import Detail, Report, read_json, write_json

__all__ = ["Detail", "Report", "read_json", "write_json"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Detail": "codesign.report.model",
        "Report": "codesign.report.model",
        "read_json": "codesign.report.model",
        "write_json": "codesign.report.model",
    },
)
