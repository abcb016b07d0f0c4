# SPDX-License-Identifier: Apache-2.0
"""delta_spot: every word has a place of its own, and neighbours lie in different banks."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Case, this_case
from cocotb.triggers import Timer
from models import Layout

CASES = {
    "2 banks": Case(
        parameters={"Rows": 5, "Columns": 3, "Groups": 2, "BankRows": 2, "RowBits": 3, "ColumnBits": 2},
    ),
    "4 x 2 banks": Case(
        parameters={
            "Rows": 6,
            "Columns": 7,
            "Groups": 3,
            "BankRows": 4,
            "BankColumns": 2,
            "RowBits": 3,
            "ColumnBits": 3,
        },
    ),
    "one word": Case(parameters={"Rows": 1, "Columns": 1, "Groups": 1, "BankRows": 2, "RowBits": 1, "ColumnBits": 1}),
}


@cocotb.test()
async def every_word(dut: Any) -> None:
    sizes = {name: int(str(value)) for name, value in this_case(CASES).parameters.items()}
    layout = Layout(
        rows=sizes["Rows"],
        columns=sizes["Columns"],
        groups=sizes["Groups"],
        bank_rows=sizes["BankRows"],
        bank_columns=sizes.get("BankColumns", 1),
    )
    places = {}
    for row in range(layout.rows):
        for column in range(layout.columns):
            for group in range(layout.groups):
                dut.row_i.value, dut.column_i.value, dut.group_i.value = row, column, group
                await Timer(1, "ns")
                got = dut.bank_o.value.to_unsigned(), dut.spot_o.value.to_unsigned()
                assert got == layout.place(row, column, group)
                places[row, column, group] = got
    assert len(set(places.values())) == len(places)
    for row, column, group in places:
        block = {
            places[row + y, column + x, group][0]
            for y in range(layout.bank_rows)
            for x in range(layout.bank_columns)
            if (row + y, column + x, group) in places
        }
        rows, columns = min(layout.bank_rows, layout.rows - row), min(layout.bank_columns, layout.columns - column)
        assert len(block) == rows * columns, "words of one cycle meet in a bank"
