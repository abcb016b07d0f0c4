// SPDX-License-Identifier: Apache-2.0
// Stands in for core_ahead, which is proved by itself: its outputs are anything, inputs of prove_core_codes. That one
// assumes of them what prove_core_ahead proves, and proves of its inputs what that one assumes.
module core_ahead
  import core_pkg::*;
(
    input  logic                                 clk_i,
    input  logic                                 rst_ni,
    input  logic                                 start_i,
    input  step_t                                step_i,
    input  logic                                 read_i,
    input  logic       [  MemoryAddressBits-1:0] origin_i,
    input  logic                                 word_valid_i,
    output logic                                 word_ready_o,
    input  logic                                 word_end_i,
    input  logic       [          IndexBits-1:0] word_i,
    input  logic                                 ending_i,
    output logic                                 idle_o,
    input  logic                                 clear_i,
    output logic                                 known_o,
    output logic                                 outside_o,
    output logic                                 there_o,
    input  logic                                 take_i,
    input  logic                                 last_part_i,
    input  logic                                 enable_i,
    output logic       [Quantisers*CodeBits-1:0] codes_o,
    output logic                                 read_valid_o,
    input  logic                                 read_ready_i,
    output logic       [  MemoryAddressBits-1:0] read_address_o,
    output logic       [                    7:0] read_beats_o,
    input  logic                                 data_valid_i,
    input  logic       [         MemoryBits-1:0] data_i
);
  assign word_ready_o = prove_core_codes.ahead_word_ready_i;
  assign {idle_o, known_o, outside_o} = prove_core_codes.ahead_i;
  assign {there_o, codes_o} = prove_core_codes.ahead_row_i;
  assign {read_valid_o, read_address_o, read_beats_o} = prove_core_codes.ahead_read_i;
endmodule
