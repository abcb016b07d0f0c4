// SPDX-License-Identifier: Apache-2.0
// Function:   stream FIFO, first in first out; holds Depth tokens in memory, one more in its register if Registered
// Latency:    1 cycle when empty
// Throughput: 1 token per cycle
// Timing:     ready_o and valid_o are registers; data_o is one if Registered, else it is read from distributed RAM;
//             combinational valid_i -> write enable of the memory
// Reset:      empty
// Model:      collections.deque
// Depth costs distributed RAM (asynchronous read), Registered a flip-flop and a LUT per bit. It neither knows frames
// nor drops tokens: delta_serialize does.
module delta_fifo #(
    parameter int unsigned Width = 1,
    parameter int unsigned Depth = 64,
    parameter bit Registered = 1'b1,
    // verilator lint_off UNUSEDPARAM
    parameter RamStyle = "auto"  // "distributed", where a tool would take block RAM, which is slow
    // verilator lint_on UNUSEDPARAM
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

  (* ram_style = RamStyle *) logic [Width-1:0] memory[Depth];
  logic [PointerWidth-1:0] read_q, write_q;
  logic [CountWidth-1:0] count_q;
  logic empty_q, take, push, pop;

  assign take = valid_i && ready_o;

  function automatic logic [PointerWidth-1:0] next(input logic [PointerWidth-1:0] pointer);
    next = pointer == PointerWidth'(Depth - 1) ? '0 : pointer + 1'b1;
  endfunction

  always_ff @(posedge clk_i) if (take) memory[write_q] <= data_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q  <= '0;
      write_q <= '0;
      count_q <= '0;
      empty_q <= 1'b1;
      ready_o <= 1'b1;
    end else begin
      if (push) write_q <= next(write_q);
      if (pop) read_q <= next(read_q);
      if (push && !pop) begin
        count_q <= count_q + 1'b1;
        empty_q <= 1'b0;
        ready_o <= count_q != CountWidth'(Depth - 1);
      end else if (pop && !push) begin
        count_q <= count_q - 1'b1;
        empty_q <= count_q == 1;
        ready_o <= 1'b1;
      end
    end
  end

  if (Registered) begin : g_register
    logic load;
    assign load = ready_i || !valid_o;
    assign push = take && !(load && empty_q);
    assign pop = load && !empty_q;
    always_ff @(posedge clk_i) begin
      if (load && (take || !empty_q)) data_o <= empty_q ? data_i : memory[read_q];
      if (!rst_ni) valid_o <= 1'b0;
      else if (load) valid_o <= !empty_q || take;
    end
  end else begin : g_memory
    assign push = take;
    assign pop = valid_o && ready_i;
    assign valid_o = !empty_q;
    assign data_o = memory[read_q];
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(data_o));
`endif
endmodule
