#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bitwuzla as a program: SMT-LIB commands on stdin, answers on stdout, as yosys-smtbmc asks a solver.

The wheel on PyPI has the library only. Run by `formal.prover` under the name ``bitwuzla``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator


def commands(lines: Iterable[str]) -> Iterator[str]:
    """Yield whole commands: lines until the brackets outside of ``|names|`` are closed; comments are left out."""
    text, depth, quoted = "", 0, False
    for line in lines:
        if not text and line.lstrip().startswith(";"):
            continue
        text += line
        for letter in line:
            if letter == "|":
                quoted = not quoted
            elif not quoted:
                depth += (letter == "(") - (letter == ")")
        if depth == 0 and text.strip():
            yield text
            text = ""


def main() -> None:
    """Answer until ``(exit)`` or the end of the input; an error ends the program with a traceback and status 1."""
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    for command in commands(sys.stdin):
        if command.strip() == "(exit)":
            return
        parser.parse(command, parse_only=False, parse_file=False)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
