# SPDX-License-Identifier: Apache-2.0
"""Faults put into the HLS kernels on purpose: the comparison with the golden model must find every one."""

import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import rich_branch_design, rich_conv_design, rich_design, rich_unrolled_design, walk

from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.library import fresh_project, link

pytestmark = [pytest.mark.timeout(300), pytest.mark.heavy]

MUTANTS = {
    "ties round up": ("common", "(rest == half && shift != 0 && floor[0] == 1)", "(rest == half && shift != 0)"),
    "hold lets one step less through": (
        "activation",
        "if (moved < threshold && -moved <",
        "if (moved <= threshold && -moved <",
    ),
    "hold forgets": ("activation", "sent[slot] = code;", "sent[slot] = 0;"),
    "no upper clip": ("activation", "if (q > wide_t(CONFIG_T::hi))", "if (false)"),
    "one step for all channels": ("activation", "const unsigned c = e % CONFIG_T::n_step;", "const unsigned c = 0;"),
    "activation ignores reset": (
        "activation",
        "const bool first_of_stream = reset || !running;",
        "const bool first_of_stream = !running;",
    ),
    "accumulators ignore reset": (
        "dense",
        "if (first_of_stream)\n            state[o]",
        "if (false)\n            state[o]",
    ),
    "scan ignores reset": (
        "scan",
        "const typename CONFIG_T::code_t last = first_of_stream ?",
        "const typename CONFIG_T::code_t last = false ?",
    ),
    "address off by one": (
        "scan",
        "beat * CONFIG_T::lanes + lane;\n                delta[",
        "beat * CONFIG_T::lanes;\n                delta[",
    ),
    "last event of a full beat dropped": ("scan", "events += count;", "events += count - (count == CONFIG_T::lanes);"),
    "state stored only if changed": (
        "scan",
        "sent[beat][lane] = now[lane];",
        "if (lane != 0) sent[beat][lane] = now[lane];",
    ),
    "unchanged codes are events": ("scan", "count += change[lane] != 0 ? 1 : 0;", "count += 1;"),
}

CONV_MUTANTS = {
    "nothing is forwarded": ("conv", "if (recent_word[i - 1] == word)", "if (false)"),
    "the oldest is forwarded": (
        "conv",
        "unsigned i = shape::recent; i > 0; i--) {\n            #pragma HLS UNROLL\n            if (recent_word",
        "unsigned i = 1; i <= shape::recent; i++) {\n            #pragma HLS UNROLL\n            if (recent_word",
    ),
    "the last words are not stored": ("conv", "while (n < located + shape::recent)", "while (n < located)"),
    "convolution ignores reset": (
        "conv",
        "for (unsigned word = 0; first_of_stream && word <",
        "for (unsigned word = 0; false && word <",
    ),
    "one output too few": ("conv", "? last - first + 1 : 0", "? last - first : 0"),
    "padding on the left forgotten": ("conv", "CONFIG_T::in_width + CONFIG_T::pad_left", "CONFIG_T::in_width"),
    "weights of another row": ("conv", "taps_back = y * CONFIG_T::stride_height *", "taps_back = y *"),
    "depthwise adds to every lane": ("conv", "lane == span.lane))", "true))"),
}

UNROLL_MUTANTS = {
    "rows beyond the border are reached": ("conv", "reaches = adds && y < span.rows &&", "reaches = adds &&"),
    "columns beyond the border are reached": ("conv", "&& x < span.columns;", ";"),
    "every event starts in the first row of banks": ("conv", "first_y % CONFIG_T::tap_rows", "0"),
    "banks before the first hold the same column": ("conv", "(j < span.bank_column ? 1 : 0)", "0"),
    "one row of banks is emitted": ("conv", "state[y % CONFIG_T::tap_rows]", "state[0]"),
    "the last rows of an event are left out": (
        "conv",
        "(row + 1) * CONFIG_T::tap_rows >=",
        "(row + 2) * CONFIG_T::tap_rows >=",
    ),
}

