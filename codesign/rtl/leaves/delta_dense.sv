// SPDX-License-Identifier: Apache-2.0
// Function:   event tokens {first_of_stream, has_event, end_of_frame, address, delta} -> a[j] += W[address, j] * delta
//             for all outputs j -> word tokens {first_of_stream, has_word, end_of_frame, address, accumulators}; a =
//             bias at the start of a stream. A frame without events sends only end_of_frame.
// Latency:    7 cycles from the issue of a word to its token
// Throughput: Words cycles per event without gaps; emission is free, see below
// Timing:     combinational ready_i -> ready_o (the pipeline freezes as a whole); multiplier between registers
// Reset:      as after first_of_stream; costs no cycles (the first walk reads the bias instead of the state)
// Model:      codesign.graph.golden.scatter
// Emission: the first walk of the next frame reads every word before it adds, which is the value to send. If no event
// waits, a walk of its own sends the words at once. Nothing rounds or saturates: AccWidth holds every partial sum.
module delta_dense #(
    parameter int unsigned Inputs = 1,
    parameter int unsigned Words = 1,
    parameter int unsigned Lanes = 1,  // multipliers; outputs in a word
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned WeightWidth = 8,
    parameter int unsigned AccWidth = 24,
    parameter WeightFile = "",  // line address * Words + word: Lanes weights, lane 0 in the low bits
    parameter BiasFile = "",  // line word: Lanes biases
    localparam int unsigned AddressWidth = Inputs > 1 ? $clog2(Inputs) : 1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                                 clk_i,
    input  logic                                 rst_ni,
    input  logic                                 valid_i,
    output logic                                 ready_o,
    input  logic [3+AddressWidth+DeltaWidth-1:0] token_i,
    output logic                                 valid_o,
    input  logic                                 ready_i,
    output logic [3+WordWidth+Lanes*AccWidth-1:0] token_o,
    output logic [                          3:0] probe_o  // {frame_done, stalled, busy, event}
);
  if (Inputs < 1 || Words < 1 || Lanes < 1 || AccWidth < 2) begin : g_bad
    $error("delta_dense: Inputs, Words and Lanes must be at least 1, AccWidth at least 2");
  end

  localparam int unsigned Rows = Inputs * Words;
  localparam int unsigned RowWidth = Rows > 1 ? $clog2(Rows) : 1;

  // Issue: one word of a walk, or one token without event, a cycle.
  logic first_of_stream, has_event, end_of_frame;
  logic [AddressWidth-1:0] address;
  logic [DeltaWidth-1:0] delta;
  logic [WordWidth-1:0] word_q;
  logic drain_q;  // inside an emission-only walk
  logic stale_q;  // the state memory is not valid: start from the bias
  logic first_q;  // the next emission is the first of its stream
  logic dirty_q;  // an event or first_of_stream since the last end_of_frame
  logic pending_q;  // a finished frame is not sent yet
  logic enable, drain, walk, last, bare, pop, emit, pass, load;

  assign {first_of_stream, has_event, end_of_frame, address, delta} = token_i;
  assign enable = ready_i || !valid_o;
  assign last = word_q == WordWidth'(Words - 1);
  assign drain = word_q == 0 ? pending_q && !(valid_i && has_event && !first_of_stream) : drain_q;
  assign walk = drain || (valid_i && has_event);
  assign bare = valid_i && !has_event && !drain;
  assign pop = bare || (walk && last && !drain);
  assign emit = walk && pending_q;
  assign pass = bare && end_of_frame && !dirty_q && !first_of_stream;  // untouched frame
  assign load = stale_q || (first_of_stream && !drain);
  assign ready_o = enable && pop;
  assign probe_o[0] = enable && pop && has_event;
  assign probe_o[1] = enable && walk;
  assign probe_o[2] = !enable && (walk || bare);
  assign probe_o[3] = enable && pop && end_of_frame;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      word_q <= '0;
      drain_q <= 1'b0;
      stale_q <= 1'b1;
      first_q <= 1'b1;
      dirty_q <= 1'b1;
      pending_q <= 1'b0;
    end else if (enable) begin
      if (walk) begin
        word_q  <= last ? '0 : word_q + 1'b1;
        drain_q <= drain;
      end
      if (walk && last) begin
        stale_q   <= 1'b0;
        pending_q <= pop && end_of_frame;
        if (emit) first_q <= 1'b0;
      end
      if (bare) pending_q <= end_of_frame && !pass;
      if (bare && first_of_stream) stale_q <= 1'b1;
      if (pop && first_of_stream) first_q <= 1'b1;
      if (pop) dirty_q <= !end_of_frame && (dirty_q || has_event || first_of_stream);
    end
  end

  // Stage 1: the event's address. Stage 2: row of the weight memory. Stages 3 to 6: products. Then they are added.
  logic [6:1] send_q, has_word_q, end_q, first_word_q;
  logic [5:1] walk_q;
  logic [4:1] load_q;
  logic [6:1][WordWidth-1:0] index_q;
  logic [2:1][DeltaWidth-1:0] delta_q;
  logic [AddressWidth-1:0] address_q;
  logic [RowWidth-1:0] row_q2;
  logic [Lanes*AccWidth-1:0] biases[Words];
  logic [Lanes*AccWidth-1:0] bias_q5, addend, operand, sum;

  initial $readmemh(BiasFile, biases);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {valid_o, send_q} <= '0;
      walk_q <= '0;
    end else if (enable) begin
      {valid_o, send_q} <= {send_q, emit || pass};
      walk_q <= {walk_q[4:1], walk};
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable) begin
      has_word_q <= {has_word_q[5:1], emit};
      end_q <= {end_q[5:1], pass || last};
      first_word_q <= {first_word_q[5:1], first_q};
      load_q <= {load_q[3:1], load};
      index_q <= {index_q[5:1], word_q};
      delta_q <= {delta_q[1], drain ? DeltaWidth'(0) : delta};
      address_q <= address;
      row_q2 <= RowWidth'(address_q * Words) + RowWidth'(index_q[1]);
      bias_q5 <= biases[index_q[4]];
      token_o <= {first_word_q[6], has_word_q[6], end_q[6], index_q[6], operand};
    end
  end

  delta_product #(
      .Lanes      (Lanes),
      .DeltaWidth (DeltaWidth),
      .WeightWidth(WeightWidth),
      .AccWidth   (AccWidth),
      .WeightLines(Rows),
      .WeightBits (RowWidth),
      .WeightFile (WeightFile)
  ) i_product (
      .clk_i,
      .enable_i(enable ? walk_q[5:2] : '0),
      .line_i  (row_q2),
      .lane_i  ('0),
      .delta_i (delta_q[2]),
      .addend_o(addend)
  );
  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    assign sum[lane*AccWidth+:AccWidth] = operand[lane*AccWidth+:AccWidth] + addend[lane*AccWidth+:AccWidth];
  end

  delta_state #(
      .Words   (Words),
      .Width   (Lanes * AccWidth),
      .Distance(Words)
  ) i_state (
      .clk_i,
      .rst_ni,
      .enable_i (enable),
      .valid_i  (walk_q[4]),
      .load_i   (load_q[4]),
      .word_i   (index_q[4]),
      .initial_i(bias_q5),
      .operand_o(operand),
      .result_i (sum)
  );

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
