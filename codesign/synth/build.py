# SPDX-License-Identifier: Apache-2.0
"""One design on one board: sources, synthesis, place and route, bitstream, and a record of the result.

A design that does not fit, or misses its clock (``met`` is False), leaves its record too, with `BoardBuild.problem`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import floor
from pathlib import Path

from codesign.errors import ConfigError, SynthesisError, ToolNotFoundError
from codesign.graph.ir import Graph
from codesign.rtl.identity import design_id
from codesign.rtl.project import emit, top_spec
from codesign.rtl.soc import emit_soc
from codesign.rtl.top import top_of
from codesign.rtl.uart import emit_uart
from codesign.synth.advice import capacity_problem, clock_problem, placing_problem
from codesign.synth.board_top import board_top_module, board_top_text
from codesign.synth.layers import Owners, area_of, layers_of, read_json
from codesign.synth.memory import check_fits, memories, with_ultra
from codesign.synth.nextpnr import REPORT, ROUTED, read_fmax, read_path, route
from codesign.synth.record import BUILD, Area, BoardBuild, LayerArea, Seconds, write_build
from codesign.synth.serial import check_baud, packet_bytes
from codesign.synth.target import Target, check_clock
from codesign.synth.toolchains import vivado as amd
from codesign.synth.toolchains.registry import TOOLCHAINS
from codesign.synth.toolchains.toolchain import CONSTRAINTS, Toolchain, clock_of, ports
from codesign.synth.vendor import vivado
from codesign.synth.yosys import NETLIST, synthesise
from codesign.synth.yosys import TOOL as YOSYS
from codesign.tools import require, run, version

PACK_TIMEOUT_S = 600.0
_LAST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be built.

    Attributes:
        graph: the design.
        board: where it is to run.
        clock_mhz: clock frequency of the core; the PLL makes the nearest that it can.
        seed: seed of the placer.
        attempts: seeds that may be tried, from this one on (see `codesign.synth.nextpnr.route`).
        skip: False: the dense baseline.
        baud: baud rate of the serial port; None: the board's.

    Raises:
        ConfigError: no such clock, seed or baud rate on this board.
    """

    graph: Graph
    board: Target
    clock_mhz: float
    seed: int = 1
    attempts: int = 1
    skip: bool = True
    baud: int | None = None

    def __post_init__(self) -> None:
        check_clock(self.clock_mhz)
        if not 0 <= self.seed <= _LAST_SEED:
            raise ConfigError(
                "no such seed", where="--seed", expected=f"0 to {_LAST_SEED}", received=self.seed, fix="such as 1"
            )
        if self.baud is not None and self.board.uart is None:
            raise ConfigError(
                "this board has no serial port on pins of its device",
                where="--baud",
                expected="a board with a uart in its file",
                received=self.board.name,
                fix="leave --baud out",
            )
        core_mhz = self.core_mhz
        if self.serial_baud is not None:
            check_baud(self.serial_baud, core_mhz)

    @property
    def serial_baud(self) -> int | None:
        """Baud rate that is built; None where there is no serial port on pins."""
        uart = self.board.uart
        return None if uart is None else uart.baud if self.baud is None else self.baud

    @property
    def toolchain(self) -> Toolchain | None:
        """The tools that make a bitstream here, None if there are none."""
        return TOOLCHAINS.get(self.board.toolchain)

    @property
    def core_mhz(self) -> float:
        """Clock that the PLL makes."""
        pll = clock_of(self.board, self.toolchain.limits, self.clock_mhz) if self.toolchain else None
        return self.clock_mhz if pll is None else pll.output_mhz

    @property
    def module(self) -> str:
        """Name of the outermost module."""
        name = self.graph.name
        return board_top_module(name, self.board) if self.board.top == "uart" else f"{name}_soc"

    def files(self) -> dict[str, str]:
        """Return every source, pure text: the design, and the board top and constraints of the board."""
        if self.toolchain is None or self.serial_baud is None:
            return emit_soc(self.graph)
        top = board_top_text(
            self.graph.name,
            self.board,
            self.toolchain,
            core_mhz=self.clock_mhz,
            baud=self.serial_baud,
            skip=self.skip,
        )
        constraints = self.toolchain.constraints(self.board, ports(self.board))
        return emit_uart(self.graph) | {
            f"{self.module}.sv": top,
            f"{CONSTRAINTS}.{self.toolchain.suffix}": constraints,
        }


def slower_clock(order: Order, fmax_mhz: float) -> float | None:
    """Return the fastest clock [MHz] to ask for that the board can make and a design of this Fmax meets; None: none.

    Whole numbers and the oscillator's own clock are tried; what counts is the clock that the PLL makes of one.
    """
    oscillator = order.board.clock.oscillator_mhz
    wanted = {float(mhz) for mhz in range(1, floor(fmax_mhz) + 1)} | ({oscillator} if oscillator else set())
    made = ((mhz, _made(order, mhz)) for mhz in sorted(wanted, reverse=True))
    return next((mhz for mhz, core_mhz in made if core_mhz is not None and core_mhz <= fmax_mhz), None)


