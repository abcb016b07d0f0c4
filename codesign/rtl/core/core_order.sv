// SPDX-License-Identifier: Apache-2.0
// Function:   additions of core_walk, words that core_fetch asks for, and sweeps -> one stream of operations
// Latency:    1 cycle
// Throughput: 1 operation per cycle; a word that is asked for costs none where it goes with an addition
// Timing:     combinational ready_i, op_valid_i, op_i, read_valid_i -> the three ready; registers at all other outputs
// Reset:      empty, between two chains
// Model:      codesign.core.interpret
// An addition that is not the first of its chain reads nothing: a word that is asked for goes with it, or before the
// first one of a chain of one. Nothing else comes between the additions of a chain. A word that shares its slot with
// the one that is added to waits until the chain has ended: it may take the slot. Sweeps come in passes of their own.
module core_order
  import core_pkg::*;
  import core_types::*;
(
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic                             op_valid_i,
    output logic                             op_ready_o,
    input  operation_t                       op_i,
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
    output operation_t                       op_o
);
  localparam int unsigned SlotBits = CachedWords > 1 ? $clog2(CachedWords) : 1;
  logic free, chain_q, opens, shares, act, read, sweep;  // chain_q: the last addition is not the last one of its chain
  assign free = ready_i || !valid_o;
  assign opens = op_valid_i && op_i.add && op_i.first && !op_i.last;  // a read may go with the next one
  assign shares = HasMemory && read_address_i[SlotBits-1:0] == op_i.sum[SlotBits-1:0];
  assign sweep = sweep_valid_i && !chain_q;
  assign read = read_valid_i && !sweep && (chain_q ? op_valid_i && !shares : !opens);
  assign act = op_valid_i && !sweep && (chain_q || !read);
  assign sweep_ready_o = free && !chain_q;
  assign read_ready_o = free && read;
  assign op_ready_o = free && act;

  always_ff @(posedge clk_i) begin
    if (free) begin
      op_o <= '0;
      if (act) op_o <= op_i;
      if (sweep) {op_o.copy, op_o.first, op_o.last, op_o.sum} <= {3'b111, sweep_write_i};
      op_o.read <= read;
      op_o.from <= sweep ? sweep_read_i : read ? read_address_i : op_i.from;
      op_o.beats <= read || sweep ? beats_i : op_i.beats;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_o, chain_q} <= '0;
    else if (free) begin
      valid_o <= sweep || read || act;
      if (act) chain_q <= op_i.add && !op_i.last;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(op_o));
`endif
endmodule
