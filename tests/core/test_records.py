# SPDX-License-Identifier: Apache-2.0
"""The records of a program: packing, limits, and the SystemVerilog that is made of the same table."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest

from codesign.core.config import CoreConfig
from codesign.core.package import core_package
from codesign.core.records import RECORDS, STEP, Record, row_bits
from codesign.errors import ConfigError, ConversionError

CONFIG = CoreConfig()


def random_values(record: Record, rng: np.random.Generator, config: CoreConfig) -> dict[str, int]:
    """Values of every field: the smallest, the largest, or any."""
    values = {}
    for field in record.fields:
        low, high = field.limits(config)
        values[field.name] = (low, high, int(rng.integers(low, high, endpoint=True)))[int(rng.integers(3))]
    return values


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_what_is_packed_comes_back(record: Record) -> None:
    rng = np.random.default_rng(1)
    for config in (CONFIG, CoreConfig(lanes=4, quantisers=2, index_bits=16, sum_bits=24, code_bits=9)):
        for _ in range(200):
            values = random_values(record, rng, config)
            record.check(config, values, "x")
            packed = record.pack(config, values)
            assert 0 <= packed < 1 << record.bits(config)
            assert record.unpack(config, packed) == values


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_the_first_field_is_the_highest(record: Record) -> None:
    values = dict.fromkeys((field.name for field in record.fields), 0)
    first, last = record.fields[0], record.fields[-1]
    assert record.pack(CONFIG, {**values, first.name: 1}) == 1 << record.bits(CONFIG) - first.bits(CONFIG)
    assert record.pack(CONFIG, {**values, last.name: 1}) == 1


def test_what_does_not_fit_is_refused() -> None:
    values = dict.fromkeys((field.name for field in STEP.fields), 0)
    for name, value in (("words", 1 << 20), ("words", -1), ("lo", -(1 << 15) - 1), ("hi", 1 << 15), ("taps", 256)):
        with pytest.raises(ConversionError, match=rf"^conv7: step\.{name} .* does not fit.*Received: {value}\. Next"):
            STEP.check(CONFIG, {**values, name: value}, "conv7")


def test_the_package_has_every_field_with_its_width() -> None:
    text = core_package(CONFIG)
    assert all(len(line) <= 120 for line in text.splitlines())
    numbers = {"IndexBits": CONFIG.index_bits, "CodeBits": CONFIG.code_bits, "SumBits": CONFIG.sum_bits}
    for record in RECORDS:
        body = re.search(rf"struct packed {{([^}}]*)}} {record.name}_t;", text)
        assert body is not None
        found = re.findall(r"logic (signed )?(?:\[(\w+)(-1)?:0\] )?(\w+);", body[1])
        assert [name for *_, name in found] == [field.name for field in record.fields]
        for (signed, high, less, _), field in zip(found, record.fields, strict=True):
            bits = numbers.get(high) or int(high or 0)
            assert bits + 1 - bool(less) == field.bits(CONFIG)
            assert bool(signed) == field.signed


def test_the_package_has_the_numbers() -> None:
    text = core_package(CONFIG)
    assert f"Geometry = 32'h{zlib.crc32(b'32,8,16,16,32,20,0'):08X};" in text
    words = dict(re.findall(r"(\w+Words) = (\d+);", text))
    for section, bits in row_bits(CONFIG).items():
        assert int(words[f"{section[:-1].capitalize()}Words"]) == -(-bits // 32)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"lanes": 24}, "core.lanes"),
        ({"lanes": 128}, "core.lanes"),
        ({"quantisers": 3}, "core.quantisers"),
        ({"quantisers": 2}, "core.quantisers"),
        ({"quantisers": 64}, "core.quantisers"),
        ({"sum_bits": 16}, "core.sum_bits"),
        ({"index_bits": 14}, "core.code_rows"),
        ({"table_rows": 0}, "core.table_rows"),
    ],
)
def test_a_core_that_cannot_be(values: dict[str, int], where: str) -> None:
    with pytest.raises(ConfigError, match=f"(^|\n){where}: .*Received: "):
        CoreConfig(**values)


def test_depths_do_not_change_what_an_image_means() -> None:
    assert CoreConfig(sum_words=64).geometry == CONFIG.geometry
    assert CoreConfig(lanes=16).geometry != CONFIG.geometry
