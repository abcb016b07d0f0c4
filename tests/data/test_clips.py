# SPDX-License-Identifier: Apache-2.0
"""Which clips of which files are taken."""

from __future__ import annotations

from codesign.data.clips import spread, spread_over


def test_spread() -> None:
    assert spread(3, 5) == [0, 1, 2]
    assert spread(10, 3) == [0, 3, 6]


def test_a_long_file_takes_no_more_than_its_share() -> None:
    sources = [4] * 100 + [7] * 2 + [5] * 10
    chosen = spread_over(sources, 14)
    assert [sources[place] for place in chosen] == [4] * 6 + [7] * 2 + [5] * 6
    assert chosen[:3] == [0, 16, 33], "spread over the file"
    assert spread_over(sources, 500) == list(range(112))
    assert spread_over([1, 2, 3], 2) == [1, 2], "more files than clips"
    assert spread_over([], 3) == []
