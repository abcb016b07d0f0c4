// SPDX-License-Identifier: Apache-2.0
// core_codes around core_ahead and core_back, whose stand-ins do anything that their own proofs allow (m_ahead_*,
// m_back_*): passes, core_send's stages, a memory that keeps one record. One row is looked at, any one, of any word:
// its codes are followed into the block RAM, or through core_back, the memory and core_ahead.
module prove_core_codes
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned BankRows = 4,
    parameter int unsigned BackRows = 4  // of core_back
) (
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,
    input logic [1:0] packet_i,
    input logic [IndexBits-1:0] code_base_i,
    input logic [3:0] parts_i,
    input logic fresh_i,
    input logic [MemoryAddressBits-1:0] origin_i,
    input logic aim_valid_i,
    input logic aim_end_i,
    input logic [IndexBits-1:0] aim_word_i,
    input logic valid_i,
    input logic end_i,
    input logic [IndexBits-1:0] word_i,
    input logic ready_i,
    input logic enable_i,
    input logic row_changed_i,
    input logic [Quantisers*CodeBits-1:0] codes_i,
    input logic read_ready_i,
    input logic data_valid_i,
    input logic [MemoryBits-1:0] data_i,
    input logic write_ready_i,
    input logic ahead_word_ready_i,
    input logic [2:0] ahead_i,
    input logic [Quantisers*CodeBits:0] ahead_row_i,
    input logic [MemoryAddressBits+8:0] ahead_read_i,
    input logic [1:0] back_i,
    input logic [MemoryAddressBits+9:0] back_write_i,
    input logic [MemoryBits-1:0] back_data_i,
    input logic sample_i,
    input logic [IndexBits-1:0] some_row_i,
    input logic [3:0] some_parts_i,
    input logic [3:0] some_part_i
);
  localparam int unsigned Codes = Quantisers * CodeBits;
  typedef logic [IndexBits-1:0] index_t;
  typedef logic [IndexBits+4:0] row_t;  // any sum of rows
  typedef logic [MemoryAddressBits-1:0] address_t;
  typedef struct packed {
    logic end_of_pass;
    logic last;
    row_t first;  // row of its word
    logic [3:0] part;
  } token_t;
  step_t step;
  logic ready, valid, last_part, row, read_valid, write_valid, write_last;
  logic [Codes-1:0] codes;
  address_t read_address, write_address;
  logic [7:0] read_beats, write_beats;
  logic [MemoryBits-1:0] write_data;
  token_t [SendStages:1] token_q;
  logic [SendStages:1] valid_q, mine;
  logic [3:0] part_q;  // of the word that comes
  always_comb begin
    step = '0;
    {step.packet, step.code_base, step.parts} = {packet_i, code_base_i, parts_i};
  end
  assign last_part = part_q + 1'b1 == parts_i;
  assign row = valid_q[SendStages] && !token_q[SendStages].end_of_pass;

  assume_reset i_reset (.*);
  core_codes #(
      .BankRows(BankRows)
  ) dut (
      .clk_i,
      .rst_ni,
      .start_i,
      .step_i         (step),
      .fresh_i,
      .origin_i,
      .aim_valid_i,
      .aim_ready_o    (),
      .aim_end_i,
      .aim_word_i,
      .valid_i,
      .ready_o        (ready),
      .end_i,
      .word_i,
      .part_i         (part_q),
      .last_part_i    (last_part),
      .valid_o        (valid),
      .ready_i,
      .enable_i,
      .codes_o        (codes),
      .row_i          (row),
      .row_word_i     (word_i),
      .row_last_part_i(token_q[SendStages].last),
      .row_changed_i,
      .codes_i,
      .read_valid_o   (read_valid),
      .read_ready_i,
      .read_address_o (read_address),
      .read_beats_o   (read_beats),
      .data_valid_i,
      .data_i,
      .write_valid_o  (write_valid),
      .write_ready_i,
      .write_address_o(write_address),
      .write_beats_o  (write_beats),
      .write_data_o   (write_data),
      .write_last_o   (write_last)
  );

  // The row that is looked at, of a word with its first row.
  index_t first_q;
  logic [3:0] parts_of_q, pick_q;
  logic outside_c;
  index_t word_q;  // of the last part that was offered
  row_t mine_row, coming_first, last_first;
  assign mine_row = row_t'(first_q) + row_t'(pick_q);
  assign coming_first = first_of(word_i);
  assign last_first = first_of(word_q);
  function automatic row_t first_of(input index_t word);
    first_of = row_t'(code_base_i) + row_t'(word) * row_t'(parts_i);
  endfunction
  function automatic logic lies_outside(input row_t word);
    lies_outside = word + row_t'(parts_i) > row_t'(CodeDepth);
  endfunction
  function automatic logic is_mine(input row_t word, input logic [3:0] part);
    is_mine = word + row_t'(part) == mine_row;
  endfunction
  assign outside_c = row_t'(first_q) + row_t'(parts_of_q) > CodeDepth;

  // The pass, and its parts and end in core_send's stages.
  logic pass_q, ended_q, seen_q, take, part, ending, leaves, read, keeps;
  logic stalled_q, ending_q, offered_q, end_q;
  logic [SendStages:1] rows, outs;
  logic held_q, new_value;  // the row has codes that were given to it
  logic [Codes-1:0] value_q, codes_q;
  logic row_stalled_q, changed_q;
  assign take = valid_i && ready;
  assign part = take && !end_i;
  assign ending = valid_i && end_i;
  assign read = packet_i == 2 || (packet_i == 0 && !fresh_i);
  assign keeps = packet_i == 0;
  assign leaves = enable_i && (keeps ? valid_q[SendStages] && token_q[SendStages].end_of_pass :
                               valid_q[SendRead] && token_q[SendRead].end_of_pass);
  assign new_value = row && mine[SendStages] && (enable_i || !outside_c);
  always_comb begin
    for (int unsigned s = 1; s <= SendStages; s++) begin
      rows[s] = valid_q[s] && !token_q[s].end_of_pass;
      outs[s] = rows[s] && lies_outside(token_q[s].first);
      mine[s] = rows[s] && is_mine(token_q[s].first, token_q[s].part);
    end
  end

  // What core_ahead and core_back say.
  logic known, outside, there, room, ahead_idle, back_idle, nothing;

  logic past_q = 1'b0;
  logic [1:0] packet_q;
  index_t code_base_q;
  logic [3:0] step_parts_q;
  logic fresh_q, nothing_q;
  address_t origin_q;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) {first_q, parts_of_q, pick_q} <= {some_row_i, some_parts_i, some_part_i};
    m_row : assume (!past_q || (parts_of_q != 0 && 32'(parts_of_q) <= MostParts && pick_q < parts_of_q &&
                    row_t'(first_q) + row_t'(parts_of_q) <= 2 ** IndexBits));
    {packet_q, code_base_q, step_parts_q, fresh_q, origin_q} <= {packet_i, code_base_i, parts_i, fresh_i, origin_i};
    m_parts : assume (parts_i != 0 && 32'(parts_i) <= MostParts && packet_i != 3);
    m_start : assume (!start_i || !pass_q);
    m_stays : assume (!pass_q || {packet_i, code_base_i, parts_i, fresh_i, origin_i} ==
                      {packet_q, code_base_q, step_parts_q, fresh_q, origin_q});
    m_given : assume (!valid_i || (pass_q && !ended_q));
    m_word : assume (!valid_i || (part_q == 0 ? end_i || coming_first + row_t'(parts_i) <=
                     2 ** IndexBits : !end_i && word_i == word_q));
    m_offered : assume (!rst_ni || !offered_q || (valid_i && end_i == end_q && (end_i || word_i == word_q)));
    // a row belongs to one word
    m_own : assume (!valid_i || end_i || coming_first >= row_t'(first_q) + row_t'(parts_of_q) ||
                    coming_first + row_t'(parts_i) <= row_t'(first_q) ||
                    (coming_first == row_t'(first_q) && parts_i == parts_of_q));
    m_once : assume (!valid_i || end_i || !seen_q || !is_mine(coming_first, part_q));
    m_ready : assume (!ready_i || enable_i);
    m_row_stays : assume (!row_stalled_q || {row_changed_i, codes_i} == {changed_q, codes_q});
    m_unchanged : assume (!row || !mine[SendStages] || !held_q || fresh_i || row_changed_i || codes_i == value_q);

    row_stalled_q <= rst_ni && row && !enable_i;
    {changed_q, codes_q} <= {row_changed_i, codes_i};
    end_q <= end_i;
    if (valid_i) word_q <= word_i;
    offered_q <= rst_ni && valid_i && !ready;
    if (enable_i) token_q <= {token_q[SendStages-1:1], end_i, last_part, coming_first, part_q};
    if (new_value) value_q <= codes_i;
    held_q <= (held_q || (new_value && (fresh_i || row_changed_i))) && (!outside_c ||
              (rst_ni && (origin_i == origin_q || pass_q)));
    if (!past_q) held_q <= 1'b0;
    if (!rst_ni) {pass_q, ended_q, seen_q, part_q, valid_q, stalled_q, ending_q} <= '0;
    else begin
      pass_q <= start_i || (pass_q && !leaves);
      ended_q <= (ended_q && !start_i) || (take && end_i);
      seen_q <= (seen_q && !start_i) || (part && is_mine(coming_first, part_q));
      if (part) part_q <= last_part ? '0 : part_q + 1'b1;
      if (enable_i) begin
        valid_q <= {valid_q[SendStages-1:1], take};
        if (!keeps) valid_q[SendRead+1] <= 1'b0;
      end
      stalled_q <= valid && !ready_i;
      ending_q <= ending && !take;

      a_codes : assert (!mine[SendRead] || !read || !held_q || codes == value_q);
      a_passes : assert ((valid_i && ready) == (valid && ready_i) && (!valid || valid_i));
      a_stable : assert (!stalled_q || valid);
      a_ended : assert (!take || !end_i || nothing);
      a_progress : assert (!valid_i || valid || (end_i ? !ending_q || !nothing_q :
                           !known || (lies_outside(coming_first) && ((read && !there) || (keeps && !room)))));
    end
    if (past_q) begin
      i_pass : assert ((pass_q || (valid_q == 0 && part_q == 0 && nothing)) &&
                       (!ended_q || part_q == 0));
      i_end : assert (!ended_q || !pass_q || $countones(ends()) == 1);
      i_ends : assert (ended_q || ends() == 0);
      i_last : assert (behind());
      i_mine : assert ($onehot0(mine) && (mine == 0 || seen_q));
      i_packet : assert (keeps || valid_q[SendStages:SendRead+1] == 0);
      i_parts : assert (part_q < parts_i);
      i_word : assert (part_q == 0 || last_first + row_t'(parts_i) <= 2 ** IndexBits);
      i_row : assert (rows_right());
      i_stages : assert (stages_right());
      i_held : assert (!held_q || outside_c || inside_right());
      c_inside : cover (mine[SendRead] && read && held_q && !outside_c && value_q != 0 && keeps);
      c_answered : cover (mine[SendRead] && read && outside_c && codes != 0 && lies_outside(coming_first));
    end
    nothing_q <= nothing;
  end

  function automatic logic [SendStages:1] ends();
    ends = valid_q & ~rows;
  endfunction
  // Nothing comes after the end of a pass.
  function automatic logic behind();
    behind = 1'b1;
    for (int unsigned s = 1; s < SendStages; s++) begin
      for (int unsigned t = s + 1; t <= SendStages; t++) begin
        if (valid_q[s] && valid_q[t] && token_q[t].end_of_pass) behind = 1'b0;
      end
    end
  endfunction
  // Tokens in the stages have their rows there, and those of the leaf.
  function automatic logic stages_right();
    stages_right = 1'b1;
    for (int unsigned s = 1; s <= SendStages; s++) begin
      if (rows[s] && (token_q[s].first + row_t'(parts_i) > 2 ** IndexBits ||
                      token_q[s].part >= parts_i || token_q[s].last != (token_q[s].part + 1'b1 == parts_i))) begin
        stages_right = 1'b0;
      end
      if (mine[s] && (token_q[s].first != row_t'(first_q) || parts_i != parts_of_q)) stages_right = 1'b0;
      if (s > 1 && rows[s] && !outs[s] &&
          row_t'(dut.address_q[s]) != token_q[s].first + row_t'(token_q[s].part)) begin
        stages_right = 1'b0;
      end
    end
    if (rows[1] && !outs[1] && row_t'(dut.row) != token_q[1].first + row_t'(token_q[1].part)) stages_right = 1'b0;
  endfunction

  // The block RAM, and what was read of it.
  logic [(CodeDepth+BankRows-1)/BankRows-1:0][Codes-1:0] kept, read2, read3;
  for (genvar b = 0; b < (CodeDepth + BankRows - 1) / BankRows; b++) begin : g_bank
    assign kept[b]  = dut.g_bank[b].codes[32'(mine_row)%BankRows];
    assign read2[b] = dut.g_bank[b].codes_q2;
    assign read3[b] = dut.banks_q3[b];
  end
  function automatic logic inside_right();
    inside_right = kept[32'(mine_row)/BankRows] == value_q;
  endfunction
  function automatic logic rows_right();
    automatic logic [31:0] bank = 32'(mine_row) / BankRows;
    rows_right = 1'b1;
    if (held_q && read && !outside_c) begin
      if (mine[2] && read2[bank] != value_q) rows_right = 1'b0;
      if (mine[3] && read3[bank] != value_q) rows_right = 1'b0;
    end
    if (held_q && read && mine[4] && dut.codes_q4 != value_q) rows_right = 1'b0;
  endfunction

  // core_ahead: what it asked for, and what the memory answered for the row.
  logic [7:0] owed_q, beat_q, at_q;
  logic came_q, row_ends, asked_q, got_q, clear_q, over_q, settled_q, stopped_q, known_q, there_q, mine_asked, hit;
  logic [Codes-1:0] got_value_q;
  address_t address, request_address_q;
  logic request_q, write_waits_q;
  assign address = origin_i + address_t'(first_q) * address_t'(RowBeats);
  assign {known, outside, there} = {dut.g_outside.known, dut.g_outside.outside, dut.g_outside.there};
  assign {room, ahead_idle, back_idle} = {dut.g_outside.room, dut.g_outside.ahead_idle, dut.g_outside.back_idle};
  assign row_ends = data_valid_i && 32'(beat_q) == RowBeats - 1;
  assign mine_asked = read_valid && read_ready_i && read_address == address;
  assign hit = part && is_mine(coming_first, part_q) && read && outside_c;

  // core_back: rows that are on their way, those of the word that comes in, those of words that leave.
  logic [15:0] coming_q, come_q, stored_q, held, ahead_q;
  logic [3:0] row_at_q;  // of the record that leaves
  logic word_changed_q, mine_open_q, mine_leaves_q, end_of_row, end_of_record, enters, tracked, back_row;
  logic [RowBeats-1:0][MemoryBits-1:0] memory_q, value_beats;
  assign back_row = dut.g_outside.u_back.row_i;
  assign held = coming_q + come_q + stored_q;
  assign end_of_row = write_valid && 32'(at_q) == RowBeats - 1;
  assign end_of_record = end_of_row && row_at_q + 1'b1 == parts_i;
  assign enters = back_row && token_q[SendStages].last && (fresh_i || word_changed_q || row_changed_i);
  assign tracked = mine_leaves_q && ahead_q == 0;
  assign value_beats = (RowBeats * MemoryBits)'(value_q);
  assign nothing = held == 0 && owed_q == 0 && !came_q && !read_valid;

  always_ff @(posedge clk_i) begin
    if (past_q) i_outside : assert (((dut.g_outside.outside_q ^ outs) & rows) == 0);
    // What prove_core_ahead proves.
    m_ahead_outside : assume (!valid_i || end_i || !known || outside == lies_outside(coming_first));
    m_ahead_stable : assume (!known_q || known);
    m_ahead_there : assume (!there_q || there);
    m_ahead_asks : assume (!read_valid || (pass_q && !ended_q));
    m_ahead_request : assume (!request_q || (read_valid && read_address == request_address_q));
    m_ahead_once : assume (!read_valid || read_address != address || (outside_c && read && !asked_q && !seen_q));
    m_ahead_ended : assume (!read_valid || request_q || !stopped_q);
    m_ahead_idle : assume (ahead_idle == (owed_q == 0 && !came_q && !read_valid));
    m_ahead_codes : assume ((!hit || !there || got_q) &&
                            (!mine[3] || !read || !outside_c || dut.outside_q3 == got_value_q));
    m_owed : assume (!data_valid_i || owed_q != 0);
    // What prove_core_back proves.
    m_back_room : assume (room == (held - 16'(end_of_row) < 16'(BackRows)));
    m_back_idle : assume (back_idle == (held == 0));
    m_back_only : assume (!write_valid || stored_q != 0);
    m_back_stable : assume (!write_waits_q || write_valid);
    m_back_order : assume (!write_valid || (write_address == address) == tracked);
    m_back_data : assume (!write_valid || !tracked || row_at_q != pick_q || write_data == value_beats[at_q]);
    m_back_last : assume (!write_valid || write_last == end_of_record);

    known_q <= rst_ni && known && !(take && end_i) && !(part && last_part) && !clear_q;
    there_q <= rst_ni && there && !(part && outside && read) && !clear_q && !(take && end_i);
    request_address_q <= read_address;
    write_waits_q <= rst_ni && write_valid && !write_ready_i;
    if (!rst_ni) begin
      {owed_q, beat_q, came_q, asked_q, got_q, clear_q, over_q, settled_q, stopped_q, request_q} <= '0;
      {coming_q, come_q, stored_q, word_changed_q, mine_open_q, mine_leaves_q, at_q, row_at_q} <= '0;
    end else begin
      owed_q <= owed_q + (read_valid && read_ready_i ? 8'(parts_i) : '0) - 8'(row_ends);
      if (data_valid_i) beat_q <= row_ends ? '0 : beat_q + 1'b1;
      came_q <= row_ends;
      clear_q <= take && end_i;
      settled_q <= ending && ahead_idle;
      over_q <= ending && settled_q && enable_i;
      stopped_q <= ending;
      request_q <= read_valid && !read_ready_i;
      if (start_i) {asked_q, got_q} <= '0;
      else begin
        if (mine_asked) asked_q <= 1'b1;
        if (sample_i && asked_q && !got_q) {got_q, got_value_q} <= {1'b1, Codes'(memory_q)};
      end
      coming_q <= coming_q + 16'(dut.g_outside.u_back.take_i) - 16'(back_row);
      if (back_row) begin
        come_q <= token_q[SendStages].last ? '0 : come_q + 1'b1;
        word_changed_q <= (word_changed_q || row_changed_i) && !token_q[SendStages].last;
        mine_open_q <= (mine_open_q || mine[SendStages]) && !token_q[SendStages].last;
      end
      stored_q <= stored_q + (enters ? come_q + 16'd1 : '0) - 16'(end_of_row && write_ready_i);
      if (enters && (mine_open_q || mine[SendStages])) begin
        mine_leaves_q <= 1'b1;
        ahead_q <= stored_q - 16'(end_of_row && write_ready_i);
      end else if (mine_leaves_q && end_of_row && write_ready_i) begin
        if (ahead_q != 0) ahead_q <= ahead_q - 1'b1;
        else if (end_of_record) mine_leaves_q <= 1'b0;
      end
      if (write_valid && write_ready_i) begin
        at_q <= end_of_row ? '0 : at_q + 1'b1;
        if (end_of_row) row_at_q <= end_of_record ? '0 : row_at_q + 1'b1;
        if (write_address == address && row_at_q == pick_q) memory_q[at_q] <= write_data;
      end

      a_ahead : assert ((!part || (known && enable_i && (!outside || !read || there))) &&
                        dut.g_outside.u_ahead.take_i == part && dut.g_outside.u_ahead.ending_i == ending &&
                        (!pass_q || dut.g_outside.u_ahead.read_i == read) &&
                        dut.g_outside.u_ahead.clear_i == clear_q && (!clear_q || over_q));
      a_back : assert (dut.g_outside.u_back.take_i == (part && keeps && lies_outside(coming_first)) &&
                       (!dut.g_outside.u_back.take_i || room) &&
                       back_row == (outs[SendStages] && enable_i) && (!back_row || coming_q != 0));
    end
    if (past_q) begin
      c_written : cover (tracked && write_valid && write_ready_i && row_at_q == pick_q && value_q != 0);
      i_settled : assert (!settled_q || (stopped_q && owed_q == 0 && !came_q && !request_q));
      i_leaf : assert (!dut.g_outside.settled_q || (settled_q && ending_q && held == 0));
      i_clear : assert (dut.g_outside.clear_q == clear_q && (!clear_q || (over_q && ended_q && nothing)));
      i_step : assert (!pass_q || (dut.g_outside.write_q == keeps && dut.g_outside.read_q == read));
      i_coming : assert (keeps ? coming_q == 16'($countones(outs)) : {coming_q, come_q, stored_q} == 0);
      i_ended : assert (!ended_q || nothing);
      i_counts : assert (32'(stored_q) <= BackRows + 1 && held <= 16'(BackRows) + 1 && 32'(come_q) < MostParts &&
                         32'(at_q) < RowBeats && 32'(beat_q) < RowBeats && (at_q == 0 || stored_q != 0));
      i_rows : assert (pass_q ? row_at_q < parts_i && come_q < 16'(parts_i) &&
                       6'(6'(stored_q) + 6'(row_at_q)) % 6'(parts_i) == 0 : row_at_q == 0);
      i_mine_back : assert ((!mine_open_q && !mine_leaves_q) || (outside_c && pass_q && seen_q && keeps && mine == 0 &&
                             mine_open_q != mine_leaves_q && parts_i == parts_of_q && stored_q + come_q != 0));
      i_open : assert (!mine_open_q || come_q > 16'(pick_q));
      i_leaves : assert (!mine_leaves_q || (32'(ahead_q) <= BackRows && (ahead_q == 0 ?
                         stored_q + 16'(row_at_q) >= 16'(parts_i) : stored_q >= ahead_q + 16'(parts_i) &&
                         6'(6'(ahead_q) + 6'(row_at_q)) % 6'(parts_i) == 0)));
      i_value : assert (!held_q || !outside_c || (mine_open_q ? fresh_i || word_changed_q || memory_right(RowBeats) :
                        !mine_leaves_q || (ahead_q == 0 && row_at_q > pick_q) ? memory_right(RowBeats) :
                        ahead_q != 0 || row_at_q != pick_q || memory_right(32'(at_q))));
      i_got : assert ((!seen_q || !pass_q || !read || !outside_c || got_q) && (!asked_q || (outside_c && read) ||
                      !pass_q));
      i_asked : assert (!held_q || !outside_c || !got_q || (seen_q && mine == 0) || got_value_q == value_q);
      i_chain : assert (!pass_q || in_order());
    end
  end

  // The first beats of the row in the memory are those of its codes.
  function automatic logic memory_right(input logic [31:0] beats);
    automatic logic [Codes-1:0] differ = value_q ^ Codes'(memory_q);
    memory_right = 1'b1;
    for (int unsigned i = 0; i < Codes; i++) if (i / MemoryBits < beats && differ[i]) memory_right = 1'b0;
  endfunction
  // Parts of a word follow each other, from the ones that core_back has to the one that comes.
  function automatic logic in_order();
    automatic logic any = 1'b0;
    automatic token_t older = '0;
    in_order = 1'b1;
    for (int s = SendStages; s >= 1; s--) begin
      if (rows[s]) begin
        if (any) begin
          in_order &= older.last ? token_q[s].part == 0 :
              token_q[s].part == older.part + 1'b1 && token_q[s].first == older.first;
        end else if (keeps) in_order &= come_q == (outs[s] ? 16'(token_q[s].part) : '0);
        any = 1'b1;
        older = token_q[s];
      end
    end
    if (any) begin
      in_order &= ended_q ? older.last : part_q == (older.last ? '0 : older.part + 1'b1) &&
          (older.last || last_first == older.first);
    end else in_order &= come_q == (part_q != 0 && lies_outside(last_first) && keeps ? 16'(part_q) : '0);
  endfunction
endmodule
