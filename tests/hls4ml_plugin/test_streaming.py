# SPDX-License-Identifier: Apache-2.0
"""The network as a stream of beats, compiled by itself: what an HLS compiler is given computes the golden bits."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import (
    Design,
    rich_branch_design,
    rich_conv_design,
    rich_design,
    rich_unrolled_design,
    two_adds,
    walk,
)
from stream_driver import compiled, outputs

from codesign.fixed import Fixed
from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.writer.streaming import FAR, KERNELS, narrow, spared, stream_source
from codesign.hls4ml_plugin.writer.tokens import Token
from codesign.paths import hls_templates

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    ("make", "io_type", "most_bits"),
    [
        (rich_design, "io_parallel", 64),
        (rich_branch_design, "io_stream", None),
        pytest.param(rich_design, "io_stream", None, marks=pytest.mark.heavy),
        pytest.param(rich_branch_design, "io_parallel", 64, marks=pytest.mark.heavy),
        pytest.param(rich_conv_design, "io_parallel", 40, marks=pytest.mark.heavy),
        pytest.param(rich_unrolled_design, "io_stream", 64, marks=pytest.mark.heavy),
    ],
)
def test_equals_golden(make: Callable[[], Design], io_type: str, most_bits: int | None, tmp_path: Path) -> None:
    model: Any = make().convert(tmp_path / "project", io_type=io_type)
    source = stream_source(model, most_bits)
    graph = model.delta_graph
    stream = walk(np.random.default_rng(1), graph.source.fmt, graph.source.shape, 200)
    streams = np.split(stream, [60, 61, 130])
    expected = [Golden(graph).run(part).outputs.reshape(len(part), -1) for part in streams]
    received = outputs(compiled(source, tmp_path / "alone", packed=most_bits is not None), source, streams)
    np.testing.assert_array_equal(received, np.concatenate(expected))


def test_stands_alone(tmp_path: Path) -> None:
    """It includes the kernels only, has its parameters in it, and reads nothing that the user's project holds."""
    source = stream_source(rich_design().convert(tmp_path))
    assert set(source.files) == {"myproject_stream.cpp", *(f"nnet_utils/{name}" for name in KERNELS)}
    text = source.files["myproject_stream.cpp"]
    assert {line.split('"')[1] for line in text.splitlines() if line.startswith("#include")} <= set(source.files)
    assert "load_weights" not in text
    assert "reset" not in text


@pytest.mark.parametrize("name", KERNELS)
def test_no_value_is_shifted_by_a_remainder(name: str) -> None:
    """PandA-Bambu makes 14 times a remainder of 7, shifted twice; Verilator 5.048 to 5.050 do not shift it at all."""
    code = re.sub(r"//.*", "", (hls_templates() / name).read_text(encoding="utf-8"))
    assert not re.search(r"(<<|>>)[^;,]*%", code)


def test_kernels_that_two_processes_call_are_inlined(tmp_path: Path) -> None:
    """PandA-Bambu stops at a function with streams that is called twice; most kernels have a type for each layer."""
    source = stream_source(two_adds().convert(tmp_path), 64)
    calls = re.findall(r"nnet::(\w+)(<.*>)\(", source.files["myproject_stream.cpp"])
    twice = {name for name, types in calls if calls.count((name, types)) > 1}
    assert twice == {"delta_copy"}
    kernels = "".join(text for name, text in source.files.items() if name.startswith("nnet_utils/"))
    for name in twice:
        assert re.search(
            rf"#ifdef __BAMBU__\n__attribute__\(\(always_inline\)\)\n#endif\ninline void {name}\(", kernels
        )


def test_no_token_has_bits_that_are_lost() -> None:
    """PandA-Bambu loses bits of tokens of 33 to 41 bits: words have spare ones then, what leaves has fewer lanes."""
    words = Token(count=5, value=Fixed(width=16, frac=0, signed=True), lanes=2)
    assert words.bits == 36
    kept, left = narrow(words, 64), narrow(words, 64, leaves=True)
    assert (kept.lanes, kept.bits) == (2, FAR)
    assert (left.lanes, left.count, replace(left, addressed=False, spare=0).bits) == (1, 10, 17)


@pytest.mark.parametrize("width", [8, 9, 20, 27, 28, 29, 59, 60])
def test_an_address_comes_from_an_even_number_of_bits(width: int) -> None:
    """PandA-Bambu divides an address by half of the divisor where it is of an odd number of bits; a beat has none."""
    token = Token(count=5, value=Fixed(width=width, frac=0, signed=True))
    assert spared(token).bits % 2 == 0
    assert spared(spared(token)) == spared(token)
    assert spared(token).bits - token.bits <= 1 or spared(token).bits == FAR
    assert narrow(token, 64).bits == spared(token).bits
    beat = replace(token, addressed=False)
    assert spared(beat) == beat or 32 < beat.bits < FAR
