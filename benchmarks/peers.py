# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.peers``: dense designs that are no event engines, beside what was measured of ours.

hls4ml's own kernels (`benchmarks.stock`) in cycles per frame, and the lean dense engine (`benchmarks.lean`) in LUTs.
Our figures are read from what ``benchmarks`` and ``benchmarks.hls`` wrote. Exit status 1 if any value differs from the
golden model.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.clips import made_clips, video_clips
from benchmarks.conv import calibration
from benchmarks.lean.measure import LeanRun, measure_lean
from benchmarks.origin import Origin, origin
from benchmarks.stock import StockRow, of_design, of_three
from benchmarks.targets import hold_words
from codesign.errors import CodesignError, ConfigError
from codesign.outputs import write_text
from codesign.report.document import fill, table
from codesign.report.words import count, kbit

SEED = 1
FRAMES = 12
"""Frames that go through the lean engine."""
MADE_CLIPS = 10

Figures = Sequence[Mapping[str, Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("designs", type=Path, nargs="*", help="designs (TOML) whose figures --hls holds")
    parser.add_argument("--performance", type=Path, required=True, help="JSON of benchmarks")
    parser.add_argument("--hls", type=Path, required=True, help="JSON of benchmarks.hls")
    parser.add_argument("--clips", type=Path, help="folder of fixed-camera videos (default: made ones)")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--markdown", type=Path, help="put the tables into this document")
    options = parser.parse_args(argv)
    try:
        place = origin()
        rows = [*map(of_design, options.designs), of_three()]
        lean = lean_of(options.clips)
        networks = json.loads(options.performance.read_text())["conv"]["networks"]
        parts = {
            "stock": stock_table(rows, json.loads(options.hls.read_text())["networks"], place),
            "lean": lean_table(lean, networks),
        }
        print("\n\n".join(parts.values()))
        if options.json:
            stock = [{**asdict(row), "cycles": row.cycles} for row in rows]
            record = {"origin": asdict(place), "stock": stock, "lean": asdict(lean)}
            write_text(options.json, json.dumps(record, indent=1) + "\n")
        if options.markdown:
            fill(options.markdown, parts)
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(lean.mismatches + sum(row.mismatches for row in rows) > 0)


def lean_of(videos: Path | None) -> LeanRun:
    """Measure the lean dense engine of the benchmark's convolutional network on frames of the first clip."""
    from benchmarks.conv_network import conv_network

    clips = video_clips(videos) if videos else made_clips(MADE_CLIPS, SEED)
    with tempfile.TemporaryDirectory() as folder:
        network = conv_network(calibration(clips), hold=None, seed=SEED, folder=Path(folder))
        return measure_lean(network.graph, clips[0].frames[:FRAMES], Path(folder))


def stock_table(rows: Sequence[StockRow], figures: Figures, place: Origin) -> str:
    """Return the table of hls4ml's own kernels.

    Args:
        rows: what was counted.
        figures: the networks that `benchmarks.hls` wrote.
        place: where it was counted.

    Raises:
        ConfigError: a row's network is not among the figures.
    """
    ways = ("stock, Latency", "stock, Resource", "ours, dense", "ours, HLS mean", "speed-up")
    cells = []
    for row in rows:
        found = [each for each in figures if each["network"].split(",")[0] == row.network]
        if not found:
            raise ConfigError("no figures of this network", where=row.network, fix="run benchmarks.hls first")
        for each in found:
            mean = each["hls"]["mean"]
            cells.append(
                (
                    each["network"],
                    f"{row.ours} / {row.multipliers}",
                    f"{row.latency.cycles:,} ({row.latency.layer})",
                    f"{row.resource.cycles:,} ({row.resource.layer})",
                    f"{each['dense']:,}",
                    f"{mean:,.0f}",
                    f"{row.cycles / mean:.1f}",
                )
            )
    wrong, values = sum(row.mismatches for row in rows), sum(row.values for row in rows)
    cells_of = table(("network", "multipliers: ours / stock", *ways), cells)
    return (
        f"{cells_of}\n\nOf {values} output values of the stock C++, {wrong} differ from the golden model. "
        f"Commit {place.commit or 'unknown'}, hls4ml {place.tools['hls4ml']}."
    )


def lean_table(lean: LeanRun, figures: Figures) -> str:
    """Return the table of the lean dense engine; ``figures`` are the convolutional networks that `benchmarks` wrote."""
    cells = lean.resources
    assert cells.lut
    assert cells.ff
    rows: list[tuple[str, ...]] = []
    for each in figures:
        ours, dense = each["areas"]["skipping"], each["areas"]["dense"]
        speedup = each["summary"]["speedup"]["mean"] * lean.cycles / each["dense_cycles"]
        ratio = ours["lut"] / cells.lut
        rows.append(
            (
                hold_words(each["hold"]),
                f"{ours['lut']:,} / {cells.lut:,} = {ratio:.2f}",
                f"{ours['ff']:,} / {cells.ff:,}",
                f"{ours['dsp']} / {cells.dsp}",
                f"{count(kbit(ours['bram_bits']))} / {count(kbit(cells.bram_bits))}",
                f"{speedup:.1f}",
                f"{speedup / ratio:.1f}",
                f"{speedup * dense['lut'] / ours['lut']:.1f}",
            )
        )
    head = ("network", "LUT: skipping / lean", "FF", "DSP", "block RAM, kbit", "speed-up over lean")
    per_lut = ("frames/s per LUT over lean", "over our engines with skipping off")
    return (
        f"{table((*head, *per_lut), rows)}\n\n"
        f"The lean engine takes {lean.cycles:,.0f} cycles per frame. Of {lean.values:,} output values ({lean.frames} "
        f"frames, without stalls and with\nstalls in 30 % of the cycles on either side), {lean.mismatches} differ from "
        "the golden model."
    )


if __name__ == "__main__":
    sys.exit(main())
