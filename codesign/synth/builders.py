# SPDX-License-Identifier: Apache-2.0
"""``model.build(synth=...)``: Yosys on the RTL, Vivado on the RTL, Vitis HLS on the HLS project.

Each returns the figures of `codesign.synth.Resources` as a dict; the vendor's tools add what else they know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codesign.rtl.project import emit, top_spec
from codesign.synth.vendor import vitis as vitis_tool


def yosys(model: Any, target: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Synthesise the RTL with Yosys for ``target`` ('ecp5' unless set) and return the resources."""
    from codesign.synth import synthesise_graph

    folder = Path(model.config.get_output_dir()) / "synth"
    return asdict(synthesise_graph(model.delta_graph, target=target or "ecp5", folder=folder, **options))


def vivado(model: Any, target: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Synthesise, place and route the RTL out of context with Vivado in ``<output_dir>/vivado``.

    target: a part; None: the model's. options: clock_mhz, skip, jobs and timeout_s of `codesign.synth.vendor.vivado`.
    Returns: the routed resources, and ``synthesised``, ``layers`` {name: resources} and ``timing``.
    """
    from codesign.synth.vendor import vivado as tool
    from codesign.synth.vendor.vivado_utilisation import by_layer, layer_of

    graph, name = model.delta_graph, target or model.config.get_config_value("Part")
    timeout_s = options.pop("timeout_s", tool.TIMEOUT_S)
    clock_mhz = options.pop("clock_mhz", 1000 / float(model.config.get_config_value("ClockPeriod")))
    part = tool.Part(target=name, part=name)
    project = tool.out_of_context(emit(graph), top_spec(graph).module, part=part, clock_mhz=clock_mhz, **options)
    made = tool.build(project, Path(model.config.get_output_dir()) / "vivado", timeout_s=timeout_s)
    layers = by_layer(made.instances, lambda instance: layer_of(instance, [node.name for node in graph.nodes]))
    return asdict(made.routed) | {
        "synthesised": asdict(made.synthesised),
        "layers": {layer: asdict(item) for layer, item in layers.items()},
        "timing": asdict(made.timing) | {"met": made.timing.met},
    }


def vitis(model: Any, target: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Synthesise the HLS project with Vitis HLS and export it as an IP.

    target: a part; None: the model's. options: ``timeout_s``, ``clock_mhz``, and hls4ml's steps, such as csim=True.
    Returns: the estimated resources, ``top`` and ``layers``, see `codesign.synth.vendor.vitis.figures`.
    """
    folder = Path(model.config.get_output_dir())
    known = {key: options.pop(key) for key in ("timeout_s", "clock_mhz") if key in options}
    report = vitis_tool.build(folder, part=target, steps=options, **known)
    return vitis_tool.figures(report, vitis_tool.layer_names(folder), target=report.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """A tool of ``model.build(synth=...)``.

    Attributes:
        run: function of the hls4ml model, the target and the options, to the figures as a dict.
        options: names that it takes.
    """

    run: Callable[[Any, str | None, dict[str, Any]], dict[str, Any]]
    options: tuple[str, ...]


BUILDERS = {
    "yosys": Builder(run=yosys, options=("skip", "timeout_s")),
    "vivado": Builder(run=vivado, options=("clock_mhz", "skip", "jobs", "timeout_s")),
    "vitis": Builder(run=vitis, options=(*vitis_tool.STEPS, "timeout_s", "clock_mhz")),
}
"""Every tool by its name."""
