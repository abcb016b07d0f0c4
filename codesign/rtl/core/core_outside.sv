// SPDX-License-Identifier: Apache-2.0
// Function:   sums and weights that lie outside, between core_order and core_lanes: operations get slots, and records
//             of beats come and go for them
// Latency:    that of core_cache, and 2 cycles
// Throughput: 1 operation per cycle
// Timing:     see its parts; queues around core_cache, the one behind it so that what is asked for comes in time
// Reset:      nothing under way
// Model:      codesign.core.interpret
// Beats of a word: bit 7 says that its sums take NarrowBits each outside.
module core_outside
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned Queue = 64  // operations that may wait
) (
    input  logic                                   clk_i,
    input  logic                                   rst_ni,
    input  logic                                   forget_i,
    input  logic           [MemoryAddressBits-1:0] line_origin_i,
    input  logic                                   op_valid_i,
    output logic                                   op_ready_o,
    input  operation_t                             op_i,
    output logic                                   valid_o,
    input  logic                                   ready_i,
    output operation_t                             op_o,
    input  logic                                   save_valid_i,
    output logic                                   save_ready_o,
    input  logic           [    Lanes*SumBits-1:0] save_data_i,
    output logic                                   fill_valid_o,
    input  logic                                   fill_ready_i,
    output logic           [    Lanes*SumBits-1:0] fill_data_o,
    output logic                                   line_valid_o,
    input  logic                                   line_ready_i,
    output logic           [ Lanes*WeightBits-1:0] line_data_o,
    output logic           [                  1:0] read_valid_o,
    input  logic           [                  1:0] read_ready_i,
    output logic      [1:0][MemoryAddressBits-1:0] read_address_o,
    output logic      [1:0][                  7:0] read_beats_o,
    input  logic           [                  1:0] data_valid_i,
    input  logic           [       MemoryBits-1:0] data_i,
    input  logic                                   data_last_i,
    output logic                                   write_valid_o,
    input  logic                                   write_ready_i,
    output logic           [MemoryAddressBits-1:0] write_address_o,
    output logic           [                  7:0] write_beats_o,
    output logic           [       MemoryBits-1:0] write_data_o,
    output logic                                   write_last_o
);
  logic slots_valid, slots_ready, word_valid, word_ready, line_valid, line_ready, saved;
  operation_t slots;
  logic [IndexBits-1:0] word, line, save_word;
  logic [7:0] word_beats, save_beats;
  logic cache_valid, cache_ready;
  operation_t cache_op;
  delta_fifo #(  // what core_cache waits for ends here
      .Width($bits(operation_t)),
      .Depth(1)
  ) i_before (
      .clk_i,
      .rst_ni,
      .valid_i(op_valid_i),
      .ready_o(op_ready_o),
      .data_i (op_i),
      .valid_o(cache_valid),
      .ready_i(cache_ready),
      .data_o (cache_op)
  );
  core_cache i_cache (
      .clk_i,
      .rst_ni,
      .forget_i,
      .op_valid_i(cache_valid),
      .op_ready_o(cache_ready),
      .op_i(cache_op),
      .valid_o(slots_valid),
      .ready_i(slots_ready),
      .op_o(slots),
      .word_valid_o(word_valid),
      .word_ready_i(word_ready),
      .word_o(word),
      .word_beats_o(word_beats),
      .line_valid_o(line_valid),
      .line_ready_i(line_ready),
      .line_o(line),
      .save_word_o(save_word),
      .save_beats_o(save_beats),
      .saved_i(saved)
  );
  delta_fifo #(
      .Width($bits(operation_t)),
      .Depth(Queue),
      .RamStyle("distributed")
  ) i_queue (
      .clk_i,
      .rst_ni,
      .valid_i(slots_valid),
      .ready_o(slots_ready),
      .data_i (slots),
      .valid_o,
      .ready_i,
      .data_o (op_o)
  );

  localparam int unsigned Records = SumBeats > 16 ? 4 : 8;
  logic [Lanes*SumBits-1:0] sums, widened;
  logic narrow;
  core_receive #(
      .Records(Records),
      .Beats  (SumBeats),
      .Width  (Lanes * SumBits)
  ) i_words (
      .clk_i,
      .rst_ni,
      .origin_i('0),
      .valid_i(word_valid),
      .ready_o(word_ready),
      .index_i(word),
      .beats_i({1'b0, word_beats[6:0]}),
      .read_valid_o(read_valid_o[0]),
      .read_ready_i(read_ready_i[0]),
      .read_address_o(read_address_o[0]),
      .read_beats_o(read_beats_o[0]),
      .data_valid_i(data_valid_i[0]),
      .data_i,
      .data_last_i,
      .valid_o(fill_valid_o),
      .ready_i(fill_ready_i),
      .data_o(sums)
  );
  // verilator lint_off PINCONNECTEMPTY
  delta_fifo #(  // as many as are asked for: it has room
      .Width(1),
      .Depth(Records)
  ) i_narrow (
      .clk_i,
      .rst_ni,
      .valid_i(word_valid && word_ready),
      .ready_o(),
      .data_i (word_beats[7]),
      .valid_o(),
      .ready_i(fill_valid_o && fill_ready_i),
      .data_o (narrow)
  );
  // verilator lint_on PINCONNECTEMPTY
  for (genvar l = 0; l < int'(Lanes); l++) begin : g_sum
    assign widened[l*SumBits+:SumBits] = SumBits'($signed(sums[l*NarrowBits+:NarrowBits]));
  end
  assign fill_data_o = narrow ? widened : sums;

  // A line is kept as in an image: each weight in a slot of its own.
  // verilator lint_off UNUSEDSIGNAL
  logic [WeightWords*32-1:0] record;
  // verilator lint_on UNUSEDSIGNAL
  core_receive #(
      .Records(8),
      .Beats  (LineBeats),
      .Width  (WeightWords * 32)
  ) i_lines (
      .clk_i,
      .rst_ni,
      .origin_i(line_origin_i),
      .valid_i(line_valid),
      .ready_o(line_ready),
      .index_i(line),
      .beats_i(8'(LineBeats)),
      .read_valid_o(read_valid_o[1]),
      .read_ready_i(read_ready_i[1]),
      .read_address_o(read_address_o[1]),
      .read_beats_o(read_beats_o[1]),
      .data_valid_i(data_valid_i[1]),
      .data_i,
      .data_last_i,
      .valid_o(line_valid_o),
      .ready_i(line_ready_i),
      .data_o(record)
  );
  for (genvar l = 0; l < int'(Lanes); l++) begin : g_lane
    assign line_data_o[l*WeightBits+:WeightBits] = record[l*WeightSlot+:WeightBits];
  end

  core_transmit i_saves (
      .clk_i,
      .rst_ni,
      .save_valid_i,
      .save_ready_o,
      .save_data_i,
      .save_word_i(save_word),
      .save_beats_i(save_beats),
      .saved_o(saved),
      .write_valid_o,
      .write_ready_i,
      .write_address_o,
      .write_beats_o,
      .write_data_o,
      .write_last_o
  );
endmodule
