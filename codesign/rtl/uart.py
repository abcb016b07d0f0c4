# SPDX-License-Identifier: Apache-2.0
"""``<name>_uart``: `codesign.rtl.soc` with a serial port in front of it, for a person. `emit_uart` is pure."""

from __future__ import annotations

from codesign.errors import ConversionError
from codesign.graph.ir import Graph
from codesign.rtl.host import host_files
from codesign.rtl.project import filelist
from codesign.rtl.registers import ADDRESS_BITS
from codesign.rtl.soc import emit_soc
from codesign.rtl.spec import TopSpec, top_spec
from codesign.rtl.template import render

MOST_PAYLOAD = 0xFFFF
"""Bytes of a packet's payload."""
_RESULT_HEAD, _FRAME_HEAD = 5, 1


def emit_uart(graph: Graph) -> dict[str, str]:
    """Return the RTL project whose top is ``<name>_uart``: ``<name>_soc`` with a serial port. Path -> text.

    Raises:
        ConversionError: an error of `emit_soc`, or a frame or its result is too long for a packet of the link.
    """
    spec = top_spec(graph)
    check_packets(spec)
    files = emit_soc(graph) | host_files()
    files[f"{graph.name}_uart.sv"] = render("uart.sv", name=graph.name, spec=spec, address_bits=ADDRESS_BITS)
    return files | {"filelist.f": filelist(files)}


def check_packets(spec: TopSpec) -> None:
    """Check that a frame and its result each fit a packet of the link.

    Raises:
        ConversionError: one does not.
    """
    sizes = {
        "frame": _FRAME_HEAD + spec.beats * spec.in_bytes,
        "result": _RESULT_HEAD + spec.out_words * spec.out_bytes,
    }
    for what, size in sizes.items():
        if size > MOST_PAYLOAD:
            raise ConversionError(
                f"a {what} is too long for a packet of the serial link",
                where=spec.module,
                expected=f"at most {MOST_PAYLOAD} bytes",
                received=f"{size} bytes",
                fix="use the AXI4 top (emit_soc), or smaller frames",
            )
