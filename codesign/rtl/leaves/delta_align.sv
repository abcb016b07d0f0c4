// SPDX-License-Identifier: Apache-2.0
// Function:   word tokens of sums, each on the lattice of its channel -> the same tokens on the layer's common lattice:
//             lane = (sum << shift) + low, with a shift and a low < 2^shift for each lane of a line of File
// Latency:    Lines = 1: none, wires only; else 1 cycle
// Throughput: 1 word per cycle
// Timing:     combinational ready_i -> ready_o; Lines > 1: a register, then the shifters, whose result is token_o
// Reset:      pipeline empty
// Model:      codesign.graph.channels.channel_lattices
// Costs nothing if Lines = 1, and a shifter for each lane otherwise. Nothing rounds or saturates: OutWidth holds the
// result. It drops no word and looks at no flag; a quantiser (delta_emit) or delta_decode follows.
module delta_align #(
    parameter int unsigned Words = 1,  // of a frame
    parameter int unsigned Lanes = 1,
    parameter int unsigned InWidth = 16,
    parameter int unsigned OutWidth = 24,
    parameter int unsigned ShiftWidth = 4,
    parameter int unsigned LowWidth = 1,  // of low; at least 1
    parameter int unsigned Lines = 1,  // word w has line w % Lines: a power of two, or Words and more
    parameter File = "",  // Lanes {low, shift} a line, lane 0 in the low bits
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned HeadWidth = 3 + WordWidth
) (
    input  logic                                clk_i,
    input  logic                                rst_ni,
    input  logic                                valid_i,
    output logic                                ready_o,
    input  logic [ HeadWidth+Lanes*InWidth-1:0] token_i,
    output logic                                valid_o,
    input  logic                                ready_i,
    output logic [HeadWidth+Lanes*OutWidth-1:0] token_o
);
  localparam int unsigned EntryWidth = ShiftWidth + LowWidth;
  localparam int unsigned LineWidth = Lines > 1 ? $clog2(Lines) : 1;
  if (Lanes < 1 || InWidth < 1 || OutWidth < InWidth || LowWidth > OutWidth || Lines < 1 || LineWidth > WordWidth ||
      (Lines < Words && 1 << $clog2(Lines) != Lines)) begin : g_bad
    $error("delta_align: OutWidth must be at least InWidth, Lines a power of two or Words");
  end

  logic [HeadWidth+Lanes*InWidth-1:0] token;
  logic [Lanes*EntryWidth-1:0] entries;
  logic [Lanes*EntryWidth-1:0] lines[Lines];
  initial $readmemh(File, lines);

  if (Lines == 1) begin : g_wires
    assign entries = lines[0];
    assign {ready_o, valid_o, token} = {ready_i, valid_i, token_i};
    // verilator lint_off UNUSEDSIGNAL
    logic unused_clock;
    // verilator lint_on UNUSEDSIGNAL
    assign unused_clock = clk_i && rst_ni;
  end else begin : g_register
    assign ready_o = ready_i || !valid_o;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_o <= 1'b0;
      else if (ready_o) valid_o <= valid_i;
    end
    always_ff @(posedge clk_i) begin
      if (ready_o && valid_i) begin
        token   <= token_i;
        entries <= lines[token_i[Lanes*InWidth+:LineWidth]];
      end
    end
  end

  assign token_o[Lanes*OutWidth+:HeadWidth] = token[Lanes*InWidth+:HeadWidth];
  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    logic [ShiftWidth-1:0] shift;
    logic [LowWidth-1:0] low;
    logic [OutWidth-1:0] sum;
    assign {low, shift} = entries[lane*EntryWidth+:EntryWidth];
    assign sum = OutWidth'($signed(token[lane*InWidth+:InWidth]));
    assign token_o[lane*OutWidth+:OutWidth] = (sum << shift) | OutWidth'(low);
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
