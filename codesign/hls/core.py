# SPDX-License-Identifier: Apache-2.0
"""A network as an HLS compiler takes it and returns it, and the RTL top's outside around what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from codesign.graph.ir import Graph
from codesign.rtl.spec import TopSpec, top_spec
from codesign.rtl.template import render

HERE = Path(__file__).parent
LINT = "core.vlt"
ENGINE = "core"
"""What the whole of a compiled core is called where the RTL top names its engines."""
Ports = Literal["bambu", "vitis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A network in C++, written for HLS compilers.

    Attributes:
        graph: the network.
        top: name of the function: two streams of beats, see `codesign.hls4ml_plugin.writer.streaming`.
        files: path -> text; ``<top>.cpp`` and the headers that it includes.
        in_lanes, out_lanes: codes in a beat of the input and of the output.
        branch: tokens that a queue holds where a tensor with several readers branches: a frame of them; 0: none does.
    """

    graph: Graph
    top: str
    files: Mapping[str, str]
    in_lanes: int
    out_lanes: int
    branch: int = 0

    @property
    def spec(self) -> TopSpec:
        """The outside of the shell: that of the RTL top, but for lanes, engines, and hold thresholds, all constant."""
        graph = self.graph
        return replace(
            top_spec(graph),
            module=f"{self.top}_shell",
            in_lanes=self.in_lanes,
            beats=-(-graph.source.size // self.in_lanes),
            out_lanes=self.out_lanes,
            out_words=-(-graph.output.size // self.out_lanes),
            engines=(ENGINE,),
            holds=(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What a compiler made of a `Source`.

    Attributes:
        compiler: its name and version, as a person reads it.
        ports: which compiler's names and rules the module's ports have.
        files: path -> text of the Verilog, and of the memory files that it reads.
    """

    compiler: str
    ports: Ports
    files: Mapping[str, str]

    def project(self, source: Source) -> dict[str, str]:
        """Return a project that `codesign.sim.build` compiles: the core in a shell with the ports of the RTL top."""
        spec = source.spec
        made = [name for name in self.files if name.endswith(".v")]
        config = "".join(f'lint_off -file "*/{name}"\nlint_off -file "{name}"\n' for name in made)
        sources = [LINT, *made, f"{spec.module}.sv"]
        return {
            **self.files,
            LINT: f"`verilator_config\n{config}",
            f"{spec.module}.sv": shell(source, self.ports),
            "filelist.f": "\n".join(sources) + "\n",
        }


def shell(source: Source, ports: Ports) -> str:
    """Return the SystemVerilog of the shell around a core."""
    graph = source.graph
    return render(
        "shell.sv",
        folder=HERE,
        spec=source.spec,
        top=source.top,
        ports=ports,
        out_width=graph.output.fmt.width,
        signed=graph.output.fmt.signed,
        in_signed=graph.source.fmt.signed,
    )
