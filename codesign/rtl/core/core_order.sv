// SPDX-License-Identifier: Apache-2.0
// Function:   additions of core_walk, words that core_fetch asks for, and sweeps -> one stream of operations
// Latency:    1 cycle
// Throughput: 1 operation per cycle
// Timing:     combinational ready_i, read_valid_i -> op_ready_o; registers at all outputs but the three ready
// Reset:      empty, between two chains
// Model:      codesign.core.interpret
// A word that is asked for goes before additions, but never between the first and the last one of a chain. Sweeps come
// in passes of their own.
module core_order
  import core_pkg::*;
  import core_types::*;
(
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic                             op_valid_i,
    output logic                             op_ready_o,
    input  operation_t                       op_i,
    input  logic       [Lanes*DeltaBits-1:0] deltas_i,
    input  logic       [                7:0] beats_i,        // of a word that is read or swept
    input  logic                             read_valid_i,
    output logic                             read_ready_o,
    input  logic       [      IndexBits-1:0] read_address_i,
    input  logic                             sweep_valid_i,
    output logic                             sweep_ready_o,
    input  logic       [      IndexBits-1:0] sweep_read_i,
    input  logic       [      IndexBits-1:0] sweep_write_i,
    output logic                             valid_o,
    input  logic                             ready_i,
    output operation_t                       op_o,
    output logic       [Lanes*DeltaBits-1:0] deltas_o
);
  logic free, chain_q;  // chain_q: the addition before is not the last one of its chain
  assign free = ready_i || !valid_o;
  assign sweep_ready_o = free && !chain_q;
  assign read_ready_o = free && !chain_q && !sweep_valid_i;
  assign op_ready_o = free && (chain_q || !(sweep_valid_i || read_valid_i));

  always_ff @(posedge clk_i) begin
    if (free) begin
      op_o <= op_i;
      deltas_o <= deltas_i;
      if (!op_ready_o) begin
        op_o <= '0;
        {op_o.first, op_o.beats} <= {1'b1, beats_i};
        {op_o.read, op_o.copy, op_o.last} <= {!sweep_valid_i, sweep_valid_i, sweep_valid_i};
        op_o.sum <= sweep_valid_i ? sweep_write_i : read_address_i;
        op_o.line <= sweep_read_i;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_o, chain_q} <= '0;
    else if (free) begin
      valid_o <= op_ready_o ? op_valid_i : 1'b1;
      if (op_ready_o && op_valid_i) chain_q <= op_i.add && !op_i.last;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({op_o, deltas_o}));
`endif
endmodule
