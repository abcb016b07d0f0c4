// SPDX-License-Identifier: Apache-2.0
// Function:   parts of words, Quantisers lanes each -> words of Lanes lanes; a word without a change is dropped. Lanes
//             past the last part and lanes that did not change have a delta of 0
// Latency:    1 cycle after the last part
// Throughput: 1 part a cycle
// Timing:     combinational ready_i -> ready_o, the enable of all registers; registers at all outputs
// Reset:      empty
// Model:      rtl_tests.bench_core_gather.gathered
// A word is put together where it leaves: a part of the next one waits until it is taken. deltas_i of a lane that is
// not in mask_i is 0.
module core_gather
  import core_pkg::*;
(
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            valid_i,
    output logic                            ready_o,
    input  logic                            end_i,
    input  logic [           IndexBits-1:0] word_i,
    input  logic                            last_part_i,
    input  logic [          Quantisers-1:0] mask_i,
    input  logic [Quantisers*DeltaBits-1:0] deltas_i,
    output logic                            valid_o,
    input  logic                            ready_i,
    output logic                            end_o,
    output logic [           IndexBits-1:0] word_o,
    output logic [               Lanes-1:0] mask_o,
    output logic [     Lanes*DeltaBits-1:0] deltas_o
);
  logic take, first, changed, changed_q;
  logic [3:0] part_q;
  assign ready_o = ready_i || !valid_o;
  assign take = valid_i && ready_o;
  assign first = part_q == 0;
  assign changed = mask_i != 0 || (changed_q && !first);

  always_ff @(posedge clk_i) begin
    if (take) begin
      {end_o, word_o} <= {end_i, word_i};
      changed_q <= changed;
    end
  end
  for (genvar i = 0; i < MostParts; i++) begin : g_part
    always_ff @(posedge clk_i) begin
      if (take && (first || part_q == 4'(i))) begin
        mask_o[i*Quantisers+:Quantisers] <= part_q == 4'(i) && !end_i ? mask_i : '0;
        deltas_o[i*Quantisers*DeltaBits+:Quantisers*DeltaBits] <= part_q == 4'(i) ? deltas_i : '0;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o <= 1'b0;
      part_q  <= '0;
    end else if (ready_o) begin
      valid_o <= valid_i && (end_i || (last_part_i && changed));
      if (valid_i) part_q <= end_i || last_part_i ? '0 : part_q + 1'b1;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=>
      $stable({end_o, word_o, mask_o, deltas_o}));
`endif
endmodule
