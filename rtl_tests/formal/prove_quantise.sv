// SPDX-License-Identifier: Apache-2.0
// delta_quantise is its formula, with divisions. It has no feedback: what it gives follows from the last values that
// each of its three stages took, so a few cycles are all.
module prove_quantise #(
    parameter int unsigned InWidth = 10,
    parameter bit InSigned = 1'b1,
    parameter int unsigned Widen = 0,
    parameter int unsigned Shift = 3,
    parameter bit Relu = 1'b1,
    parameter int unsigned CodeWidth = 5,
    parameter bit CodeSigned = 1'b0,
    parameter int Lo = 0,
    parameter int Hi = 31,
    parameter int unsigned StepMax = 2,
    parameter bit Hold = 1'b1,
    parameter int unsigned ThresholdWidth = 7,
    localparam int unsigned StepWidth = StepMax > 0 ? $clog2(StepMax + 1) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [2:0] enable_i,
    input logic [InWidth-1:0] z_i,
    input logic [StepWidth-1:0] step_i,
    input logic [ThresholdWidth-1:0] threshold_i,
    input logic [CodeWidth-1:0] before_i
);
  logic [CodeWidth-1:0] after;
  logic [CodeWidth:0] delta;
  logic changed;
  delta_quantise #(
      .InWidth       (InWidth),
      .InSigned      (InSigned),
      .Widen         (Widen),
      .Shift         (Shift),
      .Relu          (Relu),
      .CodeWidth     (CodeWidth),
      .CodeSigned    (CodeSigned),
      .Lo            (Lo),
      .Hi            (Hi),
      .StepMax       (StepMax),
      .Hold          (Hold),
      .ThresholdWidth(ThresholdWidth)
  ) dut (
      .clk_i,
      .enable_i,
      .z_i,
      .step_i,
      .threshold_i,
      .before_i,
      .after_o  (after),
      .delta_o  (delta),
      .changed_o(changed)
  );

  // What each stage took, and whether it took anything yet.
  logic [3:1] full_q;
  logic [3:1][InWidth-1:0] z_q;
  logic [3:2][StepWidth-1:0] step_q;
  logic [3:2][ThresholdWidth-1:0] threshold_q;
  assume_reset i_reset (.*);
  always_ff @(posedge clk_i) begin
    if (!rst_ni) full_q <= '0;
    else begin
      if (enable_i[0]) {full_q[1], z_q[1]} <= {1'b1, z_i};
      if (enable_i[1]) {full_q[2], z_q[2], step_q[2], threshold_q[2]} <= {full_q[1], z_q[1], step_i, threshold_i};
      if (enable_i[2]) {full_q[3], z_q[3], step_q[3], threshold_q[3]} <= {full_q[2], z_q[2], step_q[2], threshold_q[2]};
    end
  end

  typedef logic signed [39:0] value_t;
  value_t z, f, units, left, half, rounded, q, old, distance, expected;
  assign z = InSigned ? value_t'($signed(z_q[3])) : value_t'({1'b0, z_q[3]});
  assign f = Relu && z < 0 ? '0 : z <<< Widen;
  assign units = f >>> (Shift + 32'(step_q[3]));  // floor
  assign left = f - (units <<< (Shift + 32'(step_q[3])));
  assign half = (value_t'(1) <<< (Shift + 32'(step_q[3]))) >>> 1;
  assign rounded = (left > half || (left == half && left != 0 && units[0]) ? units + 1 : units) <<< step_q[3];
  assign q = rounded < value_t'(Lo) ? value_t'(Lo) : rounded > value_t'(Hi) ? value_t'(Hi) : rounded;
  assign old = CodeSigned ? value_t'($signed(before_i)) : value_t'({1'b0, before_i});
  assign distance = f > (old <<< Shift) ? f - (old <<< Shift) : (old <<< Shift) - f;
  assign expected = Hold && distance < value_t'({1'b0, threshold_q[3]}) ? old : q;

  always_ff @(posedge clk_i) begin
    m_step : assume (32'(step_i) <= StepMax);
    m_code : assume (old >= value_t'(Lo) && old <= value_t'(Hi));
    if (rst_ni && full_q[3]) begin
      a_code : assert (after == expected[CodeWidth-1:0]);
      a_delta : assert (value_t'($signed(delta)) == expected - old);
      a_changed : assert (changed == (expected != old));
      c_held : cover (expected == old && q != old);
      c_even : cover (left == half && left != 0 && expected != old && full_q == '1);
    end
  end
endmodule
