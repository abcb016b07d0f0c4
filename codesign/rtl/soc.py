# SPDX-License-Identifier: Apache-2.0
"""``<name>_soc``: the core of a design with registers for a system on chip. `emit_soc` is pure: it writes nothing.

::

    <name>_uart   uart_rx -> link -> uart_tx      (rx_i, tx_o)               codesign.rtl.uart
                           |  AXI4-Lite, AXI4-Stream
    <name>_soc             control, registers     (s_axis, m_axis, s_axil)   codesign.rtl.soc
    <name>_top                    core                                       codesign.rtl.top
"""

from __future__ import annotations

from codesign.graph.ir import Graph
from codesign.rtl.host import host_files
from codesign.rtl.identity import design_id
from codesign.rtl.project import emit, filelist
from codesign.rtl.registers import ADDRESS_BITS, RegisterMap, compiled, description, hold_member, regblock
from codesign.rtl.registers import register_map as map_of
from codesign.rtl.spec import TopSpec, top_spec
from codesign.rtl.template import render


def register_map(graph: Graph) -> RegisterMap:
    """Return the registers of ``emit_soc(graph)`` by name."""
    number = design_id(emit(graph))
    return map_of(compiled(description(top_spec(graph), graph.name, number)), graph.name, number)


def emit_soc(graph: Graph) -> dict[str, str]:
    """Return the RTL project whose top is ``<name>_soc``: the core and its AXI4-Lite registers. Path -> text.

    Beside the files of ``emit(graph)``: the registers as SystemRDL, as SystemVerilog and as ``registers.json``.

    Raises:
        ConversionError: the graph cannot be wired, or has too many engines or holds for the registers.
    """
    spec, core = top_spec(graph), emit(graph)
    number = design_id(core)
    text = description(spec, graph.name, number)
    root = compiled(text)
    files = core | regblock(root) | host_files("control")
    files[f"{graph.name}_soc.sv"] = _text(graph, spec)
    files[f"{graph.name}_registers.rdl"] = text
    files["registers.json"] = map_of(root, graph.name, number).to_json()
    return files | {"filelist.f": filelist(files)}


def _text(graph: Graph, spec: TopSpec) -> str:
    thresholds = ", ".join(f"hwif_out.{hold_member(hold.name)}" for hold in reversed(spec.holds))
    return render(
        "soc.sv",
        name=graph.name,
        spec=spec,
        address_bits=ADDRESS_BITS,
        threshold_bits=max(1, spec.threshold_bits),
        thresholds=f"{{{thresholds}}}" if spec.holds else "1'b0",
    )
