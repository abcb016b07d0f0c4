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

WIDTHS = ((8, 8), (8, 10), (10, 10), (12, 12))
"""Bits of weights and activations that are tried, in order."""
HELD = 0.6
"""Share of the error that an agreement allows for holding; the rest is rounding."""
IN_AN_OCTAVE = 5
"""Factors of all holds that are tried from one to its double."""
MOST_TRIED = 16
"""Factors that are tried in all: three octaves."""
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

    First the fewest bits of `WIDTHS` are taken with which the memoryless network uses up half of the share that may
    differ. Then every channel gets a threshold (see `codesign.calibration.thresholds`). Where channels can be scaled,
    those of a layer are so that one hold is right for all of them, which costs nothing; elsewhere one hold is the best
    for all. The largest factor of all holds with which the network still agrees ends the search. What differs is
    estimated for frames that were not seen (`Judge.expected`).

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
    best: tuple[float, Forward, FloatAgreement, tuple[int, int]] | None = None
    for number, bits in enumerate(WIDTHS):
        show(0.05 * number, f"{bits[0]}-bit weights, {bits[1]}-bit activations")
        forward = maker.forward(bits)
        outputs = forward.run().outputs
        expected = judge.expected(outputs)
        if best is None or expected > best[0]:
            best = expected, forward, judge.judge(outputs), bits
        if best[0] >= 1 - (1 - agreement) / 2:
            break
    assert best is not None
    expected, forward, memoryless, bits = best
    if memoryless.decisions < agreement:
        raise _unreached(memoryless, forward, judge, bits, agreement)
    goal = min(agreement, expected)
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
    """Return ``holds`` times the largest factor with which ``forward`` agrees, and what it does; None if none does.

    Pixels are whole numbers, so that a little less of the input's hold can let many more of them pass: it is tried both
    with it as it is until the others are half, and with it times the factor as well. The less work wins.
    """
    ways = [_walk(forward, holds, judge, goal, show, kept=kept) for kept in (2.0, 1.0)]
    return min((way for way in ways if way is not None), key=lambda way: way[1].work, default=None)


def _walk(
    forward: Forward, holds: Mapping[str, float], judge: Judge, goal: float, show: Show, *, kept: float
) -> tuple[dict[str, Hold], Result] | None:
    """Return what `_largest` does, the hold of the input times ``kept`` the factor, but not raised.

    From 1 the factor goes up as long as it agrees, or else down until it does.
    """
    best: tuple[dict[str, Hold], Result] | None = None
    first, up = forward.activations[0], 1
    for number in range(MOST_TRIED):
        factor = 2 ** (up * number / IN_AN_OCTAVE)
        tried: dict[str, Hold] = {name: max(LEAST_HOLD, factor * hold) for name, hold in holds.items()}
        tried[first] = max(LEAST_HOLD, min(1.0, kept * factor) * holds[first])
        result = forward.run(tried)
        agrees = judge.expected(result.outputs) >= goal
        skipped = 100 * (1 - result.work / forward.total)
        show(1 - 0.3 * 0.8**number, f"{skipped:.1f} % of the multiply-accumulates skipped")
        if agrees:
            best = tried, result
        if number == 0:
            up = 1 if agrees else -1
        elif agrees != (up > 0):
            break
    return best


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
