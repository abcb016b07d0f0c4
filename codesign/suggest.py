# SPDX-License-Identifier: Apache-2.0
"""`did_you_mean`: the valid name that an unknown one was probably meant to be, or nothing.

A wrong suggestion is worse than none, so a name counts only if it is the same but for case and separators, a known
word for the same thing, a slip of a letter or two, the beginning of the other, or a whole word of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SAME_THING: dict[str, tuple[str, ...]] = {
    "batch": ("batch_size",),
    "bpp": ("input_bits",),
    "camera": ("video",),
    "channels": ("filters",),
    "dataset": ("kind",),
    "deadband": ("hold_steps",),
    "dir": ("path",),
    "directory": ("path",),
    "features": ("filters",),
    "folder": ("path", "video_folder"),
    "fpga": ("targets",),
    "freq": ("clock_mhz", "core_mhz"),
    "frequency": ("clock_mhz", "core_mhz"),
    "gray": ("grey",),
    "grayscale": ("grey",),
    "height": ("size",),
    "hysteresis": ("hold_steps",),
    "length": ("frames",),
    "lr": ("learning_rate",),
    "mnist": ("moving_digits",),
    "neurons": ("hidden",),
    "parallelism": ("pe", "PE"),
    "random_state": ("seed",),
    "resolution": ("size",),
    "reuse": ("pe", "PE"),
    "reuse_factor": ("pe", "PE"),
    "tap": ("unroll", "Unroll"),
    "taps": ("unroll", "Unroll"),
    "threshold": ("hold_steps",),
    "type": ("kind",),
    "units": ("hidden",),
    "width": ("size",),
}
"""What other tools call the same thing, lower case: our names for it."""

_MOST = 3  # names in a suggestion
_SHORTEST = 3  # letters of a beginning or a word that is evidence


def nearest(name: str, valid: Iterable[str]) -> tuple[str, ...]:
    """Return the valid names that ``name`` was probably meant to be: usually one, at most three, often none."""
    names = list(dict.fromkeys(valid))
    key = _plain(name)
    same = [item for item in names if _plain(item) == key]
    known = _SAME_THING.get(key, ())
    for found in (same, [item for item in names if item in known], _slips(key, names), _parts(key, names)):
        if found:
            return tuple(found[:_MOST])
    return ()


def did_you_mean(name: str, valid: Iterable[str]) -> str | None:
    """Return ``did you mean 'x'``, the next step of an error that lists all that is valid; None if nothing is near."""
    found = [repr(item) for item in nearest(name, valid)]
    return f"did you mean {' or '.join([', '.join(found[:-1]), found[-1]] if found[1:] else found)}" if found else None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower())


def _slips(key: str, names: list[str]) -> list[str]:
    """Return the name that is fewest slips of a key away: one in a short word, three in a long one."""
    allowed = 1 if len(key) < 6 else 2 if len(key) < 10 else 3
    found = [(_distance(key, _plain(name)), name) for name in names]
    close = [item for item in found if item[0] <= allowed and item[0] < min(len(key), len(item[1]))]
    return [min(close, key=lambda item: item[0])[1]] if close else []


def _parts(key: str, names: list[str]) -> list[str]:
    """Return the names that begin with the key, else those that it begins with, else those it is a whole word of."""
    if len(key) < _SHORTEST:
        return []
    plain = {name: _plain(name) for name in names}
    longer = [name for name in names if plain[name].startswith(key)]
    shorter = [name for name in names if len(plain[name]) >= _SHORTEST and key.startswith(plain[name])]
    return longer or shorter or [name for name in names if key in plain[name].split("_")]


def _distance(a: str, b: str) -> int:
    """Return how many letters have to be added, left out, replaced or swapped with their neighbor."""
    rows = [list(range(len(b) + 1))]
    for i, letter in enumerate(a, start=1):
        row = [i]
        for j, other in enumerate(b, start=1):
            cost = min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
