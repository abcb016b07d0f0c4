// SPDX-License-Identifier: Apache-2.0
// delta_conv, one column wide: every event is added to the rows that it reaches, and the words that were touched leave
// once no later event of the frame can reach them, row by row, then the end of the frame; in the first frame of a
// stream all words leave. Weights and the bias are anything.
module prove_conv #(
    parameter int unsigned Rows = 2,
    parameter int unsigned AccWidth = 3,
    parameter int unsigned Lists = 4,
    parameter int unsigned Patience = 16,
    parameter int unsigned Wait = 24,
    parameter bit Steady = 1'b0,  // nothing stalls, no later reset
    localparam int unsigned RowBits = $clog2(Rows + 1),
    localparam int unsigned WordBits = Rows > 1 ? $clog2(Rows) : 1,
    localparam int unsigned WeightBits = 1,
    localparam int unsigned Enter = Rows + 1,
    localparam int unsigned EnterWidth = $clog2(Enter + 1)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic first_i,
    input logic has_event_i,
    input logic end_i,
    input logic [RowBits-1:0] first_row_i,
    input logic [RowBits-1:0] rows_i,
    input logic [WeightBits-1:0] line_i,
    input logic [1:0] delta_i,
    input logic ready_i,
    input logic mark_i,
    input logic [EnterWidth-1:0] pick_i  // which of the tokens that become due is the marked one
);
  typedef struct packed {
    logic first_of_stream;
    logic has_word;
    logic end_of_frame;
    logic [WordBits-1:0] word;
    logic [AccWidth-1:0] sum;
  } word_t;
  localparam int unsigned InBits = 3 + 2 * RowBits + 3 + WeightBits + 1 + 2;
  logic ready, valid, take;
  logic [3:0] probe;
  logic [InBits-1:0] token_in;
  word_t token, masked, expected;
  // first row, rows, first column 0, 1 column, group 0, line, lane 0
  assign token_in = {
    first_i, has_event_i, end_i, first_row_i, rows_i, 1'b0, 1'b1, 1'b0, line_i, 1'b0, delta_i
  };

  assume_reset i_reset (.*);
  assume_stream #(
      .Width(InBits)
  ) i_source (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_i(ready),
      .data_i (token_in)
  );
  delta_conv #(
      .Rows       (Rows),
      .WeightLines(2),
      .DeltaWidth (2),
      .WeightWidth(2),
      .AccWidth   (AccWidth),
      .Lists      (Lists),
      .RowBits    (RowBits),
      .WeightBits (WeightBits),
      .WeightFile ("weights.hex"),
      .BiasFile   ("biases.hex")
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .token_i(token_in),
      .floor_i('0),
      .valid_o(valid),
      .ready_i,
      .token_o(token),
      .probe_o(probe)
  );
  assign take   = valid_i && ready;
  assign masked = token.has_word ? token : '{
      first_of_stream: token.first_of_stream, end_of_frame: token.end_of_frame, default: '0
  };

  // The model: sums, which of them were touched, and the rows of this frame that have become due.
  logic [Rows-1:0][AccWidth-1:0] sums_q, sums;
  logic [Rows-1:0] touched_q, touched, reached, due, over_q, over;
  logic first_frame_q, first_frame, started_q;
  logic [RowBits-1:0] row_q;  // first row of the last event of this frame
  logic [AccWidth-1:0] bias;
  logic [1:0][1:0] weights;
  assign bias = dut.i_banks.g_bias.biases[0];
  for (genvar w = 0; w < 2; w++) begin : g_weight
    assign weights[w] = dut.g_product[0].i_product.g_weights.weights[w];
  end
  assign first_frame = first_i || first_frame_q;
  for (genvar r = 0; r < Rows; r++) begin : g_row
    logic [AccWidth-1:0] product;
    logic [WeightBits-1:0] line;
    assign reached[r] = has_event_i && RowBits'(r) >= first_row_i && 32'(r) < 32'(first_row_i) + 32'(rows_i);
    assign line = line_i - WeightBits'(RowBits'(r) - first_row_i);
    assign product = AccWidth'($signed(AccWidth'($signed(weights[line]))) * $signed(AccWidth'($signed(delta_i))));
    assign sums[r] = (first_i ? bias : sums_q[r]) + (reached[r] ? product : '0);
    assign touched[r] = (touched_q[r] && !first_i) || reached[r];
    assign over[r] = over_q[r] || end_i || (has_event_i && RowBits'(r) < first_row_i);
    assign due[r] = take && over[r] && !over_q[r] && (first_frame || touched[r]);
  end

  logic [EnterWidth-1:0] enter;
  always_comb begin
    enter = '0;
    expected = '{first_of_stream: first_frame, end_of_frame: 1'b1, default: '0};
    for (int unsigned r = 0; r < Rows; r++) begin
      if (due[r]) begin
        if (enter == pick_i) begin
          expected = '{
              first_of_stream: first_frame, has_word: 1'b1, end_of_frame: 1'b0, word: WordBits'(r), sum: sums[r]
          };
        end
        enter += 1'b1;
      end
    end
    if (take && end_i) enter += 1'b1;
  end
  check_stream #(
      .Width   ($bits(word_t)),
      .Most    (3 * (Rows + 1)),
      .Enter   (Enter),
      .Patience(Patience),
      .Full    (1'b0)
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

  logic fresh_q;  // the next token begins a frame
  logic [31:0] waits_q;  // cycles in which the token that is offered was not taken, although nothing stalls
  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    m_place : assume (!has_event_i || (rows_i != 0 && 32'(first_row_i) + 32'(rows_i) <= Rows &&
                      32'(rows_i) <= 32'(line_i) + 1));
    m_rows : assume (!valid_i || !has_event_i || first_row_i >= row_q);
    m_starts : assume (!valid_i || started_q || first_i);
    m_steady : assume (!Steady || (ready_i && (rst_ni || !past_q)));
    m_first : assume (!valid_i || !first_i || fresh_q);
    if (!rst_ni) begin
      {touched_q, over_q, started_q, first_frame_q} <= '0;
      row_q   <= '0;
      waits_q <= '0;
      fresh_q <= 1'b1;
    end else begin
      if (take) begin
        sums_q <= sums;
        started_q <= 1'b1;
        fresh_q <= end_i;
        first_frame_q <= first_frame && !end_i;
        touched_q <= end_i ? '0 : touched;
        over_q <= end_i ? '0 : over;
        row_q <= end_i ? '0 : has_event_i ? first_row_i : row_q;
      end
      waits_q <= !valid_i || take || (valid && !ready_i) ? '0 : waits_q + 1;
      a_taken : assert (waits_q < Wait);
      c_second : cover (i_stream.marked_o && valid && ready_i && i_stream.ahead_o == '0 && token.has_word &&
                        !token.first_of_stream && token.sum != bias);
    end
  end
endmodule
