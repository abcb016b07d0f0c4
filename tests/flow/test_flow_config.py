# SPDX-License-Identifier: Apache-2.0
"""Every way a design's TOML can be wrong is an error that names file, key and what to write instead."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import get_type_hints

import pytest

from codesign.errors import ConfigError, OldNameWarning
from codesign.flow.config import Design, load
from codesign.paths import boards
from codesign.synth.target import read_target
from codesign.training import BlockConfig

ROOT = Path(__file__).parents[2]


def write(tmp_path: Path, body: str, head: str = '[design]\nname = "x"\n') -> Path:
    path = tmp_path / "x.toml"
    path.write_text(head + body)
    return path


def test_defaults(tmp_path: Path) -> None:
    design = load(write(tmp_path, ""))
    assert design.design.name == "x"
    assert design.hardware.pe == 16
    assert design == Design(design=design.design)


def test_shipped_designs_load() -> None:
    designs = sorted([*(ROOT / "flows").glob("*.toml"), *(ROOT / "flows" / "found").glob("*.toml")])
    assert designs
    for path in designs:
        assert load(path).design.name == path.stem


def test_values(tmp_path: Path) -> None:
    design = load(write(tmp_path, '[hardware]\npe = 8\n[hardware.layer.fc1]\npe = 4\n[synth]\ntargets = ["xc7"]\n'))
    assert design.hardware.pe == 8
    assert design.hardware.layer["fc1"].pe == 4
    assert design.synth.targets == ("xc7",)
    assert load(write(tmp_path, "[report]\nclock_mhz = 50\n")).report.clock_mhz == 50.0


@pytest.mark.tools
def test_a_layer_s_unroll_under_its_old_name(tmp_path: Path) -> None:
    layer = "[hardware.layer.conv1]\n"
    blocks = '[[model.blocks]]\nkind = "conv"\nfilters = 8\n'
    with pytest.warns(OldNameWarning, match=r"hardware\.layer\.conv1: 'taps' is now 'unroll'"):
        old = load(write(tmp_path, f"{blocks}{layer}taps = [2, 1]\n"))
    assert old == load(write(tmp_path, f"{blocks}{layer}unroll = [2, 1]\n"))
    assert old.hardware.engines().unroll == {"conv1": (2, 1)}
    with pytest.raises(ConfigError, match=r"layer\.conv1: 'taps' is the old name of 'unroll'.*remove 'taps'"):
        load(write(tmp_path, f"{blocks}{layer}taps = [2, 1]\nunroll = [2, 1]\n"))


def test_blocks_inline_and_as_tables_are_the_same(tmp_path: Path) -> None:
    inline = load(write(tmp_path, '[model]\nblocks = [{kind = "conv", filters = 8}, {kind = "maxpool", kernel = 2}]\n'))
    tables = '[[model.blocks]]\nkind = "conv"\nfilters = 8\n[[model.blocks]]\nkind = "maxpool"\nkernel = 2\n'
    assert inline == load(write(tmp_path, tables))
    assert inline.model.blocks == (BlockConfig(kind="conv", filters=8), BlockConfig(kind="maxpool", kernel=2))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("filters = 8", r"blocks\[1\]\.kind: missing.*'conv'.*'residual'.*add it"),
        ('kind = "convolution"', r"blocks\[1\]\.kind: not a valid choice.*did you mean 'conv'"),
        ('kind = "conv", filter = 8', r"blocks\[1\]\.filter: unknown key.*did you mean 'filters'"),
        ('kind = "residual"', r"blocks\[1\]\.filters: missing.*output channels of the residual block.*add it"),
        ('kind = "conv", filters = "8"', r"blocks\[1\]\.filters: wrong type.*a whole number.*'8'"),
        ('kind = "conv", filters = 0', r"blocks\[1\]\.filters: out of range.*1 to 4096.*Received: 0"),
        ('kind = "separable", filters = 8, stride = 0', r"blocks\[1\]\.stride: out of range.*1 to 32.*Received: 0"),
        ('kind = "conv", filters = 8, kernel = 33', r"blocks\[1\]\.kernel: out of range.*Received: 33"),
        ('kind = "maxpool", filters = 8', r"blocks\[1\]\.filters: a pool keeps.*Received: 8.*remove the key"),
        ('kind = "avgpool"', r"blocks\[1\]\.kernel: .*a power of two.*Received: 3.*use 2 or 4"),
    ],
)
def test_bad_block(tmp_path: Path, block: str, message: str) -> None:
    body = f'[model]\nblocks = [{{kind = "conv", filters = 4}}, {{{block}}}]\n'
    with pytest.raises(ConfigError, match=r"x\.toml:model\." + message):
        load(write(tmp_path, body))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[hardwear]\n", r"x\.toml:hardwear: unknown section 'hardwear'.*did you mean 'hardware'"),
        ("[hardware]\npes = 3\n", r"x\.toml:hardware\.pes: unknown key 'pes'.*did you mean 'pe'"),
        ("[hardware.layer.fc1]\nep = 3\n", r"x\.toml:hardware\.layer\.fc1\.ep: unknown key.*did you mean 'pe'"),
        ('[hardware]\npe = "3"\n', r"hardware\.pe: wrong type.*a whole number.*'3'"),
        ("[hardware]\npe = true\n", r"hardware\.pe: wrong type.*True"),
        ("[hardware]\npe = 1.5\n", r"hardware\.pe: wrong type"),
        ("[hardware]\npe = 0\n", r"hardware\.pe: out of range.*1 to 4096.*Received: 0"),
        ("hardware = 3\n", r"hardware: not a table"),
        ('[hardware]\nio_type = "io_paralel"\n', r"io_type: not a valid choice.*did you mean 'io_parallel'"),
        ('[synth]\ntargets = ["ecp6"]\n', r"synth\.targets: not a valid choice.*did you mean 'ecp5'"),
        ('[synth]\ntargets = "ecp5"\n', r"synth\.targets: wrong type.*a list"),
        ("[clip]\nframes = 1\n", r"clip\.frames: out of range.*2 to 100000"),
        ("[report]\nclock_mhz = nan\n", r"report\.clock_mhz: out of range"),
        ("[model]\nblocks = [3]\n", r"model\.blocks\[0\]: not a table.*Received: 3"),
        ("[clip\n", r"x\.toml: not valid TOML.*line"),
    ],
)
def test_bad_toml(tmp_path: Path, body: str, message: str) -> None:
    head = "" if body.startswith("hardware =") else '[design]\nname = "x"\n'
    tail = '[design]\nname = "x"\n' if not head else ""
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path, body + tail, head))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", r"x\.toml:design: missing"),
        ("[design]\nseed = 1\n", r"x\.toml:design\.name: missing.*a string"),
        ('[design]\nname = "a b"\n', r"design\.name: not an identifier.*'a b'"),
        ('[design]\nname = "x"\nseed = -1\n', r"design\.seed: out of range"),
    ],
)
def test_bad_design_section(tmp_path: Path, head: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path, "", head))


def test_missing_file(tmp_path: Path) -> None:
    for read, example in ((load, "moving_digits"), (read_target, "boards/ulx3s-85f")):
        with pytest.raises(ConfigError, match=rf"none\.toml: cannot be read.*flows/{example}\.toml.*Next step: check"):
            read(tmp_path / "none.toml")


def test_a_byte_order_mark_is_none_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbf[design]\r\nname = "x"\r\n')
    assert load(path).design.name == "x"


def test_what_is_known_already_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "other"\n' + (boards() / "icebreaker.toml").read_text())
    with pytest.raises(ConfigError, match=r"name: unknown section 'name'. Expected: one of title"):
        read_target(path)


def test_not_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(path)


def records() -> list[tuple[str, str, type]]:
    """Return the name of each section, its heading in docs/cli.md, and its record."""
    kinds = get_type_hints(Design)
    sections = [(item.name, f"[{item.name}]", kinds[item.name]) for item in dataclasses.fields(Design)]
    return [*sections, ("model.blocks", "[[model.blocks]]", BlockConfig)]


@pytest.mark.parametrize(("name", "heading", "kind"), records())
def test_every_key_and_its_default_is_documented(name: str, heading: str, kind: type) -> None:
    part = (ROOT / "docs" / "cli.md").read_text().split(f"### `{heading}`")[1].split("###")[0]
    for item in dataclasses.fields(kind):
        row = re.search(rf"^\| `{item.name}` \| (.*?) \|", part, re.MULTILINE)
        if item.name == "layer":
            continue
        assert row, f"{name}.{item.name} is not in docs/cli.md"
        if item.default not in (None, dataclasses.MISSING):
            default = list(item.default) if isinstance(item.default, tuple) else item.default
            assert row[1] == f"`{json.dumps(default)}`", f"docs/cli.md: {name}.{item.name} is now {default}"
