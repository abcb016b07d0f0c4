// SPDX-License-Identifier: Apache-2.0
// delta_encode: frames of any length, with TLAST and TUSER in any beat. The model knows the beats of the frame that
// comes in, and the words that must still leave: one of a beat, and the rest of a short first frame.
module prove_encode #(
    parameter int unsigned Beats = 3,
    parameter int unsigned CodeWidth = 3,
    parameter int unsigned LaneWidth = 4,
    parameter int unsigned Lanes = 2
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [Lanes-1:0][LaneWidth-1:0] tdata_i,
    input logic tvalid_i,
    input logic tlast_i,
    input logic tuser_i,
    input logic hold_i,
    input logic ready_i
);
  localparam int unsigned WordWidth = Beats > 1 ? $clog2(Beats) : 1;
  typedef struct packed {
    logic first_of_stream;
    logic has_word;
    logic end_of_frame;
    logic [WordWidth-1:0] word;
    logic [Lanes-1:0][CodeWidth-1:0] codes;
  } token_t;
  logic tready, valid, malformed, begins, busy, stalled;
  logic [1:0] error;
  token_t token;

  assume_reset i_reset (.*);
  delta_encode #(
      .Beats    (Beats),
      .Lanes    (Lanes),
      .CodeWidth(CodeWidth),
      .LaneWidth(LaneWidth)
  ) dut (
      .clk_i,
      .rst_ni,
      .s_axis_tdata (tdata_i),
      .s_axis_tvalid(tvalid_i),
      .s_axis_tready(tready),
      .s_axis_tlast (tlast_i),
      .s_axis_tuser (tuser_i),
      .hold_i,
      .valid_o      (valid),
      .ready_i,
      .token_o      (token),
      .busy_o       (busy),
      .stalled_o    (stalled),
      .begin_o      (begins),
      .malformed_o  (malformed),
      .error_o      (error)
  );

  logic take, leave, first, word_due_q, stalled_q, early, late;
  logic started_q;  // a frame was taken as a whole since the reset
  logic first_q;  // the frame that comes in is the first of its stream
  logic [31:0] beat_q;  // of the frame that comes in: its beats so far, Beats and more are Beats
  logic [31:0] fill_q;  // words of zeros that must still leave: the last ones of a frame
  logic [1:0] error_q;
  token_t due_q, token_q;
  logic [Lanes-1:0][CodeWidth-1:0] codes;
  for (genvar i = 0; i < Lanes; i++) begin : g_lane
    assign codes[i] = tdata_i[i][CodeWidth-1:0];
  end
  // Words of zeros that are not in the leaf's register yet: that holds the word of a beat, or one of them.
  logic [31:0] fill_left;
  assign fill_left = word_due_q || fill_q == 0 ? fill_q : fill_q - 1;
  assign take  = tvalid_i && tready;
  assign leave = valid && ready_i;
  assign first = beat_q == 0 ? tuser_i || !started_q : first_q;
  assign early = take && tlast_i && beat_q < Beats - 1;
  assign late  = take && !tlast_i && beat_q == Beats - 1;

  always_ff @(posedge clk_i) begin
    token_q <= token;
    if (!rst_ni) begin
      {word_due_q, stalled_q, started_q} <= '0;
      {beat_q, fill_q} <= '0;
      error_q <= '0;
    end else begin
      stalled_q <= valid && !ready_i;
      error_q   <= error_q | {late, early};
      if (leave && word_due_q) word_due_q <= 1'b0;
      else if (leave) fill_q <= fill_q - 1;
      if (take) begin
        beat_q  <= tlast_i ? 0 : beat_q == Beats ? Beats : beat_q + 1;
        first_q <= first;
        if (beat_q < Beats) begin
          word_due_q <= 1'b1;
          due_q <= '{
              first_of_stream: first, has_word: 1'b1,
              end_of_frame: beat_q == Beats - 1 || (tlast_i && !first), word: WordWidth'(beat_q), codes: codes
          };
          if (tlast_i || beat_q == Beats - 1) started_q <= 1'b1;
          if (early && first) fill_q <= Beats - 1 - beat_q;
        end
      end

      a_offered : assert (valid == (word_due_q || fill_q != 0));
      a_word : assert (!valid || !word_due_q || token == due_q);
      a_filled : assert (!valid || word_due_q || (token.first_of_stream && token.has_word && token.codes == '0 &&
                         32'(token.word) == Beats - fill_q && token.end_of_frame == (fill_q == 1)));
      a_stable : assert (!stalled_q || (valid && token == token_q));
      a_kept : assert (!take || beat_q >= Beats || (!(fill_q > 32'(leave && !word_due_q)) && (leave || !word_due_q)));
      a_ready : assert (tready == ((ready_i || !valid) && fill_left == 0 && !(hold_i && beat_q == 0)));
      a_error : assert (error == error_q && malformed == (early || late));
      a_begins : assert (begins == (take && beat_q == 0));
      i_beat : assert (beat_q <= Beats && fill_q < Beats && dut.drop_q == (beat_q == Beats));
      i_word : assert (32'(dut.word_q) == (dut.fill_q ? Beats - fill_left : beat_q == Beats ? 0 : beat_q));
      i_fill : assert (dut.fill_q == (fill_left != 0) && (!word_due_q || fill_q == 0 || beat_q == 0));
      i_first : assert (dut.first_frame_q == (dut.fill_q || (beat_q == 0 || beat_q == Beats ? !started_q : first_q)));
      i_filled : assert (fill_q == 0 || (started_q && beat_q == 0));
      i_started : assert (started_q || beat_q < Beats);
      c_fill : cover (fill_q == Beats - 1 && word_due_q && started_q);
      c_late : cover (beat_q == Beats && take && tlast_i && error_q == 2'b11);
      c_stream : cover (started_q && begins && tuser_i && stalled_q);
    end
  end
endmodule
