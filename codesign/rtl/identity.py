# SPDX-License-Identifier: Apache-2.0
"""Which design a bitstream or a build holds: a short hash of the emitted files of its core."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def design_id(files: Mapping[str, str]) -> str:
    """Return the first 32 bits of the SHA-256 of what ``emit(graph)`` returned, as 8 hexadecimal digits.

    Hashed are path, a zero byte and text of each file, in the order of the paths: any change of a weight, a width or
    a leaf gives another design.
    """
    text = "".join(f"{path}\0{files[path]}" for path in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
