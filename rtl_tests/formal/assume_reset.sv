// SPDX-License-Identifier: Apache-2.0
// The first cycle is a reset, whatever the registers hold before it; later ones come at any time.
module assume_reset (
    input logic clk_i,
    input logic rst_ni
);
  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    m_reset : assume (past_q || !rst_ni);
  end
endmodule
