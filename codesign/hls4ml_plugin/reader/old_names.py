# SPDX-License-Identifier: Apache-2.0
"""Keys of an hls4ml config under the names that they had in an earlier version: accepted, with one warning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from codesign.errors import ConfigError, OldNameWarning

RENAMED = {"Taps": "Unroll"}
"""Keys of a layer or a type of layer by their names in 0.1."""


def of_today(config: Any) -> tuple[Any, list[str]]:
    """Return an hls4ml config with each key under its name of today, and where old ones stand.

    What is not a dict stays as it is; ``config`` itself is not changed.

    Raises:
        ConfigError: an entry holds a key under both names.
    """
    found: list[str] = []
    if not isinstance(config, Mapping):
        return config, found
    made = dict(config)
    for section in ("LayerType", "LayerName"):
        if isinstance(config.get(section), Mapping):
            entries = config[section].items()
            made[section] = {name: _entry(entry, f"config[{section!r}][{name!r}]", found) for name, entry in entries}
    return made, found


def rename(model: Any) -> None:
    """Give the keys in the config of an hls4ml ``ModelGraph`` their names of today.

    Warns:
        OldNameWarning: there were old ones; lists them.
    """
    config = model.config.config
    config["HLSConfig"], found = of_today(config["HLSConfig"])
    if found:
        names = " and ".join(f"{old!r} is now {new!r}" for old, new in RENAMED.items())
        warnings.warn(f"{', '.join(found)}: {names}; write the new name", OldNameWarning, stacklevel=2)


def _entry(entry: Any, where: str, found: list[str]) -> Any:
    """Return the entry of a layer with its keys renamed; adds to ``found`` where there was one."""
    if not isinstance(entry, Mapping):
        return entry
    for old, new in RENAMED.items():
        if old in entry and new in entry:
            raise ConfigError(f"{old!r} is the old name of {new!r}", where=where, fix=f"remove {old!r}")
    found += [f"{where}[{key!r}]" for key in entry if key in RENAMED]
    return {RENAMED.get(key, key): value for key, value in entry.items()}
