// SPDX-License-Identifier: Apache-2.0
// core_ahead: passes over words that are given, or over those of a source; a memory that answers what it was asked for,
// in order, when it likes; a reader that takes parts when their rows are there. One word is marked, any one, and one of
// its rows, any one: what the memory answers to it must be what the reader gets with that part.
module prove_core_ahead
  import core_pkg::*;
#(
    parameter int unsigned Words = 2,
    parameter int unsigned Tags = 4,
    localparam int unsigned Rows = Words * MostParts
) (
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,
    input logic source_i,
    input logic [IndexBits-1:0] words_i,
    input logic [IndexBits-1:0] code_base_i,
    input logic [3:0] parts_i,
    input logic read_i,
    input logic [MemoryAddressBits-1:0] origin_i,
    input logic word_valid_i,
    input logic word_end_i,
    input logic [IndexBits-1:0] word_i,
    input logic ending_i,
    input logic clear_i,
    input logic take_i,
    input logic enable_i,
    input logic read_ready_i,
    input logic data_valid_i,
    input logic [MemoryBits-1:0] data_i,
    input logic mark_request_i,
    input logic mark_i,
    input logic [3:0] some_part_i
);
  localparam int unsigned CountBits = $clog2(Tags + 7);
  localparam int unsigned Patience = 4;
  localparam int unsigned Codes = Quantisers * CodeBits;
  typedef logic [MemoryAddressBits-1:0] address_t;
  typedef logic [$clog2(Rows)-1:0] place_t;
  typedef logic [$clog2(Tags)-1:0] tag_t;
  step_t step;
  logic word_ready, idle, known, outside, there, read_valid, last_part;
  logic [Codes-1:0] codes;
  address_t read_address;
  logic [7:0] read_beats;
  logic [3:0] part_q, pick_q;  // parts that were taken of the first word
  always_comb begin
    step = '0;
    {step.source, step.words, step.code_base, step.parts} = {source_i, words_i, code_base_i, parts_i};
  end
  assign last_part = part_q + 1'b1 == parts_i;

  assume_reset i_reset (.*);
  core_ahead #(
      .Words(Words),
      .Tags (Tags)
  ) dut (
      .clk_i,
      .rst_ni,
      .start_i,
      .step_i        (step),
      .read_i,
      .origin_i,
      .word_valid_i,
      .word_ready_o  (word_ready),
      .word_end_i,
      .word_i,
      .ending_i,
      .idle_o        (idle),
      .clear_i,
      .known_o       (known),
      .outside_o     (outside),
      .there_o       (there),
      .take_i,
      .last_part_i   (last_part),
      .enable_i,
      .codes_o       (codes),
      .read_valid_o  (read_valid),
      .read_ready_i,
      .read_address_o(read_address),
      .read_beats_o  (read_beats),
      .data_valid_i,
      .data_i
  );

  function automatic logic [IndexBits-1:0] rows_of(input logic [IndexBits-1:0] word);
    rows_of = word * IndexBits'(parts_i);
  endfunction
  function automatic logic lies_outside(input logic [IndexBits-1:0] word);
    lies_outside = 32'(code_base_i) + 32'(rows_of(word)) + 32'(parts_i) > CodeDepth;
  endfunction
  function automatic address_t address_of(input logic [IndexBits-1:0] row);
    address_of = origin_i + address_t'(row) * address_t'(RowBeats);
  endfunction

  // Words that enter, and their requests.
  logic pass_q, enter, asks, ask, live;
  logic [IndexBits-1:0] left_q, word;  // left: words of the source that have not entered
  assign live = rst_ni && !clear_i;
  assign word = source_i ? words_i - left_q : word_i;
  assign enter = source_i ? left_q != 0 && dut.move : word_valid_i && word_ready && !word_end_i;
  assign asks = enter && read_i && lies_outside(word);
  assign ask = read_valid && read_ready_i;

  logic request_marked;
  logic [2:0] requests, requests_ahead;
  logic [MemoryAddressBits+7:0] request;
  check_stream #(
      .Width  (MemoryAddressBits + 8),
      .Most   (4),
      .Bounded(1'b0)
  ) i_requests (
      .clk_i,
      .rst_ni      (live),
      .enter_i     (asks),
      .before_i    ('0),
      .enter_data_i({address_of(code_base_i + rows_of(word)), 8'(parts_i) * 8'(RowBeats)}),
      .mark_i      (mark_request_i),
      .valid_i     (read_valid),
      .ready_i     (read_ready_i),
      .data_i      ({read_address, read_beats}),
      .inside_o    (requests),
      .ahead_o     (requests_ahead),
      .marked_o    (request_marked),
      .value_o     (request)
  );

  logic marked, value;
  logic [CountBits-1:0] count, ahead;
  check_stream #(
      .Width  (1),
      .Most   (Tags + 5),
      .Bounded(1'b0),
      .Full   (1'b0)
  ) i_words (
      .clk_i,
      .rst_ni      (live),
      .enter_i     (enter),
      .before_i    ('0),
      .enter_data_i(lies_outside(word)),
      .mark_i,
      .valid_i     (known),
      .ready_i     (take_i && last_part),
      .data_i      (outside),
      .inside_o    (count),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // The memory: rows that it owes, beats of the first of them that have come, rows that came and were not read.
  logic [7:0] owed_q, stored_q, beat_q, go_q;
  logic row_ends, came_q, pop, pending_q, asked_q, got_q, can_take, hit;
  logic [RowBeats-1:0][MemoryBits-1:0] beats, beats_q;
  logic [Codes-1:0] row, got_value_q;
  logic [3:1] due_q;  // the picked row of the marked word is on its way to codes_o
  logic [3:1][Codes-1:0] due_value_q;
  always_comb begin
    beats = beats_q;
    beats[beat_q] = data_i;
  end
  assign row = Codes'(beats);
  assign row_ends = data_valid_i && 32'(beat_q) == RowBeats - 1;
  assign can_take = known && (!outside || !read_i || there);
  assign pop = take_i && outside && read_i;
  assign hit = pop && marked && ahead == 0 && part_q == pick_q;

  // Words on their way to outside_o.
  logic [4:1] words_q, marks_q, request_marks_q, far;
  logic [4:1][IndexBits-1:0] word_q;
  for (genvar s = 1; s <= 4; s++) begin : g_far
    assign far[s] = words_q[s] && lies_outside(word_q[s]);
  end
  // Those that are known, the first one first.
  logic [Tags-1:0] memory;
  logic [Tags:0] tags, known_tags, tags_ahead;
  logic [CountBits-1:0] tag_count;
  logic [7:0] outsides, earlier;  // words that lie outside; rows that are read before the picked one
  logic in_tags;
  for (genvar t = 0; t < int'(Tags); t++) begin : g_tag
    assign memory[t] = dut.u_tags.memory[t];
  end
  assign tags = {Tags'({memory, memory} >> dut.u_tags.read_q), outside};
  assign tag_count = CountBits'(dut.u_tags.count_q) + CountBits'(known);
  assign known_tags = tags & ~({Tags + 1{1'b1}} << tag_count);
  assign tags_ahead = tags & ~({Tags + 1{1'b1}} << ahead);
  assign outsides = 8'($countones(known_tags));
  assign in_tags = marked && ahead < tag_count;
  assign earlier = 8'($countones(tags_ahead)) * 8'(parts_i) + 8'(pick_q) - (outside ? 8'(part_q) : '0);

  logic request_right, mark_right;
  logic [31:0] oldest;  // stage
  always_comb begin
    {request_right, mark_right} = 2'b11;
    oldest = '0;
    for (int unsigned s = 1; s <= 4; s++) begin
      if (words_q[s]) oldest = s;
      if (request_marks_q[s]) request_right = requests_ahead == 3'($countones(far >> s)) &&
          request == {address_of(code_base_i + rows_of(word_q[s])), 8'(parts_i) * 8'(RowBeats)};
      if (marks_q[s]) mark_right = ahead == tag_count + CountBits'($countones(words_q >> s)) && value == far[s];
    end
  end

  logic past_q = 1'b0;
  logic settled_q, over_q, ending_q, stalled_q, pass_q2, source_q, read_q;
  logic [2:0] late_q;
  logic [IndexBits-1:0] all_q, code_base_q;
  logic [3:0] parts_q;
  address_t origin_q;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) pick_q <= some_part_i;
    {source_q, all_q, code_base_q, parts_q, origin_q} <= {source_i, words_i, code_base_i, parts_i, origin_i};
    read_q <= read_i;
    m_picked : assume (!past_q || 32'(pick_q) < MostParts);
    m_parts : assume (parts_i != 0 && 32'(parts_i) <= MostParts);
    m_words : assume (words_i != 0);
    m_start : assume (!start_i || !pass_q);
    m_stays : assume (!pass_q || {source_i, words_i, code_base_i, parts_i, origin_i} ==
                      {source_q, all_q, code_base_q, parts_q, origin_q});
    m_read : assume (!pass_q || !pass_q2 || read_i == read_q);
    m_given : assume (!word_valid_i || pass_q);
    m_rows : assume (!enter || 32'(code_base_i) + 32'(word) * 32'(parts_i) + 32'(parts_i) <= 2 ** IndexBits);
    m_clear : assume (!clear_i || (over_q && !take_i));
    m_take : assume (!take_i || (can_take && enable_i));
    m_owed : assume (!data_valid_i || owed_q != 0);

    if (enable_i) due_value_q <= {due_value_q[2:1], got_value_q};
    if (data_valid_i) beats_q <= beats;
    if (!rst_ni) {pass_q, due_q} <= '0;
    else begin
      pass_q <= start_i || (pass_q && !clear_i);
      if (enable_i) due_q <= {due_q[2:1], hit};
    end
    pass_q2 <= pass_q;
    if (!live) begin
      {owed_q, stored_q, beat_q, part_q, came_q, pending_q, asked_q, got_q, words_q, marks_q, request_marks_q} <= '0;
      {left_q, settled_q, over_q, ending_q, stalled_q, late_q} <= '0;
    end else begin
      left_q <= start_i && source_i ? words_i : left_q - IndexBits'(source_i && enter);
      owed_q <= owed_q + (ask ? 8'(parts_i) : '0) - 8'(row_ends);
      if (data_valid_i) beat_q <= row_ends ? '0 : beat_q + 1'b1;
      came_q <= row_ends;
      stored_q <= stored_q + 8'(row_ends) - 8'(pop);
      if (enable_i) pending_q <= pop;
      if (take_i) part_q <= last_part ? '0 : part_q + 1'b1;
      if (dut.move) begin
        word_q <= {word_q[3:1], word};
        words_q <= {words_q[3:1], enter};
        marks_q <= {marks_q[3:1], enter && mark_i && !marked};
        request_marks_q <= {request_marks_q[3:1], asks && mark_request_i && !request_marked};
      end
      if (ask && marks_q[4]) {asked_q, got_q, go_q} <= {2'b10, owed_q - 8'(row_ends) + 8'(pick_q)};
      else if (marked && take_i && last_part && ahead == 0) {asked_q, got_q} <= '0;
      else if (asked_q && !got_q && row_ends) begin
        {got_q, go_q} <= {go_q == 0, go_q - 1'b1};
        got_value_q <= row;
      end
      ending_q <= ending_i;
      stalled_q <= read_valid && !read_ready_i;
      settled_q <= ending_i && idle;
      over_q <= ending_i && settled_q && enable_i && !take_i;
      late_q <= count != 0 && !ending_i && !read_valid && owed_q == 0 && !can_take ? late_q + 1'b1 : '0;
    end
    if (live) begin
      a_room : assert (32'(owed_q) + 32'(stored_q) + 32'(pending_q) <= Rows);
      a_there : assert (there == (stored_q != 8'(came_q)));
      a_ended : assert (!read_valid || stalled_q || !ending_q);
      a_idle : assert (idle == (owed_q == 0 && !came_q && !read_valid));
      a_progress : assert (32'(late_q) <= Patience);
    end
    if (rst_ni) begin
      a_codes : assert ((!hit || got_q) && (!due_q[3] || codes == due_value_q[3]));
    end
    if (live) begin
      i_late : assert (late_q == 0 || (!came_q && !ending_q && (known || (dut.enough_q && 32'(late_q) < oldest))));
      i_pass : assert (pass_q || (count == 0 && left_q == 0 && owed_q == 0 && stored_q == 0 && !read_valid));
      i_source : assert (dut.busy_q == (left_q != 0) && left_q <= words_i && (left_q == 0 || (source_i &&
                         dut.left_q == left_q && dut.word_q == words_i - left_q)));
      i_stages : assert (dut.valid_q == words_q && (marks_q & ~words_q) == 0 && $onehot0(marks_q) &&
                        (request_marks_q & ~far) == 0 && $onehot0(request_marks_q));
      i_past : assert (!pass_q || (32'(dut.u_record.past_q) == 32'(code_base_i) + 32'(parts_i) &&
                       read_beats == 8'(parts_i) * 8'(RowBeats)));
      i_1 : assert (!words_q[1] || (dut.u_record.rows_q == rows_of(word_q[1]) &&
                    32'(code_base_i) + 32'(rows_of(word_q[1])) + 32'(parts_i) <= 2 ** IndexBits));
      i_2 : assert (!words_q[2] || (dut.u_record.first_q2 == code_base_i + rows_of(word_q[2]) &&
                    32'(dut.u_record.past_q2) == 32'(code_base_i) + 32'(rows_of(word_q[2])) + 32'(parts_i)));
      i_3 : assert (!words_q[3] || (dut.u_record.outside_q3 == far[3] && origin_i + dut.u_record.beats_q3 ==
                    address_of(code_base_i + rows_of(word_q[3]))));
      i_4 : assert (!words_q[4] || (dut.far == far[4] && read_address == address_of(code_base_i + rows_of(word_q[4]))));
      i_asked : assert (requests == (read_i ? 3'($countones(far)) : '0));
      i_request_mark : assert (request_marked == (request_marks_q != 0));
      i_request : assert (!request_marked || request_right);
      i_mark : assert (mark_right && (marks_q == 0 || marked));
      i_tags : assert (count == tag_count + CountBits'($countones(words_q)));
      i_marked : assert (!marked || (in_tags ? marks_q == 0 && value == tags[ahead] && asked_q == (value && read_i) :
                         marks_q != 0 && !asked_q));
      i_known : assert ((marked || !asked_q) && (asked_q || !got_q));
      i_part : assert (part_q < parts_i && (part_q == 0 || known));
      i_due : assert (dut.due_q == owed_q + 8'(came_q) && dut.rows_q == stored_q - 8'(came_q) &&
                      dut.arrived_q == came_q && dut.popped_q == pending_q && stored_q >= 8'(came_q));
      i_room : assert (32'(dut.room_q) == Rows - 32'(owed_q) - 32'(stored_q) - 32'(pending_q));
      i_rows : assert (owed_q + stored_q ==
                       (read_i ? outsides * 8'(parts_i) - (outside && known ? 8'(part_q) : '0) : '0));
      i_enough : assert (!pass_q || !(dut.enough_q || stalled_q) || dut.room_q >= parts_i);
      i_offered : assert (dut.offered_q == stalled_q && dut.ending_q == ending_q && (!stalled_q || read_valid) &&
                          (!stalled_q || dut.tag_ready));
      i_beat : assert (dut.beat_q == beat_q && 32'(beat_q) < RowBeats && (beat_q == 0 || owed_q != 0));
      i_places : assert (dut.write_q == place_t'(dut.next_q + place_t'(stored_q - 8'(came_q))));
      i_owed : assert (!in_tags || !asked_q || got_q || pick_q >= parts_i ||
                       (go_q + stored_q == earlier && go_q < owed_q && (ahead != 0 || part_q <= pick_q)));
      i_got : assert (!in_tags || !got_q || (pick_q >= parts_i || (ahead == 0 && part_q > pick_q) ||
                      (earlier < stored_q && (earlier + 8'(came_q) == stored_q && came_q ? dut.row_q :
                       dut.queue[place_t'(dut.next_q+place_t'(earlier))]) == got_value_q)));
      i_due_1 : assert (!due_q[1] || (pending_q && dut.address_q == dut.next_q - 1'b1 &&
                        dut.queue[dut.address_q] == due_value_q[1]));
      i_queue : assert (32'(dut.u_tags.count_q) <= Tags && dut.u_tags.write_q == tag_t'(dut.u_tags.read_q +
                        tag_t'(dut.u_tags.count_q)) && dut.u_tags.empty_q == (dut.u_tags.count_q == 0) &&
                        dut.u_tags.ready_o == (32'(dut.u_tags.count_q) != Tags) && (dut.u_tags.empty_q || known));
      c_row : cover (due_q[3] && due_value_q[3] != '0);
      c_part : cover (hit && pick_q != 0 && got_value_q != '0);
      c_full : cover (32'(owed_q) + 32'(stored_q) == Rows && 32'(parts_i) == MostParts && words_q[4] && far[4]);
      c_source : cover (source_i && words_i == 3 && known && !outside && 32'(tag_count) == 2 && tags[1]);
      c_ended : cover (ending_q && read_valid && 32'(requests) == 2);
    end
    if (live) i_settled : assert (!settled_q || (ending_q && owed_q == 0 && !came_q && !stalled_q));
    if (rst_ni) i_over : assert (!over_q || (!due_q[1] && owed_q == 0 && !came_q));
    if (rst_ni) i_due_2 : assert (!due_q[2] || dut.codes_q2 == due_value_q[2]);
    if (rst_ni) c_cleared : cover (clear_i && count != 0 && due_q[2]);
  end
  if (RowBeats > 1) begin : g_beats
    logic right;
    always_comb begin
      right = 1'b1;
      for (int unsigned b = 0; b + 1 < RowBeats; b++) begin
        if (b < 32'(beat_q)) right &= beats_q[b] == dut.g_gather.beats_q[RowBeats-1-32'(beat_q)+b];
      end
    end
    always_ff @(posedge clk_i) if (live) i_beats : assert (right);
  end
endmodule
