# SPDX-License-Identifier: Apache-2.0
"""The report of a design: records, JSON, terminal tables and a page."""

from codesign.report.model import Detail, Report, read_json, write_json

__all__ = ["Detail", "Report", "read_json", "write_json"]
