// SPDX-License-Identifier: Apache-2.0
// core_fetch, with a stand-in for core_divide. Words are numbered as they are taken, the end of the pass among them;
// the model knows which word, part and tap is asked for next, comes next and leaves next. One part of one word is
// marked, any one: its requests have its addresses, and it leaves with the largest of its sums.
module prove_core_fetch
  import core_pkg::*;
#(
    parameter int unsigned Divide = 9,  // stages of the stand-in
    parameter int unsigned Room = 16  // of the leaf
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [IndexBits-1:0] groups_i,
    input logic [IndexBits:0] recip_i,
    input logic [5:0] shift_i,
    input logic [IndexBits-1:0] sum_base_i,
    input logic [7:0] taps_i,
    input logic [3:0] parts_i,
    input logic [1:0] packet_i,
    input logic valid_i,
    input logic end_i,
    input logic [IndexBits-1:0] word_i,
    input logic sum_ready_i,
    input logic sum_valid_i,
    input logic [Lanes-1:0][SumBits-1:0] sum_data_i,
    input logic ready_i,
    input logic mark_i,
    input logic [3:0] some_part_i
);
  localparam int unsigned RoomBits = $clog2(Room);
  localparam int unsigned Patience = Divide + 18;
  typedef logic [IndexBits-1:0] index_t;
  typedef logic [5:0] number_t;  // of a word; fewer than 64 are inside
  typedef logic signed [Quantisers-1:0][SumBits-1:0] part_t;
  typedef struct packed {
    number_t word;
    logic [3:0] part;
    logic [7:0] tap;
    number_t count;  // parts before it, of words and ends
  } place_t;
  step_t step;
  logic ready, sum_valid, valid, end_of_pass, last_part;
  index_t sum_address, word, group;
  logic [3:0] gap, part;
  part_t z;
  always_comb begin
    step = '0;
    {step.groups, step.group_recip, step.group_shift} = {groups_i, recip_i, shift_i};
    {step.sum_base, step.taps, step.parts, step.packet} = {sum_base_i, taps_i, parts_i, packet_i};
  end

  assume_reset i_reset (.*);
  core_fetch dut (
      .clk_i,
      .rst_ni,
      .step_i       (step),
      .valid_i,
      .ready_o      (ready),
      .end_i,
      .word_i,
      .sum_valid_o  (sum_valid),
      .sum_ready_i,
      .sum_address_o(sum_address),
      .gap_o        (gap),
      .sum_valid_i,
      .sum_data_i,
      .valid_o      (valid),
      .ready_i,
      .end_o        (end_of_pass),
      .word_o       (word),
      .part_o       (part),
      .last_part_o  (last_part),
      .group_o      (group),
      .z_o          (z)
  );

  // What is next: to be taken, asked for, to come, to be the largest so far, to leave. ended: the last one taken is the
  // end of the pass. Codes need no sums: there the leaf says what it asks itself.
  number_t taken_q;
  logic ended_q, take, asks, comes, leaves, single, codes;
  place_t ask_q, come_q, pass_q, leave_q;
  assign {single, codes} = {taps_i == 1, packet_i[1]};
  assign take = valid_i && ready;
  function automatic logic is_end(input number_t number);
    is_end = ended_q && number + 1'b1 == taken_q;
  endfunction
  function automatic place_t after(input place_t place);  // of a part's taps, then of the next part's
    after = place;
    if (!is_end(place.word) && place.tap != taps_i - 1'b1) after.tap = place.tap + 1'b1;
    else begin
      {after.part, after.tap, after.count} = {place.part + 1'b1, 8'd0, place.count + 1'b1};
      if (is_end(place.word) || place.part == parts_i - 1'b1) {after.word, after.part} = {place.word + 1'b1, 4'd0};
    end
  endfunction
  function automatic logic [4:0] places_of(input place_t place);  // of a request, in the queue of parts
    places_of = single && !is_end(place.word) ? 5'(parts_i) : 5'd1;
  endfunction
  function automatic place_t asked_after(input place_t place);  // with one tap, a word at a time
    asked_after = single ? '{place.word + 1'b1, 4'd0, 8'd0, place.count + 6'(places_of(place))} : after(place);
  endfunction
  function automatic place_t left_after(input place_t place);  // a part at a time
    left_after = after('{place.word, place.part, taps_i - 1'b1, place.count});
  endfunction
  assign asks = codes || is_end(ask_q.word) ? dut.request : sum_valid && sum_ready_i;
  assign comes = codes || is_end(come_q.word) ? dut.come : sum_valid_i;
  assign leaves = valid && ready_i;

  // The marked part: its word, number and place, the largest of its sums that came, and of those that passed stages.
  logic marked_q;
  index_t word_q;
  number_t number_q;
  logic [3:0] part_q;
  part_t sums, most_q, most_q2, most_q3;
  function automatic logic is_marked(input number_t number);
    is_marked = marked_q && number == number_q;
  endfunction
  assign sums = part_t'(sum_data_i >> (32'(part_q) * Quantisers * SumBits));

  // The leaf's stages: places in the pass.
  place_t of_q, chosen_q, largest_q;
  logic holding, choosing, whole;
  assign {holding, choosing, whole} = {dut.holding_q, dut.choosing_q, dut.whole_q};

  logic [5:0] open_q, counted;
  logic [3:0] since_q;  // cycles since the last sums
  logic [10:0] late_q, ahead;
  logic busy, aged_q, late, stalled_q, asked_stalled_q;
  logic [4:0] took_q;  // places taken by the request of the last cycle
  logic [$bits({end_of_pass, word, part, last_part, group, z})-1:0] shown, shown_q;
  logic [$bits({groups_i, recip_i, shift_i, sum_base_i, taps_i, parts_i, packet_i})-1:0] stays, stays_q;
  index_t address_q;
  assign busy   = taken_q != leave_q.word;
  assign late   = busy && !valid && !sum_valid && open_q == 0;
  assign shown  = {end_of_pass, word, part, last_part, group, z};
  assign stays  = {groups_i, recip_i, shift_i, sum_base_i, taps_i, parts_i, packet_i};

  // Before they are asked for: the numbers of words in the stages, from the last one back.
  number_t in_queue, at_2, at_1, at_divider[Divide+1];
  assign in_queue = ask_q.word + 6'(dut.asking_q);
  assign at_2 = in_queue + 6'(dut.u_words.count_q);
  assign at_1 = at_2 + 6'(dut.valid_q[2]);
  always_comb begin
    at_divider[Divide] = at_1 + 6'(dut.valid_q[1]);
    for (int unsigned s = Divide; s > 0; s--) at_divider[s-1] = at_divider[s] + 6'(dut.u_divide.valid_q[s]);
  end
  function automatic logic right(input number_t number, input logic ends, input index_t word);
    right = ends == is_end(number) && (ends || !is_marked(number) || word == word_q);
  endfunction
  function automatic logic right_group(input number_t number, input index_t group);
    right_group = is_end(number) || !is_marked(number) || group == word_q % groups_i;
  endfunction
  function automatic logic right_base(input number_t number, input index_t base);
    right_base = is_end(number) || !is_marked(number) || base == index_t'(word_q * taps_i) + sum_base_i;
  endfunction

  // What was asked for: places of the tags; what leaves: places of the parts in the memory of their queue.
  place_t tag_q[Room], left_q[Room], passes, held_next, pushed;
  assign counted = 6'(dut.u_parts.count_q) + 6'(valid);
  assign passes = choosing ? after(pass_q) : pass_q;
  assign held_next = holding ? after(passes) : passes;
  assign pushed = left_place(whole ? largest_q : pass_q);
  function automatic place_t left_place(input place_t place);
    left_place = '{place.word, place.part, 8'd0, place.count};
  endfunction
  function automatic number_t words_since(input place_t place);  // as words
    words_since = place.word - leave_q.word;
  endfunction
  function automatic logic ordered(input place_t first, input place_t second);  // a word has a part or more
    ordered = words_since(first) <= words_since(second) && since_leave(first) <= since_leave(second) &&
        words_since(second) <= since_leave(second) && words_since(first) <= since_leave(first);
  endfunction
  function automatic number_t since_leave(input place_t place);  // parts before it that have not left
    since_leave = place.count - leave_q.count;
  endfunction

  // Sums of the marked part: where they are, what they become.
  part_t held, z_2;
  assign held = part_t'(dut.held_q >> (32'(part_q) * Quantisers * SumBits));
  assign z_2 = part_t'(dut.z_q2);
  function automatic part_t larger(input part_t now, input part_t old, input logic first);
    for (int unsigned i = 0; i < Quantisers; i++) begin
      larger[i] = first || $signed(now[i]) > $signed(old[i]) ? now[i] : old[i];
    end
  endfunction
  function automatic logic at_marked(input logic valid_at, input place_t place);  // the last ones may not have moved on
    at_marked = valid_at && place.word == number_q && place.part == (single ? '0 : part_q);
  endfunction
  function automatic logic beyond(input place_t place);  // the first ones have passed
    number_t from_place, from_marked;
    {from_place, from_marked} = {place.word - leave_q.word, number_q - leave_q.word};
    beyond = from_place > from_marked || (from_place == from_marked && (single ? place.part != 0 :
             place.part > part_q || (place.part == part_q && place.tap != 0)));
  endfunction

  // Cycles until something is offered, at most.
  always_comb begin
    if (choosing) ahead = 11'd0;
    else if (holding) ahead = 11'd1;
    else if (dut.tag_valid) ahead = 11'd2;
    else if (dut.asking_q) begin
      ahead = 11'd3 + 11'(dut.gap_q);
      if (!dut.enough_q && !dut.offered_q && ask_q.tap == 0) ahead += dut.pop_q ? 11'd2 : 11'd1;
    end else begin
      ahead = 11'(Divide) + 11'd16;
      for (int unsigned s = 1; s <= Divide; s++) if (dut.u_divide.valid_q[s]) ahead = 11'(Divide) + 11'd17 - 11'(s);
      if (dut.valid_q[1]) ahead = 11'd16;
      if (dut.valid_q[2]) ahead = 11'd15;
      if (dut.found) ahead = 11'd14;
    end
    ahead += 11'd2 + (11'(taps_i) - 11'd1 - 11'(pass_q.tap)) * 4;
    if (whole) ahead = 11'd1;
  end

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    stays_q <= stays;
    {shown_q, address_q} <= {shown, sum_address};
    if (!past_q) part_q <= some_part_i;
    m_part : assume (!past_q || 32'(part_q) < MostParts);
    m_step : assume (groups_i != 0 && taps_i != 0 && parts_i != 0 && 32'(parts_i) <= MostParts);
    m_stays : assume (!rst_ni || !busy || stays == stays_q);
    m_pass : assume (!valid_i || !ended_q);
    m_answer : assume (!sum_valid_i || (open_q != 0 && since_q >= gap));

    if (asks) tag_q[dut.u_tags.write_q] <= ask_q;
    if (dut.u_parts.push) left_q[dut.u_parts.write_q] <= left_place(largest_q);
    if (dut.come) of_q <= come_q;
    else if (dut.more_q) {of_q.part, of_q.count} <= {of_q.part + 1'b1, of_q.count + 1'b1};
    {chosen_q, largest_q} <= {of_q, chosen_q};
    if (holding) most_q2 <= most_q;
    if (choosing) most_q3 <= most_q2;

    if (!rst_ni) begin
      {taken_q, ended_q, ask_q, come_q, pass_q, leave_q, marked_q} <= '0;
      {open_q, late_q, aged_q, took_q, stalled_q, asked_stalled_q} <= '0;
      since_q <= '1;
    end else begin
      if (take) {taken_q, ended_q} <= {taken_q + 1'b1, end_i};
      else if (leaves && end_of_pass) ended_q <= 1'b0;
      if (asks) ask_q <= asked_after(ask_q);
      if (comes) come_q <= asked_after(come_q);
      if (choosing) pass_q <= after(pass_q);
      if (leaves) leave_q <= left_after(leave_q);
      if (take && mark_i && !marked_q && part_q < parts_i) {marked_q, number_q, word_q} <= {1'b1, taken_q, word_i};
      else if (leaves && is_marked(leave_q.word) && (end_of_pass || last_part)) marked_q <= 1'b0;
      if (sum_valid_i && is_marked(come_q.word) && (single || come_q.part == part_q)) begin
        most_q <= larger(sums, most_q, come_q.tap == 0);
      end
      open_q <= open_q + 6'(sum_valid && sum_ready_i) - 6'(sum_valid_i);
      since_q <= sum_valid_i ? '0 : since_q + 4'(since_q != '1);
      late_q <= late ? late_q + 1'b1 : '0;
      aged_q <= busy;
      took_q <= asks && ask_q.tap == 0 ? places_of(ask_q) : '0;
      stalled_q <= valid && !ready_i;
      asked_stalled_q <= sum_valid && !sum_ready_i;

      a_asks : assert (!sum_valid || (ask_q.word != taken_q && !is_end(ask_q.word) && !codes));
      a_address : assert (!sum_valid || !is_marked(ask_q.word) ||
                          sum_address == index_t'(word_q * taps_i) + sum_base_i + index_t'(ask_q.tap));
      a_asked_stable : assert (!asked_stalled_q || (sum_valid && sum_address == address_q));
      a_only_what_came : assert (!valid || (leave_q.word != taken_q && (leave_q.word != come_q.word ||
                                 leave_q.part < come_q.part)));
      a_part : assert (!valid || (end_of_pass == is_end(leave_q.word) && (end_of_pass || (part == leave_q.part &&
                       last_part == (part == parts_i - 1'b1)))));
      a_word : assert (!valid || end_of_pass || !is_marked(leave_q.word) || word == word_q);
      a_group : assert (!valid || end_of_pass || !is_marked(leave_q.word) || group == word_q % groups_i);
      a_sums : assert (!valid || end_of_pass || codes || !is_marked(leave_q.word) || part != part_q || z == most_q);
      a_stable : assert (!stalled_q || (valid && shown == shown_q));
      a_ready : assert (ready || taken_q - ask_q.word >= 6'd5);
      a_progress : assert (!late || 32'(late_q) < Patience + 4 * (32'(taps_i) - 1));

      c_single : cover (leaves && !codes && is_marked(leave_q.word) && part == part_q &&
                        part != 0 && single && word_q > groups_i && groups_i > 1);
      c_taps : cover (leaves && !codes && is_marked(leave_q.word) && part == part_q && taps_i == 3 &&
                      z != '0);
      c_full : cover (dut.room_q == 0 && single && parts_i == 4'(MostParts));
      c_ended : cover (leaves && end_of_pass && leave_q.word == 2);

      // Registers of the step.
      i_step : assert (!busy || (dut.single_q == single && dut.most_tap_q == taps_i - 1'b1 &&
                       dut.most_part_q == parts_i - 1'b1 && dut.codes_q == codes &&
                       gap == (single ? parts_i - 1'b1 : '0)));
      i_aged : assert (aged_q || (!dut.asking_q && at_divider[1] == leave_q.word));
      i_least : assert (!aged_q || !busy || 32'(dut.least_q) == (single && parts_i > 2 ? 32'(parts_i) : 2));
      // Words.
      i_inside : assert (at_divider[0] == taken_q);
      i_end : assert (!ended_q || busy);
      i_part : assert (!marked_q || part_q < parts_i);
      i_known : assert (!marked_q || 6'(number_q - leave_q.word) < 6'(taken_q - leave_q.word));
      i_words : assert (dut.u_words.count_q <= 4 && dut.u_words.empty_q == (dut.u_words.count_q == 0) &&
                        dut.u_words.ready_o == (dut.u_words.count_q != 4) &&
                        dut.u_words.write_q == 2'(32'(dut.u_words.read_q) + 32'(dut.u_words.count_q)));
      i_at_1 : assert (!dut.valid_q[1] || (right(at_1, dut.head_q.end_of_pass, dut.head_q.word) &&
                       right_group(at_1, dut.head_q.group) && right_base(at_1, dut.low_q + dut.rest_q)));
      i_at_2 : assert (!dut.valid_q[2] || (right(at_2, dut.head_q2.end_of_pass, dut.head_q2.word) &&
                       right_group(at_2, dut.head_q2.group) && right_base(at_2, dut.base_q2)));
      // Requests.
      i_asked : assert (!dut.asking_q || (right(ask_q.word, dut.asked_q.end_of_pass, dut.asked_q.word) &&
                        right_group(ask_q.word, dut.asked_q.group) && right_base(ask_q.word, dut.base_q) &&
                        sum_address == dut.base_q + index_t'(dut.tap_q)));
      i_ask : assert (dut.tap_q == ask_q.tap && dut.part_q == ask_q.part &&
                      (dut.asking_q || {ask_q.part, ask_q.tap} == 0));
      i_bounds : assert (!busy || (ask_q.tap < taps_i && come_q.tap < taps_i && pass_q.tap < taps_i &&
                         ask_q.part < parts_i && come_q.part < parts_i && pass_q.part < parts_i &&
                         leave_q.part < parts_i && leave_q.tap == 0));
      i_idle : assert (busy || (ask_q == leave_q && come_q == leave_q && pass_q == leave_q &&
                       {leave_q.part, leave_q.tap} == 0));
      i_single : assert (!busy || !single || ({ask_q.part, ask_q.tap, come_q.part, come_q.tap} == 0));
      i_ends : assert ((!is_end(ask_q.word) || {ask_q.part, ask_q.tap} == 0) &&
                       (!is_end(come_q.word) || {come_q.part, come_q.tap} == 0) &&
                       (!is_end(pass_q.word) || {pass_q.part, pass_q.tap} == 0) &&
                       (!is_end(leave_q.word) || {leave_q.part, leave_q.tap} == 0));
      i_room : assert (32'(dut.room_q) + 32'(since_leave(ask_q)) + 32'(ask_q.tap != 0) + 32'(dut.pop_q) == Room);
      i_order : assert (ordered(pass_q, come_q) && ordered(come_q, ask_q) && words_since(ask_q) <= 6'(taken_q -
                        leave_q.word) && 6'(taken_q - leave_q.word) <= 6'd32 && 32'(since_leave(ask_q)) <= Room);
      i_ends_last : assert ((!dut.asking_q || words_since(ask_q) < 6'(taken_q - leave_q.word)) &&
                            (!valid || taken_q != leave_q.word));
      i_inside_order : assert (since_leave(pass_q) <= since_leave(come_q) &&
                               since_leave(come_q) <= since_leave(ask_q) &&
                         since_leave(pass_q) == counted + 6'(whole));
      i_tagged_took : assert (took_q == 0 || (dut.tag_valid && took_q <= parts_i));
      i_took : assert ((dut.gap_q != 0 || took_q <= 1) && (took_q <= 1 || (32'(dut.gap_q) + 1 == 32'(took_q))));
      i_gap : assert (dut.gap_q < 8 && (dut.gap_q == 0 || {ask_q.part, ask_q.tap} == 0));
      i_last_took : assert (took_q != 1 || !single || parts_i == 1 || !dut.asking_q);
      i_enough : assert (!aged_q || !busy || !dut.enough_q || 32'(dut.room_q) + 32'(took_q) >= 32'(dut.least_q));
      i_offered : assert (!dut.offered_q || (dut.asking_q && dut.gap_q == 0 && (ask_q.tap != 0 ||
                          32'(dut.room_q) >= 32'(places_of(ask_q)))));
      i_tags : assert (32'(dut.u_tags.count_q) <= Room && dut.u_tags.empty_q == (dut.u_tags.count_q == 0) &&
                       dut.u_tags.ready_o == (32'(dut.u_tags.count_q) != Room) &&
                       dut.u_tags.write_q == RoomBits'(32'(dut.u_tags.read_q) + 32'(dut.u_tags.count_q)));
      i_tagged : assert (dut.tag_valid || come_q == ask_q);
      i_open : assert (32'(open_q) == (codes ? 0 : 32'(dut.u_tags.count_q) - 32'(ended_q && ask_q.word == taken_q &&
                       come_q.word != taken_q)));
      // What came.
      i_of : assert (!holding || (of_q == passes && dut.of_q.part == of_q.part && dut.of_q.first == (of_q.tap == 0) &&
                     right(of_q.word, dut.of_q.head.end_of_pass, dut.of_q.head.word) &&
                     right_group(of_q.word, dut.of_q.head.group)));
      i_of_last : assert (!holding || dut.of_q.last == (is_end(of_q.word) || of_q.tap == taps_i - 1'b1));
      i_come_count : assert (since_leave(come_q) == since_leave(held_next) + (holding && dut.more_q ?
                             6'(parts_i) - 6'd1 -
                             6'(of_q.part) : 6'd0));
      i_more : assert (!holding || dut.more_q == (single && !is_end(of_q.word) && of_q.part != parts_i - 1'b1));
      i_come : assert (come_q == (holding && single ? place_t'{
          word: passes.word + 1'b1, part: '0, tap: '0, count: come_q.count} : held_next));
      i_since : assert (!holding || !dut.more_q || codes || since_q == of_q.part);
      i_chosen : assert (!choosing || (chosen_q == pass_q && dut.chosen_q.part == chosen_q.part &&
                         dut.chosen_q.first == (chosen_q.tap == 0) &&
                         dut.chosen_q.last == (is_end(chosen_q.word) || chosen_q.tap == taps_i - 1'b1) &&
                         right(chosen_q.word, dut.chosen_q.head.end_of_pass, dut.chosen_q.head.word) &&
                         right_group(chosen_q.word, dut.chosen_q.head.group)));
      i_largest : assert (!whole || (dut.largest_part_q == largest_q.part &&
                          left_after(largest_q) == left_place(pass_q) &&
                          right(largest_q.word, dut.largest_q.end_of_pass, dut.largest_q.word) &&
                          right_group(largest_q.word, dut.largest_q.group)));
      i_pass : assert (!dut.u_parts.empty_q || pushed == (valid ? left_after(leave_q) : leave_q));
      // Their values.
      if (marked_q && !codes && !is_end(number_q)) begin
        i_held : assert (!holding || of_q.word != number_q || (single ? of_q.part > part_q : of_q.part != part_q) ||
                         most_q == larger(held, most_q2, of_q.tap == 0));
        i_chosen_sums : assert (!choosing || chosen_q.word != number_q || chosen_q.part != part_q ||
                                most_q2 == larger(part_t'(dut.z_q), most_q3, chosen_q.tap == 0));
        i_settled : assert (at_marked(holding, of_q) || !beyond(come_q) || most_q == most_q2);
        i_settled_2 : assert (at_marked(choosing, chosen_q) || !beyond(passes) || most_q2 == most_q3);
        i_passed : assert (!((pass_q.word == number_q && pass_q.part == part_q && pass_q.tap != 0) ||
                             (whole && largest_q.word == number_q && largest_q.part == part_q)) || z_2 == most_q3);
      end
      i_parts : assert (32'(dut.u_parts.count_q) <= Room && dut.u_parts.empty_q == (dut.u_parts.count_q == 0) &&
                        (dut.u_parts.empty_q || valid) &&
                        dut.u_parts.ready_o == (32'(dut.u_parts.count_q) != Room) &&
                        dut.u_parts.write_q == RoomBits'(32'(dut.u_parts.read_q) + 32'(dut.u_parts.count_q)));
      i_late : assert (!late || 32'(late_q) + 32'(ahead) <= Patience + 4 * (32'(taps_i) - 1));
    end
  end

  for (genvar s = 1; s <= int'(Divide); s++) begin : g_divider
    always_ff @(posedge clk_i) begin
      if (rst_ni && dut.u_divide.valid_q[s]) begin
        i_divided : assert (right(at_divider[s], dut.u_divide.taken_q[s].payload[IndexBits],
                                  dut.u_divide.taken_q[s].payload[IndexBits-1:0]) &&
                            (dut.u_divide.taken_q[s].payload[IndexBits] ||
                             dut.u_divide.taken_q[s].payload[IndexBits-1:0] == dut.u_divide.taken_q[s].index));
        if (s == 1) begin
          a_divisor : assert ({dut.u_divide.taken_q[s].divisor, dut.u_divide.taken_q[s].recip,
                               dut.u_divide.taken_q[s].shift} == {groups_i, recip_i, shift_i});
        end else begin
          i_divisor : assert ({dut.u_divide.taken_q[s].divisor, dut.u_divide.taken_q[s].recip,
                               dut.u_divide.taken_q[s].shift} == {groups_i, recip_i, shift_i});
        end
      end
    end
  end
  for (genvar i = 0; i < 4; i++) begin : g_word
    logic ends;
    index_t its_word, its_group, its_base;
    assign {ends, its_word, its_group, its_base} = dut.u_words.memory[2'(32'(dut.u_words.read_q)+i)];
    always_ff @(posedge clk_i) begin
      if (rst_ni && i < 32'(dut.u_words.count_q)) begin
        i_word : assert (right(in_queue + 6'(i), ends, its_word) && right_group(in_queue + 6'(i), its_group) &&
                         right_base(in_queue + 6'(i), its_base));
      end
    end
  end
  for (genvar i = 0; i < int'(Room); i++) begin : g_tag
    localparam int unsigned Next = (i + 1) % Room;
    logic ends, first, last, full, more;
    index_t its_word, its_group;
    logic [3:0] its_part;
    place_t at;
    assign at = tag_q[i];
    assign {ends, its_word, its_group, its_part, first, last} = dut.u_tags.memory[i];
    assign full = 32'(RoomBits'(i - 32'(dut.u_tags.read_q))) < 32'(dut.u_tags.count_q);
    assign more = 32'(RoomBits'(i - 32'(dut.u_tags.read_q))) + 1 < 32'(dut.u_tags.count_q);
    always_ff @(posedge clk_i) begin
      if (rst_ni && full) begin
        i_tag : assert (right(at.word, ends, its_word) && right_group(at.word, its_group) && its_part == at.part &&
                        first == (at.tap == 0) && last == (ends || at.tap == taps_i - 1'b1));
        i_tag_bounds : assert (at.part < parts_i && at.tap < taps_i && ordered(come_q, at) && ordered(at, ask_q) &&
                               words_since(at) < 6'(taken_q - leave_q.word) &&
                               (!ends || {at.part, at.tap} == 0) && (!single || {at.part, at.tap} == 0));
        i_tag_at : assert ((dut.u_tags.read_q != RoomBits'(i) || at == come_q) &&
                           asked_after(at) == (more ? tag_q[Next] : ask_q));
      end
    end
  end
  for (genvar i = -1; i < int'(Room); i++) begin : g_part
    logic ends, last, full, more;
    index_t its_word, its_group;
    logic [3:0] its_part;
    part_t its_z;
    place_t at, next;
    if (i < 0) begin : g_first
      assign {ends, its_word, its_group, its_part, last, its_z} = {end_of_pass, word, group, part, last_part, z};
      assign {at, full} = {leave_q, valid};
      assign {next, more} = {left_q[dut.u_parts.read_q], !dut.u_parts.empty_q};
    end else begin : g_rest
      assign {ends, its_word, its_group, its_part, last, its_z} = dut.u_parts.memory[i];
      assign at = left_q[i];
      assign next = left_q[(i+1)%Room];
      assign full = 32'(RoomBits'(i - 32'(dut.u_parts.read_q))) < 32'(dut.u_parts.count_q);
      assign more = 32'(RoomBits'(i - 32'(dut.u_parts.read_q))) + 1 < 32'(dut.u_parts.count_q);
    end
    always_ff @(posedge clk_i) begin
      if (rst_ni && full) begin
        i_leaves : assert (right(at.word, ends, its_word) && right_group(at.word, its_group) && its_part == at.part &&
                           (ends || last == (its_part == parts_i - 1'b1)));
        i_leaves_bounds : assert (at.part < parts_i && at.tap == 0 && ordered(at, pass_q) &&
                                  since_leave(at) < counted &&
                                  words_since(at) < 6'(taken_q - leave_q.word) && (!ends || at.part == 0));
        i_leaves_at : assert (left_after(at) == (more ? next : pushed));
        i_leaves_sums : assert (codes || ends || !is_marked(at.word) || its_part != part_q || its_z == most_q3);
      end
    end
  end
endmodule
