# SPDX-License-Identifier: Apache-2.0
"""Text from the templates ``*.j2``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).parent


def render(template: str, *, folder: Path = HERE, **values: Any) -> str:
    """Return ``<folder>/<template>.j2`` with ``values`` in it.

    Raises:
        jinja2.UndefinedError: it needs a value that is not given.
    """
    return _environment(folder).get_template(f"{template}.j2").render(values)


@cache
def _environment(folder: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
