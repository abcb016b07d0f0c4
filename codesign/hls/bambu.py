# SPDX-License-Identifier: Apache-2.0
"""PandA-Bambu, an open-source HLS compiler, on the network as a stream of beats.

It takes the kernels as they are, but for their pragmas: it pipelines no loop, and decides about memories itself. With
the `OPTIONS` here it was found to compile rightly; with ``-O2``, 2024.10 loses a lane of a beat without a word
(docs/hls.md).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from codesign.errors import SynthesisError
from codesign.hls.core import Source
from codesign.tools import run

LOG = "bambu.log"
FOLDER = "bambu"
OPTIONS = (
    "--compiler=I386_CLANG16",
    "--std=c++14",
    "-Os",
    "-D__SYNTHESIS__",
    "--generate-interface=INFER",
    "--reset-type=sync",
    "-v1",
)
MOST_BITS = 64
"""Bits of the widest value that it can compare, and so of a token."""
QUEUE_BITS = 2
"""Its queues have 2 ** 2 places, and hold one token less."""
UNROLL, DATAFLOW = "#pragma HLS UNROLL", "#pragma HLS DATAFLOW"
LOOP = re.compile(r"\s*(for|while)\b")
PROCESS = re.compile(r"static void (\w+)\(hls::stream<")


def compile_core(source: Source, folder: Path, clock_mhz: float, timeout_s: float) -> dict[str, str]:
    """Compile the core; return its Verilog and memory files by name.

    Raises:
        SynthesisError: it failed, took too long, or left no Verilog; or a token is too wide for it, by an assertion.
    """
    work = folder / FOLDER
    shutil.rmtree(work, ignore_errors=True)
    for name, text in source.files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(plain(text, dataflow=name == f"{source.top}.cpp"), encoding="utf-8")
    command = ["bambu", f"{source.top}.cpp", f"--top-fname={source.top}", *OPTIONS]
    run([*command, f"--clock-period={1000 / clock_mhz:g}"], work, folder / LOG, timeout_s, error=SynthesisError)
    made = [path for path in sorted(work.iterdir()) if path.suffix in (".v", ".mem")]
    files = {path.name: _queues(path.read_text(encoding="utf-8"), source.branch) for path in made}
    shutil.rmtree(work)
    return files


def _queues(verilog: str, tokens: int) -> str:
    """Return Verilog whose queues hold so many tokens: it has no pragma for that, and joins would wait for ever."""
    needed = max(QUEUE_BITS, (tokens + 1).bit_length())
    return verilog.replace(f".QUEUESIZE_LOG({QUEUE_BITS})", f".QUEUESIZE_LOG({needed})")


def plain(text: str, *, dataflow: bool) -> str:
    """Return C++ as Bambu takes it.

    Of its pragmas stay those to unroll, before a loop, and of the top, ports and ``dataflow``. There, each process gets
    a section of its own: equal functions are merged, and a process that is called twice is an error.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if dataflow:
            line = PROCESS.sub(r'__attribute__((section("\1"))) static void \1(hls::stream<', line)
        word = line.strip()
        if word == UNROLL:
            at = next(at for at in range(len(lines) - 1, -1, -1) if LOOP.match(lines[at]))
            lines.insert(at, "#pragma unroll")
        elif not word.startswith("#pragma HLS") or "mode=axis" in word or (dataflow and word == DATAFLOW):
            lines.append(line)
    return "\n".join(lines)
