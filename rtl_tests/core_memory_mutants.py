# SPDX-License-Identifier: Apache-2.0
"""Faults that the benches of the delta core's way to an external memory must find: one text substitution each."""

from __future__ import annotations

from mutants import mutants

MEMORY_MUTANTS = [
    *mutants(
        "burst",
        "all",
        ("never across 4 KiB", "crosses = after[OffsetBits] &&", "crosses = 1'b0 &&"),
        ("up to 4 KiB is across", "&& after[OffsetBits-1:0] != '0", ""),
        ("the page before", "{page_q + 1'b1, OffsetBits'(0)}", "{page_q, OffsetBits'(0)}"),
        ("all beats again", "beats_q <= after[7:0]", "beats_q <= beats_q"),
        ("a beat more", "beats_q - 1'b1;", "beats_q;"),
        ("address in beats", "32'({page_q, offset_q, ByteBits'(0)})", "32'({page_q, offset_q})"),
        ("ready ignored", "free = ready_i || !valid_o", "free = 1'b1"),
        ("valid stuck", "valid_o <= !ready_o", "valid_o <= 1'b1"),
        ("second burst lost", "else if (free && !crosses) ready_o", "else if (free) ready_o"),
    ),
    *mutants(
        "memory",
        "all",
        ("reads what is being written", "open_q[w] && start_q[w] == from_q", "1'b0"),
        ("every write is in the way", "open_q[w] && start_q[w] == from_q", "open_q[w]"),
        ("not compared", "take = compared_q && !blocked_q", "take = picked_q && !blocked_q"),
        ("compared with an earlier record", "      compared_q <= 1'b0;\n", ""),
        ("a blocked read blocks all", "!picked_q || (compared_q && blocked_q) || take", "!picked_q || take"),
        ("one client only", "if (read_valid_i[other]) {others, reader}", "if (1'b0) {others, reader}"),
        ("takes a read twice", "picked_q <= others ||", "picked_q <= others || take ||"),
        ("data for the client before", "data_valid_o[whose]", "data_valid_o[reader_q]"),
        ("a beat more of a record", "data_end ? 8'd1 : beat_q", "data_end ? 8'd0 : beat_q"),
        ("more reads than places", "read_free && tag_free;", "read_free;"),
        ("data after a restart", "<= rst_ni && !restart_i && !restarting_q;", "<= rst_ni;"),
        ("reads in a restart", "&& !blocked_q && !restarting_q", "&& !blocked_q"),
        ("writes in a restart", "|| restarting_q || !write_free", "|| !write_free"),
        ("a write that broke off stays open", "(given || restarting_q)", "given"),
        ("the end of a restart does not wait", "(restarting_q && !idle_o)", "1'b0"),
        ("beat overwritten", "beat_free = m_axi_wready || !m_axi_wvalid", "beat_free = 1'b1"),
        ("port changes in a record", "(busy_q && !(beat && last)) || restarting_q", "restarting_q"),
        ("no end at 4 KiB", "last || page_end}", "last}"),
        ("one answer to two bursts", "second_q[w] <= 1'b1", "second_q[w] <= 1'b0"),
        ("two answers to one burst", "beat && page_end && !last &&", "beat && page_end &&"),
        ("more writes than places", "|| open_q[newest_q+1'b1]", ""),
        ("gives back early", "last = left_q == 8'd1", "last = left_q <= 8'd2"),
        ("data of the first client", "write_data_i[writer_q], last", "write_data_i[0], last"),
        ("address of the first client", ".address_i(write_address_i[writer])", ".address_i(write_address_i[0])"),
        ("idle before the answer", "idle_o = !wait_read && open_q == '0", "idle_o = !wait_read && !busy_q"),
        ("idle before the data", "idle_o = !wait_read && open_q == '0", "idle_o = open_q == '0"),
        ("silence is not told", "timer_q == TimerBits'(Patience)) silent_o", "1'b0) silent_o"),
        ("silence of a client", "&& !(busy_q && beat_free)))", "))"),
        (
            "silence forgotten",
            "if (timer_q == TimerBits'(Patience)) silent_o <= 1'b1",
            "silent_o <= timer_q == Patience",
        ),
        ("errors of reads", "m_axi_rresp[1] || (data_end", "(data_end"),
        ("errors of writes", "(m_axi_bvalid && m_axi_bresp[1])", "1'b0"),
        ("bursts without an end", "|| (data_end && !m_axi_rlast)", ""),
        ("EXOKAY is an error", "m_axi_bresp[1]", "m_axi_bresp[0]"),
    ),
]
"""All of them."""
