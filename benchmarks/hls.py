# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.hls``: cycles of the HLS C++, as csim counts them, beside those of the RTL on the same frames.

Of finished designs (``codesign run``) on their clips, and with ``--clips`` of the convolutional network of the
benchmark on videos. Exit status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import video_clips
from benchmarks.conv import HOLDS, calibration
from benchmarks.origin import Origin, origin
from benchmarks.targets import UNCHANGED_EXTRA, Target, hold_words
from codesign.errors import CodesignError
from codesign.fixed import IntArray
from codesign.graph.file import load_graph
from codesign.graph.ir import Graph
from codesign.graph.sparsity import LayerActivity
from codesign.outputs import write_text
from codesign.paths import BuildFolder
from codesign.report.document import fill, table
from codesign.report.percentiles import Percentiles
from codesign.verify import forms
from codesign.verify.compare import read_comparison
from codesign.verify.golden_run import load_golden
from codesign.verify.hardware import RtlFigures, load_rtl, steady
from codesign.verify.software import HlsFigures, load_hls

SEED = 1
MEAN_RATIO, LAYER_RATIO, DENSE_RATIO = 1.15, 1.30, 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsRow:
    """One network on its clips, first frames left out; cycles are per frame.

    Attributes:
        network: its name.
        frames: frames that were compared.
        mismatches: output values in which csim or RTL differ from the golden model.
        hls: cycles of the HLS C++, an estimate.
        rtl: measured cycles of the RTL.
        worst_layer: layer with the largest ratio of HLS to RTL.
        worst_ratio: that ratio. Of the RTL's layer the cycles with work, or one for each event that arrives if more.
        input_beats: input beats of a frame.
        unchanged: cycles of an unchanged frame, HLS.
        everything: most cycles of a frame in which every input changes, HLS.
        dense: cycles of a frame in which every element of every layer is an event.
    """

    network: str
    frames: int
    mismatches: int
    hls: Percentiles
    rtl: Percentiles
    worst_layer: str
    worst_ratio: float
    input_beats: int
    unchanged: int
    everything: int
    dense: int

    @property
    def ratio(self) -> float:
        """Mean cycles of HLS over those of RTL."""
        assert self.hls.mean is not None
        assert self.rtl.mean is not None
        return self.hls.mean / self.rtl.mean


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hls", description=__doc__)
    parser.add_argument("builds", type=Path, nargs="*", help="build folders of finished designs")
    parser.add_argument("--clips", type=Path, help="folder of fixed-camera videos for the network of the benchmark")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--markdown", type=Path, help="put the tables into this document")
    options = parser.parse_args(argv)
    try:
        place = origin()
        with tempfile.TemporaryDirectory() as folder:
            rows = [*map(of_build, options.builds), *(of_clips(options.clips, Path(folder)) if options.clips else ())]
        parts = tables(rows, place)
        print("\n\n".join(parts.values()))
        if options.json:
            record = {"origin": asdict(place), "networks": [{**asdict(row), "ratio": row.ratio} for row in rows]}
            write_text(options.json, json.dumps(record, indent=1) + "\n")
        if options.markdown:
            fill(options.markdown, parts)
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(not all(target.met for target in targets(rows)))


def of_build(build: Path) -> HlsRow:
    """Return the row of a finished design on the clips that it was measured on.

    Raises:
        StageError: a stage's output is missing or damaged.
    """
    from codesign.flow.convert import convert, read_settings
    from codesign.training import load_model

    graph = load_graph(build / BuildFolder.GRAPH)
    pairs = {"golden_csim": BuildFolder.CSIM, "golden_rtl": BuildFolder.RTLSIM}
    found = [read_comparison(build / folder, pair) for pair, folder in pairs.items()]
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(build / BuildFolder.GRAPH)
        model = convert(load_model(build / BuildFolder.MODEL), settings, Path(folder))
        model.compile()
        return _row(
            graph.name,
            model,
            load_hls(build / BuildFolder.CSIM),
            load_rtl(build / BuildFolder.RTLSIM),
            load_golden(graph, build / BuildFolder.GRAPH).layers,
            frames=min(item.frames for item in found),
            mismatches=sum(item.mismatches for item in found),
        )


def of_clips(videos: Path, folder: Path) -> Iterator[HlsRow]:
    """Yield the rows of the convolutional network on videos, for each hold, all clips together.

    Raises:
        VideoError: a clip cannot be used.
        ToolNotFoundError, SimulationError: a simulation cannot be built or fails.
    """
    from benchmarks.conv_network import conv_network

    clips = video_clips(videos)
    for hold in HOLDS:
        network = conv_network(calibration(clips), hold=hold, seed=SEED, folder=folder)
        network.hls.compile()
        runs = [forms.run(network.graph, clip.frames[None], cache=folder, hls=network.hls) for clip in clips]
        hls = [run.hls for run in runs if run.hls is not None]
        yield _row(
            f"three convolutions, {hold_words(hold)}",
            network.hls,
            HlsFigures(layers={name: _joined([part.layers[name] for part in hls]) for name in hls[0].layers}),
            _together([run.rtl for run in runs]),
            [_events([run.golden.layers[at] for run in runs]) for at in range(len(network.graph.engines))],
            frames=sum(len(clip.frames) for clip in clips),
            mismatches=sum(run.mismatches for run in runs),
        )


