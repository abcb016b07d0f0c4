# SPDX-License-Identifier: Apache-2.0
"""The dividers of a PLL for a wanted clock, from the limits of its data sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from codesign.errors import ConfigError

BESIDE = 0.9
"""Least part of a wanted second clock: it is the core's that is exact, and the second one that follows."""
TOLERANCE = 0.02
"""Largest error of the clock: 2 %, which the serial port does not notice, as it counts the clock that is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a PLL can do. Frequencies [MHz] are lowest and highest.

    The detector runs at input / reference. tap: what the feedback divides, the output or the oscillator (VCO):
    output = detector x feedback, VCO = output x divider; or VCO = detector x feedback, output = VCO / divider.
    """

    tap: Literal["output", "vco"]
    detector_mhz: tuple[float, float]
    vco_mhz: tuple[float, float]
    output_mhz: tuple[float, float]
    references: range
    feedbacks: range
    dividers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pll:
    """Dividers of a PLL, and the frequencies that they make [MHz]; second: divider of a second clock, if there is."""

    reference: int
    feedback: int
    divider: int
    input_mhz: float
    detector_mhz: float
    vco_mhz: float
    output_mhz: float
    second: int | None = None

    @property
    def second_mhz(self) -> float | None:
        """The second clock."""
        return None if self.second is None else self.vco_mhz / self.second


def find_pll(limits: Limits, input_mhz: float, output_mhz: float) -> Pll:
    """Return the dividers whose output is nearest to ``output_mhz``; of equal ones the VCO in the middle of its range.

    Raises:
        ConfigError: none is within `TOLERANCE`; names the nearest clock.
    """
    found = _settings(limits, input_mhz, output_mhz)
    if not found or abs(found[0].output_mhz - output_mhz) > TOLERANCE * output_mhz:
        raise ConfigError(
            "the PLL cannot make this clock",
            where="--clock",
            expected=f"{limits.output_mhz[0]:g} to {limits.output_mhz[1]:g} MHz, from {input_mhz:g} MHz",
            received=f"{output_mhz:g} MHz",
            fix=f"take {found[0].output_mhz:.6g}, the nearest" if found else "take the oscillator's own clock",
        )
    return found[0]


def find_two(limits: Limits, input_mhz: float, output_mhz: float, second_mhz: float, *, where: str) -> Pll:
    """Return the dividers of a PLL for two clocks: one as `find_pll` has it, and the fastest second one beside it that
    is not above ``second_mhz``. where: what asked for the second one.

    Raises:
        ConfigError: the first cannot be made, or the second comes out below `BESIDE` of what was asked for.
    """
    first = find_pll(limits, input_mhz, output_mhz)
    made = [
        replace(pll, second=divider)
        for pll in _settings(limits, input_mhz, output_mhz)
        if abs(pll.output_mhz - first.output_mhz) < 1e-9 * input_mhz
        for divider in limits.dividers
        if pll.vco_mhz <= second_mhz * divider * (1 + 1e-9) and _inside(pll.vco_mhz / divider, limits.output_mhz)
    ]
    best = max(made, key=lambda pll: pll.second_mhz or 0.0, default=None)  # of equal ones the best of `_settings`
    nearest = 0.0 if best is None or best.second_mhz is None else best.second_mhz
    if best is None or nearest < BESIDE * second_mhz:
        raise ConfigError(
            "the PLL cannot make this clock beside the core's",
            where=where,
            expected=f"a clock that it makes with {first.output_mhz:.6g} MHz, at most a tenth below the one asked for",
            received=f"{second_mhz:g} MHz",
            fix=f"take {nearest:.6g}, the nearest" if nearest else "take another --clock",
        )
    return best


def _settings(limits: Limits, input_mhz: float, output_mhz: float) -> list[Pll]:
    """Return every setting inside the limits, the best first; few are tried, as dividers follow from each other."""
    middle = sum(limits.vco_mhz) / 2
    found = []
    for reference in limits.references:
        detector = input_mhz / reference
        if not _inside(detector, limits.detector_mhz):
            continue
        for divider in limits.dividers:
            ratio = output_mhz / detector * (divider if limits.tap == "vco" else 1)
            for feedback in {int(ratio), int(ratio) + 1} & set(limits.feedbacks):
                output = detector * feedback / (divider if limits.tap == "vco" else 1)
                vco = output * divider
                if _inside(vco, limits.vco_mhz) and _inside(output, limits.output_mhz):
                    found.append(
                        Pll(
                            reference=reference,
                            feedback=feedback,
                            divider=divider,
                            input_mhz=input_mhz,
                            detector_mhz=detector,
                            vco_mhz=vco,
                            output_mhz=output,
                        )
                    )
    return sorted(found, key=lambda pll: (abs(pll.output_mhz - output_mhz), pll.reference, abs(pll.vco_mhz - middle)))


def _inside(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]
