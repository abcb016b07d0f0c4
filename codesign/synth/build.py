# SPDX-License-Identifier: Apache-2.0
"""One design on one board: sources, synthesis, place and route, bitstream, and a record of the result.

A design that does not fit, or misses its clock (``met`` is False), leaves its record too, with `BoardBuild.problem`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from codesign.errors import SynthesisError, ToolNotFoundError
from codesign.graph.ir import Graph
from codesign.rtl.identity import design_id
from codesign.rtl.project import emit, top_spec
from codesign.rtl.top import top_of
from codesign.synth.advice import capacity_problem, clock_problem, placing_problem
from codesign.synth.layers import Owners, Owning, area_of, layers_of, read_json
from codesign.synth.memory import check_fits, memories, with_ultra
from codesign.synth.nextpnr import REPORT, ROUTED, read_clocks, read_fmax, read_path, route
from codesign.synth.order import BoardOrder, Order, slower_clock
from codesign.synth.record import BUILD, Area, BoardBuild, LayerArea, Seconds, write_build
from codesign.synth.resources import Resources
from codesign.synth.serial import packet_bytes
from codesign.synth.toolchains import vivado as amd
from codesign.synth.toolchains.toolchain import CONSTRAINTS, SDRAM_CLOCK
from codesign.synth.vendor import vivado
from codesign.synth.vendor.vivado import Project
from codesign.synth.yosys import NETLIST, synthesise
from codesign.synth.yosys import TOOL as YOSYS
from codesign.tools import require, run, version

PACK_TIMEOUT_S = 600.0

Finished = Callable[[str, float, str], None]
"""Called for a finished step with its name, seconds, and a few words."""
Skipped = Callable[[str, str], None]
"""Called for a step that was left out, with its name and the reason."""
Doing = Callable[[str], contextlib.AbstractContextManager[None]]
"""Shows that a step of this name is under way."""


@contextlib.contextmanager
def _silently(_: str) -> Iterator[None]:
    yield


def _unsaid(*_: str) -> None:
    pass


@dataclass(slots=True, kw_only=True)
class BoardBuilder:
    """Builds an order in a folder, step by step; what is built is for its subclasses to say.

    Attributes:
        order: what is built.
        folder: folder it is built in; exists and is empty.
        finished, skipped, doing: progress.
        record: what is known so far.
    """

    order: BoardOrder
    folder: Path
    finished: Finished
    skipped: Skipped = _unsaid
    doing: Doing = _silently
    record: BoardBuild = field(init=False)

    def __post_init__(self) -> None:
        order = self.order
        frame, result = self._packets()
        self.record = BoardBuild(
            design=order.name,
            design_id=self._design_id(),
            target=order.board.name,
            top=order.board.top,
            skip=order.skip,
            clock_mhz=order.core_mhz,
            sdram_mhz=order.sdram_mhz,
            baud=order.serial_baud,
            frame_bytes=frame,
            result_bytes=result,
            available=order.board.capacity.area(),
        )

    def build(self) -> BoardBuild:
        """Take every step that can be taken; return, and write, what came out.

        Raises:
            ToolNotFoundError: before anything is run.
            SynthesisError: a tool failed for another reason than that the design does not fit.
            ConfigError: the clock cannot be made.
        """
        toolchain = self.order.toolchain
        programs = () if toolchain is None else (toolchain.router, toolchain.pack(self.order.board)[0][0])
        for program in (YOSYS, *programs):
            require(program)
        here = (self._route, self._pack) if toolchain else ()
        last = (self._vivado,) if self.order.board.toolchain == "vivado" else here
        for step in (self._memories, self._synthesise, *last):
            step()
            if self.record.problem is not None and self.record.fmax_mhz is None:
                break
        write_build(self.record, self.folder / BUILD)
        return self.record

    def _synthesise(self) -> None:
        order, start = self.order, time.monotonic()
        with self.doing("synthesise"):
            made = self._mapped()
            netlist = read_json(self.folder / NETLIST, "synthesise again")
            layers = layers_of(netlist, self._owners(), order.board.family)
        self._measured(layers, {"yosys": made.tool_version})
        seconds = time.monotonic() - start
        self.record = replace(
            self.record,
            seconds=Seconds(synthesise=round(seconds, 1)),
            problem=self._capacity_problem(),
        )
        self.finished("synthesise", seconds, in_words(self.record.used))

    def _route(self) -> None:
        order, toolchain, start = self.order, self.order.toolchain, time.monotonic()
        assert toolchain is not None
        others = {} if order.sdram_mhz is None else {SDRAM_CLOCK: order.sdram_mhz}
        with self.doing("place and route"):
            try:
                seed = route(
                    toolchain.router,
                    toolchain.route(order.board),
                    self.folder,
                    inputs=[NETLIST, f"{CONSTRAINTS}.{toolchain.suffix}"],
                    clock_mhz=order.core_mhz,
                    others=others,
                    seeds=range(order.seed, order.seed + order.attempts),
                )
            except SynthesisError as error:
                self.record = replace(self.record, problem=placing_problem(self.record, str(error)))
                if self.record.problem is None:
                    raise
                return
            layers = layers_of(read_json(self.folder / ROUTED, "route again"), self._owners(), toolchain.sites)
        self._measured(layers, {toolchain.router.removeprefix("yowasp-"): version(toolchain.router)})
        report = self.folder / REPORT
        fmax, of_sdram = read_fmax(report, others), read_clocks(report).get(SDRAM_CLOCK)
        seconds = time.monotonic() - start
        self.record = replace(
            self.record,
            seed=seed,
            fmax_mhz=fmax,
            sdram_fmax_mhz=of_sdram if others else None,
            met=fmax is not None and fmax >= order.core_mhz and (of_sdram or 0.0) >= (order.sdram_mhz or 0.0),
            critical_path=read_path(report, self._owners(), others),
            seconds=replace(self.record.seconds, route=round(seconds, 1)),
        )
        self.record = replace(self.record, problem=self._clock_problem())
        words = f"{fmax or 0.0:.1f} MHz" + (f", SDRAM {of_sdram or 0.0:.1f} MHz" if others else "")
        self.finished("place and route", seconds, "no clock" if fmax is None else f"{words}, seed {seed}")

    def _pack(self) -> None:
        toolchain, start = self.order.toolchain, time.monotonic()
        assert toolchain is not None
        with self.doing("pack"):
            for argv in toolchain.pack(self.order.board):
                run(argv, self.folder, self.folder / "pack.log", PACK_TIMEOUT_S, error=SynthesisError)
        seconds = time.monotonic() - start
        self.record = replace(
            self.record,
            bitstream=toolchain.bitstream,
            seconds=replace(self.record.seconds, pack=round(seconds, 1)),
        )
        size = (self.folder / toolchain.bitstream).stat().st_size
        self.finished("pack", seconds, f"{toolchain.bitstream}, {size:,} bytes")

    def _measured(self, layers: tuple[LayerArea, ...], tools: Mapping[str, str | None]) -> None:
        """Record the figures of the layers and of their sum, and the tools they come from."""
        whole = area_of(layers)
        self.record = replace(
            self.record,
            used=Area(lut=whole.lut, ff=whole.ff, dsp=whole.dsp, bram_bits=whole.bram_bits),
            layers=layers,
            tools=self.record.tools | {name: number for name, number in tools.items() if number},
        )

    def _packets(self) -> tuple[int | None, int | None]:
        """Return the bytes of a frame and of a result on the serial line; None: there is none, or they vary."""
        return None, None

    def _design_id(self) -> str | None:
        return None

    def _memories(self) -> None:
        """Compare memories with the device before anything long begins."""
        raise NotImplementedError

    def _mapped(self) -> Resources:
        """Synthesise."""
        raise NotImplementedError

    def _vivado(self) -> None:
        """Let Vivado make the bitstream. Without it, its project stays in the folder, and the figures are estimates."""
        try:
            with self.doing("vivado"):
                made = vivado.build(self._project(), self.folder / amd.FOLDER)
        except ToolNotFoundError as error:
            self.skipped("vivado", f"{error.program} not on PATH; its project is in {amd.FOLDER}/")
            return
        self.record = amd.recorded(self.record, made, self._parts())
        if self.record.problem is None:
            self.record = replace(self.record, problem=self._clock_problem())
        self.finished("vivado", made.seconds, f"{self.record.fmax_mhz:.1f} MHz" if self.record.fmax_mhz else "no clock")

    def _project(self) -> Project:
        """Return what Vivado is to do."""
        raise NotImplementedError

    def _parts(self) -> amd.Parts:
        """Return what its figures are divided into."""
        raise NotImplementedError

    def _capacity_problem(self) -> str | None:
        return capacity_problem(self.record)

    def _clock_problem(self) -> str | None:
        raise NotImplementedError

    def _owners(self) -> Owning:
        raise NotImplementedError


@dataclass(slots=True, kw_only=True)
class Builder(BoardBuilder):
    """Builds a design (`Order`)."""

    _least_ultra_bits: int | None = field(init=False, default=None)

    @property
    def _graph(self) -> Graph:
        assert isinstance(self.order, Order)
        return self.order.graph

    def _packets(self) -> tuple[int | None, int | None]:
        return packet_bytes(top_spec(self._graph)) if self.order.serial_baud else (None, None)

    def _design_id(self) -> str | None:
        return f"{design_id(emit(self._graph)):08x}"

    def _mapped(self) -> Resources:
        order = self.order
        return synthesise(
            with_ultra(order.files(), self._least_ultra_bits),
            order.module,
            target=order.board.family,
            folder=self.folder,
            skip=order.skip or order.board.top == "uart",  # the board top passes it to the design
        )

    def _memories(self) -> None:
        """Compare the design's memories with the device before anything long begins."""
        board = self.order.board
        capacity = board.capacity.memory
        start = time.monotonic()
        try:
            plan = check_fits(
                memories(top_of(self._graph)),
                board.title,
                where=self._graph.name,
                capacity=capacity.block_bits,
                ultra_rams=capacity.ultra_rams,
            )
        except SynthesisError as error:
            self.record = replace(self.record, problem=str(error))
            return
        text = f"{plan.block_bits:,} of {capacity.block_bits:,} bits of block RAM"
        if plan.least_bits is not None:
            self._least_ultra_bits = plan.least_bits
            self.record = replace(self.record, available=replace(self.record.available, bram_bits=capacity.bits))
            text += f", {plan.ultra_rams} of {capacity.ultra_rams} UltraRAMs"
        self.finished("memories", time.monotonic() - start, text)

    def _project(self) -> Project:
        order = self.order
        project = amd.project_of(self._graph, order.board, clock_mhz=order.clock_mhz, skip=order.skip)
        return replace(project, files=with_ultra(project.files, self._least_ultra_bits))

    def _parts(self) -> amd.Parts:
        return amd.parts_of(self._graph)

    def _clock_problem(self) -> str | None:
        fmax = self.record.fmax_mhz
        slower = None if self.record.met or fmax is None else slower_clock(self.order, fmax)
        return clock_problem(self.record, self._graph, slower_mhz=slower)

    def _owners(self) -> Owners:
        return Owners(nodes=tuple(node.name for node in self._graph.nodes), top=self.order.board.top)


def in_words(area: Area) -> str:
    """Return a few words about an area."""
    parts = ((area.lut, "LUT"), (area.ff, "FF"), (area.dsp, "DSP"), ((area.bram_bits or 0) // 1024, "BRAM kbit"))
    return ", ".join(f"{number:,} {name}" for number, name in parts if number is not None)
