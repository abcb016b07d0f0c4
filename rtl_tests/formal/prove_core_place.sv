// SPDX-License-Identifier: Apache-2.0
// core_place, with stand-ins for both core_divide. The model knows the word, the reader and the lane whose turn it is;
// each event that is issued enters with what must leave for it. One record of a reader is watched, one entry of the
// table of rows and one of that of columns, any ones: what is said of an event is said of those with these.
module prove_core_place
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned Divide = 9  // stages of the stand-ins
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [7:0] reader_base_i,
    input logic [7:0] readers_i,
    input logic valid_i,
    input changed_t changed_i,
    input logic ready_i,
    input logic load_place_i,
    input logic load_table_i,
    input logic [IndexBits-1:0] load_address_i,
    input place_t load_place_data_i,
    input table_t load_table_data_i,
    input logic mark_i,
    input logic [7:0] some_reader_i,
    input logic [IndexBits-1:0] some_row_i,
    input logic [IndexBits-1:0] some_column_i
);
  localparam int unsigned PlaceAddressBits = PlaceDepth > 1 ? $clog2(PlaceDepth) : 1;
  localparam int unsigned TableAddressBits = TableDepth > 1 ? $clog2(TableDepth) : 1;
  localparam int unsigned Stages = 2 * Divide + 8;  // a queue is its memory and its register
  typedef logic [IndexBits-1:0] index_t;
  typedef logic [PlaceAddressBits-1:0] place_address_t;
  typedef logic [TableAddressBits-1:0] table_address_t;
  typedef struct packed {
    logic end_of_pass;
    logic none;
    logic free;
    logic [7:0] walk;
    logic [Lanes-1:0] mask;
    logic element;
    index_t columns;
    logic [IndexBits:0] column_recip;
    logic [5:0] column_shift;
    index_t row_table;
    index_t column_table;
  } carried_t;
  logic ready, valid;
  located_t event_o;

  assume_reset i_reset (.*);
  core_place dut (
      .clk_i,
      .rst_ni,
      .reader_base_i,
      .readers_i,
      .valid_i,
      .ready_o(ready),
      .changed_i,
      .valid_o(valid),
      .ready_i,
      .event_o,
      .load_place_i,
      .load_table_i,
      .load_address_i,
      .load_place_data_i,
      .load_table_data_i
  );

  // What is watched.
  place_address_t place_at_q;
  table_address_t row_at_q, column_at_q;
  logic place_known_q, row_known_q, column_known_q;
  place_t place_q;
  table_t row_q, column_q;

  // The word, the reader and the lanes that are left.
  logic busy_q, none, skip, element, watched, issue, last_lane, last_reader, finish, take;
  changed_t word_q;
  logic [7:0] reader_q;
  logic [Lanes-1:0] lanes_q, rest;
  logic [LaneBits-1:0] lane;
  logic [1:0] late_q;
  logic [4:0] slow_q;  // cycles in which the stages moved and nothing was in the last one
  assign take = valid_i && ready;
  assign none = readers_i == 0;
  assign skip = word_q.end_of_pass || none;
  assign watched = place_known_q && !skip && place_address_t'(reader_base_i + reader_q) == place_at_q;
  assign element = watched ? place_q.element : dut.element_q;  // of others as the leaf says
  assign issue = dut.issue && dut.move;
  assign rest = lanes_q & (lanes_q - 1'b1);
  always_comb begin
    lane = '0;
    for (int l = int'(Lanes) - 1; l >= 0; l--) if (lanes_q[l]) lane = LaneBits'(l);
  end
  assign last_lane = !element || rest == 0;
  assign last_reader = reader_q + 1'b1 == readers_i;
  assign finish = issue && (skip || (last_lane && last_reader));

  // What must leave for it. Nothing is said of what an end of a pass has but that, of a word without readers but that
  // it is freed.
  located_t enters, value, last, last_q;  // last: before what is offered
  logic moved_q, came_q, left_q;  // into what is offered: a stage, an event, the marked one
  index_t index, index_q, position, row, column;
  logic marks, marked;
  logic [4:0] inside_count, ahead;
  place_t marked_place_q;
  logic leaves_valid, leaves_ready;
  function automatic logic [$bits(located_t)-1:0] shown(input located_t located);
    shown = located.end_of_pass ? {1'b1, ($bits(located_t) - 1)'(0)} : located;
  endfunction
  assign index = element ? word_q.word * index_t'(place_q.used) + index_t'(lane) : word_q.word;
  assign position = index / place_q.divisor;
  assign row = position / place_q.columns;
  assign column = position % place_q.columns;
  always_comb begin
    enters = '{
        end_of_pass: word_q.end_of_pass,
        hit: row_q.count != 0 && column_q.count != 0,
        free: skip || (last_lane && last_reader),
        walk: reader_base_i + reader_q,
        mask: element ? Lanes'(1) << lane : word_q.mask,
        element: element,
        remainder: index % place_q.divisor,
        row: row_q,
        column: column_q
    };
  end
  assign marks = mark_i && issue && (word_q.end_of_pass || (watched && row_known_q && column_known_q &&
      table_address_t'(place_q.row_table + row) == row_at_q &&
      table_address_t'(place_q.column_table + column) == column_at_q));
  assign {leaves_valid, leaves_ready} = {dut.valid_q[5], dut.next};
  always_comb begin
    last = dut.located_q5;
    last.hit = dut.hit;
  end
  check_stream #(
      .Width($bits(located_t)),
      .Most(Stages),
      .Bounded(1'b0),
      .Full(1'b0)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (issue),
      .before_i    ('0),
      .enter_data_i(shown(enters)),
      .mark_i      (marks),
      .valid_i     (leaves_valid),
      .ready_i     (leaves_ready),
      .data_i      (shown(last)),
      .inside_o    (inside_count),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // Where the marked event is: stages from the first one on; those of a queue are its memory and its register.
  logic [Stages:1] full, here;
  logic [4:0] after[Stages+1];
  logic [4:0] least;
  assign full = {
        dut.valid_q, dut.i_row.valid_q, dut.at_valid, dut.i_spots.count_q != 0,
        dut.i_position.valid_q, dut.valid_q2, dut.valid_q1, dut.i_issued.count_q != 0};
  always_comb begin
    after[Stages] = '0;
    least = '0;
    for (int unsigned s = Stages; s > 0; s--) begin
      here[s] = marked && full[s] && after[s] == ahead;
      after[s-1] = after[s] + 5'(full[s]);
      if (after[s] == 0 && full[s]) least = 5'(s);
    end
  end

  logic past_q = 1'b0;
  logic idle;
  logic [15:0] readers_q;
  logic [$bits(event_o)-1:0] event_q;
  logic stalled_q;
  assign idle = !busy_q && inside_count == 0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    readers_q <= {reader_base_i, readers_i};
    event_q <= event_o;
    if (!past_q) {place_at_q, row_at_q, column_at_q} <= {place_address_t'(some_reader_i), table_address_t'(some_row_i),
                                                         table_address_t'(some_column_i)};
    m_watched : assume (!past_q || (32'(place_at_q) < PlaceDepth && 32'(row_at_q) < TableDepth &&
                        32'(column_at_q) < TableDepth));
    m_readers : assume (!rst_ni || (!valid_i && !busy_q) || readers_q == {reader_base_i, readers_i});
    m_mask : assume (changed_i.mask != 0 || changed_i.end_of_pass);
    m_load : assume (!(load_place_i || load_table_i) || (idle && !valid_i && past_q));
    m_place : assume (load_place_data_i.divisor != 0 && load_place_data_i.columns != 0);
    m_deep : assume (32'(load_address_i) < (load_place_i ? PlaceDepth : TableDepth));
    if (!past_q) {place_known_q, row_known_q, column_known_q} <= '0;
    else begin
      if (load_place_i && place_address_t'(load_address_i) == place_at_q) begin
        {place_known_q, place_q} <= {1'b1, load_place_data_i};
      end
      if (load_table_i && table_address_t'(load_address_i) == row_at_q) begin
        {row_known_q, row_q} <= {1'b1, load_table_data_i};
      end
      if (load_table_i && table_address_t'(load_address_i) == column_at_q) begin
        {column_known_q, column_q} <= {1'b1, load_table_data_i};
      end
    end
    if (past_q) begin
      i_before : assert (dut.none_q == (readers_q[7:0] == 0) && dut.most_reader_q == readers_q[7:0] - 1'b1);
      i_places : assert (!place_known_q || (dut.places[place_at_q] == place_q && place_q.divisor != 0 &&
                         place_q.columns != 0 && dut.elements[place_at_q] == place_q.element));
      i_tables : assert ((!row_known_q || dut.rows[row_at_q] == row_q) &&
                         (!column_known_q || dut.columns[column_at_q] == column_q));
    end
    if (marks && !marked) begin
      {index_q, marked_place_q} <= {index, place_q};
    end
    if (!rst_ni) {busy_q, late_q, stalled_q, moved_q, came_q, left_q, slow_q} <= '0;
    else begin
      busy_q <= take || (busy_q && !finish);
      late_q <= busy_q && !dut.issue ? late_q + 1'b1 : '0;
      stalled_q <= valid && !ready_i;
      {moved_q, came_q, left_q} <= {leaves_ready, leaves_ready && leaves_valid, leaves_ready && here[Stages]};
      last_q <= value;
      if (leaves_valid || inside_count == 0) slow_q <= '0;
      else if (leaves_ready) slow_q <= slow_q + 1'b1;
      if (take) {word_q, reader_q, lanes_q} <= {changed_i, 8'd0, changed_i.mask};
      else if (issue && !last_lane) lanes_q <= rest;
      else if (issue) {reader_q, lanes_q} <= {reader_q + 1'b1, word_q.mask};

      a_issued : assert (!dut.issue || busy_q);
      a_taken : assert (!take || !busy_q || finish);
      a_ready : assert (ready == (!busy_q || finish));
      a_soon : assert (!busy_q || dut.issue || late_q == 0);
      a_kept : assert (!left_q || valid == (last_q.end_of_pass || last_q.free || last_q.hit));
      a_event : assert (!left_q || !valid || shown(event_o) == last_q);
      a_offered : assert (!moved_q || !valid || came_q);
      a_waits : assert (!stalled_q || (valid && event_o == event_q));
      i_busy : assert (dut.busy_q == busy_q);
      i_word : assert (!busy_q || (dut.word_q == word_q && dut.reader_q == reader_q && dut.lanes_q == lanes_q &&
                       dut.skip_q == skip && lanes_q != 0 || word_q.end_of_pass));
      i_end : assert (!busy_q || !word_q.end_of_pass || (dut.word_q == word_q && dut.skip_q));
      i_readers : assert (!busy_q || skip || (reader_q < readers_i && dut.last_reader_q == last_reader &&
                          dut.most_reader_q == readers_i - 1'b1));
      i_none : assert (!busy_q || dut.none_q == none);
      i_known : assert (!busy_q || skip || (dut.known_q ? (!watched || (dut.place_q == place_q && dut.element_q ==
                        place_q.element)) && !dut.fetch_q : dut.fetch_q && late_q == 0));
      i_lanes : assert (!busy_q || skip || (32'(dut.left_q) == ones(lanes_q) - 1 && 32'(dut.most_left_q) ==
                        ones(word_q.mask) - 1 && dut.last_lane_q == (dut.left_q == 0) && dut.one_lane_q ==
                        (dut.most_left_q == 0)));
      i_count : assert (inside_count == after[0]);
      i_found : assert (!marked || here != 0);
      a_progress : assert (leaves_valid || inside_count == 0 || 32'(slow_q) < Stages - 1);
      i_slow : assert (leaves_valid || inside_count == 0 || 32'(slow_q) < 32'(least));
      i_issued : assert (dut.i_issued.count_q <= 1 && dut.i_issued.empty_q == (dut.i_issued.count_q == 0) &&
                         (dut.i_issued.empty_q || dut.valid_q1) && dut.i_issued.ready_o == dut.i_issued.empty_q &&
                         !dut.i_issued.read_q && !dut.i_issued.write_q);
      i_spots : assert (dut.i_spots.count_q <= 1 && dut.i_spots.empty_q == (dut.i_spots.count_q == 0) &&
                        (dut.i_spots.empty_q || dut.at_valid) && dut.i_spots.ready_o == dut.i_spots.empty_q &&
                        !dut.i_spots.read_q && !dut.i_spots.write_q);
      c_elements : cover (left_q && valid && last_q.element && last_q.free && last_q.hit && row_q != column_q);
      c_nothing : cover (left_q && !valid && last_q.walk != 0);
      c_none : cover (take && none && !changed_i.end_of_pass);
    end
  end
  function automatic logic [31:0] ones(input logic [Lanes-1:0] mask);
    ones = '0;
    for (int unsigned l = 0; l < Lanes; l++) ones += 32'(mask[l]);
  endfunction

  // What the stages hold for the marked event.
  carried_t expected;
  index_t its_position, its_row, its_column;
  located_t located;
  logic ends;
  assign ends = value.end_of_pass;
  assign its_position = index_q / marked_place_q.divisor;
  assign its_row = its_position / marked_place_q.columns;
  assign its_column = its_position % marked_place_q.columns;
  assign expected = '{
          end_of_pass: 1'b0,
          none: 1'b0,
          free: value.free,
          walk: value.walk,
          mask: value.mask,
          element: value.element,
          columns: marked_place_q.columns,
          column_recip: marked_place_q.column_recip,
          column_shift: marked_place_q.column_shift,
          row_table: marked_place_q.row_table,
          column_table: marked_place_q.column_table
      };
  always_comb begin
    located = value;
    {located.hit, located.row, located.column} = '0;
  end
  function automatic logic carries(input carried_t carried);
    carries = ends ? carried.end_of_pass && carried.free : carried == expected;
  endfunction

  // In the queues.
  typedef struct packed {
    carried_t carried;
    index_t divisor;
    logic [IndexBits:0] recip;
    logic [5:0] rshift;
    index_t word;
    logic [6:0] used;
    logic [LaneBits-1:0] lane;
  } issued_t;
  typedef struct packed {
    index_t position;
    index_t remainder;
    carried_t carried;
  } at_t;
  issued_t [1:0] issued;
  at_t [1:0] at;
  assign issued = {dut.issued_q1, dut.i_issued.memory[0]};
  assign at = {dut.at, dut.i_spots.memory[0]};
  for (genvar i = 0; i < 2; i++) begin : g_queue
    always_ff @(posedge clk_i) begin
      if (rst_ni && here[1+i]) begin
        i_at_issued : assert (carries(issued[i].carried) && (ends || ({issued[i].divisor, issued[i].recip,
                              issued[i].rshift} == {marked_place_q.divisor, marked_place_q.recip,
                              marked_place_q.rshift} && index_q == (value.element ? issued[i].word *
                              index_t'(issued[i].used) + index_t'(issued[i].lane) : issued[i].word))));
      end
      if (rst_ni && here[Divide+4+i]) begin
        i_at_spot : assert (carries(at[i].carried) && (ends || (at[i].position == its_position &&
                            at[i].remainder == value.remainder)));
      end
    end
  end
  for (genvar s = 1; s <= int'(Divide); s++) begin : g_divide
    logic first_right, second_right;
    assign first_right = carries(dut.i_position.taken_q[s].payload) && (ends || {dut.i_position.taken_q[s].index,
        dut.i_position.taken_q[s].recip, dut.i_position.taken_q[s].shift, dut.i_position.taken_q[s].divisor} == {
        index_q, marked_place_q.recip, marked_place_q.rshift, marked_place_q.divisor});
    assign second_right = carries(dut.i_row.taken_q[s].payload[$bits(carried_t)-1:0]) && (ends || {
        dut.i_row.taken_q[s].index, dut.i_row.taken_q[s].recip, dut.i_row.taken_q[s].shift,
        dut.i_row.taken_q[s].divisor, dut.i_row.taken_q[s].payload[$bits(carried_t)+:IndexBits]} == {
        its_position, marked_place_q.column_recip, marked_place_q.column_shift, marked_place_q.columns,
        value.remainder});
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        if (s == 1) a_operands : assert ((!here[4] || first_right) && (!here[Divide+6] || second_right));
        else i_operands : assert ((!here[3+s] || first_right) && (!here[Divide+5+s] || second_right));
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      i_value : assert (!marked || ends || (value.remainder == index_q % marked_place_q.divisor &&
                        value.row == row_q && value.column == column_q &&
                        value.hit == (row_q.count != 0 && column_q.count != 0) && marked_place_q == place_q &&
                        place_known_q && row_known_q && column_known_q &&
                        table_address_t'(marked_place_q.row_table + its_row) == row_at_q &&
                        table_address_t'(marked_place_q.column_table + its_column) == column_at_q));
      i_end_value : assert (!marked || !ends || value == shown(value));
      i_at_2 : assert (!here[3] || (carries(dut.carried_q2) && (ends || (dut.index_q2 == index_q &&
                       {dut.divide_q2} == {marked_place_q.divisor, marked_place_q.recip, marked_place_q.rshift}))));
      i_at_3 : assert (!here[Stages-2] || (ends ? dut.located_q3.end_of_pass && dut.located_q3.free :
                       dut.located_q3 == located && !dut.null_q[3] &&
                       dut.row_address_q3 == row_at_q && dut.column_address_q3 == column_at_q));
      i_at_4 : assert (!here[Stages-1] || (ends ? dut.located_q4.end_of_pass && dut.located_q4.free :
                       dut.located_q4 == located && !dut.null_q[4] &&
                       dut.row_q4 == row_q && dut.column_q4 == column_q));
      i_at_5 : assert (!here[Stages] || (ends ? last.end_of_pass && last.free : last == value && !dut.null_q[5]));
    end
  end
endmodule
