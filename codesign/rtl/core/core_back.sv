// SPDX-License-Identifier: Apache-2.0
// Function:   new rows of words that lie outside -> records for the memory, of the words of which a row has changed, or
//             of all in a first frame: the memory holds rubbish then
// Latency:    6 cycles from the last row of a word to its first beat
// Throughput: 1 row a cycle; 1 beat a cycle
// Timing:     registers at all outputs but idle_o; rows are read from distributed RAM
// Reset:      empty
// Model:      rtl_tests.bench_core_codes.Codes
// A row has its room from take_i on, before core_send works on it, until it has left or nothing in its word changed.
module core_back
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned Rows = 32
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                              step_i,           // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic                               fresh_i,
    input  logic       [MemoryAddressBits-1:0] origin_i,
    output logic                               room_o,
    input  logic                               take_i,           // a part whose row will come
    output logic                               idle_o,           // no row is inside, or on its way
    input  logic                               row_i,
    input  logic       [        IndexBits-1:0] word_i,
    input  logic                               last_part_i,
    input  logic                               changed_i,
    input  logic       [Quantisers*CodeBits-1:0] codes_i,
    output logic                               write_valid_o,
    input  logic                               write_ready_i,
    output logic       [MemoryAddressBits-1:0] write_address_o,
    output logic       [                  7:0] write_beats_o,
    output logic       [       MemoryBits-1:0] write_data_o,
    output logic                               write_last_o
);
  localparam int unsigned RowBits = $clog2(Rows);
  localparam int unsigned CountBits = $clog2(Rows + 1);
  if (2 ** $clog2(Rows) != Rows || Rows < 2 * MostParts) begin : g_bad
    $error("core_back: Rows must be a power of two, for two words at least");
  end

  // The rows of a word follow each other; without a change its room is that of the next one.
  logic [Quantisers*CodeBits-1:0] rows[Rows];
  logic [RowBits-1:0] tail_q, begin_q, head_q;
  logic changed_q, keep, commit, discard, left;
  logic [CountBits-1:0] room_q;
  logic [4:1] commit_q;
  assign keep = fresh_i || changed_q || changed_i;
  assign commit = row_i && last_part_i && keep;
  assign discard = row_i && last_part_i && !keep;
  always_ff @(posedge clk_i) if (row_i) rows[tail_q] <= codes_i;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {tail_q, begin_q, changed_q, commit_q} <= '0;
      room_q <= CountBits'(Rows);
      room_o <= 1'b1;
    end else begin
      if (row_i) begin
        changed_q <= (changed_q || changed_i) && !last_part_i;
        tail_q <= discard ? begin_q : tail_q + 1'b1;
      end
      if (commit) begin_q <= tail_q + 1'b1;
      commit_q <= {commit_q[3:1], commit};
      room_q <= room_q - CountBits'(take_i) + CountBits'(left) + (discard ? CountBits'(step_i.parts) : '0);
      room_o <= left || discard || room_q > CountBits'(1) || (room_q == 1 && !take_i);
    end
  end

  logic [MemoryAddressBits-1:0] address, next_address;
  logic next, load, last_beat, last_row;
  // verilator lint_off UNUSEDSIGNAL
  logic unused_outside, unused_ready;
  // verilator lint_on UNUSEDSIGNAL
  core_record u_record (
      .clk_i,
      .enable_i (1'b1),
      .step_i,
      .origin_i,
      .word_i,
      .outside_o(unused_outside),
      .address_o(address)
  );
  delta_fifo #(
      .Width(MemoryAddressBits),
      .Depth(Rows),
      .Registered(1'b0)
  ) u_addresses (
      .clk_i,
      .rst_ni,
      .valid_i(commit_q[4]),
      .ready_o(unused_ready),  // no more words than rows
      .data_i (address),
      .valid_o(next),
      .ready_i(load && last_beat && last_row),
      .data_o (next_address)
  );

  // Rows to beats.
  logic [RowBeats-1:0][MemoryBits-1:0] beats;
  logic [7:0] beat_q;
  logic [3:0] part_q;
  assign beats = (RowBeats * MemoryBits)'(rows[head_q]);
  assign load = write_ready_i || !write_valid_o;
  assign last_beat = beat_q == 8'(RowBeats - 1);
  assign last_row = part_q == step_i.parts - 4'd1;
  assign left = load && next && last_beat;
  assign idle_o = room_q == CountBits'(Rows) && !write_valid_o;
  always_ff @(posedge clk_i) begin
    write_beats_o <= 8'(step_i.parts * 8'(RowBeats));
    if (load) begin
      {write_address_o, write_last_o} <= {next_address, last_beat && last_row};
      write_data_o <= beats[beat_q];
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {write_valid_o, beat_q, part_q, head_q} <= '0;
    else if (load) begin
      write_valid_o <= next;
      if (next) beat_q <= last_beat ? '0 : beat_q + 1'b1;
      if (left) {part_q, head_q} <= {last_row ? 4'd0 : part_q + 1'b1, head_q + 1'b1};
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_valid_o && !write_ready_i |=> write_valid_o);
  a_beat :
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_valid_o && !write_ready_i |=>
      $stable({write_address_o, write_beats_o, write_data_o, write_last_o}));
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) take_i |-> room_q != 0);
`endif
endmodule
