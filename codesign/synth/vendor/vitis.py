# SPDX-License-Identifier: Apache-2.0
"""Vitis HLS on the HLS project. The script is hls4ml's own ``build_prj.tcl``; its settings are written here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codesign import tools
from codesign.errors import ConfigError, SynthesisError
from codesign.synth.vendor.csynth import HlsReport, read_csynth
from codesign.synth.vendor.scripts import tcl

TIMEOUT_S = 6 * 3600.0
SCRIPT, PROJECT, OPTIONS = "build_prj.tcl", "project.tcl", "build_opt.tcl"
LOG = "vitis_hls.log"
COMMANDS = (("vitis-run", "--mode", "hls", "--tcl"), ("vitis_hls", "-f"))
"""How the tool is called since 2023.2, and before; a script follows."""
STEPS = {
    "reset": True,
    "csim": False,
    "synth": True,
    "cosim": False,
    "validation": False,
    "export": True,
    "vsynth": False,
    "fifo_opt": False,
}
"""hls4ml's steps, and which of them run unless asked otherwise: synthesis, and the IP for Vivado's catalogue."""


def build(
    project: Path,
    *,
    part: str | None = None,
    clock_mhz: float | None = None,
    steps: Mapping[str, bool] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> HlsReport:
    """Synthesise the HLS project in the folder ``project``, as ``write()`` leaves it, and return what Vitis estimates.

    part, clock_mhz: replace the project's own. steps: changes `STEPS`, such as ``{"csim": True}``.
    Leaves: ``<name>_prj/solution1`` with the RTL, the reports and ``impl/ip``; ``vitis_hls.log``.
    Raises: ConfigError for an unknown step or a folder without a project; ToolNotFoundError after the settings are
    written; SynthesisError with the end of the log.
    """
    unknown = sorted((steps or {}).keys() - STEPS.keys())
    if unknown:
        raise ConfigError("unknown step of Vitis HLS", expected=", ".join(STEPS), received=unknown[0])
    settings = _read(project / PROJECT)
    name = re.search(r'^set project_name "(\w+)"$', settings, re.MULTILINE)
    if name is None:
        raise ConfigError("hls4ml's project has no name", where=str(project / PROJECT), fix="write() the model again")
    if part is not None:
        settings = _replace(settings, "part", f'"{part}"', project)
    if clock_mhz is not None:
        settings = _replace(settings, "clock_period", tcl(1000 / clock_mhz), project)
    (project / PROJECT).write_text(settings, encoding="utf-8")
    chosen = STEPS | dict(steps or {})
    options = "".join(f"    {step:10} {int(on)}\n" for step, on in chosen.items())
    (project / OPTIONS).write_text(f"array set opt {{\n{options}}}\n", encoding="utf-8")
    report = project / f"{name[1]}_prj" / "solution1" / "syn" / "report" / "csynth.xml"
    report.unlink(missing_ok=True)  # nothing of an older run outlives a failure
    tools.run(argv(SCRIPT), project, project / LOG, timeout_s, error=SynthesisError)
    return read_csynth(report)


def missing() -> str | None:
    """Return the program to look for where Vitis HLS is not on PATH; None where it is."""
    return None if _command() else COMMANDS[0][0]


def argv(script: str) -> tuple[str, ...]:
    """Return how Vitis HLS runs a script: as it is called here, or by its newest name where it is not on PATH."""
    return (*(_command() or COMMANDS[0]), script)


def _command() -> tuple[str, ...] | None:
    """Return how Vitis HLS is called here, None if it is not on PATH."""
    path = tools.environment()["PATH"]
    return next((command for command in COMMANDS if shutil.which(command[0], path=path)), None)


def layer_names(project: Path) -> dict[str, str]:
    """Return {name of a config struct: layer}, as the project's C++ calls its layers: ``config5`` -> ``conv2``."""
    name = re.search(r'^set project_name "(\w+)"$', _read(project / PROJECT), re.MULTILINE)
    source = _read(project / "firmware" / f"{name[1]}.cpp") if name else ""
    return dict(re.findall(r"(config\w+)>\(.*\);\s*// (\w+)$", source, re.MULTILINE))


def layer_of(module: str, names: Mapping[str, str]) -> str | None:
    """Return the layer whose config struct ends the name that Vitis HLS gave a function; None if none does.

    names: as `layer_names` returns them. hls4ml has names cut off at 80 characters, so a struct can be lost.
    """
    return next((layer for name, layer in names.items() if re.search(rf"_{name}(_s|_\d+)?$", module)), None)


def figures(report: HlsReport, names: Mapping[str, str], *, target: str) -> dict[str, Any]:
    """Return a report as plain data: the fields of `Resources`, ``top``, and ``layers`` {name: HlsModule}.

    names: as `layer_names` returns them. A module of no layer stands under its own name.
    """
    layers = {layer_of(module.name, names) or module.name: asdict(module) for module in report.children}
    return asdict(report.resources(target)) | {"top": asdict(report.top), "layers": layers}


def _replace(settings: str, name: str, value: str, project: Path) -> str:
    """Return hls4ml's settings with another value of one of them."""
    changed, count = re.subn(rf"^set {name} .*$", lambda _: f"set {name} {value}", settings, flags=re.MULTILINE)
    if count != 1:
        raise ConfigError(
            "hls4ml wrote something else than this version knows",
            where=str(project / PROJECT),
            expected=f"one line 'set {name} ...'",
            received=f"{count} lines",
            fix="install hls4ml 1.3",
        )
    return changed


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as failure:
        raise ConfigError(
            "this is no HLS project", where=str(path), received=repr(failure), fix="write() the model first"
        ) from failure
