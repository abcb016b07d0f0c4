# SPDX-License-Identifier: Apache-2.0
"""What an output of a command must not replace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codesign.flow.manifest import files_of


def kept(folders: Sequence[Path]) -> list[Path]:
    """Return the files that the stages and builds in build folders made: no output may take their place."""
    return [path for folder in folders for path in files_of(folder)]
