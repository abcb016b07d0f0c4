# SPDX-License-Identifier: Apache-2.0
"""`calibrate`: from a float model and clips to the delta network that skips most and still answers the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.calibration.agreement import TOLERANCE, FloatAgreement, Judge, decides
from codesign.calibration.evaluate import float_outputs, pixel_values
from codesign.calibration.forward import Forward, Hold, Result
from codesign.calibration.thresholds import Array, Show, find_thresholds
from codesign.errors import ConfigError
from codesign.layers.activation import DeltaActivation
from codesign.layers.arguments import LEAST_HOLD
from codesign.layers.calibrate import spread
from codesign.layers.correct import correct_biases
from codesign.layers.equalize import FULL, scalable
from codesign.layers.fold import fold_pixels
from codesign.layers.replace import delta

WIDTHS = ((8, 8), (8, 10), (10, 10), (10, 12), (12, 12))
"""Bits of weights and activations that are tried, in order."""
ROUNDED = 0.05
"""Share of the error that an agreement allows for rounding: thresholds are a few steps, and steps are to be small."""
HELD = 0.6
"""The same for holding; what is left is for frames that were not seen."""
IN_AN_OCTAVE = 5
"""Factors of all holds that are tried from one to its double."""
MOST_TRIED = 16
"""Factors that are tried in all: three octaves."""
OF_INPUT = tuple(2 ** (number / 3) for number in range(1, 10))
"""Further factors of the input's hold that are tried, in order."""
WORSE = 1.05
"""How much more there is to do when these end."""
PLANNED = 2**26
"""Values of activations on which thresholds are measured: about 250 MB, and as much for their slopes."""


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
    """Return ``model`` as the delta network with the least work that agrees with it; nothing is trained.

    First the fewest bits of `WIDTHS` are taken with which rounding has its share of the error, `ROUNDED`. Then every
    channel gets a threshold (see `codesign.calibration.thresholds`). Where channels can be scaled, those of a layer are
    so that one hold is right for all of them, which costs nothing; elsewhere one hold is the best for all. Last, the
    input's hold and those of all others get factors, those with which the network still agrees and has least to do
    (`Forward.left`). What differs is estimated for frames that were not seen (`Judge.expected`).

    Args:
        model: float Keras model of one frame.
        clips: pixels, ``[N, T >= 2, *frame]``, consecutive frames.
        input_range: what the model was trained to read for pixels of 0 and of 255.
        agreement: share of the frames in which the answer is to be the same, see `FloatAgreement`.
        tolerance: of a model that gives numbers, and not the answer that its largest output is: see `TOLERANCE`.
        show: called with the share that is done, and a few words.

    Raises:
        ConfigError: no setting agrees: names the best one and the layer in the way; or an argument of `delta`.
    """
    maker = _Maker(model, clips, input_range)
    judge = Judge(wanted=float_outputs(model, clips, input_range), decides=decides(model), tolerance=tolerance)
    best: tuple[float, Forward, NDArray[np.float32], tuple[int, int]] | None = None
    for number, bits in enumerate(WIDTHS):
        show(0.05 * number, f"{bits[0]}-bit weights, {bits[1]}-bit activations")
        forward = maker.forward(bits)
        outputs = forward.run().outputs
        error = judge.error(outputs)
        if best is None or error < best[0]:
            best = error, forward, outputs, bits
        if error <= ROUNDED * judge.room(agreement):
            break
    assert best is not None
    _, forward, outputs, bits = best
    memoryless = judge.judge(outputs)
    if memoryless.decisions < agreement:
        raise _unreached(memoryless, forward, judge, bits, agreement)
    goal = min(agreement, judge.expected(outputs))
    factors, holds = _planned(maker, forward, judge, goal, lambda share, words: show(0.2 + 0.5 * share, words))
    scaled = maker.forward(bits, factors)
    found = _largest(scaled, _in_steps_of(scaled, forward, holds), judge, goal, show) if factors else None
    if found is None:  # scaled, the network does not agree, or nothing can be scaled
        scaled, found = forward, _largest(forward, holds, judge, goal, show)
    chosen, result = found or (dict(forward.holds), forward.run())
    return _calibration(scaled, chosen, result, judge, bits)


class _Maker:
    """Makes delta networks of a model; biases of a float model are corrected."""

    def __init__(self, model: Any, clips: NDArray[np.uint8], input_range: tuple[float, float]) -> None:
        self.model, self.clips, self.input_range = model, clips, input_range
        folded = fold_pixels(model, *input_range)[0]
        self.scalable = scalable(folded)
        self.plain = not any(
            isinstance(layer, DeltaActivation) or type(layer).__name__.startswith("Q") for layer in folded.layers
        )

    def forward(self, bits: tuple[int, int], factors: Mapping[str, Array] | None = None) -> Forward:
        """Return the memoryless network with ``bits`` of weights and activations, channels scaled by ``factors``."""
        network = delta(
            self.model,
            weight_bits=bits[0],
            activation_bits=bits[1],
            step="fixed",
            clips=self.clips,
            input_range=self.input_range,
            equalized=True if factors is None else factors,
        )
        values = pixel_values(network, self.clips)
        if self.plain:
            frames = values.reshape(-1, *values.shape[2:])
            correct_biases(network, frames[spread(len(frames))])
        return Forward(network, values)


