# SPDX-License-Identifier: Apache-2.0
"""Faults put into the HLS kernels on purpose: the comparison with the golden model must find every one."""

from pathlib import Path

import numpy as np
import pytest
from random_models import rich_design, walk

from codesign.golden import Golden

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
    "activation ignores reset": ("activation", "const bool fresh = reset || !running;", "const bool fresh = !running;"),
    "accumulators ignore reset": ("dense", "if (fresh)\n            state[o]", "if (false)\n            state[o]"),
    "scan ignores reset": (
        "scan",
        "const typename CONFIG_T::code_t last = fresh ?",
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


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = rich_design().convert(tmp_path_factory.mktemp("mutants"))
    made.write()
    return made


def wrong(model):
    """Return how many outputs and event counts differ over a stream with 20 resets."""
    model._compile()
    stream = walk(np.random.default_rng(5), model.delta_graph.source.fmt, (4, 5, 1), 300)
    count = 0
    for part in np.split(stream, 20):
        model.reset()
        trace = Golden(model.delta_graph).run(part)
        count += int((model.delta_graph.output.fmt.to_codes(model.predict(part)) != trace.outputs).sum())
        for node in model.delta_graph.linears:
            events = (trace.deltas[node.input] != 0).sum(axis=1)
            count += int((model.csim_stats[node.name]["per_frame"]["events"] != events).sum())
    return count


@pytest.mark.parametrize("name", [None, *MUTANTS])
def test_mutant_is_killed(model, name):
    if name is None:
        assert wrong(model) == 0
        return
    header, old, new = MUTANTS[name]
    path = Path(model.config.get_output_dir()) / "firmware" / "nnet_utils" / f"nnet_delta_{header}.h"
    good = path.read_text()
    assert good.count(old) == 1, name
    path.write_text(good.replace(old, new))
    stamp = model.config.config["Stamp"]
    model.config.config["Stamp"] = (
        f"mutant{list(MUTANTS).index(name)}"  # another library name, so that it is loaded afresh
    )
    script = path.parents[2] / "build_lib.sh"
    text = script.read_text()
    script.write_text(text.replace(stamp, model.config.config["Stamp"]))
    try:
        assert wrong(model) > 0, "this fault went unnoticed"
    finally:
        path.write_text(good)
        script.write_text(text)
        model.config.config["Stamp"] = stamp
