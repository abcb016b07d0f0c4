# SPDX-License-Identifier: Apache-2.0
"""Vivado's figures of the area: ``report_utilization -hierarchical``, as a text file.

Format: AMD UG906, *Design Analysis and Closure Techniques*. Columns are found by their names, because a family without
UltraRAM has no such column and the multiplier blocks are called differently over the years.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from codesign.synth.resources import XC7_BLOCK_RAM_BITS, Kind, Resources
from codesign.synth.vendor.vivado_text import read_text, read_version, unreadable
from codesign.synth.vendor.vivado_timing import read_timing

TOOL = "vivado"
URAM_BITS = 288 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One line of the hierarchical utilisation: an instance with everything inside it.

    path: names of the instances from the top down, the top first. module: what it is an instance of.
    lut: logic, distributed RAM and shift registers. bram_bits: block RAMs and UltraRAMs times their size.
    """

    path: tuple[str, ...]
    module: str
    lut: int
    ff: int
    dsp: int
    bram_bits: int


def read_utilisation(report: Path) -> tuple[Instance, ...]:
    """Return the instances of a ``report_utilization -hierarchical`` in its order, the top first.

    Lines of what an instance has outside its children, ``(name)``, are left out.
    Raises: SynthesisError if the file is missing, has no such table, or the table breaks off.
    """
    lines = iter(read_text(report).splitlines())
    header = next((cells for cells in map(_cells, lines) if cells[:2] == ["Instance", "Module"]), None)
    if header is None:
        raise unreadable(report, "a table 'Utilization by Hierarchy'", "none")
    column = {name: index for index, name in enumerate(header)}
    dsp = next((name for name in header if name.startswith("DSP")), "DSP Blocks")
    missing = [name for name in ("Total LUTs", "FFs", "RAMB36", "RAMB18", dsp) if name not in column]
    if missing:
        raise unreadable(report, f"a column {missing[0]!r}", ", ".join(header))
    found: list[Instance] = []
    path: list[str] = []
    for line in _rows(lines, report):
        cells = _cells(line)
        if len(cells) != len(header):
            raise unreadable(report, f"{len(header)} columns", line)
        depth = (len(line) - len(line[1:].lstrip()) - 2) // 2
        path[depth:] = [cells[0]]
        if cells[0].startswith("("):
            continue

        def value(name: str, cells: list[str] = cells, line: str = line) -> int:
            return _whole(cells[column[name]], line, report)

        ultra = value("URAM") if "URAM" in column else 0  # a family without the column has none
        bits = value("RAMB36") * XC7_BLOCK_RAM_BITS + value("RAMB18") * XC7_BLOCK_RAM_BITS // 2 + ultra * URAM_BITS
        found.append(
            Instance(
                path=tuple(path),
                module=cells[1],
                lut=value("Total LUTs"),
                ff=value("FFs"),
                dsp=value(dsp),
                bram_bits=bits,
            )
        )
    if not found:
        raise unreadable(report, "at least the top", "an empty table")
    return tuple(found)


def by_layer(instances: Iterable[Instance], layer_of: Callable[[str], str | None]) -> dict[str, Instance]:
    """Add up the instances of each layer; what belongs to none is left out.

    layer_of: instance name -> layer, or None. An instance inside one that has a layer is part of that.
    Returns: layer -> sums, in the report's order; path is that of the first instance.
    """
    found: dict[str, Instance] = {}
    inside: tuple[str, ...] = ()
    for item in instances:
        if inside and item.path[: len(inside)] == inside:
            continue
        layer = layer_of(item.path[-1])
        if layer is None:
            continue
        inside = item.path
        before = found.get(layer)
        found[layer] = item if before is None else _sum(before, item)
    return found


def _sum(first: Instance, second: Instance) -> Instance:
    return Instance(
        path=first.path,
        module=first.module,
        lut=first.lut + second.lut,
        ff=first.ff + second.ff,
        dsp=first.dsp + second.dsp,
        bram_bits=first.bram_bits + second.bram_bits,
    )


def layer_of(instance: str, layers: Iterable[str]) -> str | None:
    """Return the layer that an instance of a generated top belongs to, None if it belongs to none.

    ``i_conv1_conv``, ``i_conv1__0_locate`` and ``i_conv1_word_fork`` belong to ``conv1``, unless there is a layer
    ``conv1_word``.
    """
    name = instance.removeprefix("i_")
    return max((layer for layer in layers if name.startswith(f"{layer}_")), key=len, default=None)


def resources(utilisation: Path, timing: Path | None, *, target: str, kind: Kind) -> Resources:
    """Return the record of the whole design, from its two reports; Fmax is None without ``timing``."""
    top = read_utilisation(utilisation)[0]
    return Resources(
        target=target,
        tool=TOOL,
        tool_version=read_version(utilisation),
        kind=kind,
        lut=top.lut,
        ff=top.ff,
        dsp=top.dsp,
        bram_bits=top.bram_bits,
        fmax_mhz=read_timing(timing).fmax_mhz if timing is not None else None,
    )


def _rows(lines: Iterator[str], report: Path) -> Iterator[str]:
    """Return the lines between the rule below the header and the one that ends the table."""
    next(lines, "")
    for line in lines:
        if line.startswith("+"):
            return
        yield line
    raise unreadable(report, "the end of the table", "the report breaks off")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _whole(cell: str, line: str, report: Path) -> int:
    """Return the count in a cell, which may have a share after it: ``37(0.07%)``."""
    found = re.fullmatch(r"(\d+)(\(.*\))?", cell)
    if found is None:
        raise unreadable(report, "a count", f"{cell!r} in {line.strip()}")
    return int(found[1])
