// SPDX-License-Identifier: Apache-2.0
// Function:   a record of 1 to 255 beats -> the AXI4 address of one burst, or of two where it lies across 4 KiB
// Latency:    2 cycles
// Throughput: 1 record every 2 cycles; one of two bursts takes 3
// Timing:     all outputs are registers
// Reset:      nothing offered
// Model:      rtl_tests.core_axi.bursts
// For AR and AW alike. Data are none of its business: core_memory counts them.
module core_burst
  import core_pkg::*;
(
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic                         valid_i,
    output logic                         ready_o,
    input  logic [MemoryAddressBits-1:0] address_i,  // of its first beat, in beats
    input  logic [                  7:0] beats_i,
    output logic                         valid_o,
    input  logic                         ready_i,
    output logic [                 31:0] address_o,  // in bytes
    output logic [                  7:0] length_o    // beats less 1
);
  localparam int unsigned ByteBits = $clog2(MemoryBits / 8);
  localparam int unsigned OffsetBits = 12 - ByteBits;  // beats of 4 KiB
  localparam int unsigned PageBits = MemoryAddressBits > OffsetBits ? MemoryAddressBits - OffsetBits : 1;

  logic free, crosses;
  logic [PageBits-1:0] page_q;
  logic [OffsetBits-1:0] offset_q;
  logic [7:0] beats_q;
  logic [OffsetBits:0] after;

  assign free = ready_i || !valid_o;
  assign after = (OffsetBits + 1)'(offset_q) + (OffsetBits + 1)'(beats_q);
  assign crosses = after[OffsetBits] && after[OffsetBits-1:0] != '0;

  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      {page_q, offset_q} <= (PageBits + OffsetBits)'(address_i);
      beats_q <= beats_i;
    end else if (free && crosses) begin
      {page_q, offset_q} <= {page_q + 1'b1, OffsetBits'(0)};
      beats_q <= after[7:0];
    end
    if (free && !ready_o) begin
      address_o <= 32'({page_q, offset_q, ByteBits'(0)});
      length_o  <= crosses ? ~offset_q[7:0] : beats_q - 1'b1;
    end
    if (!rst_ni) {valid_o, ready_o} <= 2'b01;
    else begin
      if (ready_o) ready_o <= !valid_i;
      else if (free && !crosses) ready_o <= 1'b1;
      if (free) valid_o <= !ready_o;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_payload :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(
      {address_o, length_o}
  ));
  a_page :  // a burst ends in the 4 KiB that it begins in
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      valid_o |-> 32'(address_o[11:0]) + ((32'(length_o) + 1) << ByteBits) <= 32'd4096);
  a_beats :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_i && ready_o |-> beats_i != '0);
`endif
endmodule
