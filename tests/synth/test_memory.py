# SPDX-License-Identifier: Apache-2.0
"""Memory sizes against what Verilator elaborates, and the refusal of what does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_branches import random_branching_graph
from random_graphs import random_conv_graph, random_graph, random_spread_graph

from codesign.errors import SynthesisError
from codesign.fixed import Fixed
from codesign.graph import Delta, Dense, Graph, Source
from codesign.rtl import emit, top_spec
from codesign.rtl.leaves import FOLDER
from codesign.rtl.netlist import Instance, Part, Top
from codesign.rtl.spec import word_lanes
from codesign.rtl.top import top_of
from codesign.synth import synthesise, synthesise_graph
from codesign.synth.memory import (
    CAPACITY_BITS,
    Memory,
    Plan,
    check_fits,
    memories,
    plan,
    with_ultra,
)
from codesign.synth.resources import ULTRA_BITS, DeviceMemory
from codesign.synth.target import load_target
from codesign.tools import run


def elaborated(graph: Graph, folder: Path) -> dict[str, tuple[int, int]]:
    """Return words and width of every unpacked array below the top, by hierarchical name, as Verilator sees them."""
    for name, text in emit(graph).items():
        (folder / name).write_text(text)
    module = top_spec(graph).module
    sources = (folder / "filelist.f").read_text().split()
    run(["verilator", "--json-only", "--top-module", module, *sources], folder, folder / "log", 120.0)
    tree = json.loads((folder / "obj_dir" / f"V{module}.tree.json").read_text())
    nodes = {node["addr"]: node for node in all_nodes(tree)}
    top = next(node for node in tree["modulesp"] if node["name"] == module)
    return dict(arrays(top, nodes, ""))


def all_nodes(item: Any) -> Iterator[dict[str, Any]]:
    if isinstance(item, dict):
        if "addr" in item:
            yield item
        for value in item.values():
            yield from all_nodes(value)
    elif isinstance(item, list):
        for value in item:
            yield from all_nodes(value)


def arrays(module: dict[str, Any], nodes: dict[str, dict[str, Any]], prefix: str) -> Iterator[tuple[str, Any]]:
    for path, node in named(module["stmtsp"], prefix):
        if node["type"] == "CELL":
            yield from arrays(nodes[node["modp"]], nodes, f"{path}.")
        elif nodes.get(node["dtypep"], {}).get("type") == "UNPACKARRAYDTYPE":
            kind = nodes[node["dtypep"]]
            low, high = (int(end) for end in kind["declRange"].strip("[]").split(":"))
            left, right = (int(end) for end in nodes[kind["refDTypep"]].get("range", "0:0").split(":"))
            yield path, (abs(high - low) + 1, left - right + 1)


def named(items: list[dict[str, Any]], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the variables and instances of a scope; generate blocks count as scopes."""
    for node in items:
        if node["type"] == "GENBLOCK":
            name = node["name"]
            yield from named(node["itemsp"], f"{prefix}{name}." if name else prefix)
        elif node["type"] in ("CELL", "VAR"):
            yield f"{prefix}{node['name']}", node


