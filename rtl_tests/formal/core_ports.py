# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: the port to the memory outside."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import Case, Subject, benched

PORTS = (
    Subject(
        name="core_memory",
        leaf="memory",
        properties={
            "taken": "a read is taken of one client at a time, and core_burst gets its address and beats",
            "fresh": "not while a write of the same address, whose last beat was taken, has answers to come: a read "
            "sees what was written before",
            "reads_open": "no more reads are open than there are places",
            "data": "data go in the next cycle to the client whose record is the oldest, in order, each once, the last "
            "one marked; none after a restart",
            "granted": "a client gets the port if it offers a record and no other one has it; core_burst gets its "
            "address and beats",
            "writes_open": "no more writes are open than there are places",
            "port": "beats are taken of the client that has the port, until the last one of its record",
            "beat": "each is offered in the next cycle, once and unchanged until it is taken; WLAST is on the last one "
            "of a record and of 4 KiB",
            "restart": "after a restart nothing is taken until all that was under way is answered",
            "idle": "idle_o is there from the 2nd cycle on in which nothing is under way, and at no other time",
            "silent": "silent_o is there once something waited for the memory for Patience cycles in which nothing "
            "happened, until a restart",
            "error": "error_o once an answer was an error or a burst ended too late, until a restart",
            "reads_move": "a read that no open write is in the way of is taken within 2 * Readers + 2 cycles in which "
            "there is room",
            "in_turn": "and fewer than Readers others are taken before it",
            "writes_move": "a port that nobody has is given in the 2nd cycle in which a record is offered and there is "
            "room",
        },
        assumes="a record that is offered stays, its address and beats until its last beat, but in a restart; the "
        "memory answers only what was asked for and written, in order",
        cases=tuple(
            Case(
                parameters={
                    "Readers": readers,
                    "Writers": writers,
                    "ReadsOpen": reads,
                    "WritesOpen": writes,
                    "memory_bits": bits,
                    "memory_kib": kib,
                    "cached_words": 4 * bits // 32,
                    "cached_lines": 4 * bits // 32,
                },
                depth=2,
                fast=readers == 2,
            )
            for readers, writers, reads, writes, bits, kib in (
                (2, 2, 2, 2, 32, 16),
                (4, 3, 4, 4, 32, 16),
                (4, 3, 8, 4, 64, 32768),
                (3, 2, 5, 8, 128, 64),
            )
        ),
        fault_depth=12,
        faults=benched("memory", *(mutant.name for mutant in MUTANTS if mutant.leaf == "memory"), among=MUTANTS),
        thorough=False,
        prefix="core_",
        flat=True,
        modules=modules("burst", "memory"),
    ),
)
