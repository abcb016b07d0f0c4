// SPDX-License-Identifier: Apache-2.0
// Stands in for core_probe, which is proved by itself: its outputs are anything, inputs of prove_core_load. That one
// assumes of them what prove_core_probe proves, which assumes nothing.
module core_probe
  import core_pkg::*;
(
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic                         start_i,
    output logic                         restart_o,
    output logic                         done_o,
    output logic                         good_o,
    input  logic                         silent_i,
    input  logic                         error_i,
    output logic                         write_valid_o,
    input  logic                         write_ready_i,
    output logic                         read_valid_o,
    input  logic                         read_ready_i,
    output logic [MemoryAddressBits-1:0] address_o,
    output logic [       MemoryBits-1:0] data_o,
    input  logic                         data_valid_i,
    input  logic [       MemoryBits-1:0] data_i
);
  assign {restart_o, done_o, good_o, write_valid_o, read_valid_o} = prove_core_load.probe_i;
  assign {address_o, data_o} = prove_core_load.probe_beat_i;
endmodule
