// SPDX-License-Identifier: Apache-2.0
// Function:   one lane of core_send. f = relu_i ? max(z, 0) : z; n = shift_i + step;
//               q = clip(round_half_even(f / 2^n) * 2^step, lo_i, hi_i)
//               after = !valid || (threshold != 0 && |f - code * 2^shift_i| < threshold) ? code : q
//               delta = after - code; changed = valid && (delta != 0 || !skip_i)
// Latency:    6 enabled cycles
// Throughput: 1 value a cycle
// Timing:     registers at all outputs; one addition, comparison or half of a shift a stage
// Reset:      none (data path only)
// Model:      codesign.graph.golden.activate, codesign.graph.golden.quantize, codesign.graph.golden.send
// relu_i, shift_i, lo_i, hi_i, low_i and high_i stay as they are while values are inside, with lo_i <= 0 <= hi_i.
// code_i is 0 or what came out for an earlier value of the same shift: code * 2^shift is at most 2^(SumBits-1) in
// magnitude, as rounding and clipping leave it. Rounded on the lattice of the sums, where lower bits are masked: one
// shift, not three.
module core_quantise
  import core_pkg::*;
(
    input  logic                        clk_i,
    input  logic                        enable_i,
    input  logic                        skip_i,    // 0: every lane counts as changed
    input  logic                        relu_i,
    input  logic        [          5:0] shift_i,
    input  logic signed [ CodeBits-1:0] lo_i,
    input  logic signed [ CodeBits-1:0] hi_i,
    input  logic signed [    SumBits:0] low_i,     // lo_i * 2^shift_i, or the smallest number
    input  logic signed [    SumBits:0] high_i,    // hi_i * 2^shift_i, or the largest number
    input  logic signed [  SumBits-1:0] z_i,
    input  logic signed [ CodeBits-1:0] code_i,
    input  param_t                      param_i,
    output logic signed [ CodeBits-1:0] code_o,
    output logic signed [DeltaBits-1:0] delta_o,
    output logic                        changed_o
);
  localparam int unsigned Width = SumBits + 1;  // of a rounded f
  localparam int unsigned ShiftBits = SumBits > 32 ? 6 : 5;  // a longer shift leaves only codes of 0
  localparam int unsigned PartBits = CodeBits + 7;  // a code and what the lower three bits of a shift move
  logic [ShiftBits-1:0] coarse;
  assign coarse = {shift_i[ShiftBits-1:3], 3'b0};

  // Stage 1: activation.
  logic signed [SumBits-1:0] f_q, f_q2, f_q3;
  logic [6:0] places_q;
  logic signed [5:1][CodeBits-1:0] code_q;
  logic [SumBits-1:0] threshold_q;
  logic [5:1] valid_q, memoryless_q;
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      f_q <= relu_i && z_i[SumBits-1] ? '0 : z_i;
      places_q <= 7'(shift_i) + 7'(param_i.step);
      threshold_q <= param_i.threshold;
      code_q <= {code_q[4:1], code_i};
      valid_q <= {valid_q[4:1], param_i.valid};
      memoryless_q <= {memoryless_q[4:1], param_i.threshold == 0};
    end
  end

  // Stage 2: which bits are below a step, and the lowest one of a step. 3: rounding, as half - 1 + lowest carries into
  // a step above half, and at half where the step is odd. The code goes to the lattice of the sums.
  logic [Width-1:0] below, below_q2;
  logic [63:0] extended;
  logic lowest_q2;
  logic signed [Width-1:0] rounded_q3, code_part, code_wide_q3;
  logic signed [PartBits-1:0] code_part_q2;
  logic [SumBits-1:0] least_q2, least_q3, least_q4;  // threshold - 1: so that |x| of a negative x is its complement
  assign below = ~({Width{1'b1}} << places_q);
  assign extended = 64'(f_q);
  assign code_part = Width'(code_part_q2);
  // verilator lint_off UNUSEDSIGNAL
  logic signed [Width:0] rounded;  // bit 0 is only there to carry
  // verilator lint_on UNUSEDSIGNAL
  assign rounded = $signed({f_q2[SumBits-1], f_q2, 1'b1}) + $signed({below_q2 >> 1, lowest_q2});
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      f_q2 <= f_q;
      below_q2 <= below;
      lowest_q2 <= places_q != 0 && extended[places_q[5:0]];
      code_part_q2 <= PartBits'($signed(code_q[1])) <<< shift_i[2:0];
      least_q2 <= threshold_q - 1'b1;

      f_q3 <= f_q2;
      rounded_q3 <= rounded[Width:1] & ~below_q2;
      code_wide_q3 <= code_part <<< coarse;
      least_q3 <= least_q2;
    end
  end

  // Stage 4: clip, and how far f is from the code. 5: the code, and whether that is far enough.
  logic signed [PartBits-1:0] part_q4;
  logic over_q4, under_q4, moved_q5;
  logic signed [Width:0] apart_q4;
  logic [Width:0] reach;
  logic signed [CodeBits-1:0] q_q5;
  assign reach = apart_q4 ^ {(Width + 1) {apart_q4[Width]}};
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      part_q4 <= PartBits'(rounded_q3 >>> coarse);
      over_q4 <= rounded_q3 > high_i;
      under_q4 <= rounded_q3 < low_i;
      apart_q4 <= (Width + 1)'(f_q3) - (Width + 1)'(code_wide_q3);
      least_q4 <= least_q3;

      q_q5 <= over_q4 ? hi_i : under_q4 ? lo_i : CodeBits'(part_q4 >>> shift_i[2:0]);
      moved_q5 <= {reach, 1'b1} > {(Width + 1)'(least_q4), !apart_q4[Width]};  // reach > or >= least
    end
  end

  // Stage 6: what is sent.
  logic send;
  logic signed [CodeBits-1:0] old_code;
  assign send = valid_q[5] && (memoryless_q[5] || moved_q5);
  assign old_code = code_q[5];
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      code_o <= send ? q_q5 : old_code;
      delta_o <= send ? DeltaBits'(q_q5) - DeltaBits'(old_code) : '0;
      changed_o <= valid_q[5] && (!skip_i || (send && q_q5 != old_code));
    end
  end
endmodule
