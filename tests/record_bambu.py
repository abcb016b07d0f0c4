# SPDX-License-Identifier: Apache-2.0
"""Record what PandA-Bambu makes of the design of `tiny_hls`, for `fake_bambu`. Run by hand, with ``bambu`` on PATH."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import fake_bambu  # noqa: E402
import tiny_hls  # noqa: E402

from codesign.graph.file import load_graph  # noqa: E402
from codesign.graph.golden import Golden  # noqa: E402
from codesign.hls.compilers import compile_source, find  # noqa: E402
from codesign.hls.core import Core, Source  # noqa: E402
from codesign.hls.simulate import simulator  # noqa: E402
from codesign.hls4ml_plugin.writer.streaming import stream_source  # noqa: E402
from codesign.paths import BuildFolder  # noqa: E402
from codesign.verify.clips import load_clips  # noqa: E402

CLOCK_MHZ = 100.0
CALL = re.compile(r"^// Bambu executed with: (.*?) ?$", re.MULTILINE)
PROGRAM = re.compile(r"(?<=^// Bambu executed with: )\S*/(?=bambu )", re.MULTILINE)


def main() -> None:
    """Compile the design, check the core against the golden model, and write the recording."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        tiny_hls.run(folder, last=BuildFolder.GRAPH)
        build = folder / tiny_hls.NAME
        model = tiny_hls.converted(build, folder / "hls")
        source, plain = stream_source(model, find("bambu").most_bits), stream_source(model)
        core = compile_source(source, folder / "core", compiler=find("bambu"), clock_mhz=CLOCK_MHZ)
        wrong = _wrong(core, source, build, folder)
        if wrong:
            sys.exit(f"{wrong} wrong values: nothing was recorded")
        made = {name: PROGRAM.sub("", text) for name, text in core.files.items()}
        weight = _weight(made, source, build, folder)
        texts = [item.files[f"{source.top}.cpp"] for item in (source, plain)]
    (command,) = {word for text in made.values() for word in CALL.findall(text)}
    about = {
        "recorded": "output of the real compiler; see README.md",
        "compiler": core.compiler,
        "command": command,
        "weight": weight,
        "constants": fake_bambu.constants(texts[0]),
        "constants of other compilers": fake_bambu.constants(texts[1]),
    }
    fake_bambu.RECORDED.mkdir(exist_ok=True)
    fake_bambu.pack(made, fake_bambu.CORE)
    fake_bambu.ABOUT.write_text(json.dumps(about, indent=1) + "\n")
    size = fake_bambu.CORE.stat().st_size
    print(f"{core.compiler}: {len(made)} files, {size:,} bytes packed; a weight is in {', '.join(weight)}")


def _weight(made: dict[str, str], source: Source, build: Path, folder: Path) -> list[str]:
    """Return a memory file that holds weights: with another bit in it, the outputs are others."""
    for name, text in made.items():
        if name.endswith(".mem") and "1" in text:
            other = Core(compiler="", ports="bambu", files={**made, name: fake_bambu._other(text)})
            if _wrong(other, source, build, folder):
                return [name]
    sys.exit("no memory file changes the outputs: nothing was recorded")


def _wrong(core: Core, source: Source, build: Path, folder: Path) -> int:
    """Return how many output values of the clips differ from those of the golden model."""
    graph, clips = load_graph(build / BuildFolder.GRAPH), load_clips(build / BuildFolder.GRAPH)
    running, wrong = simulator(core, source, folder / "cache"), 0
    for clip in clips:
        running.reset()
        wrong += int(np.sum(running.run(clip).outputs != Golden(graph).run(clip).outputs))
    return wrong


if __name__ == "__main__":
    main()
