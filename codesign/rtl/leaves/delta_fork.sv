// SPDX-License-Identifier: Apache-2.0
// Function:   one stream for several readers: each takes every token once, in its own time
// Latency:    0 cycles
// Throughput: 1 token per cycle; the slowest reader of a token sets its pace
// Timing:     combinational ready_i -> ready_o and valid_i -> valid_o
// Reset:      no reader has the head token yet
// Model:      rtl_tests.bench_fork.Readers
// All readers have the same data wires, so there is no data path here. It does not queue: delta_fifo does.
module delta_fork #(
    parameter int unsigned Outputs = 2
) (
    input  logic               clk_i,
    input  logic               rst_ni,
    input  logic               valid_i,
    output logic               ready_o,
    output logic [Outputs-1:0] valid_o,
    input  logic [Outputs-1:0] ready_i
);
  if (Outputs < 2) begin : g_bad
    $error("delta_fork: Outputs must be at least 2");
  end

  logic [Outputs-1:0] taken_q, taken;  // readers that have the head token

  assign valid_o = {Outputs{valid_i}} & ~taken_q;
  assign taken   = taken_q | ready_i;
  assign ready_o = &taken;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) taken_q <= '0;
    else if (valid_i) taken_q <= ready_o ? '0 : taken;
  end

`ifndef SYNTHESIS
  for (genvar i = 0; i < Outputs; i++) begin : g_check
    a_valid :
    assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o[i] && !ready_i[i] |=> valid_o[i]);
  end
`endif
endmodule
