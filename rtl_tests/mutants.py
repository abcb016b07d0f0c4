# SPDX-License-Identifier: Apache-2.0
"""Faults that the module benches must find: one text substitution each, in one leaf."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``old`` occurs once in ``delta_<leaf>.sv`` and is replaced by ``new``; the bench must fail on ``case``.

    The first mutant of each leaf is in the default test run, all are in the heavy one.
    """

    leaf: str
    name: str
    case: str
    old: str
    new: str


def _mutants(leaf: str, case: str, *faults: tuple[str, str, str]) -> list[Mutant]:
    return [Mutant(leaf=leaf, name=name, case=case, old=old, new=new) for name, old, new in faults]


MUTANTS = [
    *_mutants(
        "fifo",
        "depth 5",
        ("pointer wraps one late", "PointerWidth'(Depth - 1) ? '0", "PointerWidth'(Depth) ? '0"),
        ("full one late", "count_d != CountWidth'(Depth)", "count_d != CountWidth'(Depth + 1)"),
        ("full one early", "count_d != CountWidth'(Depth)", "count_d < CountWidth'(Depth - 1)"),
        ("ready ignored", "load = ready_i || !valid_o", "load = 1'b1"),
        ("valid stuck", "valid_o <= !empty || (valid_i && ready_o)", "valid_o <= 1'b1"),
        ("bypass not counted out", "&& !(load && empty)", ""),
    ),
    *_mutants(
        "state",
        "any distance",
        ("no forwarding at distance 1", "behind_1_q <= Distance <= 1 &&", "behind_1_q <= 1'b0 &&"),
        ("no forwarding at distance 2", "behind_2_q <= Distance <= 2 &&", "behind_2_q <= 1'b0 &&"),
        ("no forwarding at distance 3", "behind_3_q <= Distance <= 3 &&", "behind_3_q <= 1'b0 &&"),
        (
            "older before newer",
            "behind_2_q ? result_q : behind_3_q ? written_q",
            "behind_3_q ? written_q : behind_2_q ? result_q",
        ),
        ("forwards another word", "valid_qq && word_q == word_qq &&", "valid_qq &&"),
        ("forwards over a load", "word_q == word_qq && !load_q", "word_q == word_qq"),
        ("forwards from no access", "Distance <= 2 && valid_qq &&", "Distance <= 2 &&"),
        ("writes without access", "if (valid_qqq) memory", "memory"),
        ("not frozen", "if (enable_i) begin\n      if (valid_qqq)", "begin\n      if (valid_qqq)"),
    ),
    *_mutants(
        "encode",
        "5 beats",
        ("off by one beat", "WordWidth'(Beats - 1)", "WordWidth'(Beats - 2)"),
        ("tuser of any beat", "(word_q == 0 && s_axis_tuser)", "s_axis_tuser"),
        ("first frame not fresh", "fresh_q <= 1'b1;", "fresh_q <= 1'b0;"),
        ("short fresh frame not filled", "fill_q  <= (fill_q || early)", "fill_q  <= fill_q"),
        ("fill is not 0", "fill_q ? '0 :", "1'b0 ? '0 :"),
        ("takes beats while filling", "s_axis_tready = enable && !fill_q", "s_axis_tready = enable"),
        ("long frame not dropped", "drop_q  <= late", "drop_q  <= 1'b0"),
        ("error not sticky", "error_o | {late, early}", "{late, early}"),
        ("stalled token moves", "enable = ready_i || !valid_o", "enable = 1'b1"),
        ("counts a stalled error", "malformed_o = enable && (", "malformed_o = ("),
    ),
    *_mutants(
        "quantise",
        "relu hold steps",
        ("half up", "(rest == half && floor[0])", "(rest == half)"),
        ("half down", "rest > half || (rest == half && floor[0])", "rest > half"),
        ("no activation", "if (Relu && z < 0) f_q", "if (1'b0) f_q"),
        ("above excluded", "old_code >= above_q", "old_code > above_q"),
        ("below excluded", "old_code <= below_q", "old_code < below_q"),
        ("no round up", "$signed(SumWidth'(threshold_i)) + RoundUp", "$signed(SumWidth'(threshold_i))"),
        ("no clip above", "q_q <= BoundWidth'(Hi);", "q_q <= BoundWidth'(rounded);"),
        ("step one early", "(up_q)) <<< step_q", "(up_q)) <<< step_i"),
        ("delta of the unheld value", "moved ? DeltaWidth'(q_q - old_code) : '0", "DeltaWidth'(q_q - old_code)"),
        ("held is changed", "changed_o = moved && q_q", "changed_o = q_q"),
        ("saturates to the wrong side", "f_q <= {z[FullWidth-1], ", "f_q <= {!z[FullWidth-1], "),
    ),
    *_mutants(
        "quantise",
        "signed hold clip",
        ("no clip below", "q_q <= BoundWidth'(Lo);", "q_q <= BoundWidth'(rounded);"),
        ("bound below not clipped", "below_q <= BoundWidth'(Lo - 1)", "below_q <= BoundWidth'(Lo)"),
        ("bound above not clipped", "above_q <= BoundWidth'(Hi + 1)", "above_q <= BoundWidth'(Hi)"),
    ),
    *_mutants(
        "emit",
        "padded, steps, hold",
        ("padding makes events", "used = head_q[3][WordWidth+1] && (", "used = head_q[3][WordWidth+1] || ("),
        ("reference written without word", "valid_q[1] && head_q[1][WordWidth+1]", "valid_q[1]"),
        ("reference not written", ".valid_i  (valid_q[1] &&", ".valid_i  (1'b0 &&"),
        ("fresh ignored", ".load_i   (head_q[1][WordWidth+2])", ".load_i   (1'b0)"),
        ("step of word 0", "step <= memory[token_i[Lanes*InWidth+:WordWidth]]", "step <= memory[0]"),
        ("threshold of word 0", "threshold <= memory[token_i[Lanes*InWidth+:WordWidth]]", "threshold <= memory[0]"),
        ("stalled token moves", "enable = ready_i || !valid_o", "enable = 1'b1"),
        ("unchanged elements sent", "(changed[lane] || !Skip)", "1'b1"),
    ),
    *_mutants("emit", "memoryless, no skip", ("always skips", "(changed[lane] || !Skip)", "changed[lane]")),
    *_mutants(
        "serialize",
        "5 of 3 lanes",
        ("new_stream lost with a dropped word", "new_q <= new_stream && !keep", "new_q <= 1'b0"),
        ("new_stream on every event", "new_q2 <= 1'b0;", ""),
        ("new_stream on every word", "&& !started_q);", ");"),
        ("last event dropped", "mask_q <= mask_q & ~lowest", "mask_q <= mask_q & ~lowest & ~(lowest << 1)"),
        ("end_of_frame with every event", "end_q && last, base_q", "end_q, base_q"),
        ("off by one address", "base_q + lane, delta", "base_q + lane + 1'b1, delta"),
        ("end of an untouched frame dropped", "mask != 0 || end_of_frame", "mask != 0"),
        ("ready ignored", "(ready_i && last)", "last"),
        ("loses a cycle between words", "!valid_o || (ready_i && last)", "!valid_o"),
        ("keeps unchanged words", "keep = mask != 0 || end_of_frame", "keep = 1'b1"),
    ),
    *_mutants(
        "dense",
        "5 words",
        ("off by one row", "RowWidth'(address_q * Words)", "RowWidth'(address_q * (Words - 1))"),
        ("bias ignored", "load_q <= {load_q[2:1], load}", "load_q <= {load_q[2:1], 1'b0}"),
        ("new stream keeps the state", "load = fresh_q || (new_stream && !drain)", "load = fresh_q"),
        ("bare new stream forgotten", "if (bare && new_stream) fresh_q <= 1'b1;", ""),
        ("emission not fresh", "if (pop && new_stream) first_q <= 1'b1;", ""),
        ("fresh for ever", "if (emit) first_q <= 1'b0;", ""),
        ("untouched frame sends words", "pass = bare && end_of_frame && !dirty_q", "pass = 1'b0 && !dirty_q"),
        ("touched frame sends none", "&& !dirty_q && !new_stream", "&& !new_stream"),
        ("last frame waits", "pending_q && !(valid_i && has_event && !new_stream)", "pending_q && valid_i"),
        ("drain adds", "drain ? DeltaWidth'(0) : delta", "delta"),
        ("new stream over an unsent frame", "(valid_i && has_event && !new_stream)", "(valid_i && has_event)"),
        ("last event dropped", "{walk_q[2:1], walk}", "{walk_q[2:1], walk && !end_of_frame}"),
        ("emission steals a walk", "pending_q && !(valid_i && has_event && !new_stream)", "pending_q"),
        ("stalled token moves", "enable = ready_i || !valid_o", "enable = 1'b1"),
        ("dirty for ever", "dirty_q <= !end_of_frame && (", "dirty_q <= ("),
        ("unsigned delta", "ProductWidth'($signed(delta_q[4]))", "ProductWidth'(delta_q[4])"),
    ),
    *_mutants(
        "locate",
        "same 3x3, 2 groups",
        ("flags of a lost event dropped", "(reaches || flags_q[4][2] || flags_q[4][0])", "reaches"),
        ("off by one position", "divide(position_q1, Width)", "divide(position_q1 + 1'b1, Width)"),
        ("line of another channel", "32'(channel_q3) * ChannelScale", "32'(channel_q3)"),
        ("line without its row", "row_line + column_line + channel_line_q4", "column_line + channel_line_q4"),
        ("stalled token moves", "enable = ready_i || !valid_o", "enable = 1'b1"),
    ),
    *_mutants(
        "locate",
        "depthwise, 3 groups",
        ("group not added to the column", "ColumnBits'(first_column + group_q4)", "first_column"),
        ("lane of another group", "32'(channel_q3) - 32'(group_q3) * Lanes", "32'(channel_q3) - 32'(group_q3)"),
    ),
    *_mutants(
        "locate",
        "stride over kernel",
        ("columns ignored", "rows != 0 && columns != 0", "rows != 0"),
        ("an event that reaches nothing stays one", "valid_q[4] && (reaches ||", "valid_q[4] && (1'b1 ||"),
    ),
    *_mutants(
        "conv",
        "same 3x3, 2 groups",
        ("last word of an event dropped", "last_x = last_inner && x_q == columns - 1'b1", "last_x = last_inner"),
        ("a row leaves too early", "? ring_first : low_q", "? ring_last : low_q"),
        ("rows wait for the frame's end", "valid_i && has_event && !unclean ? ring_first : low_q", "low_q"),
        ("touched for ever", ": {1'b0, operand[bank][StateWidth-2:0]}", ": operand[bank]"),
        ("touched at every word", "touch = go_q[4] && !current[StateWidth-1] &&", "touch = go_q[4] &&"),
        ("list not emptied", "if (!at_end && last_word) count_q[oldest_list] <= '0;", ""),
        ("sending takes the bank", "(end_s2 || !(go_q[2] &&", "(end_s2 || !(1'b0 &&"),
        ("new stream keeps the state", "unclean = valid_i && new_stream && !clean_q", "unclean = 1'b0"),
        ("sweep does not wait", "unclean && drained) sweep_q", "unclean) sweep_q"),
        ("sweep for ever", "sweep_q <= 1'b0;\n      end else", "sweep_q <= 1'b1;\n      end else"),
        ("bias of another group", "sweep_group_q == GroupBits'(Groups - 1)", "1'b1"),
        ("fresh for ever", "else if (pop && end_of_frame) fresh_q <= 1'b0;", ""),
        ("sends all words for ever", "else if (take && at_end) send_fresh_q <= 1'b0;", ""),
        ("credits ignored", "valid_s2 && credit_q != 0 &&", "valid_s2 &&"),
        ("weights one column off", "WeightBits'(StepX + Inner - 1)", "WeightBits'(StepX + Inner)"),
        (
            "weights one row off",
            "if (last_x) line_q <= row_line - WeightBits'(StepY)",
            "if (last_x) line_q <= row_line",
        ),
        ("frames overtake", "(!end_of_frame || unsent_q[HalfBits] == half_q)", "1'b1"),
        ("unsigned delta", "ProductWidth'($signed(delta_p[3]))", "ProductWidth'(delta_p[3])"),
    ),
    *_mutants("conv", "depthwise, 3 groups", ("every lane", "!Depthwise || lane_p[3] == LaneBits'(lane)", "1'b1")),
    *_mutants("conv", "one column, tall kernel", ("any row", "admit && span < RingBits'(Lists)", "admit")),
    *_mutants(
        "decode",
        "4 words, unsigned",
        ("no word kept", "valid_i && ready_o && has_word) memory", "1'b0) memory"),
        ("token without word kept", "valid_i && ready_o && has_word) memory", "valid_i && ready_o) memory"),
        ("words in order of arrival", "memory[address] <=", "memory[next_q] <="),
        (
            "last one early",
            "m_axis_tlast <= next_q == WordWidth'(Words - 1)",
            "m_axis_tlast <= next_q == WordWidth'(Words - 2)",
        ),
        ("takes words while sending", "ready_o = !sending_q", "ready_o = 1'b1"),
        ("stalled beat moves", "sending_q && (m_axis_tready || !m_axis_tvalid)", "sending_q"),
        ("a packet for every word", "sending_q <= end_of_frame", "sending_q <= 1'b1"),
    ),
    *_mutants("decode", "1 word, signed", ("no sign", "LaneWidth'($signed(", "LaneWidth'($unsigned(")),
    *_mutants(
        "stats",
        "2 engines",
        ("counter stuck", "count_q[i] + 1'b1", "count_q[i]"),
        ("counts in reset", "rst_ni ? {probe_i", "1'b1 ? {probe_i"),
        ("error and frame swapped", "1'b0, error_i, 1'b1, frame_i", "1'b0, frame_i, 1'b1, error_i"),
        ("reads the next", "stat_addr_i == 8'(i)", "stat_addr_i + 1'b1 == 8'(i)"),
    ),
]
