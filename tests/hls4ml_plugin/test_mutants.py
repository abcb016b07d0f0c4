# SPDX-License-Identifier: Apache-2.0
"""Faults put into the HLS kernels on purpose: the comparison with the golden model must find every one."""

import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hls_trips import check_trips
from random_models import rich_branch_design, rich_conv_design, rich_design, rich_unrolled_design, walk

from codesign.graph.golden import Golden
from codesign.hls4ml_plugin.library import fresh_project, link

pytestmark = [pytest.mark.timeout(300), pytest.mark.heavy]

STARTS = "delta_starts<CONFIG_T>(reset);\n\n{}:"
NEVER = "delta_starts<CONFIG_T>(false);\n\n{}:"

MUTANTS = {
    "ties round up": ("common", "(rest == half && shift != 0 && floor[0] == 1)", "(rest == half && shift != 0)"),
    "hold lets one step less through": (
        "activation",
        "if (moved < threshold && -moved <",
        "if (moved <= threshold && -moved <",
    ),
    "what was sent is forgotten": ("activation", "codes[at] = code;", "codes[at] = 0;"),
    "what was sent is not stored in the first lane": (
        "activation",
        "codes[at] = code;",
        "if (lane != 0) codes[at] = code;",
    ),
    "no upper clip": ("activation", "if (q > wide_t(CONFIG_T::hi))", "if (false)"),
    "one step for all channels": ("activation", "const unsigned c = e % CONFIG_T::n_step;", "const unsigned c = 0;"),
    "activation ignores the start of a stream": (
        "activation",
        "first_of_stream = first_of_stream || start;",
        "first_of_stream = false;",
    ),
    "the start of a stream ends a frame of events": (
        "activation",
        "start ? tokens::event::start() : tokens::event::last()",
        "tokens::event::last()",
    ),
    "words without a change are sent": ("activation", "    if (changed)\n", "    if (true)\n"),
    "scan ignores the start of a stream": ("activation", "(beat, z, first_of_stream,", "(beat, z, false,"),
    "scan starts no stream": ("activation", "    if (first_of_stream)\n", "    if (false)\n"),
    "arrays start no stream": ("ports", STARTS.format("Beat"), NEVER.format("Beat")),
    "accumulators ignore the start of a stream": (
        "dense",
        "w < CONFIG_T::reuse_factor && start; w++",
        "w < CONFIG_T::reuse_factor && false; w++",
    ),
    "results do not start": ("dense", "if (started)\n", "if (false)\n"),
    "the first words get all": (
        "dense",
        "shape::chunks::store(value, c, state[word][c]);",
        "shape::chunks::store(value, c, state[0][c]);",
    ),
    "results of a frame without events": ("dense", "touched = some;", "touched = true;"),
    "no results of a new stream": ("dense", "some = some || !done;", "some = some || !(done || start);"),
    "the first results are sent again": ("dense", "get(total[word / shape::pieces],", "get(total[0],"),
    "address of the first lane": ("activation", "* CONFIG_T::lanes + first, delta", "* CONFIG_T::lanes, delta"),
    "the last lane is dropped": (
        "activation",
        "!done && !start &&",
        "!done && !start && lane + 1 < CONFIG_T::lanes &&",
    ),
    "one event of a word": ("activation", "left = left & (left - 1);", "left = 0;"),
    "the output forgets": ("frame", "% CONFIG_T::lanes] += typename", "% CONFIG_T::lanes] = typename"),
    "the output ignores the start of a stream": ("frame", "first_of_stream && beat <", "false && beat <"),
}

CONV_MUTANTS = {
    "nothing is forwarded": ("walk", "value[v] = recent[i - 1][at];", "value[v] = value[v];"),
    "no tag is forwarded": ("walk", "last = recent_tag[i - 1].to_uint();", "last = last;"),
    "the oldest is forwarded": ("walk", "value[v] = recent[i - 1][at];", "value[v] = recent[depth - i][at];"),
    "words on their way are lost at the end of a frame": ("walk", "first_of_stream && i <", "i <"),
    "convolution ignores the start of a stream": (
        "walk",
        "place = 0; first_of_stream && place <",
        "place = 0; false && place <",
    ),
    "the end of a frame tags a word": ("walk", "types::place_t(adds ? frame : 0) :", "types::place_t(frame) :"),
    "words are listed twice": ("walk", "if (adds && last != frame) {", "if (adds) {"),
    "sums of another word are copied": (
        "walk",
        "store(value, c, copy[place][c]);",
        "store(recent[1] + c, c, copy[place][c]);",
    ),
    "weights of another row": ("walk", "y * CONFIG_T::stride_height * CONFIG_T::filt", "y * CONFIG_T::filt"),
    "depthwise adds to every lane": ("walk", "!CONFIG_T::channelwise || lane == lane_of_event", "true"),
    "one output too few": ("locate", "? last - first + 1 : 0", "? last - first : 0"),
    "padding on the left forgotten": ("locate", "CONFIG_T::in_width + CONFIG_T::pad_left", "CONFIG_T::in_width"),
    "the first channel's weights": ("locate", "channel * shape::groups;", "0;"),
    "sums do not start": ("conv", "if (all)\n", "if (false)\n"),
    "the start of a stream is an event": ("locate", "if (token::is_mark(event))", "if (done)"),
    "a new stream sends what was touched": ("conv", "if (all) {", "if (false) {"),
    "one word of a list": ("conv", "left[b] = touched[b];", "left[b] = touched[b].to_uint() != 0 ? 1 : 0;"),
}

