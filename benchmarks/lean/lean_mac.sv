// SPDX-License-Identifier: Apache-2.0
// Function:   sums[lane] = Bias[lane] + sum of W[line, lane] * code over the codes up to last_i
// Latency:    5 cycles from the last code
// Throughput: 1 code per cycle, Lanes multiply-accumulates; sums that are not taken in time make it wait
// Timing:     no combinational path from ready_i to ready_o; both sides of the multipliers registered
// Reset:      empty
// Model:      codesign.graph.golden.compute
// Serial: sums leave one after the other, lane 0 first; else all at once, lane 0 in the low bits. Nothing rounds or
// saturates: AccWidth holds every sum. The accumulators' synchronous reset is the bias, so that it costs no logic.
module lean_mac #(
    parameter int unsigned Lanes = 1,
    parameter bit Serial = 1'b1,
    parameter int unsigned CodeWidth = 4,  // unsigned
    parameter int unsigned WeightWidth = 4,
    parameter int unsigned AccWidth = 16,
    parameter int unsigned Lines = 1,
    parameter logic [Lanes*AccWidth-1:0] Bias = '0,
    parameter WeightFile = "",  // Lanes weights per line, lane 0 in the low bits
    parameter int unsigned LineBits = Lines > 1 ? $clog2(Lines) : 1,
    localparam int unsigned OutWidth = Serial ? AccWidth : Lanes * AccWidth
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 valid_i,
    output logic                 ready_o,
    input  logic [CodeWidth-1:0] code_i,
    input  logic [ LineBits-1:0] line_i,
    input  logic                 last_i,
    output logic                 valid_o,
    input  logic                 ready_i,
    output logic [ OutWidth-1:0] sums_o
);
  localparam int unsigned ProductWidth = CodeWidth + 1 + WeightWidth;
  localparam int unsigned Results = Serial ? Lanes : 1;
  localparam int unsigned LeftBits = $clog2(Results + 1);
  if (Lanes < 1 || Lines < 1 || AccWidth < CodeWidth + WeightWidth) begin : g_bad
    $error("lean_mac: Lanes and Lines must be at least 1, AccWidth must hold a product");
  end

  // Stage 1: weights. 2: a register. 3: products. 4: sums.
  logic [3:1] valid_q, last_q;
  logic [2:1][CodeWidth-1:0] code_q;
  logic [Lanes*WeightWidth-1:0] weights[Lines];
  logic [Lanes*WeightWidth-1:0] weight_q, weight_q2;
  logic [Lanes*AccWidth-1:0] sums, sums_q;
  logic [LeftBits-1:0] left_q;
  logic done;
  initial $readmemh(WeightFile, weights);
  assign ready_o = !(valid_q[3] && last_q[3] && valid_o);
  assign done = valid_q[3] && last_q[3] && !valid_o;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (ready_o) valid_q <= {valid_q[2:1], valid_i};
  end
  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      last_q <= {last_q[2:1], last_i};
      code_q <= {code_q[1], code_i};
      weight_q <= weights[line_i];
      weight_q2 <= weight_q;
    end
  end

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    logic signed [ProductWidth-1:0] weight, code, product_q;
    logic [AccWidth-1:0] sum_q;
    assign weight = ProductWidth'($signed(weight_q2[lane*WeightWidth+:WeightWidth]));
    assign code = ProductWidth'(code_q[2]);
    assign sums[lane*AccWidth+:AccWidth] = sum_q + AccWidth'(product_q);
    always_ff @(posedge clk_i) if (ready_o) product_q <= weight * code;
    always_ff @(posedge clk_i) begin
      if (!rst_ni || done) sum_q <= Bias[lane*AccWidth+:AccWidth];
      else if (ready_o && valid_q[3]) sum_q <= sums[lane*AccWidth+:AccWidth];
    end
  end

  assign valid_o = left_q != 0;
  assign sums_o  = sums_q[OutWidth-1:0];
  always_ff @(posedge clk_i) begin
    if (!rst_ni) left_q <= '0;
    else if (done) left_q <= LeftBits'(Results);
    else if (valid_o && ready_i) left_q <= left_q - LeftBits'(1);
  end
  always_ff @(posedge clk_i) begin
    if (done) sums_q <= sums;
    else if (Serial && valid_o && ready_i) sums_q <= sums_q >> AccWidth;
  end
`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_payload :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(sums_o));
`endif
endmodule
