// SPDX-License-Identifier: Apache-2.0
// Function:   stream FIFO from one clock to another, of which neither needs to know the other; holds Depth tokens, and
//             one more in the register at its end
// Latency:    valid_o after the third rising edge of read_clk_i from the one of write_clk_i on that takes the token
// Throughput: 1 token per cycle of the slower clock if Depth is 16
// Timing:     ready_o, valid_o and data_o are registers; valid_i -> write enable of the memory. Between the clocks only
//             pointers in Gray code, one bit of which changes at a time, and the memory, written before its pointer
// Reset:      empty, and ready_o is low; both sides have to be in reset together, long enough for a pointer to cross:
//             sdram_crossing sees to that
// Model:      collections.deque
// Pointers as in C. E. Cummings, Simulation and Synthesis Techniques for Asynchronous FIFO Design, SNUG 2002, style 1.
// Their bits must arrive less than a cycle of their clock apart; no tool here checks that, but routes are shorter.
// Depth costs distributed RAM: 4 to 16 cost the same.
module sdram_fifo #(
    parameter int unsigned Width = 1,
    parameter int unsigned Depth = 16
) (
    input  logic             write_clk_i,
    input  logic             write_rst_ni,
    input  logic             valid_i,
    output logic             ready_o,
    input  logic [Width-1:0] data_i,
    input  logic             read_clk_i,
    input  logic             read_rst_ni,
    output logic             valid_o,
    input  logic             ready_i,
    output logic [Width-1:0] data_o
);
  localparam int unsigned Bits = $clog2(Depth);
  if (Width < 1 || Depth < 4 || 2 ** Bits != Depth) begin : g_bad
    $error("sdram_fifo: Width must be at least 1, Depth a power of two from 4 on");
  end
  typedef logic [Bits:0] pointer_t;  // a bit more than an address: full is not empty
  // Gray codes of two numbers that are Depth apart differ in their two upper bits.
  localparam pointer_t Full = pointer_t'(3) << (Bits - 1);

  logic [Width-1:0] memory[Depth];
  pointer_t write_q, write_next, read_q, read_next;
  pointer_t wrote_q, took_q;  // write_q and read_q in Gray code
  logic write, read;
  (* async_reg = "true", shreg_extract = "no", keep *) pointer_t wrote_1_q, wrote_2_q;  // wrote_q, at read_clk_i
  (* async_reg = "true", shreg_extract = "no", keep *) pointer_t took_1_q, took_2_q;  // took_q, at write_clk_i

  function automatic pointer_t gray(input pointer_t number);
    gray = number ^ (number >> 1);
  endfunction

  // Written.
  assign write = valid_i && ready_o;
  assign write_next = write_q + pointer_t'(write);
  always_ff @(posedge write_clk_i) if (write) memory[write_q[Bits-1:0]] <= data_i;
  always_ff @(posedge write_clk_i) begin
    {took_2_q, took_1_q} <= {took_1_q, took_q};
    write_q <= write_next;
    wrote_q <= gray(write_next);
    ready_o <= (gray(write_next) ^ took_2_q) != Full;
    if (!write_rst_ni) {write_q, wrote_q, ready_o} <= '0;
  end

  // Read.
  assign read = (ready_i || !valid_o) && took_q != wrote_2_q;
  assign read_next = read_q + pointer_t'(read);
  always_ff @(posedge read_clk_i) begin
    {wrote_2_q, wrote_1_q} <= {wrote_1_q, wrote_q};
    read_q <= read_next;
    took_q <= gray(read_next);
    if (read) data_o <= memory[read_q[Bits-1:0]];
    valid_o <= read || (valid_o && !ready_i);
    if (!read_rst_ni) {read_q, took_q, valid_o} <= '0;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge read_clk_i) disable iff (!read_rst_ni) valid_o && !ready_i |=> valid_o);
  a_data :
  assert property (@(posedge read_clk_i) disable iff (!read_rst_ni) valid_o && !ready_i |=> $stable(data_o));
  a_wrote :  // one bit at a time
  assert property (@(posedge write_clk_i) disable iff (!write_rst_ni) 1'b1 |=> $onehot0(wrote_q ^ $past(wrote_q)));
  a_took :
  assert property (@(posedge read_clk_i) disable iff (!read_rst_ni) 1'b1 |=> $onehot0(took_q ^ $past(took_q)));
`endif
endmodule
