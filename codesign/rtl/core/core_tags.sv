// SPDX-License-Identifier: Apache-2.0
// Function:   what is known of the slot of a token, in its stage 2, whatever was written until then
// Latency:    2 moves from take_i to entry_o, which is that of the token in stage 2
// Throughput: 1 token per cycle
// Timing:     entry_o is a register
// Reset:      none: each entry has to be written once
// Model:      codesign.core.interpret
// What is written is seen by the tokens in stages 1 and 2, from the next cycle on, and by the one that is taken in that
// cycle.
module core_tags #(
    parameter int unsigned Entries = 16,  // a power of two
    parameter int unsigned Width = 8,
    localparam int unsigned IndexBits = Entries > 1 ? $clog2(Entries) : 1
) (
    input  logic                 clk_i,
    input  logic                 take_i,         // a token enters stage 1
    input  logic [IndexBits-1:0] index_i,
    input  logic                 move_i,         // the one in stage 1 enters stage 2
    input  logic                 write_i,
    input  logic [IndexBits-1:0] write_index_i,
    input  logic [    Width-1:0] write_entry_i,
    output logic [    Width-1:0] entry_o
);
  typedef logic [Width-1:0] entry_t;
  (* no_rw_check *) entry_t entries[Entries];
  entry_t read_q, later_q, first, second_q;
  logic written_q;  // later_q was written after the memory was read
  logic [IndexBits-1:0] index_q1, index_q2;
  logic write_1, write_2;
  assign write_1 = write_i && write_index_i == index_q1;
  assign write_2 = write_i && write_index_i == index_q2;
  assign first   = write_1 ? write_entry_i : written_q ? later_q : read_q;
  assign entry_o = second_q;

  always_ff @(posedge clk_i) begin
    if (write_i) entries[write_index_i] <= write_entry_i;
    if (take_i) read_q <= entries[index_i];
  end
  always_ff @(posedge clk_i) begin
    if (take_i) begin
      index_q1  <= index_i;
      written_q <= write_i && write_index_i == index_i;
      later_q   <= write_entry_i;
    end else if (write_1) begin
      written_q <= 1'b1;
      later_q   <= write_entry_i;
    end
    if (move_i) begin
      index_q2 <= index_q1;
      second_q <= first;
    end else if (write_2) begin
      second_q <= write_entry_i;
    end
  end
endmodule
