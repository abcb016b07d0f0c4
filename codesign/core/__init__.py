# SPDX-License-Identifier: Apache-2.0
"""The delta core: one engine that executes any graph as a program (``docs/core.md``).

`compile_graph` makes a `Program` of a `Graph`, `image_of` the words that a core loads, `program_of` reads them back,
and an `Interpreter` executes a program as the RTL does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.core.compiler import Compiled, compile_graph
    from codesign.core.config import CoreConfig
    from codesign.core.frames import pack_input, unpack_output
    from codesign.core.image import image_of, program_of, read_image, write_image
    from codesign.core.interpret import Interpreter
    from codesign.core.package import core_package
    from codesign.core.program import Program

__all__ = [
    "Compiled",
    "CoreConfig",
    "Interpreter",
    "Program",
    "compile_graph",
    "core_package",
    "image_of",
    "pack_input",
    "program_of",
    "read_image",
    "unpack_output",
    "write_image",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Compiled": "codesign.core.compiler",
        "CoreConfig": "codesign.core.config",
        "Interpreter": "codesign.core.interpret",
        "Program": "codesign.core.program",
        "compile_graph": "codesign.core.compiler",
        "core_package": "codesign.core.package",
        "image_of": "codesign.core.image",
        "pack_input": "codesign.core.frames",
        "program_of": "codesign.core.image",
        "read_image": "codesign.core.image",
        "unpack_output": "codesign.core.frames",
        "write_image": "codesign.core.image",
    },
)
