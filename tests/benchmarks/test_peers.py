# SPDX-License-Identifier: Apache-2.0
"""Tables of dense designs that are no event engines, on figures that are made up."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.lean.measure import LeanRun
from benchmarks.origin import Origin
from benchmarks.stock import Slowest, StockRow
from codesign.errors import ConfigError
from codesign.synth import Resources

PLACE = Origin(commit="0123456789ab", cpu=None, cores=2, load=0.0, tools={"hls4ml": "1.3.0"})
ROW = StockRow(
    network="three convolutions",
    ours=10,
    multipliers=12,
    latency=Slowest(layer="conv2", cycles=4000, multipliers=8),
    resource=Slowest(layer="conv1", cycles=1000, multipliers=4),
    values=80,
    mismatches=0,
)
CELLS = Resources(
    target="ecp5", tool="yosys", tool_version=None, kind="synth", lut=200, ff=100, dsp=12, bram_bits=2048, fmax_mhz=None
)
LEAN = LeanRun(frames=3, values=60, mismatches=0, cycles=1010.0, resources=CELLS)


def hls(network: str, mean: float) -> dict[str, Any]:
    return {"network": network, "hls": {"mean": mean}, "dense": 1234}


def conv(hold: float | None, lut: int) -> dict[str, Any]:
    ours = {"lut": lut, "ff": 300, "dsp": 12, "bram_bits": 4096}
    summary = {"speedup": {"mean": 20.0}}
    return {
        "hold": hold,
        "areas": {"skipping": ours, "dense": {**ours, "lut": 900}},
        "summary": summary,
        "dense_cycles": 1000,
    }


def test_the_faster_strategy_counts() -> None:
    figures = [
        hls("three convolutions, memoryless", 100.0),
        hls("other", 1.0),
        hls("three convolutions, hold = 1", 50.0),
    ]
    text = peers.stock_table([ROW], figures, PLACE)
    assert "| three convolutions, memoryless | 10 / 12 | 4,000 (conv2) | 1,000 (conv1) | 1,234 | 100 | 10.0 |" in text
    assert "| three convolutions, hold = 1 | 10 / 12 | 4,000 (conv2) | 1,000 (conv1) | 1,234 | 50 | 20.0 |" in text
    assert "Of 80 output values of the stock C++, 0 differ" in text
    assert "0123456789ab, hls4ml 1.3.0" in text


def test_a_network_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"three convolutions: no figures of this network.*run benchmarks.hls first"):
        peers.stock_table([ROW], [hls("other", 1.0)], PLACE)


def test_throughput_per_lut_is_speed_up_over_the_ratio_of_luts() -> None:
    text = peers.lean_table(LEAN, [conv(None, 1000), conv(1.0, 2000)])
    assert "| memoryless | 1,000 / 200 = 5.00 | 300 / 100 | 12 / 12 | 4 / 2 | 20.2 | 4.0 | 18.2 |" in text
    assert "| hold = 1 | 2,000 / 200 = 10.00 | 300 / 100 | 12 / 12 | 4 / 2 | 20.2 | 2.0 | 9.1 |" in text
    assert "Of 60 output values (3 frames" in text


@pytest.mark.parametrize(("stock", "lean", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1)])
def test_a_wrong_value_is_exit_status_1(
    stock: int, lean: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "of_three", lambda: dataclasses.replace(ROW, mismatches=stock))
    monkeypatch.setattr(peers, "lean_of", lambda _: dataclasses.replace(LEAN, mismatches=lean))
    (tmp_path / "hls.json").write_text(json.dumps({"networks": [hls("three convolutions, memoryless", 100.0)]}))
    (tmp_path / "all.json").write_text(json.dumps({"conv": {"networks": [conv(None, 1000)]}}))
    (document := tmp_path / "a.md").write_text(
        "".join(f"<!-- begin {n} -->\n<!-- end {n} -->\n" for n in ("stock", "lean"))
    )
    inputs = ["--performance", str(tmp_path / "all.json"), "--hls", str(tmp_path / "hls.json")]
    assert peers.main([*inputs, "--json", str(tmp_path / "o.json"), "--markdown", str(document)]) == status
    record = json.loads((tmp_path / "o.json").read_text())
    assert (record["stock"][0]["cycles"], record["lean"]["resources"]["lut"]) == (1000, 200)
    assert "1,000 / 200 = 5.00" in document.read_text()
