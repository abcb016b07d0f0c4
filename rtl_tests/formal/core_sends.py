# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: which words are sent, and what they send."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import Case, Fault, Subject, benched

SENDS = (
    Subject(
        name="core_marks",
        leaf="marks",
        properties={
            "marked": "a word is given only if it was marked when its chunk was read, or is one of the step's where "
            "fresh_i is set or a packet is sent, and not again",
            "none_lost": "every such word is given before any larger one, and before the end",
            "order": "after a word only larger ones are given",
            "read": "every chunk of a step is read once in a pass, after its start, and its marks cleared unless they "
            "are kept: a mark set meanwhile is given in this pass or stays",
            "room": "a chunk is read only if there is room for its marks",
            "pass": "nothing is offered but in a pass, and its end once",
            "stable": "a word that waits stays, unchanged",
            "progress": "in any stretch of a pass at most 6 cycles offer nothing, and one for each mark that is set "
            "and each chunk without one",
            "dirty": "dirty_o says whether a word of the engine was marked since the last pass that cleared it",
            "ready": "a mark is taken in every cycle but that of start_i",
        },
        assumes="a start comes only when no pass is open; the step and fresh_i stay until its end was taken; words lie "
        "inside the memory, as chunks of a step but for a packet; a mark counts as known when it was set or cleared, "
        "and in a reset only if nothing was done to its chunk in the 3 cycles before it",
        cases=tuple(
            Case(parameters={"chunks": chunks, "chunk_bits": bits, "index_bits": index}, depth=2, fast=chunks == 2)
            for chunks, bits, index in ((2, 4, 4), (9, 8, 7), (3, 32, 7), (16, 32, 9))
        ),
        fault_depth=16,
        faults=(
            *benched(
                "marks",
                *("dirty cleared, but kept", "dirty cleared, but more comes", "dirty cleared by a packet"),
                *("dirty for ever", "first frame ignored", "packet of touched words", "words past the frame"),
                *("a word twice", "a word left out", "marks not counted", "backwards", "ready ignored"),
                *("empty chunk has a word", "end lost", "chunks of engine 0", "marks the bit before"),
                "pass goes first",
                among=MUTANTS,
            ),
            *benched("marks", "nothing cleared", among=MUTANTS, First=1),
            Fault(
                leaf="marks",
                name="fewer places than room",
                old=".Depth(Room)",
                new=".Depth(2)",
                parameters={"chunks": 6, "index_bits": 5},
            ),
            Fault(leaf="marks", name="marks lost in a pass", old="(set || (ask", new="((set && !scanning_q) || (ask"),
            Fault(
                leaf="marks",
                name="marks wait for words",
                old="assign set_ready_o = !start_i",
                new="assign set_ready_o = !start_i && !valid_o",
            ),
            Fault(
                leaf="marks",
                name="one chunk in a pass",
                old="last_chunk ? '0 : left_q - IndexBits'(ChunkBits)",
                new="'0",
            ),
            Fault(
                leaf="marks",
                name="end again",
                old="(free && !several) busy_q",
                new="(free && !several && !last_q) busy_q",
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("marks", leaves=("fifo", "state")),
    ),
    Subject(
        name="core_send",
        leaf="send",
        properties={
            "offered": "a part or an end is offered when the stages have moved 11 times since it was taken, and "
            "nothing else is; nothing in a pass that sends a packet",
            "part": "a part has its word, an end is one: none is lost, doubled or out of order",
            "moves": "the stages move, as enable_o says, unless a token or a beat waits",
            "ready": "a part is taken when the stages move, from shift cycles after the start on",
            "taken": "core_quantise takes z = (sum << align) + low or the number nearest to it, the code of the row or "
            "0, the lane's parameters and the clip range on the lattice of the sums",
            "code": "what core_quantise makes of a lane is its code",
            "delta": "and its delta",
            "changed": "and whether it changed",
            "row": "a row of codes comes with a part that is offered, and with nothing else",
            "beat": "a part of a packet is offered as a beat when the stages have moved 6 times, and nothing else is",
            "sums_sent": "a beat has the z of its lanes",
            "codes_sent": "or their codes",
            "last": "the last part of the last word has TLAST",
            "done": "the end of a packet is a pulse when the stages have moved 6 times, and all beats have left",
            "stable": "what waits stays, unchanged",
        },
        assumes="core_quantise gives in its 6th stage what follows from what it took (a stand-in does); the step, "
        "fresh_i and skip_i stay until a pass has left; parts and ends come within one, from the cycle after its start "
        "on; rows are inside the memory, which is written between passes; lo <= 0 <= hi, low < 2^align, align "
        "< SumBits",
        cases=tuple(
            Case(
                parameters={
                    "lanes": lanes,
                    "quantisers": quantisers,
                    "code_bits": code,
                    "sum_bits": bits,
                    "index_bits": index,
                    "param_rows": rows,
                },
                depth=2,
                fast=bits == 8,
            )
            for lanes, quantisers, code, bits, index, rows in (
                (2, 1, 3, 8, 4, 4),
                (4, 2, 8, 24, 5, 8),
                (8, 1, 16, 32, 6, 40),
                (4, 4, 8, 48, 4, 1),
            )
        ),
        fault_depth=16,
        faults=(
            *benched(
                "send",
                *("valid stuck", "ready ignored", "beat overwritten", "first frame ignored", "clip range too early"),
                *("end written as codes", "codes not written"),
                *("parameters of part 0", "parameters of a word", "lattice ignored", "wide sums wrap"),
                *("a whole number is cut", "cut a place late", "cut to the other end", "sign of the one after it"),
                *("addend ignored", "addend of the one after it", "packet of sums only"),
                *("each part of the last word is last", "packet is sent, too", "done with every beat", "end is a beat"),
                among=MUTANTS,
            ),
            *benched("send", "lower bound wraps", "upper bound wraps", among=MUTANTS, code_bits=7),
            *(
                Fault(
                    leaf="send",
                    name=f"{what} of another lane",
                    old=f"{port}[i{width}]",
                    new=f"{port}[(1 - i){width}]",
                    parameters={"quantisers": 2},
                )
                for what, port, width in (
                    ("codes", "(codes_o", "*CodeBits+:CodeBits"),
                    ("deltas", "(deltas_o", "*DeltaBits+:DeltaBits"),
                    ("change", "(mask_o", ""),
                )
            ),
            Fault(
                leaf="send",
                name="beat that waits moves on",
                old="if (enable) begin\n        m_axis_tdata",
                new="begin\n        m_axis_tdata",
            ),
            Fault(leaf="send", name="words of the part after it", old="head_q[Stages];", new="head_q[Stages-1];"),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("send", leaves=(), stand_ins=("quantise",)),
    ),
)
