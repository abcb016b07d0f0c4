// SPDX-License-Identifier: Apache-2.0
// delta_product: the addend of a word, for any weights. It has no feedback: what it gives follows from the last event
// that each of its four stages took, so a few cycles are all.
module prove_product #(
    parameter int unsigned Lanes = 2,
    parameter bit Channelwise = 1'b0,
    parameter int unsigned Window = 0,
    parameter int unsigned DeltaWidth = 4,
    parameter int unsigned WeightWidth = 4,
    parameter int unsigned AccWidth = 7,
    localparam int unsigned WeightBits = 2,
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned Fields = Window > 0 ? Window : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [4:1] enable_i,
    input logic [WeightBits-1:0] line_i,
    input logic [LaneBits-1:0] lane_i,
    input logic [DeltaWidth-1:0] delta_i
);
  localparam bit Weighted = Window == 0;  // a window keeps codes: every weight is 1
  logic [Lanes-1:0][Fields-1:0][AccWidth-1:0] addend, expected;
  delta_product #(
      .Lanes      (Lanes),
      .Channelwise(Channelwise),
      .Window     (Window),
      .DeltaWidth (DeltaWidth),
      .WeightWidth(WeightWidth),
      .AccWidth   (AccWidth),
      .WeightLines(4),
      .WeightBits (WeightBits),
      .WeightFile (Weighted ? "weights.hex" : "")
  ) dut (
      .clk_i,
      .enable_i,
      .line_i,
      .lane_i,
      .delta_i,
      .addend_o(addend)
  );

  typedef struct packed {
    logic full;
    logic [WeightBits-1:0] line;
    logic [LaneBits-1:0] lane;
    logic [DeltaWidth-1:0] delta;
  } event_t;
  event_t [4:1] event_q;  // what each stage took
  assume_reset i_reset (.*);
  always_ff @(posedge clk_i) begin
    if (!rst_ni) event_q <= '0;
    else begin
      if (enable_i[1]) event_q[1] <= '{full: 1'b1, line: line_i, lane: lane_i, delta: delta_i};
      for (int unsigned s = 2; s < 5; s++) if (enable_i[s]) event_q[s] <= event_q[s-1];
    end
  end

  logic [Lanes-1:0][WeightWidth-1:0] weights;
  if (Weighted) begin : g_weighted
    assign weights = dut.g_weights.weights[event_q[4].line];
  end else begin : g_ones
    assign weights = {Lanes{WeightWidth'(1)}};
  end
  for (genvar i = 0; i < Lanes; i++) begin : g_lane
    logic signed [31:0] product;
    assign product = 32'($signed(weights[i])) * 32'($signed(event_q[4].delta));
    for (genvar f = 0; f < Fields; f++) begin : g_field
      assign expected[i][f] = (!Channelwise || 32'(event_q[4].lane) == i) &&
                              (Window == 0 || 32'(event_q[4].line) == f) ? AccWidth'(product) : '0;
    end
  end
  always_ff @(posedge clk_i) begin
    m_lane : assume (32'(lane_i) < Lanes);
    if (rst_ni && event_q[4].full) begin
      a_addend : assert (addend == expected);
      c_addend : cover (addend != '0 && enable_i == '0);
    end
  end
endmodule
