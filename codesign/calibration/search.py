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
WAYS = (-2, -1, 1, 2, 4)
"""Places in `HOLDS` that are tried for single activations, from that of all."""
STEPS = 10
"""Prices that are tried."""
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

    First the fewest bits of `WIDTHS` are taken with which the memoryless network uses up half of the share that may
    differ, with channels equalised across layers where that agrees better. Then each activation gets the hold that
    saves most multiply-accumulates for what it changes in the outputs (see `raise_holds`). What differs is estimated
    for frames that were not seen (`Judge.expected`).

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
    best: tuple[float, Forward, Any, tuple[int, int]] | None = None
    ways = [False, True]  # whether channels are equalised: as agrees better with the fewest bits
    for number, (weight_bits, activation_bits) in enumerate(WIDTHS):
        show(0.05 * number, f"{weight_bits}-bit weights, {activation_bits}-bit activations")
        found = {}
        for equalized in ways:
            network = delta(
                model,
                weight_bits=weight_bits,
                activation_bits=activation_bits,
                step="fixed",
                clips=clips,
                input_range=input_range,
                equalized=equalized,
            )
            forward = Forward(network, pixel_values(network, clips))
            found[equalized] = judge.expected(forward.result.outputs)
            if best is None or found[equalized] > best[0]:
                best = found[equalized], forward, network, (weight_bits, activation_bits)
        ways = [max(ways, key=lambda way: found[way])]
        if max(found.values()) >= 1 - (1 - agreement) / 2:
            break
    assert best is not None
    expected, forward, network, bits = best
    memoryless = judge.judge(forward.result.outputs)
    if memoryless.decisions < agreement:
        raise _unreached(memoryless, forward, judge, bits, agreement)
    result = forward.result
    sparsity = 1 - result.work / forward.total
    tried = _tried(network, clips)
    raise_holds(forward, tried, judge, min(agreement, expected), show)
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
    """Give the activations of ``forward`` the holds that save most while its outputs agree in a share of ``goal``.

    First one hold for all is found. From there, every activation is tried alone with others, on the frames of
    ``tried``. What they save and what they change in the outputs adds up nearly: each price of a change makes a choice
    for every activation, and the lowest price whose choice agrees is found by bisection, on all frames.
    """
    place = _uniform(forward, judge, goal, show)
    start = dict.fromkeys(forward.activations, place)
    tried.change(dict.fromkeys(start, HOLDS[place]))
    reference = Judge(wanted=tried.first, decides=judge.decides, tolerance=judge.tolerance)
    offers = {}
    for number, name in enumerate(start):
        show(0.3 + 0.5 * number / len(start), f"holds of {name}")
        offers[name] = _offers(tried, reference, name, place)
    best, cheap, dear = forward.result.work, 0.0, None
    price = _scale(offers)
    for step in range(STEPS):
        holds = {name: min(offer, key=lambda o: o.work + price * o.loss).hold for name, offer in offers.items()}
        found = forward.run(holds)
        agrees = judge.expected(found.outputs) >= goal
        if agrees and found.work < best:
            best = forward.change(holds).work
        show(0.8 + 0.2 * step / STEPS, f"{100 * (1 - best / forward.total):.1f} % of the MACs skipped")
        if agrees:
            dear = price
        else:
            cheap = price
        price = price * 4 if dear is None else (price / 4 if not cheap else (cheap * dear) ** 0.5)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a network computes, and how far it is off, if one activation has another hold."""

    hold: float | None
    work: float
    loss: float


def _uniform(forward: Forward, judge: Judge, goal: float, show: Show) -> int:
    """Return the place in `HOLDS` of the largest hold that all activations can have, and give it to them."""
    low, high = 0, len(HOLDS)
    while high - low > 1:
        middle = (low + high) // 2 if low or high < len(HOLDS) else 3
        holds = dict.fromkeys(forward.activations, HOLDS[middle])
        found = forward.run(holds)
        show(0.25, f"a hold of {HOLDS[middle]} everywhere: {100 * (1 - found.work / forward.total):.1f} % skipped")
        if judge.expected(found.outputs) >= goal:
            low = middle
        else:
            high = middle
    forward.change(dict.fromkeys(forward.activations, HOLDS[low]))
    return low


def _offers(tried: Forward, reference: Judge, name: str, place: int) -> list[_Offer]:
    """Return what holds of the activation ``name`` come to while all others are at ``place`` in `HOLDS`."""
    offers = [_Offer(HOLDS[place], tried.result.work, reference.loss(tried.result.outputs))]
    for other in sorted({max(0, place + way) for way in WAYS} - {place}):
        if other < len(HOLDS):
            found = tried.run({name: HOLDS[other]})
            offers.append(_Offer(HOLDS[other], found.work, reference.loss(found.outputs)))
    return offers


def _scale(offers: Mapping[str, list[_Offer]]) -> float:
    """Return the price of a change at which about half of the activations would rather have a larger hold."""
    ratios = [
        (offer[0].work - other.work) / (other.loss - offer[0].loss)
        for offer in offers.values()
        for other in offer[1:]
        if other.work < offer[0].work and other.loss > offer[0].loss
    ]
    return float(np.median(ratios)) if ratios else 1.0


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
