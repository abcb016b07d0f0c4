// SPDX-License-Identifier: Apache-2.0
// Function:   what an event adds to a word: addend[lane][field] = W[line, lane] * delta. Channelwise: in the event's
//             lane alone. Window > 0: a word keeps Window values a lane, and only field `line` of them is added to.
//             Without a WeightFile every weight is 1
// Latency:    4 cycles, if stage s is enabled s - 1 cycles after line_i
// Throughput: 1 word per cycle
// Timing:     the weights are read and copied to a second register, the multiplier is between registers, and what
//             follows it is one more, for the route from the DSP column
// Reset:      none (data path only)
// Model:      rtl_tests.models.addend
// Costs WeightLines lines of block RAM and one multiplier per lane, or a single one if Channelwise. It does not add:
// delta_accumulate and delta_dense do. Nothing rounds or saturates: sums wrap, and AccWidth holds the last one.
module delta_product #(
    parameter int unsigned Lanes = 1,
    parameter bit Channelwise = 1'b0,
    parameter int unsigned Window = 0,  // values of a lane, if there are several
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned WeightWidth = 8,
    parameter int unsigned AccWidth = 24,
    parameter int unsigned WeightLines = 1,
    parameter int unsigned WeightBits = 1,  // of a line's index
    parameter WeightFile = "",  // Lanes weights per line, lane 0 in the low bits
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned Fields = Window > 0 ? Window : 1
) (
    input  logic                             clk_i,
    input  logic [                      4:1] enable_i,  // stages that take something; the others keep their registers
    input  logic [           WeightBits-1:0] line_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [             LaneBits-1:0] lane_i,    // if Channelwise
    // verilator lint_on UNUSEDSIGNAL
    input  logic [           DeltaWidth-1:0] delta_i,
    output logic [Lanes*Fields*AccWidth-1:0] addend_o
);
  localparam bit Weighted = WeightFile != "";
  localparam int unsigned Products = Channelwise ? 1 : Lanes;
  localparam int unsigned ProductWidth = Weighted ? DeltaWidth + WeightWidth : DeltaWidth;
  if (Lanes < 1 || WeightLines < 1 || AccWidth < 1) begin : g_bad
    $error("delta_product: Lanes, WeightLines and AccWidth must be at least 1");
  end

  // Stage 1: weights. 2: a register. 3: products. 4: a register.
  // verilator lint_off UNUSEDSIGNAL
  logic [4:1][WeightBits-1:0] line_q;
  logic [4:1][LaneBits-1:0] lane_q;
  logic [Products-1:0][ProductWidth-1:0] product_q4;  // bits above AccWidth cancel
  // verilator lint_on UNUSEDSIGNAL
  logic [2:1][DeltaWidth-1:0] delta_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[1]) {line_q[1], lane_q[1], delta_q[1]} <= {line_i, lane_i, delta_i};
    if (enable_i[2]) {line_q[2], lane_q[2], delta_q[2]} <= {line_q[1], lane_q[1], delta_q[1]};
    if (enable_i[3]) {line_q[3], lane_q[3]} <= {line_q[2], lane_q[2]};
    if (enable_i[4]) {line_q[4], lane_q[4]} <= {line_q[3], lane_q[3]};
  end

  if (Weighted) begin : g_weights
    logic [Lanes*WeightWidth-1:0] weights[WeightLines];
    logic [Lanes*WeightWidth-1:0] weight_q;
    logic [Products*WeightWidth-1:0] weight, weight_q2;
    initial $readmemh(WeightFile, weights);
    always_comb begin
      weight = weight_q[Products*WeightWidth-1:0];
      for (int unsigned i = 1; i < Lanes; i++) begin
        if (Channelwise && lane_q[1] == LaneBits'(i)) weight[WeightWidth-1:0] = weight_q[i*WeightWidth+:WeightWidth];
      end
    end
    always_ff @(posedge clk_i) begin
      if (enable_i[1]) weight_q <= weights[line_i];
      if (enable_i[2]) weight_q2 <= weight;
    end
    for (genvar i = 0; i < Products; i++) begin : g_multiplier
      logic signed [ProductWidth-1:0] weight_in, delta_in, product_q3;
      assign weight_in = ProductWidth'($signed(weight_q2[i*WeightWidth+:WeightWidth]));
      assign delta_in  = ProductWidth'($signed(delta_q[2]));
      always_ff @(posedge clk_i) begin
        if (enable_i[3]) product_q3 <= weight_in * delta_in;
        if (enable_i[4]) product_q4[i] <= product_q3;
      end
    end
  end else begin : g_unit
    logic [DeltaWidth-1:0] product_q3;
    always_ff @(posedge clk_i) begin
      if (enable_i[3]) product_q3 <= delta_q[2];
      if (enable_i[4]) product_q4 <= {Products{product_q3}};
    end
  end

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    for (genvar f = 0; f < Fields; f++) begin : g_field
      logic hit, here;
      assign hit = !Channelwise || lane_q[4] == LaneBits'(lane);
      assign here = Window == 0 || line_q[4] == WeightBits'(f);
      assign addend_o[(lane*Fields+f)*AccWidth+:AccWidth] =
          hit && here ? AccWidth'($signed(product_q4[Channelwise?0 : lane])) : '0;
    end
  end
endmodule
