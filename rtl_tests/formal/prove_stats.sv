// SPDX-License-Identifier: Apache-2.0
// delta_stats: one counter is watched, any one: it counts its pulses, and reading its address gives it.
module prove_stats #(
    parameter int unsigned Engines = 2
) (
    input logic clk_i,
    input logic rst_ni,
    input logic frame_i,
    input logic error_i,
    input logic [4*Engines-1:0] probe_i,
    input logic [7:0] address_i,
    input logic [7:0] some_address_i
);
  localparam int unsigned Counters = 4 + 4 * Engines;
  logic [31:0] data, count_q, count_q2, count_q3;
  logic [7:0] watched_q, address_q;
  logic [255:0] pulses;
  assume_reset i_reset (.*);
  delta_stats #(
      .Engines(Engines)
  ) dut (
      .clk_i,
      .rst_ni,
      .frame_i,
      .error_i,
      .probe_i,
      .stat_addr_i(address_i),
      .stat_data_o(data)
  );
  logic settled_q;  // what is read is not from before a reset
  assign pulses = 256'({probe_i, 1'b0, error_i, 1'b1, frame_i});

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    settled_q <= rst_ni;
    if (!past_q) watched_q <= some_address_i;
    address_q <= address_i;
    count_q3  <= rst_ni ? count_q2 : '0;
    count_q2  <= rst_ni ? count_q : '0;
    if (!rst_ni) count_q <= '0;
    else begin
      count_q <= count_q + 32'(pulses[watched_q]);
      a_count : assert (address_q != watched_q || 32'(watched_q) >= Counters || !settled_q || data == count_q3);
      a_others : assert (address_q != watched_q || 32'(watched_q) < Counters || data == '0);
      c_read : cover (address_q == watched_q && data == 3 && settled_q);
    end
  end

  logic [Counters-1:0][31:0] counts;
  logic [Counters-1:0] pulse;
  assign {counts, pulse} = {dut.count_q, dut.pulse_q};
  always_ff @(posedge clk_i) begin
    if (rst_ni && 32'(watched_q) < Counters) begin
      i_count : assert (counts[watched_q] == count_q2);
      i_pulse : assert (count_q == count_q2 + 32'(pulse[watched_q]));
    end
  end
endmodule
