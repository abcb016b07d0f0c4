// SPDX-License-Identifier: Apache-2.0
// Function:   the words of sums of core_lanes: one memory for all lanes
// Latency:    word_o is the word at read_address_i 2 cycles after read_i; a word that is written in cycle 0 may be read
//             in cycle 1
// Throughput: a word is read and one is written per cycle
// Timing:     registers after the memories, and after the choice between them
// Reset:      none; the memories keep what they hold
// Model:      rtl_tests.bench_core_words.Words
// It knows no hazards: no word may be read in the cycle in which it is written.
module core_words
  import core_pkg::*;
#(
    localparam int unsigned Words = SumDepth + CachedWords,
    localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                     clk_i,
    input  logic                     read_i,
    input  logic [     WordBits-1:0] read_address_i,
    output logic [Lanes*SumBits-1:0] word_o,
    input  logic                     write_i,
    input  logic [     WordBits-1:0] write_address_i,
    input  logic [Lanes*SumBits-1:0] write_data_i
);
  // Slices as wide as an UltraRAM, which are whole block RAMs of 9, 18 and 36 bits, too. Of a depth that is no power of
  // two, the words above the largest one in it lie in memories of their own: a block RAM has fewer words the wider it
  // is, so that a small memory takes fewer of them.
  localparam int unsigned SliceBits = 72;
  localparam int unsigned Slices = (Lanes * SumBits + SliceBits - 1) / SliceBits;
  localparam int unsigned Low = 2 ** $clog2(Words + 1) / 2;
  localparam int unsigned LowBits = Low > 1 ? $clog2(Low) : 1;
  localparam int unsigned HighBits = Words - Low > 1 ? $clog2(Words - Low) : 1;
  logic write_high, read_high, read_high_q;

  assign write_high = Words > Low && write_address_i[WordBits-1];
  assign read_high = Words > Low && read_address_i[WordBits-1];
  always_ff @(posedge clk_i) if (read_i) read_high_q <= read_high;

  for (genvar s = 0; s < int'(Slices); s++) begin : g_slice
    localparam int unsigned Rest = Lanes * SumBits - s * SliceBits;
    localparam int unsigned Bits = Rest > SliceBits ? SliceBits : Rest;
    (* no_rw_check *) logic [Bits-1:0] sums[Low];
    logic [Bits-1:0] data, sums_q, high_q;
    assign data = write_data_i[s*SliceBits+:Bits];
    if (Words > Low) begin : g_high
      (* no_rw_check *) logic [Bits-1:0] high[Words-Low];
      always_ff @(posedge clk_i) begin
        if (write_i && write_high) high[write_address_i[HighBits-1:0]] <= data;
        if (read_i) high_q <= high[read_address_i[HighBits-1:0]];
      end
    end else begin : g_low
      assign high_q = '0;
    end
    always_ff @(posedge clk_i) begin
      if (write_i && !write_high) sums[write_address_i[LowBits-1:0]] <= data;
      if (read_i) sums_q <= sums[read_address_i[LowBits-1:0]];
      word_o[s*SliceBits+:Bits] <= read_high_q ? high_q : sums_q;
    end
  end
endmodule
