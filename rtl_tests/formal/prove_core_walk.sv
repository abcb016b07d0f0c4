// SPDX-License-Identifier: Apache-2.0
// core_walk: each event that is taken becomes a token, with its reader's record and, if it reaches something, a number.
// Tokens go with the leaf's stages; in stage 3 they go through the loops, and each place becomes a token of its own.
// What leaves has to be what its token says, and tokens have to leave in the order of events and loops.
module prove_core_walk
  import core_pkg::*;
  import core_types::*;
#(
    localparam int unsigned Most = 7
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input located_t event_i,
    input logic [Lanes-1:0][DeltaBits-1:0] deltas_i,
    input logic op_ready_i,
    input logic mark_ready_i,
    input logic load_i,
    input logic [7:0] load_address_i,
    input walk_t load_data_i
);
  localparam int unsigned AddressBits = WalkDepth > 1 ? $clog2(WalkDepth) : 1;
  typedef logic [IndexBits-1:0] index_t;
  typedef logic [LaneBits:0] lanes_t;
  typedef logic [LaneBits-1:0] lane_t;
  typedef logic [Lanes-1:0] mask_t;
  typedef logic [Lanes-1:0][DeltaBits-1:0] deltas_t;
  logic ready, freed, valid, mark_valid;
  operation_t op;
  deltas_t deltas;
  index_t mark_word;
  logic [7:0] mark_engine;

  assume_reset i_reset (.*);
  core_walk dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o      (ready),
      .event_i,
      .deltas_i,
      .free_o       (freed),
      .op_valid_o   (valid),
      .op_ready_i,
      .op_o         (op),
      .deltas_o     (deltas),
      .mark_valid_o (mark_valid),
      .mark_ready_i,
      .mark_word_o  (mark_word),
      .mark_engine_o(mark_engine),
      .load_i,
      .load_address_i,
      .load_data_i
  );

  // The loops: an event with its reader, the place in them, how far words and lines are from those of the first place.
  typedef struct packed {
    located_t at;
    walk_t walk;
  } work_t;
  typedef struct packed {
    logic [7:0] row;
    logic [7:0] column;
    logic [11:0] group;
    lane_t lane;
  } spot_t;
  typedef struct packed {
    index_t row_words;
    index_t row_lines;
    index_t column_words;
    index_t column_lines;
    index_t group_lines;
  } far_t;
  typedef struct packed {
    index_t word;
    index_t line;  // of the kernel's element
    index_t weights;  // of lane 0
  } reached_t;
  function automatic lane_t lowest(input mask_t mask);
    lowest = '0;
    for (int l = int'(Lanes) - 1; l >= 0; l--) if (mask[l]) lowest = lane_t'(l);
  endfunction
  function automatic mask_t above(input mask_t mask, input lane_t lane);
    for (int unsigned l = 0; l < Lanes; l++) above[l] = mask[l] && l > 32'(lane);
  endfunction
  function automatic logic last_lane(input work_t work, input spot_t spot);
    last_lane = work.walk.channelwise || above(work.at.mask, spot.lane) == '0;
  endfunction
  function automatic logic last_group(input work_t work, input spot_t spot);
    last_group = spot.group == work.walk.groups - 1'b1;
  endfunction
  function automatic logic last_column(input work_t work, input spot_t spot);
    last_column = spot.column == work.at.column.count - 1'b1;
  endfunction
  function automatic logic done(input work_t work, input spot_t spot);
    done = work.at.end_of_pass || (last_lane(work, spot) && last_group(work, spot) && last_column(work, spot) &&
        spot.row == work.at.row.count - 1'b1);
  endfunction
  function automatic spot_t start_of(input work_t work);
    start_of = '0;
    if (!work.at.end_of_pass && !work.walk.channelwise) start_of.lane = lowest(work.at.mask);
  endfunction
  function automatic spot_t after(input work_t work, input spot_t spot);
    after = spot;
    if (!last_lane(work, spot)) after.lane = lowest(above(work.at.mask, spot.lane));
    else begin
      after.lane = start_of(work).lane;
      after.group = last_group(work, spot) ? '0 : spot.group + 1'b1;
      if (last_group(work, spot)) begin
        after.column = last_column(work, spot) ? '0 : spot.column + 1'b1;
        if (last_column(work, spot)) after.row = spot.row + 1'b1;
      end
    end
  endfunction
  function automatic far_t farther(input work_t work, input spot_t spot, input far_t far);
    farther = far;
    if (last_lane(work, spot)) begin
      farther.group_lines = last_group(work, spot) ? '0 : far.group_lines + work.walk.group_stride;
      if (last_group(work, spot)) begin
        farther.column_words = last_column(work, spot) ? '0 : far.column_words + work.walk.word_column;
        farther.column_lines = last_column(work, spot) ? '0 : far.column_lines + work.walk.line_column;
        if (last_column(work, spot)) begin
          farther.row_words = far.row_words + work.walk.word_row;
          farther.row_lines = far.row_lines + work.walk.line_row;
        end
      end
    end
  endfunction
  function automatic index_t first_line(input work_t work);  // of the event's lanes
    if (work.walk.channelwise) first_line = work.walk.group_lines ? work.at.remainder : '0;
    else first_line = work.at.remainder * index_t'(work.at.element ? 7'd1 : work.walk.used);
  endfunction
  function automatic reached_t reached(input work_t work, input spot_t spot, input far_t far);
    reached.word = work.at.row.word + work.at.column.word + (work.walk.channelwise ? work.at.remainder : '0) +
        far.row_words + far.column_words + (work.walk.channelwise ? '0 : index_t'(spot.group));
    reached.line = work.at.row.line + work.at.column.line - far.row_lines - far.column_lines;
    reached.weights = work.walk.weight_base + (first_line(work) + far.group_lines) +
        (work.walk.maximum ? '0 : reached.line);
  endfunction
  function automatic logic [7:0] beats_of(input work_t work);
    beats_of = {work.walk.narrow, work.walk.word_beats};
  endfunction
  function automatic logic by_lane(input work_t work);
    by_lane = !work.walk.channelwise && !work.at.element;
  endfunction
  function automatic logic first_lane(input work_t work, input spot_t spot);
    first_lane = spot.lane == start_of(work).lane;
  endfunction
  function automatic operation_t operation_of(input work_t work, input spot_t spot, input reached_t reached);
    operation_of = '0;
    if (work.at.end_of_pass) operation_of.end_of_pass = 1'b1;
    else begin
      operation_of.add = 1'b1;
      operation_of.first = first_lane(work, spot);
      operation_of.last = last_lane(work, spot);
      operation_of.sum = work.walk.sum_base + reached.word * index_t'(work.walk.taps) +
          (work.walk.maximum ? reached.line : '0);
      operation_of.from = operation_of.sum;
      operation_of.line = reached.weights + (by_lane(work) ? index_t'(spot.lane) : '0);
      operation_of.beats = beats_of(work);
      operation_of.engine = work.walk.engine;
    end
  endfunction
  function automatic operation_t shown(input operation_t some);  // of the end of a pass only that
    shown = some;
    if (some.end_of_pass) {shown.sum, shown.from, shown.line, shown.beats, shown.engine} = '0;
  endfunction
  function automatic deltas_t deltas_of(input work_t work, input spot_t spot, input deltas_t word);
    deltas_of = work.walk.channelwise ? word : {Lanes{word[spot.lane]}};
  endfunction
  function automatic index_t mark_of(input work_t work, input reached_t reached);
    mark_of = index_t'(32'(work.walk.mark_base) * 32) + reached.word;
  endfunction
  function automatic logic frees(input located_t some);
    frees = some.free && !some.end_of_pass;
  endfunction
  function automatic logic reaches(input work_t work);
    reaches = work.at.end_of_pass || (work.at.hit && work.at.row.count != '0 && work.at.column.count != '0 &&
        (work.walk.channelwise ? work.walk.groups == 12'd1 : work.walk.groups != '0 && work.at.mask != '0));
  endfunction
  function automatic logic none(input located_t some);
    none = !some.hit && !some.end_of_pass;
  endfunction

  // Readers. A token: an event, the place in its loops, and what is known of the deltas of its word. ahead: words that
  // have to be free before its own is shown; over: its own was and is free.
  typedef struct packed {
    work_t work;
    spot_t spot;
    far_t far;
    reached_t reached;  // from stage 4 on
    logic [3:0] number;  // of its event, of those that reach something
    logic [3:0] ahead;
    logic over;
    deltas_t word;
  } token_t;
  walk_t walks_q[WalkDepth];
  walk_t walks[WalkDepth];
  token_t entered, token_q1, token_q2, token_q3, stepped, behind_q, token_q4, token_q5, token_q6;
  logic [3:0] count_q, pending_q, number_q;
  logic fresh_q, take, enter, leave, out;
  for (genvar w = 0; w < int'(WalkDepth); w++) begin : g_walk
    assign walks[w] = fresh_q ? dut.walks[w] : walks_q[w];
  end
  assign take = valid_i && ready;
  always_comb begin
    entered = '0;
    entered.work = '{at: event_i, walk: walks[event_i.walk[AddressBits-1:0]]};
    {entered.number, entered.ahead} = {number_q, pending_q};
  end
  assign enter = take && !none(event_i);
  assign leave = valid && op_ready_i;
  assign out = leave && done(token_q6.work, token_q6.spot);
  function automatic token_t seen(input token_t token);
    seen = token;
    if (freed && token.ahead != '0) seen.ahead = token.ahead - 1'b1;
    if (!token.over && token.ahead == '0) {seen.over, seen.word} = {freed, deltas_i};
  endfunction

  // The order: what comes next, after all that are in later stages.
  typedef struct packed {
    logic [3:0] number;
    logic starts;  // with a new event; else:
    spot_t spot;
  } next_t;
  function automatic next_t next_of(input token_t token);
    next_of = '{
        number: token.number + 4'(done(token.work, token.spot)),
        starts: done(token.work, token.spot),
        spot: after(token.work, token.spot)
    };
  endfunction
  function automatic logic in_turn(input next_t due, input token_t token);
    in_turn = token.number == due.number && token.spot == (due.starts ? start_of(token.work) : due.spot);
  endfunction
  typedef struct packed {
    logic none;
    logic free;
    logic end_of_pass;
    logic first;
    logic last;
    logic channelwise;
    lane_t lane;
    logic add_lane;
    index_t word;
    index_t line;
    index_t offset;
    index_t sum_base;
    logic [7:0] taps;
    index_t mark_base;
    logic [$bits(op.beats)-1:0] beats;
    logic [7:0] engine;
  } state_t;  // of the leaf's stage 4
  next_t due_q, due_5, due_4, due_behind, due_3, due_2, due_1, due_0;
  state_t state_4, state_behind;
  logic valid_4, valid_behind, valid_3, valid_2, valid_1, stored;  // an operation, or an event that has some
  assign {state_4, state_behind} = {dut.step_q4, dut.i_steps.memory[0]};
  assign stored = dut.i_steps.count_q != 0;
  assign valid_4 = dut.valid_q4 && !none(token_q4.work.at);
  assign valid_behind = stored && !none(behind_q.work.at);
  assign valid_3 = dut.busy_q && !none(token_q3.work.at);
  assign valid_2 = dut.valid_q2 && !none(token_q2.work.at);
  assign valid_1 = dut.valid_q1 && !none(token_q1.work.at);
  assign due_5 = valid ? next_of(token_q6) : due_q;
  assign due_4 = dut.valid_q5 ? next_of(token_q5) : due_5;
  assign due_behind = valid_4 ? next_of(token_q4) : due_4;
  assign due_3 = valid_behind ? next_of(behind_q) : due_behind;
  always_comb begin
    {due_2, due_1, due_0} = {3{due_3}};
    due_2.number = due_3.number + 4'(valid_3);
    due_1.number = due_2.number + 4'(valid_2);
    due_0.number = due_1.number + 4'(valid_1);
  end

  // Words that are not free yet, up to a stage.
  logic [3:0] words_behind, words_3, words_2, words_1, words_0;
  assign words_behind = 4'(dut.valid_q4 && state_4.free);
  assign words_3 = words_behind + 4'(stored && state_behind.free);
  assign words_2 = words_3 + 4'(dut.busy_q && frees(token_q3.work.at));
  assign words_1 = words_2 + 4'(dut.valid_q2 && frees(token_q2.work.at));
  assign words_0 = words_1 + 4'(dut.valid_q1 && frees(token_q1.work.at));

  function automatic logic right(input state_t state, input token_t token);
    right = state.none == none(token.work.at) && state.end_of_pass == token.work.at.end_of_pass &&
        state.free == ((none(token.work.at) || done(token.work, token.spot)) && frees(token.work.at));
    if (token.work.at.end_of_pass) right &= !state.first;
    if (token.work.at.hit && !token.work.at.end_of_pass) begin
      right &= state.first == first_lane(token.work, token.spot) && state.last == last_lane(token.work, token.spot) &&
          state.channelwise == token.work.walk.channelwise && (state.channelwise || state.lane == token.spot.lane) &&
          state.add_lane == by_lane(token.work) &&
          state.word == token.reached.word && state.line == token.reached.weights &&
          state.offset == (token.work.walk.maximum ? token.reached.line : '0) &&
          {state.sum_base, state.taps, state.mark_base, state.engine} == {token.work.walk.sum_base,
           token.work.walk.taps, token.work.walk.mark_base, token.work.walk.engine} &&
          state.beats == beats_of(token.work);
    end
  endfunction
  function automatic lanes_t count_of(input mask_t mask);
    count_of = '0;
    for (int unsigned l = 0; l < Lanes; l++) count_of += lanes_t'(mask[l]);
  endfunction
  function automatic lanes_t most_lane(input work_t work);
    most_lane = work.walk.channelwise ? '0 : count_of(work.at.mask) - 1'b1;
  endfunction
  function automatic logic fits(input token_t token);  // what may be in a token
    fits = none(token.work.at) || (reaches(token.work) && (token.work.at.end_of_pass ? token.spot == '0 :
        token.spot.row < token.work.at.row.count && token.spot.column < token.work.at.column.count &&
        token.spot.group < token.work.walk.groups && 32'(token.spot.lane) < Lanes &&
        (token.work.walk.channelwise ? token.spot.lane == '0 : token.work.at.mask[token.spot.lane])));
  endfunction
  function automatic logic waits_for(input token_t token, input logic [3:0] words);
    waits_for = !token.over && token.ahead == words;
  endfunction

  logic stalled_q, mark_stalled_q, marked_q, flows_q, freed_q;
  logic open_q, kept_q;  // open: the last event was not the last one of its word; kept: the word that was shown stays
  logic [3:0] late_q, free_late_q;
  operation_t op_q;
  deltas_t deltas_q, shown_q;
  index_t mark_word_q;
  logic [7:0] mark_engine_q;
  logic matched, mark_waits;
  work_t work_2, work_3, work_5;
  spot_t spot_3, spot_5, spot_6, first_spot;
  far_t row_far;
  reached_t reached_3, reached_column, reached_row;
  assign {work_2, spot_6} = {token_q2.work, token_q6.spot};
  assign {work_3, spot_3, work_5, spot_5} = {token_q3.work, token_q3.spot, token_q5.work, token_q5.spot};
  always_comb begin
    reached_3 = reached(work_3, spot_3, token_q3.far);
    {first_spot, row_far} = {spot_3, token_q3.far};
    first_spot.group = '0;
    {row_far.column_words, row_far.column_lines} = '0;
    reached_column = reached(work_3, first_spot, token_q3.far);
    reached_row = reached(work_3, first_spot, row_far);
    stepped = token_q3;
    stepped.reached = reached_3;
    matched = 1'b1;
    for (int unsigned w = 0; w < WalkDepth; w++) matched &= walks[w] == dut.walks[w];
  end
  assign mark_waits = mark_valid && !mark_ready_i;
  function automatic logic waits(input token_t token);  // for its word, which is not free yet
    waits = token.work.at.end_of_pass || token.over || pending_q > token.ahead ||
        (pending_q == token.ahead && open_q);
  endfunction
  function automatic logic shows(input token_t token);  // its word is the one that is shown, or was
    shows = token.ahead == '0 &&
        (token.work.at.end_of_pass || token.over || (token.word == shown_q && !freed_q && kept_q));
  endfunction

  always_ff @(posedge clk_i) begin
    m_walk : assume (32'(event_i.walk) < WalkDepth && 32'(load_address_i) < WalkDepth);
    m_reaches : assume (!enter || reaches(entered.work));
    m_deltas : assume (!kept_q || deltas_i == shown_q);

    fresh_q <= !rst_ni;
    for (int unsigned w = 0; w < WalkDepth; w++) walks_q[w] <= walks[w];
    if (load_i) walks_q[load_address_i[AddressBits-1:0]] <= load_data_i;
    {op_q, deltas_q, shown_q, mark_word_q, mark_engine_q} <= {op, deltas, deltas_i, mark_word, mark_engine};
    freed_q <= freed || !rst_ni;
    kept_q <= rst_ni && !freed && (pending_q != 0 || open_q);
    token_q1 <= seen(dut.move ? entered : token_q1);
    token_q2 <= seen(dut.move ? token_q1 : token_q2);
    token_q3 <= seen(dut.load ? token_q2 : token_q3);
    if (dut.load) {token_q3.spot, token_q3.far} <= {start_of(token_q2.work), ($bits(far_t))'(0)};
    else if (dut.step) begin
      token_q3.spot <= after(work_3, spot_3);
      token_q3.far  <= farther(work_3, spot_3, token_q3.far);
    end
    behind_q <= seen(dut.step && dut.valid_q4 && !dut.move5 ? stepped : behind_q);
    token_q4 <= seen(dut.move5 || !dut.valid_q4 ? (stored ? behind_q : stepped) : token_q4);
    token_q5 <= seen(dut.move5 ? token_q4 : token_q5);
    token_q6 <= seen(dut.move6 ? token_q5 : token_q6);
    if (leave) due_q <= next_of(token_q6);
    if (!rst_ni) begin
      {count_q, pending_q, number_q, stalled_q, mark_stalled_q, marked_q, flows_q, late_q, free_late_q} <= '0;
      {due_q.number, due_q.starts} <= 5'd1;
      open_q <= 1'b0;
    end else begin
      count_q <= count_q + 4'(enter) - 4'(out);
      number_q <= number_q + 4'(enter);
      pending_q <= pending_q + 4'(take && frees(event_i)) - 4'(freed);
      if (take && !event_i.end_of_pass) open_q <= !event_i.free;
      stalled_q <= valid && !op_ready_i;
      mark_stalled_q <= mark_waits;
      marked_q <= mark_valid && mark_ready_i;
      flows_q <= leave && !out && !mark_waits;
      if (valid || count_q == 0) late_q <= '0;
      else if (!mark_waits) late_q <= late_q + 1'b1;
      free_late_q <= pending_q != 0 && count_q == 0 && !freed ? free_late_q + 1'b1 : '0;

      a_only_what_entered : assert (!valid || count_q != 0);
      a_order : assert (!valid || in_turn(due_q, token_q6));
      a_operation : assert (!valid || shown(op) == operation_of(token_q6.work, spot_6, token_q6.reached));
      a_deltas : assert (!valid || op.end_of_pass ||
                         deltas == deltas_of(token_q6.work, spot_6, token_q6.word));
      a_stable : assert (!stalled_q || (valid && op == op_q && deltas == deltas_q));
      a_mark : assert (!marked_q || !valid || (mark_word_q == mark_of(token_q6.work, token_q6.reached) &&
                       mark_engine_q == token_q6.work.walk.engine));
      a_mark_stable : assert (!mark_stalled_q || (mark_valid && mark_word == mark_word_q &&
                              mark_engine == mark_engine_q));
      a_marked : assert (marked_q == (valid && !stalled_q && op.first));
      a_free : assert (!freed || pending_q != 0);
      a_freed : assert (!out || !frees(token_q6.work.at) || token_q6.over);
      a_nothing : assert (freed || pending_q == 0 || count_q != 0 || free_late_q < 3);
      a_progress : assert (valid || count_q == 0 || mark_waits || late_q < 5);
      a_flows : assert (!flows_q || valid);
      a_room : assert (ready || count_q != 0);

      i_walks : assert (matched);
      i_fifo : assert (32'(dut.i_steps.count_q) < 2 && dut.i_steps.empty_q == !stored &&
                       dut.i_steps.ready_o == !stored && (!stored || (dut.valid_q4 && dut.valid_q5)) &&
                       dut.i_steps.read_q == 0 && dut.i_steps.write_q == 0);
      i_count : assert (count_q == number_q - due_q.number && 32'(count_q) <= Most && pending_q == words_0 &&
                        due_0.number == number_q);
      i_turn_6 : assert (!valid || (fits(token_q6) && !none(token_q6.work.at)));
      i_turn_5 : assert (dut.valid_q5 ? in_turn(due_5, token_q5) && fits(token_q5) && !none(work_5.at) : due_5.starts);
      i_turn_4 : assert (valid_4 ? in_turn(due_4, token_q4) && fits(token_q4) : due_4.starts);
      i_turn_behind : assert (valid_behind ? in_turn(due_behind, behind_q) && fits(behind_q) :
                              !stored || due_behind.starts);
      i_turn_3 : assert (valid_3 ? in_turn(due_3, token_q3) && fits(token_q3) : due_3.starts);
      i_turn_2 : assert (!valid_2 || (token_q2.number == due_2.number && reaches(work_2)));
      i_turn_1 : assert (!valid_1 || (token_q1.number == due_1.number && reaches(token_q1.work)));
      i_1 : assert (!dut.valid_q1 || {dut.event_q1, dut.walk_q1} == token_q1.work);
      i_2 : assert (!dut.valid_q2 || ({dut.event_q2, dut.walk_q2} == work_2 &&
                    dut.factor_q2 == (work_2.walk.channelwise ? 7'(work_2.walk.group_lines) :
                                      work_2.at.element ? 7'd1 : work_2.walk.used) &&
                    dut.most_lane_q2 == most_lane(work_2)));
      i_3 : assert (!dut.busy_q || ({dut.event_q, dut.walk_q} == work_3 &&
                    dut.null_q == (work_3.at.end_of_pass || !work_3.at.hit)));
      i_lanes : assert (!dut.busy_q || dut.null_q || (
                    dut.lanes_q == (work_3.walk.channelwise ? work_3.at.mask :
                                    above(work_3.at.mask, spot_3.lane) | (mask_t'(1) << spot_3.lane)) &&
                    dut.first_lane_q == (spot_3.lane == start_of(work_3).lane) &&
                    dut.last_lane_q == last_lane(work_3, spot_3) && dut.last_lane_q == (dut.left_lane_q == 0) &&
                    (work_3.walk.channelwise || dut.left_lane_q == count_of(above(work_3.at.mask, spot_3.lane))) &&
                    dut.most_lane_q == most_lane(work_3) && dut.one_lane_q == (dut.most_lane_q == 0)));
      i_loops : assert (!dut.busy_q || dut.null_q || (
                    dut.most_group_q == work_3.walk.groups - 1'b1 && dut.one_group_q == (dut.most_group_q == 0) &&
                    dut.left_group_q == dut.most_group_q - spot_3.group &&
                    dut.last_group_q == (dut.left_group_q == 0) &&
                    dut.most_column_q == work_3.at.column.count - 1'b1 &&
                    dut.one_column_q == (dut.most_column_q == 0) &&
                    dut.left_column_q == dut.most_column_q - spot_3.column &&
                    dut.last_column_q == (dut.left_column_q == 0) &&
                    dut.left_row_q == work_3.at.row.count - 1'b1 - spot_3.row &&
                    dut.last_row_q == (dut.left_row_q == 0)));
      i_sums : assert (!dut.busy_q || dut.null_q || (dut.word_q == reached_3.word &&
                    dut.column_word_q == reached_column.word && dut.row_word_q == reached_row.word &&
                    dut.line_q == reached_3.line && dut.row_line_q == reached_row.line &&
                    dut.start_low_q + dut.start_high_q == first_line(work_3) &&
                    dut.group_line_q == work_3.walk.weight_base + token_q3.far.group_lines));
      i_behind : assert (!stored || right(state_behind, behind_q));
      i_4 : assert (!dut.valid_q4 || right(state_4, token_q4));
      i_5 : assert (!dut.valid_q5 || (dut.step_q5.end_of_pass == work_5.at.end_of_pass &&
                    !(work_5.at.end_of_pass && dut.step_q5.first)));
      i_step_5 : assert (!dut.valid_q5 || work_5.at.end_of_pass || (
                    dut.step_q5.first == first_lane(work_5, spot_5) && dut.step_q5.last == last_lane(work_5, spot_5) &&
                    dut.step_q5.word == token_q5.reached.word &&
                    dut.product_q5 == token_q5.reached.word * index_t'(work_5.walk.taps) &&
                    dut.step_q5.line == token_q5.reached.weights + (by_lane(work_5) ? index_t'(spot_5.lane) : '0) &&
                    dut.step_q5.offset == (work_5.walk.maximum ? token_q5.reached.line : '0) &&
                    dut.step_q5.sum_base == work_5.walk.sum_base && dut.step_q5.mark_base == work_5.walk.mark_base &&
                    dut.step_q5.beats == beats_of(work_5) && dut.step_q5.engine == work_5.walk.engine));
      i_deltas_5 : assert (!dut.valid_q5 || work_5.at.end_of_pass ||
                           dut.deltas_q5 == deltas_of(work_5, spot_5, token_q5.word));
      i_word : assert ((!valid || (shows(token_q6) && (!done(token_q6.work, spot_6) ||
                        !frees(token_q6.work.at) || token_q6.over))) &&
                       (!dut.valid_q5 || (shows(token_q5) && (!done(work_5, spot_5) || !frees(work_5.at) ||
                        token_q5.over))));
      i_open : assert ((!dut.valid_q1 || waits(token_q1)) && (!dut.valid_q2 || waits(token_q2)) &&
                       (!dut.busy_q || waits(token_q3)) && (!stored || waits(behind_q)) &&
                       (!dut.valid_q4 || waits(token_q4)) && (!dut.valid_q5 || waits(token_q5)) &&
                       (!valid || waits(token_q6)));
      i_words : assert ((!dut.valid_q4 || waits_for(token_q4, '0)) && (!stored || waits_for(behind_q, words_behind)) &&
                        (!dut.busy_q || waits_for(token_q3, words_3)) &&
                        (!dut.valid_q2 || waits_for(token_q2, words_2)) &&
                        (!dut.valid_q1 || waits_for(token_q1, words_1)));
      i_late : assert (32'(late_q) <= (valid ? 5 : dut.valid_q5 ? 4 : valid_4 ? 3 : valid_3 ? 2 : valid_2 ? 1 : 0));
      i_free_late : assert (32'(free_late_q) <= (words_behind != 0 ? 3 : words_2 != 0 ? 2 : words_1 != 0 ? 1 : 0));
      c_rows : cover (out && spot_6.row == 8'd1 && spot_6.column == 8'd1 && token_q6.far.row_words != '0 &&
                      op.sum != token_q6.work.at.row.word);
      c_groups : cover (out && spot_6.group == 12'd1 && !first_lane(token_q6.work, spot_6) && token_q6.over &&
                        token_q6.far.group_lines != '0);
      c_word : cover (valid && token_q6.work.walk.channelwise && deltas[0] != deltas[Lanes-1] && !freed_q && freed);
      c_maximum : cover (mark_stalled_q && mark_valid && work_5.walk.maximum && token_q5.reached.line != '0);
      c_full : cover (32'(count_q) == Most && stalled_q && op_ready_i && out && op.end_of_pass);
      c_nothing : cover (freed && count_q == 0 && 32'(pending_q) > 2);
    end
  end
endmodule
