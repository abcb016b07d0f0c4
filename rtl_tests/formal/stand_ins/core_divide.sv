// SPDX-License-Identifier: Apache-2.0
// Stands in for core_divide, which is proved by itself: what it takes is kept for as many stages as it has, and the
// quotient and the remainder are those of `/` and `%`. The harness around it looks at what it takes.
module core_divide
  import core_pkg::*;
#(
    parameter int unsigned Width = 1
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
  localparam int unsigned Stages = 9;  // fewer where faults are looked for
  typedef struct packed {
    logic [IndexBits-1:0] index;
    logic [IndexBits:0] recip;
    logic [5:0] shift;
    logic [IndexBits-1:0] divisor;
    logic [Width-1:0] payload;
  } taken_t;
  taken_t [Stages:1] taken_q;
  logic [Stages:1] valid_q;
  assign ready_o = ready_i || !valid_o;
  assign valid_o = valid_q[Stages];
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (ready_o) valid_q <= Stages'({valid_q, valid_i});
    if (ready_o) taken_q <= ($bits(taken_q))'({taken_q, index_i, recip_i, shift_i, divisor_i, payload_i});
  end
  assign quotient_o  = taken_q[Stages].index / taken_q[Stages].divisor;
  assign remainder_o = taken_q[Stages].index % taken_q[Stages].divisor;
  assign payload_o   = taken_q[Stages].payload;
endmodule
