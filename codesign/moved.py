# SPDX-License-Identifier: Apache-2.0
"""Modules under their old names, for one version: importing one warns, and gives what is at the new place."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "board": "host",
    "flow.again": "commands.report",
    "flow.agree": "verify.compare",
    "flow.graph_file": "graph.file",
    "flow.hls_on_board": "commands.build_hls",
    "flow.measure": "commands.measure",
    "flow.on_board": "commands.build",
    "flow.records": "records",
    "flow.simulate": "verify.hardware",
    "flow.sources": "sources",
    "flow.stimulus": "verify.clips",
    "golden": "graph.golden",
    "graph.from_hls": "hls4ml_plugin.reader.builder",
    "graph.hls_activations": "hls4ml_plugin.reader.activations",
    "graph.hls_between": "hls4ml_plugin.reader.between",
    "graph.hls_config": "hls4ml_plugin.reader.config",
    "graph.hls_linear": "hls4ml_plugin.reader.linear",
    "graph.hls_nodes": "hls4ml_plugin.reader.nodes",
    "health": "commands.doctor",
    "hls4ml_plugin.bridge": "hls4ml_plugin.reader.bridge",
    "hls4ml_plugin.layers": "hls4ml_plugin.writer.layers",
    "hls4ml_plugin.lower": "hls4ml_plugin.writer.lower",
    "hls4ml_plugin.templates": "hls4ml_plugin.writer.templates",
    "layers.stream": "layers.streaming",
    "report.spread": "report.percentiles",
    "rtl.memories": "rtl.roms",
    "rtl.emit": "rtl.project",
    "synth.board": "synth.target",
    "synth.board_build": "synth.record",
    "synth.chain": "synth.toolchains.toolchain",
    "synth.chains": "synth.toolchains.registry",
    "synth.ecp5": "synth.toolchains.ecp5",
    "synth.gowin": "synth.toolchains.gowin",
    "synth.ice40": "synth.toolchains.ice40",
    "synth.pads": "synth.board_top",
    "synth.vendor.on_board": "synth.toolchains.vivado",
}
"""Old name -> new name, without ``codesign.``; a package's modules moved with it."""


def new_name(old: str) -> str | None:
    """Return where a module of the package is now, by its full old name; None if it never moved."""
    name = old.removeprefix("codesign.")
    package, _, module = name.rpartition(".")
    if name not in MOVED and package in MOVED:
        return f"codesign.{MOVED[package]}.{module}"
    return f"codesign.{MOVED[name]}" if name in MOVED else None


class Finder(MetaPathFinder, Loader):
    """Finds modules under their old names, after every other finder has given up."""

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Return how to load ``fullname``, or None if it is not an old name."""
        if not fullname.startswith("codesign.") or new_name(fullname) is None:
            return None
        return ModuleSpec(fullname, self, is_package=fullname.removeprefix("codesign.") in MOVED)

    def exec_module(self, module: ModuleType) -> None:
        """Fill ``module`` with the names of the one that took its place."""
        new = new_name(module.__name__)
        assert new is not None, "find_spec found it"
        warnings.warn(f"{module.__name__} is now {new}; the old name goes away in 0.3", DeprecationWarning, 2)
        found = import_module(new)
        vars(module).update({name: value for name, value in vars(found).items() if not name.startswith("__")})
        name = module.__name__.rpartition(".")[2]
        if callable(same := getattr(found, name, None)):  # it takes the place of a function of the package
            module.__class__ = type(name, (ModuleType,), {"__call__": staticmethod(same)})


def install() -> None:
    """Let old names be imported."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
