// SPDX-License-Identifier: Apache-2.0
// Function:   stream FIFO, first in first out; holds Depth tokens in memory and one in its output register
// Latency:    1 cycle when empty
// Throughput: 1 token a cycle
// Timing:     ready_o, valid_o and data_o are registers
// Reset:      empty
// Model:      collections.deque
// Depth costs distributed RAM (asynchronous read). It does not cut data into frames or drop: delta_serialize does.
module delta_fifo #(
    parameter int unsigned Width = 1,
    parameter int unsigned Depth = 64
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             valid_i,
    output logic             ready_o,
    input  logic [Width-1:0] data_i,
    output logic             valid_o,
    input  logic             ready_i,
    output logic [Width-1:0] data_o
);
  if (Width < 1 || Depth < 1) begin : g_bad
    $error("delta_fifo: Width and Depth must be at least 1");
  end

  localparam int unsigned PointerWidth = Depth > 1 ? $clog2(Depth) : 1;
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  logic [Width-1:0] memory[Depth];
  logic [PointerWidth-1:0] read_q, write_q;
  logic [CountWidth-1:0] count_q, count_d;
  logic empty, load, push, pop;

  assign empty = count_q == 0;
  assign load = ready_i || !valid_o;
  assign push = valid_i && ready_o && !(load && empty);
  assign pop = load && !empty;
  assign count_d = count_q + CountWidth'(push) - CountWidth'(pop);

  function automatic logic [PointerWidth-1:0] next(input logic [PointerWidth-1:0] pointer);
    next = pointer == PointerWidth'(Depth - 1) ? '0 : pointer + 1'b1;
  endfunction

  always_ff @(posedge clk_i) begin
    if (push) memory[write_q] <= data_i;
    if (load) data_o <= empty ? data_i : memory[read_q];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q  <= '0;
      write_q <= '0;
      count_q <= '0;
      ready_o <= 1'b1;
      valid_o <= 1'b0;
    end else begin
      if (push) write_q <= next(write_q);
      if (pop) read_q <= next(read_q);
      count_q <= count_d;
      ready_o <= count_d != CountWidth'(Depth);
      if (load) valid_o <= !empty || (valid_i && ready_o);
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(data_o));
`endif
endmodule
