// SPDX-License-Identifier: Apache-2.0
// core_divide is the division, for every index and divisor of its width: what enters is what `/` and `%` say.
module prove_core_divide
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic [IndexBits-1:0] index_i,
    input logic [IndexBits:0] recip_i,
    input logic [5:0] shift_i,
    input logic [IndexBits-1:0] divisor_i,
    input logic [1:0] payload_i,
    input logic ready_i,
    input logic mark_i
);
  localparam int unsigned Stages = 9;
  localparam int unsigned Low = IndexBits > 18 ? 18 : IndexBits - 1;
  localparam int unsigned Full = 2 * IndexBits + 1;
  typedef struct packed {
    logic [1:0] payload;
    logic [IndexBits-1:0] quotient;
    logic [IndexBits-1:0] remainder;
  } token_t;
  logic ready, valid, take, marked;
  logic [3:0] count, ahead;
  token_t token, enters, value;

  assume_reset i_reset (.*);
  core_divide #(
      .Width(2)
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o    (ready),
      .index_i,
      .recip_i,
      .shift_i,
      .divisor_i,
      .payload_i,
      .valid_o    (valid),
      .ready_i,
      .quotient_o (token.quotient),
      .remainder_o(token.remainder),
      .payload_o  (token.payload)
  );
  assign take   = valid_i && ready;
  assign enters = '{payload: payload_i, quotient: index_i / divisor_i, remainder: index_i % divisor_i};
  check_stream #(
      .Width   ($bits(token_t)),
      .Most    (Stages),
      .Patience(Stages - 1)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (take),
      .before_i    ('0),
      .enter_data_i(enters),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (token),
      .inside_o    (count),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // The operands of the marked token, and where it is: ahead of it are the valid stages after it.
  logic [IndexBits-1:0] index_q, divisor_q;
  logic [IndexBits:0] recip_q;
  logic [5:0] shift_q, amount;
  logic [Full-1:0] product;
  logic [Stages:1] here;
  logic [31:0] after[Stages+1];
  logic [31:0] least;  // stages that the oldest token has passed
  logic [IndexBits-1:0] back;
  assign amount = shift_q - 6'(IndexBits);
  assign product = Full'(index_q) * Full'(recip_q);
  assign back = value.quotient * divisor_q;
  always_comb begin
    after[Stages] = '0;
    least = '0;
    for (int unsigned s = Stages; s > 0; s--) begin
      here[s] = marked && dut.valid_q[s] && after[s] == 32'(ahead);
      after[s-1] = after[s] + 32'(dut.valid_q[s]);
      if (after[s] == 0 && dut.valid_q[s]) least = s;
    end
  end
  function automatic logic reciprocal(input logic [IndexBits-1:0] divisor, input logic [IndexBits:0] recip,
                                      input logic [5:0] shift);
    logic [Full:0] one, multiple;
    one = (Full + 1)'(1) << shift;
    multiple = (Full + 1)'(recip) * (Full + 1)'(divisor);
    reciprocal = divisor != 0 && multiple >= one && multiple < one + (Full + 1)'(divisor) && 32'(shift) >= IndexBits;
    for (int unsigned i = 0; i <= IndexBits; i++) begin
      if (32'(shift) == IndexBits + i) reciprocal &= 32'(divisor) <= 2 ** i && (i == 0 || 32'(divisor) > 2 ** (i - 1));
    end
    if (32'(shift) > 2 * IndexBits) reciprocal = 1'b0;
  endfunction

  always_ff @(posedge clk_i) begin
    m_reciprocal : assume (reciprocal(divisor_i, recip_i, shift_i));
    if (rst_ni) begin
      if (take && mark_i && !marked) {index_q, divisor_q, recip_q, shift_q} <= {index_i, divisor_i, recip_i, shift_i};
      a_room : assert (ready == (ready_i || !valid));
      i_count : assert (32'(count) == after[0]);
      i_found : assert (!marked || here != '0);
      i_late : assert (valid || count == 0 || 32'(i_stream.late_q) < least);
      i_operands : assert (!marked || (reciprocal(divisor_q, recip_q, shift_q) &&
                           value.quotient == index_q / divisor_q && value.remainder == index_q % divisor_q));
      i_1 : assert (!here[1] || dut.recip_q == recip_q);
      i_2 : assert (!here[2] || (Full'(dut.low_q2) + ((dut.index_rows_q2 + dut.recip_rows_q2) << Low) == product));
      i_3 : assert (!here[3] || Full'(dut.low_q3) + (dut.rows_q3 << Low) == product);
      i_4 : assert (!here[4] || dut.product_q4 == (Full - IndexBits)'(product >> IndexBits));
      i_5 : assert (!here[5] || dut.quotient_q5 == value.quotient);
      i_6 : assert (!here[6] || (dut.quotient_q6 == value.quotient &&
                    dut.back_low_q6 + {dut.back_high_q6, Low'(0)} == back));
      i_7 : assert (!here[7] || (dut.quotient_q7 == value.quotient &&
                    dut.back_low_q7 + {dut.back_high_q7, Low'(0)} == back));
      i_8 : assert (!here[8] || (dut.quotient_q8 == value.quotient && dut.back_q8 == back));
      i_9 : assert (!here[9] || token == value);
      c_marked : cover (here[9] && token.quotient > 1 && token.remainder != 0 && ready_i);
    end
  end
  for (genvar s = 1; s <= Stages; s++) begin : g_stage
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        i_payload : assert (!here[s] || dut.payload_q[s] == value.payload);
        if (s < Stages) i_index : assert (!here[s] || dut.index_q[s] == index_q);
        if (s < 6) i_divisor : assert (!here[s] || dut.divisor_q[s] == divisor_q);
        if (s < 5) i_amount : assert (!here[s] || 6'(dut.amount_q[s]) == amount);
      end
    end
  end
endmodule
