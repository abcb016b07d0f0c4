# SPDX-License-Identifier: Apache-2.0
"""The user's target in an hls4ml config: Cycles, Multipliers and Activity of the whole model give PE and Unroll."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

from codesign.errors import ConfigError, ConversionWarning
from codesign.graph.balance import Activity, balance, loads, summary
from codesign.graph.ir import Graph
from codesign.hls4ml_plugin.reader import config as hls_config
from codesign.names import identifier
from codesign.suggest import did_you_mean

BALANCED = "balanced"


def with_target(model: Any, graph: Graph) -> Graph:
    """Return ``graph`` with the PE and unroll that the target of the whole model asks for; as it is without one.

    What a layer sets itself stays.

    Raises:
        ConfigError: a value that is none, PE of the whole model beside a target, or too few multipliers for it.

    Warns:
        ConversionWarning: a layer takes more cycles than the target whatever it is given; says what would help.
    """
    given = {key: hls_config.whole(model, key) for key in hls_config.TARGET}
    if all(value is None for value in given.values()):
        return graph
    cycles, most = _cycles(given["Cycles"]), _count("Multipliers", given["Multipliers"])
    activity = _activity(given["Activity"], graph)
    if given["Cycles"] is None and most is None:
        _refuse("Activity", given["Activity"], "Cycles or Multipliers beside it", "it has no effect without one")
    if hls_config.whole(model, "PE") is not None:
        _refuse(
            "PE", hls_config.whole(model, "PE"), "either PE or a target", "the target chooses the PE of every layer"
        )
    made = balance(graph, cycles=cycles, most=most, activity=activity, fixed=_fixed(model, graph))
    if cycles is not None:
        _warn(made, activity, cycles)
    return made


def _warn(graph: Graph, activity: Activity, cycles: int) -> None:
    """Warn if the target is not reached, and say by which layer."""
    if max(graph.source.beats, *(load.cycles for load in loads(graph, activity))) > cycles:
        message = f"{graph.name}: the target of {cycles:,} cycles is not reached with {summary(graph, activity)}"
        warnings.warn(message, ConversionWarning, stacklevel=4)


def _fixed(model: Any, graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return what layers set themselves, by the names of their engines; a pooling may have become several."""
    names = [node.name for node in graph.engines]
    found: dict[str, tuple[str, ...]] = {}
    for layer in model.graph.values():
        own = tuple(key.lower() for key in ("PE", "Unroll") if hls_config.entry_of(model, layer, key) is not None)
        base = identifier(layer.name)
        found |= {name: own for name in names if own and (name == base or name.startswith(f"{base}_stage"))}
    return found


def _cycles(given: Any) -> int | None:
    return None if given == BALANCED else _count("Cycles", given, f"{BALANCED!r}, or a positive integer")


def _count(key: str, given: Any, expected: str = "a positive integer") -> int | None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        _refuse(key, given, expected, None)
    return given


def _activity(given: Any, graph: Graph) -> Activity:
    if given is None:
        return 1.0
    if not isinstance(given, Mapping):
        return _share(given)
    names = [node.name for node in graph.engines]
    for name in given:
        if name not in names:
            near = did_you_mean(str(name), names)
            _refuse("Activity", name, f"one of {', '.join(names)}", near, f"[{name!r}]")
    return {name: _share(share, f"[{name!r}]") for name, share in given.items()}


def _share(given: Any, inside: str = "") -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        _refuse("Activity", given, "a share of the inputs that change, 0 to 1", None, inside)
    return float(given)


def _refuse(key: str, given: Any, expected: str, fix: str | None, inside: str = "") -> NoReturn:
    raise ConfigError(
        "not what a target of the whole model is",
        where=f"config['Model'][{key!r}]{inside}",
        expected=expected,
        received=repr(given),
        fix=fix or "correct it, or remove it",
    )
