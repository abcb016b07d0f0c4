# SPDX-License-Identifier: Apache-2.0
"""`codesign stream`: a video or a camera through a board, live."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from codesign.commands.kept import kept
from codesign.commands.measure import fit_of
from codesign.endings import FAILED, OK
from codesign.host.identity import open_graph
from codesign.host.live import display, last_words
from codesign.host.session import connect
from codesign.host.stream import Stream, pictures
from codesign.outputs import check_outputs
from codesign.report.model import write_json


def command(arguments: argparse.Namespace) -> int:
    """Stream a video or a camera through a board, and show what comes out."""
    console = Console(highlight=False, soft_wrap=True)
    check_outputs({"--json": arguments.json}, [*kept([arguments.folder]), Path(arguments.video)])
    source = pictures(
        open_graph(arguments.folder),
        arguments.video,
        arguments.frames,
        fit=arguments.fit or fit_of(arguments.folder),
        strict=arguments.strict,
    )
    with (
        connect(
            arguments.folder,
            arguments.port,
            baud=arguments.baud,
            check=arguments.check,
            reconnect_s=arguments.reconnect,
            notice=lambda text: console.print(text, markup=False),
        ) as board,
        display(console, board.graph.name) as show,
    ):
        summary = Stream(board, show).run(source, arguments.video)
    console.print(last_words(summary), markup=False)
    if arguments.json is not None:
        write_json(summary, arguments.json)
        print(arguments.json)
    return FAILED if summary.mismatches else OK
