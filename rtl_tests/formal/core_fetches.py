# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: what is sent is fetched."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import Case, Fault, Subject, benched

FETCHES = (
    Subject(
        name="core_fetch",
        leaf="fetch",
        properties={
            "asks": "a word of sums is asked for only if a word, part and tap need it, in their order, and once; none "
            "for the end of a pass or a packet of codes",
            "address": "its address is sum_base + word * taps + tap",
            "asked_stable": "a request that is not taken stays, unchanged",
            "divisor": "core_divide takes the number of groups and the reciprocal of that",
            "only_what_came": "nothing leaves before all of its sums have come",
            "part": "all parts of each word leave in order, once, the last one marked; then the end",
            "word": "a part has its word",
            "group": "and word % groups",
            "sums": "and its lanes of the sums that came, with several taps the largest of each lane",
            "stable": "a part that waits stays, unchanged",
            "ready": "a word is taken unless 5 or more wait for their requests",
            "progress": "if a word is inside, a request or a part is offered or a sum has to come, but for 27 cycles "
            "in a row, and 4 for each tap but the first",
        },
        assumes="core_divide divides (a stand-in does, with as many stages); the step stays until a pass has left; no "
        "word comes after the end of a pass until it has left; sums come for requests that were taken, from the next "
        "cycle on, gap_o cycles or more after each other",
        cases=tuple(
            Case(
                parameters={
                    "Room": room,
                    "lanes": lanes,
                    "quantisers": quantisers,
                    "sum_bits": bits,
                    "index_bits": index,
                },
                depth=2,
                fast=room == 2,
            )
            for room, lanes, quantisers, bits, index in ((2, 2, 1, 8, 4), (4, 2, 1, 8, 4))
        ),
        fault_depth=30,
        faults=(
            *benched(
                "fetch",
                *("largest is the last", "sums without a sign", "largest since the start", "every tap leaves"),
                *("asks for the end", "tap 0 again", "taps not in the address", "another period"),
                *("part 0 again", "asks too early"),
                among=MUTANTS,
                Divide=1,
            ),
            *(
                Fault(leaf="fetch", name=name, old=old, new=new, parameters={"Divide": 1})
                for name, old, new in (
                    ("address does not wait", "else if (request) sum_address_o", "else if (go) sum_address_o"),
                    (
                        "sums of before",
                        "come = sum_valid_i || (tag_valid && (tag.head.end_of_pass || codes_q) &&",
                        "come = (tag_valid &&",
                    ),
                    ("every part is the last", "is_last = largest_part_q == most_part_q", "is_last = 1'b1"),
                    ("word of the one after it", "{chosen_q.head, chosen_q.part}", "{of_q.head, chosen_q.part}"),
                    (
                        "another word",
                        ".data_i ({largest_q, largest_part_q",
                        ".data_i ({largest_q ^ {1'b0, IndexBits'(1), IndexBits'(0)}, largest_part_q",
                    ),
                    (
                        "quotient as the group",
                        ".quotient_o (unused_quotient),\n      .remainder_o(head.group)",
                        ".quotient_o (head.group),\n      .remainder_o(unused_quotient)",
                    ),
                    ("parts do not wait", ".ready_i,\n      .data_o ({end_o", ".ready_i(1'b1),\n      .data_o ({end_o"),
                    ("words wait for each other", ".ready_i    (taken)", ".ready_i    (taken && !found)"),
                    ("nothing is asked for", "load = done || !asking_q", "load = done"),
                )
            ),
        ),
        thorough=False,
        prefix="core_",
        flat=True,
        modules=modules("fetch", stand_ins=("divide",)),
    ),
)
