# SPDX-License-Identifier: Apache-2.0
"""Text from the templates ``*.j2`` in this folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2


def render(template: str, **values: Any) -> str:
    """Return ``<template>.j2`` with ``values`` in it.

    Raises:
        jinja2.UndefinedError: it needs a value that is not given.
    """
    return _environment().get_template(f"{template}.j2").render(values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
