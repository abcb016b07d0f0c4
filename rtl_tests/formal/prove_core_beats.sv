// SPDX-License-Identifier: Apache-2.0
// core_beats: frames of any length, with TLAST and TUSER in any beat. The model knows the beats of the frame that comes
// in, and what enters: the word of a beat, the zeros of a short first frame, the end.
module prove_core_beats
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,
    input logic [IndexBits-1:0] words_i,
    input logic [IndexBits-1:0] groups_i,
    input logic fresh_i,
    input logic [Quantisers-1:0][CodeBits-1:0] tdata_i,
    input logic tvalid_i,
    input logic tlast_i,
    input logic tuser_i,
    input logic ready_i,
    input logic mark_i
);
  typedef struct packed {
    logic [IndexBits-1:0] word;
    logic [3:0] part;
    logic last_part;
    logic [IndexBits-1:0] group;
    logic [Quantisers-1:0][SumBits-1:0] z;
  } token_t;
  step_t step;
  logic tready, waiting, fresh, valid, end_of_pass, begins, malformed;
  logic [1:0] error;
  token_t token;
  always_comb begin
    step = '0;
    {step.source, step.words, step.groups} = {1'b1, words_i, groups_i};
  end

  assume_reset i_reset (.*);
  core_beats dut (
      .clk_i,
      .rst_ni,
      .start_i,
      .step_i       (step),
      .fresh_i,
      .s_axis_tvalid(tvalid_i),
      .s_axis_tready(tready),
      .s_axis_tdata (tdata_i),
      .s_axis_tlast (tlast_i),
      .s_axis_tuser (tuser_i),
      .waiting_o    (waiting),
      .fresh_o      (fresh),
      .valid_o      (valid),
      .ready_i,
      .end_o        (end_of_pass),
      .word_o       (token.word),
      .part_o       (token.part),
      .last_part_o  (token.last_part),
      .group_o      (token.group),
      .z_o          (token.z),
      .begin_o      (begins),
      .malformed_o  (malformed),
      .error_early_o(error[0]),
      .error_late_o (error[1])
  );

  function automatic token_t token_of(input logic [IndexBits-1:0] word,
                                      input logic [Quantisers-1:0][CodeBits-1:0] codes);
    token_of = '{word: word, part: '0, last_part: 1'b1, group: word % groups_i, z: '0};
    for (int unsigned i = 0; i < Quantisers; i++) token_of.z[i] = SumBits'($signed(codes[i]));
  endfunction
  logic take, early, late, room, enter, under_way, marked;
  logic open_q, drop_q;  // beats of a frame, or those past its end, are taken
  logic end_q;  // the end must still enter
  logic started_q;  // a frame was taken as a whole since the reset
  logic [IndexBits-1:0] beat_q, fill_q;  // fill: words of zeros that must still enter
  logic [1:0] inside_q, ahead, error_q;
  logic [$bits(token_t):0] enters, shown, value;
  assign room = inside_q == 2'(valid);
  assign take = tvalid_i && tready && !drop_q;
  assign early = take && tlast_i && beat_q != words_i - 1'b1;
  assign late = take && !tlast_i && beat_q == words_i - 1'b1;
  assign under_way = open_q || fill_q != 0 || end_q;
  assign enter = take || (room && (fill_q != 0 || end_q));
  assign enters = take ? {1'b0, token_of(beat_q, tdata_i)} :
      fill_q != 0 ? {1'b0, token_of(words_i - fill_q, '0)} : {1'b1, $bits(token_t)'(0)};
  assign shown = end_of_pass ? {1'b1, $bits(token_t)'(0)} : {1'b0, token};
  check_stream #(
      .Width($bits(token_t) + 1),
      .Most (2)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (enter),
      .before_i    ('0),
      .enter_data_i(enters),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (shown),
      .inside_o    (inside_q),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // In the queue of the leaf.
  logic [2*IndexBits+Quantisers*CodeBits:0] queued;
  logic [$bits(token_t):0] waits;
  token_t waits_token;
  assign queued = dut.u_tokens.memory[0];
  always_comb begin
    waits_token = token_of('0, queued[Quantisers*CodeBits-1:0]);
    {waits_token.word, waits_token.group} = queued[Quantisers*CodeBits+:2*IndexBits];
    waits = queued[2*IndexBits+Quantisers*CodeBits] ? {1'b1, $bits(token_t)'(0)} : {1'b0, waits_token};
  end

  logic [IndexBits-1:0] words_q, groups_q;
  logic fresh_q;
  always_ff @(posedge clk_i) begin
    {words_q, groups_q, fresh_q} <= {words_i, groups_i, fresh_i};
    m_step : assume (words_i != 0 && groups_i != 0);
    m_start : assume (!start_i || !under_way);
    m_stays : assume (!rst_ni || !under_way || {words_i, groups_i, fresh_i} == {words_q, groups_q, fresh_q});
    if (!rst_ni) {open_q, drop_q, started_q, end_q, fill_q, error_q} <= '0;
    else begin
      error_q <= error_q | {late, early};
      if (start_i) {open_q, beat_q} <= {1'b1, IndexBits'(0)};
      if (late) drop_q <= 1'b1;
      else if (tvalid_i && tready && tlast_i) drop_q <= 1'b0;
      if (take) begin
        beat_q <= beat_q + 1'b1;
        if (tlast_i || late) {open_q, end_q, started_q} <= 3'b011;
        if (early && fresh_i) fill_q <= words_i - 1'b1 - beat_q;
      end else if (enter && fill_q != 0) fill_q <= fill_q - 1'b1;
      else if (enter) end_q <= 1'b0;

      a_ready : assert (tready == (drop_q || (open_q && room)));
      a_waiting : assert (waiting == (tvalid_i && !drop_q && !under_way));
      a_fresh : assert (!waiting || fresh == (tuser_i || !started_q));
      a_error : assert (error == error_q && malformed == (early || late));
      a_begins : assert (begins == (take && beat_q == 0));
      i_open : assert (!open_q || (beat_q < words_i && fill_q == 0 && !end_q));
      i_fill : assert ((fill_q < words_i && end_q && started_q) || fill_q == 0);
      i_state : assert (dut.active_q == (open_q || fill_q != 0) && dut.fill_q == (fill_q != 0) &&
                        dut.ending_q == (end_q && fill_q == 0) && dut.drop_q == drop_q);
      i_place : assert (!dut.active_q || (dut.word_q == (open_q ? beat_q : words_i - fill_q) &&
                        dut.left_q == words_i - dut.word_q));
      i_group : assert (!dut.active_q || (dut.group_q == dut.word_q % groups_i &&
                        dut.group_left_q == groups_i - dut.group_q));
      i_first : assert (fill_q != 0 || dut.first_frame_q == !started_q);
      i_queue : assert (32'(inside_q) == 32'(dut.u_tokens.count_q) + 32'(valid) && dut.enable == room &&
                        dut.u_tokens.count_q <= 1 && dut.u_tokens.empty_q == (dut.u_tokens.count_q == 0) &&
                        (dut.u_tokens.empty_q || valid) && dut.u_tokens.read_q == 0 && dut.u_tokens.write_q == 0);
      i_marked : assert (!marked || (ahead == 0 ? shown : waits) == value);
      c_fill : cover (fill_q > 1 && !room && 32'(groups_i) == 2);
      c_late : cover (drop_q && tvalid_i && tlast_i && error_q == 2'b11);
      c_stream : cover (started_q && waiting && tuser_i && inside_q == 2);
    end
  end
endmodule
