// SPDX-License-Identifier: Apache-2.0
// Sends back every level of its line, so every byte; Fault makes it go wrong at the first byte.
module echo_uart #(
    parameter int unsigned ClockHz = 1,
    parameter int unsigned Baud = 1,
    parameter int unsigned Fault = 0  // 1: no stop bit, 2: an assertion fails
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic rx_i,
    output logic tx_o
);
  if (ClockHz / Baud != 8) begin : g_bad
    $error("echo_uart: the harness gave other parameters");
  end

  logic seen_q;
  always_ff @(posedge clk_i) begin
    tx_o <= !rst_ni || (rx_i && !(Fault == 1 && seen_q));
    if (!rst_ni) seen_q <= 1'b0;
    else if (!rx_i) seen_q <= 1'b1;
  end

`ifndef SYNTHESIS
  a_silent :
  assert property (@(posedge clk_i) disable iff (!rst_ni) Fault == 2 |-> !seen_q);
`endif
endmodule
