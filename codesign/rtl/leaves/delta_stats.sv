// SPDX-License-Identifier: Apache-2.0
// Function:   32-bit counters since reset, wrapping: 0 frames out, 1 cycles, 2 errors; for engine e at 4 + 4 * e:
//             events, busy cycles, stalled cycles, frames; every other address reads 0
// Latency:    1 cycle from stat_addr_i to stat_data_o; a counter shows a pulse two cycles after it
// Throughput: 1 read a cycle
// Timing:     everything registered
// Reset:      all counters 0
// Model:      rtl_tests.bench_stats.Pulses
// Costs 32 flip-flops per counter and four counters per engine.
module delta_stats #(
    parameter int unsigned Engines = 1
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 frame_i,     // an output packet is complete
    input  logic                 error_i,     // a malformed frame was met
    input  logic [4*Engines-1:0] probe_i,     // for each engine {frame_done, stalled, busy, event}
    input  logic [          7:0] stat_addr_i,
    output logic [         31:0] stat_data_o
);
  if (Engines < 1 || Engines > 63) begin : g_bad
    $error("delta_stats: Engines must be 1 to 63");
  end

  localparam int unsigned Counters = 4 + 4 * Engines;
  localparam int unsigned IndexBits = $clog2(Counters);

  logic [Counters-1:0] pulse_q;
  logic [Counters-1:0][31:0] count_q;
  logic [(1<<IndexBits)-1:0][31:0] padded;  // a multiplexer, where a chain of comparisons would be three times as large

  assign padded = (32 << IndexBits)'(count_q);

  always_ff @(posedge clk_i) begin
    pulse_q <= rst_ni ? {probe_i, 1'b0, error_i, 1'b1, frame_i} : '0;
    for (int unsigned i = 0; i < Counters; i++) begin
      if (!rst_ni) count_q[i] <= '0;
      else if (pulse_q[i]) count_q[i] <= count_q[i] + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    stat_data_o <= 32'(stat_addr_i) < Counters ? padded[stat_addr_i[IndexBits-1:0]] : '0;
  end
endmodule
