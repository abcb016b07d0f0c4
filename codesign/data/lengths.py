# SPDX-License-Identifier: Apache-2.0
"""Files that are shorter than the clips to be cut from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codesign.data.recording import printable
from codesign.errors import ConfigError


def first_files(files: list[Path], lengths: Mapping[Path, int], clips: int, frames: int) -> list[Path]:
    """Return the files that the first ``clips`` clips of a folder are cut from."""
    taken: list[Path] = []
    for file in files:
        if clips > 0:
            taken.append(file)
        clips -= lengths[file] // frames
    return taken


def check_lengths(key: str, frames: int, lengths: Mapping[Path, int]) -> None:
    """Check that no file is shorter than a clip.

    Raises:
        ConfigError: one is; names ``key``.
    """
    if not lengths:
        return
    short = min(lengths, key=lambda file: lengths[file])
    if lengths[short] >= frames:
        return
    count = sum(length < frames for length in lengths.values())
    others = "" if count == 1 else f"; {count} of {len(lengths)} files are too short"
    fix = f"{key.partition('.')[2]} = {lengths[short]} in [{key.partition('.')[0]}] fits"
    raise ConfigError(
        "clips are longer than the shortest file",
        where=key,
        expected=f"at most {lengths[short]}, the frames of {printable(short)}{others}",
        received=frames,
        fix=f"{fix}, or leave that file out" if lengths[short] > 1 else "leave that file out",
    )
