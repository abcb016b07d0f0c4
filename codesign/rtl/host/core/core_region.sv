// SPDX-License-Identifier: Apache-2.0
// Function:   address_o = base_i * 4096 + address_i: the bursts of a core, whose memory begins at 0, in a region of the
//             memory that it shares; and whether any of them is under way
// Latency:    1 cycle
// Throughput: 1 burst per cycle
// Timing:     combinational ready_i -> ready_o; all other outputs depend on registers
// Reset:      nothing under way
// Model:      rtl_tests.bench_core_region.Region
// For AR and AW alike, an instance each. While given_i is 0 no burst begins; busy_o then tells when the last one that has
// begun is answered, so that the region may be used for something else. A burst that is offered keeps the base that it was
// taken with. It does not know how large the region is: the addresses of a core are below the size of its memory.
module core_region (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic [31:12] base_i,
    input  logic         given_i,    // there is a region
    output logic         busy_o,
    input  logic         valid_i,
    output logic         ready_o,
    input  logic [ 31:0] address_i,
    input  logic [  7:0] length_i,
    output logic         valid_o,
    input  logic         ready_i,
    output logic [ 31:0] address_o,
    output logic [  7:0] length_o,
    input  logic         done_i      // a burst is answered: its last beat that is read, or its response
);
  localparam int unsigned OpenBits = 6;  // bursts under way; a core has fewer

  logic take;
  logic [OpenBits-1:0] open_q;
  assign ready_o = given_i && (ready_i || !valid_o) && open_q != '1;
  assign take = valid_i && ready_o;
  assign busy_o = open_q != '0;

  always_ff @(posedge clk_i) begin
    if (take) {address_o, length_o} <= {base_i + address_i[31:12], address_i[11:0], length_i};
    if (ready_i || !valid_o) valid_o <= take;
    open_q <= open_q + OpenBits'(take) - OpenBits'(done_i && busy_o);
    if (!rst_ni) {valid_o, open_q} <= '0;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_payload :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({address_o, length_o}));
`endif
endmodule
