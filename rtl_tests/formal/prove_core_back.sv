// SPDX-License-Identifier: Apache-2.0
// core_back: a word enters with its last row, if it is kept: as all beats of its record at once. One beat of one row is
// looked at, any one, in every word that has it.
module prove_core_back
  import core_pkg::*;
#(
    parameter int unsigned Rows = 4
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [IndexBits-1:0] code_base_i,
    input logic [3:0] parts_i,
    input logic fresh_i,
    input logic [MemoryAddressBits-1:0] origin_i,
    input logic take_i,
    input logic row_i,
    input logic [IndexBits-1:0] word_i,
    input logic changed_i,
    input logic [Quantisers*CodeBits-1:0] codes_i,
    input logic write_ready_i,
    input logic mark_i,
    input logic [3:0] some_part_i,
    input logic [7:0] some_beat_i
);
  localparam int unsigned Most = Rows * RowBeats + 1;
  localparam int unsigned Enter = MostParts * RowBeats;
  localparam int unsigned EnterBits = $clog2(Enter + 1);
  localparam int unsigned RowBits = $clog2(Rows);
  typedef logic [MemoryAddressBits-1:0] address_t;
  typedef logic [RowBits-1:0] place_t;
  typedef struct packed {
    address_t address;
    logic last;
    logic [MemoryBits-1:0] data;
  } beat_t;
  step_t step;
  logic room, idle, valid, last_part;
  logic [7:0] beats;
  beat_t shown, value, entered;
  always_comb begin
    step = '0;
    {step.code_base, step.parts} = {code_base_i, parts_i};
  end

  assume_reset i_reset (.*);
  core_back #(
      .Rows(Rows)
  ) dut (
      .clk_i,
      .rst_ni,
      .step_i         (step),
      .fresh_i,
      .origin_i,
      .room_o         (room),
      .take_i,
      .idle_o         (idle),
      .row_i,
      .word_i,
      .last_part_i    (last_part),
      .changed_i,
      .codes_i,
      .write_valid_o  (valid),
      .write_ready_i,
      .write_address_o(shown.address),
      .write_beats_o  (beats),
      .write_data_o   (shown.data),
      .write_last_o   (shown.last)
  );

  // The word that comes in: its rows so far, and the picked beat of it.
  logic [3:0] come_q, pick_q;
  logic [7:0] pick_beat_q;
  logic changed_q, enter;
  logic [MemoryBits-1:0] picked_q, picked;
  logic [RowBeats-1:0][MemoryBits-1:0] row;
  assign row = (RowBeats * MemoryBits)'(codes_i);
  assign last_part = come_q + 1'b1 == parts_i;
  assign picked = come_q == pick_q ? row[pick_beat_q] : picked_q;
  assign enter = row_i && last_part && (fresh_i || changed_q || changed_i);
  function automatic address_t address_of(input logic [IndexBits-1:0] row_number);
    address_of = origin_i + address_t'(row_number) * address_t'(RowBeats);
  endfunction
  assign entered = '{
          address: address_of(code_base_i + word_i * IndexBits'(parts_i)),
          last: pick_q + 1'b1 == parts_i && 32'(pick_beat_q) == RowBeats - 1,
          data: picked
      };

  logic marked;
  logic [$clog2(Most+Enter+1)-1:0] count, ahead;
  check_stream #(
      .Width   ($bits(beat_t)),
      .Most    (Most),
      .Enter   (Enter),
      .Patience(5)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (enter ? EnterBits'(parts_i) * EnterBits'(RowBeats) : '0),
      .before_i    (EnterBits'(pick_q) * EnterBits'(RowBeats) + EnterBits'(pick_beat_q)),
      .enter_data_i(entered),
      .mark_i,
      .valid_i     (valid),
      .ready_i     (write_ready_i),
      .data_i      (shown),
      .inside_o    (count),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // Rows that have their room: not come yet, come of this word, and those of words that have entered.
  logic [15:0] coming_q, stored_q, held;
  logic [7:0] beat_q;  // of its row, the one that is offered
  logic end_of_row, row_ends, flows_q;
  assign end_of_row = valid && 32'(beat_q) == RowBeats - 1;
  assign row_ends = end_of_row && write_ready_i;
  assign held = coming_q + 16'(come_q) + stored_q;  // with the one whose last beat is offered

  // Inside of the leaf: words, the one of the marked beat, and where its row is.
  logic [15:0] words, words_ahead_q, distance;
  logic [3:0] commit_at;  // the oldest word on its way to the queue
  place_t place_q;
  logic pop, addressed;
  assign pop = dut.load && dut.next && dut.last_beat && dut.last_row;
  assign words = 16'(dut.u_addresses.count_q) + 16'($countones(dut.commit_q));
  assign distance = 16'(place_t'(place_q - dut.head_q));
  always_comb begin
    addressed = 16'(dut.u_addresses.count_q) > words_ahead_q &&
        dut.u_addresses.memory[dut.u_addresses.read_q+place_t'(words_ahead_q)] == value.address;
    commit_at = '0;
    for (int unsigned s = 1; s <= 4; s++) if (dut.commit_q[s]) commit_at = 4'(s);
    if (dut.commit_q[4] && 16'(dut.u_addresses.count_q) == words_ahead_q) addressed |= dut.address == value.address;
    if (dut.commit_q[3] && 16'(dut.u_addresses.count_q) + 16'(dut.commit_q[4]) == words_ahead_q) begin
      addressed |= origin_i + dut.u_record.beats_q3 == value.address;
    end
    if (dut.commit_q[2] && 16'(dut.u_addresses.count_q) + 16'($countones(dut.commit_q[4:3])) == words_ahead_q) begin
      addressed |= address_of(dut.u_record.first_q2) == value.address;
    end
    if (dut.commit_q[1] && words == words_ahead_q + 1'b1) begin
      addressed |= address_of(code_base_i + dut.u_record.rows_q) == value.address;
    end
  end

  logic past_q = 1'b0;
  logic [IndexBits-1:0] code_base_q;
  logic [3:0] parts_q;
  logic fresh_q;
  address_t origin_q;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) {pick_q, pick_beat_q} <= {some_part_i, some_beat_i};
    {code_base_q, parts_q, fresh_q, origin_q} <= {code_base_i, parts_i, fresh_i, origin_i};
    m_picked : assume (!past_q || (32'(pick_q) < MostParts && 32'(pick_beat_q) < RowBeats));
    m_parts : assume (parts_i != 0 && 32'(parts_i) <= MostParts);
    m_stays : assume (!rst_ni || held == 0 || {code_base_i, parts_i, fresh_i, origin_i} ==
                      {code_base_q, parts_q, fresh_q, origin_q});
    m_room : assume (!take_i || room);
    m_row : assume (!row_i || coming_q != 0);
    if (!rst_ni) {coming_q, come_q, stored_q, changed_q, beat_q, flows_q} <= '0;
    else begin
      coming_q <= coming_q + 16'(take_i) - 16'(row_i);
      if (row_i) begin
        come_q <= last_part ? '0 : come_q + 1'b1;
        changed_q <= !last_part && (changed_q || changed_i);
        picked_q <= picked;
      end
      stored_q <= stored_q + (enter ? 16'(parts_i) : '0) - 16'(row_ends);
      if (valid && write_ready_i) beat_q <= end_of_row ? '0 : beat_q + 1'b1;
      flows_q <= valid && write_ready_i && !shown.last;
      if (enter && mark_i && !marked) begin
        words_ahead_q <= words - 16'(pop);
        place_q <= dut.begin_q + place_t'(pick_q);
      end else words_ahead_q <= words_ahead_q - 16'(pop && words_ahead_q != 0);

      a_beats : assert (!valid || beats == 8'(parts_i) * 8'(RowBeats));
      a_whole : assert (!flows_q || valid);
      a_room : assert (room == (held - 16'(end_of_row) < 16'(Rows)));
      a_idle : assert (idle == (held == 0));
      i_counts : assert (32'(coming_q) <= Rows && 32'(stored_q) <= Rows + 1 && come_q < parts_i &&
                         (!valid || stored_q != 0));
      i_room : assert (16'(dut.room_q) == 16'(Rows) - (held - 16'(end_of_row)) && room == (dut.room_q != 0));
      i_beat : assert (32'(beat_q) < RowBeats && (valid || beat_q == 0) &&
                       dut.beat_q == (valid && !end_of_row ? beat_q + 1'b1 : '0));
      i_part : assert (dut.part_q < parts_i && 32'(dut.beat_q) < RowBeats &&
                       (dut.next || (dut.part_q == 0 && dut.beat_q == 0)));
      i_words : assert (words * 16'(parts_i) == stored_q - 16'(end_of_row) + 16'(dut.part_q));
      i_inside : assert (32'(count) == (32'(stored_q) - 32'(end_of_row)) * RowBeats - 32'(dut.beat_q) + 32'(valid));
      i_places : assert (dut.begin_q == place_t'(dut.head_q + place_t'(stored_q - 16'(end_of_row))) &&
                         dut.tail_q == place_t'(dut.begin_q + place_t'(come_q)));
      i_changed : assert (dut.changed_q == changed_q && (come_q != 0 || !changed_q));
      i_picked : assert (come_q <= pick_q || beat_at(place_t'(dut.begin_q + place_t'(pick_q))) == picked_q);
      i_marked : assert (!marked || (ahead == 0 && valid) || (addressed && words_ahead_q < words &&
                         distance + 16'(dut.part_q) == words_ahead_q * 16'(parts_i) + 16'(pick_q) && pick_q < parts_i &&
                         32'(distance) * RowBeats + 32'(pick_beat_q) == 32'(ahead) - 32'(valid) + 32'(dut.beat_q) &&
                         value.last == (pick_q + 1'b1 == parts_i && 32'(pick_beat_q) == RowBeats - 1) &&
                         beat_at(place_q) == value.data));
      i_late : assert (valid || count == 0 || 32'(i_stream.late_q) <= (dut.next ? 4 : 32'(commit_at) - 1));
      i_beats : assert (held == 0 || beats == 8'(parts_i) * 8'(RowBeats));
      i_last : assert (!valid || shown.last == (end_of_row && dut.part_q == 0));
      i_queue : assert (32'(dut.u_addresses.count_q) <= Rows && dut.u_addresses.write_q ==
                        place_t'(dut.u_addresses.read_q + place_t'(dut.u_addresses.count_q)) &&
                        dut.u_addresses.empty_q == (dut.u_addresses.count_q == 0) &&
                        dut.u_addresses.ready_o == (32'(dut.u_addresses.count_q) != Rows));
      c_word : cover (marked && valid && write_ready_i && ahead == 0 && 32'(pick_q) == MostParts - 1 &&
                      32'(parts_i) == MostParts && words_ahead_q == 0 && value.data != '0);
      c_dropped : cover (row_i && last_part && !enter && 32'(parts_i) == MostParts && valid && !write_ready_i);
    end
  end
  logic [RowBeats-1:0][MemoryBits-1:0] rows[Rows];
  for (genvar r = 0; r < int'(Rows); r++) begin : g_row
    assign rows[r] = (RowBeats * MemoryBits)'(dut.rows[r]);
  end
  function automatic logic [MemoryBits-1:0] beat_at(input place_t place);
    beat_at = rows[place][pick_beat_q];
  endfunction
endmodule
