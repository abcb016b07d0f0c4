// SPDX-License-Identifier: Apache-2.0
// Function:   a word of sums -> a record of beats at its place outside; bit 7 of save_beats_i: of NarrowBits each
// Latency:    the first beat leaves 2 cycles after save_valid_i
// Throughput: a beat a cycle, and 2 cycles for each word
// Timing:     registers at all outputs but saved_o = the last beat is taken
// Reset:      nothing to write: whoever writes has to finish a record that broke off
// Model:      codesign.core.interpret
module core_transmit
  import core_pkg::*;
(
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic                         save_valid_i,     // only while save_ready_o
    output logic                         save_ready_o,
    input  logic [    Lanes*SumBits-1:0] save_data_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [        IndexBits-1:0] save_word_i,      // both stay until saved_o
    // verilator lint_on UNUSEDSIGNAL
    input  logic [                  7:0] save_beats_i,
    output logic                         saved_o,
    output logic                         write_valid_o,
    input  logic                         write_ready_i,
    output logic [MemoryAddressBits-1:0] write_address_o,
    output logic [                  7:0] write_beats_o,
    output logic [       MemoryBits-1:0] write_data_o,
    output logic                         write_last_o
);
  typedef logic [MemoryAddressBits-1:0] address_t;
  if (SumBeats > 127) begin : g_bad
    $error("core_transmit: a word has at most 127 beats");
  end
  logic [SumBeats*MemoryBits-1:0] data_q;
  // verilator lint_off UNUSEDSIGNAL
  logic [Lanes*SumBits-1:0] narrowed;
  // verilator lint_on UNUSEDSIGNAL
  logic [7:0] left_q;
  logic begin_q, busy_q;
  assign save_ready_o = !busy_q;
  assign saved_o = write_valid_o && write_ready_i && write_last_o;
  assign write_data_o = data_q[MemoryBits-1:0];

  always_comb begin
    narrowed = save_data_i;
    for (int unsigned l = 0; l < Lanes; l++) narrowed[l*NarrowBits+:NarrowBits] = save_data_i[l*SumBits+:NarrowBits];
  end
  always_ff @(posedge clk_i) begin
    if (save_valid_i) data_q <= (SumBeats * MemoryBits)'(save_beats_i[7] ? narrowed : save_data_i);
    else if (write_valid_o && write_ready_i) data_q <= data_q >> MemoryBits;
    if (begin_q) begin
      write_address_o <= address_t'(save_word_i) * address_t'(SumBeats);
      write_beats_o   <= 8'(save_beats_i[6:0]);
    end
  end
  always_ff @(posedge clk_i) begin
    begin_q <= save_valid_i;
    busy_q <= save_valid_i || (busy_q && !saved_o);
    if (save_valid_i) left_q <= 8'(save_beats_i[6:0]);
    else if (write_valid_o && write_ready_i) begin
      left_q <= left_q - 1'b1;
      write_last_o <= left_q == 8'd2;
      write_valid_o <= !write_last_o;
    end else if (begin_q) begin
      write_valid_o <= 1'b1;
      write_last_o  <= save_beats_i[6:0] == 7'd1;
    end
    if (!rst_ni) {begin_q, busy_q, left_q, write_valid_o, write_last_o} <= '0;
  end

`ifndef SYNTHESIS
  a_word :
  assert property (@(posedge clk_i) disable iff (!rst_ni) save_valid_i |-> save_ready_o);
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_valid_o && !write_ready_i |=> write_valid_o);
  a_beat :
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_valid_o && !write_ready_i |=>
      $stable({write_address_o, write_beats_o, write_data_o, write_last_o}));
`endif
endmodule
