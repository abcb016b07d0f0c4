# SPDX-License-Identifier: Apache-2.0
"""``[core]``: what a design asks of its core, and the core that its network needs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

from codesign.core.compiler import Compiled, compile_graph
from codesign.core.config import DEPTHS, CoreConfig
from codesign.core.timing import MemoryTiming, timing_of
from codesign.errors import ConfigError
from codesign.graph.ir import Graph
from codesign.records import check, limited

_OF_SIMULATION = ("memory", "clocks_mhz")
_LEAST = 2
"""Lines of the smallest memory: an address has a bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSection:
    """``[core]``: only with ``hardware.architecture = "core"``. A depth that is unset is what the network needs.

    Attributes:
        lanes: sums in a word, and multiplications in a cycle; a power of two.
        quantisers: lanes that are quantised in a cycle, and codes in an input beat; a power of two that divides
            ``lanes``, and at least an eighth of them.
        code_bits: bits of a code, signed; a multiple of 8.
        weight_bits: bits of a weight, signed.
        sum_bits: bits of a sum, signed; a multiple of 8.
        index_bits: bits of every index and address.
        sum_words: words of ``lanes`` sums.
        code_rows: rows of ``quantisers`` codes.
        weight_lines: lines of ``lanes`` weights.
        table_rows: entries of the tables of rows and columns that an event reaches.
        param_rows: rows of ``quantisers`` steps and thresholds.
        step_words: 32-bit words of the program's steps.
        chunks: words of 32 marks.
        memory_bits: bits of a beat of the external memory; 0: there is none. With one, `sum_words`, `code_rows` and
            `weight_lines` are what lies inside.
        memory_kib: its size in KiB.
        cached_words: words of sums of the external memory that are kept inside for a while; a power of two.
        cached_lines: lines of weights of it, as well.
        memory: when the external memory answers in simulation: that of an SoC, or a 16-bit SDRAM at the core's clock.
        clocks_mhz: clocks of the core and of an SDRAM that has one of its own; none: it has the core's.

    Raises:
        ConfigError: there is no such core.
    """

    lanes: int = limited(32, at_least=1, at_most=64)
    quantisers: int = limited(8, at_least=1, at_most=64)
    code_bits: int = limited(16, at_least=8, at_most=24)
    weight_bits: int = limited(16, at_least=2, at_most=30)
    sum_bits: int = limited(32, at_least=16, at_most=48)
    index_bits: int = limited(20, at_least=8, at_most=31)
    sum_words: int | None = limited(None, at_least=_LEAST)
    code_rows: int | None = limited(None, at_least=_LEAST)
    weight_lines: int | None = limited(None, at_least=_LEAST)
    table_rows: int | None = limited(None, at_least=_LEAST)
    param_rows: int | None = limited(None, at_least=_LEAST)
    step_words: int | None = limited(None, at_least=_LEAST)
    chunks: int | None = limited(None, at_least=_LEAST)
    memory_bits: int = limited(0, at_least=0, at_most=128)
    memory_kib: int = limited(0, at_least=0, at_most=1 << 22)
    cached_words: int = limited(0, at_least=0, at_most=1 << 16)
    cached_lines: int = limited(0, at_least=0, at_most=1 << 16)
    memory: Literal["ddr", "sdram"] = "ddr"
    clocks_mhz: tuple[float, ...] = limited((), at_least=1.0, at_most=1000.0)

    def __post_init__(self) -> None:
        check(self, "core")
        for name in ("code_bits", "sum_bits"):
            if getattr(self, name) % 8:
                raise ConfigError(
                    "lanes of a beat are no whole bytes",
                    where=f"core.{name}",
                    expected="a multiple of 8",
                    received=getattr(self, name),
                )
        if self.clocks_mhz and (len(self.clocks_mhz) != 2 or self.memory != "sdram"):
            raise ConfigError(
                "not the clocks of a core and its SDRAM",
                where="core.clocks_mhz",
                expected='two, such as [75.0, 120.0], with memory = "sdram"',
                received=f"{list(self.clocks_mhz)}, memory = {self.memory!r}",
            )
        self.largest()

    def largest(self) -> CoreConfig:
        """Return the core with as many lines as it has addresses in each memory whose depth is unset."""
        given = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _OF_SIMULATION}
        return CoreConfig(**{name: 1 << self.index_bits if value is None else value for name, value in given.items()})

    @property
    def timing(self) -> MemoryTiming:
        """When the external memory answers in simulation."""
        return timing_of(self.memory, self.clocks_mhz)


def compile_fitted(graph: Graph, section: CoreSection) -> Compiled:
    """Return the program of ``graph``, and in its ``config`` the core: with depths as given, else as the program needs.

    Raises:
        ConversionError: the network does not fit the core; names the layer or the memory, and what to change.
    """
    compiled = compile_graph(graph, section.largest())
    needs = compiled.program.needs()
    unset = [name for name in DEPTHS if getattr(section, name, 0) is None]
    config = replace(compiled.program.config, **{name: max(_LEAST, needs[name]) for name in unset})
    return replace(compiled, program=replace(compiled.program, config=config))
