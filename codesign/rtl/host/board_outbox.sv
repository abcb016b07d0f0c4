// SPDX-License-Identifier: Apache-2.0
// Function:   keeps the last AXI4-Stream packet of Beats beats, and sends words as bytes, lowest byte first: the low
//             bytes_i bytes of word_i, or with beats_i all beats kept. last_o marks the last byte of a word sent with
//             last_i
// Latency:    4 cycles from an accepted word to its first byte, 6 from accepted beats
// Throughput: 1 byte in 2 cycles, a pause of four cycles before each word, three before a beat; s_axis is always taken
// Timing:     all outputs are registers; so are the inputs, and what moves the wide register
// Reset:      nothing under way; the packet is kept, but its next beat is taken for the first
// Model:      rtl_tests.bench_board_outbox.Outbox
// Costs Beats words of block RAM. It does not frame: board_hdlc_tx does.
module board_outbox #(
    parameter int unsigned Beats = 1,
    parameter int unsigned BeatBytes = 1
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    input  logic [8*BeatBytes-1:0] s_axis_tdata,
    input  logic                   s_axis_tvalid,
    input  logic                   s_axis_tlast,
    input  logic                   word_valid_i,
    output logic                   word_ready_o,
    input  logic [           31:0] word_i,
    input  logic [            2:0] bytes_i,       // 1 to 4
    input  logic                   beats_i,
    input  logic                   last_i,
    output logic                   valid_o,
    input  logic                   ready_i,
    output logic [            7:0] data_o,
    output logic                   last_o
);
  if (Beats < 1 || BeatBytes < 1 || 5 + Beats * BeatBytes > 65535) begin : g_bad
    $error("board_outbox: Beats and BeatBytes must be at least 1, a packet and its cycles at most 65535 bytes");
  end

  localparam int unsigned ShiftBytes = BeatBytes > 4 ? BeatBytes : 4;
  localparam int unsigned LeftWidth = $clog2(ShiftBytes + 1);
  localparam int unsigned BeatWidth = Beats > 1 ? $clog2(Beats) : 1;

  logic [8*BeatBytes-1:0] memory[Beats];
  logic [8*BeatBytes-1:0] beat_q;
  logic [BeatWidth-1:0] write_q, read_q;
  logic [8*ShiftBytes-1:0] shift_q;
  logic [LeftWidth-1:0] left_q;  // bytes in shift_q
  logic beats_q, fetched_q, last_q, final_beat;  // beats: more to read, at read_q; fetched: beat_q holds it
  // A byte moves to the output at most every second cycle, so some, one and the shift follow left a cycle late.
  logic move, moved_q, some_q, one_q;
  logic accept, accepted_q, word_beats_q;  // a word was taken: it is in word_q
  logic [31:0] word_q;
  logic [2:0] word_bytes_q;

  assign move = !valid_o && some_q;
  assign accept = word_valid_i && word_ready_o;
  assign final_beat = read_q == BeatWidth'(Beats - 1);

  always_ff @(posedge clk_i) begin
    if (s_axis_tvalid) memory[write_q] <= s_axis_tdata;
    beat_q <= memory[read_q];
  end

  always_ff @(posedge clk_i) begin
    if (word_ready_o) {word_q, word_bytes_q, word_beats_q, last_q} <= {word_i, bytes_i, beats_i, last_i};
    if (accepted_q) shift_q <= (8 * ShiftBytes)'(word_q);
    else if (fetched_q) shift_q <= (8 * ShiftBytes)'(beat_q);
    else if (moved_q) shift_q <= shift_q >> 8;
    if (move) begin
      data_o <= shift_q[7:0];
      last_o <= last_q && one_q && !beats_q;
    end
    one_q <= left_q == LeftWidth'(1);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
      left_q <= '0;
      valid_o <= 1'b0;
      word_ready_o <= 1'b0;
      {beats_q, fetched_q} <= '0;
      {some_q, moved_q, accepted_q} <= '0;
    end else begin
      some_q <= left_q != 0;
      moved_q <= move;
      accepted_q <= accept;
      word_ready_o <= left_q == 0 && !beats_q && !accept && !accepted_q;
      valid_o <= move || (valid_o && !ready_i);
      if (s_axis_tvalid) write_q <= s_axis_tlast ? '0 : write_q + 1'b1;
      fetched_q <= beats_q && left_q == 0 && !fetched_q;
      if (accepted_q) begin
        beats_q <= word_beats_q;
        if (!word_beats_q) left_q <= LeftWidth'(word_bytes_q);
      end else if (fetched_q) begin
        left_q  <= LeftWidth'(BeatBytes);
        read_q  <= final_beat ? '0 : read_q + 1'b1;
        beats_q <= !final_beat;
      end else if (move) left_q <= left_q - 1'b1;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({data_o, last_o}));
`endif
endmodule
