# SPDX-License-Identifier: Apache-2.0
"""Every proof there is, in the order of docs/proofs.md. A new leaf: a harness, a subject in one of these modules."""

from __future__ import annotations

from formal.core_fetches import FETCHES
from formal.core_loads import LOADS
from formal.core_ports import PORTS
from formal.core_programs import PROGRAMS
from formal.core_reach import REACH
from formal.core_rows import ROWS
from formal.core_sends import SENDS
from formal.core_sums import SUMS
from formal.cores import CORES
from formal.engines import ENGINES
from formal.memories import MEMORIES
from formal.record import Subject
from formal.streams import STREAMS

SUBJECTS: tuple[Subject, ...] = (
    *STREAMS,
    *MEMORIES,
    *ENGINES,
    *CORES,
    *ROWS,
    *SENDS,
    *REACH,
    *SUMS,
    *PROGRAMS,
    *FETCHES,
    *LOADS,
    *PORTS,
)
INSIDE = ("walk", "lists", "rows")
"""Leaves without a subject of their own: they are proved as parts of the convolution engine."""
CORE_INSIDE = ("lane", "words")
"""Modules of the delta core that are proved as parts of another one."""
CORE_SIMULATED: tuple[str, ...] = ()
"""Modules of the delta core that are simulated only."""
