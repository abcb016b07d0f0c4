// SPDX-License-Identifier: Apache-2.0
// Function:   limits frames in flight under congestion: the next frame may begin while fewer than Frames are inside, or
//             when no stream between engines has been stalled for Quiet cycles. The latency of a frame is then its own
//             work, not the wait in all queues
// Latency:    3 cycles from a stall, a frame that begins or one that leaves to hold_o
// Throughput: any
// Timing:     hold_o is a register
// Reset:      no frame inside
// Model:      rtl_tests.bench_admit.Admit
// A frame inside must be able to leave although no other one follows.
module delta_admit #(
    parameter int unsigned Frames = 2,
    parameter int unsigned Streams = 1,
    parameter int unsigned Quiet = 32
) (
    input  logic               clk_i,
    input  logic               rst_ni,
    input  logic               enter_i,    // a frame begins
    input  logic               leave_i,    // a frame's packet ends
    input  logic [Streams-1:0] stalled_i,
    output logic               hold_o
);
  if (Frames < 1 || Streams < 1 || Quiet < 1) begin : g_bad
    $error("delta_admit: Frames, Streams and Quiet must be at least 1");
  end

  localparam int unsigned QuietWidth = $clog2(Quiet + 1);
  logic [15:0] inside_q;
  logic [QuietWidth-1:0] left_q;  // cycles until the streams count as quiet
  logic enter_q, leave_q, stalled_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inside_q <= '0;
      left_q <= '0;
      {enter_q, leave_q, stalled_q, hold_o} <= '0;
    end else begin
      {enter_q, leave_q, stalled_q} <= {enter_i, leave_i, stalled_i != 0};
      inside_q <= inside_q + 16'(enter_q) - 16'(leave_q);
      if (stalled_q) left_q <= QuietWidth'(Quiet);
      else if (left_q != 0) left_q <= left_q - 1'b1;
      hold_o <= inside_q >= 16'(Frames) && left_q != 0;
    end
  end
endmodule
