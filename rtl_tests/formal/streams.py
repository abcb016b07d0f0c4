# SPDX-License-Identifier: Apache-2.0
"""Proofs of what queues, forks, joins, encodes, decodes and serialises."""

from __future__ import annotations

from formal.record import STREAM, Case, Fault, Subject, benched

STREAMS = (
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
                Case(parameters={"Depth": depth, "Registered": registered}, depth=2, fast=depth == 3)
                for depth in (3, 1, 2, 4, 5, 6, 7, 8, 16, 64)
                for registered in (1, 0)
            ),
        ),
        fault_depth=12,
        faults=benched("fifo", "full one late", "full one early", "ready ignored", "bypass not counted out"),
    ),
    Subject(
        name="fork",
        leaf="fork",
        properties={
            "once": "a token is offered to every reader until it takes it, at once and not again",
            "stable": "what waits stays",
            "taken": "a token leaves the source in the cycle in which the last reader takes it",
        },
        assumes="the source keeps a token until it is taken",
        cases=tuple(Case(parameters={"Outputs": outputs}, depth=2, fast=outputs == 3) for outputs in (3, 2, 4, 8)),
        fault_depth=6,
        faults=benched("fork", "a token twice", "forgets who took it", "one reader is enough", "waits for all"),
    ),
    Subject(
        name="join",
        leaf="join",
        properties={
            **STREAM,
            "progress": "a token is offered in the next cycle",
            "one_at_a_time": "one token is taken at a time",
            "frame": "nothing is taken of an input whose frame has ended, until all have",
            "no_waiting": "whenever the output is free, a token of some input that still runs is taken if there is "
            "one: no input waits for another within a frame",
            "floor": "no event of the frame comes before the floor of a token that left before it",
        },
        assumes="a source keeps its token until it is taken; rows of one input do not go back within a frame",
        cases=tuple(Case(parameters={"Inputs": inputs}, depth=3, fast=inputs == 2) for inputs in (2, 3, 4)),
        fault_depth=8,
        faults=(
            *benched(
                "join",
                *("ends with the first input", "a token for every end", "ended input goes on", "floor of the head"),
                *("row of a silent input unknown", "rows of the last frame", "first_of_stream again"),
                *("first_of_stream lost", "first_of_stream for ever", "stalled token moves", "waits for all inputs"),
                *("ends are kept",),
            ),
            Fault(leaf="join", name="takes all heads", old="pick = Inputs'(1) << i", new="pick |= Inputs'(1) << i"),
        ),
    ),
    Subject(
        name="encode",
        leaf="encode",
        properties={
            "offered": "the word of a beat, and each of the words that fill a short first frame, is offered in the "
            "next cycle, and nothing else is",
            "word": "a word has the address, codes and flags of its beat",
            "filled": "the rest of a short first frame is zeros, in order, up to the end of the frame",
            "stable": "a word that waits stays, unchanged",
            "kept": "no beat is taken over a word that has not left",
            "ready": "a beat is taken unless a word waits, a first frame is filled or a frame is held back",
            "error": "an early and a late TLAST, and nothing else, are reported, and stay so",
            "begins": "a frame begins with the first beat after a TLAST, whatever came before it",
        },
        cases=tuple(Case(parameters={"Beats": beats}, depth=3, fast=beats == 3) for beats in (3, 1, 2, 4, 5, 8, 16)),
        fault_depth=9,
        faults=benched(
            "encode",
            *("off by one beat", "tuser of any beat", "first frame is not the first of its stream"),
            *("short first frame not filled", "fill is not 0", "takes beats while filling", "long frame not dropped"),
            *("error not sticky", "stalled token moves", "counts a stalled error", "held within a frame"),
            *("held beats are dropped late", "held, but taken", "ready, but held", "begins while it waits"),
        ),
    ),
    Subject(
        name="serialize",
        leaf="serialize",
        properties={
            **STREAM,
            "progress": "an event is offered at the latest 2 cycles after its word, and then without a gap",
            "room": "a word is taken whenever the queue has room",
        },
        assumes="a token without a word has no changed lane, and neither have lanes beyond Size",
        cases=tuple(
            Case(
                parameters={"Depth": depth, "Lanes": lanes, "Size": size},
                depth=2,
                fast=(depth, lanes) == (1, 3),
            )
            for depth, lanes, size in (
                *((1, 3, 5), (1, 1, 3), (1, 4, 8), (2, 3, 5), (2, 2, 4), (3, 3, 5), (3, 1, 3), (4, 2, 4), (4, 4, 8)),
                *((8, 2, 4), (16, 1, 3)),
            )
        ),
        fault_depth=8,
        faults=benched(
            "serialize",
            *("first_of_stream lost with a dropped word", "first_of_stream on every event"),
            *("first_of_stream on every word", "last event dropped", "an event twice", "end_of_frame with every event"),
            *(
                "off by one address",
                "end of an untouched frame dropped",
                "ready ignored",
                "loses a cycle between words",
            ),
            *("keeps unchanged words",),
        )
        + benched("fifo", "full one early", Depth=3),
    ),
    Subject(
        name="decode",
        leaf="decode",
        properties={
            "only_packets": "every end of a frame sends one packet of all words, and nothing else leaves",
            "last": "TLAST is on the last beat of a packet and on no other",
            "value": "a beat is the last value of its word before the end of the frame",
            "stable": "a beat that waits stays, unchanged",
            "progress": "a beat is offered at the latest 2 cycles after the end of the frame, and then without a gap",
            "ready": "a token is taken as soon as the last beat of the packet is offered",
        },
        assumes="addresses are below Words; what a word is before it came first is left open",
        cases=tuple(
            Case(parameters={"Words": words, "ValueSigned": signed}, depth=3, fast=(words, signed) == (3, 1))
            for words, signed in ((3, 1), (3, 0), (1, 1), (2, 0), (4, 1), (5, 0), (8, 1))
        ),
        fault_depth=12,
        faults=(
            *benched(
                "decode",
                *("no word kept", "token without word kept", "words in order of arrival", "last one early"),
                *("takes any word while sending", "takes a word before it has left", "takes the end while sending"),
                *("stalled beat moves", "a packet for every word", "no sign"),
            ),
            Fault(
                leaf="decode",
                name="ready a beat late",
                old="ready_o = !sending_q ||",
                new="ready_o = (!sending_q && !m_axis_tvalid) ||",
            ),
            Fault(
                leaf="decode",
                name="waits for a reader",
                old="sending_q && (m_axis_tready || !m_axis_tvalid)",
                new="sending_q && m_axis_tready",
            ),
        ),
    ),
    Subject(
        name="align",
        leaf="align",
        properties={
            **STREAM,
            "progress": "a token is offered in the next cycle",
            "room": "a token is taken unless the one before it waits",
        },
        assumes="the table has low < 2^shift; it is any such table",
        cases=(Case(depth=2, fast=True), Case(parameters={"Lines": 5, "Words": 5}, depth=2)),
        fault_depth=6,
        faults=benched(
            "align",
            *("shifts of the first line", "shifts of any word", "no low bits", "shifts of lane 0", "no sign"),
            *("stalled token moves", "token outlives a reset", "token lost"),
        ),
        files={"lines.hex": "0\n0\n"},
        free=True,
    ),
)
