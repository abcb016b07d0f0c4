// SPDX-License-Identifier: Apache-2.0
// delta_emit: every lane of every word is its formula on the code that was sent for it last, whatever words come, also
// the same one in consecutive cycles. The steps of the lanes are anything.
module prove_emit #(
    parameter int unsigned Size = 3,
    parameter int unsigned Lanes = 2,
    parameter int unsigned StepLines = 2,
    parameter bit SendCodes = 1'b0,
    parameter bit Hold = 1'b1,
    localparam int unsigned Words = (Size + Lanes - 1) / Lanes,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic skip_i,
    input logic [3:0] threshold_i,
    input logic valid_i,
    input logic first_i,
    input logic has_word_i,
    input logic end_i,
    input logic [WordWidth-1:0] word_i,
    input logic [Lanes-1:0][4:0] sums_i,
    input logic ready_i,
    input logic mark_i
);
  localparam int unsigned HeadWidth = 3 + WordWidth;
  localparam int unsigned DataWidth = SendCodes ? Lanes * 3 : Lanes * 5;
  typedef logic signed [11:0] value_t;
  logic ready, valid, take;
  logic [HeadWidth+DataWidth-1:0] token, expected;
  logic skip_q;
  logic [Lanes-1:0] known;

  assume_reset i_reset (.*);
  delta_emit #(
      .SendCodes     (SendCodes),
      .Size          (Size),
      .Lanes         (Lanes),
      .InWidth       (5),
      .Shift         (1),
      .CodeWidth     (3),
      .DeltaWidth    (4),
      .Lo            (-4),
      .Hi            (3),
      .StepMax       (1),
      .StepFile      ("steps.hex"),
      .StepLines     (StepLines),
      .Hold          (Hold),
      .ThresholdWidth(4)
  ) dut (
      .clk_i,
      .rst_ni,
      .skip_i,
      .threshold_i,
      .valid_i,
      .ready_o(ready),
      .token_i({first_i, has_word_i, end_i, word_i, sums_i}),
      .valid_o(valid),
      .ready_i,
      .token_o(token)
  );
  assign take = valid_i && ready;

  // The specification: f = z, q = clip(round_half_even(f / 2^(1 + k)) * 2^k), T = ceil(threshold / 2^(1 - k)).
  logic [Lanes-1:0] steps, mask;
  logic [Lanes-1:0][2:0] codes, kept;
  logic [Lanes-1:0][3:0] deltas;
  logic [Words-1:0][Lanes-1:0][2:0] codes_q;
  logic [Words-1:0] known_q;  // words that a first frame brought
  if (StepLines == 1) begin : g_lanes
    assign steps = dut.g_lanes.memory[0];
  end else begin : g_steps
    assign steps = dut.g_steps.memory[32'(word_i)%StepLines];
  end
  assign kept = first_i ? '0 : codes_q[word_i];
  for (genvar i = 0; i < Lanes; i++) begin : g_lane
    value_t f, units, left, half, rounded, q, old, distance, now;
    assign f = value_t'($signed(sums_i[i]));
    assign units = f >>> (1 + 32'(steps[i]));
    assign left = f - (units <<< (1 + 32'(steps[i])));
    assign half = value_t'(1) <<< steps[i];
    assign rounded = (left > half || (left == half && units[0]) ? units + 1 : units) <<< steps[i];
    assign q = rounded < -4 ? -4 : rounded > 3 ? 3 : rounded;
    assign old = value_t'($signed(kept[i]));
    assign distance = f > (old <<< 1) ? f - (old <<< 1) : (old <<< 1) - f;
    assign now = Hold && distance < value_t'({1'b0, steps[i] ? threshold_i : 4'((5'(threshold_i) + 5'd1) >> 1)}) ? old : q;
    assign codes[i] = now[2:0];
    assign deltas[i] = 4'(now - old);
    assign mask[i] = has_word_i && 32'(word_i) * Lanes + i < Size && (now != old || !skip_i);
  end
  always_comb begin
    expected = {first_i, has_word_i, end_i, word_i, DataWidth'(0)};
    if (SendCodes) expected[DataWidth-1:0] = DataWidth'(codes);
    else expected[DataWidth-1:0] = DataWidth'({mask, deltas});
    if (!has_word_i) expected[DataWidth-1:0] = '0;
  end

  logic [HeadWidth+DataWidth-1:0] masked;  // a token without a word has its head only; of lanes that do not send, none
  assign masked = token[HeadWidth+DataWidth-2] ? token : {token[DataWidth+:HeadWidth], DataWidth'(0)};
  check_stream #(
      .Width   (HeadWidth + DataWidth),
      .Most    (4),
      .Patience(3)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (take),
      .before_i    ('0),
      .enter_data_i(expected),
      .mark_i      (mark_i && (known == '1 || !has_word_i)),
      .valid_i     (valid),
      .ready_i,
      .data_i      (masked),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (),
      .value_o     ()
  );
  assign known = {Lanes{first_i || known_q[word_i]}};

  always_ff @(posedge clk_i) begin
    skip_q <= skip_i;
    m_word : assume (!has_word_i || 32'(word_i) < Words);
    m_skip : assume (!rst_ni || skip_q == skip_i);
    if (!rst_ni) known_q <= '0;
    else begin
      if (take && has_word_i) begin
        codes_q[word_i] <= codes;
        if (first_i) known_q[word_i] <= 1'b1;
      end
      a_room : assert (ready == (ready_i || !valid));
      c_again : cover (i_stream.marked_o && i_stream.ahead_o == '0 && valid && ready_i && token[HeadWidth+DataWidth-1-:2] == 2'b01 &&
                       token[DataWidth-1:0] != '0);
    end
  end
endmodule