UNROLL_MUTANTS = {
    "rows beyond the border are reached": ("walk", "!done && y < span.rows &&", "!done &&"),
    "columns beyond the border are reached": ("walk", "&& x < span.columns;", ";"),
    "every event starts in the first row of banks": ("locate", "first_y % CONFIG_T::tap_rows", "0"),
    "banks before the first hold the same column": ("walk", "(j < span.bank_column ? 1 : 0)", "0"),
    "the last rows of an event are left out": (
        "walk",
        "(row + 1) * CONFIG_T::tap_rows >=",
        "(row + 2) * CONFIG_T::tap_rows >=",
    ),
    "a new stream sends one row of banks": ("conv", "y % CONFIG_T::tap_rows * CONFIG_T::tap_columns +", ""),
    "words of all banks are of the first row": (
        "conv",
        "* CONFIG_T::tap_rows + bank / CONFIG_T::tap_columns;",
        "* CONFIG_T::tap_rows;",
    ),
    "one bank is swept": ("conv", "if (left[b - 1].to_uint() != 0) {", "if (b == 1 && left[b - 1].to_uint() != 0) {"),
}

BRANCH_MUTANTS = {
    "tags are not cleared": ("walk", "(done || reaches, reaches,", "(reaches, reaches,"),
    "the minimum": ("conv", "|| value > most[", "|| value < most["),
    "a code changes everywhere in a window": ("walk", "at % CONFIG_T::window == line)", "true)"),
    "windows start in another row": ("locate", "(tap_y * CONFIG_T::filt_width + tap_x)", "tap_x"),
    "upsampled elements start beside": ("locate", "first = repeats ? position * stride", "first = repeats ? position"),
    "elements are repeated once": ("locate", "count = repeats ? stride :", "count = repeats ? 1 :"),
    "the first input is not shifted": ("join", "<< CONFIG_T::shift_first", "<< 0"),
    "the second input is not shifted": ("join", "<< CONFIG_T::shift_second", "<< 0"),
    "the second input starts elsewhere": ("join", "e % CONFIG_T::n_second + offset;", "e % CONFIG_T::n_second;"),
    "concatenated codes are of one position": ("join", "e / CONFIG_T::n_second * CONFIG_T::n_chan", "0"),
    "the first input ends the frame": ("join", "done = end && at_second;", "done = end;"),
    "a joined stream never starts": ("join", "(start && !start_again)", "false"),
    "a copy stops where a stream starts": ("join", "::is_last(token);", "::is_mark(token);"),
    "a copy has other deltas": ("join", "second.write(token);", "second.write(token_T(token >> 1 << 1));"),
    "wide tokens hold their first values again": ("common", "first = (i - 1) * piece,", "first = 0,"),
    "wide tokens are read as their first values": ("common", "first = i * piece,", "first = 0,"),
}

STREAM_MUTANTS = {
    "packets are read as their first code": ("ports", "packet[lane]", "packet[0]"),
    "packets start no stream": ("ports", STARTS.format("Packet"), NEVER.format("Packet")),
    "packets are written as their first word": ("ports", "packet[first + lane]", "packet[lane]"),
    "a packet for every word": ("ports", "if (first + CONFIG_T::lanes == res_T::size)", "if (true)"),
}

DESIGNS = {
    "dense": (rich_design, "io_parallel", MUTANTS),
    "conv": (rich_conv_design, "io_parallel", CONV_MUTANTS),
    "unroll": (rich_unrolled_design, "io_parallel", UNROLL_MUTANTS),
    "branch": (rich_branch_design, "io_parallel", BRANCH_MUTANTS),
    "stream": (rich_unrolled_design, "io_stream", STREAM_MUTANTS),
}
ENDLESS_S = 60.0
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
    """Return how many outputs of ``project`` differ, and in how many of eleven streams the counters; one is long."""
    link(model, project, project / "log")
    source = model.delta_graph.source
    stream = walk(np.random.default_rng(5), source.fmt, source.shape, 300)
    stream[10] = 0  # starts a stream in which no event is sent at first, but the biases are
    count = 0
    for part in np.split(stream, range(10, 101, 10)):
        model.reset()
        trace = Golden(model.delta_graph).run(part)
        count += int((model.delta_graph.output.fmt.to_codes(model.predict(part)) != trace.outputs).sum())
        try:
            check_trips(model, trace)
        except AssertionError:
            count += 1
    return count


def found(model: Any, project: Path) -> bool:
    """Return whether anything is wrong, found out in a process of its own: a fault may write beyond an array."""

    def child() -> None:
        for stream in (1, 2):  # a kernel that waits for ever says so for ever
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        os._exit(WRONG if wrong(model, project) else 0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(ENDLESS_S)
    if process.is_alive():  # a fault can make a kernel wait for ever
        process.kill()
        process.join()
        return True
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
