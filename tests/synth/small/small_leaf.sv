// SPDX-License-Identifier: Apache-2.0
// A multiplier with registers on both sides.
module small_leaf #(
    parameter int unsigned Width = 8
) (
    input  logic                      clk_i,
    input  logic signed [Width-1:0]   a_i,
    input  logic signed [Width-1:0]   b_i,
    output logic signed [2*Width-1:0] product_o
);
  if (Width > 18) begin : g_bad
    $error("small_leaf: Width must be at most 18");
  end
  logic signed [Width-1:0] a_q, b_q;
  always_ff @(posedge clk_i) begin
    a_q <= a_i;
    b_q <= b_i;
    product_o <= a_q * b_q;
  end
endmodule
