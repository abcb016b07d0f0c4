# SPDX-License-Identifier: Apache-2.0
"""The scripts for AMD's tools, and how the numbers and names of a design get into them.

The scripts in the folder ``tcl`` are Tcl as it stands, the same for every design. All that differs is in
``settings.tcl``, which they read first, so that a user can run, read and change them without this package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

SCRIPTS = Path(__file__).parent / "tcl"
SETTINGS = "settings.tcl"

_PLAIN = re.compile(r"[A-Za-z0-9_.:/+=-]+")
_SPECIAL = re.compile(r"([\\\"$\[\]{};# ])")


def render(template: str, **values: Any) -> str:
    """Return ``tcl/<template>`` with ``values`` in it.

    Raises: jinja2.UndefinedError if it needs a value that is not given.
    """
    return _environment().get_template(template).render(values)


def script(name: str) -> str:
    """Return ``tcl/<name>``, a file that is the same for every design."""
    return (SCRIPTS / name).read_text(encoding="utf-8")


def tcl(value: str | float | Iterable[str]) -> str:
    """Return the Tcl word for a text, a number or a list of texts: whatever is in them, Tcl takes it as it is."""
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if isinstance(value, str):
        return _word(value)
    return _word(" ".join(_word(item) for item in value))


def _word(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    if "\\" in text or text.count("{") + text.count("}"):
        return _SPECIAL.sub(r"\\\1", text).replace("\n", r"\n")
    return f"{{{text}}}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SCRIPTS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["tcl"] = tcl
    return environment
