# SPDX-License-Identifier: Apache-2.0
"""Faults in what only a compiler compiles that partitions no array: values packed into chunks, words sent in pieces."""

import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from random_models import Design, conv, dense, design, walk
from stream_driver import compiled, outputs

from codesign.graph.golden import Golden
from codesign.hls.bambu import MOST_BITS
from codesign.hls.core import Source
from codesign.hls4ml_plugin.writer.streaming import stream_source, together
from codesign.layers import DeltaActivation

pytestmark = [pytest.mark.timeout(300), pytest.mark.heavy]

MUTANTS = {
    "fields are packed without an offset": ("common", ", bits) ^ delta_offset<value_T>());", ", bits));"),
    "fields are read without an offset": ("common", " - (long long)delta_offset<value_T>());", ");"),
    "values are read as the first beside them": ("common", "packed >> lane * bits", "packed"),
    "a single value is the first of its chunk": ("common", "if (lane % per == at)", "if (false)"),
    "a single value is of the first chunk": ("common", "chunks[lane / per]", "chunks[0]"),
    "chunks that are not full are left out": ("common", "(lanes + per - 1) / per;", "lanes / per;"),
    "chunks that are not full are read as nothing": (
        "common",
        "delta_unpack(chunk, values, 0, lanes - c * per < per ? lanes - c * per : per);",
        "delta_unpack(chunk, values, 0, lanes - c * per < per ? 0 : per);",
    ),
    "of chunks that are not full a value is lost": (
        "common",
        "delta_pack(values, 0, lanes - c * per < per ? lanes - c * per : per)",
        "delta_pack(values, 0, lanes - c * per < per ? lanes - c * per - 1 : per)",
    ),
    "every mark starts a stream": ("common", "(token.to_uint64() >> n & 1) != 0", "(token.to_uint64() >> n) != 0"),
    "dense: weights of the first chunk": ("dense", "shape::weights_t::count + c], c,", "shape::weights_t::count], c,"),
    "dense: sums of the first chunk": ("dense", "load(state[word][c], c, value)", "load(state[word][0], c, value)"),
    "dense: biases of the first chunk": (
        "dense",
        "w * shape::pe + c * shape::chunks::per + lane",
        "w * shape::pe + lane",
    ),
    "dense: every piece is the first": ("dense", "word % shape::pieces * CONFIG_T::lanes + lane", "lane"),
    "dense: one piece of a word": ("dense", "CONFIG_T::reuse_factor * shape::pieces : 0", "CONFIG_T::reuse_factor : 0"),
    "pieces hold the values of the first": ("conv", "piece * CONFIG_T::lanes * CONFIG_T::window + v", "v"),
    "pieces have the index of their word": ("conv", "index * shape::pieces + piece", "index * shape::pieces"),
    "one piece of a word": ("conv", "piece < shape::pieces && some", "piece < 1 && some"),
    "windows begin in every chunk": ("walk", "at = c * types::chunks::per + v, lane", "at = v, lane"),
    "weights of the first chunk": (
        "walk",
        "weights[line * types::weights_t::count + c]",
        "weights[line * types::weights_t::count]",
    ),
    "sums of the first chunk": ("walk", "load(state[place][c], c, value)", "load(state[place][0], c, value)"),
    "biases of the first chunk": ("walk", "CONFIG_T::pe + c * types::chunks::per + v]", "CONFIG_T::pe + v]"),
    "sums are kept in the first chunk": (
        "walk",
        "store(value, c, state[place][c])",
        "store(value, c, state[place][0])",
    ),
    "the end of a frame tags a word": ("walk", "tag[place] = adds ? frame : 0;", "tag[place] = frame;"),
    "tags are not cleared": ("walk", "if (!delta_pipelined && active)\n", "if (!delta_pipelined && adds)\n"),
}
"""Header, text and what it becomes. In none is what is the same with and without chunks: see `test_mutants`."""


