// SPDX-License-Identifier: Apache-2.0
// Stands in for core_back, which is proved by itself: its outputs are anything, inputs of prove_core_codes. That one
// assumes of them what prove_core_back proves, and proves of its inputs what that one assumes.
module core_back
  import core_pkg::*;
(
    input  logic                                 clk_i,
    input  logic                                 rst_ni,
    input  step_t                                step_i,
    input  logic                                 fresh_i,
    input  logic       [  MemoryAddressBits-1:0] origin_i,
    output logic                                 room_o,
    input  logic                                 take_i,
    output logic                                 idle_o,
    input  logic                                 row_i,
    input  logic       [          IndexBits-1:0] word_i,
    input  logic                                 last_part_i,
    input  logic                                 changed_i,
    input  logic       [Quantisers*CodeBits-1:0] codes_i,
    output logic                                 write_valid_o,
    input  logic                                 write_ready_i,
    output logic       [  MemoryAddressBits-1:0] write_address_o,
    output logic       [                    7:0] write_beats_o,
    output logic       [         MemoryBits-1:0] write_data_o,
    output logic                                 write_last_o
);
  assign {room_o, idle_o} = prove_core_codes.back_i;
  assign {write_valid_o, write_address_o, write_beats_o, write_last_o} = prove_core_codes.back_write_i;
  assign write_data_o = prove_core_codes.back_data_i;
endmodule