GRAPHS = {
    **{f"dense {seed}": ("dense", seed) for seed in range(6)},
    **{f"convolutions {seed}": ("conv", seed) for seed in range(10)},
    **{f"branches {seed}": ("branches", seed) for seed in range(10)},
    "spread": ("spread", 31),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_sizes_are_those_that_are_elaborated(name: str, tmp_path: Path) -> None:
    kind, seed = GRAPHS[name]
    makers: dict[str, Callable[[np.random.Generator], Graph]] = {
        "dense": random_graph,
        "conv": random_conv_graph,
        "branches": random_branching_graph,
        "spread": random_spread_graph,
    }
    make = makers[kind]
    graph = make(np.random.default_rng(seed))
    found = memories(top_of(graph))
    assert {memory.path: (memory.words, memory.width) for memory in found} == elaborated(graph, tmp_path)
    assert {memory.layer for memory in found} <= {node.name for node in graph.nodes}
    assert sum(memory.bits for memory in found if memory.kind == "references") >= sum(
        node.size * node.fmt.width for node in graph.deltas if node.size > word_lanes(graph, node)
    )


def large(units: int) -> Graph:
    """Return 4096 inputs and one dense layer."""
    code, wide = Fixed(width=4, frac=0, signed=False), Fixed(width=24, frac=0, signed=True)
    weight, bias = np.ones((4096, units), np.int64), np.zeros(units, np.int64)
    source = Source(name="frame", shape=(4096,), fmt=code, lanes=16)
    delta = Delta(name="d0", input="frame", shape=(4096,), in_fmt=code, fmt=code, activation="relu", lo=0, hi=15)
    dense = Dense(name="fc", input="d0", weight=weight, bias=bias, weight_fmt=code, fmt=wide, pe=1)
    return Graph(name="large", nodes=(source, delta, dense))


def test_what_does_not_fit_is_refused_before_synthesis(tmp_path: Path) -> None:
    graph = large(300)  # 4096 * 300 * 5 bits
    with pytest.raises(SynthesisError) as error:
        synthesise_graph(graph, target="ecp5", folder=tmp_path / "synth")
    message = str(error.value)
    parts = ("large_top: ", "do not fit ecp5", "3,833,856 bits of block RAM", "fc 6,1", "d0 16,384", "layer 'fc'")
    for part in (*parts, "weights 6,144,000", "references 16,384", "known boards that they fit: --target zcu104"):
        assert part in message
    assert not (tmp_path / "synth").exists()


def test_the_limit_is_the_capacity() -> None:
    capacity = CAPACITY_BITS["ecp5"]
    fits = Memory(layer="fc", kind="weights", words=capacity, width=1, path="a")
    check_fits([fits, Memory(layer="d", kind="queue", words=9, width=9, path="b", registered=False)], "ecp5", where="t")
    with pytest.raises(SynthesisError, match="fewer outputs"):
        check_fits([fits, Memory(layer="fc", kind="biases", words=1, width=1, path="c")], "ecp5", where="t")


def test_an_unknown_leaf_is_an_error() -> None:
    leaf = Instance(leaf="new", name="a_new", node="a", parameters={"Words": 3})
    top = Top(graph="t", pipeline="", spec=top_spec(large(2)), parts=(Part(about="a", instances=(leaf,)),))
    with pytest.raises(SynthesisError, match="i_a_new: the memories of delta_new are not known"):
        memories(top)


def memory(kind: str, words: int, width: int) -> Memory:
    return Memory(layer="conv", kind=kind, words=words, width=width, path=f"{kind} {words}")


BLOCK = 1_000_000
PLANS = {
    "all in block RAM": ([memory("state", 1000, 1000)], Plan(block_bits=BLOCK)),
    "state": ([memory("state", 4096, 288)], Plan(block_bits=0, ultra_rams=4, least_bits=4096 * 288)),
    "only the largest": (
        [memory("state", 8192, 144), memory("references", 1000, 72)],
        Plan(block_bits=72_000, ultra_rams=4, least_bits=8192 * 144),
    ),
    "weights stay": (
        [memory("weights", 10_000, 90), memory("state", 5000, 73)],
        Plan(block_bits=900_000, ultra_rams=4, least_bits=5000 * 73),
    ),
    "a narrow one takes whole UltraRAMs": (
        [memory("state", 4 * 4096, 1), memory("weights", 1000, 990)],
        Plan(block_bits=990_000, ultra_rams=4, least_bits=4 * 4096),
    ),
    "weights alone": ([memory("weights", 1001, 1000)], None),
    "more UltraRAMs than there are": ([memory("state", 4 * 4096 + 1, 72)], None),
    "too narrow for UltraRAM": ([memory("state", 4097, 289)], None),
}


@pytest.mark.parametrize("name", PLANS)
def test_where_memories_go(name: str) -> None:
    found, expected = PLANS[name]
    assert plan(found, DeviceMemory(block_bits=BLOCK, ultra_rams=4)) == expected
    assert plan(found, DeviceMemory(block_bits=BLOCK)) == (
        expected if expected and expected.least_bits is None else None
    )


@pytest.mark.parametrize(("board", "rams"), [("kv260", 64), ("zcu104", 96), ("pynq-z2", 0), ("ulx3s-85f", 0)])
def test_boards_with_ultra_ram(board: str, rams: int) -> None:
    assert load_target(board).capacity.memory.ultra_rams == rams


def test_a_third_of_the_memory_of_a_kv260_fits() -> None:
    """31 % of all its bits, more than its block RAM holds, most of it state."""
    capacity = load_target("kv260").capacity.memory
    need = int(0.31 * capacity.bits)
    assert need > capacity.block_bits
    state = memory("state", 30_000, 216)
    found = [state, memory("weights", need - state.bits, 1)]
    made = check_fits(found, "kv260", where="net", capacity=capacity.block_bits, ultra_rams=capacity.ultra_rams)
    assert made.ultra_rams == 24
    with pytest.raises(SynthesisError, match=r"5,308,416 bits of block RAM\. Received: 7,"):
        check_fits(found, "kv260", where="net", capacity=capacity.block_bits)


def test_what_fits_no_board_is_said() -> None:
    huge = [memory("weights", 1_000_000, 1000)]
    capacity = load_target("kv260").capacity.memory
    with pytest.raises(SynthesisError) as error:
        check_fits(huge, "kv260", where="net", capacity=capacity.block_bits, ultra_rams=capacity.ultra_rams)
    message = str(error.value)
    for part in (
        f"64 UltraRAMs of {ULTRA_BITS:,} bits for state, references, marks alone",
        "1,000,000,000 bits (weights 1,000,000,000)",
        "most in the layers conv 1,000,000,000",
        "more memory than those of `codesign build --targets`",
    ):
        assert part in message


def test_the_leaves_ask_for_ultra_ram_only_when_told() -> None:
    files = emit(large(2))
    assert with_ultra(files, None) == files
    changed = with_ultra(files, 4096)
    assert [name for name in files if files[name] != changed[name]] == ["delta_state.sv", "delta_accumulate.sv"]
    for name in ("delta_state.sv", "delta_accumulate.sv"):
        assert changed[name].count('ram_style = Words * Width >= 4096 ? "ultra" : Words > 16') == 1
        assert '"ultra"' not in files[name]


def test_memories_that_may_be_ultra_ram_have_no_first_contents() -> None:
    """A leaf with such a memory must not read a file into it."""
    for name in ("delta_state.sv", "delta_accumulate.sv"):
        assert "readmem" not in (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.heavy
@pytest.mark.parametrize(("leaf", "sizes"), [("state", {"Words": 5000, "Width": 100}), ("accumulate", {"Words": 5000})])
def test_yosys_takes_them_for_ultra_ram(leaf: str, sizes: dict[str, int], tmp_path: Path) -> None:
    text = (FOLDER / f"delta_{leaf}.sv").read_text(encoding="utf-8")
    for name, value in sizes.items():
        text = text.replace(f"parameter int unsigned {name} = 1,", f"parameter int unsigned {name} = {value},")
    for least, kind in ((None, "RAMB36E2"), (4096, "URAM288")):
        folder = tmp_path / kind
        synthesise(with_ultra({f"delta_{leaf}.sv": text}, least), f"delta_{leaf}", target="xcup", folder=folder)
        cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        found = {name: number for name, number in cells.items() if "RAMB" in name or "URAM" in name}
        assert set(found) == {kind}
        if leaf == "state":
            assert found[kind] <= memory("state", 5000, 100).ultra_rams or kind != "URAM288"
