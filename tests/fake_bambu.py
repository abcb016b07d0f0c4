# SPDX-License-Identifier: Apache-2.0
"""A PandA-Bambu that compiles nothing: it checks what it is given, and leaves what the real one made of `tiny_hls`.

FAKE_BAMBU in the environment says what goes wrong: see `FAULTS`.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import sys
import tarfile
import time
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"
CORE, ABOUT = RECORDED / "bambu.tar.gz", RECORDED / "bambu.json"
FAULTS = ("", "version", "fails", "hangs", "nothing", "other weight", "wide")
VERSION = """\
********************************************************************************
                         High-Level Synthesis Tool
********************************************************************************
 Version: PandA {version} - Revision 683d87153f20f75687bfdb928fdd6256abcab09f-main
"""
WIDE = """\
Error in compilation
tiny_stream.cpp:81:1: error: static assertion failed due to requirement \
'nnet::delta_bits<ac_int<65, false>>::value <= 64': \
s_axis: a token of more than 64 bits; choose fewer PE, or fewer lanes (P) at the input
tiny_stream.cpp:81:56: note: expression evaluates to '65 <= 64'
1 error generated.
error -> Front-end compiler returns an error during compilation 2.
"""
"""What the real one prints of an assertion that fails."""
OPTIONS = (
    r"--top-fname=\w+",
    r"--compiler=I386_CLANG16",
    r"--std=c\+\+(11|14)",
    r"-O[0123s]",
    r"-D\w+(=\w+)?",
    r"--generate-interface=INFER",
    r"--reset-type=(no|sync|async)",
    r"--clock-period=\d+(\.\d+)?",
    r"-v[0-4]",
    r"-t\d+",
)
"""Options of the real one that it knows."""
NEEDED = ("--top-fname=", "--clock-period=", "--generate-interface=INFER", "--reset-type=sync", "-D__SYNTHESIS__")
CONSTANT = re.compile(r"^static const [\w:<>]+ \w+\[\d+\] = \{.*\};$", re.MULTILINE)


def files() -> dict[str, str]:
    """Return what was recorded: text of the Verilog and of the memory files by name."""
    with tarfile.open(CORE) as archive:
        members = [(member.name, archive.extractfile(member)) for member in archive.getmembers()]
        return {name: stream.read().decode() for name, stream in members if stream is not None}


def pack(made: dict[str, str], path: Path) -> None:
    """Write ``made`` as an archive of the same bytes each time."""
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        for name, text in sorted(made.items()):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    path.write_bytes(gzip.compress(tape.getvalue(), mtime=0))


def about() -> dict[str, object]:
    """Return what is known about the recording: compiler, command, constants of the network, bits that are a weight."""
    found: dict[str, object] = json.loads(ABOUT.read_text())
    return found


def constants(text: str) -> list[str]:
    """Return the parameters of a network in its C++."""
    return CONSTANT.findall(text)


def main(arguments: list[str]) -> int:
    """Do what FAKE_BAMBU says; the working folder receives the recorded files."""
    fault = os.environ.get("FAKE_BAMBU", "")
    assert fault in FAULTS, f"FAKE_BAMBU: {fault}"
    print(VERSION.format(version="2023.1" if fault == "version" else "2024.10"))
    if arguments == ["--version"]:
        return 0
    if fault == "hangs":
        time.sleep(600)
    if fault == "wide":
        print(WIDE)
        return 11
    problem = "no registers left" if fault == "fails" else _problem(arguments)
    if problem:
        print(f"error -> {problem}")
        return 1
    if fault != "nothing":
        for name, text in files().items():
            Path(name).write_text(_other(text) if fault == "other weight" and name in _weight() else text)
    return 0


def _weight() -> list[str]:
    """Return the files that a weight is in."""
    names = about()["weight"]
    assert isinstance(names, list)
    return [str(name) for name in names]


def _other(text: str) -> str:
    """Return a memory file with another lowest bit in the first line that is not 0."""
    lines = text.split("\n")
    at = next(at for at, line in enumerate(lines) if "1" in line)
    lines[at] = lines[at][:-1] + str(1 - int(lines[at][-1]))
    return "\n".join(lines)


def _problem(arguments: list[str]) -> str:
    """Return what the real one would not take, or what was not recorded."""
    options = [word for word in arguments if word.startswith("-")]
    sources = [word for word in arguments if not word.startswith("-")]
    unknown = [word for word in options if not any(re.fullmatch(known, word) for known in OPTIONS)]
    missing = [word for word in NEEDED if not any(option.startswith(word) for option in options)]
    if unknown or missing or len(sources) != 1:
        return f"unknown options {unknown}, missing options {missing}, sources {sources}"
    text = Path(sources[0]).read_text(encoding="utf-8")
    top = next(word.partition("=")[2] for word in options if word.startswith("--top-fname="))
    if not re.search(rf"^extern \"C\" void {top}\(hls::stream<.*> &s_axis, hls::stream<.*> &m_axis\) \{{$", text, re.M):
        return f"no function {top} of two streams in {sources[0]}"
    headers = [name for name in re.findall(r'^#include "(.*)"$', text, re.MULTILINE) if not Path(name).is_file()]
    if headers:
        return f"fatal error: {headers[0]}: No such file"
    if text.count("#pragma HLS INTERFACE mode=axis port=") != 2 or "#pragma HLS DATAFLOW" not in text:
        return "no streams at the ports, or no dataflow"
    if constants(text) != about()["constants"]:
        return "this is not the network that was recorded: run `python tests/record_bambu.py`"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
