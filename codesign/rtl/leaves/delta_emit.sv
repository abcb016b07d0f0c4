// SPDX-License-Identifier: Apache-2.0
// Function:   word tokens of z -> word tokens of {mask, deltas} (or codes r, if SendCodes), for each lane:
//               f = max(z, 0) or z;  q = clip(round_half_even(f / 2^(Shift+k)) * 2^k, Lo, Hi)
//               r = Hold && |f - r' * 2^Shift| < T ? r' : q;  delta = r - r';  mask = delta != 0
//             r' = what was last sent for this element, 0 in words of a first frame. skip_i = 0: mask = 1.
//             T = ceil(threshold_i / 2^(StepMax-k)): threshold_i is that of the coarsest step, 0 holds nothing.
// Latency:    4 cycles
// Throughput: 1 word per cycle, also the same word in consecutive cycles if Distance is 1
// Timing:     combinational ready_i -> ready_o (the pipeline freezes as a whole); threshold_i is registered, a word
//             uses what it is in the cycle that takes it. It may change with the first frame of a new stream only:
//             a smaller T would also send elements of words that do not come because their z is unchanged.
// Reset:      pipeline empty; the references are cleared by the words of a first frame, not by reset
// Model:      codesign.graph.golden.quantize, codesign.graph.golden.send, codesign.graph.Delta.thresholds
// Lanes beyond Size (the padding of the last word) never make events. Words are never dropped: delta_serialize does.
module delta_emit #(
    parameter bit SendCodes = 1'b0,
    parameter int unsigned Size = 1,
    parameter int unsigned Lanes = 1,
    parameter int unsigned Distance = 1,  // fewest cycles from a word to the same word again; 4 saves the forwarding
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1'b1,
    parameter int unsigned Widen = 0,
    parameter int unsigned Shift = 0,
    parameter bit Relu = 1'b0,
    parameter int unsigned CodeWidth = 8,
    parameter bit CodeSigned = 1'b1,
    parameter int unsigned DeltaWidth = CodeWidth + 1,
    parameter int Lo = -128,
    parameter int Hi = 127,
    parameter int unsigned StepMax = 0,  // largest k
    parameter StepFile = "",  // k of each lane, one word per line; "": StepMax everywhere
    parameter int unsigned StepLines = 1,  // word w has line w % StepLines: 1, a power of two, or Words
    parameter bit Hold = 1'b0,
    parameter int unsigned ThresholdWidth = 1,  // up to CodeWidth + Shift it widens no adder
    localparam int unsigned Words = (Size + Lanes - 1) / Lanes,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned HeadWidth = 3 + WordWidth,
    localparam int unsigned DataWidth = SendCodes ? Lanes * CodeWidth : Lanes * (DeltaWidth + 1)
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               skip_i,       // 0: every element is an event, at any time
    input  logic [         ThresholdWidth-1:0] threshold_i,  // in units of f
    input  logic                               valid_i,
    output logic                               ready_o,
    input  logic [HeadWidth+Lanes*InWidth-1:0] token_i,
    output logic                               valid_o,
    input  logic                               ready_i,
    output logic [    HeadWidth+DataWidth-1:0] token_o
);
  if (Size < 1 || Lanes < 1 || CodeWidth > 30 || Lo > 0 || Hi < 0) begin : g_bad
    $error("delta_emit: Size and Lanes must be at least 1, CodeWidth at most 30, Lo <= 0 <= Hi");
  end
  if (StepLines < 1 || StepLines > Words || (StepLines < Words && 1 << $clog2(StepLines) != StepLines)) begin : g_lines
    $error("delta_emit: StepLines must be Words or a power of two below");
  end

  localparam int unsigned StepWidth = StepMax > 0 ? $clog2(StepMax + 1) : 1;

  logic enable;
  logic [3:1] valid_q;
  logic [3:0] moves;  // stages that take a word: without one they keep their data
  logic [3:1][HeadWidth-1:0] head_q;  // {first_of_stream, has_word, end_of_frame, address}
  logic [Lanes*StepWidth-1:0] step;
  logic [StepMax:0][ThresholdWidth-1:0] threshold_q;  // of each k
  logic [Lanes*CodeWidth-1:0] old_codes, new_codes;
  logic [Lanes-1:0] changed, mask;
  logic [Lanes*DeltaWidth-1:0] deltas;

  assign enable = ready_i || !valid_o;
  assign ready_o = enable;
  assign moves = enable ? {valid_q, valid_i} : '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_o, valid_q} <= '0;
    else if (enable) {valid_o, valid_q} <= {valid_q, valid_i};
  end
  always_ff @(posedge clk_i) begin
    if (enable) head_q <= {head_q[2:1], token_i[Lanes*InWidth+:HeadWidth]};
  end

  // Stage 1: steps of the word, thresholds of all steps.
  if (StepFile == "") begin : g_step
    assign step = {Lanes{StepWidth'(StepMax)}};
  end else if (StepLines == 1) begin : g_lanes
    logic [Lanes*StepWidth-1:0] memory[StepLines];
    initial $readmemh(StepFile, memory);
    assign step = memory[0];
  end else begin : g_steps
    logic [Lanes*StepWidth-1:0] memory[StepLines];
    initial $readmemh(StepFile, memory);
    always_ff @(posedge clk_i) if (moves[0]) step <= memory[token_i[Lanes*InWidth+:$clog2(StepLines)]];
  end
  for (genvar k = 0; k <= StepMax; k++) begin : g_threshold
    localparam logic [ThresholdWidth-1:0] Below = ~({ThresholdWidth{1'b1}} << (StepMax - k));
    always_ff @(posedge clk_i) begin
      if (moves[0]) threshold_q[k] <= (threshold_i >> (StepMax - k)) + ThresholdWidth'((threshold_i & Below) != 0);
    end
  end

  // Stages 1 to 3: the references, read beside the arithmetic.
  delta_state #(
      .Words   (Words),
      .Width   (Lanes * CodeWidth),
      .Distance(Distance)
  ) i_reference (
      .clk_i,
      .rst_ni,
      .enable_i (enable),
      .valid_i  (valid_q[1] && head_q[1][WordWidth+1]),
      .load_i   (head_q[1][WordWidth+2]),
      .word_i   (head_q[1][WordWidth-1:0]),
      .initial_i('0),
      .operand_o(old_codes),
      .result_i (new_codes)
  );

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    delta_quantise #(
        .InWidth       (InWidth),
        .InSigned      (InSigned),
        .Widen         (Widen),
        .Shift         (Shift),
        .Relu          (Relu),
        .CodeWidth     (CodeWidth),
        .CodeSigned    (CodeSigned),
        .DeltaWidth    (DeltaWidth),
        .Lo            (Lo),
        .Hi            (Hi),
        .StepMax       (StepMax),
        .Hold          (Hold),
        .ThresholdWidth(ThresholdWidth)
    ) i_quantise (
        .clk_i,
        .enable_i   (moves[2:0]),
        .z_i        (token_i[lane*InWidth+:InWidth]),
        .step_i     (step[lane*StepWidth+:StepWidth]),
        .threshold_i(threshold_q[step[lane*StepWidth+:StepWidth]]),
        .before_i   (old_codes[lane*CodeWidth+:CodeWidth]),
        .after_o    (new_codes[lane*CodeWidth+:CodeWidth]),
        .delta_o    (deltas[lane*DeltaWidth+:DeltaWidth]),
        .changed_o  (changed[lane])
    );
  end

  // Stage 3: which lanes send.
  for (genvar lane = 0; lane < Lanes; lane++) begin : g_mask
    localparam bit InLastWord = (Words - 1) * Lanes + lane < Size;
    logic used;
    assign used = head_q[3][WordWidth+1] && (InLastWord || head_q[3][WordWidth-1:0] != WordWidth'(Words - 1));
    assign mask[lane] = used && (changed[lane] || !skip_i);
  end

  always_ff @(posedge clk_i) begin
    if (moves[3]) token_o <= {head_q[3], DataWidth'(SendCodes ? DataWidth'(new_codes) : DataWidth'({mask, deltas}))};
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