BRANCH_MUTANTS = {
    "padding on the left forgotten by the pooling": ("pool", "x - CONFIG_T::pad_left) *", "x) *"),
    "padding holds the code beside": ("pool", "x - CONFIG_T::pad_left < CONFIG_T::in_width", "true"),
    "the minimum": ("pool", "else if (code > total[lane])", "else if (code < total[lane])"),
    "sums are maxima": ("pool", "else if (!CONFIG_T::maximum)", "else if (false)"),
    "windows run into each other": ("pool", "if (tap == 0)", "if (tap == 0 && word == 0)"),
    "windows overlap": ("pool", "* CONFIG_T::stride_width + tap", "+ tap"),
    "the first channels are pooled": ("pool", "word % shape::groups * CONFIG_T::pe;", "0;"),
    "rows are tiled, not repeated": ("upsample", "/ CONFIG_T::height_factor;", "% CONFIG_T::in_height;"),
    "columns are tiled, not repeated": ("upsample", "/ CONFIG_T::width_factor;", "% CONFIG_T::in_width;"),
    "the first channels are repeated": ("upsample", "+ word % shape::groups * CONFIG_T::pe;", ";"),
    "the first input is not shifted": ("join", "<< CONFIG_T::shift_first", "<< 0"),
    "the second input is not shifted": ("join", "<< CONFIG_T::shift_second", "<< 0"),
    "the second input starts elsewhere": ("join", "c - CONFIG_T::n_first;", "c % CONFIG_T::n_second;"),
    "concatenated codes are of one position": ("join", "second[position * CONFIG_T::n_second", "second[0"),
    "a copy lacks an element": ("join", "second[e] = data[e];", "second[e] = e == 1 ? data_T(0) : data[e];"),
}

STREAM_MUTANTS = {
    "packets are read as their first code": (
        "stream",
        "= in[lane];\n        }\n    }\n}",
        "= in[0];\n        }\n    }\n}",
    ),
    "packets are written as the first": ("stream", "frame[p * res_T::size + lane];", "frame[lane];"),
    "a copy repeats its first packet": (
        "stream",
        "out[lane] = in[lane];\n        }\n        first.write(out);",
        "out[lane] = in[0];\n        }\n        first.write(out);",
    ),
}

DESIGNS = {
    "dense": (rich_design, "io_parallel", MUTANTS),
    "conv": (rich_conv_design, "io_parallel", CONV_MUTANTS),
    "unroll": (rich_unrolled_design, "io_parallel", UNROLL_MUTANTS),
    "branch": (rich_branch_design, "io_parallel", BRANCH_MUTANTS),
    "stream": (rich_branch_design, "io_stream", STREAM_MUTANTS),
}
WRONG = 42
"""Exit status of a process in which outputs or counters differ."""
ALL = [(design, name) for design, (_, _, mutants) in DESIGNS.items() for name in mutants]


@pytest.fixture(scope="module", params=DESIGNS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    make, io_type, _ = DESIGNS[request.param]
    made = make().convert(tmp_path_factory.mktemp(request.param), io_type=io_type)
    made.project = fresh_project(made)
    script = made.project / "build_lib.sh"
    script.write_text(script.read_text().replace("-O3", "-O1"))  # compiled once for every fault, run for moments
    return made


def wrong(model: Any, project: Path) -> int:
    """Return how many outputs and counters of ``project`` differ over a stream with 20 resets."""
    link(model, project, project / "log")
    source = model.delta_graph.source
    stream = walk(np.random.default_rng(5), source.fmt, source.shape, 300)
    count = 0
    for part in np.split(stream, 20):
        model.reset()
        trace = Golden(model.delta_graph).run(part)
        count += int((model.delta_graph.output.fmt.to_codes(model.predict(part)) != trace.outputs).sum())
        for node in model.delta_graph.linears:
            moved = trace.deltas[node.input] != 0
            stats = model.csim_stats[node.name]["per_frame"]
            count += int((stats["events"] != moved.sum(axis=1)).sum() + (stats["macs"] != moved @ node.fanout()).sum())
    return count


def found(model: Any, project: Path) -> bool:
    """Return whether anything is wrong, found out in a process of its own: a fault may write beyond an array."""

    def child() -> None:
        os._exit(WRONG if wrong(model, project) else 0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    code = process.exitcode
    assert code is not None
    assert code in (0, WRONG) or code < 0, "neither wrong nor crashed: see what it printed"
    return process.exitcode != 0


@pytest.mark.parametrize("model", DESIGNS, indirect=True)
def test_nothing_is_wrong_without_a_fault(model: Any) -> None:
    assert wrong(model, model.project) == 0


@pytest.mark.parametrize(("model", "name"), ALL, indirect=["model"])
def test_mutant_is_killed(request: pytest.FixtureRequest, model: Any, name: str, tmp_path: Path) -> None:
    design = request.node.callspec.params["model"]
    header, old, new = DESIGNS[design][2][name]
    project = shutil.copytree(model.project, tmp_path / "project", ignore=shutil.ignore_patterns("*.so"))
    path = project / "firmware" / "nnet_utils" / f"nnet_delta_{header}.h"
    good = path.read_text()
    assert good.count(old) == 1, name
    path.write_text(good.replace(old, new))
    assert found(model, project), "this fault went unnoticed"
