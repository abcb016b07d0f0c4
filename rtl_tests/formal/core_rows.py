# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: rows of codes, and those outside, asked for ahead and written back."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import STREAM, Case, Fault, Subject, benched

ROWS = (
    Subject(
        name="core_record",
        leaf="record",
        properties={
            "outside": "a word lies outside exactly if its last row is not below CodeDepth",
            "address": "its address is that of its first row",
        },
        assumes="the step does not change; its rows have addresses",
        cases=tuple(
            Case(
                parameters={"lanes": lanes, "quantisers": quantisers, "code_bits": code, "index_bits": index},
                depth=2,
                fast=lanes == 4,
            )
            for lanes, quantisers, code, index in ((4, 2, 17, 5), (8, 1, 2, 8), (2, 2, 8, 4), (16, 4, 20, 6))
        ),
        fault_depth=8,
        faults=benched(
            "record",
            *("last row inside is outside", "first row decides", "origin ignored", "never frozen", "a beat a row"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("record"),
    ),
    Subject(
        name="core_ahead",
        leaf="ahead",
        properties={
            **STREAM,
            "codes": "a part gets the row that the memory answered to the request of its word",
            "room": "never more rows are asked for than there is room for",
            "there": "a row is there 2 cycles after its last beat came, until it is taken",
            "ended": "from the cycle after the end of a pass is seen on nothing more is asked for",
            "idle": "it is idle exactly if no request is offered and the rows of all have come",
            "progress": "as long as a word is inside and no end waits, a part can be taken, a request is offered or "
            "the memory has to answer, but for at most 4 cycles in a row",
        },
        assumes="a step starts when no pass is open, and stays, as origin_i and read_i; rows have addresses; a part is "
        "taken if its row is there; the memory answers what it was asked for; an end is taken 1 cycle or more after "
        "idle_o, with enable_i",
        cases=tuple(
            Case(
                parameters={"Words": words, "Tags": tags, "lanes": lanes, "quantisers": 2, "code_bits": code},
                depth=2,
                fast=(tags, code) == (2, 2) and lanes == 4,
            )
            for words, tags, lanes, code in ((2, 2, 4, 2), (4, 4, 2, 17), (2, 2, 8, 17), (2, 32, 4, 17))
        ),
        fault_depth=13,
        faults=(
            *benched(
                "ahead",
                *("asks without room", "asks after the end", "place without room", "source never ends"),
                *("source without word 0", "end of the marks is a word", "a place for every part"),
                *("row of a word inside", "places stay", "row there too early"),
                among=MUTANTS,
            ),
            *benched("ahead", "every beat is a row", among=MUTANTS, code_bits=17),
            *benched("ahead", "room given back too early", among=MUTANTS, lanes=2),
            Fault(leaf="ahead", name="request taken back", old="(offered_q || fits)", new="fits"),
            Fault(leaf="ahead", name="words inside get lost", old=".valid_i(pushed)", new=".valid_i(pushed && far)"),
            Fault(leaf="ahead", name="row beside its place", old="queue[write_q] <=", new="queue[write_q+1'b1] <="),
        ),
        prefix="core_",
        modules=modules("record", "ahead"),
    ),
    Subject(
        name="core_back",
        leaf="back",
        properties={
            **STREAM,
            "progress": "a record is offered at the latest 6 cycles after the last row of its word came",
            "whole": "the beats of a record follow each other without a gap",
            "beats": "a beat has the number of beats of its record",
            "room": "a row has room exactly if fewer than Rows are inside or on their way: those of a word without a "
            "change give theirs back with the last one, others with their last beat",
            "idle": "it is idle exactly if no row is inside or on its way",
        },
        assumes="a row is announced only while there is room and comes later, whole words in order; the step, origin_i "
        "and fresh_i stay while a row is inside or on its way",
        cases=tuple(
            Case(
                parameters={"Rows": rows, "lanes": lanes, "quantisers": 2, "code_bits": code},
                depth=2,
                fast=rows == 4,
            )
            for rows, lanes, code in ((4, 4, 17), (8, 8, 2), (2, 2, 17), (32, 4, 17))
        ),
        fault_depth=13,
        faults=(
            *benched(
                "back",
                *("unchanged word written", "only the last part counts", "only the other parts count"),
                *("first frame as the others", "change of the word before", "room of an unchanged word lost"),
                *("rows of an unchanged word stay", "words one over the other", "address of the word before"),
                *("idle while a beat waits", "room not taken", "each row is the last", "beat that waits overwritten"),
                *("a row twice", "offers no row"),
                among=MUTANTS,
            ),
            Fault(
                leaf="back",
                name="an address for each row",
                old=".ready_i(load && last_beat && last_row)",
                new=".ready_i(load && last_beat)",
            ),
        ),
        prefix="core_",
        modules=modules("record", "back"),
    ),
    Subject(
        name="core_codes",
        leaf="codes",
        properties={
            "codes": "a part's codes come SendRead enabled cycles after it passed, and are those that replaced the "
            "row's last, inside or outside",
            "passes": "a part or an end passes on both sides in the same cycle",
            "stable": "one that waits for core_send stays offered",
            "ended": "an end passes only when no request waits, every row that was asked for has come and every record "
            "has left",
            "progress": "a part is offered when its place is known, its row is there and a changed one has room; an "
            "end in the 2nd cycle in which nothing is under way",
            "ahead": "core_ahead gets what its proof assumes: a part only if its place is known and its row there, "
            "the end once nothing is under way",
            "back": "and core_back: a row only if it has room, and its codes later, once",
        },
        assumes="core_ahead and core_back do what their proofs say, and anything else (stand-ins do); there is a "
        "memory outside, which answers a read with what was written before it; words also come ahead, in order, within "
        "their pass, or are a source's; a pass begins when the one before it has left core_send, and the step, fresh_i "
        "and origin_i stay in it; a row belongs to one word, and passes once in a pass; an unchanged row has the codes "
        "that it had",
        cases=tuple(
            Case(
                parameters={
                    "Stages": stages,
                    "BankRows": bank,
                    "BackRows": back,
                    "lanes": lanes,
                    "quantisers": 2,
                    "code_bits": code,
                    "index_bits": index,
                    "code_rows": rows,
                },
                depth=2,
                fast=stages == 6,
            )
            for stages, bank, back, lanes, code, index, rows in (
                (6, 4, 4, 4, 2, 4, 7),
                (11, 4, 32, 4, 2, 4, 7),
                (11, 8, 32, 4, 17, 5, 8),
                (11, 8, 32, 8, 17, 6, 20),
            )
        ),
        fault_depth=20,
        faults=(
            *benched(
                "codes",
                *("codes of part 0", "words one after the other", "row of the one after it", "nothing kept"),
                *("never frozen", "bank of the one after it", "all banks written", "outside written inside, too"),
                *("place of the one after it", "end does not wait", "row not waited for", "room not waited for"),
                *("place not waited for", "writes under way"),
                among=MUTANTS,
            ),
            Fault(leaf="codes", name="reads under way", old="&& ahead_idle && back_idle", new="&& back_idle"),
            *benched(
                "codes",
                *("packet of codes kept", "first frame reads", "queue stays", "row written while it waits"),
                among=MUTANTS,
            ),
            Fault(leaf="codes", name="passes on one side", old="ready_i && go}", new="ready_i}"),
            Fault(
                leaf="codes", name="end taken back", old="ending && !take &&", new="ending && !take && !settled_q &&"
            ),
        ),
        thorough=False,
        prefix="core_",
        flat=True,
        modules=modules("codes", leaves=(), stand_ins=("ahead", "back")),
    ),
)
