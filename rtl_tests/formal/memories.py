# SPDX-License-Identifier: Apache-2.0
"""Proofs of memories with forwarding, of what is chosen or counted, and where a word lies."""

from __future__ import annotations

from formal.record import Case, Subject, benched

MEMORIES = (
    Subject(
        name="accumulate",
        leaf="accumulate",
        properties={
            "read": "a reading returns the sum of all additions to its word since it was set",
            "sum": "an addition adds to the sum of all before it, also of those in the cycles just before",
        },
        assumes="no addition and setting in one cycle; a reading is of another bank than the addition beside it, 4 "
        "cycles or more after the last addition to its word",
        cases=(
            Case(depth=5, fast=True),
            Case(parameters={"Banks": 1}, depth=5),
            Case(parameters={"Banks": 4, "Words": 8, "Lanes": 2}, depth=5),
        ),
        fault_depth=10,
        faults=benched(
            "accumulate",
            *("no forwarding at distance 1", "no forwarding at distance 2", "no forwarding at distance 3"),
            *("older before newer", "forwards another bank", "forwards another word", "adds in all banks"),
            *("result of the access after it", "reads without being asked", "sets one bank", "value of a word before"),
            *("reads the bank that adds",),
        ),
    ),
    Subject(
        name="state",
        leaf="state",
        properties={"operand": "an access gets the result of the one before it to its word, or what it loads"},
        assumes="accesses to a word are at least Distance cycles apart",
        cases=(
            *(Case(parameters={"Distance": distance}, depth=5, fast=distance == 1) for distance in (1, 2, 3, 4)),
            Case(parameters={"Words": 1}, depth=2),
        ),
        fault_depth=10,
        faults=(
            *benched(
                "state",
                *("no forwarding at distance 1", "no forwarding at distance 2", "no forwarding at distance 3"),
                *("older before newer", "forwards another word", "reads with the access before"),
                *("result of the access after it", "forwards over a load", "not frozen"),
            ),
            *benched("state", "register keeps its first value", "register not loaded", Words=1),
        ),
    ),
    Subject(
        name="spot",
        leaf="spot",
        properties={
            "inside": "bank and spot are inside the memories",
            "one_each": "two words never have the same place",
            "neighbours": "words of neighbouring positions, BankRows x BankColumns, are in different banks",
        },
        assumes="the position is inside the layer",
        cases=(
            Case(depth=1, fast=True),
            Case(parameters={"Rows": 8, "Columns": 8, "Groups": 1, "BankRows": 2, "BankColumns": 4}, depth=1),
            Case(parameters={"Rows": 24, "Columns": 24, "Groups": 2, "BankRows": 2, "BankColumns": 1}, depth=1),
        ),
        fault_depth=2,
        faults=benched("spot", "one row of banks", "rows side by side", "words of a position on one spot"),
    ),
    Subject(
        name="maximum",
        leaf="maximum",
        properties={"one_of_them": "what leaves is one of the values", "none_larger": "no value is larger"},
        cases=tuple(
            Case(parameters={"Window": window, "Signed": signed}, depth=2, fast=(window, signed) == (5, 1))
            for window, signed in ((5, 1), (1, 1), (2, 0), (4, 0), (6, 1), (9, 0))
        ),
        fault_depth=4,
        faults=benched("maximum", "moves without a word", "the smallest", "unsigned maximum", "without the last code"),
    ),
    Subject(
        name="admit",
        leaf="admit",
        properties={
            "hold": "a frame is held back if Frames are inside and a stream stalled in the last Quiet cycles, as seen "
            "3 cycles ago",
            "ends": "so none is held back with no frame inside, or later than Quiet + 2 cycles after the last stall",
        },
        assumes="no frame leaves that did not enter; fewer than 65,520 are inside",
        cases=tuple(
            Case(parameters={"Frames": frames, "Quiet": quiet}, depth=3, fast=(frames, quiet) == (2, 3))
            for frames, quiet in ((2, 3), (1, 1), (3, 32))
        ),
        fault_depth=12,
        faults=(
            *benched(
                "admit",
                *("a frame too many", "stalls alone hold", "frames alone hold", "a cycle less", "stalled for ever"),
                *("frames never leave", "frames outlive a reset"),
            ),
            *benched("admit", "one stream is not seen", Streams=3),
            *benched("admit", "stalls outlive a reset", Frames=1, Quiet=8),
        ),
    ),
    Subject(
        name="stats",
        leaf="stats",
        properties={"count": "a counter is the number of its pulses", "others": "an address without a counter reads 0"},
        cases=tuple(Case(parameters={"Engines": engines}, depth=3, fast=engines == 2) for engines in (2, 1, 5)),
        fault_depth=8,
        faults=benched(
            "stats",
            *("counter stuck", "counts in reset", "error and frame swapped", "reads the next", "reads beyond the last"),
        ),
    ),
)
