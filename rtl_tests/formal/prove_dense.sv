// SPDX-License-Identifier: Apache-2.0
// delta_dense is a = bias + W * (sum of the deltas), sent at the end of every frame that was touched. Weights and
// biases are anything.
module prove_dense #(
    parameter int unsigned Inputs = 2,
    parameter int unsigned Words = 2,
    parameter int unsigned Lanes = 1,
    parameter int unsigned AccWidth = 5,
    localparam int unsigned AddressWidth = Inputs > 1 ? $clog2(Inputs) : 1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned EnterWidth = $clog2(Words + 1)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic first_i,
    input logic has_event_i,
    input logic end_i,
    input logic [AddressWidth-1:0] address_i,
    input logic [1:0] delta_i,
    input logic ready_i,
    input logic mark_i,
    input logic [EnterWidth-1:0] pick_i  // which word of the frame is the marked one
);
  typedef struct packed {
    logic first_of_stream;
    logic has_word;
    logic end_of_frame;
    logic [WordWidth-1:0] word;
    logic [Lanes-1:0][AccWidth-1:0] sums;
  } word_t;
  logic ready, valid, take, dirty, dirty_q, first, first_q;
  logic [3:0] probe;
  logic [EnterWidth-1:0] enter;
  logic [Words-1:0][Lanes-1:0][AccWidth-1:0] sums_q, sums;
  word_t token, masked, expected;

  assume_reset i_reset (.*);
  assume_stream #(
      .Width(3 + AddressWidth + 2)
  ) i_source (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_i(ready),
      .data_i ({first_i, has_event_i, end_i, address_i, delta_i})
  );
  delta_dense #(
      .Inputs     (Inputs),
      .Words      (Words),
      .Lanes      (Lanes),
      .DeltaWidth (2),
      .WeightWidth(2),
      .AccWidth   (AccWidth),
      .WeightFile ("weights.hex"),
      .BiasFile   ("biases.hex")
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .token_i({first_i, has_event_i, end_i, address_i, delta_i}),
      .valid_o(valid),
      .ready_i,
      .token_o(token),
      .probe_o(probe)
  );

  assign take  = valid_i && ready;
  assign first = first_q || first_i;
  assign dirty = dirty_q || first_i || has_event_i;
  assign enter = !take || !end_i ? '0 : dirty ? EnterWidth'(Words) : EnterWidth'(1);
  for (genvar w = 0; w < Words; w++) begin : g_word
    logic [Lanes-1:0][1:0] weights;
    logic [Lanes-1:0][AccWidth-1:0] bias;
    assign weights = dut.i_product.g_weights.weights[32'(address_i)*Words+w];
    assign bias = dut.biases[w];
    for (genvar i = 0; i < Lanes; i++) begin : g_lane
      logic [AccWidth-1:0] product;
      assign product = AccWidth'($signed(AccWidth'($signed(weights[i]))) * $signed(AccWidth'($signed(delta_i))));
      assign sums[w][i] = (first_i ? bias[i] : sums_q[w][i]) + (has_event_i ? product : '0);
    end
    always_ff @(posedge clk_i) begin
      if (!rst_ni) sums_q[w] <= bias;
      else if (take) sums_q[w] <= sums[w];
    end
  end
  assign expected = !dirty ? '{first_of_stream: first, end_of_frame: 1'b1, default: '0} : '{
      first_of_stream: first, has_word: 1'b1, end_of_frame: 32'(pick_i) == Words - 1, word: WordWidth'(pick_i),
      sums: sums[WordWidth'(pick_i)]
  };
  assign masked = token.has_word ? token : '{
      first_of_stream: token.first_of_stream, end_of_frame: token.end_of_frame, default: '0
  };

  check_stream #(
      .Width   ($bits(word_t)),
      .Most    (Words + 7),
      .Enter   (Words),
      .Patience(8)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (enter),
      .before_i    (pick_i),
      .enter_data_i(expected),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (masked),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (),
      .value_o     ()
  );

  logic [31:0] waits_q;  // cycles in which the token that is offered was not taken, although nothing stalls
  always_ff @(posedge clk_i) begin
    m_address : assume (!has_event_i || 32'(address_i) < Inputs);
    if (!rst_ni) begin
      dirty_q <= 1'b1;
      first_q <= 1'b1;
      waits_q <= '0;
    end else begin
      if (take) begin
        dirty_q <= dirty && !end_i;
        first_q <= first && !(end_i && dirty);
      end
      if (!valid_i || take) waits_q <= '0;
      else if (ready_i || !valid) waits_q <= waits_q + 1;
      a_taken : assert (waits_q < 2 * Words);
      c_second : cover (i_stream.marked_o && valid && ready_i && i_stream.ahead_o == '0 && token.has_word &&
                        !token.first_of_stream && token.sums != '0);
    end
  end
endmodule
