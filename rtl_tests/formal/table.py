# SPDX-License-Identifier: Apache-2.0
"""Every proof there is."""

from __future__ import annotations

from formal.record import STREAM, Case, Subject, benched

SUBJECTS = (
    Subject(
        name="fifo",
        leaf="fifo",
        properties={
            **STREAM,
            "progress": "a token is offered as long as one is inside",
            "room": "a token is taken whenever the memory has room",
        },
        cases=(
            *(
                Case(parameters={"Depth": depth, "Registered": registered}, depth=2, fast=depth in (1, 3))
                for depth in (3, 1, 2, 4, 5, 6, 7, 8, 16, 64)
                for registered in (1, 0)
            ),
        ),
        fault_depth=12,
        faults=benched("fifo", "full one late", "full one early", "ready ignored", "bypass not counted out"),
    ),
)
