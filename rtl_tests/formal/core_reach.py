# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: from what an event reaches to operations."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import Case, Fault, Subject, benched

REACH = (
    Subject(
        name="core_walk",
        leaf="walk",
        properties={
            "only_what_entered": "no operation is offered if no event is inside that has one",
            "order": "operations are those of the events, in the order in which these were taken: of each row, column, "
            "group and lane that an event reaches exactly one, in this order; one of the end of a pass",
            "operation": "an operation has the word of sums and the line of weights of its place in the loops, says "
            "whether it is the first and the last one of its word, and has beats and engine of its reader",
            "deltas": "it has the delta of its lane, or those of all lanes, of its event's word",
            "stable": "an operation that waits stays, unchanged",
            "mark": "what is marked is the word of the operation that is offered in the next cycle",
            "mark_stable": "a mark that waits stays, unchanged",
            "marked": "a mark is taken in the cycle before the first operation of its word is offered, and only then",
            "free": "no more words are freed than events that are the last ones of their words were taken",
            "freed": "a word is free when the last operation of its last event is offered",
            "nothing": "a word whose last event reaches nothing is free at the latest 4 cycles after that was taken, "
            "if no operation is inside",
            "progress": "an operation is offered within 6 cycles in which no mark waits, if one is inside",
            "flows": "the operations of an event follow each other without a gap, unless a mark waits",
            "room": "an event is taken if no operation is inside",
        },
        assumes="an event that reaches something has a row, a column and a lane, and its reader a group, exactly one "
        "if it adds lane for lane; readers have records, which are loaded at any time; the deltas of a word stay from "
        "its first event until it is free",
        cases=tuple(
            Case(
                parameters={"lanes": lanes, "quantisers": 1, "index_bits": bits, "walks": walks},
                depth=2,
                fast=walks == 1,
            )
            for lanes, bits, walks in ((2, 4, 1), (2, 6, 2), (1, 4, 2), (4, 6, 4), (8, 4, 3))
        ),
        fault_depth=12,
        faults=(
            *benched(
                "walk",
                *("element like a word", "remainder ignored", "one column too many", "one row too few", "one group"),
                *("one lane in later groups", "lanes of the group before", "columns of the row before", "one row less"),
                *("channelwise lane by lane", "all lanes", "channelwise without its group"),
                *("never a line for each group", "groups without weights", "weights of the last group stay"),
                *("next column from the last group", "next row's lines from the last column", "lines go forward"),
                *("a maximum by its weights", "sums by the line", "lanes of an element", "deltas of lane 0"),
                *("deltas of the operation after it", "one word for all taps", "free before its last operation"),
                *("free while it waits", "not free without a hit", "an operation without a hit"),
                *("the end of a pass is lost", "a mark for each lane", "marks may be lost", "marked again and again"),
                *("ready ignored", "the first event stays", "beats of the operation after it"),
                *("the end of a pass adds", "engine of the operation after it"),
                among=MUTANTS,
            ),
            *benched("walk", "reader of the event after it", among=MUTANTS, walks=2),
            *benched("walk", "mark before its chunk", among=MUTANTS, index_bits=6),
            Fault(
                leaf="walk",
                name="an event waits for the one after it",
                old="load = !busy_q || (step && done)",
                new="load = valid_q1 && (!busy_q || (step && done))",
            ),
            Fault(
                leaf="walk",
                name="the first operation is the last one of its event",
                old="load = !busy_q || (step && done)",
                new="load = !busy_q || step",
            ),
            Fault(
                leaf="walk",
                name="the first lane is the last one of its event",
                old="done = null_q || (last_lane_q &&",
                new="done = null_q || (1'b1 &&",
            ),
            Fault(
                leaf="walk",
                name="the end of a pass is dropped",
                old=".valid_i(busy_q),",
                new=".valid_i(busy_q && !event_q.end_of_pass),",
            ),
            Fault(
                leaf="walk",
                name="a mark that waits is another one",
                old="+ step_q5.word;\n",
                new="+ (mark_ready_i ? step_q5.word : '0);\n",
            ),
            Fault(
                leaf="walk",
                name="a gap before each other lane",
                old="(move6 && (!step_q5.first || mark_ready_i))",
                new="(move6 && (step_q5.first ? mark_ready_i : !op_valid_o))",
            ),
            Fault(leaf="walk", name="free only without a hit", old="free: done &&", new="free: null_q &&"),
            Fault(
                leaf="walk",
                name="operations of before a reset",
                old="if (!rst_ni) op_valid_o <= 1'b0;",
                new="if (1'b0) op_valid_o <= 1'b0;",
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("walk"),
    ),
    Subject(
        name="core_cache",
        leaf="cache",
        properties={
            "each": "every operation that is taken is done, and once",
            "offered": "what is done for an operation is offered in the next cycle, and nothing else is",
            "operation": "before an operation on a word outside, its slot is saved exactly if it holds another one "
            "that was changed, then filled exactly if it holds another one and this is no copy; a word that is read is "
            "saved with that exactly if it was changed; a line is filled in with its addition exactly if its slot "
            "holds another one; all this on slots, in the order of the operations",
            "stable": "an operation that waits stays, unchanged, and so does the oldest word that is on its way out",
            "there": "if what is offered is done in order, a word that is read or added to is in its slot",
            "kept": "if what is offered is done in order, no word that was changed is replaced before it was saved",
            "line_there": "the line of an addition is in its slot, or comes with it",
            "asked": "a word or a line is asked for in the cycle before its fill is offered, once for each",
            "word": "the word that is asked for is that of the next operation, with its beats",
            "line": "the line that is asked for is that of the next operation",
            "requests_stable": "a word or a line that is asked for stays until it is given",
            "way_out": "no word is asked for while it is on its way out",
            "only_what_entered": "no word is on its way out that was not saved, and none twice",
            "none_lost": "no more words are on their way out than there is room for",
            "order": "words on their way out are shown in the order in which they were saved, with the beats that they "
            "had",
            "progress": "with an operation inside, something is done within 4 cycles in which it can be taken, what is "
            "asked for is given, a save has room, and a word that is missing is not on its way out",
            "ready": "once every slot is cleared, an operation is taken unless another one is in stage 3 and stays, or "
            "changes what is known of a slot",
        },
        assumes="operations are those of core_order; nothing is forgotten while an operation is inside or offered, or "
        "a chain is open; saved_i comes for words on their way out",
        cases=tuple(
            Case(
                parameters={
                    "Saves": saves,
                    "index_bits": bits,
                    "cached_words": words,
                    "cached_lines": lines,
                    "sum_words": 3,
                    "weight_lines": 3,
                },
                depth=2,
                fast=saves == 2,
            )
            for saves, bits, words, lines in ((2, 4, 2, 2), (3, 6, 8, 4), (1, 4, 2, 4), (8, 20, 64, 256))
        ),
        fault_depth=18,
        faults=(
            *benched(
                "cache",
                *("ready before all is cleared", "forgets nothing", "clears a slot less", "ready ignored"),
                *("the word in place of the one that is read", "slot of a read", "every addition looks"),
                *("reads do not look", "the first word outside is inside", "the last line inside is outside"),
                *("all fetch lines", "any word is a hit", "any line is a hit", "never a word's hit"),
                *("clean words are saved", "nothing is saved", "copies fetch what they overwrite"),
                *("nothing is filled after a save", "reads save nothing", "saved with an addition"),
                *("stays dirty after a read", "stays clean", "always dirty", "beats of a word", "lines are not noted"),
                *("asked for too early", "asked for while it is on its way out", "asks although it has to wait"),
                *("a line with what comes before", "acts after a save, without the word", "stuck after a word"),
                *("saves without room", "reads save without room", "does not wait for a word"),
                *("does not wait for a line", "saves again and again", "words inside have slots"),
                *("fills what is added to", "adds with each save and fill", "fills are not written"),
                *("the word that comes is saved", "beats of the word that comes", "saved stays"),
                *("saves of before a reset", "operations of before a reset", "valid of before a reset"),
                among=MUTANTS,
            ),
            Fault(
                leaf="cache",
                name="a word that is asked for is withdrawn",
                old="filling_q && settled_q && !pending_q;",
                new="filling_q && settled_q && !pending_q && op_valid_i;",
            ),
            Fault(
                leaf="cache",
                name="an operation that waits is replaced",
                old="move = !valid_q3 || (settles_q && free)",
                new="move = !valid_q3 || settles_q",
            ),
            Fault(
                leaf="cache",
                name="the line of the operation after it",
                old="line_o = op_q3.line;",
                new="line_o = op_q2.line;",
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("tags", "cache"),
    ),
)
