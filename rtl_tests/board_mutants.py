# SPDX-License-Identifier: Apache-2.0
"""Faults that the benches of the board's modules must find: one text substitution each, in one module."""

from __future__ import annotations

from mutants import Mutant

UART_RX, UART_TX = "25 MHz, 3 Mbaud", "25 MHz, 3 Mbaud"
INBOX = OUTBOX = "5 beats of 3 bytes"
LINK = "3 beats of 2 bytes"

BOARD_MUTANTS = [
    Mutant(leaf=leaf, name=name, case=case, old=old, new=new)
    for leaf, case, faults in (
        (
            "control",
            "9 bits",
            (
                ("thresholds at once", "if (change) threshold_o", "threshold_o"),
                ("thresholds under frames", "differs_q && inside_q == 0 && !enter_q", "differs_q"),
                ("frames do not wait", "!(first_q && differs_q)", "1'b1"),
                ("every frame waits", "!(first_q && differs_q)", "!(first_q && (differs_q || inside_q != 0))"),
                ("the stream goes on", "|| (change && core_rst_no)", ""),
                ("a new stream after a reset, too", "(change && core_rst_no)", "change"),
                ("new stream of any beat", "if (first_q) begin", "begin"),
                ("new stream for ever", "          new_q <= 1'b0;\n", ""),
                ("a first frame tells nothing", "core_tuser_o || after_reset_q", "core_tuser_o"),
                ("only first frames tell", "core_tuser_o || after_reset_q", "after_reset_q"),
                ("the stream's own start is not told", "<= core_tuser_o || after_reset_q", "<= new_q || after_reset_q"),
                ("every frame is the first", "          after_reset_q <= 1'b0;\n", ""),
                ("a reset is not told", "      after_reset_q <= 1'b1;\n", ""),
                ("reset a cycle short", "reset_q     <= 3'd3", "reset_q     <= 3'd2"),
                ("frames outlive a reset", "      inside_q    <= '0;\n", ""),
                ("packets not counted", "- 16'(leave_q)", ""),
            ),
        ),
        (
            "uart_rx",
            UART_RX,
            (
                ("samples at the edge", "24'h800000 + Increment", "24'h100000"),
                ("one sample decides", "(line_q[2] && line_q[3]) || (line_q[2] && line_q[4]) ||", "line_q[3] ||"),
                ("framing error ignored", "valid_o   <= line;", "valid_o   <= 1'b1;"),
                ("a break is many bytes", "blocked_q <= !line;", "blocked_q <= 1'b0;"),
                ("glitch is a start bit", "left_q == 4'd10 && line ? '0 :", ""),
                ("highest bit first", "{line, data_o[7:1]}", "{data_o[6:0], line}"),
                (
                    "waits for the whole stop bit",
                    "if (line) blocked_q <= 1'b0;",
                    "if (line_q == '1) blocked_q <= 1'b0;",
                ),
                ("a quarter of the rate off", "64'(Baud) << 24", "64'(Baud + Baud / 16) << 24"),
            ),
        ),
        (
            "uart_tx",
            UART_TX,
            (
                ("no stop bit", "left_q <= 4'd10", "left_q <= 4'd9"),
                ("highest bit first", "{1'b1, data_i, 1'b0}", "{1'b1, {<<{data_i}}, 1'b0}"),
                ("a pause behind each byte", "|| (left_q == 4'd1 && tick_q)", ""),
                ("line low in reset", "tx_o    <= 1'b1;", "tx_o    <= 1'b0;"),
                ("phase starts a cycle late", "{1'b0, Increment} :", "25'd0 :"),
            ),
        ),
        (
            "crc32",
            "byte",
            (
                ("other polynomial", "32'hEDB88320", "32'h82F63B78"),
                ("seven bits", "i < 8", "i < 7"),
            ),
        ),
        (
            "hdlc_rx",
            "bytes",
            (
                ("escape kept", "valid_o <= valid_i && !flag && !escape &&", "valid_o <= valid_i && !flag &&"),
                ("not turned back", "escaped_q ? data_i ^ Flip : data_i", "data_i"),
                ("does not hunt", "hunting_q <= 1'b1;", "hunting_q <= 1'b0;"),
                ("escaped flag ends", "flag && !escaped_q && !hunting_q", "flag && !hunting_q"),
                ("escape for ever", "escaped_q <= escape;", "escaped_q <= escape || escaped_q;"),
                ("CRC never starts again", "      if (flag) begin\n        crc_q <= '1;", "      if (flag) begin"),
                ("any CRC", "crc_q == 32'hDEBB20E3", "1'b1"),
            ),
        ),
        (
            "hdlc_tx",
            "bytes",
            (
                ("flags not escaped", "(raw == Flag || raw == Escape)", "(raw == Escape)"),
                ("escapes not escaped", "(raw == Flag || raw == Escape)", "(raw == Flag)"),
                ("not turned", "escaped_q ? raw ^ Flip : raw", "raw"),
                ("three bytes of CRC", "left_q <= 2'd3", "left_q <= 2'd2"),
                ("no closing flag", "if (left_q == 0) state_q <= Close;", "if (left_q == 0) state_q <= Open;"),
                ("CRC not inverted", ": ~crc_q[7:0]", ": crc_q[7:0]"),
                ("ready while escaping", "ready_i && !escape;", "ready_i;"),
            ),
        ),
        (
            "inbox",
            INBOX,
            (
                ("any length", "if (length_q != 16'(payload)) refusal = BadLength;", ""),
                ("any CRC", "if (!crc_ok_i) refusal = BadCrc;", ""),
                ("too long is fine", "if (count_q > CountWidth'(Most)) refusal = TooLong;", ""),
                ("mixes packets", "skip_q || (head_q == 0 && request_o)", "1'b0"),
                ("short packets count", "&& count_q >= CountWidth'(Overhead)", ""),
                ("count wraps", "if (count_q <= CountWidth'(Most)) ", ""),
                ("head wraps", "if (head_q != 4'd10) ", ""),
                ("new stream at every beat", "read_q == 0 && argument_o[0]", "argument_o[0]"),
                ("stalled beat moves", "(m_axis_tready || !m_axis_tvalid)", "1'b1"),
                ("read of any count", "&& argument_o[31:30] == 0", ""),
                ("a drop ends nothing", "if (end_i || drop_i) {count_q", "if (end_i) {count_q"),
            ),
        ),
        ("inbox", "8 bytes", (("CRC in the beats", "&& !full_q;", ";"),)),  # written where the first ones are
        (
            "outbox",
            OUTBOX,
            (
                ("last of every word", "one_q && !beats_q", "one_q"),
                ("stalled byte moves", "move = !valid_o && some_q", "move = some_q"),
                ("ready ignored", "(valid_o && !ready_i)", "1'b0"),
                ("one beat", "beats_q <= !final_beat;", "beats_q <= 1'b0;"),
                ("packets run on", "s_axis_tlast ? '0 : write_q + 1'b1", "write_q + 1'b1"),
                ("all four bytes", "left_q <= LeftWidth'(word_bytes_q)", "left_q <= LeftWidth'(4)"),
            ),
        ),
        (
            "link",
            LINK,
            (
                ("repeated frame runs again", "known_q && last_q == sequence_number", "1'b0"),
                ("every frame is known", "known_q && last_q == sequence_number", "known_q"),
                ("first frame is known", "      known_q  <= 1'b0;\n", "      known_q  <= 1'b1;\n"),
                ("reset is not noticed", "argument[16]) known_q <= 1'b0;", "argument[16]) known_q <= known_q;"),
                ("every write forgets", "if (argument[11:0] == Control && argument[16])", ""),
                ("refused runs", "request && !refused && kind == Frame", "request && kind == Frame"),
                ("sequence of a wrong CRC", "refusal == BadCrc || refusal == TooLong ? 8'd0 :", ""),
                ("starts of streams not told", "status_q <= register_q[7:0]", "status_q <= 8'(register_q[1:0])"),
                ("one cycle too few", "cycles_q <= 32'd1", "cycles_q <= 32'd0"),
                ("reads one place", "m_axil_araddr + 12'd4", "m_axil_araddr"),
                ("a word too many", "left_q == 14'd1, register_q", "left_q == 14'd0, register_q"),
                ("does not wait for the write", "if (written_q) state_q", "state_q"),
                ("writes twice", "if (m_axil_awready) m_axil_awvalid <= 1'b0;", ""),
            ),
        ),
    )
    for name, old, new in faults
]
