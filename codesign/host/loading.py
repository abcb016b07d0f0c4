# SPDX-License-Identifier: Apache-2.0
"""A network into a core on a board: compiled for it, checked, sent in parts, and what arrived compared with it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codesign.core import Program, compile_graph, image_of, read_image
from codesign.core import registers as core_map
from codesign.core.image import SUFFIX
from codesign.errors import BoardError, NoNetworkError
from codesign.graph.ir import Graph
from codesign.host import link
from codesign.host.core import Found, check_line, is_compact, look
from codesign.host.exchange import Exchange
from codesign.host.identity import BAUD, built_baud, open_graph
from codesign.host.port import Port
from codesign.host.registers import Registers

PART_WORDS = 1023
"""Most words of an image in a packet."""
Progress = Callable[[int, int], None]
"""Called with the words that the core has taken, and with all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """A network that was loaded.

    Attributes:
        name: of the design or the image file.
        design: its id, which the core reports from now on.
        words: 32-bit words of its image.
        seconds: that it took to send them.
        repeated: requests that had to be sent again.
        found: the core.
        needs: how much of each memory it takes, by the name of its depth in `codesign.core.CoreConfig`.
    """

    name: str
    design: int
    words: int
    seconds: float
    repeated: int
    found: Found
    needs: dict[str, int]


def load_network(
    port: str,
    design: Graph | str | Path,
    *,
    baud: int | None = None,
    slowdown: float = 1.0,
    progress: Progress | None = None,
) -> Loading:
    """Load a network into the core at ``port``. Whatever it held before is gone as soon as the first part is taken.

    Args:
        port: name of a serial port.
        design: build folder, whose graph is compiled for the core; a graph; or an image, ``NAME.core``.
        baud: baud rate of the core's bitstream; None: that of the builds beside the folder, or 1,000,000.
        slowdown: how many times slower the board is than its clock; 1, but for a simulation.
        progress: called after each part; None: nothing is.

    Raises:
        BoardError: no core answers, or it refuses the image or has another one in the end; it has no network then.
        ConversionError: the network does not fit the core; nothing was sent.
        ImageError: the image is damaged or made for another core; nothing was sent.
        LinkError: the board does not answer; it has no network.
        DisconnectedError: the port is gone; the board has no network.
        StageError: the build folder has no finished graph.
    """
    graph, rate = _opened(design, baud)
    line = Port(port, rate)
    try:
        exchange = Exchange(line, rate, slowdown)
        registers = Registers(exchange=exchange)
        _check_core(registers, port)
        found = look(registers, port)
        program = _program(design, graph, found)
        name = graph.name if graph is not None else str(design)
        check_line(program, found, name, compact=graph is None or is_compact(graph))
        start = time.monotonic()
        words = _send(exchange, program, port, found, progress)
        return Loading(
            name=name,
            design=program.design,
            words=words,
            seconds=time.monotonic() - start,
            repeated=exchange.repeated,
            found=look(registers, port),
            needs=program.needs(),
        )
    finally:
        line.close()


def _opened(design: Graph | str | Path, baud: int | None) -> tuple[Graph | None, int]:
    """Return the graph of a design, if it is no image, and the baud rate."""
    if isinstance(design, Graph):
        return design, baud or BAUD
    path = Path(design)
    if path.suffix == SUFFIX:
        return None, baud or BAUD
    graph = open_graph(path)
    return graph, baud or built_baud(path, graph)


def _program(design: Graph | str | Path, graph: Graph | None, found: Found) -> Program:
    if graph is None:
        assert not isinstance(design, Graph)
        return read_image(Path(design), found.config)
    return compile_graph(graph, found.config).program


def _check_core(registers: Registers, port: str) -> None:
    magic, version = registers.read(0, 2)
    if (magic, version) != (core_map.MAGIC, core_map.VERSION):
        raise BoardError(
            "what answers is no core of this version",
            where=port,
            expected=f"magic {core_map.MAGIC:08x}, register map {core_map.VERSION}",
            received=f"magic {magic:08x}, register map {version}",
            fix="codesign build --core --target BOARD, and put its bitstream on the board",
        )


def _send(exchange: Exchange, program: Program, port: str, found: Found, progress: Progress | None) -> int:
    """Send the image; return its words."""
    image = image_of(program).astype("<u4")
    data, words = image.tobytes(), len(image)
    part = min(PART_WORDS, found.frame_words - 1)
    for offset in range(0, words, part):
        end = min(words, offset + part)
        sent = link.Load(offset=offset, words=data[4 * offset : 4 * end], last=end == words)
        # Most of the words are written as they come; in the worst case the core takes a cycle for each.
        answer = exchange.request(sent, link.Loaded, answer_bytes=link.LOADED_BYTES, work_s=part / found.clock_hz)
        expected = link.Loaded(taken=end, crc=zlib.crc32(data[: 4 * end]), loaded=end == words, error=0)
        if answer != expected:
            raise _refused(answer, expected, port)
        if progress is not None:
            progress(end, words)
    return words


def _refused(answer: link.Loaded, expected: link.Loaded, port: str) -> BoardError:
    """Return the error of an image that did not arrive, or that the core does not take."""
    if (answer.taken, answer.crc) == (expected.taken, expected.crc):
        return BoardError(
            "the core refuses the image, and has no network now",
            where=port,
            received=core_map.refusal(answer.error),
            fix="load it again; if that does not help, build the core with this version of the project",
        )
    return NoNetworkError(
        "something else reached the core while it was loaded, and it has no network now",
        where=port,
        expected=f"{expected.taken} words, CRC-32 {expected.crc:08x}",
        received=f"{answer.taken} words, CRC-32 {answer.crc:08x}",
        fix="end what else uses the port, and load it again",
    )
