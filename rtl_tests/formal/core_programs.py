# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: the program, what a word's readers find it by, and the test of the memory."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import Case, Fault, Subject, benched

PROGRAMS = (
    Subject(
        name="core_sequence",
        leaf="sequence",
        properties={
            "idle": "a frame begins if there is a network and a beat is offered, and ends with its last step",
            "index": "in a frame each step has its turn, in order; twice if it starts a stream: first all sweeps",
            "step": "step_o is the record of the step whose turn it is, as it was loaded, from its sweep or start to "
            "its end",
            "fresh": "a frame starts a stream if it is the first one since the reset or the load, or its beat says so",
            "sweeps": "the sweeps of a step are offered one after the other, as many as it has words to sweep, until "
            "each is taken",
            "sweep": "the words of sums in order, each with its bias, bias_period of them again and again",
            "starts": "a step of the second round is started once if its engine is dirty or has to be sent, of the "
            "source or of the marks, and the next step has its turn when its end came",
            "frame": "the end of a frame is a pulse",
        },
        assumes="a step has its words in the memory, and a period if it has words to sweep; the program is loaded "
        "between frames, while there is no network",
        cases=tuple(
            Case(
                parameters={"index_bits": index, "step_words": words, "param_rows": 4},
                depth=2,
                fast=index == 4,
            )
            for index, words in ((4, 16), (6, 32), (10, 1024))
        ),
        fault_depth=19,
        faults=(
            *benched(
                "sequence",
                *("starts without a network", "starts without a frame", "never fresh by itself"),
                *("not fresh after a reset", "starts in a reset", "reads a word less", "reads a word more"),
                *("sweeps nothing as something", "never sweeps"),
                *("sweep goes on by itself", "one bias too many", "one bias", "sweeps a word less"),
                *("phase of the engine before", "a step less", "no steps after the sweeps"),
                *("program goes on after the sweeps", "idle in a frame"),
                among=MUTANTS,
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("sequence", leaves=()),
    ),
    Subject(
        name="core_probe",
        leaf="probe",
        properties={
            "restart": "core_memory is restarted in the cycle after each start, and only then",
            "writes": "then address 0 and all powers of two are written, each once, in order",
            "reads": "then read, each once and in order, each after the answer to the one before it",
            "address": "at these addresses",
            "numbers": "each with its own number, its bytes in another order in each word of a beat",
            "done": "the test ends with a number that is not what was written there, with the last one, and if the "
            "memory is silent or says an error; once for a start, or not if another one comes before",
            "good": "the memory is good only if every number was right, and it did neither",
            "stable": "a beat that waits stays, unchanged, unless the test ends",
        },
        cases=tuple(
            Case(parameters={"memory_bits": bits, "memory_kib": kib}, depth=2, fast=(bits, kib) == (32, 16))
            for bits, kib in ((32, 16), (32, 1024), (64, 32768), (128, 1 << 20))
        ),
        fault_depth=34,
        faults=(
            *benched(
                "probe",
                *("address 0 only", "half of the memory", "not compared", "silence ignored", "errors ignored"),
                *("silence before the restart", "told without a test", "begins where it was", "no restart"),
                *("write taken back", "the same number everywhere"),
                among=MUTANTS,
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("probe", leaves=()),
    ),
    Subject(
        name="core_place",
        leaf="place",
        properties={
            "issued": "an event begins only while a word is inside",
            "taken": "a word is taken when the last event of the one before it has begun",
            "ready": "and then at once",
            "soon": "an event of a word begins in the cycle after it was taken or its reader's turn came, or in the "
            "next one, and then waits for room",
            "only_what_entered": "nothing leaves that did not begin, and no event twice",
            "order": "events leave in order: of each reader in turn one for the word, or one for each changed lane, "
            "with remainder = index % divisor and the entries of row = index / divisor / columns and of column = index "
            "/ divisor % columns; the last one of its word is marked",
            "operands": "core_divide takes the index and the reader's divisor, then the position and its columns, each "
            "with its reciprocal",
            "kept": "an event is offered only if both entries reach something, or it is the last one of its word, or "
            "the end",
            "event": "and as it is",
            "offered": "nothing else is offered",
            "stable": "an event that waits at the end stays, unchanged",
            "waits": "and so does one that is offered",
            "progress": "an event is at the end after 25 cycles in which nothing that is offered waits",
        },
        assumes="core_divide divides (stand-ins do, with as many stages); readers stay while a word is inside, and a "
        "cycle before; a word has a changed lane; divisors are not 0; memories are loaded while nothing is inside",
        cases=tuple(
            Case(
                parameters={"lanes": lanes, "quantisers": 1, "index_bits": index, "places": 4, "table_rows": 4},
                depth=2,
                fast=lanes == 2,
            )
            for lanes, index in ((2, 4), (1, 5), (4, 6))
        ),
        fault_depth=32,
        faults=(
            *benched(
                "place",
                *("only the last lane", "lowest lane again", "one event a word", "one lane for the readers after it"),
                *("lanes of the word before", "a reader too many", "no readers are one", "reader of the word before"),
                *("keeps the last reader", "lanes of the reader before", "first reader only"),
                *("free with every reader", "free with every lane", "element with the whole mask"),
                *("mask of a lane for every reader", "element like a word", "word like an element"),
                *("lane of a word", "remainder of the position"),
                "ready ignored",
                among=MUTANTS,
                Divide=1,
            ),
            *(
                Fault(leaf="place", name=name, old=old, new=new, parameters={"Divide": 1})
                for name, old, new in (
                    ("events without a word", "issue = busy_q && (known_q || skip_q)", "issue = known_q || skip_q"),
                    ("a word over another one", "ready_o = !busy_q || next_word", "ready_o = 1'b1"),
                    ("offered without an event", "valid_q[5] && (located_q5.free || hit)", "located_q5.free || hit"),
                    ("drops what frees a word", "valid_q[5] && (located_q5.free || hit)", "valid_q[5] && hit"),
                    ("event of the one after it", "event_o <= located_q5;", "event_o <= located_q4;"),
                    ("valid stuck", "{valid_q[4:3], spot_valid}", "{1'b1, valid_q[3], spot_valid}"),
                    (
                        "an event at the end moves on",
                        "if (next) begin\n      row_address_q3",
                        "begin\n      row_address_q3",
                    ),
                    ("never divided", "move2 = !valid_q2 || divide_ready", "move2 = valid_q2 && divide_ready"),
                )
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("place", stand_ins=("divide",)),
    ),
)
