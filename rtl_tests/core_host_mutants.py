# SPDX-License-Identifier: Apache-2.0
"""Faults that the benches between a core and its host must find: one text substitution each, in one module."""

from __future__ import annotations

from mutants import Mutant

CORE_HOST_MUTANTS = [
    Mutant(leaf=leaf, name=name, case=case, old=old, new=new)
    for leaf, case, faults in (
        (
            "inbox",
            "4 codes",
            (
                ("frames without a network", "!network_i ? NoNetwork : ", ""),
                ("any length of a frame", "34'(payload) == {frame_q, 2'd1} ?", "1'b1 ?"),
                ("bytes are as long as words", "compact ? (whole_q + 1) >> 1 : whole_q", "whole_q"),
                ("an empty part", "payload >= CountWidth'(FewestBytes) && ", ""),
                ("half a word", "&& payload[1:0] == 2'd1", ""),
                ("any CRC", "if (!crc_ok_i) refusal = BadCrc;", ""),
                ("too long is fine", "if (count_q > CountWidth'(Most)) refusal = TooLong;", ""),
                ("mixes packets", "skip_q || (head_q == 0 && request_o)", "1'b0"),
                ("a drop ends nothing", "if (end_i || drop_i) {count_q", "if (end_i) {count_q"),
                ("the offset is a word", "frame ? '0 : WordBits'(1)", "'0"),
                ("a word too many", "16'(payload >> 2) - 16'd1", "16'(payload >> 2)"),
                ("the other half", "place_q2.half ? 16'(row[8", "!place_q2.half ? 16'(row[8"),
                ("bytes have a sign", "16'(row[8*i+:8]);", "16'($signed(row[8*i+:8]));"),
                ("new stream at every beat", "place_q2.first && argument_o[0]", "argument_o[0]"),
                ("stalled beat moves", "move = ready || !valid_q2", "move = 1'b1"),
                ("the first word of each beat", "row_q2[place_q2.column]", "row_q2[0]"),
                ("what is taken leaves", "!rst_ni || take_i) {sending_q", "!rst_ni) {sending_q"),
                ("overwrites its start", "{full_q, write_q} <= {1'b0, write_q} + 1'b1", "write_q <= write_q + 1'b1"),
            ),
        ),
        (
            "outbox",
            "2 lanes",
            (
                ("last of every word", "last_q && one && last_word", "last_q && one"),
                ("stalled byte moves", "if (!valid_o || ready_i) begin", "begin"),
                ("ready ignored", "else if (!valid_o || ready_i) valid_o", "else valid_o"),
                ("a packet too long runs round", "s_axis_tvalid && !full) memory", "s_axis_tvalid) memory"),
                ("never cut", "cut_o   <= full;", "cut_o   <= 1'b0;"),
                ("packets run on", "if (last_lane && s_axis_tlast) write_q <= '0;", ""),
                ("a beat ends at once", "Lanes == 1 || lane_q == LaneBits'(Lanes - 2);", "1'b1;"),
                ("cut off within a beat", "      {lane_q, write_q} <= '0;", "      {write_q} <= '0;"),
                ("cut off and kept", "      {lane_q, write_q} <= '0;", "      {lane_q} <= '0;"),
                ("all four bytes", "left_q  <= bytes_i - 1'b1;", "left_q  <= 3'd3;"),
            ),
        ),
        (
            "link",
            "2 codes",
            (
                ("repeated frame runs again", "known_q && last_q == sequence_number", "1'b0"),
                ("every frame is known", "known_q && last_q == sequence_number", "known_q"),
                ("a load forgets no frame", "if (frame_q || begins_q) known_q", "if (frame_q) known_q"),
                ("reset is not noticed", "argument[16]) known_q <= 1'b0;", "argument[16]) known_q <= known_q;"),
                ("any part is the next", "(open_q && argument[39:8] == taken_q)", "open_q"),
                ("parts after the last", "(open_q && argument[39:8]", "(argument[39:8]"),
                ("nothing is forgotten", "            load_forget_o <= 1'b1;\n", ""),
                ("every part is the last", "m_axis_tlast && argument[0]", "m_axis_tlast"),
                ("counts parts", "taken_q + 32'(words)", "taken_q + 32'd1"),
                ("begins within a reset", "if (request && !resetting_i) begin", "if (request) begin"),
                ("sequence of a wrong CRC", "refusal == BadCrc || refusal == TooLong ? 8'd0 :", ""),
                ("one cycle too few", "cycles_q <= 32'd1", "cycles_q <= 32'd0"),
                ("status of the frame before", "status_q <= status_i", "status_q <= status_q"),
                ("reads one place", "address_o <= address_o + 1'b1", "address_o <= address_o"),
                ("does not wait for the write", "if (written_i) state_q", "state_q"),
                ("waits for what is lost", "state_q == Run && !loaded_i && !frame_i", "1'b0"),
                ("what is lost is answered", "lost_q ? NoNetwork : judged", "judged"),
                ("lost for ever", "{state_q, lost_q} <= {Idle, 1'b0}", "state_q <= Idle"),
                ("beats of a lost frame", "frame_q && !lost_q", "kind == Frame"),
                ("half the packet", "{packet_words_o[13:0], 2'd0}", "{packet_words_o[14:0], 1'd0}"),
            ),
        ),
        (
            "registers",
            "8 lanes",
            (
                ("reading counts", "(begins || waits) && !reading", "begins || waits || reading"),
                ("waits are operations", "{waits, probe_q[23:16]}", "{1'b0, probe_q[23:16]}"),
                ("one event each", "counted + 32'(events_q[1])", "counted + 32'(events_q[1] != '0)"),
                ("counters outlive a reset", "clearing_q[1] ? '0 : added", "added"),
                ("half the counters are cleared", "restart_o  <= clear_q != '1;", "restart_o  <= clear_q != 9'd255;"),
                ("any write resets", "&& data_i[0];", ";"),
                ("done before it is", "(write_i && !reset)", "write_i"),
                ("frames not counted", "frames_q + 1'b1", "frames_q"),
                ("every frame is a first one", "probe_q[6]}", "1'b1}"),
                ("the id of what is gone", "loaded_i ? design_id_i : '0", "design_id_i"),
                ("the map repeats", "address_i[11:8] == '0 ? fixed : '0", "fixed"),
                ("nothing is forgotten", "address_i == Control && data_i[1]", "1'b0"),
                ("every write to CONTROL forgets", "address_i == Control && data_i[1]", "address_i == Control"),
                ("every register forgets", "address_i == Control && data_i[1]", "data_i[1]"),
                ("late TLAST is not counted", "32'(error_i[0]) + 32'(error_i[1])", "32'(error_i[0])"),
            ),
        ),
        (
            "region",
            "a channel",
            (
                ("the base is added nowhere", "base_i + address_i[31:12]", "address_i[31:12]"),
                ("the base is put over the address", "base_i + address_i[31:12]", "base_i | address_i[31:12]"),
                ("begins without a region", "given_i && (ready_i", "(ready_i"),
                ("a stalled burst moves", "if (take) {address_o", "if (valid_i) {address_o"),
                ("a burst is lost", "if (ready_i || !valid_o) valid_o", "valid_o"),
                ("runs over", " && open_q != '1;", ";"),
                ("never done", "OpenBits'(done_i && busy_o)", "OpenBits'(0)"),
                ("done once it was offered", "OpenBits'(done_i && busy_o)", "OpenBits'(valid_o && ready_i)"),
                ("a reset forgets nothing", "{valid_o, open_q} <= '0;", "{valid_o} <= '0;"),
            ),
        ),
    )
    for name, old, new in faults
]
