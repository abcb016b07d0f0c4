# SPDX-License-Identifier: Apache-2.0
"""The shell around a core that an HLS compiler made, under the cocotb bench of the RTL top."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import fake_bambu
import keras
import pytest
import tiny_hls
from random_models import Design, conv, dense, design, two_adds
from rtl_cases import CompiledCase
from runner import simulate

from codesign.hls.bambu import MOST_BITS
from codesign.hls.compilers import COMPILERS, compile_source, find
from codesign.hls.core import Core, Source
from codesign.hls4ml_plugin.writer.streaming import stream_source
from codesign.layers import DeltaActivation

HEAVY = pytest.mark.heavy
ALL = "frames|reset_in_the_middle"
HERE = any(compiler.name == "bambu" and compiler.here for compiler in COMPILERS)


def bench(source: Source, core: Core, folder: Path, tests: str, **options: Any) -> None:
    """Run the bench on a core."""
    case = CompiledCase(folder=folder / "case")
    case.save(source)
    files = core.project(source)
    simulate(
        source.spec.module,
        files["filelist.f"].split(),
        {},
        "bench_top",
        folder / "bench",
        files,
        env={"BENCH_CASE": str(case.folder), "COCOTB_TEST_FILTER": tests},
        **options,
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The network whose core is recorded."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny_hls.run(folder, last="2_graph")
    return stream_source(tiny_hls.converted(folder / tiny_hls.NAME, folder / "hls"), MOST_BITS)


@pytest.fixture
def recorded() -> Core:
    """What PandA-Bambu made of it."""
    return Core(compiler="recorded", ports="bambu", files=fake_bambu.files())


@pytest.mark.parametrize("tests", ["frames/stalls=3|reset_in_the_middle/stalls=3", pytest.param(ALL, marks=HEAVY)])
def test_recorded_core(source: Source, recorded: Core, tests: str, tmp_path: Path) -> None:
    bench(source, recorded, tmp_path, tests)


def test_another_weight_is_noticed(source: Source, recorded: Core, tmp_path: Path) -> None:
    files = {
        name: fake_bambu._other(text) if name in fake_bambu._weight() else text for name, text in recorded.files.items()
    }
    with pytest.raises(pytest.fail.Exception, match="failed cocotb tests: frames/stalls=0"):
        bench(source, dataclasses.replace(recorded, files=files), tmp_path, "frames/stalls=0")


def networks() -> dict[str, Design]:
    """Return networks that the real compiler is given."""
    first = DeltaActivation("relu", 4, 2.0**-4, hold=1.0, name="d0")
    second = DeltaActivation("relu", 4, 2.0**-2, name="d1")
    return {
        "dense": design([first, dense(8, "fc0", bias=6), second, dense(4, "fc1")], shape=(16,)),
        "conv": design(
            [first, conv(4, (3, 3), "c0", bias=6, padding="same"), second, keras.layers.Flatten(), dense(4, "fc1")],
            shape=(6, 6, 1),
        ),
        "odd": design(
            [first, conv(6, (3, 3), "c0", bias=6, padding="same"), second, keras.layers.Flatten(), dense(4, "fc1")],
            shape=(5, 7, 3),
        ),
        "two adds": two_adds(),
    }


@pytest.mark.heavy
@pytest.mark.timeout(2400)
@pytest.mark.skipif(not HERE, reason="PandA-Bambu is not on PATH")
@pytest.mark.parametrize(
    ("name", "lanes", "pe"),
    [("dense", 2, 2), ("dense", 8, 2), ("conv", 8, 4), ("conv", 8, 2), ("odd", 3, 3), ("two adds", 8, 2)],
)
def test_compiled_now(name: str, lanes: int, pe: int, tmp_path: Path) -> None:
    network = networks()[name]
    network.config["Model"] |= {"P": lanes, "PE": pe}
    source = stream_source(network.convert(tmp_path / "hls"), MOST_BITS)
    core = compile_source(source, tmp_path / "core", compiler=find("bambu"))
    bench(source, core, tmp_path, ALL, timeout_s=1200.0)