PIECES = 2
"""In which the words of `packed_design` are sent, but for those of the maximum."""


def packed_design() -> Design:
    """Return a network with signed sums of several chunks, some not full, words of several pieces, and windows of 9."""
    result = design(
        [
            DeltaActivation("identity", bits=5, step=2.0**-4, name="d0"),
            conv(12, (3, 3), "c1", bias=6, padding="same"),
            DeltaActivation("relu", bits=4, step=0.25, hold=1.0, name="d1"),
            keras.layers.MaxPooling2D(3, strides=2, padding="same", name="peak"),
            keras.layers.Flatten(),
            dense(12, "fc1", bias=6),
        ],
        shape=(5, 4, 2),
        precision="fixed<9,2>",
    )
    result.config["LayerName"]["frame"]["P"] = 4
    for name, pe in {"c1": 6, "peak": 2, "fc1": 6}.items():
        result.config["LayerName"][name]["PE"] = pe
    return result


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return stream_source(packed_design().convert(tmp_path_factory.mktemp("packed")), MOST_BITS)


@pytest.fixture(scope="module")
def streams(source: Source) -> list[NDArray[np.int64]]:
    """Several streams; in the last one only the numbers of frames move on, until they are that of a word once more."""
    graph: Any = source.graph
    fmt, shape = graph.source.fmt, graph.source.shape
    frames = walk(np.random.default_rng(5), fmt, shape, 300)
    words, t = graph["c1"].words, np.arange(200)
    still = np.repeat(frames[:1], len(t), axis=0)
    row, column = divmod(words // PIECES // 2, shape[1])
    number = words // 2  # of the frames that change a pixel, and of the word at its position
    still[:, row, column, 0] = np.where((t - number) // words % 2, fmt.lo, fmt.hi)
    return [*np.split(frames, [10, 20, 21, 60]), still]


@pytest.fixture(scope="module")
def expected(source: Source, streams: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([Golden(source.graph).run(part).outputs.reshape(len(part), -1) for part in streams])


def wrong(program: Path, source: Source, streams: list[NDArray[np.int64]], expected: NDArray[np.int64]) -> bool:
    """Return whether outputs differ, or are no frames, or the program crashes or runs for ever."""
    try:
        return not np.array_equal(outputs(program, source, streams), expected)
    except (AssertionError, ValueError, subprocess.SubprocessError):
        return True


def test_the_design_has_it_all(source: Source) -> None:
    """Full chunks and others, and words in pieces: the faults are where they can be seen."""
    graph: Any = source.graph
    text = source.files[f"{source.top}.cpp"]
    for name, values, pieces in (("c1", 6, PIECES), ("peak", 18, 1), ("fc1", 6, PIECES)):
        per = together(graph[name].fmt.width)
        assert values > per
        assert values % per != 0
        config = text[text.index(f"// {name}\n") :]
        assert f"lanes = {graph[name].pe // pieces};" in config[: config.index("};")]
    assert graph["c1"].fmt.signed


def test_nothing_is_wrong_without_a_fault(
    source: Source, streams: list[NDArray[np.int64]], expected: NDArray[np.int64], tmp_path: Path
) -> None:
    np.testing.assert_array_equal(outputs(compiled(source, tmp_path, packed=True), source, streams), expected)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(
    name: str, source: Source, streams: list[NDArray[np.int64]], expected: NDArray[np.int64], tmp_path: Path
) -> None:
    header, old, new = MUTANTS[name]
    path = f"nnet_utils/nnet_delta_{header}.h"
    assert source.files[path].count(old) == 1, name
    faulty = Source(
        graph=source.graph,
        top=source.top,
        files={**source.files, path: source.files[path].replace(old, new)},
        in_lanes=source.in_lanes,
        out_lanes=source.out_lanes,
    )
    assert wrong(compiled(faulty, tmp_path, packed=True), source, streams, expected), "this fault went unnoticed"
