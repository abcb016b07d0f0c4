// SPDX-License-Identifier: Apache-2.0
// Function:   one lane of core_lanes: total = (first ? sum : total) + weights[line] * delta, or a sum that is loaded
// Latency:    of an operation that is issued in cycle 0, the weight is read in cycle 1, and the product made in 3; in 4
//             it is added to the sum, which was read meanwhile
// Throughput: 1 operation per cycle
// Timing:     registers before and after the multiplier, and after the memory
// Reset:      none (data path only); the memory keeps what it holds
// Model:      codesign.core.interpret
// It knows no hazards: core_lanes sees to it that no line is written in the cycle in which it is read, and that nothing
// is under way while sums are loaded.
module core_lane
  import core_pkg::*;
#(
    localparam int unsigned Lines = WeightDepth + CachedLines,
    localparam int unsigned LineBits = Lines > 1 ? $clog2(Lines) : 1
) (
    input  logic                         clk_i,
    input  logic        [           4:0] valid_i,           // an operation is in cycle s
    input  logic        [  LineBits-1:0] line_i,            // cycle 1
    input  logic signed [ DeltaBits-1:0] delta_i,           // cycle 0
    input  logic                         first_i,           // cycle 4
    input  logic        [   SumBits-1:0] sum_i,             // cycle 4
    output logic        [   SumBits-1:0] total_o,           // cycle 5
    input  logic                         write_weight_i,
    input  logic        [  LineBits-1:0] weight_address_i,
    input  logic        [WeightBits-1:0] weight_data_i,
    input  logic                         load_sum_i,        // total_o from the next cycle on
    input  logic        [   SumBits-1:0] load_data_i
);
  (* no_rw_check *) logic signed [WeightBits-1:0] weights[Lines];
  logic signed [WeightBits-1:0] weight_q, weight_q2;
  logic signed [DeltaBits-1:0] delta_q, delta_q2, delta_q3;
  // verilator lint_off UNUSEDSIGNAL
  logic signed [WeightBits+DeltaBits-1:0] product_q;  // bits above SumBits cancel
  // verilator lint_on UNUSEDSIGNAL

  always_ff @(posedge clk_i) begin
    if (write_weight_i) weights[weight_address_i] <= weight_data_i;
    if (valid_i[0]) delta_q <= delta_i;
    if (valid_i[1]) {weight_q, delta_q2} <= {weights[line_i], delta_q};
    if (valid_i[2]) {weight_q2, delta_q3} <= {weight_q, delta_q2};
    if (valid_i[3]) product_q <= weight_q2 * delta_q3;
    if (load_sum_i) total_o <= load_data_i;
    else if (valid_i[4]) total_o <= (first_i ? sum_i : total_o) + SumBits'(product_q);
  end
endmodule
