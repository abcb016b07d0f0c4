// SPDX-License-Identifier: Apache-2.0
// Stands in for core_quantise, which is proved by itself: what it takes is kept for as many stages as it has, and what
// it gives follows from that alone. prove_core_send looks at both.
module core_quantise
  import core_pkg::*;
(
    input  logic                        clk_i,
    input  logic                        enable_i,
    input  logic                        skip_i,
    input  logic                        relu_i,
    input  logic        [          5:0] shift_i,
    input  logic signed [ CodeBits-1:0] lo_i,
    input  logic signed [ CodeBits-1:0] hi_i,
    input  logic signed [    SumBits:0] low_i,
    input  logic signed [    SumBits:0] high_i,
    input  logic signed [  SumBits-1:0] z_i,
    input  logic signed [ CodeBits-1:0] code_i,
    input  param_t                      param_i,
    output logic signed [ CodeBits-1:0] code_o,
    output logic signed [DeltaBits-1:0] delta_o,
    output logic                        changed_o
);
  localparam int unsigned Latency = 6;
  typedef struct packed {
    logic skip;
    logic relu;
    logic [5:0] shift;
    logic [CodeBits-1:0] lo;
    logic [CodeBits-1:0] hi;
    logic [SumBits:0] low;
    logic [SumBits:0] high;
    logic [SumBits-1:0] z;
    logic [CodeBits-1:0] code;
    param_t param;
  } taken_t;
  taken_t [Latency:1] taken_q;
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      taken_q <= {
        taken_q[Latency-1:1], skip_i, relu_i, shift_i, lo_i, hi_i, low_i, high_i, z_i, code_i, param_i
      };
    end
  end
  assign code_o = taken_q[Latency].code ^ taken_q[Latency].z[CodeBits-1:0];
  assign delta_o = DeltaBits'(taken_q[Latency].z) ^ DeltaBits'(taken_q[Latency].code);
  assign changed_o = taken_q[Latency].z[0] ^ taken_q[Latency].param.valid;
endmodule