def _row(
    name: str,
    model: Any,
    hls: HlsFigures,
    rtl: RtlFigures,
    seen: Sequence[LayerActivity],
    *,
    frames: int,
    mismatches: int,
) -> HlsRow:
    graph: Graph = model.delta_graph
    arriving = {layer.name: layer.events for layer in seen}
    ratios = {
        layer: _over(hls.layers[layer], busy, arriving.get(layer, steady(rtl.events[layer])))
        for layer, busy in rtl.busy.items()
    }
    worst = max(ratios, key=lambda layer: ratios[layer])
    fmt, shape = graph.source.fmt, graph.source.shape
    still = np.zeros((3, *shape), np.int64)
    swing = np.stack([np.full(shape, code) for code in (fmt.lo, fmt.hi) * 3])
    reached = [sum(int(node.reach(at).sum()) for at in range(len(node.inputs))) for node in graph.engines]
    return HlsRow(
        network=name,
        frames=frames,
        mismatches=mismatches,
        hls=Percentiles.of(steady(hls.cycles)),
        rtl=Percentiles.of(steady(rtl.cycles)),
        worst_layer=worst,
        worst_ratio=ratios[worst],
        input_beats=graph.source.beats,
        unchanged=int(_cycles(model, still)[-1]),
        everything=int(_cycles(model, swing)[1:].max()),
        dense=max(graph.source.size, *reached),
    )


def _cycles(model: Any, codes: NDArray[np.int64]) -> IntArray:
    """Return the HLS cycles of each frame of a new stream."""
    model.reset()
    model.predict(codes, logits=True)
    cycles: IntArray = HlsFigures.of([model.csim_stats]).cycles[0]
    return cycles


def _over(trips: IntArray, busy: IntArray, events: IntArray) -> float:
    """Return the trips of an HLS layer, ``[N, T]``, over what its RTL takes: cycles with work, or events if more."""
    return float(steady(trips).mean() / np.maximum(steady(busy), events).mean())


def _events(clips: Sequence[LayerActivity]) -> LayerActivity:
    """Return the activity of a layer with the events of all clips."""
    return dataclasses.replace(clips[0], events=np.concatenate([clip.events for clip in clips]))


def _joined(parts: Sequence[IntArray]) -> IntArray:
    """Return clips ``[1, T]`` of any lengths as one; of the first frames only that of the first clip is kept."""
    joined: IntArray = np.concatenate([parts[0], *(part[:, 1:] for part in parts[1:])], axis=1)
    return joined


def _together(runs: Sequence[RtlFigures]) -> RtlFigures:
    return RtlFigures(
        cycles=_joined([run.cycles for run in runs]),
        latency=_joined([run.latency for run in runs]),
        busy={name: _joined([run.busy[name] for run in runs]) for name in runs[0].busy},
        events={name: _joined([run.events[name] for run in runs]) for name in runs[0].events},
        dense_cycles=runs[0].dense_cycles,
    )


def targets(rows: Sequence[HlsRow]) -> tuple[Target, ...]:
    """Return the limits that the figures must keep."""
    return tuple(
        Target(figure=f"{row.network}: {figure}", value=value, bound="at most", limit=limit)
        for row in rows
        for figure, value, limit in (
            ("mismatches", row.mismatches, 0),
            ("HLS / RTL, mean", row.ratio, MEAN_RATIO),
            (f"HLS / RTL, worst layer ({row.worst_layer})", row.worst_ratio, LAYER_RATIO),
            ("unchanged frame, cycles", row.unchanged, row.input_beats + UNCHANGED_EXTRA),
            ("everything changes / dense", row.everything / row.dense, DENSE_RATIO),
        )
    )


def tables(rows: Sequence[HlsRow], place: Origin) -> dict[str, str]:
    """Return the parts of the document, by name."""
    head = ("network", "frames", "HLS mean / p95 / most", "RTL mean / p95 / most", "HLS / RTL", "unchanged frame")
    cells = [
        (
            row.network,
            f"{row.frames:,}",
            _spread(row.hls),
            _spread(row.rtl),
            f"{row.ratio:.3f}",
            f"{row.unchanged:,} ({row.input_beats:,} beats)",
        )
        for row in rows
    ]
    kept = [
        (item.figure, f"{item.limit:g}", f"{item.value:.4g}", "met" if item.met else "**MISSED**")
        for item in targets(rows)
    ]
    said = f"Commit {place.commit or 'unknown'}."
    return {
        "hls": f"{table(head, cells)}\n\n{said}",
        "hls targets": table(("target", "at most", "counted", ""), kept),
    }


def _spread(values: Percentiles) -> str:
    return " / ".join("-" if value is None else f"{value:,.0f}" for value in (values.mean, values.p95, values.max))


if __name__ == "__main__":
    sys.exit(main())
