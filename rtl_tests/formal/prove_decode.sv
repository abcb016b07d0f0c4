// SPDX-License-Identifier: Apache-2.0
// delta_decode: one word is watched, any one. Its beat of a packet is what the word was when the frame ended.
module prove_decode #(
    parameter int unsigned Words = 3,
    parameter int unsigned Lanes = 1,
    parameter bit ValueSigned = 1'b1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic first_i,
    input logic has_word_i,
    input logic end_i,
    input logic [WordWidth-1:0] word_i,
    input logic [Lanes-1:0][2:0] values_i,
    input logic tready_i,
    input logic [WordWidth-1:0] some_word_i
);
  logic ready, tvalid, tlast;
  logic [Lanes-1:0][4:0] tdata;

  assume_reset i_reset (.*);
  delta_decode #(
      .Words      (Words),
      .Lanes      (Lanes),
      .ValueWidth (3),
      .ValueSigned(ValueSigned),
      .LaneWidth  (5)
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o      (ready),
      .token_i      ({first_i, has_word_i, end_i, word_i, values_i}),
      .m_axis_tdata (tdata),
      .m_axis_tvalid(tvalid),
      .m_axis_tready(tready_i),
      .m_axis_tlast (tlast)
  );

  logic take, leave, known_q, sent_known_q, last_known_q, stalled_q;
  logic [WordWidth-1:0] word_q;  // the watched one
  logic [Lanes-1:0][2:0] value_q, sent_q;  // of it: now, and at the end of the frame whose packet leaves
  logic [Lanes-1:0][2:0] last_q;  // and of the packet before, whose last beat may still wait
  logic [31:0] left_q;  // beats that must leave
  logic [31:0] beat_q;  // the next one in its packet
  logic [1:0] late_q;
  logic [Lanes-1:0][4:0] expected, tdata_q;
  logic old;  // the next beat is the last one of the packet before
  logic tlast_q;
  assign take  = valid_i && ready;
  assign leave = tvalid && tready_i;
  assign old   = left_q > Words;
  for (genvar i = 0; i < Lanes; i++) begin : g_lane
    logic [2:0] value;
    assign value = old ? last_q[i] : sent_q[i];
    assign expected[i] = {{2{ValueSigned && value[2]}}, value};
  end

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) word_q <= some_word_i;
    m_watched : assume (!past_q || 32'(word_q) < Words);
    m_word : assume (!has_word_i || 32'(word_i) < Words);
    {tdata_q, tlast_q} <= {tdata, tlast};
    if (!rst_ni) begin
      {known_q, sent_known_q, last_known_q, stalled_q} <= '0;
      {left_q, beat_q} <= '0;
      late_q <= '0;
    end else begin
      if (take && has_word_i && word_i == word_q) {known_q, value_q} <= {1'b1, values_i};
      if (take && end_i) begin
        {last_known_q, last_q} <= {sent_known_q, sent_q};
        {sent_known_q, sent_q} <= has_word_i && word_i == word_q ? {1'b1, values_i} : {known_q, value_q};
      end
      left_q <= left_q + (take && end_i ? Words : 0) - 32'(leave);
      if (leave) beat_q <= beat_q == Words - 1 ? 0 : beat_q + 1;
      stalled_q <= tvalid && !tready_i;
      late_q <= left_q != 0 && !tvalid ? late_q + 1'b1 : '0;

      a_only_packets : assert (!tvalid || left_q != 0);
      a_last : assert (!tvalid || tlast == (beat_q == Words - 1));
      a_value : assert (!tvalid || beat_q != 32'(word_q) || !(old ? last_known_q : sent_known_q) || tdata == expected);
      a_stable : assert (!stalled_q || (tvalid && tdata == tdata_q && tlast == tlast_q));
      a_progress : assert (left_q == 0 || tvalid || late_q < 1);
      a_ready : assert (ready || left_q > 1 || (left_q == 1 && !tvalid));
      i_left : assert (beat_q < Words && (left_q == Words - beat_q || (left_q == 0 && beat_q == 0) ||
                       (left_q == Words + 1 && beat_q == Words - 1)));
      i_late : assert (late_q <= 1);
      c_next : cover (old && known_q && stalled_q);
      c_overlap : cover (left_q > 1 && take && has_word_i && word_i == word_q && sent_known_q);
      c_sent : cover (leave && beat_q == 32'(word_q) && sent_known_q && tdata != '0);
    end
  end

  // What ties the registers to the model, for the step of the induction: which word is in the register of the beat.
  logic [31:0] loaded;  // beats of the packet that have been read, 0: all or none
  assign loaded = (beat_q + 32'(tvalid)) % Words;
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      i_next : assert (32'(dut.next_q) == loaded);
      i_sending : assert (dut.sending_q == (left_q > 32'(tvalid)));
      i_value : assert (!known_q || dut.memory[word_q] == value_q);
      i_kept : assert (!dut.sending_q || 32'(word_q) < loaded || (sent_known_q == known_q && sent_q == value_q) ||
                       (!sent_known_q && !known_q));
    end
  end
endmodule
