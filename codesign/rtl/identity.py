# SPDX-License-Identifier: Apache-2.0
"""Which design a bitstream or a build holds: a short hash of the emitted files of its core."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def design_id(core: Mapping[str, str]) -> int:
    """Return the first 32 bits of the SHA-256 of what ``emit(graph)`` returned: what the register ``design_id`` holds.

    Hashed are path, a zero byte and text of each file, in the order of the paths: any change of a weight, a width or
    a leaf gives another design. Written as 8 hexadecimal digits, f"{number:08x}".
    """
    text = "".join(f"{path}\0{core[path]}" for path in sorted(core))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