def _made(order: Order, clock_mhz: float) -> float | None:
    """Return the core clock that the board makes of one asked for; None if PLL or serial port cannot have it."""
    try:
        return replace(order, clock_mhz=clock_mhz).core_mhz
    except ConfigError:
        return None


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
class Builder:
    """Builds an order in a folder, step by step.

    Attributes:
        order: what is built.
        folder: folder it is built in; exists and is empty.
        finished, skipped, doing: progress.
        record: what is known so far.
    """

    order: Order
    folder: Path
    finished: Finished
    skipped: Skipped = _unsaid
    doing: Doing = _silently
    record: BoardBuild = field(init=False)
    _least_ultra_bits: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        order = self.order
        frame, result = packet_bytes(top_spec(order.graph)) if order.serial_baud else (None, None)
        self.record = BoardBuild(
            design=order.graph.name,
            design_id=f"{design_id(emit(order.graph)):08x}",
            target=order.board.name,
            top=order.board.top,
            skip=order.skip,
            clock_mhz=order.core_mhz,
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

    def _memories(self) -> None:
        """Compare the design's memories with the device before anything long begins."""
        board = self.order.board
        capacity = board.capacity.memory
        start = time.monotonic()
        try:
            plan = check_fits(
                memories(top_of(self.order.graph)),
                board.title,
                where=self.order.graph.name,
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

    def _synthesise(self) -> None:
        order, start = self.order, time.monotonic()
        with self.doing("synthesise"):
            made = synthesise(
                with_ultra(order.files(), self._least_ultra_bits),
                order.module,
                target=order.board.family,
                folder=self.folder,
                skip=order.skip or order.board.top == "uart",  # the board top passes it to the design
            )
            netlist = read_json(self.folder / NETLIST, "synthesise again")
            layers = layers_of(netlist, self._owners(), order.board.family)
        self._measured(layers, {"yosys": made.tool_version})
        seconds = time.monotonic() - start
        self.record = replace(
            self.record,
            seconds=Seconds(synthesise=round(seconds, 1)),
            problem=capacity_problem(self.record),
        )
        self.finished("synthesise", seconds, in_words(self.record.used))

    def _route(self) -> None:
        order, toolchain, start = self.order, self.order.toolchain, time.monotonic()
        assert toolchain is not None
        with self.doing("place and route"):
            try:
                seed = route(
                    toolchain.router,
                    toolchain.route(order.board),
                    self.folder,
                    inputs=[NETLIST, f"{CONSTRAINTS}.{toolchain.suffix}"],
                    clock_mhz=order.core_mhz,
                    seeds=range(order.seed, order.seed + order.attempts),
                )
            except SynthesisError as error:
                self.record = replace(self.record, problem=placing_problem(self.record, str(error)))
                if self.record.problem is None:
                    raise
                return
            layers = layers_of(read_json(self.folder / ROUTED, "route again"), self._owners(), toolchain.sites)
        self._measured(layers, {toolchain.router.removeprefix("yowasp-"): version(toolchain.router)})
        fmax = read_fmax(self.folder / REPORT)
        seconds = time.monotonic() - start
        self.record = replace(
            self.record,
            seed=seed,
            fmax_mhz=fmax,
            met=fmax is not None and fmax >= order.core_mhz,
            critical_path=read_path(self.folder / REPORT, self._owners()),
            seconds=replace(self.record.seconds, route=round(seconds, 1)),
        )
        self.record = replace(self.record, problem=self._clock_problem())
        self.finished("place and route", seconds, "no clock" if fmax is None else f"{fmax:.1f} MHz, seed {seed}")

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

    def _vivado(self) -> None:
        """Let Vivado make the bitstream. Without it, its project stays in the folder, and the figures are estimates."""
        order = self.order
        project = amd.project_of(order.graph, order.board, clock_mhz=order.clock_mhz, skip=order.skip)
        project = replace(project, files=with_ultra(project.files, self._least_ultra_bits))
        try:
            with self.doing("vivado"):
                made = vivado.build(project, self.folder / amd.FOLDER)
        except ToolNotFoundError as error:
            self.skipped("vivado", f"{error.program} not on PATH; its project is in {amd.FOLDER}/")
            return
        self.record = amd.recorded(self.record, made, order.graph)
        if self.record.problem is None:
            self.record = replace(self.record, problem=self._clock_problem())
        self.finished("vivado", made.seconds, f"{self.record.fmax_mhz:.1f} MHz" if self.record.fmax_mhz else "no clock")

    def _clock_problem(self) -> str | None:
        fmax = self.record.fmax_mhz
        slower = None if self.record.met or fmax is None else slower_clock(self.order, fmax)
        return clock_problem(self.record, self.order.graph, slower_mhz=slower)

    def _owners(self) -> Owners:
        return Owners(nodes=tuple(node.name for node in self.order.graph.nodes), top=self.order.board.top)

    def _measured(self, layers: tuple[LayerArea, ...], tools: Mapping[str, str | None]) -> None:
        """Record the figures of the layers and of their sum, and the tools they come from."""
        whole = area_of(layers)
        self.record = replace(
            self.record,
            used=Area(lut=whole.lut, ff=whole.ff, dsp=whole.dsp, bram_bits=whole.bram_bits),
            layers=layers,
            tools=self.record.tools | {name: number for name, number in tools.items() if number},
        )


def in_words(area: Area) -> str:
    """Return a few words about an area."""
    parts = ((area.lut, "LUT"), (area.ff, "FF"), (area.dsp, "DSP"), ((area.bram_bits or 0) // 1024, "BRAM kbit"))
    return ", ".join(f"{number:,} {name}" for number, name in parts if number is not None)
