// SPDX-License-Identifier: Apache-2.0
// Function:   located tokens (delta_locate) -> a[o] += W[tap, c] * delta for every output word o that the event reaches
//             -> word tokens {fresh, has_word, end_of_frame, word, accumulators} of the touched words, row by row;
//             a = bias at the start of a stream, when every word is sent. Without a WeightFile every weight is 1.
//             Window > 0: keeps the Window codes that an output sees instead, and sends their maximum
// Latency:    a row leaves as soon as no later event of the frame can reach it
// Throughput: ceil(rows / TapRows) * ceil(columns / TapColumns) * Inner cycles an event, without gaps; sending uses a
//             bank that accumulation leaves idle
// Timing:     no combinational path from ready_i to ready_o; both sides of the multiplier registered
// Reset:      as a new stream: all words are set to the bias, BankWords cycles
// Model:      codesign.graph.golden.scatter; of pooling and joins codesign.graph.golden.compute
// Words live in BankRows x BankColumns memories by row and column, so that the TapRows x TapColumns words of a cycle
// never meet. Each row has a list of its touched words in each of its banks; lists of Lists rows (from the oldest
// unsent to the newest touched) exist at once, so an event waits while its last row is too far ahead. Behind a
// delta_join there is a list for every row, so that no input ever waits for another one within a frame.
module delta_conv #(
    parameter int unsigned Rows = 1,  // output rows
    parameter int unsigned Columns = 1,  // output columns
    parameter int unsigned Groups = 1,  // output words of one position
    parameter int unsigned Lanes = 1,
    parameter bit Channelwise = 1'b0,  // an event reaches one word of a position, and one lane of it
    parameter bit Joined = 1'b0,  // events are not in the order of rows: floor_i says what is complete
    parameter int unsigned Window = 0,  // codes whose maximum is sent; a weight line is then one of them
    parameter int unsigned TapRows = 1,  // output positions reached in one cycle
    parameter int unsigned TapColumns = 1,
    parameter int unsigned StepX = 1,  // lines of the weight memory from one column's tap back to the next column's
    parameter int unsigned StepY = 1,  // the same for rows
    parameter int unsigned WeightLines = 1,
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned WeightWidth = 8,
    parameter int unsigned AccWidth = 24,
    parameter bit AccSigned = 1'b1,  // of the codes whose maximum is sent
    parameter int unsigned BankRows = 2,  // power of two, more than TapRows
    parameter int unsigned BankColumns = 1,  // power of two, at least TapColumns
    parameter int unsigned Lists = 8,  // power of two, more than the rows an event reaches, at least 2 * BankRows
    parameter int unsigned RowBits = 1,
    parameter int unsigned ColumnBits = 1,
    parameter int unsigned WeightBits = 1,
    parameter WeightFile = "",  // line (tap * Channels + c) * Groups + group; channelwise: tap * Groups + group
    parameter BiasFile = "",  // line group; "": 0
    localparam int unsigned Words = Rows * Columns * Groups,
    localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1,
    localparam int unsigned PlaceBits = 2 * RowBits + 2 * ColumnBits + GroupBits + WeightBits + LaneBits
) (
    input  logic                                 clk_i,
    input  logic                                 rst_ni,
    input  logic                                 valid_i,
    output logic                                 ready_o,
    input  logic [   3+PlaceBits+DeltaWidth-1:0] token_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [                  RowBits-1:0] floor_i,  // if Joined: no later event reaches a row before
    // verilator lint_on UNUSEDSIGNAL
    output logic                                 valid_o,
    input  logic                                 ready_i,
    output logic [3+WordBits+Lanes*AccWidth-1:0] token_o,
    output logic [                          3:0] probe_o  // {frame_done, stalled, busy, event}
);
  localparam int unsigned Banks = BankRows * BankColumns;
  localparam int unsigned BankBits = $clog2(Banks);
  localparam int unsigned RowShift = $clog2(BankRows);
  localparam int unsigned ColumnShift = $clog2(BankColumns);
  localparam int unsigned PickBits = ColumnShift > 0 ? ColumnShift : 1;
  if (1 << RowShift != BankRows || 1 << ColumnShift != BankColumns || BankRows <= TapRows || BankColumns < TapColumns)
  begin : g_bad_banks
    $error("delta_conv: BankRows and BankColumns must be powers of two, above TapRows and not below TapColumns");
  end
  if (1 << $clog2(Lists) != Lists || Lists < 2 * BankRows || Rows < 1 || Columns < 1 || Groups < 1) begin : g_bad
    $error("delta_conv: Lists must be a power of two, at least 2 * BankRows");
  end

  // Rows of consecutive frames lie on a ring: a frame's rows from its base on, then the mark of its end, then a gap
  // that keeps bases in the first row of banks and the same row of two frames further apart than there are lists.
  localparam int unsigned Least = Rows + 1 > Lists ? Rows + 1 : Lists;
  localparam int unsigned Stride = (Least + BankRows - 1) / BankRows * BankRows;
  localparam int unsigned RingBits = $clog2(2 * Stride + 2);
  localparam int unsigned ListRows = Lists / BankRows;  // lists of a bank
  localparam int unsigned ListBits = $clog2(ListRows);
  localparam int unsigned BankRowWords = (Columns + BankColumns - 1) / BankColumns * Groups;
  localparam int unsigned EntryBits = BankRowWords > 1 ? $clog2(BankRowWords) : 1;
  localparam int unsigned BankWords = (Rows + BankRows - 1) / BankRows * BankRowWords;
  localparam int unsigned SpotBits = BankWords > 1 ? $clog2(BankWords) : 1;
  localparam int unsigned Inner = Channelwise ? 1 : Groups;
  localparam int unsigned Slots = TapRows * TapColumns;  // words of a cycle; slot = row * TapColumns + column
  localparam int unsigned Fields = Window > 0 ? Window : 1;  // values kept for an output
  localparam bit Weighted = WeightFile != "";
  localparam int unsigned ProductWidth = Weighted ? DeltaWidth + WeightWidth : DeltaWidth;
  localparam int unsigned OutputDepth = 8;

  // A position is {row, column, group}.
  localparam int unsigned PositionBits = RowBits + ColumnBits + GroupBits;

  function automatic logic [BankBits-1:0] bank_of(input logic [RowBits+ColumnBits-1:0] at);
    bank_of = BankBits'((32'(at[ColumnBits+:RowBits]) % BankRows) * BankColumns +
                        32'(at[ColumnBits-1:0]) % BankColumns);
  endfunction

  function automatic logic [SpotBits-1:0] spot(input logic [PositionBits-1:0] at);
    spot = SpotBits'((32'(at[PositionBits-1-:RowBits]) >> RowShift) * BankRowWords +
                     (32'(at[GroupBits+:ColumnBits]) >> ColumnShift) * Groups + 32'(at[GroupBits-1:0]));
  endfunction

  // ---- Head: the token at work, its place in the ring and whether there is room for it.
  logic new_stream_i, has_event_i, end_of_frame_i, new_stream, has_event, end_of_frame, valid_q;
  logic [RowBits-1:0] first_row_i, rows_i, row_q, rows_left_q;
  logic [ColumnBits-1:0] first_column_i, columns_i, first_column, columns, column_q, columns_left_q;
  logic [GroupBits-1:0] first_group_i, first_group, inner_q;
  logic [WeightBits-1:0] first_line_i, line_q, row_line_q;
  logic [LaneBits-1:0] event_lane_i, event_lane;
  logic [DeltaWidth-1:0] delta_i, delta;
  logic [RingBits-1:0] ring_first_i, ring_last_i, ring_last_q, ring_floor_q, low, low_q, unsent_q;
  logic [RingBits-1:0] base_i_q, base_q, next_base;  // of the frame that comes in, of the head's, of the one after it
  logic odd_i_q, odd_q, unsent_odd_q;  // the same frames, and that of the oldest unsent row, counted modulo 2
  logic fresh_q;  // the head's frame is the first of its stream
  logic clean_q;  // every word is its bias
  logic room_q;  // lists for all rows that the head reaches
  logic load, unclean, admit, go, bare, pop, last_inner, last_x, last_y;

  assign {new_stream_i, has_event_i, end_of_frame_i, first_row_i, rows_i, first_column_i, columns_i, first_group_i,
          first_line_i, event_lane_i, delta_i} = token_i;
  assign load = pop || !valid_q;
  assign ready_o = load;
  assign ring_first_i = base_i_q + RingBits'(first_row_i);
  assign ring_last_i = ring_first_i + RingBits'(rows_i) - 1'b1;

  // There are lists for the rows up to the last one of the token that comes in, or of the head.
  logic [RingBits-1:0] span_i, span_head;
  assign span_i = (RingBits'(first_row_i) + RingBits'(rows_i)) + (base_i_q - unsent_q - 1'b1);  // side by side
  assign span_head = ring_last_q - unsent_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q  <= 1'b0;
      base_i_q <= '0;
      odd_i_q  <= 1'b0;
    end else if (load) begin
      valid_q <= valid_i;
      if (valid_i && end_of_frame_i) begin
        base_i_q <= base_i_q + RingBits'(Stride);
        odd_i_q  <= !odd_i_q;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    room_q <= load ? span_i < RingBits'(Lists) : span_head < RingBits'(Lists);
    if (load) begin
      {new_stream, has_event, end_of_frame} <= {new_stream_i, has_event_i, end_of_frame_i};
      {first_column, columns, first_group} <= {first_column_i, columns_i, first_group_i};
      {event_lane, delta} <= {event_lane_i, delta_i};
      {odd_q, base_q} <= {odd_i_q, base_i_q};
      ring_last_q <= ring_last_i;
      ring_floor_q <= Joined ? base_i_q + RingBits'(floor_i) : ring_first_i;
    end
  end

  // ---- Issue: TapRows x TapColumns words of the head a cycle.
  assign unclean = valid_q && new_stream && !clean_q;
  assign admit = !unclean && (!end_of_frame || unsent_odd_q == odd_q);  // at most two frames in the ring
  assign go = valid_q && has_event && admit && room_q;
  assign bare = valid_q && !has_event && admit;
  assign last_inner = inner_q == GroupBits'(Inner - 1);
  // verilator lint_off CMPCONST
  assign last_x = last_inner && 32'(columns_left_q) <= TapColumns;
  assign last_y = last_x && 32'(rows_left_q) <= TapRows;
  // verilator lint_on CMPCONST
  assign pop = bare || (go && last_y);
  // No later event reaches a row before this one. Told even while the head waits, so that those rows can leave.
  assign next_base = base_q + RingBits'(Stride);
  assign low = bare && end_of_frame ? next_base : valid_q && has_event && !unclean ? ring_floor_q : low_q;
  assign probe_o = {pop && end_of_frame, valid_q && !go && !bare, go, pop && has_event};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fresh_q <= 1'b1;
      low_q   <= '0;
    end else begin
      low_q <= pop && end_of_frame ? next_base : low;
      if (unclean) fresh_q <= 1'b1;
      else if (pop && end_of_frame) fresh_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (load) begin
      inner_q <= '0;
      {row_q, rows_left_q} <= {first_row_i, rows_i};
      {column_q, columns_left_q} <= {first_column_i, columns_i};
      {line_q, row_line_q} <= {2{first_line_i}};
    end else if (go) begin
      inner_q <= last_inner ? '0 : inner_q + 1'b1;
      if (last_x) begin
        {row_q, rows_left_q} <= {row_q + RowBits'(TapRows), rows_left_q - RowBits'(TapRows)};
        {column_q, columns_left_q} <= {first_column, columns};
        line_q <= row_line_q - WeightBits'(StepY * TapRows);
        row_line_q <= row_line_q - WeightBits'(StepY * TapRows);
      end else if (last_inner) begin
        column_q <= column_q + ColumnBits'(TapColumns);
        columns_left_q <= columns_left_q - ColumnBits'(TapColumns);
        line_q <= line_q - WeightBits'(StepX * TapColumns + Inner - 1);
      end else line_q <= line_q + 1'b1;
    end
  end

  // ---- Accumulation. Stage 1: first place. 2: places and banks of the slots. 3: read. 4: add, note the first touch.
  logic [4:1] go_q;
  logic [3:1] fresh_p;
  logic [4:1][RingBits-1:0] low_p;
  logic [3:1][ListBits-1:0] base_list_p;  // list of the base row
  logic [RowBits-1:0] row_q1;
  logic [ColumnBits-1:0] column_q1;
  logic [GroupBits-1:0] group_q1;
  logic [Slots-1:0][PositionBits-1:0] slot_q1;
  logic [RowBits-1:0] rows_left_q1;
  logic [ColumnBits-1:0] columns_left_q1;
  logic [Slots-1:0][WeightBits-1:0] slot_line;  // of the slot's weights, or its place in a window
  logic [2:1][DeltaWidth-1:0] delta_p;
  logic [4:1][LaneBits-1:0] lane_p;
  logic [3:2][Slots-1:0] slot_go_p;
  logic [4:2][Slots-1:0][PositionBits-1:0] slot_p;
  logic [Slots-1:0][SpotBits-1:0] slot_spot_q2;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      go_q <= '0;
      low_p <= '0;
      slot_go_p <= '0;
    end else begin
      go_q  <= {go_q[3:1], go};
      low_p <= {low_p[3:1], low};
      slot_go_p[3] <= slot_go_p[2];
      for (int unsigned s = 0; s < Slots; s++) begin
        slot_go_p[2][s] <= go_q[1] && s / TapColumns < 32'(rows_left_q1) && s % TapColumns < 32'(columns_left_q1);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    fresh_p <= {fresh_p[2:1], fresh_q};
    base_list_p <= {base_list_p[2:1], base_q[RowShift+:ListBits]};
    row_q1 <= row_q;
    column_q1 <= column_q;
    group_q1 <= first_group + inner_q;
    rows_left_q1 <= rows_left_q;
    columns_left_q1 <= columns_left_q;
    delta_p <= {delta_p[1], delta};
    lane_p <= {lane_p[3:1], event_lane};
    slot_p[4:2] <= {slot_p[3:2], slot_q1};
    for (int unsigned s = 0; s < Slots; s++) slot_spot_q2[s] <= spot(slot_q1[s]);
  end
  for (genvar s = 0; s < Slots; s++) begin : g_place
    assign slot_q1[s] = {row_q1 + RowBits'(s / TapColumns), column_q1 + ColumnBits'(s % TapColumns), group_q1};
    assign slot_line[s] = line_q - WeightBits'((s / TapColumns) * StepY + (s % TapColumns) * StepX);
  end

  // What the lanes of a slot add in stage 4: a product for each, or one for the only lane that an event reaches. Stage
  // 1: weights read. 2: a register. 3: product. 4: a register, as multipliers are far from everything.
  localparam int unsigned Products = Channelwise ? 1 : Lanes;
  // verilator lint_off UNUSEDSIGNAL
  logic [Slots-1:0][Products-1:0][ProductWidth-1:0] product_q4;  // bits above AccWidth cancel: sums wrap, the last fits
  logic [4:1][Slots-1:0][WeightBits-1:0] line_p;
  // verilator lint_on UNUSEDSIGNAL
  always_ff @(posedge clk_i) line_p <= {line_p[3:1], slot_line};
  for (genvar s = 0; s < Slots; s++) begin : g_product
    if (Weighted) begin : g_weights
      logic [Lanes*WeightWidth-1:0] weights[WeightLines];
      logic [Lanes*WeightWidth-1:0] weight_q1;
      logic [Products*WeightWidth-1:0] weight, weight_q2;
      initial $readmemh(WeightFile, weights);
      always_comb begin
        weight = weight_q1[Products*WeightWidth-1:0];
        for (int unsigned i = 1; i < Lanes; i++) begin
          if (Channelwise && lane_p[1] == LaneBits'(i)) weight[WeightWidth-1:0] = weight_q1[i*WeightWidth+:WeightWidth];
        end
      end
      always_ff @(posedge clk_i) begin
        weight_q1 <= weights[slot_line[s]];
        weight_q2 <= weight;
      end
      for (genvar i = 0; i < Products; i++) begin : g_lane
        logic signed [ProductWidth-1:0] weight_in, delta_in, product_q3;
        assign weight_in = ProductWidth'($signed(weight_q2[i*WeightWidth+:WeightWidth]));
        assign delta_in = ProductWidth'($signed(delta_p[2]));
        always_ff @(posedge clk_i) begin
          product_q3 <= weight_in * delta_in;
          product_q4[s][i] <= product_q3;
        end
      end
    end else begin : g_unit
      logic [DeltaWidth-1:0] product_q3;
      always_ff @(posedge clk_i) begin
        product_q3 <= delta_p[2];
        product_q4[s] <= {Products{product_q3}};
      end
    end
  end

  // ---- Sending. Stage 0: the next row with touched words (any row of a fresh frame) and their counts, or the frame's
  // end; the row behind it is looked for while its words leave. Stage 1: its next word. Stage 2: a queue of
  // places, granted when their bank is idle. The word is there two cycles later.
  logic [Banks-1:0][ListRows-1:0][EntryBits:0] count_q;  // touched words of each row in each bank
  logic [Lists-1:0] filled_q;  // rows that have some
  logic [BankColumns-1:0][EntryBits:0] counts, counts_s0;
  logic [EntryBits:0] picked_count;
  logic [Banks-1:0][ColumnBits+GroupBits-1:0] entry_s1;
  logic [ColumnBits+GroupBits-1:0] picked_entry;
  logic [PickBits-1:0] pick;  // column of banks that is sent: the first that has words
  logic [RingBits-1:0] oldest_q, send_base_q, ring_s0, ring_s1, ring_s2;  // oldest_q: the first row not in stage 0 yet
  logic [RingBits-1:0] end_row_q, last_row_q;  // of the frame that is sent: the mark of its end, and the row before
  logic [RingBits-1:0] target_q;
  logic skip, skip_q;  // no row before target_q has a word
  logic send_odd_q, odd_s0, odd_s1, odd_s2;
  logic [RowBits-1:0] row_s0, row_s1;
  logic [EntryBits-1:0] sent_q;
  logic [EntryBits:0] next_sent_q;  // one more
  logic [ColumnBits-1:0] walk_column_q;
  logic [GroupBits-1:0] walk_group_q;
  logic [ListBits-1:0] list_s0;
  logic [BankBits-1:0] bank_s0, bank_s1, bank_s2;
  logic [ColumnBits+GroupBits-1:0] walk_s1;
  logic [SpotBits-1:0] spot_s2;
  logic [PositionBits-1:0] place_s1, place_s2;
  logic send_fresh_q, row_done, at_end_q, no_word, last_entry, last_word, fetch, take, ready_s1, grant, drained;
  logic valid_s0, end_s0, fresh_s0, counted_s0, valid_s1, end_s1, fresh_s1, valid_s2, end_s2, fresh_s2;
  logic [Banks-1:0] touch;
  logic [Banks-1:0][ListBits-1:0] touch_list;
  logic [Banks-1:0][ColumnBits+GroupBits-1:0] touch_entry;

  assign row_done = oldest_q != low_p[4];
  assign no_word = !send_fresh_q && !filled_q[32'(oldest_q)%Lists];
  assign fetch = row_done && (at_end_q || !no_word) && (!valid_s0 || (take && last_word));
  assign skip = row_done && !at_end_q && !send_fresh_q && filled_q == 0 && !skip_q;
  assign list_s0 = ring_s0[RowShift+:ListBits];
  assign bank_s0 = BankBits'((32'(ring_s0) % BankRows) * BankColumns + 32'(pick));
  assign last_entry = next_sent_q == picked_count;
  assign take = valid_s0 && (!valid_s1 || ready_s1);
  assign place_s1 = {row_s1, fresh_s1 ? walk_s1 : picked_entry};

  always_comb begin  // constant indices only: a variable one into these fields would be a multiplication
    counts = '0;
    for (int unsigned row = 0; row < Lists; row++) begin
      for (int unsigned b = 0; b < BankColumns; b++) begin
        if (32'(oldest_q) % Lists == row) counts[b] |= count_q[row%BankRows*BankColumns+b][row/BankRows];
      end
    end
  end
  always_comb begin
    pick = '0;
    picked_count = counts_s0[0];
    for (int unsigned b = BankColumns; b > 0; b--) begin
      if (counts_s0[b-1] != 0) begin
        pick = PickBits'(b - 1);
        picked_count = counts_s0[b-1];
      end
    end
  end
  always_comb begin
    picked_entry = '0;
    for (int unsigned b = 0; b < Banks; b++) if (bank_s1 == BankBits'(b)) picked_entry |= entry_s1[b];
  end
  always_comb begin
    last_word = 1'b1;  // of its row: no other bank has one
    for (int unsigned b = 0; b < BankColumns; b++) begin
      if (b != 32'(pick) && counts_s0[b] != 0) last_word = 1'b0;
    end
    last_word = last_word && last_entry;
    if (fresh_s0) last_word = 32'(walk_column_q) == Columns - 1 && 32'(walk_group_q) == Groups - 1;
    if (end_s0) last_word = 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      oldest_q <= '0;
      send_base_q <= '0;
      end_row_q <= RingBits'(Rows);
      last_row_q <= RingBits'(Rows - 1);
      at_end_q <= 1'b0;
      skip_q <= 1'b0;
      send_odd_q <= 1'b0;
      unsent_q <= '0;
      unsent_odd_q <= 1'b0;
      count_q <= '0;
      filled_q <= '0;
      counted_s0 <= 1'b0;
      sent_q <= '0;
      next_sent_q <= (EntryBits + 1)'(1);
      walk_column_q <= '0;
      walk_group_q <= '0;
      send_fresh_q <= 1'b1;
      valid_s0 <= 1'b0;
      valid_s1 <= 1'b0;
    end else begin
      skip_q <= skip;
      if (fetch && at_end_q) begin
        oldest_q <= send_base_q + RingBits'(Stride);
        send_base_q <= send_base_q + RingBits'(Stride);
        end_row_q <= end_row_q + RingBits'(Stride);
        last_row_q <= last_row_q + RingBits'(Stride);
        at_end_q <= 1'b0;
        send_odd_q <= !send_odd_q;
      end else if (skip_q) begin
        oldest_q <= target_q;
        at_end_q <= target_q == end_row_q;
      end else if (fetch || (row_done && !at_end_q && no_word && !skip)) begin
        oldest_q <= oldest_q + 1'b1;
        at_end_q <= oldest_q == last_row_q;
      end
      if (unclean) send_fresh_q <= send_fresh_q || drained;
      else if (fetch && at_end_q) send_fresh_q <= 1'b0;
      if (take && fresh_s0 && !end_s0) begin
        walk_group_q <= 32'(walk_group_q) == Groups - 1 ? '0 : walk_group_q + 1'b1;
        if (32'(walk_group_q) == Groups - 1) walk_column_q <= last_word ? '0 : walk_column_q + 1'b1;
      end else if (take && !end_s0) begin
        sent_q <= last_entry ? '0 : EntryBits'(next_sent_q);
        next_sent_q <= last_entry ? (EntryBits + 1)'(1) : next_sent_q + 1'b1;
      end
      counted_s0 <= fetch && !at_end_q && !send_fresh_q;
      for (int unsigned row = 0; row < Lists; row++) begin
        if (fetch && !at_end_q && 32'(oldest_q) % Lists == row) filled_q[row] <= 1'b0;
      end
      for (int unsigned b = 0; b < Banks; b++) begin
        for (int unsigned row = 0; row < ListRows; row++) begin
          // Stage 0 has the counts since the last cycle. No touch can meet this: the row's list is not free yet.
          if (counted_s0 && 32'(ring_s0) % BankRows == b / BankColumns && list_s0 == ListBits'(row))
            count_q[b][row] <= '0;
          if (touch[b] && touch_list[b] == ListBits'(row)) begin
            count_q[b][row] <= count_q[b][row] + 1'b1;
            filled_q[row*BankRows+b/BankColumns] <= 1'b1;
          end
        end
      end
      if (fetch) valid_s0 <= 1'b1;
      else if (take && last_word) valid_s0 <= 1'b0;
      if (take) valid_s1 <= 1'b1;
      else if (ready_s1) valid_s1 <= 1'b0;
      {unsent_odd_q, unsent_q} <= valid_s2 ? {odd_s2, ring_s2} : valid_s1 ? {odd_s1, ring_s1} :
                                  valid_s0 ? {odd_s0, ring_s0} : {send_odd_q, oldest_q};
    end
  end
  for (genvar b = 0; b < Banks; b++) begin : g_list
    logic [ColumnBits+GroupBits-1:0] list[ListRows << EntryBits];
    logic [EntryBits-1:0] count;
    always_comb begin
      count = '0;
      for (int unsigned row = 0; row < ListRows; row++) begin
        if (touch_list[b] == ListBits'(row)) count |= EntryBits'(count_q[b][row]);
      end
    end
    always_ff @(posedge clk_i) begin
      if (touch[b]) list[{touch_list[b], count}] <= touch_entry[b];
      if (take) entry_s1[b] <= list[{list_s0, sent_q}];
    end
  end
  always_ff @(posedge clk_i) begin
    // A cycle old when it is used: rows before it have stayed empty.
    target_q <= low_p[4] - send_base_q < RingBits'(Rows) ? low_p[4] : end_row_q;
    if (fetch) begin
      {odd_s0, ring_s0} <= {send_odd_q, oldest_q};
      row_s0 <= RowBits'(oldest_q - send_base_q);
      counts_s0 <= counts;
      end_s0 <= at_end_q;
      fresh_s0 <= send_fresh_q;
    end else if (BankColumns > 1 && take && last_entry) begin  // the next bank's are next
      for (int unsigned b = 0; b < BankColumns; b++) if (pick == PickBits'(b)) counts_s0[b] <= '0;
    end
    if (take) begin
      walk_s1  <= {walk_column_q, walk_group_q};
      {odd_s1, ring_s1} <= {odd_s0, ring_s0};
      row_s1   <= row_s0;
      bank_s1  <= bank_s0;
      end_s1   <= end_s0;
      fresh_s1 <= fresh_s0;
    end
  end
  delta_fifo #(
      .Width(1 + RingBits + PositionBits + BankBits + SpotBits + 2),
      .Depth(4),
      .Registered(1'b0)
  ) i_places (
      .clk_i,
      .rst_ni,
      .valid_i(valid_s1),
      .ready_o(ready_s1),
      .data_i ({
        odd_s1,
        ring_s1,
        place_s1,
        bank_of(place_s1[PositionBits-1:GroupBits]),
        spot(place_s1),
        end_s1,
        fresh_s1
      }),
      .valid_o(valid_s2),
      .ready_i(grant),
      .data_o ({odd_s2, ring_s2, place_s2, bank_s2, spot_s2, end_s2, fresh_s2})
  );

  // ---- Sweep: set every word to its bias, once all of the old stream has left.
  logic sweep_q;
  logic [SpotBits-1:0] sweep_spot_q;
  logic [GroupBits-1:0] sweep_group_q;
  logic [Lanes*Fields*AccWidth-1:0] initial_state;
  logic [5:3] grant_q;
  assign drained = oldest_q == low_p[4] && low_p[4] == low_q && go_q == 0 && !valid_s0 && !valid_s1 && !valid_s2 &&
                   grant_q == 0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sweep_q <= 1'b0;
      clean_q <= 1'b0;
      sweep_spot_q <= '0;
      sweep_group_q <= '0;
    end else begin
      if (sweep_q) begin
        sweep_spot_q  <= sweep_spot_q == SpotBits'(BankWords - 1) ? '0 : sweep_spot_q + 1'b1;
        sweep_group_q <= sweep_group_q == GroupBits'(Groups - 1) ? '0 : sweep_group_q + 1'b1;
        if (sweep_spot_q == SpotBits'(BankWords - 1)) sweep_q <= 1'b0;
      end else if (unclean && drained) sweep_q <= 1'b1;
      if (pop) clean_q <= 1'b0;
      else if (sweep_q && sweep_spot_q == SpotBits'(BankWords - 1)) clean_q <= 1'b1;
    end
  end
  if (BiasFile != "" && Groups == 1) begin : g_bias
    logic [Lanes*AccWidth-1:0] biases[Groups];
    initial $readmemh(BiasFile, biases);
    assign initial_state = biases[0];
  end else if (BiasFile != "") begin : g_biases
    logic [Lanes*AccWidth-1:0] biases[Groups];
    logic [GroupBits-1:0] group_q;
    initial $readmemh(BiasFile, biases);
    always_ff @(posedge clk_i) begin
      group_q <= sweep_group_q;
      initial_state <= biases[group_q];
    end
  end else begin : g_zero
    assign initial_state = '0;
  end

  // ---- State: accumulation goes first, sending takes a bank that it leaves idle. The words of a cycle lie in
  // different banks: the banks share one adder if there is one word a cycle, and have one each if there are more.
  localparam int unsigned Adders = Slots > 1 ? Banks : 1;
  localparam int unsigned AdderBanks = Banks / Adders;
  localparam int unsigned AdderBankBits = AdderBanks > 1 ? $clog2(AdderBanks) : 1;
  logic [Slots-1:0][Lanes*Fields*AccWidth-1:0] addend;
  logic [Slots-1:0][BankBits-1:0] slot_bank_q2, slot_bank_q3, slot_bank_q4;
  logic [Adders-1:0][Lanes*Fields*AccWidth-1:0] read;
  logic [Lanes*Fields*AccWidth-1:0] kept;
  logic [Lanes*AccWidth-1:0] sent, sent_q5;
  logic [5:3] end_p, fresh_out_p;
  logic [5:3][PositionBits-1:0] sent_p;
  logic [RowBits-1:0] sent_row;
  logic [ColumnBits-1:0] sent_column;
  logic [GroupBits-1:0] sent_group;
  logic [WordBits-1:0] sent_word;
  logic [4:3][BankBits-1:0] sent_bank_p;
  logic [Banks-1:0] add;
  logic [3:0] credit_q;
  logic queue_ready;

  assign {sent_row, sent_column, sent_group} = sent_p[5];
  assign sent_word = WordBits'((32'(sent_row) * Columns + 32'(sent_column)) * Groups + 32'(sent_group));
  always_comb begin
    kept = '0;
    for (int unsigned a = 0; a < Adders; a++) if (Adders == 1 || sent_bank_p[4] == BankBits'(a)) kept |= read[a];
  end
  assign grant = valid_s2 && credit_q != 0 && (end_s2 || !add[bank_s2]);

  for (genvar s = 0; s < Slots; s++) begin : g_slot
    assign slot_bank_q2[s] = bank_of(slot_p[2][s][PositionBits-1:GroupBits]);
    assign slot_bank_q3[s] = bank_of(slot_p[3][s][PositionBits-1:GroupBits]);
    assign slot_bank_q4[s] = bank_of(slot_p[4][s][PositionBits-1:GroupBits]);
    for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
      for (genvar f = 0; f < Fields; f++) begin : g_field
        logic hit, here;
        assign hit = !Channelwise || lane_p[4] == LaneBits'(lane);
        assign here = Window == 0 || line_p[4][s] == WeightBits'(f);
        assign addend[s][(lane*Fields+f)*AccWidth+:AccWidth] =
            hit && here ? AccWidth'($signed(product_q4[s][Channelwise?0 : lane])) : '0;
      end
    end
  end

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_sent
    logic [Fields*AccWidth-1:0] most;
    always_comb begin
      logic [AccWidth-1:0] one, other;
      most = kept[lane*Fields*AccWidth+:Fields*AccWidth];
      {one, other} = '0;
      for (int unsigned span = 1; span < Fields; span = 2 * span) begin  // a tree: pairs, then pairs of pairs
        for (int unsigned f = 0; f + span < Fields; f = f + 2 * span) begin
          one = most[f*AccWidth+:AccWidth];
          other = most[(f+span)*AccWidth+:AccWidth];
          if (AccSigned ? $signed(other) > $signed(one) : other > one) most[f*AccWidth+:AccWidth] = other;
        end
      end
    end
    assign sent[lane*AccWidth+:AccWidth] = most[AccWidth-1:0];
  end

  for (genvar a = 0; a < Adders; a++) begin : g_adder
    logic any;
    logic [AdderBankBits-1:0] bank;
    logic [SpotBits-1:0] word;
    logic [Lanes*Fields*AccWidth-1:0] own_addend;
    always_comb begin
      {any, bank, word, own_addend} = '0;
      for (int unsigned s = 0; s < Slots; s++) begin  // the bank of an idle slot is no other slot's either
        if (Adders == 1 || slot_bank_q2[s] == BankBits'(a)) begin
          any |= slot_go_p[2][s];
          if (AdderBanks > 1) bank |= AdderBankBits'(slot_bank_q2[s]);
          word |= slot_spot_q2[s];
        end
        if (Adders == 1 || slot_bank_q4[s] == BankBits'(a)) own_addend |= addend[s];
      end
    end
    delta_accumulate #(
        .Banks   (AdderBanks),
        .Words   (BankWords),
        .Lanes   (Lanes * Fields),
        .AccWidth(AccWidth)
    ) i_sums (
        .clk_i,
        .rst_ni,
        .add_i      (any),
        .add_bank_i (bank),
        .add_word_i (word),
        .addend_i   (own_addend),
        .set_i      (sweep_q),
        .set_word_i (sweep_spot_q),
        .set_value_i(initial_state),
        .read_bank_i(AdderBanks > 1 ? AdderBankBits'(bank_s2) : '0),
        .read_word_i(spot_s2),
        .data_o     (read[a])
    );
  end

  // Which words were reached in this frame.
  for (genvar b = 0; b < Banks; b++) begin : g_touched
    logic send, was_touched, reached, reached_q;
    logic [4:3] add_q;
    logic [SpotBits-1:0] add_spot;
    logic [ListBits-1:0] reached_list;
    logic [ColumnBits+GroupBits-1:0] reached_entry;
    assign send = grant && !end_s2 && bank_s2 == BankBits'(b);
    always_comb begin
      {add[b], add_spot, reached, reached_list, reached_entry} = '0;
      for (int unsigned s = 0; s < Slots; s++) begin
        if (slot_go_p[2][s] && slot_bank_q2[s] == BankBits'(b)) begin
          add[b] = 1'b1;
          add_spot |= slot_spot_q2[s];
        end
        if (slot_go_p[3][s] && slot_bank_q3[s] == BankBits'(b)) begin
          reached = !fresh_p[3];
          reached_list |= base_list_p[3] + ListBits'(32'(slot_p[3][s][PositionBits-1-:RowBits]) >> RowShift);
          reached_entry |= slot_p[3][s][ColumnBits+GroupBits-1:0];
        end
      end
    end
    always_ff @(posedge clk_i) begin
      add_q <= {add_q[3], add[b]};
      reached_q <= reached;
      touch_list[b] <= reached_list;
      touch_entry[b] <= reached_entry;
    end
    assign touch[b] = reached_q && !was_touched;
    delta_state #(
        .Words(BankWords),
        .Width(1)
    ) i_touched (
        .clk_i,
        .rst_ni,
        .enable_i (1'b1),
        .valid_i  (add[b] || send || sweep_q),
        .load_i   (sweep_q),
        .word_i   (sweep_q ? sweep_spot_q : add[b] ? add_spot : spot_s2),
        .initial_i(1'b0),
        .operand_o(was_touched),
        .result_i (add_q[4])
    );
  end

  // ---- Output queue with credits: a stalled consumer never freezes accumulation.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      grant_q  <= '0;
      credit_q <= 4'(OutputDepth);
    end else begin
      grant_q  <= {grant_q[4:3], grant};
      credit_q <= credit_q + 4'(valid_o && ready_i) - 4'(grant);
    end
  end
  always_ff @(posedge clk_i) begin
    end_p <= {end_p[4:3], end_s2};
    fresh_out_p <= {fresh_out_p[4:3], fresh_s2};
    sent_p <= {sent_p[4:3], place_s2};
    sent_bank_p <= {sent_bank_p[3], bank_s2};
    sent_q5 <= sent;
  end
  delta_fifo #(
      .Width(3 + WordBits + Lanes * AccWidth),
      .Depth(OutputDepth),
      .Registered(1'b0)
  ) i_output (
      .clk_i,
      .rst_ni,
      .valid_i(grant_q[5]),
      .ready_o(queue_ready),
      .data_i({
        fresh_out_p[5],
        !end_p[5],
        end_p[5],
        sent_word,
        sent_q5
      }),
      .valid_o,
      .ready_i,
      .data_o(token_o)
  );

`ifndef SYNTHESIS
  a_credit :
  assert property (@(posedge clk_i) disable iff (!rst_ni) grant_q[5] |-> queue_ready);
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
