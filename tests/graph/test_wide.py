# SPDX-License-Identifier: Apache-2.0
"""What is too wide."""

from __future__ import annotations

import pytest

from codesign.errors import AccumulatorRangeError
from codesign.fixed import Fixed
from codesign.graph.ir import MAX_CODE_BITS
from codesign.graph.wide import check_code_width


def test_sums_that_are_sent_as_they_are() -> None:
    check_code_width("fc", Fixed(width=MAX_CODE_BITS, frac=20, signed=True))
    with pytest.raises(AccumulatorRangeError, match=r"fc: the result is too wide to be sent.*at most 30.*31 bits"):
        check_code_width("fc", Fixed(width=MAX_CODE_BITS + 1, frac=20, signed=True))
