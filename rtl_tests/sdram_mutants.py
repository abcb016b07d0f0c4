# SPDX-License-Identifier: Apache-2.0
"""Faults of the SDRAM controller that its bench, or the chip in it, must find: one text substitution each."""

from __future__ import annotations

from mutants import Mutant

CASES = {"fifo": "depth 16", "crossing": "75 and 120 MHz"}
"""Of the faults in a module, if not "100 MHz"; those of the FIFO are of its own bench."""
SDRAM_MUTANTS = [
    Mutant(leaf=leaf, name=name, case=CASES.get(leaf, "100 MHz"), old=old, new=new)
    for leaf, faults in (
        (
            "requests",
            (
                ("runs over the end of a row", "splits ? ~burst_q.beat : burst_q.more", "burst_q.more"),
                ("the rest in the same bank", "burst_q.bank + 2'(second_q)", "burst_q.bank"),
                ("the rest from where the burst began", "second_q ? '0 : burst_q.beat", "burst_q.beat"),
                ("the rest is all of it", "second_q ? sum : splits", "second_q ? burst_q.more : splits"),
                ("every part is the last", "second_q || !splits;", "1'b1;"),
                ("an access changes while it waits", "assign move = !valid_o || ready_i;", "assign move = 1'b1;"),
                ("a write begins without data", "&& data_q && room_i", "&& room_i"),
                ("a write is one beat", "10'(write_q.more) + 10'd1", "10'd1"),
                ("more responses than can be counted", "&& data_q && room_i", "&& data_q"),
                ("reads first", "can_read && (wrote_q || !can_write)", "can_read"),
                ("writes first", "can_read && (wrote_q || !can_write)", "can_read && !can_write"),
                ("an address is taken twice", "s_axi_arready ? !s_axi_arvalid : take_read", "take_read"),
            ),
        ),
        (
            "commands",
            (
                (
                    "tRP of a bank",
                    "command_a_q[10] <= 1'b0;\n            wait_q <= WaitWidth'(Rp - 1)",
                    "command_a_q[10] <= 1'b0;\n            wait_q <= '0",
                ),
                (
                    "tRP before a refresh",
                    "command_a_q[10] <= 1'b1;\n          wait_q <= WaitWidth'(Rp - 1)",
                    "command_a_q[10] <= 1'b1;\n          wait_q <= '0",
                ),
                ("tRFC", "WaitWidth'(Rfc - 1)", "WaitWidth'(Rfc - 2)"),
                ("tRAS before a refresh", "WaitWidth'(Ras - 2)", "'0"),
                ("closes a row that is read", " && !(busy_q && bank_q == bank_i);", ";"),
                ("tWR", "!(busy_q && bank_q", "!(busy_q && !finishing && bank_q"),
                ("writes against a read", "2'(Turn - 1)", "2'(Turn - 2)"),
                ("never refreshes", "assign due = ticks_q != '0;", "assign due = 1'b0;"),
                (
                    "refreshes when there is time",
                    "assign due = ticks_q != '0;",
                    "assign due = ticks_q != '0 && !busy_q;",
                ),
                ("refreshes a tenth too rarely", "RefreshNs * ClockMhz / 1000", "RefreshNs * ClockMhz / 900"),
                ("refreshes for ever", "- TickWidth'(refreshes)", ""),
                (
                    "a refresh leaves rows open",
                    "if (command_a_q[10]) open_q <= '0;",
                    "if (command_a_q[10]) open_q <= open_q;",
                ),
                ("goes on after a refresh", "{warm_q, warming_q} <= '0;\n", "warming_q <= 1'b0;\n"),
                ("opens the next row again", "open_again ? row_q : row_i", "row_i"),
                ("opens it in the next bank", "open_again ? bank_q : bank_i", "bank_i"),
                ("any row is the right one", "rows_q[bank_i] == row_i", "1'b1"),
                ("knows the row before this one", "known_q <= rst_ni && valid_i;", "known_q <= rst_ni;"),
                ("two refreshes too few at the start", "else if (&count_q)", "else if (count_q == 3'd5)"),
                (
                    "starts at once",
                    "(StartNs + RefreshNs - 1) / RefreshNs",
                    "(StartNs + RefreshNs - 1) / RefreshNs / 2",
                ),
                ("another latency", "3'(CasLatency), 1'b0", "3'd3, 1'b0"),
                ("bursts of one word", "1'b0, 3'd1}", "1'b0, 3'd0}"),
                ("masked for ever", "dqm_o <= !ready_q;", "dqm_o <= 1'b1;"),
                ("precharges by itself", "{4'd0, beat_q, 1'b0}", "{4'd2, beat_q, 1'b0}"),
                ("writes what is not there", "write_valid_i && turn_q == '0", "turn_q == '0"),
                ("reads what there is no room for", ": read_room_i);", ": 1'b1);"),
                ("the high half of the next beat", "dq_o <= high_q;", "dq_o <= write_data_i[31:16];"),
                ("drives while it reads", "dq_oe_o <= go_q && write_q;", "dq_oe_o <= go_q;"),
                ("a response for each part", "finishing && write_q && last_q", "finishing && write_q"),
                ("RLAST of each part", "one_q && last_q;", "one_q;"),
                ("a beat too few", "one_q  <= more_q == 8'd1;", "one_q  <= more_q == 8'd2;"),
                ("single beats have two", "one_q <= more_i == '0;", "one_q <= 1'b0;"),
                ("closes one row at a time", " && !(busy_q && bank_q == bank_i);", " && !busy_q;"),
            ),
        ),
        (
            "controller",
            (
                ("one beat too many", "room_q > 5'd1", "room_q != '0"),
                ("takes words a cycle late", "CasLatency + PadCycles + 1", "CasLatency + PadCycles + 2"),
                ("takes words a cycle early", "CasLatency + PadCycles + 1", "CasLatency + PadCycles"),
                ("the halves of a beat", "dq_i, low_q}", "low_q, dq_i}"),
                ("responses are not held", "4'(s_axi_bvalid && s_axi_bready)", "4'(s_axi_bvalid)"),
                ("room comes back at once", "5'(s_axi_rvalid && s_axi_rready)", "5'(s_axi_rvalid)"),
            ),
        ),
        (
            "fifo",
            (
                ("not in Gray code", "number ^ (number >> 1)", "number"),
                ("Gray code of another pointer", "wrote_q <= gray(write_next)", "wrote_q <= gray(write_q)"),
                ("full a token late", "(gray(write_next) ^ took_2_q)", "(gray(write_q) ^ took_2_q)"),
                ("full at half", "pointer_t'(3) << (Bits - 1)", "pointer_t'(1) << (Bits - 1)"),
                ("written when full", "write = valid_i && ready_o", "write = valid_i"),
                ("one flip-flop to write", "{took_1_q, took_q}", "{took_q, took_q}"),
                ("one flip-flop to read", "{wrote_1_q, wrote_q}", "{wrote_q, wrote_q}"),
                ("looks at the first one", "took_q != wrote_2_q", "took_q != wrote_1_q"),
                ("room at the first one", "^ took_2_q)", "^ took_1_q)"),
                ("ready ignored", "(ready_i || !valid_o) &&", ""),
                ("valid falls", "valid_o <= read || (valid_o && !ready_i)", "valid_o <= read"),
                ("valid stuck", "valid_o <= read || (valid_o && !ready_i)", "valid_o <= read || valid_o"),
                ("the token after it", "memory[read_q[Bits-1:0]]", "memory[read_next[Bits-1:0]]"),
                ("one address", "memory[write_q[Bits-1:0]]", "memory[write_q[Bits-2:0]]"),
                ("what was written outlives a reset", "{write_q, wrote_q, ready_o} <= '0", "ready_o <= '0"),
                ("what was read outlives a reset", "{read_q, took_q, valid_o} <= '0", "valid_o <= '0"),
                ("a token outlives a reset", "{read_q, took_q, valid_o} <= '0", "{read_q, took_q} <= '0"),
                ("ready in reset", "{write_q, wrote_q, ready_o} <= '0", "{write_q, wrote_q} <= '0"),
            ),
        ),
        (
            "crossing",
            (
                ("the controller is not reset", "answer_q <= asks_q[1]", "answer_q <= 1'b0"),
                ("asks while the last answer stands", "!rst_ni && !answered;", "!rst_ni;"),
                ("does not wait for the answer", "!(rst_ni && answered)", "!rst_ni"),
                ("takes what it then forgets", "aw_ready, w_ready} & {3{!ask_q}}", "aw_ready, w_ready}"),
                ("answers of before the reset", "{r_valid, b_valid} & {2{!ask_q}}", "{r_valid, b_valid}"),
                ("length and address", "({m_axi_araddr, m_axi_arlen})", "({m_axi_arlen, m_axi_araddr})"),
                ("RLAST of nothing", "({m_axi_rlast, m_axi_rdata})", "({1'b0, m_axi_rdata})"),
            ),
        ),
        (
            "pads_ecp5",
            (
                ("the clock is not inverted", ".D0  (1'b0),\n      .D1  (1'b1)", ".D0  (1'b1),\n      .D1  (1'b0)"),
                ("always drives", ".D   (!dq_oe_i)", ".D   (1'b0)"),
                ("never drives", ".D   (!dq_oe_i)", ".D   (1'b1)"),
            ),
        ),
    )
    for name, old, new in faults
]
