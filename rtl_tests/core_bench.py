# SPDX-License-Identifier: Apache-2.0
"""What the benches of the delta core share: small configurations, records, and the golden model of a lane."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from codesign.core import CoreConfig, core_package
from codesign.core.records import PARAM, STEP
from codesign.fixed import Fixed
from codesign.graph import Delta
from codesign.graph.golden import send

SMALL = CoreConfig(
    lanes=8,
    quantisers=4,
    sum_words=1536,
    code_rows=272,
    weight_lines=600,
    table_rows=500,
    param_rows=64,
    step_words=700,
    chunks=16,
)
NARROW = replace(SMALL, lanes=4, code_bits=8, weight_bits=8, sum_bits=24, index_bits=16, code_rows=299, chunks=17)
WIDE = replace(SMALL, lanes=64, quantisers=8, code_bits=20, sum_bits=48, index_bits=24)


def outside(config: CoreConfig, bits: int, words: int, lines: int) -> CoreConfig:
    """Return a core with a memory outside, of ``bits`` a beat, and little room inside: slots of words and lines."""
    few = replace(config, sum_words=45, weight_lines=39)
    return replace(few, memory_bits=bits, memory_kib=1024, cached_words=words, cached_lines=lines)


CONFIGS = {
    "small": SMALL,
    "narrow": NARROW,
    "outside": replace(
        SMALL, sum_words=192, weight_lines=4, memory_bits=32, memory_kib=16, cached_words=8, cached_lines=8
    ),
    "sdram": replace(SMALL, memory_bits=32, memory_kib=256, cached_words=8, cached_lines=8),
    "beats of 128": replace(
        SMALL,
        weight_bits=8,
        sum_words=200,
        weight_lines=7,
        memory_bits=128,
        memory_kib=64,
        cached_words=4,
        cached_lines=16,
    ),
    "wide": WIDE,
    "few slots": outside(SMALL, 32, 4, 8),
    "narrow, few slots": outside(NARROW, 128, 8, 2),
    "wide, few slots": outside(WIDE, 64, 2, 4),
}
CONFIG = CONFIGS[os.environ.get("CORE_CONFIG", "small")]
"""What the modules of this simulation are built with."""
MOST_PARTS = CONFIG.lanes // CONFIG.quantisers
STEP_FIELDS = {field.name: 0 for field in STEP.fields}
SUM_LO, SUM_HI = -(1 << CONFIG.sum_bits - 1), (1 << CONFIG.sum_bits - 1) - 1


def package(name: str = "small") -> str:
    """Return the text of ``core_pkg.sv``."""
    return core_package(CONFIGS[name])


def step_record(**fields: int) -> int:
    """Return a step; fields that are not given are 0."""
    return STEP.pack(CONFIG, STEP_FIELDS | fields, "bench")


def param_record(valid: int, step: int, threshold: int, align: int = 0, low: int = 0) -> int:
    """Return the parameters of a lane."""
    fields = {"valid": valid, "step": step, "threshold": threshold, "align": align, "low": low}
    return PARAM.pack(CONFIG, fields, "bench")


def aligned(param: Mapping[str, int], sums: int) -> int:
    """Return a sum on the lattice that is sent, or the nearest number that there is."""
    shifted = sums << param["align"]
    return shifted + param["low"] if SUM_LO <= shifted <= SUM_HI else min(max(shifted, SUM_LO), SUM_HI)


def unaligned(param: Mapping[str, int], z: int) -> int:
    """Return the sum that comes nearest to ``z`` from below on the lattice that is sent, or the smallest."""
    return max(z, SUM_LO + param["low"]) - param["low"] >> param["align"]


def signed(value: int, bits: int) -> int:
    """Return the low ``bits`` of ``value`` as a two's complement number."""
    value &= (1 << bits) - 1
    return value - (value >> bits - 1 << bits)


@lru_cache(maxsize=4096)
def lane(relu: bool, shift: int, lo: int, hi: int, step: int, threshold: int) -> Delta:
    """Return one element as a layer of its own."""
    bits = CONFIG.code_bits
    return Delta(
        name="lane",
        input="in",
        shape=(1,),
        in_fmt=Fixed(width=CONFIG.sum_bits, frac=shift, signed=True),
        fmt=Fixed(width=bits, frac=0, signed=True),
        activation="relu" if relu else "identity",
        step_log2=(step,),
        lo=lo,
        hi=hi,
        hold=math.ldexp(threshold, -shift - step) if threshold else None,
    )


def sent(delta: Delta, z: int, code: int) -> int:
    """Return the code after an element whose code was ``code``."""
    return int(send(delta, np.array([[z]]), np.array([code]))[0, 0])


def random_lane(rng: random.Random, shared: dict[str, Any]) -> tuple[int, int]:
    """Return step (62 bits with the shift at most, as far as int64 goes) and threshold (0, or half a step and more)."""
    step = min(62 - shared["shift"], rng.choice((0, 0, rng.randrange(6), rng.randrange(32))))
    bits = shared["shift"] + step
    least, most = max(1, 1 << bits >> 1), (1 << CONFIG.sum_bits) - 1
    if least > most or rng.random() < 0.3:
        return step, 0
    return step, rng.choice((least, min(most, least * 2), rng.randint(least, min(most, least * 8)), most))


def random_shared(rng: random.Random) -> dict[str, Any]:
    """Return what all lanes of a step have in common: activation, shift, clip."""
    reach = 1 << rng.randrange(CONFIG.code_bits)
    full = 1 << CONFIG.code_bits - 1
    lo, hi = rng.choice(((-full, full - 1), (0, reach >> 1), (-(reach >> 1), max(0, (reach >> 1) - 1))))
    return {
        "relu": rng.random() < 0.5,
        "shift": rng.choice((0, 1, rng.randrange(20), rng.randrange(20), rng.randrange(63))),
        "lo": lo,
        "hi": hi,
    }


def random_z(rng: random.Random, delta: Delta, code: int, threshold: int) -> int:
    """Return a sum; often within one unit of the threshold, of a tie or of an end of a range."""
    base = code << delta.shift
    near = base + rng.choice((-1, 1)) * (threshold or 1 << max(0, delta.shift - 1)) + rng.randint(-1, 1)
    bits = delta.shift + int(delta.steps()[0])
    odd = 2 * rng.randint(-4, 4) + 1
    tie = (base >> bits << bits) + (odd << max(0, bits - 1)) + rng.choice((-1, 0, 0, 1))
    end = (rng.choice((delta.lo, delta.hi)) << delta.shift) + rng.randint(-2, 2)
    ends = rng.choice((SUM_LO, SUM_HI, 0, -1))
    z = rng.choice((near, near, tie, tie, end, ends, rng.randint(SUM_LO, SUM_HI), rng.randint(-1000, 1000)))
    return min(SUM_HI, max(SUM_LO, z))
