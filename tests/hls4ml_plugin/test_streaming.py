# SPDX-License-Identifier: Apache-2.0
"""The network as a stream of beats, compiled by itself: what an HLS compiler is given computes the golden bits."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hls4ml
import numpy as np
import pytest
from numpy.typing import NDArray
from random_models import Design, rich_branch_design, rich_conv_design, rich_design, rich_unrolled_design, walk

from codesign.graph.golden import Golden
from codesign.hls.core import Source
from codesign.hls4ml_plugin.writer.streaming import KERNELS, stream_source

pytestmark = pytest.mark.timeout(300)

AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
DRIVER = """
#include <cstdio>
#include "{top}.cpp"

// Reads for each frame whether it starts a stream, and its codes. Writes codes and flag of each beat that comes.
int main() {{
    typedef ap_uint<{in_bits}> in_t;
    typedef ap_uint<{out_bits}> out_t;
    hls::stream<in_t> in;
    hls::stream<out_t> out;
    for (long first; std::scanf("%ld", &first) == 1;) {{
        for (unsigned beat = 0; beat < {beats}; beat++) {{
            in_t packed = in_t(first && beat == 0) << {in_bits} - 1;
            for (unsigned lane = 0; lane < {in_lanes} && beat * {in_lanes} + lane < {n_in}; lane++) {{
                long code = 0;
                if (std::scanf("%ld", &code) != 1)
                    return 1;
                packed |= in_t(ap_uint<{in_width}>(code + {in_offset})) << lane * {in_width};
            }}
            in.write(packed);
        }}
        {top}(in, out);
        while (!out.empty()) {{
            out_t packed = out.read();
            for (unsigned lane = 0; lane < {out_lanes}; lane++, packed >>= {out_width})
                std::printf("%d ", ap_uint<{out_width}>(packed).to_int() - {out_offset});
            std::printf("%d ", packed.to_int());
        }}
        std::printf("\\n");
    }}
    return 0;
}}
"""


def compiled(source: Source, folder: Path, *, packed: bool) -> Path:
    """Compile the C++ of a network with a driver around it; ``packed``: as for a compiler that partitions no array."""
    spec, graph = source.spec, source.graph
    for name, text in source.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    driver = DRIVER.format(
        top=source.top,
        in_bits=1 + spec.in_lanes * spec.in_width,
        out_bits=1 + spec.out_lanes * graph.output.fmt.width,
        beats=spec.beats,
        in_lanes=spec.in_lanes,
        n_in=graph.source.size,
        in_width=spec.in_width,
        out_lanes=spec.out_lanes,
        out_width=graph.output.fmt.width,
        in_offset=1 << spec.in_width - 1 if graph.source.fmt.signed else 0,
        out_offset=1 << graph.output.fmt.width - 1 if graph.output.fmt.signed else 0,
    )
    (folder / "driver.cpp").write_text(driver)
    options = ["-std=c++11", "-O1", "-Wno-unknown-pragmas", *(["-D__BAMBU__"] if packed else [])]
    command = ["g++", *options, f"-I{AP_TYPES}", "driver.cpp", "-o", "driver"]
    subprocess.run(command, cwd=folder, check=True, timeout=240)
    return folder / "driver"


def outputs(program: Path, source: Source, streams: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the output codes ``[T, size]`` of frames, several streams one after the other."""
    lines = [
        f"{int(at == 0)} {' '.join(map(str, frame.reshape(-1)))}"
        for stream in streams
        for at, frame in enumerate(stream)
    ]
    ran = subprocess.run([program], input="\n".join(lines), text=True, capture_output=True, check=True, timeout=60)
    spec = source.spec
    beats = np.array([line.split() for line in ran.stdout.splitlines()], np.int64)
    beats = beats.reshape(len(lines), spec.out_words, spec.out_lanes + 1)
    assert (beats[:, :-1, -1] == 0).all()  # the last beat of each frame, and no other, has the flag
    assert (beats[:, -1, -1] == 1).all()
    return beats[:, :, :-1].reshape(len(lines), -1)[:, : source.graph.output.size]


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
