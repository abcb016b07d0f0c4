# SPDX-License-Identifier: Apache-2.0
"""Programs of random graphs compute what the golden model computes, on cores of any size."""

from __future__ import annotations

import numpy as np
import pytest
from core.core_cases import CONFIGS, OnCore
from random_branches import random_branching_graph
from random_graphs import (
    extreme_frames,
    random_conv_graph,
    random_graph,
    random_spread_graph,
    random_walk,
    threshold_walk,
)

KINDS = {
    "dense": random_graph,
    "convolutions": random_conv_graph,
    "branches": random_branching_graph,
    "spread": random_spread_graph,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.lanes}x{config.quantisers}")
@pytest.mark.parametrize("seed", range(4))
def test_every_value_of_a_random_network(kind: str, config: object, seed: int) -> None:
    rng = np.random.default_rng(seed)
    on = OnCore(KINDS[kind](rng), config)  # type: ignore[operator, arg-type]
    compared = sum(on.check(random_walk(rng, on.graph, frames, density)) for frames, density in ((1, 1), (20, 0.2)))
    on.reset()
    compared += on.check(extreme_frames(on.graph))
    compared += on.check(threshold_walk(rng, on.graph, 12))
    assert compared > 40
