# SPDX-License-Identifier: Apache-2.0
"""Hardware that was chosen for a trained design goes into its TOML: the file that it was run from, or a new one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError
from tomlkit.items import InlineTable, Table

from codesign.core.section import CoreSection
from codesign.errors import ConfigError
from codesign.fit.options import layers_of
from codesign.fit.result import Fit, unroll_of
from codesign.flow.config import Design, DesignSection, load
from codesign.flow.convert import read_settings
from codesign.flow.manifest import read
from codesign.names import identifier
from codesign.outputs import write_text
from codesign.paths import BuildFolder
from codesign.records import build, plain
from codesign.stored import read_text
from codesign.synth.core_memory import sdram_clock
from codesign.synth.target import Target, core_of, load_target

HEADER = "Written by codesign fit; `codesign run` verifies it."
STAGES = (
    BuildFolder.MODEL,
    BuildFolder.GRAPH,
    BuildFolder.HLS,
    BuildFolder.RTL,
    BuildFolder.CSIM,
    BuildFolder.RTLSIM,
    BuildFolder.COMPILED,
    BuildFolder.SYNTH,
    BuildFolder.REPORT,
)
_CHOSEN = ("cycles", "multipliers")
"""Keys of ``[hardware]`` that choose PE and unroll, which are given now."""


def check_design(path: Path, name: str) -> None:
    """Check that a file to write to is not there, or is the design of this name.

    Raises:
        ConfigError: it is another one, or no design.
    """
    if not path.exists():
        return
    found = load(path).design.name
    if found != name:
        raise ConfigError(
            "another design is there",
            where=f"--write {path}",
            expected=f'a design with name = "{name}", or a new file',
            received=f'"{found}"',
            fix="name a new file",
        )


def write_hardware(found: Fit, folder: Path, path: Path) -> None:
    """Write PE, unroll and P of ``found`` into the design at ``path``; a new file gets everything else as it was run.

    folder: build folder of the design, with a finished ``2_graph``. What else stands in an existing file stays, with
    its comments.

    Raises:
        ConfigError: ``path`` is another design, or a layer cannot be set.
        OutputError: it cannot be written.
    """
    check_design(path, found.graph.name)
    text = read_text(path) if path.exists() else _as_run(folder, path)
    try:
        document = tomlkit.parse(text.removeprefix("\ufeff"))
    except ParseError as error:
        raise ConfigError("not TOML", where=str(path), received=str(error)) from None
    _set_hardware(document, found, _names(folder))
    made = tomlkit.dumps(document)
    build(Design, tomlkit.parse(made).unwrap(), where="", folder=path.resolve().parent)
    write_text(path, made)


def _set_hardware(document: tomlkit.TOMLDocument, found: Fit, names: Mapping[str, str]) -> None:
    """Set ``[hardware]``."""
    hardware = document.setdefault("hardware", tomlkit.table())
    if found.architecture == "core":
        hardware["architecture"] = "core"
        document["core"] = core_table(load_target(found.target))
        return
    for key in _CHOSEN:
        hardware.pop(key, None)
    if hardware.get("architecture") == "core":
        del hardware["architecture"]
        document.pop("core", None)
    hardware["p"] = found.graph.source.lanes
    layers = hardware.setdefault("layer", tomlkit.table())
    for group in layers_of(found.graph):
        name = group[-1].name
        if name not in names:
            raise ConfigError(
                "this layer has no key in a design",
                where=f"hardware.layer.{name}",
                expected=f"one of {', '.join(names.values())}",
                fix="leave --write out, and set PE where the layer is made",
            )
        _set_layer(layers, names[name], group[-1].pe, unroll_of(group[-1]) if len(group) == 1 else (1, 1))


def core_table(board: Target) -> dict[str, int | str | list[float]]:
    """Return ``[core]``: that of the board, but for depths that are always what the network needs."""
    clock, sdram = board.clock.of_delta_core, sdram_clock(board, board.clock.of_delta_core)
    given = {**dataclasses.asdict(core_of(board)), "memory": "sdram" if board.sdram else "ddr"}
    given["clocks_mhz"] = [] if sdram is None else [clock, sdram]
    return {key: given[key] for key, usual in plain(CoreSection()).items() if given[key] != usual}


def _set_layer(layers: Any, name: str, pe: int, unroll: tuple[int, int]) -> None:
    entry = layers.get(name)
    if not isinstance(entry, Table | InlineTable):
        entry = tomlkit.inline_table()
        layers[name] = entry
    entry.pop("taps", None)
    entry["pe"] = pe
    if unroll == (1, 1):
        entry.pop("unroll", None)
    else:
        entry["unroll"] = list(unroll)


def _names(folder: Path) -> dict[str, str]:
    """Return the key of each layer in ``[hardware.layer]``, by the name of its engine."""
    settings = read_settings(folder / BuildFolder.GRAPH)
    return {identifier(name): name for name in settings["hls_config"]["LayerName"]}


def _as_run(folder: Path, path: Path) -> str:
    """Return the TOML text of a design as the manifests of its stages have it, without what is set by default."""
    sections: dict[str, dict[str, Any]] = {}
    for stage in STAGES:
        done = read(folder / stage)
        for key, value in (done.inputs.config if done else {}).items():
            section, _, name = key.partition(".")
            if name and " " not in name:
                sections.setdefault(section, {})[name] = value
    if not sections.get("design", {}).get("name"):
        raise ConfigError("the design is not known", where=str(folder), fix="run `codesign run` on its TOML")
    document = tomlkit.document()
    document.add(tomlkit.comment(HEADER))
    usuals = plain(Design(design=DesignSection(name=sections["design"]["name"])))
    for section, usual in usuals.items():
        values = {
            key: _relative(value, path) if key == "path" else value
            for key, value in sections.get(section, {}).items()
            if value is not None and (value != usual.get(key) or key == "name")
        }
        if values:
            document.add(tomlkit.nl())
            document.add(section, tomlkit.item(_without_none(values)))
    return tomlkit.dumps(document)


def _relative(value: str, path: Path) -> str:
    return Path(os.path.relpath(Path(value).resolve(), path.resolve().parent)).as_posix()


def _without_none(value: Any) -> Any:
    """Return a value without keys that are not set: TOML has no word for that."""
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value
