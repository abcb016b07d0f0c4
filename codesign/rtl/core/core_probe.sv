// SPDX-License-Identifier: Apache-2.0
// Function:   whether an external memory answers and keeps what is written: beats at address 0 and at each power of two
//             are written, each with numbers of its own, and read back. So lines of data or addresses that are stuck or
//             swapped are found, and a memory that is smaller than it should be
// Latency:    that of MemoryAddressBits + 1 writes, and as many reads one after the other
// Throughput: one test at a time; another start begins anew
// Timing:     all outputs are registers
// Reset:      no test
// Model:      rtl_tests.bench_core_probe.patterns
// What lies at these addresses is lost. It has no timeout of its own: silent_i of core_memory ends a test.
module core_probe
  import core_pkg::*;
(
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic                         start_i,
    output logic                         restart_o,      // of core_memory, in the cycle after start_i
    output logic                         done_o,         // for a cycle
    output logic                         good_o,         // then
    input  logic                         silent_i,
    input  logic                         error_i,
    output logic                         write_valid_o,
    input  logic                         write_ready_i,
    output logic                         read_valid_o,
    input  logic                         read_ready_i,
    output logic [MemoryAddressBits-1:0] address_o,      // of a beat
    output logic [       MemoryBits-1:0] data_o,
    input  logic                         data_valid_i,
    input  logic [       MemoryBits-1:0] data_i
);
  localparam logic [31:0] Seed = 32'h5EED_C0DE;

  typedef enum logic [2:0] {
    Off,
    Restart,
    Write,
    Read,
    Wait
  } state_t;
  state_t state_q;
  logic [31:0] number_q, after;
  logic last, next;

  // Numbers of a shift register with feedback; the words of a beat are told apart.
  assign after = {1'b0, number_q[31:1]} ^ (number_q[0] ? 32'hEDB88320 : '0);
  for (genvar w = 0; w < int'(MemoryBits / 32); w++) begin : g_word
    localparam int unsigned Turn = 8 * w;
    assign data_o[w*32+:32] = 32'({number_q, number_q} >> Turn) ^ {4{8'(w * 85)}};
  end

  assign last = address_o[MemoryAddressBits-1];
  assign next = (write_valid_o && write_ready_i) || (state_q == Wait && data_valid_i && data_i == data_o);
  always_ff @(posedge clk_i) begin
    {restart_o, done_o} <= '0;
    unique case (state_q)
      Restart: state_q <= Write;
      Write: if (write_valid_o && write_ready_i && last) state_q <= Read;
      Read: if (read_valid_o && read_ready_i) state_q <= Wait;
      Wait:
      if (data_valid_i) begin
        state_q <= last || data_i != data_o ? Off : Read;
        done_o  <= last || data_i != data_o;
        good_o  <= data_i == data_o;
      end
      default: ;
    endcase
    write_valid_o <= state_q == Restart || (state_q == Write && !(write_ready_i && last));
    read_valid_o  <= (state_q == Write && write_ready_i && last) || (state_q == Read && !read_ready_i) ||
        (state_q == Wait && data_valid_i && data_i == data_o && !last);
    if (next) begin
      number_q  <= last ? Seed : after;
      address_o <= last ? '0 : address_o == '0 ? MemoryAddressBits'(1) : address_o << 1;
    end
    if ((silent_i || error_i) && state_q != Off && state_q != Restart) begin
      state_q <= Off;
      {write_valid_o, read_valid_o, done_o, good_o} <= 4'b0010;
    end
    if (start_i) begin
      state_q <= Restart;
      {write_valid_o, read_valid_o, restart_o, done_o} <= 4'b0010;
      {number_q, address_o} <= {Seed, MemoryAddressBits'(0)};
    end
    if (!rst_ni) begin
      state_q <= Off;
      {write_valid_o, read_valid_o, restart_o, done_o} <= '0;
    end
  end

`ifndef SYNTHESIS
  a_write :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      write_valid_o && !write_ready_i && !start_i && !silent_i && !error_i |=> write_valid_o && $stable(
      {address_o, data_o}
  ));
  a_read :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      read_valid_o && !read_ready_i && !start_i && !silent_i && !error_i |=> read_valid_o && $stable(
      address_o
  ));
`endif
endmodule
