// SPDX-License-Identifier: Apache-2.0
// Function:   most_o[lane] = the largest of the Window values of each lane
// Latency:    1 enabled cycle
// Throughput: 1 word per cycle
// Timing:     a tree of ceil(log2(Window)) comparisons before a register
// Reset:      none (data path only)
// Model:      builtins.max
// Window = 1 is the register alone. It keeps no values: delta_banks does.
module delta_maximum #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned Window = 1,
    parameter int unsigned Width = 8,
    parameter bit Signed = 1'b1
) (
    input  logic                          clk_i,
    input  logic                          enable_i,
    input  logic [Lanes*Window*Width-1:0] values_i,  // the values of a lane side by side
    output logic [       Lanes*Width-1:0] most_o
);
  if (Lanes < 1 || Window < 1 || Width < 1) begin : g_bad
    $error("delta_maximum: Lanes, Window and Width must be at least 1");
  end

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    logic [Window*Width-1:0] most;
    always_comb begin
      logic [Width-1:0] one, other;
      most = values_i[lane*Window*Width+:Window*Width];
      {one, other} = '0;
      for (int unsigned span = 1; span < Window; span = 2 * span) begin  // a tree: pairs, then pairs of pairs
        for (int unsigned f = 0; f + span < Window; f = f + 2 * span) begin
          one   = most[f*Width+:Width];
          other = most[(f+span)*Width+:Width];
          if (Signed ? $signed(other) > $signed(one) : other > one) most[f*Width+:Width] = other;
        end
      end
    end
    always_ff @(posedge clk_i) if (enable_i) most_o[lane*Width+:Width] <= most[Width-1:0];
  end
endmodule
