# SPDX-License-Identifier: Apache-2.0
"""The C++ that an HLS compiler is given, compiled by g++ with a driver around it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import hls4ml
import numpy as np
from numpy.typing import NDArray

from codesign.hls.core import Source

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
    options = ["-std=c++11", "-O0", "-Wno-unknown-pragmas", *(["-D__BAMBU__"] if packed else [])]
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
