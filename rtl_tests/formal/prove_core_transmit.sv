// SPDX-License-Identifier: Apache-2.0
// core_transmit: a word is its beats, the lowest bits first; its sums have NarrowBits each where bit 7 of save_beats_i
// says so. The model has the word and how many beats have not left.
module prove_core_transmit
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic save_valid_i,
    input logic [Lanes*SumBits-1:0] save_data_i,
    input logic [IndexBits-1:0] save_word_i,
    input logic [7:0] save_beats_i,
    input logic write_ready_i
);
  typedef logic [MemoryAddressBits-1:0] address_t;
  typedef struct packed {
    logic last;
    address_t address;
    logic [7:0] beats;
    logic [MemoryBits-1:0] data;
  } beat_t;
  logic ready, saved, valid, leave, stalled_q, late_q;
  beat_t beat, beat_q, expected;

  assume_reset i_reset (.*);
  core_transmit dut (
      .clk_i,
      .rst_ni,
      .save_valid_i,
      .save_ready_o   (ready),
      .save_data_i,
      .save_word_i,
      .save_beats_i,
      .saved_o        (saved),
      .write_valid_o  (valid),
      .write_ready_i,
      .write_address_o(beat.address),
      .write_beats_o  (beat.beats),
      .write_data_o   (beat.data),
      .write_last_o   (beat.last)
  );
  assign leave = valid && write_ready_i;

  logic [Lanes*SumBits-1:0] word;
  always_comb begin
    word = save_data_i;
    if (save_beats_i[7]) begin
      for (int unsigned i = 0; i < Lanes * NarrowBits; i++) begin
        word[i] = save_data_i[i/NarrowBits*SumBits+i%NarrowBits];
      end
    end
  end

  logic [SumBeats-1:0][MemoryBits-1:0] data_q;
  logic [IndexBits-1:0] word_q;
  logic [7:0] beats_q, left_q;
  logic narrow_q;
  assign expected = '{
      last: left_q == 1, address: address_t'(word_q) * address_t'(SumBeats), beats: beats_q,
      data: data_q[beats_q-left_q]
  };

  always_ff @(posedge clk_i) begin
    beat_q <= beat;
    m_free : assume (!save_valid_i || ready);
    m_beats : assume (!save_valid_i || (save_beats_i[6:0] != 0 && 32'(save_beats_i[6:0]) <= SumBeats));
    m_stays : assume (!rst_ni || left_q == 0 || (save_word_i == word_q && save_beats_i == {narrow_q, beats_q[6:0]}));
    if (!rst_ni) {left_q, stalled_q, late_q} <= '0;
    else begin
      if (save_valid_i) begin
        {data_q, word_q, narrow_q} <= {(SumBeats * MemoryBits)'(word), save_word_i, save_beats_i[7]};
        {beats_q, left_q} <= {2{8'(save_beats_i[6:0])}};
      end else if (leave) left_q <= left_q - 1'b1;
      stalled_q <= valid && !write_ready_i;
      late_q <= left_q != 0 && !valid;

      a_only_saved : assert (!valid || left_q != 0);
      a_beat : assert (!valid || left_q == 0 || beat == expected);
      a_stable : assert (!stalled_q || (valid && beat == beat_q));
      a_saved : assert (saved == (leave && left_q == 1));
      a_progress : assert (left_q == 0 || valid || !late_q);
      a_room : assert (ready == (left_q == 0));
      i_left : assert (dut.left_q == left_q && (left_q == 0 || (left_q <= beats_q && 32'(beats_q) <= SumBeats)));
      i_busy : assert (dut.busy_q == (left_q != 0));
      i_begin : assert (dut.begin_q == (left_q != 0 && !valid && !late_q) && (!dut.begin_q || left_q == beats_q));
      i_data : assert (left_q == 0 || dut.data_q == data_q >> ((beats_q - left_q) * MemoryBits));
      c_last : cover (leave && beat.last && stalled_q && 32'(beats_q) == SumBeats);
      c_one : cover (leave && beats_q == 1);
    end
  end
endmodule
