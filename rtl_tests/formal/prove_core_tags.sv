// SPDX-License-Identifier: Apache-2.0
// core_tags: one slot is watched, any one. Its model is written at once; a token in stage 2 sees the model, however
// long it waits and whenever it is written.
module prove_core_tags #(
    parameter int unsigned Entries = 4,
    parameter int unsigned Width = 3,
    localparam int unsigned IndexBits = Entries > 1 ? $clog2(Entries) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic take_i,
    input logic [IndexBits-1:0] index_i,
    input logic move_i,
    input logic write_i,
    input logic [IndexBits-1:0] write_index_i,
    input logic [Width-1:0] write_entry_i,
    input logic [IndexBits-1:0] some_slot_i
);
  logic [Width-1:0] entry, value_q;
  logic [IndexBits-1:0] slot_q;  // the watched one
  logic write, known_q;  // it was written since the reset
  logic [2:1] full_q, here_q;  // a token is in the stage, of the watched slot

  assume_reset i_reset (.*);
  core_tags #(
      .Entries(Entries),
      .Width  (Width)
  ) dut (
      .clk_i,
      .take_i,
      .index_i,
      .move_i,
      .write_i,
      .write_index_i,
      .write_entry_i,
      .entry_o(entry)
  );
  assign write = write_i && write_index_i == slot_q;

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) slot_q <= some_slot_i;
    m_entries : assume (32'(index_i) < Entries && 32'(write_index_i) < Entries && 32'(some_slot_i) < Entries);
    m_moves : assume (!take_i || move_i || !full_q[1]);  // no token over another one
    if (!rst_ni) {full_q, here_q, known_q} <= '0;
    else begin
      if (move_i) {full_q[2], here_q[2]} <= {full_q[1], here_q[1]};
      if (take_i) {full_q[1], here_q[1]} <= {1'b1, known_q && index_i == slot_q};
      else if (move_i) {full_q[1], here_q[1]} <= '0;
      if (write) {known_q, value_q} <= {1'b1, write_entry_i};

      a_entry : assert (!here_q[2] || entry == value_q);
      i_full : assert ((full_q | ~here_q) == '1 && (known_q || here_q == '0) && 32'(slot_q) < Entries);
      i_memory : assert (!known_q || dut.entries[slot_q] == value_q);
      i_1 : assert (!here_q[1] || (dut.index_q1 == slot_q && (dut.written_q ? dut.later_q : dut.read_q) == value_q));
      i_2 : assert (!here_q[2] || dut.index_q2 == slot_q);
      c_chain : cover (here_q == '1 && write && take_i && index_i == slot_q && entry != write_entry_i);
      c_waits : cover (here_q[2] && write && !move_i && entry != write_entry_i);
    end
  end
endmodule
