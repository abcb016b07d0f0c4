# SPDX-License-Identifier: Apache-2.0
"""`codesign load`: a network into the core on a board."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from codesign.commands.kept import kept
from codesign.core.memory import MEMORIES
from codesign.endings import OK
from codesign.errors import ConfigError
from codesign.flow.console import Terminal
from codesign.host.loading import Loading, load_network
from codesign.host.session import SIMULATED
from codesign.outputs import check_outputs, write_text
from codesign.paths import BuildFolder
from codesign.synth.target import core_of, load_target


def command(arguments: argparse.Namespace) -> int:
    """Load a network into a core, and say how much of it it takes."""
    terminal = Terminal()
    check_outputs({"--json": arguments.json}, kept([arguments.design]) if arguments.design.is_dir() else [])
    if arguments.target is not None and arguments.port != SIMULATED:
        raise ConfigError(
            "a board says itself what core it has", where="--target", expected=f"--port {SIMULATED}", fix="leave it out"
        )
    with _port(arguments, terminal) as (port, baud, slowdown), terminal.bar("load"):
        loaded = load_network(
            port,
            arguments.design,
            baud=baud,
            slowdown=slowdown,
            progress=lambda taken, words: terminal.advance(taken / words, f"{taken:,} of {words:,} words"),
        )
    for line in summary(loaded):
        terminal.text(line)
    if arguments.json is not None:
        write_text(arguments.json, json.dumps(asdict(loaded), indent=1) + "\n")
        terminal.text(str(arguments.json))
    return OK


@contextlib.contextmanager
def _port(arguments: argparse.Namespace, terminal: Terminal) -> Iterator[tuple[str, int | None, float]]:
    """Yield port, baud rate and slowdown; for `SIMULATED` those of a simulation that ends with the context."""
    if arguments.port != SIMULATED:
        yield arguments.port, arguments.baud, 1.0
        return
    from codesign.sim import board as simulation

    config = simulation.CORE if arguments.target is None else core_of(load_target(arguments.target))
    terminal.text("building the simulation of the whole board ...")
    with contextlib.ExitStack() as stack:
        design = arguments.design  # an image has no folder of its own
        folder = design / BuildFolder.CACHE if design.is_dir() else stack.enter_context(TemporaryDirectory())
        board = stack.enter_context(simulation.SimulatedCore(config, Path(folder) / "board"))
        yield board.port, board.baud, board.slowdown


def summary(loaded: Loading) -> list[str]:
    """Return the lines that end a load."""
    config = loaded.found.config
    fullest = sorted(loaded.needs.items(), key=lambda need: -need[1] / getattr(config, need[0]))[:3]
    used = ", ".join(f"{need:,} of {getattr(config, depth):,} {MEMORIES[depth]}" for depth, need in fullest)
    return [
        f"{loaded.name}: design {loaded.design:08x}, {4 * loaded.words:,} bytes in {loaded.seconds:.1f} s"
        + (f", {loaded.repeated} parts sent again" if loaded.repeated else "")
        + "; the CRC-32 of what arrived is right",
        f"core of {config.lanes} lanes at {loaded.found.clock_hz / 1e6:.4g} MHz; fullest memories: {used}",
    ]
