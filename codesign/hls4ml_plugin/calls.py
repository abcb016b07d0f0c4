# SPDX-License-Identifier: Apache-2.0
"""The arguments that users of hls4ml give to a conversion, to ``predict`` and to ``build``: none is ignored."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from pkgutil import resolve_name
from types import FrameType
from typing import Any

import numpy as np

from codesign.errors import ConfigError
from codesign.outputs import check_folder
from codesign.suggest import did_you_mean

IO_TYPES = ("io_parallel", "io_stream")
SIMULATIONS = ("csim", "rtl", "hls")
BUILDERS = "codesign.synth.builders:BUILDERS"
"""Module that registers the synthesis tools of ``build``; imported when it is called, as conversion needs none."""


def check_settings(settings: Mapping[str, Any], create: Callable[..., Any]) -> None:
    """Check the settings of a conversion, which hls4ml passes on to a backend's ``create_initial_config``.

    Raises:
        ConfigError: one that ``create`` does not have and would ignore, or an unknown io_type.
    """
    given = inspect.signature(create).parameters.values()
    known = [item.name for item in given if item.kind is not inspect.Parameter.VAR_KEYWORD]
    # hls4ml.converters.convert_from_keras_model takes these itself
    ours = ("output_dir", "project_name", "input_data_tb", "output_data_tb", "hls_config", "bit_exact")
    _check_names(settings, (*known, *ours), "convert_from_keras_model()")
    io_type = settings.get("io_type")
    if io_type is not None and io_type not in IO_TYPES:
        raise ConfigError(
            "unknown io_type",
            where="convert_from_keras_model()",
            expected=" or ".join(map(repr, IO_TYPES)),
            received=repr(io_type),
            fix=did_you_mean(str(io_type), IO_TYPES) or "leave it out for 'io_parallel'",
        )


def output_folder(given: Any) -> str:
    """Return the ``output_dir`` of a conversion, which may be a `pathlib.Path`, as hls4ml takes it.

    Raises:
        ConfigError: no path, or nothing can be written there.
    """
    if not isinstance(given, str | PathLike) or not str(given):
        raise ConfigError(
            "not a folder",
            where="convert_from_keras_model(output_dir=...)",
            expected="a path",
            received=repr(given),
            fix="name a folder, such as 'prj'",
        )
    check_folder(Path(given), "output_dir")
    return str(given)


def hls_config_of_caller() -> Any:
    """Return the ``hls_config`` that a converter of hls4ml was called with; None if no converter is running.

    A converter drops the sections that it does not know before any backend sees the config, and what it keeps can fail
    inside of hls4ml; its argument is still on the stack.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == "hls4ml.converters" and "hls_config" in frame.f_locals:
            return frame.f_locals["hls_config"]
        frame = frame.f_back
    return None


def check_predict(sim: Any, skip: Any, logits: Any, hls_tool: Any, unknown: Mapping[str, Any]) -> None:
    """Check the arguments of ``predict``.

    Raises:
        ConfigError: one is unknown, or has a value that it cannot have.
    """
    _check_names(unknown, ("sim", "skip", "logits", "hls_tool"), "predict()")
    if sim not in SIMULATIONS:
        fix = did_you_mean(str(sim), SIMULATIONS) or "leave it out for the compiled HLS C++, or use sim='rtl'"
        raise ConfigError(
            "unknown simulation", where="predict()", expected="'csim', 'rtl' or 'hls'", received=repr(sim), fix=fix
        )
    if hls_tool is not None and sim != "hls":
        raise ConfigError(
            "only sim='hls' has an HLS compiler",
            where="predict()",
            expected="hls_tool together with sim='hls'",
            received=f"hls_tool={hls_tool!r} with sim={sim!r}",
            fix="leave hls_tool out",
        )
    for name, value in (("skip", skip), ("logits", logits)):
        if not isinstance(value, bool | np.bool_ | None):
            raise ConfigError(
                f"{name} is no flag", where="predict()", expected="True or False", received=repr(value), fix="use one"
            )
    if skip is not None and not skip and sim != "rtl":
        raise ConfigError(
            "only the RTL can be run without skipping",
            where="predict()",
            expected="skip=False together with sim='rtl'",
            received=f"skip=False with sim={sim!r}",
            fix="call predict(x, sim='rtl', skip=False), or leave skip out: the outputs are the same",
        )


def builder(synth: Any, options: Mapping[str, Any]) -> Any:
    """Return the registered `codesign.synth.builders.Builder` that the arguments of ``build`` ask for.

    Raises:
        ConfigError: an unknown tool, or an option that it does not have.
    """
    builders = resolve_name(BUILDERS)
    if synth not in builders:
        raise ConfigError(
            "unknown synthesis tool",
            where="build()",
            expected=f"one of {', '.join(map(repr, sorted(builders)))}",
            received=repr(synth),
            fix=did_you_mean(str(synth), builders) or "use 'yosys', which needs no vendor's tool",
        )
    tools = {name: item.options for name, item in builders.items()}
    others = {name: tool for tool, names in tools.items() for name in names}
    for name in options:
        if name not in tools[synth]:
            fix = f"use build(synth={others[name]!r}, {name}=...)" if name in others else None
            _check_names([name], ("synth", "target", *tools[synth]), f"build(synth={synth!r})", fix=fix)
    return builders[synth]


def _check_names(given: Iterable[str], known: Iterable[str], where: str, *, fix: str | None = None) -> None:
    for name in given:
        if name not in known:
            raise ConfigError(
                f"unknown argument {name!r}",
                where=where,
                expected=f"one of {', '.join(known)}",
                received=repr(name),
                fix=fix or did_you_mean(name, known) or f"leave {name} out",
            )
