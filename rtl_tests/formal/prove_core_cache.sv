// SPDX-License-Identifier: Apache-2.0
// core_cache with its core_tags: one slot of words and one of lines are watched, any ones. The model knows what is in
// them after each operation, and so what has to come before the next one that needs them, and with it. Another model
// knows only what has left: it executes fills, saves and operations in order, and never finds a wrong word in a slot.
module prove_core_cache
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned Saves = 2
) (
    input logic clk_i,
    input logic rst_ni,
    input logic forget_i,
    input logic op_valid_i,
    input operation_t op_i,
    input logic ready_i,
    input logic word_ready_i,
    input logic line_ready_i,
    input logic saved_i,
    input logic mark_i,
    input logic [IndexBits-1:0] some_slot_i,
    input logic [IndexBits-1:0] some_line_slot_i
);
  localparam int unsigned SlotBits = $clog2(CachedWords);
  localparam int unsigned LineSlotBits = $clog2(CachedLines);
  localparam int unsigned Slots = CachedWords > CachedLines ? CachedWords : CachedLines;
  localparam int unsigned CountBits = $clog2(Saves + 2);
  typedef logic [IndexBits-1:0] index_t;
  typedef logic [$bits(op_i.beats)-1:0] beats_t;
  typedef logic [SlotBits-1:0] slot_t;
  typedef logic [LineSlotBits-1:0] line_slot_t;
  logic op_ready, valid, word_valid, line_valid;
  operation_t op;
  index_t word, line, save_word;
  beats_t word_beats, save_beats;

  assume_reset i_reset (.*);
  core_cache #(
      .Saves(Saves)
  ) dut (
      .clk_i,
      .rst_ni,
      .forget_i,
      .op_valid_i,
      .op_ready_o  (op_ready),
      .op_i,
      .valid_o     (valid),
      .ready_i,
      .op_o        (op),
      .word_valid_o(word_valid),
      .word_ready_i,
      .word_o      (word),
      .word_beats_o(word_beats),
      .line_valid_o(line_valid),
      .line_ready_i,
      .line_o      (line),
      .save_word_o (save_word),
      .save_beats_o(save_beats),
      .saved_i
  );

  // What an operation needs.
  function automatic index_t address_of(input operation_t some);
    address_of = some.read ? some.from : some.sum;
  endfunction
  function automatic logic outside(input operation_t some);
    outside = (some.first || some.read) && 32'(address_of(some)) >= SumDepth;
  endfunction
  function automatic logic line_outside(input operation_t some);
    line_outside = some.add && 32'(some.line) >= WeightDepth;
  endfunction
  function automatic index_t slot_of(input index_t address);
    slot_of = 32'(address) >= SumDepth ? index_t'(SumDepth + 32'(address) % CachedWords) : address;
  endfunction
  function automatic index_t line_slot_of(input index_t address);
    line_slot_of = 32'(address) >= WeightDepth ? index_t'(WeightDepth + 32'(address) % CachedLines) : address;
  endfunction
  function automatic logic formed(input operation_t some);
    formed = !some.save && !some.fill && !some.fill_line && $onehot0({some.end_of_pass, some.add, some.copy}) &&
        !(some.read && (some.end_of_pass || some.first));
    if (!some.add) formed &= some.first == some.copy && some.last == some.copy;
    if (some.add && some.first) formed &= some.from == some.sum;
  endfunction

  // Chains of additions.
  typedef struct packed {
    logic open;
    index_t at;
  } chain_t;
  function automatic logic follows(input chain_t chain, input operation_t some);
    follows = formed(some) && (some.add ? some.first == !chain.open && (!chain.open || some.sum == chain.at) :
                               !chain.open) &&
        !(some.add && some.read && some.from[SlotBits-1:0] == some.sum[SlotBits-1:0]);
  endfunction
  function automatic chain_t after(input chain_t chain, input operation_t some);
    after = chain;
    if (some.add) after = '{open: !some.last, at: some.sum};
  endfunction

  // The watched slots, as the operations up to the one in stage 3 leave them; zeros: nothing is there.
  typedef struct packed {
    logic valid;
    logic dirty;
    beats_t beats;
    logic [IndexBits-SlotBits-1:0] tag;
  } entry_t;
  typedef struct packed {
    logic valid;
    logic [IndexBits-LineSlotBits-1:0] tag;
  } line_entry_t;
  typedef enum logic [1:0] {
    Act,
    Save,
    Fill
  } kind_t;
  slot_t slot_q;
  line_slot_t line_slot_q;
  entry_t entry_q;
  line_entry_t line_entry_q;
  logic [3:1] valid_q;
  operation_t op_q1, op_q2, op_q3;
  chain_t came_q, acted_q;  // by what was taken, by what has been done
  logic take, emit, act, save, here, line_here, known, line_known;
  logic saved_q, filled_q;  // before the operation in stage 3
  logic missing, must_save, must_fill, noted, with_save, with_line;
  kind_t kind;
  operation_t expected;
  index_t address;
  assign take = op_valid_i && op_ready;
  assign emit = dut.emit;
  assign address = address_of(op_q3);
  assign here = address[SlotBits-1:0] == slot_q;
  assign line_here = op_q3.line[LineSlotBits-1:0] == line_slot_q;
  assign known = here || !outside(op_q3);
  assign line_known = line_here || !line_outside(op_q3);
  assign missing = outside(op_q3) && !(entry_q.valid && entry_q.tag == address[IndexBits-1:SlotBits]);
  assign must_save = missing && entry_q.valid && entry_q.dirty;
  assign must_fill = missing && !op_q3.copy;
  assign noted = outside(op_q3) && (missing || entry_q.dirty == op_q3.read);
  always_comb begin
    // What another slot needs is what the leaf does.
    with_save = known ? outside(op_q3) && !missing && op_q3.read && entry_q.dirty : dut.both_q;
    with_line = line_known ? line_outside(op_q3) &&
        !(line_entry_q.valid && line_entry_q.tag == op_q3.line[IndexBits-1:LineSlotBits]) : dut.line_q;
    if (known) kind = must_save && !saved_q ? Save : must_fill && !filled_q ? Fill : Act;
    else kind = dut.saving_q ? Save : dut.filling_q ? Fill : Act;
    expected = '0;
    unique case (kind)
      Save: {expected.save, expected.from} = {1'b1, slot_of(address)};
      Fill: {expected.fill, expected.last, expected.sum} = {2'b11, slot_of(address)};
      default: begin
        expected = op_q3;
        {expected.save, expected.fill_line} = {with_save, with_line};
        {expected.sum, expected.from} = {slot_of(op_q3.sum), slot_of(op_q3.from)};
        expected.line = line_slot_of(op_q3.line);
      end
    endcase
  end
  assign act = emit && kind == Act;
  assign save = emit && (kind == Save || (kind == Act && with_save));
  function automatic operation_t shown(input operation_t some, input kind_t of);  // what counts
    shown = some;
    if (of != Act) {shown.line, shown.beats, shown.engine} = '0;
    if (of == Save) shown.sum = '0;
    if (of == Fill) shown.from = '0;
  endfunction

  // What has left, and what is there then.
  typedef struct packed {
    logic valid;
    logic changed;
    index_t word;
  } held_t;
  typedef struct packed {
    logic valid;
    index_t line;
  } held_line_t;
  logic due_q, stalled_q, asked_q, line_asked_q, sums_here, from_here, lines_here;
  kind_t kind_q;
  operation_t expected_q, op_last_q, origin_q;  // origin: with its addresses
  index_t asked_word_q, asked_line_q;
  beats_t asked_beats_q;
  held_t held_q, held;  // held: after what is offered, too
  held_line_t held_line_q, held_line;
  assign sums_here = 32'(op.sum) == SumDepth + 32'(slot_q);
  assign from_here = 32'(op.from) == SumDepth + 32'(slot_q);
  assign lines_here = 32'(op.line) == WeightDepth + 32'(line_slot_q);
  always_comb begin
    {held, held_line} = {held_q, held_line_q};
    if (valid) begin
      if (op.save && from_here) held.changed = 1'b0;
      if (op.fill && sums_here) held = '{valid: 1'b1, changed: 1'b0, word: asked_word_q};
      if (op.copy && sums_here) held = '{valid: 1'b1, changed: 1'b1, word: origin_q.sum};
      if (op.add && sums_here) held.changed = 1'b1;
      if (op.fill_line && lines_here) held_line = '{valid: 1'b1, line: asked_line_q};
    end
  end

  // Words on their way out.
  logic marked, on_way;
  logic [CountBits-1:0] saves, ahead;
  index_t marked_word;
  beats_t marked_beats;
  check_stream #(
      .Width  (IndexBits + $bits(beats_t)),
      .Most   (Saves),
      .Bounded(1'b0)
  ) i_saves (
      .clk_i,
      .rst_ni,
      .enter_i     (save),
      .before_i    ('0),
      .enter_data_i({entry_q.tag, slot_q, entry_q.beats}),
      .mark_i      (mark_i && outside(op_q3) && here),
      .valid_i     (dut.busy_q[dut.first_q]),
      .ready_i     (saved_i),
      .data_i      ({save_word, save_beats}),
      .inside_o    (saves),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     ({marked_word, marked_beats})
  );
  logic [$clog2(Saves + 1)-1:0] first, next, marked_at;
  assign first = dut.first_q;
  assign next = dut.next_q;
  function automatic logic [$clog2(Saves + 1)-1:0] place(input int unsigned from);
    place = 32'(first) + from >= Saves ? 32'(first) + from - Saves : 32'(first) + from;
  endfunction
  logic ring;
  always_comb begin
    on_way = 1'b0;
    ring = 1'b1;
    for (int unsigned i = 0; i < Saves; i++) begin
      if (dut.busy_q[i] && dut.saves_q[i].word == address) on_way = 1'b1;
      ring &= dut.busy_q[place(i)] == (i < 32'(saves));
    end
  end
  assign marked_at = place(32'(ahead));

  logic past_q = 1'b0;
  logic [15:0] clear_q;  // slots that are cleared
  logic free_q, free_known_q, ready_q;  // an operation could be taken, and was
  logic cleared, waits, pushed_q, word_stalled_q, line_stalled_q, stage_1, stage_2;
  logic [2:0] late_q, count_q;  // count: taken, and not done
  index_t word_last_q, line_last_q;
  assign cleared = 32'(clear_q) == Slots;
  assign waits = (valid && !ready_i) || (word_valid && !word_ready_i) || (line_valid && !line_ready_i) ||
      (32'(saves) == Saves && (kind == Save || (kind == Act && with_save))) || (kind == Fill && on_way);
  assign stage_1 = dut.u_words.index_q1 == slot_q &&
      (dut.u_words.written_q ? dut.u_words.later_q : dut.u_words.read_q) == entry_q;
  assign stage_2 = dut.u_words.index_q2 == slot_q && dut.u_words.second_q == entry_q;
  chain_t chain_3, chain_2, chain_1;
  assign chain_3 = valid_q[3] ? after(acted_q, op_q3) : acted_q;
  assign chain_2 = valid_q[2] ? after(chain_3, op_q2) : chain_3;
  assign chain_1 = valid_q[1] ? after(chain_2, op_q1) : chain_2;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) {slot_q, line_slot_q} <= {slot_t'(some_slot_i), line_slot_t'(some_line_slot_i)};
    m_follows : assume (!op_valid_i || follows(came_q, op_i));
    m_forget : assume (!forget_i || (!op_valid_i && valid_q == '0 && !valid && !came_q.open));
    m_saved : assume (!saved_i || saves != 0);

    {op_last_q, word_last_q, line_last_q} <= {op, word, line};
    if (dut.move) {op_q1, op_q2, op_q3} <= {op_i, op_q1, op_q2};
    if (emit) begin
      {kind_q, expected_q, origin_q} <= {kind, expected, op_q3};
      {asked_word_q, asked_beats_q, asked_line_q} <= {word, word_beats, line};
    end
    if (!rst_ni || forget_i) begin
      {entry_q, line_entry_q, held_q, held_line_q, clear_q} <= '0;
    end else begin
      if (!cleared) clear_q <= clear_q + 1'b1;
      if (act && here && noted) begin
        entry_q <= '{valid: 1'b1, dirty: !op_q3.read, beats: op_q3.beats, tag: address[IndexBits-1:SlotBits]};
      end
      if (act && line_here && with_line) begin
        line_entry_q <= '{valid: 1'b1, tag: op_q3.line[IndexBits-1:LineSlotBits]};
      end
      if (ready_i) {held_q, held_line_q} <= {held, held_line};
    end
    if (!rst_ni) begin
      {valid_q, came_q, acted_q, saved_q, filled_q, due_q, stalled_q, asked_q, line_asked_q, late_q} <= '0;
      {word_stalled_q, line_stalled_q, pushed_q, free_known_q, count_q} <= '0;
    end else begin
      if (dut.move) valid_q <= {valid_q[2:1], take};
      else if (act) valid_q[3] <= 1'b0;
      saved_q  <= !dut.move && !act && (saved_q || (emit && kind == Save));
      filled_q <= !dut.move && !act && (filled_q || (emit && kind == Fill));
      if (take) came_q <= after(came_q, op_i);
      if (act) acted_q <= after(acted_q, op_q3);
      due_q <= emit;
      stalled_q <= valid && !ready_i;
      asked_q <= word_valid && word_ready_i;
      line_asked_q <= line_valid && line_ready_i;
      word_stalled_q <= word_valid && !word_ready_i;
      line_stalled_q <= line_valid && !line_ready_i;
      pushed_q <= save;
      count_q <= count_q + 3'(take) - 3'(act);
      {free_known_q, ready_q} <= {known && line_known, op_ready};
      free_q <= cleared && (!valid_q[3] || (act && !noted && !with_line));
      late_q <= valid_q != '0 && !emit && !waits ? late_q + 1'b1 : '0;

      a_each : assert (count_q == 3'($countones(valid_q)));
      a_offered : assert (valid == (due_q || stalled_q));
      a_operation : assert (!due_q || shown(op, kind_q) == shown(expected_q, kind_q));
      a_stable : assert (!stalled_q || (valid && op == op_last_q));
      a_there : assert (!valid || ((!(op.read || (op.add && op.first)) || !from_here || (held_q.valid &&
                        held_q.word == origin_q.from)) && (!op.add || !sums_here || (held_q.valid &&
                        held_q.word == origin_q.sum))));
      a_kept : assert (!valid || !sums_here || !(op.fill || op.copy) || !held_q.valid || !held_q.changed ||
                       (op.copy && held_q.word == origin_q.sum));
      a_line_there : assert (!valid || !op.add || !lines_here ||
                             (held_line.valid && held_line.line == origin_q.line));
      a_asked : assert (asked_q == (due_q && op.fill) && line_asked_q == (due_q && op.fill_line));
      a_word : assert (!asked_q || (asked_word_q == address_of(origin_q) && asked_beats_q == origin_q.beats));
      a_line : assert (!line_asked_q || asked_line_q == origin_q.line);
      a_requests_stable : assert ((!word_stalled_q || (word_valid && word == word_last_q)) &&
                                  (!line_stalled_q || (line_valid && line == line_last_q)));
      a_way_out : assert (!word_valid || !marked || marked_word != word);
      a_progress : assert (late_q <= 3);
      a_ready : assert (!free_known_q || ready_q == free_q);

      i_word : assert (!word_valid || (word == address && word_beats == op_q3.beats && kind == Fill));
      i_line : assert (!line_valid || (line == op_q3.line && kind == Act && with_line));
      i_slots : assert (32'(slot_q) < CachedWords && 32'(line_slot_q) < CachedLines);
      i_clear : assert (dut.clearing_q == !cleared && 32'(clear_q) <= Slots &&
                        (cleared || (32'(dut.clear_q) == 32'(clear_q) && valid_q == '0 && entry_q == '0 &&
                                     line_entry_q == '0)));
      i_valid : assert (dut.valid_q1 == valid_q[1] && dut.valid_q2 == valid_q[2] && dut.valid_q3 == valid_q[3] &&
                        (!valid_q[1] || dut.op_q1 == op_q1) && (!valid_q[2] || dut.op_q2 == op_q2) &&
                        (!valid_q[3] || dut.op_q3 == op_q3));
      i_memory : assert ((!cleared && 32'(clear_q) <= 32'(slot_q)) || dut.u_words.entries[slot_q] == entry_q);
      i_line_memory : assert ((!cleared && 32'(clear_q) <= 32'(line_slot_q)) ||
                              dut.u_lines.entries[line_slot_q] == line_entry_q);
      i_1 : assert (!valid_q[1] || slot_t'(address_of(op_q1)) != slot_q || stage_1);
      i_2 : assert (!valid_q[2] || slot_t'(address_of(op_q2)) != slot_q || stage_2);
      i_line_1 : assert (!valid_q[1] || line_slot_t'(op_q1.line) != line_slot_q ||
                         (dut.u_lines.index_q1 == line_slot_q &&
                          (dut.u_lines.written_q ? dut.u_lines.later_q : dut.u_lines.read_q) == line_entry_q));
      i_line_2 : assert (!valid_q[2] || line_slot_t'(op_q2.line) != line_slot_q ||
                         (dut.u_lines.index_q2 == line_slot_q && dut.u_lines.second_q == line_entry_q));
      i_index : assert ((!valid_q[1] || (dut.u_words.index_q1 == slot_t'(address_of(op_q1)) &&
                                         dut.u_lines.index_q1 == line_slot_t'(op_q1.line))) &&
                        (!valid_q[2] || (dut.u_words.index_q2 == slot_t'(address_of(op_q2)) &&
                                         dut.u_lines.index_q2 == line_slot_t'(op_q2.line))));
      i_3 : assert (!valid_q[3] || ($onehot({dut.saving_q, dut.filling_q, dut.acting_q}) &&
                    dut.settles_q == (!dut.word_write_q && !dut.line_q) && (!known || (
                    dut.saving_q == (kind == Save) && dut.filling_q == (kind == Fill) && dut.fill_q == must_fill &&
                    dut.both_q == with_save && dut.word_write_q == noted && (!here || dut.word_q3 == entry_q ||
                    !outside(op_q3)))) && (!line_known || dut.line_q == with_line)));
      i_kinds : assert (!valid_q[3] || (
                        (!dut.both_q || (dut.acting_q && !dut.fill_q && dut.word_write_q && op_q3.read)) &&
                        (!dut.filling_q || dut.fill_q) && (dut.acting_q || dut.word_write_q) &&
                        (!saved_q || (!dut.saving_q && !dut.both_q)) &&
                        (!filled_q || dut.acting_q) && (!known || ((!saved_q || must_save) &&
                        (!filled_q || must_fill)))));
      i_settled : assert (!(saved_q || filled_q) || valid_q[3]);
      i_ring : assert (ring && 32'(first) < Saves && next == place(32'(saves)) && 32'(saves) <= Saves);
      i_marked : assert (!marked || (dut.saves_q[marked_at] == {marked_word, marked_beats} &&
                         marked_word[SlotBits-1:0] == slot_q));
      i_full : assert (dut.full_q || pushed_q || 32'(saves) < Saves);
      i_pushed : assert (!pushed_q || !valid_q[3] || (!dut.saving_q && !dut.both_q));
      i_chains : assert ((!valid_q[3] || follows(acted_q, op_q3)) && came_q == chain_1 &&
                         (!valid_q[2] || follows(chain_3, op_q2)) && (!valid_q[1] || follows(chain_2, op_q1)));
      i_open : assert (!acted_q.open || 32'(acted_q.at) < SumDepth || acted_q.at[SlotBits-1:0] != slot_q ||
                       (entry_q.valid && entry_q.dirty && entry_q.tag == acted_q.at[IndexBits-1:SlotBits]));
      i_pending : assert (!valid_q[3] || ((!dut.settled_q || !dut.filling_q || dut.pending_q || !on_way) &&
                          (!dut.saving_q || dut.word_q3.tag != address[IndexBits-1:SlotBits])));
      i_late : assert (32'(late_q) <= (valid_q[3] ? dut.settled_q ? 3 : 2 : valid_q[2] ? 1 : 0) &&
                       (!valid_q[3] || !dut.settled_q || late_q == '0 || (
                        (!dut.filling_q || !dut.pending_q || on_way) &&
                        (!dut.full_q || (!dut.saving_q && !dut.both_q) || 32'(saves) == Saves))));
      i_held : assert (filled_q && known ? held == {2'b10, address} :
                       held.valid == entry_q.valid && (!held.valid || (held.word == {entry_q.tag, slot_q} &&
                       held.changed == (entry_q.dirty && !(saved_q && known)))));
      i_held_line : assert (held_line.valid == line_entry_q.valid &&
                            (!held_line.valid || held_line.line == {line_entry_q.tag, line_slot_q}));
      c_comes_back : cover (valid_q[3] && kind == Fill && saved_q && marked && here && marked_word == address);
      c_rides : cover (due_q && op.add && op.read && op.save && op.fill_line && from_here && held_q.valid);
      c_full : cover (valid_q[3] && known && kind == Save && 32'(saves) == Saves && dut.full_q && valid_q[2]);
      c_line : cover (due_q && op.fill_line && held_line_q.valid && held_line.line != held_line_q.line);
      c_copy : cover (due_q && op.copy && sums_here && held_q.valid && held_q.word != origin_q.sum);
      c_forget : cover (forget_i && entry_q.valid && line_entry_q.valid && saves != 0);
    end
  end
endmodule
