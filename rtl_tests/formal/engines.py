# SPDX-License-Identifier: Apache-2.0
"""Proofs of arithmetic, and of small engines against their specification."""

from __future__ import annotations

from formal.record import STREAM, Case, Fault, Subject, benched

ENGINES = (
    Subject(
        name="product",
        leaf="product",
        properties={"addend": "a lane gets its weight times the delta, the others and other places of a window get 0"},
        assumes="stages take events in any pattern; weights are anything",
        cases=tuple(
            Case(parameters=parameters, method="bounded", depth=7, fast=number == 0)
            for number, parameters in enumerate(
                ({}, {"Channelwise": 1, "Lanes": 3}, {"Window": 3}, {"DeltaWidth": 7, "WeightWidth": 6, "AccWidth": 16})
            )
        ),
        fault_depth=7,
        faults=(
            *benched(
                "product",
                *("unsigned delta", "unsigned weight", "weights not frozen", "products of the stage before"),
                *("product not frozen", "delta not frozen", "product of lane 0"),
            ),
            *benched("product", "every lane", "weight of lane 0", Channelwise=1, Lanes=3),
            *benched("product", "every place of the window", "a cycle early", "unit weights a cycle early", Window=3),
        ),
        files={"weights.hex": "0\n"},
        free=True,
    ),
    Subject(
        name="quantise",
        leaf="quantise",
        properties={
            "code": "the code that leaves is that of the formula",
            "delta": "the delta is the difference to the code before, exactly",
            "changed": "it counts as changed if the delta is not 0",
        },
        assumes="the code before is in the range of codes; stages take values in any pattern",
        cases=tuple(
            Case(parameters=parameters, method="bounded", depth=6, fast=number == 0)
            for number, parameters in enumerate(
                (
                    {"InWidth": 12},
                    {"Relu": 0, "CodeSigned": 1, "Lo": -16, "Hi": 15},
                    {"Relu": 0, "CodeSigned": 1, "Lo": -5, "Hi": 9, "StepMax": 0, "Shift": 0, "ThresholdWidth": 6},
                    {"InSigned": 0, "Widen": 2, "Hold": 0, "ThresholdWidth": 1, "Hi": 20},
                    {"InWidth": 24, "CodeWidth": 8, "Hi": 255, "Shift": 12, "ThresholdWidth": 20},
                )
            )
        ),
        fault_depth=6,
        faults=(
            *benched(
                "quantise",
                *("half up", "half down", "no activation", "above excluded", "below excluded", "no round up"),
                *("no clip above", "step one early", "stage 1 with stage 0", "stage 2 always", "bounds with stage 1"),
                *("delta of the unheld value", "held is changed", "saturates to the wrong side"),
            ),
            *benched(
                "quantise",
                *("no clip below", "bound below not clipped", "bound above not clipped"),
                Relu=0,
                CodeSigned=1,
                Lo=-5,
                Hi=9,
            ),
        ),
    ),
    Subject(
        name="emit",
        leaf="emit",
        properties={
            **STREAM,
            "progress": "a word is offered 4 cycles after it was taken, if nothing waits",
            "room": "a word is taken unless the one that leaves waits",
        },
        assumes="addresses are below Words, skip_i does not change while words are inside; the steps are anything",
        cases=(
            Case(parameters={"Size": 2, "Lanes": 1}, method="bounded", depth=10, fast=True),
            Case(parameters={"Size": 1, "Lanes": 1, "StepLines": 1}, method="bounded", depth=12),
            Case(parameters={"Size": 2, "Lanes": 1, "SendCodes": 1, "Hold": 0}, method="bounded", depth=12),
            Case(parameters={"Size": 3, "Lanes": 2}, method="bounded", depth=8),
        ),
        fault_depth=10,
        faults=(
            *benched(
                "emit",
                *("reference written without word", "reference not written", "first frame ignored", "step of word 0"),
                *("threshold rounded down", "threshold rounded up always", "threshold of the coarsest step"),
                *("threshold of the word behind", "stages of the word before", "tokens of the word after it"),
                *("stalled token moves", "unchanged elements sent", "always skips", "step a word late"),
            ),
            *benched("emit", "padding makes events", Size=3, Lanes=2),
            Fault(leaf="emit", name="waits for a reader", old="enable = ready_i || !valid_o", new="enable = ready_i"),
            *benched("emit", "steps of no word", Size=2, Lanes=2, StepLines=1),
        ),
        files={"steps.hex": "0\n"},
        free=True,
    ),
    Subject(
        name="dense",
        leaf="dense",
        properties={
            **STREAM,
            "progress": "a word is offered at the latest 9 cycles after the end of its frame",
            "taken": "a token is taken within 2 * Words cycles in which nothing stalls",
        },
        assumes="the source keeps a token until it is taken; weights and biases are anything",
        cases=(
            Case(parameters={"AccWidth": 3}, method="bounded", depth=14, fast=True),
            Case(parameters={"AccWidth": 5}, method="bounded", depth=20),
            Case(parameters={"Words": 1, "Inputs": 3, "Lanes": 2}, method="bounded", depth=18),
            Case(parameters={"Words": 3, "Inputs": 1}, method="bounded", depth=18),
        ),
        fault_depth=19,
        faults=(
            *benched(
                "dense",
                *("off by one row", "bias ignored", "new stream keeps the state", "bare new stream forgotten"),
                *("emission is not the first of its stream", "first emission for ever", "untouched frame sends words"),
                *("touched frame sends none", "drain adds", "last event dropped", "stalled token moves"),
                *("dirty for ever", "product of the stage before", "delta of the event after it"),
            ),
            Fault(leaf="dense", name="takes no event", old="enable && pop;", new="enable && pop && !walk;"),
        ),
        files={"weights.hex": "0\n", "biases.hex": "0\n"},
        free=True,
    ),
    Subject(
        name="locate",
        leaf="locate",
        properties={
            **STREAM,
            "progress": "a token is offered 6 cycles after it was taken, if nothing waits",
            "room": "a token is taken unless the one that leaves waits",
        },
        assumes="addresses are below the size of a frame; the tables hold anything",
        cases=tuple(
            Case(parameters=parameters, method="bounded", depth=16, fast=number == 0)
            for number, parameters in enumerate(
                (
                    {},
                    {"Channelwise": 1, "Channels": 4, "Lanes": 3},
                    {"Channelwise": 1, "Channels": 2, "Lanes": 3, "ChannelOffset": 3, "Weighted": 0, "Shift": 2},
                    {"Height": 5, "Width": 1, "Channels": 1, "Groups": 1, "Lanes": 1},
                )
            )
        ),
        fault_depth=12,
        faults=(
            *benched(
                "locate",
                *("flags of a lost event dropped", "off by one position", "line of another channel"),
                *("line without its row", "stalled token moves", "columns ignored"),
                "an event that reaches nothing stays one",
            ),
        ),
        files={"rows.hex": "0\n", "columns.hex": "0\n"},
        free=True,
    ),
    Subject(
        name="banks",
        leaf="banks",
        properties={
            "read": "a reading returns the bias and all additions since the sweep",
            "first": "an addition is the first one to its word exactly if there was none since it was read",
            "busy": "a bank that adds is busy",
        },
        assumes="slots have different banks; a reading is of a bank that is not busy, 4 cycles or more after the last "
        "addition to its word and after a sweep; nothing is in flight at start_i; biases are anything",
        cases=tuple(
            Case(
                parameters={"Banks": banks, "Slots": slots, "Words": words, "Groups": groups},
                method="bounded",
                depth=depth,
                fast=banks == 2,
            )
            for banks, slots, words, groups, depth in ((2, 1, 2, 1, 12), (4, 2, 1, 1, 10))
        ),
        fault_depth=12,
        faults=(
            *benched("banks", "touched for ever", "first at every addition", "marks outlive a sweep"),
            *benched("banks", "adds in the first bank only", Banks=4, Slots=2, Words=1),
            Fault(leaf="banks", name="never busy", old="busy_o[b] = 1'b1;", new="busy_o[b] = 1'b0;"),
        ),
        files={"biases.hex": "0\n"},
        free=True,
    ),
    Subject(
        name="conv",
        leaf="conv",
        properties={
            **{name: text for name, text in STREAM.items() if name != "none_lost"},
            "progress": "a word is offered at the latest 16 cycles after no later event of its frame can reach it",
            "taken": "a token is taken within 24 cycles in which nothing stalls",
        },
        assumes="the source keeps a token until it is taken; events are inside the layer and in the order of rows, and "
        "the first one starts a stream; Steady 1: the reader never stalls, one reset; weights and bias are anything",
        cases=(
            Case(method="bounded", depth=20),
            Case(parameters={"Rows": 1}, method="bounded", depth=18, fast=True),
            Case(parameters={"Steady": 1}, method="bounded", depth=28),
        ),
        fault_depth=28,
        faults=(
            *benched("fifo", "ready ignored, no register"),
            *benched("conv", "sweep does not wait", "product a cycle late", Steady=1),
            *benched("rows", "takes a row that is not done", "sends all words for ever", Steady=1),
            *benched("walk", "weights one row off", Steady=1),
            Fault(
                leaf="conv",
                name="no credit",
                old="credit_q != 0 &&",
                new="credit_q > 4'(OutputDepth) &&",
                parameters={"Steady": 1},
            ),
            Fault(
                leaf="walk",
                name="a new stream waits for ever",
                old="else if (swept_i) clean_q <= 1'b1;",
                new="",
                parameters={"Steady": 1, "Patience": 60},
            ),
        ),
        files={"weights.hex": "0\n", "biases.hex": "0\n"},
        free=True,
        thorough=False,
    ),
)
