// SPDX-License-Identifier: Apache-2.0
// core_order: the model knows what was taken last, of each of the three streams, and whether a chain of additions is
// open. What leaves is that, in the next cycle.
module prove_core_order
  import core_pkg::*;
  import core_types::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic op_valid_i,
    input operation_t op_i,
    input logic [7:0] beats_i,
    input logic read_valid_i,
    input logic [IndexBits-1:0] read_address_i,
    input logic sweep_valid_i,
    input logic [IndexBits-1:0] sweep_read_i,
    input logic [IndexBits-1:0] sweep_write_i,
    input logic ready_i
);
  logic op_ready, read_ready, sweep_ready, valid, free;
  operation_t op, op_q, expected_q;

  assume_reset i_reset (.*);
  core_order dut (
      .clk_i,
      .rst_ni,
      .op_valid_i,
      .op_ready_o   (op_ready),
      .op_i,
      .beats_i,
      .read_valid_i,
      .read_ready_o (read_ready),
      .read_address_i,
      .sweep_valid_i,
      .sweep_ready_o(sweep_ready),
      .sweep_read_i,
      .sweep_write_i,
      .valid_o      (valid),
      .ready_i,
      .op_o         (op)
  );

  logic act, read, sweep, shares, may_ride, due_q, open_q, open, stalled_q;
  operation_t expected;
  assign free = ready_i || !valid;
  assign act = op_valid_i && op_ready;
  assign read = read_valid_i && read_ready;
  assign sweep = sweep_valid_i && sweep_ready;
  assign shares = HasMemory && 32'(read_address_i) % CachedWords == 32'(op_i.sum) % CachedWords;
  // A word goes with an addition inside of a chain whose slot it has not; else by itself, or with a chain's second one.
  assign may_ride = open_q ? op_valid_i && !shares : !(op_valid_i && op_i.add && op_i.first && !op_i.last);
  always_comb begin
    expected = act ? op_i : '0;
    expected.read = read;
    if (read) {expected.from, expected.beats} = {read_address_i, beats_i};
    if (sweep) begin
      expected = '0;
      {expected.copy, expected.first, expected.last} = 3'b111;
      {expected.from, expected.sum, expected.beats} = {sweep_read_i, sweep_write_i, beats_i};
    end
  end
  assign open = act ? op_i.add && !op_i.last : open_q;

  always_ff @(posedge clk_i) begin
    op_q <= op;
    if (!rst_ni) {due_q, open_q, stalled_q} <= '0;
    else begin
      stalled_q <= valid && !ready_i;
      if (free) due_q <= act || read || sweep;
      if (act || read || sweep) expected_q <= expected;
      open_q <= open;

      a_offered : assert (valid == due_q);
      a_operation : assert (!valid || op == expected_q);
      a_stable : assert (!stalled_q || (valid && op == op_q));
      a_kept : assert (free || !(act || read || sweep));
      a_chain : assert (!open_q || !(sweep || (read && !act)));
      a_slot : assert (!read || !act || (open_q && !shares));
      a_alone : assert (!sweep || !(act || read));
      a_rides : assert (!read || act || !op_valid_i || !op_i.add || !op_i.first || op_i.last);
      a_op_taken : assert (!free || !op_valid_i || act || sweep || (read && !open_q));
      a_read_taken : assert (!free || !read_valid_i || read || sweep || !may_ride);
      a_sweep_taken : assert (!free || !sweep_valid_i || sweep || open_q);
      i_chain : assert (dut.chain_q == open_q);
      c_rides : cover (open_q && act && read && stalled_q);
      c_shares : cover (open_q && act && read_valid_i && shares && !read);
      c_sweep : cover (sweep && op_valid_i && read_valid_i);
    end
  end
endmodule
