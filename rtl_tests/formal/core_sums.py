# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: additions to sums, in order, and what fetches and saves sums that lie outside."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import STREAM, Case, Subject, benched

SUMS = (
    Subject(
        name="core_tags",
        leaf="tags",
        properties={"entry": "a token in stage 2 sees what was written last to its slot, up to the cycle before"},
        assumes="no token enters stage 1 over another one; its slot was written before",
        cases=tuple(
            Case(parameters={"Entries": entries, "Width": width}, depth=2, fast=entries == 4)
            for entries, width in ((4, 3), (2, 37), (16, 8), (64, 12))
        ),
        fault_depth=8,
        faults=benched(
            "tags",
            *("what is written with the take is lost", "what is written in stage 1 is lost"),
            *("what is written on the move is lost", "what was written in stage 1 is lost"),
            *("what was written in stage 2 is lost", "written for every slot", "written for every slot in stage 2"),
            *("slot of the token after it", "moves always", "read without a take", "not written", "written for ever"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("tags"),
    ),
    Subject(
        name="core_order",
        leaf="order",
        properties={
            "offered": "what is taken is offered in the next cycle, and nothing else is",
            "operation": "an operation is what was taken; with a word that is asked for, it has its address and beats",
            "stable": "an operation that waits stays, unchanged",
            "kept": "nothing is taken over an operation that waits",
            "chain": "within a chain of additions there are no sweeps, and no words but with an addition",
            "slot": "a word goes with no first addition of a chain, nor with one to a sum in the same slot",
            "alone": "a sweep is taken by itself",
            "rides": "no word is taken by itself where a chain of two additions or more begins",
            "op_taken": "an addition is taken unless an operation waits, a sweep is taken or a word between two chains",
            "read_taken": "a word is taken unless an operation waits, a sweep is taken, a chain begins, or it may not "
            "go with the addition",
            "sweep_taken": "a sweep is taken unless an operation waits or a chain is open",
        },
        cases=tuple(
            Case(parameters=parameters, depth=2, fast=number == 0)
            for number, parameters in enumerate(
                (
                    {"memory_bits": 32, "memory_kib": 16, "cached_words": 4, "cached_lines": 4, "index_bits": 4},
                    {"memory_bits": 0, "memory_kib": 0, "cached_words": 0, "cached_lines": 0, "index_bits": 4},
                    {"memory_bits": 32, "memory_kib": 64, "cached_words": 256, "cached_lines": 4, "index_bits": 20},
                )
            )
        ),
        fault_depth=8,
        faults=benched(
            "order",
            *("ready ignored", "not at full rate", "a word before each chain", "waits for a chain of one"),
            *("no word in a chain", "a word of its own in a chain", "additions wait for words"),
            *("a word with the first addition", "a word with each sweep", "sweeps taken in a chain", "additions stay"),
            *("sweeps read where they write", "reads of the addition", "a word adds, too", "a chain for ever"),
            "a chain of before a reset",
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("order"),
    ),
    Subject(
        name="core_receive",
        leaf="receive",
        properties={
            **STREAM,
            "progress": "a request leaves 2 cycles after it was taken; a record is there at the latest Beats + 1 "
            "cycles after its last beat, if none waits",
            "fits": "a beat that comes always has room",
            "room": "a request is taken whenever fewer than Records are open and the one before it has left its first "
            "register",
        },
        assumes="origin_i does not change; the memory answers what was asked for and taken, in order, with a record of "
        "1 to Beats beats each, the last one marked",
        cases=tuple(
            Case(
                parameters={"Records": records, "Beats": beats, "Width": width, "memory_bits": bits},
                depth=2,
                fast=(records, beats) == (2, 2),
            )
            for records, beats, width, bits in ((2, 2, 60, 32), (4, 1, 32, 32), (2, 3, 71, 32))
        ),
        fault_depth=13,
        faults=benched(
            "receive",
            *("from 0 on", "requests get lost", "asks for too much", "goes on while one waits"),
            *("records of all beats", "given without being taken", "given again"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("receive"),
    ),
    Subject(
        name="core_transmit",
        leaf="transmit",
        properties={
            "only_saved": "as many beats leave as a word has, and no more",
            "beat": "a beat has the data of its place in the word, narrow or not, its address and number of beats; the "
            "last says so",
            "stable": "a beat that waits stays, unchanged",
            "saved": "a word counts as saved in the cycle in which its last beat is taken, and only then",
            "progress": "a beat is offered 2 cycles after the word was taken, and then without a gap",
            "room": "a word is taken whenever the one before it has left",
        },
        assumes="words come only while there is room; their number and their beats stay until they are saved",
        cases=tuple(
            Case(
                parameters={"lanes": lanes, "quantisers": 1, "sum_bits": bits, "memory_bits": beat},
                depth=2,
                fast=lanes == 4,
            )
            for lanes, bits, beat in ((4, 24, 32), (1, 8, 32), (2, 40, 64), (8, 32, 32), (8, 48, 128))
        ),
        fault_depth=8,
        faults=benched(
            "transmit",
            *("room for a word too much", "word of a beat", "beats go on by themselves", "whole words"),
            *("a beat too few", "the last of a single one", "never narrow", "always narrow", "sums of another lane"),
            *("does not stop", "saved before it is taken", "no room after a reset"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("transmit"),
    ),
    Subject(
        name="core_lanes",
        leaf="lanes",
        properties={
            "sum": "a word that is read or saved has what the operations before it made of it",
            "first": "the first addition to a word begins with what the operations before it made of it, unless it is "
            "merged with the last one to that word",
            "total": "what is written is the sum of all additions of the chain, and what it began with",
            "apart": "no word is read in the cycle in which it is written",
            "read": "a word for core_fetch and one that is saved come out 4 cycles after their operation is issued, "
            "and nothing else does",
            "fill": "a word that comes from outside is taken 5 cycles after its operation is issued",
            "line": "a line that comes from outside is taken once while its operation is held, and its place not read",
            "place": "no line is written in the cycle in which it is read",
            "busy": "nothing is issued with a line that is not there or whose place is read, no word for core_fetch "
            "within gap_i cycles after one, no save or fill without room or data or before the one before it is done",
            "issue": "an operation is issued unless it reads a word that is not written yet, or has to wait for these",
            "waits": "it waits for a word for 3 cycles at most",
            "done": "the end of a pass comes out in the cycle after everything before it is written",
            "count": "additions and waiting operations are counted as such, with their engine",
        },
        assumes="operations are those of core_order and core_cache: a chain of additions is to one word, which nothing "
        "else reads or writes within it; what comes from outside stays until it is taken; loads while nothing is under "
        "way, sums lane by lane, all of a word before the last lane's",
        cases=tuple(
            Case(
                parameters={
                    "lanes": lanes,
                    "quantisers": 1,
                    "sum_bits": bits,
                    "sum_words": words,
                    "weight_lines": 2,
                    "cached_words": 2,
                    "cached_lines": 2,
                },
                depth=2,
                fast=lanes == 1,
            )
            for lanes, bits, words in ((1, 8, 2), (2, 8, 3), (4, 24, 4))
        ),
        fault_depth=9,
        faults=(
            *benched(
                "lanes",
                *("reads 1 cycle too early", "waits as if it were stuck", "waits for every word"),
                *("reads do not wait", "reads take what was read before", "copy reads where it writes"),
                *("merged with the next word", "merged with what is gone", "merged, but read", "merged, but written"),
                *("no gap", "two fills take one word", "line without data", "read a cycle late", "fills again"),
                *("done before it is written", "all count as additions", "saves do not wait"),
                *("a line overtakes what reads its place", "in flight after a reset", "loads are not written"),
                among=MUTANTS,
            ),
            *benched(
                "lanes", *("deltas of lane 0", "all lanes load", "written with the first lane"), among=MUTANTS, lanes=2
            ),
            *benched("lane", *("weight of the line after it", "chain keeps nothing", "loads nothing"), among=MUTANTS),
            *benched(
                "words",
                *("writes where it reads", "writes without being asked", "words below written above, too"),
                *("answers from below only", "answers from above a cycle early"),
                among=MUTANTS,
                sum_words=3,
            ),
            *benched("words", "one slice for all", among=MUTANTS, lanes=4, sum_bits=24),
        ),
        prefix="core_",
        modules=modules("lane", "words", "lanes"),
    ),
)
