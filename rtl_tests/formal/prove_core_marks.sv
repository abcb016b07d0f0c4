// SPDX-License-Identifier: Apache-2.0
// core_marks: one word is watched, any one, in the memory or past it, and one dirty bit. The model knows the mark of
// the word, which accesses to its chunk set and clear, when a pass reads that chunk, and from then on whether the word
// is due.
module prove_core_marks
  import core_pkg::*;
#(
    parameter bit First = 1'b0  // word 0 is watched, steps begin with it, and the reader never stalls
) (
    input logic clk_i,
    input logic rst_ni,
    input logic set_valid_i,
    input logic [IndexBits-1:0] set_word_i,
    input logic [7:0] set_engine_i,
    input logic start_i,
    input logic keep_i,
    input logic more_i,
    input logic [1:0] packet_i,
    input logic [7:0] engine_i,
    input logic [IndexBits-1:0] words_i,
    input logic [IndexBits-1:0] mark_base_i,
    input logic fresh_i,
    input logic ready_i,
    input logic [IndexBits+1:0] some_word_i,
    input logic [7:0] some_engine_i
);
  localparam int unsigned BitBits = $clog2(ChunkBits);
  localparam int unsigned ChunkIndexBits = IndexBits - BitBits;
  localparam int unsigned AddressBits = ChunkDepth > 1 ? $clog2(ChunkDepth) : 1;
  localparam int unsigned Room = 8;  // of the leaf
  localparam int unsigned Latency = 7;
  typedef logic [ChunkIndexBits-1:0] chunk_t;
  typedef logic [ChunkBits-1:0] bits_t;
  typedef logic [BitBits-1:0] bit_t;
  typedef logic [$clog2(ChunkBits+1)-1:0] count_t;
  step_t step;
  logic set_ready, dirty, valid, end_of_pass, set, all, clears, leave;
  logic [IndexBits-1:0] word;
  always_comb begin
    step = '0;
    {step.keep, step.more, step.packet, step.engine} = {keep_i, more_i, packet_i, engine_i};
    {step.words, step.mark_base} = {words_i, mark_base_i};
  end

  assume_reset i_reset (.*);
  core_marks dut (
      .clk_i,
      .rst_ni,
      .set_valid_i,
      .set_ready_o(set_ready),
      .set_word_i,
      .set_engine_i,
      .start_i,
      .step_i     (step),
      .fresh_i,
      .dirty_o    (dirty),
      .valid_o    (valid),
      .ready_i,
      .end_o      (end_of_pass),
      .word_o     (word)
  );
  assign set = set_valid_i && set_ready;
  assign all = fresh_i || packet_i != 0;
  assign clears = !keep_i && packet_i == 0;
  assign leave = valid && ready_i;

  // The watched word, and where it is in the step: chunk `chunk` of it, if that is one.
  logic [IndexBits+1:0] word_q;
  logic [IndexBits+1-BitBits:0] chunk_of_word, chunk_difference;
  bit_t at_bit;
  chunk_t chunk;
  logic [31:0] chunks, chunk_number, position;
  logic in_chunks, in_words, reached;
  logic [IndexBits-1:0] in_step;  // its number
  assign {chunk_of_word, at_bit} = word_q;
  assign chunk_difference = chunk_of_word - (IndexBits + 2 - BitBits)'(mark_base_i);
  assign chunk_number = 32'(chunk_difference);
  assign chunk = chunk_t'(chunk_difference);
  assign in_step = {chunk, at_bit};
  assign chunks = (32'(words_i) + ChunkBits - 1) / ChunkBits;
  assign in_chunks = chunk_number < 2 ** ChunkIndexBits;
  assign reached = chunk_number < chunks;
  assign in_words = in_chunks && 32'(in_step) < 32'(words_i);

  // Accesses to its chunk, in cycles 1 to 3 of the memory: what the mark was before, and is after it.
  typedef struct packed {
    logic set;  // any word of the chunk
    logic this_word;
    logic was_known;
    logic was;
    logic after_known;
    logic after;
  } access_t;
  logic access, set_this, read;
  logic mark_q, value_q;  // now; after what has left cycle 2
  logic known_q;  // it was set or cleared
  logic value_known_q;
  logic [3:1] valid_q;
  access_t now;
  access_t [3:1] access_q;
  assign access = (set || (dut.ask && !dut.end_next)) && 32'(dut.address) == 32'(chunk_of_word);
  assign set_this = set && 32'(set_word_i) == 32'(word_q);
  assign read = dut.ask && !dut.end_next && in_chunks && dut.chunk_q == chunk;
  always_comb begin
    now = '{set: set, this_word: set_this, was_known: known_q, was: mark_q, after_known: known_q, after: mark_q};
    if (set_this) {now.after_known, now.after} = 2'b11;
    else if (!set && clears) {now.after_known, now.after} = 2'b10;
  end

  // The memory: what the mark of an access is, as long as the ones before it are under way.
  typedef struct packed {
    logic known;
    logic mark;
  } mark_t;
  function automatic logic alike(input mark_t a, input mark_t b);
    alike = a.known == b.known && (!a.known || a.mark == b.mark);
  endfunction
  mark_t value, after_2, after_1;
  logic [3:1] here;
  assign value = '{known: value_known_q, mark: value_q};
  assign after_2 = valid_q[2] ? '{known: access_q[2].after_known, mark: access_q[2].after} : value;
  assign after_1 = valid_q[1] ? '{known: access_q[1].after_known, mark: access_q[1].after} : after_2;
  assign here[1] = dut.u_marks.valid_q && 32'(dut.u_marks.g_memory.word_q) == 32'(chunk_of_word);
  assign here[2] = dut.u_marks.valid_q2 && 32'(dut.u_marks.g_memory.word_q2) == 32'(chunk_of_word);
  assign here[3] = dut.u_marks.g_memory.valid_q3 && 32'(dut.u_marks.g_memory.word_q3) == 32'(chunk_of_word);
  bits_t read_marks, stored;
  assign read_marks = dut.u_marks.g_memory.match_3_q ? dut.u_marks.g_memory.written_q : dut.u_marks.g_memory.read_q;
  assign stored = dut.u_marks.g_memory.memory[AddressBits'(chunk_of_word)];
  logic [2:1] kinds;  // an access is what it was
  for (genvar s = 1; s <= 2; s++) begin : g_kind
    logic is_set, is_end, asked;
    bit_t set_bit;
    assign asked = dut.asked_q[s-1];
    assign {is_set, set_bit, is_end} = s == 1 ?
        {dut.access_q.set, dut.access_q.set_bit, dut.access_q.end_of_pass} :
        {dut.access_q2.set, dut.access_q2.set_bit, dut.access_q2.end_of_pass};
    always_comb begin
      kinds[s] = is_set == access_q[s].set;
      if (is_set) begin
        kinds[s] &= (set_bit == at_bit) == access_q[s].this_word;
        kinds[s] &= access_q[s].this_word ? access_q[s].after_known && access_q[s].after :
            alike({access_q[s].after_known, access_q[s].after}, {access_q[s].was_known, access_q[s].was});
      end else begin
        kinds[s] &= asked && !is_end && open_q;
        kinds[s] &= clears ? access_q[s].after_known && !access_q[s].after :
            alike({access_q[s].after_known, access_q[s].after}, {access_q[s].was_known, access_q[s].was});
      end
      kinds[s] |= !valid_q[s];
    end
  end

  // The pass.
  logic open_q, read_q, given_q, due_q, loose_q;  // loose: what the mark was is not known
  logic offered, larger;
  logic [3:0] late_q;  // cycles without an offer, less chunks without a mark, and marks that are set
  assign offered = valid && !end_of_pass && in_chunks && word == in_step;
  assign larger = valid && !end_of_pass && in_chunks && word > in_step;
  assign position = dut.scanning_q && !dut.end_next ? 32'(dut.chunk_q) : chunks;

  // Chunks and ends inside of the leaf, the oldest first: the current one, those of the queue, stages 3 to 1.
  localparam int unsigned Places = Room + 4;
  logic [Places-1:0] full, ends;
  chunk_t [Places-1:0] chunks_at;
  logic [31:0] count_ends, held;
  logic ordered, past, same, ended, found, right, late_fits;
  bits_t marks, up_to;  // of the current chunk; up to the watched one
  assign marks = dut.bits_q;
  assign up_to = bits_t'((64'(2) << at_bit) - 64'(1));
  assign {full[0], ends[0], chunks_at[0]} = {dut.busy_q, dut.last_q, dut.at_q};
  bits_t bits[Room];
  count_t lows[Room], highs[Room];
  for (genvar i = 0; i < int'(Room); i++) begin : g_queue
    assign full[i+1] = i < 32'(dut.u_chunks.count_q);
    assign {ends[i+1], lows[i], highs[i], chunks_at[i+1], bits[i]} =
        dut.u_chunks.memory[3'(32'(dut.u_chunks.read_q)+i)];
  end
  assign full[Places-1:Room+1] = {dut.asked_q[0], dut.asked_q[1], dut.asked_q[2]};
  assign ends[Places-1:Room+1] = {dut.access_q.end_of_pass, dut.access_q2.end_of_pass, dut.end_q3};
  assign chunks_at[Places-1:Room+1] = {dut.access_q.chunk, dut.access_q2.chunk, dut.chunk_q3};
  function automatic count_t ones(input logic [ChunkBits/2-1:0] half);
    ones = '0;
    for (int i = 0; i < ChunkBits / 2; i++) ones += count_t'(half[i]);
  endfunction
  always_comb begin
    ended = valid && end_of_pass;
    same = given_q || (valid && !end_of_pass && in_chunks && word[IndexBits-1:BitBits] == chunk);
    past = valid && !end_of_pass && in_chunks && word[IndexBits-1:BitBits] > chunk;
    ordered = read_q || !(same || past || (ended && reached));
    count_ends = 32'(ended);
    held = '0;
    found = 1'b0;
    for (int unsigned i = 0; i < Places; i++) begin
      if (full[i]) begin
        ordered &= !ended;
        if (ends[i]) begin
          ended = 1'b1;
          count_ends += 1;
        end else if (in_chunks) begin
          ordered &= !past || chunks_at[i] > chunk;
          ordered &= !same || chunks_at[i] >= chunk;
          ordered &= read_q || chunks_at[i] < chunk;
          found |= chunks_at[i] == chunk;
          past |= chunks_at[i] >= chunk;
        end
        held += 32'(i != 0);
      end
      past |= same;
      same = 1'b0;
    end
  end
  // The bit of the watched word, where its chunk is.
  always_comb begin
    right = 1'b1;
    if (full[0] && !ends[0] && chunks_at[0] == chunk) begin
      right &= (marks[at_bit] == (due_q && !offered)) || loose_q;
      right &= dut.count_q == ones(marks[ChunkBits/2-1:0]) + ones(marks[ChunkBits-1:ChunkBits/2]) && marks != '0;
      right &= (marks & up_to) == '0 || !(given_q || offered || larger);
    end
    for (int unsigned i = 0; i < Room; i++) begin
      if (full[i+1] && !ends[i+1] && chunks_at[i+1] == chunk) begin
        right &= (bits[i][at_bit] == due_q || loose_q) && !given_q && bits[i] != '0;
        right &= lows[i] == ones(bits[i][ChunkBits/2-1:0]) && highs[i] == ones(bits[i][ChunkBits-1:ChunkBits/2]);
      end
    end
    if (dut.asked_q[2] && !dut.end_q3 && dut.chunk_q3 == chunk) begin
      right &= (dut.found_q3[at_bit] == due_q || loose_q) && !given_q;
    end
    if (dut.asked_q[1] && !dut.access_q2.end_of_pass && dut.access_q2.chunk == chunk) begin
      right &= dut.access_q2.below[at_bit] == in_words && !given_q;
      right &= (all ? in_words : access_q[2].was) == due_q || loose_q;
      right &= packet_i != 0 || (valid_q[2] && !access_q[2].set && (all || access_q[2].was_known || loose_q));
    end
    if (dut.asked_q[0] && !dut.access_q.end_of_pass && dut.access_q.chunk == chunk) begin
      right &= dut.access_q.below[at_bit] == in_words && !given_q;
      right &= (all ? in_words : access_q[1].was) == due_q || loose_q;
      right &= packet_i != 0 || (valid_q[1] && !access_q[1].set && (all || access_q[1].was_known || loose_q));
    end
  end

  // The cycles without an offer: what is inside brings one in as many cycles as it has stages to go.
  logic [31:0] ahead;
  always_comb begin
    late_fits = 32'(late_q) < Latency;
    ahead = 32'(valid);
    if (full[0]) late_fits &= 32'(late_q) <= 5 + ahead;
    ahead += 32'(full[0]);
    if (full[1]) late_fits &= 32'(late_q) <= 4 + ahead;
    ahead += 32'(dut.u_chunks.count_q);
    for (int unsigned s = 3; s >= 1; s--) begin
      if (dut.asked_q[s-1]) begin
        late_fits &= 32'(late_q) <= s + ahead;
        ahead += 1;
      end
    end
    if (dut.scanning_q) late_fits &= 32'(late_q) <= ahead;
  end

  logic past_cycle_q = 1'b0;
  logic stalled_q;
  logic [IndexBits:0] offer_q;
  logic [7:0] engine_q;
  logic dirty_q, dirty_known_q;
  logic [2*IndexBits+12:0] step_q, stays;
  assign stays = {keep_i, more_i, packet_i, engine_i, words_i, mark_base_i, fresh_i};
  always_ff @(posedge clk_i) begin
    past_cycle_q <= 1'b1;
    if (!past_cycle_q) {word_q, engine_q} <= {some_word_i, some_engine_i};
    step_q <= stays;
    m_first : assume (!First || (ready_i && mark_base_i == '0 && some_word_i == '0));
    m_start : assume (!start_i || !open_q);
    m_stays : assume (!rst_ni || !open_q || stays == step_q);
    m_words : assume (packet_i != 0 || 32'(mark_base_i) + chunks <= ChunkDepth);
    m_set : assume (32'(set_word_i) < ChunkDepth * ChunkBits);

    // The dirty bit.
    if (start_i ? clears && !more_i && engine_i == engine_q : set && set_engine_i == engine_q) begin
      {dirty_known_q, dirty_q} <= {1'b1, !start_i};
    end
    // The mark, and the chunk's accesses.
    access_q <= {access_q[2:1], now};
    if (valid_q[2]) {value_known_q, value_q} <= {access_q[2].after_known, access_q[2].after};
    offer_q <= {end_of_pass, word};
    if (past_cycle_q) begin  // in a reset, too
      i_dirty : assert (!dirty_known_q || dut.dirty[engine_q] == dirty_q);
      i_here : assert (here == valid_q);
      i_known : assert (32'(chunk_of_word) < ChunkDepth ||
                        !(known_q || value_known_q || after_1.known || after_2.known));
      i_chain : assert (alike({known_q, mark_q}, after_1) &&
                        (!valid_q[1] || alike({access_q[1].was_known, access_q[1].was}, after_2)) &&
                        (!valid_q[2] || alike({access_q[2].was_known, access_q[2].was}, value)) &&
                        (!valid_q[3] || alike({access_q[3].after_known, access_q[3].after}, value)));
      i_stored : assert (!value_known_q || (valid_q[3] ? dut.u_marks.g_memory.result_q[at_bit] == value_q :
                         stored[at_bit] == value_q));
    end
    if (!rst_ni) begin
      {open_q, read_q, given_q, due_q, loose_q, valid_q, stalled_q, late_q} <= '0;
      known_q <= known_q && valid_q[2:1] == '0 && !access;
      value_known_q <= known_q && valid_q[2:1] == '0 && !access;
    end else begin
      valid_q <= {valid_q[2:1], access};
      if (access) {known_q, mark_q} <= {now.after_known, now.after};
      if (start_i) {open_q, read_q, given_q, due_q, loose_q, late_q} <= {1'b1, 8'b0};
      else if (open_q) begin
        if (read) begin
          {read_q, due_q} <= {1'b1, all ? in_words : known_q && mark_q};
          loose_q <= !all && !known_q;
        end
        if (leave && offered) {given_q, due_q, loose_q} <= 3'b100;
        if (leave && end_of_pass) {open_q, read_q, given_q, due_q, loose_q} <= '0;
        late_q <= late_q + 4'(!valid) < 4'(set) + 4'(dut.drop) ? '0 : late_q + 4'(!valid) - 4'(set) - 4'(dut.drop);
      end
      stalled_q <= valid && !ready_i;

      a_marked : assert (!offered || due_q || loose_q);
      a_none_lost : assert (!(larger || (valid && end_of_pass)) || !due_q || loose_q);
      a_order : assert (!given_q || !valid || end_of_pass || larger);
      a_read : assert ((!read || (open_q && !read_q)) &&
                       (!valid || !end_of_pass || read_q || chunk_number >= chunks));
      a_room : assert (!dut.asked_q[2] || dut.drop || dut.full_ready);
      a_pass : assert (!valid || open_q);
      a_stable : assert (!stalled_q || (valid && {end_of_pass, word} == offer_q));
      a_progress : assert (!open_q || valid || 32'(late_q) < Latency - 1);
      a_dirty : assert (!dirty_known_q || engine_i != engine_q || dirty == dirty_q);
      a_ready : assert (set_ready == !start_i);
      i_late : assert (!open_q || late_fits);
      i_open : assert (open_q ? count_ends == 32'(!dut.scanning_q) : !dut.scanning_q && count_ends == 0 &&
                       full == '0);
      i_ordered : assert (!open_q || ordered);
      i_position : assert (!open_q || (in_chunks ? (position > chunk_number) == read_q : !read_q));
      i_scan : assert (!dut.scanning_q || dut.end_next ||
                       (32'(dut.chunk_q) < chunks && 32'(dut.left_q) + 32'(dut.chunk_q) * ChunkBits == 32'(words_i)));
      i_room : assert (32'(dut.room_q) + held == Room && dut.u_chunks.ready_o == (32'(dut.u_chunks.count_q) != Room));
      i_queue : assert (32'(dut.u_chunks.count_q) <= Room && dut.u_chunks.empty_q == (dut.u_chunks.count_q == 0) &&
                        dut.u_chunks.write_q == 3'(32'(dut.u_chunks.read_q) + 32'(dut.u_chunks.count_q)));
      i_right : assert (!open_q || !in_chunks || right);
      i_due : assert (!due_q || (open_q && read_q && !loose_q && (offered || found)));
      i_given : assert ((!given_q && !loose_q) || (open_q && read_q && in_chunks));
      i_accesses : assert (kinds == '1 && (!valid_q[1] || !dut.u_marks.load_q) &&
                           (!valid_q[2] || !dut.u_marks.g_memory.load_q2));
      i_operand : assert (!valid_q[2] || !access_q[2].was_known || dut.marks[at_bit] == access_q[2].was);
      i_match : assert (!valid_q[1] || dut.u_marks.g_memory.match_2_q == valid_q[3]);
      i_read : assert (!value_known_q || !valid_q[1] || valid_q[2] || valid_q[3] || read_marks[at_bit] == value_q);
      c_several : cover (larger && leave && given_q && !all && clears && set);
      c_late_mark : cover (offered && leave && due_q && !loose_q && mark_q && known_q && clears && !all);
    end
    if (!past_cycle_q) {known_q, value_known_q, dirty_known_q} <= '0;
  end
endmodule
