# SPDX-License-Identifier: Apache-2.0
"""From the trained Keras model to an hls4ml model of backend Delta, and its csim library."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import codesign.hls4ml_plugin  # noqa: F401  (hls4ml finds it by entry point; named here so that its code counts as an input)
from codesign.errors import ConfigError, ConversionWarning, StageError
from codesign.names import plain_setting
from codesign.paths import BuildFolder
from codesign.stored import anew, load_json
from codesign.suggest import did_you_mean
from codesign.training import load_model

if TYPE_CHECKING:
    from codesign.flow.config import Design
    from codesign.flow.stage import Job

SETTINGS = "hls4ml.json"
_SETTINGS = ("hls_config", "io_type", "project_name")


def settings(design: Design, model: Any, shares: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Return the arguments of hls4ml's ``convert_from_keras_model`` for ``model``, plain JSON.

    Args:
        design: the design.
        model: its Keras model.
        shares: share of the inputs of each engine that change in a frame, for a target in cycles; None: without one.

    Raises:
        ConfigError: ``[hardware.layer.x]`` names no layer of the model.
    """
    import hls4ml

    from codesign.layers.activation import input_format

    hardware = design.hardware
    config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Delta")
    chosen = {"PE": hardware.pe} if shares is None else {**hardware.target, "Activity": dict(shares)}
    config["Model"] |= {"Strategy": hardware.strategy, "P": hardware.p, **chosen}
    config["LayerName"][model.inputs[0].name]["Precision"] = {"result": input_format(model).ap()}
    for name, layer in hardware.layer.items():
        if name not in config["LayerName"]:
            raise ConfigError(
                f"no layer called {name!r}",
                where=f"hardware.layer.{name}",
                expected=f"one of {', '.join(config['LayerName'])}",
                fix=did_you_mean(name, config["LayerName"]),
            )
        if layer.pe is not None:
            config["LayerName"][name]["PE"] = layer.pe
        if layer.unroll:
            config["LayerName"][name]["Unroll"] = list(layer.unroll)
    values = (config, hardware.io_type, design.design.name)
    return dict(zip(_SETTINGS, values, strict=True))


def convert(model: Any, arguments: dict[str, Any], output_dir: Path) -> Any:
    """Return the hls4ml ModelGraph; nothing is written yet.

    That float32 would be inexact is not said: wherever the flow compares Keras, it computes in float64.
    """
    import hls4ml

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*more than float32's", ConversionWarning)
        return hls4ml.converters.convert_from_keras_model(
            model, backend="Delta", output_dir=str(output_dir), **arguments
        )


def finished_model(job: Job, output_dir: Path) -> Any:
    """Return the ModelGraph of the design, from the outputs of stages 1_model and 2_graph."""
    model = job.remember("keras", lambda: load_model(job.upstream[BuildFolder.MODEL]))
    return convert(model, read_settings(job.upstream[BuildFolder.GRAPH]), output_dir)


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what stage 2_graph wrote of `settings`: words and numbers only, as they become C++ and Tcl.

    Raises:
        StageError: the file is missing, damaged, or holds something else.
    """
    path = folder / SETTINGS
    found = load_json(path)
    keys = {"hls_config": dict, "io_type": str, "project_name": str}
    if not isinstance(found, dict) or not all(isinstance(found.get(key), kind) for key, kind in keys.items()):
        raise StageError("does not hold what it should", where=str(path), expected=f"an object with {', '.join(keys)}")
    odd = next((text for text in _texts(found) if not plain_setting(text)), None)
    if odd is not None:
        raise StageError(
            "does not hold what it should",
            where=str(path),
            expected="plain words and numbers",
            received=repr(odd[:60]),
            fix=f"make it anew: `{anew(folder)}`",
        )
    return {key: found[key] for key in keys}


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def compile_csim(model: Any, project: Path, folder: Path) -> None:
    """Compile the C++ of ``model`` and link it into ``model``; the log goes into ``folder``.

    It is written anew, and nothing is compiled if ``project``, which stage 3_hls wrote, is not the same: what runs is
    exactly what that stage wrote, and nothing that was put there later.

    Raises:
        StageError: ``project`` has other sources.
        ToolNotFoundError, SimulationError: see `codesign.hls4ml_plugin.library.compile_project`.
    """
    from codesign.hls4ml_plugin import library

    fresh = library.fresh_project(model)
    library.check_same_sources(fresh, project)
    library.link(model, fresh, folder / library.LOG)
