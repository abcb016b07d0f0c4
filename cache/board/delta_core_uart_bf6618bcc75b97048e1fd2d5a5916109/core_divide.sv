// SPDX-License-Identifier: Apache-2.0
// Function:   quotient_o = floor(index_i / divisor_i), remainder_o = index_i % divisor_i, with recip_i = ceil(2^shift_i
//             / divisor_i) and shift_i = IndexBits + ceil(log2(divisor_i)): quotient = index * recip >> shift (Granlund
//             and Montgomery, Division by Invariant Integers using Multiplication, 1994). payload_o = payload_i
// Latency:    9 cycles
// Throughput: 1 a cycle
// Timing:     combinational ready_i -> ready_o, which enables every stage; 1 multiplier of 18x18 a product, with
//             registers on both sides, the rest in logic
// Reset:      empty
// Model:      rtl_tests.bench_core_divide.divided
// A stage moves with the output, also where there is nothing in it: bubbles stay. Other values of recip_i or shift_i
// give other numbers, never a stall.
module core_divide
  import core_pkg::*;
#(
    parameter int unsigned Width = 1  // of the payload: 9 registers a bit
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 valid_i,
    output logic                 ready_o,
    input  logic [IndexBits-1:0] index_i,
    input  logic [  IndexBits:0] recip_i,
    input  logic [          5:0] shift_i,
    input  logic [IndexBits-1:0] divisor_i,
    input  logic [    Width-1:0] payload_i,
    output logic                 valid_o,
    input  logic                 ready_i,
    output logic [IndexBits-1:0] quotient_o,
    output logic [IndexBits-1:0] remainder_o,
    output logic [    Width-1:0] payload_o
);
  if (Width < 1 || IndexBits < 2 || IndexBits > 31) begin : g_bad
    $error("core_divide: Width must be at least 1, IndexBits 2 to 31");
  end

  localparam int unsigned Low = IndexBits > 18 ? 18 : IndexBits - 1;  // what a multiplier takes
  localparam int unsigned High = IndexBits - Low;
  localparam int unsigned Full = 2 * IndexBits + 1;
  localparam int unsigned AmountBits = $clog2(IndexBits + 1);
  localparam int unsigned Stages = 9;

  // A few rows, in logic: a multiplication of so few bits would take a whole multiplier.
  function automatic logic [Full-1:0] rows(input logic [High:0] few, input logic [IndexBits-1:0] many);
    rows = '0;
    for (int i = 0; i <= High; i++) rows += few[i] ? Full'(many) << i : '0;
  endfunction

  logic enable;
  logic [Stages:1] valid_q;
  logic [Stages:1][Width-1:0] payload_q;
  logic [Stages-1:1][IndexBits-1:0] index_q;
  logic [5:1][IndexBits-1:0] divisor_q;
  logic [4:1][AmountBits-1:0] amount_q;

  assign enable = ready_i || !valid_o;
  assign ready_o = enable;
  assign valid_o = valid_q[Stages];
  assign payload_o = payload_q[Stages];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable) valid_q <= {valid_q[Stages-1:1], valid_i};
  end
  always_ff @(posedge clk_i) begin
    if (enable) begin
      payload_q <= {payload_q[Stages-1:1], payload_i};
      index_q <= {index_q[Stages-2:1], index_i};
      divisor_q <= {divisor_q[4:1], divisor_i};
      amount_q <= {amount_q[3:1], AmountBits'(shift_i - 6'(IndexBits))};
    end
  end

  // Stage 1: the operands. 2 and 3: partial products. 4: product. 5: quotient.
  logic [IndexBits:0] recip_q;
  logic [2*Low-1:0] low_q2, low_q3;
  logic [Full-1:0] index_rows_q2, recip_rows_q2, rows_q3;
  logic [Full-1:IndexBits] product_q4;  // bits below are shifted out
  logic [IndexBits-1:0] quotient_q5, quotient_q6, quotient_q7, quotient_q8;
  // verilator lint_off UNUSEDSIGNAL
  logic [Full-1:0] product;  // the low half is not looked at
  // verilator lint_on UNUSEDSIGNAL
  assign product = Full'(low_q3) + (rows_q3 << Low);
  always_ff @(posedge clk_i) begin
    if (enable) begin
      recip_q <= recip_i;
      low_q2 <= (2 * Low)'(index_q[1][Low-1:0]) * (2 * Low)'(recip_q[Low-1:0]);
      index_rows_q2 <= rows((High + 1)'(index_q[1][IndexBits-1:Low]), IndexBits'(recip_q[Low-1:0]));
      recip_rows_q2 <= rows(recip_q[IndexBits:Low], index_q[1]);
      low_q3 <= low_q2;
      rows_q3 <= index_rows_q2 + recip_rows_q2;
      product_q4 <= product[Full-1:IndexBits];
      quotient_q5 <= IndexBits'(product_q4 >> amount_q[4]);
    end
  end

  // Stage 6 and 7: partial products of quotient * divisor, modulo 2^IndexBits. 8: their sum. 9: remainder.
  logic [IndexBits-1:0] back_low_q6, back_low_q7, back_q8;
  logic [High-1:0] back_high_q6, back_high_q7;
  always_ff @(posedge clk_i) begin
    if (enable) begin
      back_low_q6 <= IndexBits'((2 * Low)'(quotient_q5[Low-1:0]) * (2 * Low)'(divisor_q[5][Low-1:0]));
      back_high_q6 <= High'(rows((High + 1)'(quotient_q5[IndexBits-1:Low]), divisor_q[5]))
          + High'(rows((High + 1)'(divisor_q[5][IndexBits-1:Low]), IndexBits'(quotient_q5[Low-1:0])));
      quotient_q6 <= quotient_q5;
      {back_low_q7, back_high_q7, quotient_q7} <= {back_low_q6, back_high_q6, quotient_q6};
      back_q8 <= back_low_q7 + {back_high_q7, Low'(0)};
      quotient_q8 <= quotient_q7;
      remainder_o <= index_q[8] - back_q8;
      quotient_o <= quotient_q8;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=>
      $stable({quotient_o, remainder_o, payload_o}));
`endif
endmodule
