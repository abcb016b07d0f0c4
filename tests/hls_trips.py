# SPDX-License-Identifier: Apache-2.0
"""What csim counts, compared with what the graph says that a golden trace costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from codesign.graph.golden import Trace
from codesign.graph.ir import Delta, Join, Source
from codesign.graph.sparsity import activity


def check_trips(model: Any, trace: Trace) -> None:
    """Compare the counters of the frames that ``model`` has computed, those of ``trace``, but of the first.

    A process makes a trip for everything that it takes or sends, and one for the end of the frame; a layer's cycles are
    the trips of its slowest process.
    """
    graph = model.delta_graph
    counted = {name: {key: v[1:] for key, v in stats["per_frame"].items()} for name, stats in model.csim_stats.items()}
    events = {node.name: (trace.deltas[node.name][1:] != 0).sum(axis=1) for node in graph.deltas}
    words = {layer.name: layer.words for layer in activity(graph, trace)}
    for layer in activity(graph, trace):
        node, stats = graph[layer.name], counted[layer.name]
        taken = layer.events + (2 if isinstance(node, Join) else 1)  # two ends
        steps = layer.ideal_cycles + 1  # walk
        sent = layer.words + 1
        np.testing.assert_array_equal(stats["events"], layer.events, layer.name)
        np.testing.assert_array_equal(stats["words"], layer.words, layer.name)
        np.testing.assert_array_equal(stats["macs"], layer.active_macs, layer.name)
        np.testing.assert_array_equal(stats["cycles"], np.maximum(np.maximum(taken, steps), sent), layer.name)
    for node in graph.deltas:
        stats, scans = counted[node.name], isinstance(graph[node.input], Source)
        beats = -(-node.size // model.graph[graph.source.name].get_attr("lanes")) if scans else 0
        taken = np.zeros_like(events[node.name]) if scans else words[node.input]
        assert (stats["beats"] == beats).all()
        np.testing.assert_array_equal(stats["words"], taken, node.name)
        np.testing.assert_array_equal(stats["events"], events[node.name], node.name)
        work = beats if scans else taken + 1
        np.testing.assert_array_equal(stats["cycles"], np.maximum(work, events[node.name] + 1), node.name)
    last = graph.output
    sent = events[last.name] if isinstance(last, Delta) else words[last.name]
    beats = -(-last.size // model.graph[f"{last.name}_frame"].get_attr("lanes"))
    np.testing.assert_array_equal(counted[f"{last.name}_frame"]["cycles"], sent + 1 + beats)
