# SPDX-License-Identifier: Apache-2.0
"""`calibrate`: from a float model and clips to the delta network that skips most and still answers the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.calibration.agreement import TOLERANCE, FloatAgreement, Judge, decides
from codesign.calibration.evaluate import float_outputs, pixel_values
from codesign.calibration.forward import Forward
from codesign.errors import ConfigError
from codesign.layers.replace import delta

WIDTHS = ((8, 8), (8, 10), (10, 10), (12, 12))
"""Bits of weights and activations that are tried, in order."""
HOLDS = (None, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
"""Holds that are tried, in order."""
AHEAD = 3
"""So many of them are looked at where the next ones save nothing: with whole codes, a hold of 1 is none."""
LEAST = 0.01
"""A round that saves less than this share of the work that is left is the last."""
TRIED_FRAMES = 60
"""Frames on which single layers are tried; all are used to decide."""
Show = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerHold:
    """What was chosen for one activation.

    Attributes:
        name: name of the activation.
        hold: its hold in steps; None for memoryless.
        bits: bits of a code.
        step: value of a step.
    """

    name: str
    hold: float | None
    bits: int
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWork:
    """What a layer with weights computes.

    Attributes:
        name: name of the layer.
        macs: multiply-accumulates of a frame.
        skipped: share of them that is skipped.
    """

    name: str
    macs: float
    skipped: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A calibrated delta network.

    Attributes:
        network: delta network of one frame, as `codesign.layers.delta` makes it, with its holds.
        agreement: on the clips, with the holds.
        memoryless: the same without holds.
        weight_bits: bits of the weights.
        activation_bits: bits of the activations.
        operation_sparsity: share of the multiply-accumulates that is skipped, first frames left out.
        memoryless_sparsity: the same without holds.
        activations: what was chosen, in order.
        layers: what it costs, in order.
    """

    network: Any
    agreement: FloatAgreement
    memoryless: FloatAgreement
    weight_bits: int
    activation_bits: int
    operation_sparsity: float
    memoryless_sparsity: float
    activations: tuple[LayerHold, ...]
    layers: tuple[LayerWork, ...]


def calibrate(
    model: Any,
    clips: NDArray[np.uint8],
    *,
    input_range: tuple[float, float],
    agreement: float = 0.99,
    tolerance: float = TOLERANCE,
    show: Show = lambda *_: None,
) -> Calibration:
    """Return ``model`` as the delta network with the fewest MACs that agrees with it; nothing is trained.

    First the fewest bits of `WIDTHS` are taken with which the memoryless network agrees; half of the share that may
    differ is left to the holds. Then, from memoryless on, the holds of those activations are raised that save most
    multiply-accumulates for what they change in the outputs, until none can be raised any more. Half of the share that
    may differ is kept for clips that were not seen.

    Args:
        model: float Keras model of one frame.
        clips: pixels, ``[N, T >= 2, H, W, C]``, consecutive frames.
        input_range: what the model was trained to read for pixels of 0 and of 255.
        agreement: share of the frames in which the answer is to be the same, see `FloatAgreement`.
        tolerance: of a model that gives numbers, and not the answer that its largest output is: see `TOLERANCE`.
        show: called with the share that is done, and a few words.

    Raises:
        ConfigError: no setting agrees: names the best one and the layer in the way; or an argument of `delta`.
    """
    wanted = float_outputs(model, clips, input_range)
    judge = Judge(wanted=wanted, decides=decides(model), tolerance=tolerance)
    goal = 1 - (1 - agreement) / 2
    best: tuple[FloatAgreement, Forward, Any, tuple[int, int]] | None = None
    for number, (weight_bits, activation_bits) in enumerate(WIDTHS):
        show(0.05 * number, f"{weight_bits}-bit weights, {activation_bits}-bit activations")
        network = delta(
            model,
            weight_bits=weight_bits,
            activation_bits=activation_bits,
            step="fixed",
            clips=clips,
            input_range=input_range,
        )
        forward = Forward(network, pixel_values(network, clips))
        found = judge.judge(forward.result.outputs)
        if best is None or found.decisions > best[0].decisions:
            best = found, forward, network, (weight_bits, activation_bits)
        if found.decisions >= goal:
            break
    assert best is not None
    memoryless, forward, network, bits = best
    if memoryless.decisions < agreement:
        raise _unreached(memoryless, forward, judge, bits, agreement)
    result = forward.result
    sparsity = 1 - result.work / forward.total
    tried = _tried(network, clips)
    raise_holds(forward, tried, judge, min(goal, memoryless.decisions), show)
    result = forward.result
    count = len(clips) * (clips.shape[1] - 1)
    return Calibration(
        network=with_holds(network, forward.base),
        agreement=judge.judge(result.outputs),
        memoryless=memoryless,
        weight_bits=bits[0],
        activation_bits=bits[1],
        operation_sparsity=1 - result.work / forward.total,
        memoryless_sparsity=sparsity,
        activations=tuple(_chosen(network.get_layer(name), hold) for name, hold in forward.base.items()),
        layers=tuple(
            LayerWork(name=name, macs=macs / count, skipped=1 - result.macs[name] / macs)
            for name, macs in forward.macs_of_all.items()
        ),
    )