def _planned(
    maker: _Maker, forward: Forward, judge: Judge, goal: float, show: Show
) -> tuple[dict[str, Array], dict[str, float]]:
    """Return the factors of the channels, and the holds in steps of ``forward``, that are right after these."""
    count = max(1, int(PLANNED / sum(forward.sizes.values()) / forward.clips.shape[1]))
    places = spread(len(forward.clips), count)
    thresholds, top = find_thresholds(
        forward.on(count), judge.on(places), variance=HELD * judge.room(goal), own=maker.scalable, show=show
    )
    factors, holds = {}, {}
    for name, each in thresholds.items():
        unit, largest = forward.layers[name].unit, float((top[name] / each).max())
        if name in maker.scalable and largest > 0:
            full = FULL * unit * (forward.layers[name].hi + 1)  # what `equalize` scales the largest value to
            factors[name] = full / largest / each
            holds[name] = full / largest
        else:
            holds[name] = float(each.mean())
    return factors, holds


def _in_steps_of(scaled: Forward, forward: Forward, holds: Mapping[str, float]) -> dict[str, float]:
    """Return ``holds`` of ``forward`` in steps of ``scaled``, which may quantise other sums: those are memoryless."""
    return {
        name: holds[name] * forward.layers[name].unit / scaled.layers[name].unit
        for name in scaled.activations
        if name in holds
    }


def _largest(
    forward: Forward, holds: Mapping[str, float], judge: Judge, goal: float, show: Show
) -> tuple[dict[str, Hold], Result] | None:
    """Return ``holds`` times factors with which ``forward`` agrees and has least to do, and what it does; None if none.

    The factor goes up from 1 as long as it agrees, or else down until it does. Then the input's hold grows further, for
    as long as that pays, and the factor of the others shrinks until they agree again: pixels are many, and noise.
    """
    first = forward.activations[0]

    def tried(number: int, more: float = 1.0) -> tuple[float, dict[str, Hold], Result] | None:
        factor = 2 ** (number / IN_AN_OCTAVE)
        chosen: dict[str, Hold] = {name: max(LEAST_HOLD, factor * hold) for name, hold in holds.items()}
        chosen[first] = max(LEAST_HOLD, more * min(1.0, 2.0 * factor) * holds[first])
        result = forward.run(chosen)
        skipped = 100 * (1 - result.work / forward.total)
        show(0.7 + 0.03 * min(9.0, abs(number) + more), f"{skipped:.1f} % of the multiply-accumulates skipped")
        return (forward.left(result), chosen, result) if judge.expected(result.outputs) >= goal else None

    number, best = 0, tried(0)
    up = best is not None
    while abs(number) < MOST_TRIED and (best is None or up):
        now = tried(number + (1 if up else -1))
        if up and now is None:
            break
        number, best = number + (1 if up else -1), now
    if best is None:
        return None
    for more in OF_INPUT:
        while (now := tried(number, more)) is None and number > -2 * MOST_TRIED:
            number -= 1
        if now is None or now[0] > WORSE * best[0]:
            break
        best = min(best, now, key=lambda one: one[0])
    return best[1:]


def _calibration(
    forward: Forward, holds: Mapping[str, Hold], result: Result, judge: Judge, bits: tuple[int, int]
) -> Calibration:
    """Return what was found, and what it comes to."""
    network = with_holds(forward.network, holds)
    plain = forward.run(dict.fromkeys(forward.activations))
    count = len(forward.clips) * (forward.clips.shape[1] - 1)
    return Calibration(
        network=network,
        agreement=judge.judge(result.outputs),
        memoryless=judge.judge(plain.outputs),
        weight_bits=bits[0],
        activation_bits=bits[1],
        operation_sparsity=1 - result.work / forward.total,
        memoryless_sparsity=1 - plain.work / forward.total,
        activations=tuple(_chosen(network.get_layer(name)) for name in forward.activations),
        layers=tuple(
            LayerWork(name=name, macs=macs / count, skipped=1 - result.macs[name] / macs)
            for name, macs in forward.macs_of_all.items()
        ),
    )


def with_holds(network: Any, holds: Mapping[str, Hold]) -> Any:
    """Return a copy of a delta network whose activations have other holds."""

    def copy(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config({**config, "hold": holds[layer.name]} if layer.name in holds else config)

    made = keras.models.clone_model(network, clone_function=copy)
    made.set_weights(network.get_weights())
    return made


def _chosen(layer: Any) -> LayerHold:
    return LayerHold(name=layer.name, hold=layer.hold, bits=layer.bits, step=layer.unit)


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
