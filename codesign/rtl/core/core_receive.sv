// SPDX-License-Identifier: Apache-2.0
// Function:   what lies outside, by its index: a record is asked for, and comes back whole, in order
// Latency:    a request leaves 2 cycles after it is taken; what came is there 2 cycles after its last beat
// Throughput: a beat a cycle, and a cycle for each record
// Timing:     registers at all outputs but ready_o, which depends on registers
// Reset:      nothing is asked for: whoever answers has to drop what was asked for before
// Model:      codesign.core.interpret
// It asks only for what it has room for, so beats are not asked to wait. Of a record of fewer beats than Beats, the
// bits past them keep what they held.
module core_receive
  import core_pkg::*;
#(
    parameter int unsigned Records = 4,  // that may be asked for and not be taken
    parameter int unsigned Beats = 2,    // of the longest one
    parameter int unsigned Width = 2 * MemoryBits
) (
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic [MemoryAddressBits-1:0] origin_i,        // of index 0
    input  logic                         valid_i,
    output logic                         ready_o,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [        IndexBits-1:0] index_i,
    // verilator lint_on UNUSEDSIGNAL
    input  logic [                  7:0] beats_i,
    output logic                         read_valid_o,
    input  logic                         read_ready_i,
    output logic [MemoryAddressBits-1:0] read_address_o,
    output logic [                  7:0] read_beats_o,
    input  logic                         data_valid_i,
    input  logic [       MemoryBits-1:0] data_i,
    input  logic                         data_last_i,
    output logic                         valid_o,
    input  logic                         ready_i,
    output logic [            Width-1:0] data_o
);
  localparam int unsigned CountBits = $clog2(Records + 1);
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  typedef logic [MemoryAddressBits-1:0] address_t;
  if (Beats > 255) begin : g_bad
    $error("core_receive: a record has at most 255 beats");
  end

  // Requests: the product, then the sum.
  logic product_valid_q, some_q, move;  // some: there is room
  address_t product_q;
  logic [7:0] beats_q;
  logic [CountBits-1:0] room_q;
  logic take, leave;
  assign move = read_ready_i || !read_valid_o;
  assign ready_o = !product_valid_q && some_q;
  assign take = valid_i && ready_o;
  assign leave = valid_o && ready_i;
  always_ff @(posedge clk_i) begin
    if (take) begin
      product_q <= address_t'(index_i) * address_t'(Beats);
      beats_q   <= beats_i;
    end
    if (move) begin
      read_address_o <= product_q + origin_i;
      read_beats_o   <= beats_q;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {product_valid_q, read_valid_o} <= '0;
      {room_q, some_q} <= {CountBits'(Records), 1'b1};
    end else begin
      if (take || move) product_valid_q <= take;
      if (move) read_valid_o <= product_valid_q;
      room_q <= room_q - CountBits'(take) + CountBits'(leave);
      some_q <= leave || (take ? room_q > CountBits'(1) : some_q);
    end
  end

  // Beats, and what they make.
  logic beat_valid, beat_ready, last, fits;
  logic [MemoryBits-1:0] beat;
  logic [BeatBits-1:0] place_q;
  delta_fifo #(
      .Width(MemoryBits + 1),
      .Depth(Records * Beats),
      .RamStyle("distributed")
  ) u_beats (
      .clk_i,
      .rst_ni,
      .valid_i(data_valid_i),
      .ready_o(fits),
      .data_i ({data_last_i, data_i}),
      .valid_o(beat_valid),
      .ready_i(beat_ready),
      .data_o ({last, beat})
  );
  // verilator lint_off UNUSEDSIGNAL
  logic [Beats-1:0][MemoryBits-1:0] record_q;
  // verilator lint_on UNUSEDSIGNAL
  assign beat_ready = !valid_o;
  logic [Beats*MemoryBits-1:0] bits;
  assign bits   = record_q;
  assign data_o = bits[Width-1:0];
  for (genvar b = 0; b < int'(Beats); b++) begin : g_beat
    always_ff @(posedge clk_i) if (beat_valid && beat_ready && place_q == BeatBits'(b)) record_q[b] <= beat;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o <= 1'b0;
      place_q <= '0;
    end else if (valid_o) begin
      valid_o <= !ready_i;
    end else if (beat_valid) begin
      valid_o <= last;
      place_q <= last ? '0 : place_q + 1'b1;
    end
  end

`ifndef SYNTHESIS
  a_request :
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_valid_o && !read_ready_i |=>
      read_valid_o && $stable({read_address_o, read_beats_o}));
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o && $stable(data_o));
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) data_valid_i |-> fits);
`endif
endmodule
