// SPDX-License-Identifier: Apache-2.0
// delta_admit: hold_o is a formula of what was seen up to 3 cycles ago, and never holds for ever: not without a stall
// in the last Quiet cycles, and not without Frames frames inside.
module prove_admit #(
    parameter int unsigned Frames = 2,
    parameter int unsigned Streams = 2,
    parameter int unsigned Quiet = 3
) (
    input logic clk_i,
    input logic rst_ni,
    input logic enter_i,
    input logic leave_i,
    input logic [Streams-1:0] stalled_i
);
  logic hold;
  logic [15:0] inside_q, inside_q2, inside_q3;  // frames inside, 1 to 3 cycles ago
  logic [31:0] quiet_q, quiet_q2, quiet_q3;  // cycles since the last stall, up to Quiet
  assume_reset i_reset (.*);
  delta_admit #(
      .Frames (Frames),
      .Streams(Streams),
      .Quiet  (Quiet)
  ) dut (
      .clk_i,
      .rst_ni,
      .enter_i,
      .leave_i,
      .stalled_i,
      .hold_o(hold)
  );
  always_ff @(posedge clk_i) begin
    m_leaves : assume (!leave_i || inside_q != 0);
    m_some : assume (inside_q < 16'hfff0);  // 16 bits count them
    if (!rst_ni) begin
      {inside_q, inside_q2, inside_q3} <= '0;
      {quiet_q, quiet_q2, quiet_q3} <= {3{Quiet}};
    end else begin
      {inside_q3, inside_q2} <= {inside_q2, inside_q};
      inside_q <= inside_q + 16'(enter_i) - 16'(leave_i);
      {quiet_q3, quiet_q2} <= {quiet_q2, quiet_q};
      quiet_q <= stalled_i != '0 ? 0 : quiet_q < Quiet ? quiet_q + 1 : Quiet;
      a_hold : assert (hold == (32'(inside_q3) >= Frames && quiet_q3 < Quiet));
      a_ends : assert (!hold || (quiet_q3 < Quiet && inside_q3 != 0));
      i_inside : assert (dut.inside_q == inside_q2);
      i_left : assert (32'(dut.left_q) == Quiet - quiet_q2 && quiet_q2 <= Quiet && quiet_q3 <= Quiet);
      i_inputs : assert (dut.stalled_q == (quiet_q == 0) && quiet_q <= Quiet &&
                         inside_q == inside_q2 + 16'(dut.enter_q) - 16'(dut.leave_q));
      c_held : cover (hold && stalled_i == '0 && enter_i);
    end
  end
endmodule
