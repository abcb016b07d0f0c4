# SPDX-License-Identifier: Apache-2.0
"""An hls4ml model through an HLS compiler, into a simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codesign.hls.compilers import compile_source, find
from codesign.hls.simulate import simulator
from codesign.hls4ml_plugin.writer.streaming import stream_source


def hls_simulator(model: Any, tool: str | None) -> tuple[Any, str]:
    """Return the simulator of what a compiler made of ``model``, and that compiler's name and version.

    It is compiled on first use, under ``<output_dir>/hls_sim``, for the model's clock.

    Raises:
        ConfigError, ToolNotFoundError, SynthesisError: see `codesign.hls.compilers`.
    """
    compiler = find(tool)
    made = model.__dict__.setdefault("hls_simulators", {})
    if compiler.name not in made:
        source, folder = stream_source(model, compiler.most_bits), Path(model.config.get_output_dir()) / "hls_sim"
        clock_mhz = 1000 / float(model.config.get_config_value("ClockPeriod"))
        core = compile_source(source, folder / compiler.name, compiler=compiler, clock_mhz=clock_mhz)
        made[compiler.name] = (simulator(core, source, folder), core.compiler)
    found: tuple[Any, str] = made[compiler.name]
    return found
