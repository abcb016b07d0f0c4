# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: what streams, asks for records, divides and quantises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from core_add_mutants import ADD_MUTANTS
from core_codes_mutants import CODES_MUTANTS
from core_memory_mutants import MEMORY_MUTANTS
from core_send_mutants import SEND_MUTANTS

from codesign.core import CoreConfig, core_package
from codesign.rtl.core import core_module_files
from codesign.rtl.leaves import leaf_files
from formal.record import STREAM, Case, Fault, Subject, benched

MUTANTS = (*SEND_MUTANTS, *CODES_MUTANTS, *ADD_MUTANTS, *MEMORY_MUTANTS)
SMALL = CoreConfig(
    lanes=4,
    quantisers=2,
    code_bits=2,
    weight_bits=2,
    sum_bits=32,
    index_bits=4,
    sum_words=8,
    code_rows=8,
    weight_lines=8,
    table_rows=8,
    param_rows=8,
    step_words=8,
    places=8,
    walks=8,
    chunks=8,
    memory_bits=32,
    memory_kib=16,
    cached_words=4,
    cached_lines=4,
)
"""What a case does not say of its core."""


def modules(*names: str) -> Callable[[Mapping[str, int]], dict[str, str]]:
    """Return what returns the files of modules of the core, for the parameters of a case."""

    def files(parameters: Mapping[str, int]) -> dict[str, str]:
        config = replace(SMALL, **{name: value for name, value in parameters.items() if name.islower()})
        texts = core_module_files()
        chosen = {name: texts[name] for name in ("core_types.sv", *(f"core_{name}.sv" for name in names))}
        return {"core_pkg.sv": core_package(config), **leaf_files("fifo"), **chosen}

    return files


CORES = (
    Subject(
        name="core_burst",
        leaf="burst",
        properties={
            "beats": "a burst is of the next beats of the oldest record: none is lost, doubled or out of order",
            "page": "no burst lies across 4 KiB",
            "whole": "a burst ends with its record or at 4 KiB",
            "stable": "a burst that waits stays, unchanged",
            "progress": "a burst is offered at the latest 2 cycles after its record was taken, and then without a gap",
            "room": "a record is taken whenever the last burst of the one before it is offered",
        },
        assumes="a record has 1 to 255 beats and lies inside the memory",
        cases=tuple(
            Case(parameters={"memory_bits": bits, "memory_kib": kib}, depth=2, fast=(bits, kib) == (32, 16))
            for bits, kib in ((32, 16), (32, 2), (64, 32768), (128, 64), (128, 1 << 22))
        ),
        fault_depth=8,
        faults=benched(
            "burst",
            *("never across 4 KiB", "up to 4 KiB is across", "the page before", "all beats again", "a beat more"),
            *("address in beats", "ready ignored", "valid stuck", "second burst lost"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("burst"),
    ),
    Subject(
        name="core_gather",
        leaf="gather",
        properties={
            **STREAM,
            "progress": "a word is offered in the cycle after its last part was taken",
            "room": "a part is taken unless a word waits",
        },
        assumes="a word has at most Lanes / Quantisers parts, and no end comes within it",
        cases=tuple(
            Case(parameters={"lanes": lanes, "quantisers": quantisers}, depth=2, fast=(lanes, quantisers) == (4, 2))
            for lanes, quantisers in ((4, 2), (2, 2), (4, 1), (8, 1), (16, 4))
        ),
        fault_depth=8,
        faults=benched(
            "gather",
            *("unchanged word sent", "every part sent", "looks at the last part", "change of the word before"),
            *("deltas of part 0 in all", "mask of part 0 in all", "lanes of the word before", "end dropped"),
            *("a part after the end", "ready ignored", "lanes at the end"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("gather"),
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
        name="core_beats",
        leaf="beats",
        properties={
            **STREAM,
            "progress": "the word of a beat, with its number and group, the words that fill a short first frame, then "
            "the end are each offered in the next cycle",
            "ready": "a beat is taken if it is past the end of its frame, or in a frame that was started and there is "
            "room",
            "waiting": "a frame is asked for as soon as the end of the one before it is on its way",
            "fresh": "the first frame after a reset, and one with TUSER in its first beat, start a stream",
            "error": "an early and a late TLAST, and nothing else, are reported, and stay so",
            "begins": "a frame begins with the first beat that is taken after its start",
        },
        assumes="a start comes only after the end of the pass before it was queued; the step and fresh_i stay until "
        "then",
        cases=tuple(
            Case(
                parameters={"lanes": lanes, "quantisers": lanes, "code_bits": code, "sum_bits": 8, "index_bits": index},
                depth=2,
                fast=index == 4,
            )
            for lanes, code, index in ((2, 3, 4), (4, 2, 5))
        ),
        fault_depth=9,
        faults=(
            *benched(
                "beats",
                *("off by one beat", "first frame not fresh", "takes beats before a start", "error not sticky"),
                *("extra beat asks for a frame", "takes beats without room", "every word begins a frame", "no end"),
                "codes without a sign",
                among=MUTANTS,
            ),
            *benched("fifo", "ready ignored", prefix="delta_"),
        ),
        prefix="core_",
        modules=modules("beats"),
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
        name="core_divide",
        leaf="divide",
        properties={
            **STREAM,
            "progress": "a quotient is offered at the latest 9 cycles after its operands were taken",
            "room": "operands are taken unless a quotient waits",
        },
        assumes="recip_i and shift_i are those of divisor_i, as in the header",
        cases=tuple(Case(parameters={"index_bits": bits}, depth=2, fast=bits == 4) for bits in (4, 6)),
        fault_depth=13,
        faults=(
            *benched(
                "divide",
                *("ready ignored", "valid stuck", "shift of the one after it", "high bits of the quotient"),
                among=MUTANTS,
            ),
            Fault(
                leaf="divide",
                name="operands lost",
                old="{valid_q[Stages-1:1], valid_i}",
                new="{valid_q[Stages-1:1], 1'b0}",
            ),
        ),
        prefix="core_",
        modules=modules("divide"),
    ),
    Subject(
        name="core_quantise",
        leaf="quantise",
        properties={
            "code": "the code that leaves is that of the formula",
            "delta": "the delta is the difference to the code before, exactly",
            "changed": "it counts as changed if the lane has a channel and the delta is not 0, or nothing is skipped",
        },
        assumes="what all lanes share does not change; low_i and high_i are lo_i and hi_i on the lattice of the sums, "
        "lo_i <= 0 <= hi_i; |code_i| * 2^shift_i is at most 2^(SumBits - 1); values are taken in any pattern",
        cases=tuple(
            Case(
                parameters={"code_bits": code, "sum_bits": bits}, method="bounded", depth=8, fast=(code, bits) == (3, 8)
            )
            for code, bits in ((3, 8), (7, 8))
        ),
        fault_depth=8,
        faults=benched(
            "quantise",
            *("half up", "no clip above", "held is sent", "lane without a channel", "delta of the unheld code"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("quantise"),
    ),
)
