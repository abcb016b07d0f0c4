// SPDX-License-Identifier: Apache-2.0
// Function:   operations on addresses of sums and weights -> operations on the slots of core_lanes. What lies outside
//             has one slot, by the low bits of its address; what is not there is asked for and filled in, and what was
//             there before and has changed is saved first. A word that core_fetch reads is saved with that
// Latency:    4 cycles
// Throughput: 1 operation per cycle; a save, a fill of a word, and a change of a slot's state take one more
// Timing:     registers at all outputs but op_ready_o, which depends on ready_i, word_ready_i, line_ready_i, and the
//             requests, which depend on ready_i
// Reset:      empty; every slot is free once it was cleared, a slot a cycle
// Model:      codesign.core.interpret
// Saves and fills take their turn among the operations, a line comes with the one that needs it, so that none of them
// overtakes another one: no operation sees what is older than it, or waits for one that comes after it. A word is not
// asked for while it is on its way out; saved_i: the one that has been for longest, save_word_o, is there.
module core_cache
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned Saves = 8  // words on their way out
) (
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic                             forget_i,      // what is known of outside is of no use; no operation comes
    input  logic                             op_valid_i,
    output logic                             op_ready_o,
    input  operation_t                       op_i,
    output logic                             valid_o,
    input  logic                             ready_i,
    output operation_t                       op_o,
    output logic                             word_valid_o,  // it is asked for
    input  logic                             word_ready_i,
    output logic       [      IndexBits-1:0] word_o,
    output logic       [                7:0] word_beats_o,
    output logic                             line_valid_o,
    input  logic                             line_ready_i,
    output logic       [      IndexBits-1:0] line_o,
    output logic       [      IndexBits-1:0] save_word_o,
    output logic       [                7:0] save_beats_o,
    input  logic                             saved_i
);
  localparam int unsigned SlotBits = CachedWords > 1 ? $clog2(CachedWords) : 1;
  localparam int unsigned LineSlotBits = CachedLines > 1 ? $clog2(CachedLines) : 1;
  localparam int unsigned Slots = CachedWords > CachedLines ? CachedWords : CachedLines;
  localparam int unsigned ClearBits = $clog2(Slots + 1);
  localparam int unsigned SlotIndexBits = Saves > 1 ? $clog2(Saves) : 1;
  if (CachedWords < 2 || CachedLines < 2) begin : g_bad
    $error("core_cache: at least two slots of each kind");
  end
  typedef logic [IndexBits-1:0] index_t;
  typedef struct packed {
    logic valid;
    logic dirty;
    logic [7:0] beats;
    logic [IndexBits-SlotBits-1:0] tag;
  } word_t;
  typedef struct packed {
    logic valid;
    logic [IndexBits-LineSlotBits-1:0] tag;
  } line_t;

  // Stages 1 and 2: what is known of the slots. Stage 3: what has to be done. They move together.
  logic valid_q1, valid_q2, valid_q3, move, take, done, free;
  operation_t op_q1, op_q2, op_q3;
  logic clearing_q, word_write_q, settles_q;  // settles: nothing is written, so nothing asked for
  logic [ClearBits-1:0] clear_q;
  assign move = !valid_q3 || (settles_q && free);  // then it is done; what is written is read a cycle later
  assign op_ready_o = move && !clearing_q;
  assign take = op_valid_i && op_ready_o;
  always_ff @(posedge clk_i) begin
    if (move) {op_q1, op_q2, op_q3} <= {op_i, op_q1, op_q2};
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_q1, valid_q2, valid_q3} <= '0;
    else if (move) {valid_q1, valid_q2, valid_q3} <= {take, valid_q1, valid_q2};
    else if (done) valid_q3 <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || forget_i) {clearing_q, clear_q} <= {1'b1, ClearBits'(0)};
    else if (clearing_q) begin
      clear_q <= clear_q + 1'b1;
      clearing_q <= clear_q != ClearBits'(Slots - 1);
    end
  end

  word_t word_entry, word_now;
  // verilator lint_off UNUSEDSIGNAL
  word_t word_q3;  // what is in the slot
  // verilator lint_on UNUSEDSIGNAL
  line_t line_entry, line_now;
  logic word_write, line_write;
  index_t address_q2, address_q3;  // of what may have to be saved or filled in
  core_tags #(
      .Entries(CachedWords),
      .Width  ($bits(word_t))
  ) u_words (
      .clk_i,
      .take_i(take),
      .index_i(op_i.read ? op_i.from[SlotBits-1:0] : op_i.sum[SlotBits-1:0]),
      .move_i(move),
      .write_i(word_write || clearing_q),
      .write_index_i(clearing_q ? SlotBits'(clear_q) : address_q3[SlotBits-1:0]),
      .write_entry_i(clearing_q ? '0 : word_now),
      .entry_o(word_entry)
  );
  core_tags #(
      .Entries(CachedLines),
      .Width  ($bits(line_t))
  ) u_lines (
      .clk_i,
      .take_i(take),
      .index_i(op_i.line[LineSlotBits-1:0]),
      .move_i(move),
      .write_i(line_write || clearing_q),
      .write_index_i(clearing_q ? LineSlotBits'(clear_q) : op_q3.line[LineSlotBits-1:0]),
      .write_entry_i(clearing_q ? '0 : line_now),
      .entry_o(line_entry)
  );

  logic word_outside, line_outside, word_hit, line_hit;
  assign address_q2 = op_q2.read ? op_q2.from : op_q2.sum;
  assign address_q3 = op_q3.read ? op_q3.from : op_q3.sum;
  assign word_outside = (op_q2.first || op_q2.read) && address_q2 >= index_t'(SumDepth);
  assign line_outside = op_q2.add && op_q2.line >= index_t'(WeightDepth);
  assign word_hit = word_entry.valid && word_entry.tag == address_q2[IndexBits-1:SlotBits];
  assign line_hit = line_entry.valid && line_entry.tag == op_q2.line[IndexBits-1:LineSlotBits];

  logic word_missing, word_saved, line_missing, word_written;
  assign word_missing = word_outside && !word_hit;
  assign word_saved = word_missing && word_entry.valid && word_entry.dirty;
  assign line_missing = line_outside && !line_hit;
  assign word_written = word_outside && (!word_hit || (op_q2.read ? word_entry.dirty : !word_entry.dirty));

  // One after the other: save, fill, and what that was for, with its line.
  logic saving_q, filling_q, acting_q, fill_q, line_q;  // fill: will have its turn; line: is missing
  logic both_q;  // with the operation: the word that is read is saved
  logic settled_q, emit, acts, full_q, pending_q;
  always_ff @(posedge clk_i) begin
    if (move) begin
      word_q3 <= word_entry;
      {fill_q, line_q} <= {word_missing && !op_q2.copy, line_missing};
      saving_q <= word_saved;
      filling_q <= !word_saved && word_missing && !op_q2.copy;
      acting_q <= !word_saved && !(word_missing && !op_q2.copy);
      both_q <= word_outside && word_hit && op_q2.read && word_entry.dirty;
      word_write_q <= word_written;
      settles_q <= !word_written && !line_missing;
    end else if (emit) begin
      saving_q  <= 1'b0;
      filling_q <= saving_q && fill_q;
      acting_q  <= acting_q || filling_q || !fill_q;
    end
    settled_q <= !move;
  end
  assign word_now = '{valid: 1'b1, dirty: !op_q3.read, beats: op_q3.beats, tag: address_q3[IndexBits-1:SlotBits]};
  assign line_now = '{valid: 1'b1, tag: op_q3.line[IndexBits-1:LineSlotBits]};
  assign word_write = done && word_write_q;
  assign line_write = done && line_q;

  assign free = ready_i || !valid_o;
  assign word_valid_o = valid_q3 && free && filling_q && settled_q && !pending_q;
  assign line_valid_o = acts && line_q;
  assign word_o = address_q3;
  assign word_beats_o = op_q3.beats;
  assign line_o = op_q3.line;
  assign acts = valid_q3 && free && acting_q && !(both_q && full_q);
  assign done = acts && (!line_q || line_ready_i);
  assign emit = (valid_q3 && free && saving_q && !full_q) || (word_valid_o && word_ready_i) || done;

  function automatic index_t slot_of(input index_t word);
    slot_of = word >= index_t'(SumDepth) ? index_t'(SumDepth) + index_t'(word[SlotBits-1:0]) : word;
  endfunction
  function automatic index_t line_slot_of(input index_t line);
    line_slot_of = line >= index_t'(WeightDepth) ? index_t'(WeightDepth) + index_t'(line[LineSlotBits-1:0]) : line;
  endfunction
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_o <= 1'b0;
    else if (free) valid_o <= emit;
    if (free) begin
      op_o <= op_q3;
      op_o.sum <= slot_of(acting_q ? op_q3.sum : address_q3);
      op_o.from <= slot_of(acting_q ? op_q3.from : address_q3);
      op_o.line <= line_slot_of(op_q3.line);
      op_o.save <= saving_q || (acting_q && both_q);
      op_o.fill_line <= acting_q && line_q;
      if (!acting_q) begin
        {op_o.end_of_pass, op_o.add, op_o.copy, op_o.read} <= '0;
        op_o.fill <= filling_q;
        {op_o.first, op_o.last} <= {1'b0, filling_q};
      end
    end
  end

  // Words on their way out, the oldest at first_q.
  typedef struct packed {
    index_t word;
    logic [7:0] beats;
  } save_t;
  save_t saves_q[Saves];
  logic [Saves-1:0] busy_q;
  logic [SlotIndexBits-1:0] first_q, next_q;
  logic push;
  function automatic logic [SlotIndexBits-1:0] after(input logic [SlotIndexBits-1:0] place);
    after = place == SlotIndexBits'(Saves - 1) ? '0 : place + 1'b1;
  endfunction
  assign push = emit && (saving_q || (acting_q && both_q));
  assign {save_word_o, save_beats_o} = saves_q[first_q];
  always_ff @(posedge clk_i) begin
    if (push) saves_q[next_q] <= '{word: {word_q3.tag, address_q3[SlotBits-1:0]}, beats: word_q3.beats};
    pending_q <= 1'b0;
    for (int unsigned i = 0; i < Saves; i++) if (busy_q[i] && saves_q[i].word == address_q3) pending_q <= 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (push) {next_q, busy_q[next_q]} <= {after(next_q), 1'b1};
    if (saved_i) {first_q, busy_q[first_q]} <= {after(first_q), 1'b0};
    full_q <= busy_q[next_q];  // of a place that was just taken: what saves changes a slot's state, so none follows it
    if (!rst_ni) {busy_q, first_q, next_q, full_q} <= '0;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(op_o));
  a_word :
  assert property (@(posedge clk_i) disable iff (!rst_ni) word_valid_o && !word_ready_i |=>
      word_valid_o && $stable(word_o));
  a_line :
  assert property (@(posedge clk_i) disable iff (!rst_ni) line_valid_o && !line_ready_i |=>
      line_valid_o && $stable(line_o));
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) push |-> !busy_q[next_q]);
  a_saved :
  assert property (@(posedge clk_i) disable iff (!rst_ni) saved_i |-> busy_q[first_q]);
`endif
endmodule
