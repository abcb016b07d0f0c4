# SPDX-License-Identifier: Apache-2.0
"""Clips in which little moves, and the cores that large networks run on."""

from __future__ import annotations

import numpy as np

from benchmarks.cores import LARGE, LARGE_FRAMES, RESNET, cores_for, large_cores
from benchmarks.moving import NETWORKS, SEEDS, SIZE, clip, graph_of
from codesign.synth.core_memory import boards_for, core_plan
from codesign.synth.target import core_of, load_target


def test_a_clip_moves_a_little() -> None:
    for seed in SEEDS:
        frames = clip(seed, frames=3)
        assert frames.shape == (3, SIZE, SIZE, 3)
        moved = np.any(frames[1:] != frames[:-1], axis=-1).sum(axis=(1, 2))
        assert moved.min() >= 12
        assert moved.max() <= 2 * 12 * 12
        np.testing.assert_array_equal(frames, clip(seed, frames=3))
    assert not np.array_equal(clip(SEEDS[0], frames=1), clip(SEEDS[1], frames=1))


def test_a_graph_of_a_small_model() -> None:
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    values = keras.layers.Conv2D(4, 3, use_bias=False)(inputs)
    values = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(values))
    model = keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(5)(keras.layers.Flatten()(values))))
    graph = graph_of(model, NETWORKS[0], clip(SEEDS[0], frames=2)[:, :8, :8])
    assert graph.source.shape == (8, 8, 3)
    assert [node.macs for node in graph.linears] == [6 * 6 * 4 * 27, 144 * 5]


def test_the_large_cores() -> None:
    small, wide = large_cores(80.0)
    assert next(board.name for board in boards_for(small.config)) == "ulx3s-85f"
    made = core_plan(wide.config, load_target("kv260").capacity.memory)
    assert made is not None
    lines = wide.config.weight_lines + wide.config.cached_lines
    assert wide.config.lanes * lines // 4096 < 144, "block RAMs of 4096 x 9 bits"
    assert [network.name for network in LARGE] == [moving.network.name for moving in NETWORKS]
    assert LARGE_FRAMES.keys() == {network.name for network in LARGE}


def test_resnet_runs_on_the_core_of_a_board() -> None:
    (core,) = cores_for(RESNET, None)
    assert core.config == core_of(load_target("kv260"))
    assert core.clock_mhz == 200.0
    assert cores_for("mobilenet_224", 80.0) == large_cores(80.0)
