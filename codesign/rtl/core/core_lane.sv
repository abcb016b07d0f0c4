// SPDX-License-Identifier: Apache-2.0
// Function:   one lane of core_lanes: total = (first ? sums[read] : total) + weights[line] * delta; written: total, or
//             what is filled in
// Latency:    of an operation that is issued in cycle 0, the weight is read in cycle 1, the sum in 2, the product made
//             in 3, added in 4, and written in 5
// Throughput: 1 operation per cycle
// Timing:     registers before and after the multiplier and after both memories
// Reset:      none (data path only); the memories keep what they hold
// Model:      codesign.core.interpret
// It knows no hazards: core_lanes sees to it that no sum is read before, or in the cycle in which, it is written.
module core_lane
  import core_pkg::*;
#(
    localparam int unsigned Lines = WeightDepth + CachedLines,
    localparam int unsigned Words = SumDepth + CachedWords,
    localparam int unsigned LineBits = Lines > 1 ? $clog2(Lines) : 1,
    localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                         clk_i,
    input  logic        [           4:0] valid_i,          // an operation is in cycle s
    input  logic        [  LineBits-1:0] line_i,           // cycle 1
    input  logic signed [ DeltaBits-1:0] delta_i,          // cycle 0
    input  logic                         read_i,           // cycle 2
    input  logic        [  WordBits-1:0] read_address_i,   // cycle 2
    input  logic                         first_i,          // cycle 4
    input  logic                         write_i,          // cycle 5
    input  logic                         fill_i,           // cycle 5: what is written is not the total
    input  logic        [   SumBits-1:0] fill_data_i,      // cycle 5
    input  logic        [  WordBits-1:0] write_address_i,  // cycle 5
    output logic        [   SumBits-1:0] sum_o,            // 2 cycles after read_i
    input  logic                         write_weight_i,
    input  logic        [  LineBits-1:0] weight_address_i,
    input  logic        [WeightBits-1:0] weight_data_i,
    input  logic                         load_sum_i,
    input  logic        [  WordBits-1:0] load_address_i,
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
  end

  // Of a depth that is no power of two, the words above the largest one in it lie in a memory of their own: a block RAM
  // has fewer words the wider it is, so that a small memory takes fewer of them.
  localparam int unsigned Low = 2 ** $clog2(Words + 1) / 2;
  localparam int unsigned LowBits = Low > 1 ? $clog2(Low) : 1;
  (* no_rw_check *) logic [SumBits-1:0] sums[Low];
  logic [SumBits-1:0] sum_q, high_q, total_q, write_data;
  logic [WordBits-1:0] write_address;
  logic write, write_high, read_high, read_high_q;

  assign write = write_i || load_sum_i;
  assign write_address = load_sum_i ? load_address_i : write_address_i;
  assign write_data = load_sum_i ? load_data_i : fill_i ? fill_data_i : total_q;
  if (Words > Low) begin : g_high
    (* no_rw_check *) logic [SumBits-1:0] high[Words-Low];
    localparam int unsigned HighBits = Words - Low > 1 ? $clog2(Words - Low) : 1;
    assign {write_high, read_high} = {write_address[WordBits-1], read_address_i[WordBits-1]};
    always_ff @(posedge clk_i) begin
      if (write && write_high) high[write_address[HighBits-1:0]] <= write_data;
      if (read_i) high_q <= high[read_address_i[HighBits-1:0]];
    end
  end else begin : g_low
    assign {write_high, read_high, high_q} = '0;
  end
  always_ff @(posedge clk_i) begin
    if (write && !write_high) sums[write_address[LowBits-1:0]] <= write_data;
    if (read_i) {sum_q, read_high_q} <= {sums[read_address_i[LowBits-1:0]], read_high};
    sum_o <= read_high_q ? high_q : sum_q;
    if (valid_i[4]) total_q <= (first_i ? sum_o : total_q) + SumBits'(product_q);
  end
endmodule
