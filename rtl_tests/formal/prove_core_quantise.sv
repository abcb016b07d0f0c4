// SPDX-License-Identifier: Apache-2.0
// core_quantise is its formula, with divisions. It has no feedback: what it gives follows from the last six values that
// it took, so a few cycles are all.
module prove_core_quantise
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic enable_i,
    input logic skip_i,
    input logic relu_i,
    input logic [5:0] shift_i,
    input logic signed [CodeBits-1:0] lo_i,
    input logic signed [CodeBits-1:0] hi_i,
    input logic signed [SumBits:0] low_i,
    input logic signed [SumBits:0] high_i,
    input logic signed [SumBits-1:0] z_i,
    input logic signed [CodeBits-1:0] code_i,
    input param_t param_i
);
  localparam int unsigned Latency = 6;
  localparam int unsigned Wide = 2 * SumBits + 8;
  typedef logic signed [Wide-1:0] value_t;
  typedef struct packed {
    logic skip;
    logic relu;
    logic [5:0] shift;
    logic [CodeBits-1:0] lo;
    logic [CodeBits-1:0] hi;
    logic [SumBits:0] low;
    logic [SumBits:0] high;
  } shared_t;
  logic signed [CodeBits-1:0] code;
  logic signed [DeltaBits-1:0] delta;
  logic changed;
  assume_reset i_reset (.*);
  core_quantise dut (
      .clk_i,
      .enable_i,
      .skip_i,
      .relu_i,
      .shift_i,
      .lo_i,
      .hi_i,
      .low_i,
      .high_i,
      .z_i,
      .code_i,
      .param_i,
      .code_o   (code),
      .delta_o  (delta),
      .changed_o(changed)
  );

  // What was taken, one a stage.
  logic [Latency:1] full_q;
  logic [Latency:1][SumBits-1:0] z_q;
  logic [Latency:1][CodeBits-1:0] code_q;
  logic [Latency:1][SumBits-1:0] threshold_q;
  logic [Latency:1][4:0] step_q;
  logic [Latency:1] valid_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) full_q <= '0;
    else if (enable_i) begin
      full_q <= {full_q[Latency-1:1], 1'b1};
      z_q <= {z_q[Latency-1:1], z_i};
      code_q <= {code_q[Latency-1:1], code_i};
      threshold_q <= {threshold_q[Latency-1:1], param_i.threshold};
      step_q <= {step_q[Latency-1:1], param_i.step};
      valid_q <= {valid_q[Latency-1:1], param_i.valid};
    end
  end

  // A step of more than SumBits + 1 places: everything is less than half of it.
  logic moved;
  logic [31:0] wanted, places;
  value_t f, units, left, half, rounded, coded, q, old, far, distance, expected;
  assign wanted = 32'(shift_i) + 32'(step_q[Latency]);
  assign places = wanted > SumBits + 1 ? SumBits + 1 : wanted;
  assign f = relu_i && $signed(z_q[Latency]) < 0 ? '0 : value_t'($signed(z_q[Latency]));
  assign units = f >>> places;  // floor
  assign left = f - (units <<< places);
  assign half = (value_t'(1) <<< places) >>> 1;
  assign rounded = left > half || (left == half && left != 0 && units[0]) ? units + 1 : units;
  assign coded = rounded == 0 ? '0 : rounded <<< step_q[Latency];
  assign q = coded < value_t'(lo_i) ? value_t'(lo_i) : coded > value_t'(hi_i) ? value_t'(hi_i) : coded;
  assign old = value_t'($signed(code_q[Latency]));
  assign far = old == 0 ? '0 : old <<< shift_i;
  assign distance = f > far ? f - far : far - f;
  assign moved = threshold_q[Latency] == 0 || distance >= value_t'({1'b0, threshold_q[Latency]});
  assign expected = valid_q[Latency] && moved ? q : old;

  function automatic value_t limit(input value_t code, input logic [5:0] shift);  // on the lattice, as far as it goes
    value_t least, most;
    least = -(value_t'(1) <<< SumBits);
    most = (value_t'(1) <<< SumBits) - 1;
    limit = 32'(shift) > SumBits ? (code < 0 ? least : code > 0 ? most : '0) : code <<< shift;
    if (limit < least) limit = least;
    if (limit > most) limit = most;
  endfunction
  value_t code_far;
  assign code_far = value_t'(code_i) <<< shift_i;
  logic past_q = 1'b0;
  shared_t shared, shared_q;
  assign shared = {skip_i, relu_i, shift_i, lo_i, hi_i, low_i, high_i};
  always_ff @(posedge clk_i) begin
    past_q   <= 1'b1;
    shared_q <= shared;
    m_shared : assume (!past_q || shared == shared_q);
    m_range : assume (lo_i <= 0 && hi_i >= 0 && value_t'(low_i) == limit(value_t'(lo_i), shift_i) &&
                      value_t'(high_i) == limit(value_t'(hi_i), shift_i));
    m_code : assume (code_i == 0 || (32'(shift_i) < SumBits && code_far <= (value_t'(1) <<< (SumBits - 1)) &&
                     code_far >= -(value_t'(1) <<< (SumBits - 1))));
    if (rst_ni && full_q[Latency]) begin
      a_code : assert (code == expected[CodeBits-1:0]);
      a_delta : assert (value_t'(delta) == expected - old);
      a_changed : assert (changed == (valid_q[Latency] && (expected != old || !skip_i)));
      c_held : cover (valid_q[Latency] && expected == old && q != old);
      c_even : cover (left == half && left != 0 && expected != old && step_q[Latency] != 0);
    end
  end
endmodule