def raise_holds(forward: Forward, tried: Forward, judge: Judge, goal: float, show: Show) -> None:
    """Raise holds of ``forward`` while its outputs agree in a share of at least ``goal``.

    Each round tries the next hold of every activation alone on the frames of ``tried``, and takes a quarter of them,
    those that save most multiply-accumulates for what they change; where the answers then differ too often, half as
    many, down to one, which is then not tried again.
    """
    level = dict.fromkeys(forward.activations, 0)
    reference = Judge(wanted=tried.result.outputs, decides=judge.decides, tolerance=judge.tolerance)
    open_, most = set(level), len(level)  # the first round takes all
    while open_:
        ranked = _ranked(tried, reference, {name: level[name] for name in forward.activations if name in open_})
        open_ &= set(ranked)
        before = forward.result.work
        names, count = list(ranked), min(len(ranked), most)
        while count:
            moves = {name: HOLDS[ranked[name]] for name in names[:count]}
            if judge.judge(forward.run(moves).outputs).decisions >= goal:
                forward.change(moves)
                tried.change(moves)
                level |= {name: ranked[name] for name in moves}
                break
            if count == 1:
                open_.discard(names[0])
            count //= 2
        if count and before - forward.result.work < LEAST * before:
            return
        most = max(1, min(-(-len(ranked) // 4), 2 * count))
        done = sum(level.values()) / (len(level) * (len(HOLDS) - 1))
        show(0.2 + 0.75 * done, f"{100 * (1 - forward.result.work / forward.total):.1f} % of the MACs skipped")


def _ranked(tried: Forward, reference: Judge, levels: Mapping[str, int]) -> dict[str, int]:
    """Return the next place in `HOLDS` at which each activation saves work, that which saves most for what it changes
    in the outputs first; one that saves nothing in the next `AHEAD` places is left out.
    """
    before, loss = tried.result.work, reference.loss(tried.result.outputs)
    worth: dict[str, tuple[float, int]] = {}
    for name, level in levels.items():
        for place in range(level + 1, min(level + 1 + AHEAD, len(HOLDS))):
            result = tried.run({name: HOLDS[place]})
            saved = before - result.work
            if saved > 0:
                worth[name] = saved / max(reference.loss(result.outputs) - loss, 1e-9), place
                break
    return {name: worth[name][1] for name in sorted(worth, key=lambda name: -worth[name][0])}


def with_holds(network: Any, holds: Mapping[str, float | None]) -> Any:
    """Return a copy of a delta network whose activations have other holds."""

    def copy(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config({**config, "hold": holds[layer.name]} if layer.name in holds else config)

    made = keras.models.clone_model(network, clone_function=copy)
    made.set_weights(network.get_weights())
    return made


def _tried(network: Any, clips: NDArray[np.uint8]) -> Forward:
    """Return the network on some of the clips."""
    count = max(1, min(len(clips), TRIED_FRAMES // clips.shape[1]))
    return Forward(network, pixel_values(network, clips[np.linspace(0, len(clips) - 1, count).astype(int)]))


def _chosen(layer: Any, hold: float | None) -> LayerHold:
    return LayerHold(name=layer.name, hold=hold, bits=layer.bits, step=layer.unit)


def _unreached(
    best: FloatAgreement, forward: Forward, judge: Judge, bits: tuple[int, int], agreement: float
) -> ConfigError:
    """Return the error that no setting agrees; the layer in the way is the one whose rounding costs most."""
    losses = {name: judge.loss(forward.plain(name)) for name in forward.activations}
    way = min(losses, key=lambda name: losses[name])
    return ConfigError(
        "no setting agrees with the float model as often as asked",
        where="agreement",
        expected=f"{agreement:g} of the answers",
        received=f"{best.decisions:.4f} on {best.frames} frames, memoryless, with {bits[0]}-bit weights and "
        f"{bits[1]}-bit activations; the rounding of {way!r} costs most",
        fix=f"ask for at most {max(0.0, best.decisions - 0.005):.3f}, or give clips like those it was trained with",
    )
