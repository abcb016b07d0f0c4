// SPDX-License-Identifier: Apache-2.0
// Function:   asks for the rows of a pass that lie outside before their words come: words in order, of word_i or,
//             of a step of the source, 0 .. words - 1 -> for each, outside_o, in order; and its rows: codes_o is that
//             of a part, 3 enabled cycles after it was taken
// Latency:    5 cycles from a word to outside_o, 4 to a request
// Throughput: 1 word a cycle, of those outside one in 2; 1 beat a cycle from the memory
// Timing:     registers at codes_o, outside_o, read_address_o; combinational read_ready_i -> word_ready_o
// Reset:      empty
// Model:      rtl_tests.bench_core_codes.Codes
// The memory is not asked to wait: a record is asked for once there is room for it, Words words. A source may end
// before its words do: from the cycle after ending_i on nothing more is asked for, and what still comes is dropped.
module core_ahead
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned Words = 16,
    parameter int unsigned Tags = 32  // words whose place is known, as many as core_fetch has
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               start_i,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                              step_i,          // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic                               read_i,          // rows are read in this pass
    input  logic       [MemoryAddressBits-1:0] origin_i,
    input  logic                               word_valid_i,
    output logic                               word_ready_o,
    input  logic                               word_end_i,
    input  logic       [        IndexBits-1:0] word_i,
    input  logic                               ending_i,        // the end of the pass waits
    output logic                               idle_o,          // with ending_i: no read is under way
    input  logic                               clear_i,         // the end was taken
    output logic                               known_o,         // of the word whose part is offered
    output logic                               outside_o,
    output logic                               there_o,         // its row, if it is outside
    input  logic                               take_i,          // a part
    input  logic                               last_part_i,
    input  logic                               enable_i,        // the stages of core_send move
    output logic [Quantisers*CodeBits-1:0]     codes_o,
    output logic                               read_valid_o,
    input  logic                               read_ready_i,
    output logic       [MemoryAddressBits-1:0] read_address_o,
    output logic       [                  7:0] read_beats_o,
    input  logic                               data_valid_i,
    input  logic       [       MemoryBits-1:0] data_i
);
  localparam int unsigned Rows = Words * MostParts;
  localparam int unsigned RowBits = $clog2(Rows);
  localparam int unsigned CountBits = $clog2(Rows + 1);
  if (2 ** $clog2(Words) != Words || Words < 2) begin : g_bad
    $error("core_ahead: Words must be a power of two");
  end
  if (MostParts * RowBeats > 255) begin : g_bad_record
    $error("core_ahead: at most 255 beats a word");
  end

  // Words, and where they lie.
  logic move, given, pushed, tag_ready, far, asked, offered_q, busy_q;
  logic [4:1] valid_q;
  logic [IndexBits-1:0] word_q, left_q;
  assign given = step_i.source ? busy_q : word_valid_i && !word_end_i;
  assign word_ready_o = !step_i.source && (move || word_end_i);
  assign move = pushed || !valid_q[4];
  core_record u_record (
      .clk_i,
      .enable_i(move),
      .step_i,
      .origin_i,
      .word_i(step_i.source ? word_q : word_i),
      .outside_o(far),
      .address_o(read_address_o)
  );
  always_ff @(posedge clk_i) begin
    read_beats_o <= 8'(step_i.parts * 8'(RowBeats));
    if (start_i) {word_q, left_q} <= {IndexBits'(0), step_i.words};
    else if (move) {word_q, left_q} <= {word_q + 1'b1, left_q - 1'b1};
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) {valid_q, busy_q} <= '0;
    else begin
      if (move) valid_q <= {valid_q[3:1], given};
      if (start_i) busy_q <= step_i.source;
      else if (move && left_q == 1) busy_q <= 1'b0;
    end
  end

  // A word whose rows are to be read waits for room.
  logic [CountBits-1:0] room_q, due_q, rows_q;  // rows: not asked for, under way, there
  logic arrived_q, ending_q, enough_q, fits;
  logic pop, popped_q;  // popped_q: one is taken, and read as soon as core_send moves
  assign fits = tag_ready && !ending_q && enough_q;
  assign read_valid_o = valid_q[4] && far && read_i && (offered_q || fits);
  assign asked = read_valid_o && read_ready_i;
  assign pushed = valid_q[4] && (far && read_i ? asked : tag_ready);
  assign idle_o = due_q == 0 && !read_valid_o;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      {due_q, rows_q, offered_q, ending_q, enough_q, there_o, popped_q} <= '0;
      room_q <= CountBits'(Rows);
    end else begin
      offered_q <= read_valid_o && !read_ready_i;
      ending_q  <= ending_i;
      enough_q  <= !asked && room_q >= CountBits'(step_i.parts);
      if (enable_i) popped_q <= pop;
      room_q <= room_q - (asked ? CountBits'(step_i.parts) : '0) + CountBits'(popped_q && enable_i);
      due_q <= due_q + (asked ? CountBits'(step_i.parts) : '0) - CountBits'(arrived_q);
      rows_q <= rows_q + CountBits'(arrived_q) - CountBits'(pop);
      there_o <= arrived_q || rows_q > CountBits'(1) || (rows_q == 1 && !pop);
    end
  end
  delta_fifo #(
      .Width(1),
      .Depth(Tags)
  ) u_tags (
      .clk_i,
      .rst_ni (rst_ni && !clear_i),
      .valid_i(pushed),
      .ready_o(tag_ready),
      .data_i (far),
      .valid_o(known_o),
      .ready_i(take_i && last_part_i),
      .data_o (outside_o)
  );

  // Beats to rows, and rows to parts.
  localparam int unsigned Codes = Quantisers * CodeBits;
  (* no_rw_check, ram_style = "block" *) logic [Codes-1:0] queue[Rows];
  logic [Codes-1:0] row_q, codes_q2;
  logic [RowBits-1:0] write_q, next_q, address_q;
  logic [7:0] beat_q;
  logic last_beat;
  // verilator lint_off UNUSEDSIGNAL
  logic [RowBeats-1:0][MemoryBits-1:0] beats;  // padded
  // verilator lint_on UNUSEDSIGNAL
  assign last_beat = beat_q == 8'(RowBeats - 1);
  if (RowBeats > 1) begin : g_gather
    logic [RowBeats-2:0][MemoryBits-1:0] beats_q;
    assign beats = {data_i, beats_q};
    always_ff @(posedge clk_i) if (data_valid_i) beats_q <= beats[RowBeats-1:1];
  end else begin : g_alone
    assign beats = data_i;
  end
  assign pop = take_i && outside_o && read_i;
  always_ff @(posedge clk_i) begin
    row_q <= Codes'(beats);
    if (arrived_q) queue[write_q] <= row_q;
    if (enable_i) {address_q, codes_q2, codes_o} <= {next_q, queue[address_q], codes_q2};
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) {arrived_q, beat_q, write_q, next_q} <= '0;
    else begin
      arrived_q <= data_valid_i && last_beat;
      if (data_valid_i) beat_q <= last_beat ? '0 : beat_q + 1'b1;
      write_q <= write_q + RowBits'(arrived_q);
      next_q <= next_q + RowBits'(pop);
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_valid_o && !read_ready_i |=> read_valid_o);
  a_request :
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_valid_o && !read_ready_i |=>
      $stable({read_address_o, read_beats_o}));
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      due_q + rows_q + room_q + CountBits'(popped_q) == CountBits'(Rows));
  a_due :
  assert property (@(posedge clk_i) disable iff (!rst_ni) data_valid_i |-> due_q > CountBits'(arrived_q));
  a_there :
  assert property (@(posedge clk_i) disable iff (!rst_ni) pop |-> known_o && there_o);
`endif
endmodule
