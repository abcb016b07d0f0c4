// SPDX-License-Identifier: Apache-2.0
// Function:   located tokens (delta_locate) -> a[o] += W[tap, c] * delta for every output word o that the event reaches
//             -> word tokens {fresh, has_word, end_of_frame, word, accumulators} of the touched words, row by row;
//             a = bias at the start of a stream, when every word is sent. Without a WeightFile every weight is 1.
//             Taps > 0: keeps the Taps codes of each window instead, and sends their maximum
// Latency:    a row leaves as soon as no later event of the frame can reach it
// Throughput: rows * columns * Inner cycles an event, without gaps; sending uses a bank that accumulation leaves idle
// Timing:     no combinational path from ready_i to ready_o; both sides of the multiplier registered
// Reset:      as a new stream: all words are set to the bias, BankWords cycles
// Model:      codesign.golden.scatter
// Rows live in Banks memories in turn. Each row has a list of its touched words; Lists of them (rows from the oldest
// unsent to the newest touched) exist at once, so an event waits while its last row is too far ahead. Behind a
// delta_join there is a list for every row, so that no input ever waits for another one within a frame.
module delta_conv #(
    parameter int unsigned Rows = 1,  // output rows
    parameter int unsigned RowWords = 1,  // output words of a row
    parameter int unsigned Groups = 1,  // output words of one position
    parameter int unsigned Lanes = 1,
    parameter bit Channelwise = 1'b0,  // an event reaches one word of a position, and one lane of it
    parameter bit Joined = 1'b0,  // events are not in the order of rows: floor_i says what is complete
    parameter int unsigned Taps = 0,  // of a window whose maximum is sent; a weight line is then the tap
    parameter int unsigned StepX = 1,  // lines of the weight memory from one column's tap back to the next column's
    parameter int unsigned StepY = 1,  // the same for rows
    parameter int unsigned WeightLines = 1,
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned WeightWidth = 8,
    parameter int unsigned AccWidth = 24,
    parameter bit AccSigned = 1'b1,  // of the codes whose maximum is sent
    parameter int unsigned Banks = 2,  // power of two
    parameter int unsigned Lists = 4,  // power of two, more than the rows an event reaches
    parameter int unsigned RowBits = 1,
    parameter int unsigned ColumnBits = 1,
    parameter int unsigned WeightBits = 1,
    parameter WeightFile = "",  // line (tap * Channels + c) * Groups + group; channelwise: tap * Groups + group
    parameter BiasFile = "",  // line group; "": 0
    localparam int unsigned Words = Rows * RowWords,
    localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned PlaceBits = 2 * RowBits + 2 * ColumnBits + WeightBits + LaneBits
) (
    input  logic                                 clk_i,
    input  logic                                 rst_ni,
    input  logic                                 valid_i,
    output logic                                 ready_o,
    input  logic [   3+PlaceBits+DeltaWidth-1:0] token_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [                  RowBits-1:0] floor_i,  // no later event of the frame reaches a row before; if Joined
    // verilator lint_on UNUSEDSIGNAL
    output logic                                 valid_o,
    input  logic                                 ready_i,
    output logic [3+WordBits+Lanes*AccWidth-1:0] token_o,
    output logic [                          3:0] probe_o  // {frame_done, stalled, busy, event}
);
  localparam int unsigned BankBits = $clog2(Banks);
  localparam int unsigned ListBits = $clog2(Lists);
  if (Banks < 2 || 1 << BankBits != Banks || 1 << ListBits != Lists || Rows < 1 || RowWords < 1) begin : g_bad
    $error("delta_conv: Banks and Lists must be powers of two, Banks at least 2");
  end

  // Frames take turns in two halves of a ring of rows; the last row of a half is only the mark of the frame's end.
  localparam int unsigned HalfBits = $clog2((Rows + 1 > 2 * Lists) ? Rows + 1 : 2 * Lists);
  localparam int unsigned RingBits = HalfBits + 1;
  localparam int unsigned BankWords = (Rows + Banks - 1) / Banks * RowWords;
  localparam int unsigned SpotBits = BankWords > 1 ? $clog2(BankWords) : 1;
  localparam int unsigned Inner = Channelwise ? 1 : Groups;
  localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam int unsigned Fields = Taps > 0 ? Taps : 1;  // values kept for an output
  localparam int unsigned StateWidth = 1 + Lanes * Fields * AccWidth;  // {touched in this frame, accumulators}
  localparam bit Weighted = WeightFile != "";
  localparam int unsigned ProductWidth = Weighted ? DeltaWidth + WeightWidth : DeltaWidth;
  localparam int unsigned OutputDepth = 8;

  function automatic logic [SpotBits-1:0] spot(input logic [RowBits-1:0] row, input logic [ColumnBits-1:0] column);
    spot = SpotBits'((32'(row) >> BankBits) * RowWords + 32'(column));
  endfunction

  // ---- Issue: one word of the head event a cycle.
  logic new_stream, has_event, end_of_frame;
  logic [RowBits-1:0] first_row, rows, row, y_q;
  logic [ColumnBits-1:0] first_column, columns, column, column_q, x_q;
  logic [WeightBits-1:0] first_line, line, line_q, row_line, row_line_q;
  logic [LaneBits-1:0] event_lane;
  logic [DeltaWidth-1:0] delta;
  logic [GroupBits-1:0] inner_q;
  logic [RingBits-1:0] ring_first, ring_last, ring_floor, low, low_q, span, unsent_q;
  logic half_q;  // of the ring, for the frame being accumulated
  logic fresh_q;  // that frame is the first of its stream
  logic start_q;  // the next word is the first of its event
  logic clean_q;  // every word is its bias
  logic unclean, admit, go, bare, pop, last_inner, last_x, last_y;

  assign {new_stream, has_event, end_of_frame, first_row, rows, first_column, columns, first_line, event_lane, delta} =
      token_i;
  assign unclean = valid_i && new_stream && !clean_q;
  assign ring_first = {half_q, HalfBits'(first_row)};
  assign ring_last = ring_first + RingBits'(rows) - 1'b1;
  assign ring_floor = Joined ? {half_q, HalfBits'(floor_i)} : ring_first;
  assign span = ring_last - unsent_q;
  assign admit = !unclean && (!end_of_frame || unsent_q[HalfBits] == half_q);  // at most two frames in the ring
  assign go = valid_i && has_event && admit && span < RingBits'(Lists);
  assign bare = valid_i && !has_event && admit;
  assign last_inner = inner_q == GroupBits'(Inner - 1);
  assign last_x = last_inner && x_q == columns - 1'b1;
  assign last_y = last_x && y_q == rows - 1'b1;
  assign pop = bare || (go && last_y);
  assign ready_o = pop;
  assign row = first_row + y_q;
  assign column = start_q ? first_column : column_q;
  assign line = start_q ? first_line : line_q;
  assign row_line = start_q ? first_line : row_line_q;
  // No later event reaches a row before this one. Told even while the head event waits, so that those rows can leave.
  assign low = bare && end_of_frame ? {!half_q, HalfBits'(0)} : valid_i && has_event && !unclean ? ring_floor : low_q;
  assign probe_o = {pop && end_of_frame, valid_i && !go && !bare, go, pop && has_event};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      half_q <= 1'b0;
      fresh_q <= 1'b1;
      start_q <= 1'b1;
      inner_q <= '0;
      x_q <= '0;
      y_q <= '0;
      low_q <= '0;
    end else begin
      low_q <= pop && end_of_frame ? {!half_q, HalfBits'(0)} : low;
      if (go) begin
        start_q <= last_y;
        inner_q <= last_inner ? '0 : inner_q + 1'b1;
        if (last_inner) x_q <= last_x ? '0 : x_q + 1'b1;
        if (last_x) y_q <= last_y ? '0 : y_q + 1'b1;
      end
      if (pop && end_of_frame) half_q <= !half_q;
      if (unclean) fresh_q <= 1'b1;
      else if (pop && end_of_frame) fresh_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (go) begin
      row_line_q <= last_x ? row_line - WeightBits'(StepY) : row_line;
      if (last_x) line_q <= row_line - WeightBits'(StepY);
      else if (last_inner) line_q <= line - WeightBits'(StepX + Inner - 1);
      else line_q <= line + 1'b1;
      if (last_x) column_q <= first_column;
      else if (last_inner) column_q <= column + ColumnBits'(Groups - Inner + 1);
      else column_q <= column + 1'b1;
    end
  end

  // ---- Accumulation. Stage 1: place. 2: state address. 3: read. 4: add, note the first touch.
  logic [4:1] go_q, fresh_p;
  logic [4:1][RingBits-1:0] low_p;
  logic [4:1][RowBits-1:0] row_p;
  logic [4:1][ColumnBits-1:0] column_p;
  logic [3:1][DeltaWidth-1:0] delta_p;
  logic [4:1][LaneBits-1:0] lane_p;
  logic [SpotBits-1:0] spot_q2;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      go_q  <= '0;
      low_p <= '0;
    end else begin
      go_q  <= {go_q[3:1], go};
      low_p <= {low_p[3:1], low};
    end
  end
  always_ff @(posedge clk_i) begin
    fresh_p <= {fresh_p[3:1], fresh_q};
    row_p <= {row_p[3:1], row};
    column_p <= {column_p[3:1], column};
    delta_p <= {delta_p[2:1], delta};
    lane_p <= {lane_p[3:1], event_lane};
    spot_q2 <= spot(row_p[1], column_p[1]);
  end

  // What the lanes add in stage 4: a product for each, or one for the only lane that an event reaches.
  localparam int unsigned Products = Channelwise ? 1 : Lanes;
  // verilator lint_off UNUSEDSIGNAL
  logic [Products-1:0][ProductWidth-1:0] product_q4;  // bits above AccWidth cancel: sums wrap, the last one fits
  // verilator lint_on UNUSEDSIGNAL
  if (Weighted) begin : g_weights
    logic [WeightBits-1:0] line_q1;
    logic [Lanes*WeightWidth-1:0] weights[WeightLines];
    logic [Lanes*WeightWidth-1:0] weight_q2;
    logic [Products*WeightWidth-1:0] weight_q3;
    initial $readmemh(WeightFile, weights);
    always_ff @(posedge clk_i) begin
      line_q1   <= line;
      weight_q2 <= weights[line_q1];
      weight_q3 <= weight_q2[(Channelwise?32'(lane_p[2]) : 0)*WeightWidth+:Products*WeightWidth];
    end
    for (genvar i = 0; i < Products; i++) begin : g_product
      logic signed [ProductWidth-1:0] weight, delta_in;
      assign weight = ProductWidth'($signed(weight_q3[i*WeightWidth+:WeightWidth]));
      assign delta_in = ProductWidth'($signed(delta_p[3]));
      always_ff @(posedge clk_i) product_q4[i] <= weight * delta_in;
    end
  end else begin : g_unit
    always_ff @(posedge clk_i) product_q4 <= {Products{delta_p[3]}};
  end

  // ---- Sending. Stage 1: the next touched word of the oldest row (any word in a fresh frame), or the frame's end.
  // Stage 2: its place; granted when its bank is idle. The word is there two cycles later.
  logic [Lists-1:0][ColumnBits:0] count_q;  // touched words of each row
  logic [ColumnBits-1:0] list[Lists << ColumnBits];
  logic [RingBits-1:0] oldest_q, ring_s1, ring_s2;
  logic [ColumnBits:0] sent_q;
  logic [ColumnBits-1:0] list_s1, walk_s1, column_s1, column_s2;
  logic [SpotBits-1:0] spot_s2;
  logic [ListBits-1:0] oldest_list, touch_list;
  logic send_fresh_q, row_done, at_end, no_word, all_empty, last_word, take, ready_s1, grant, touch;
  logic valid_s1, end_s1, fresh_s1, valid_s2, end_s2, fresh_s2;

  assign oldest_list = oldest_q[ListBits-1:0];
  assign row_done = oldest_q != low_p[4];
  assign at_end = &oldest_q[HalfBits-1:0];
  assign no_word = send_fresh_q ? oldest_q[HalfBits-1:0] >= HalfBits'(Rows) : count_q[oldest_list] == 0;
  assign all_empty = !send_fresh_q && count_q == '0;
  assign last_word = sent_q == (send_fresh_q ? (ColumnBits + 1)'(RowWords) : count_q[oldest_list]) - 1'b1;
  assign ready_s1 = !valid_s2 || grant;
  assign take = row_done && (at_end || !no_word) && (!valid_s1 || ready_s1);
  assign touch_list = ListBits'(row_p[4]);
  assign column_s1 = fresh_s1 ? walk_s1 : list_s1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      oldest_q <= '0;
      unsent_q <= '0;
      count_q <= '0;
      sent_q <= '0;
      send_fresh_q <= 1'b1;
      valid_s1 <= 1'b0;
      valid_s2 <= 1'b0;
    end else begin
      if (take) begin
        sent_q <= at_end || last_word ? '0 : sent_q + 1'b1;
        if (at_end || last_word) oldest_q <= oldest_q + 1'b1;
        if (!at_end && last_word) count_q[oldest_list] <= '0;
      end else if (row_done && !at_end && no_word) begin
        // Skip one empty row, or all of them at once.
        if (!all_empty) oldest_q <= oldest_q + 1'b1;
        else oldest_q <= low_p[4][HalfBits] == oldest_q[HalfBits] ? low_p[4] : {oldest_q[HalfBits], {HalfBits{1'b1}}};
      end
      if (unclean) send_fresh_q <= send_fresh_q || drained;
      else if (take && at_end) send_fresh_q <= 1'b0;
      if (touch) count_q[touch_list] <= count_q[touch_list] + 1'b1;
      if (ready_s1) valid_s2 <= valid_s1;
      if (take) valid_s1 <= 1'b1;
      else if (ready_s1) valid_s1 <= 1'b0;
      unsent_q <= valid_s2 ? ring_s2 : valid_s1 ? ring_s1 : oldest_q;
    end
  end
  always_ff @(posedge clk_i) begin
    if (touch) list[{touch_list, count_q[touch_list][ColumnBits-1:0]}] <= column_p[4];
    if (take) begin
      list_s1  <= list[{oldest_list, sent_q[ColumnBits-1:0]}];
      walk_s1  <= sent_q[ColumnBits-1:0];
      ring_s1  <= oldest_q;
      end_s1   <= at_end;
      fresh_s1 <= send_fresh_q;
    end
    if (ready_s1) begin
      ring_s2 <= ring_s1;
      column_s2 <= column_s1;
      spot_s2 <= spot(RowBits'(ring_s1[HalfBits-1:0]), column_s1);
      end_s2 <= end_s1;
      fresh_s2 <= fresh_s1;
    end
  end

  // ---- Sweep: set every word to its bias, once all of the old stream has left.
  logic sweep_q, drained;
  logic [SpotBits-1:0] sweep_spot_q;
  logic [GroupBits-1:0] sweep_group_q;
  logic [5:3] grant_q;
  assign drained = oldest_q == low_p[4] && low_p[4] == low_q && go_q == 0 && !valid_s1 && !valid_s2 && grant_q == 0;

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
  if (BiasFile != "") begin : g_biases
    logic [Lanes*AccWidth-1:0] biases[Groups];
    initial $readmemh(BiasFile, biases);
    always_ff @(posedge clk_i) initial_state <= biases[sweep_group_q];
  end else begin : g_zero
    assign initial_state = '0;
  end

  // ---- State: accumulation goes first, sending takes a bank that it leaves idle.
  logic [Banks-1:0][StateWidth-1:0] operand;
  logic [StateWidth-1:0] current;
  logic [Lanes*Fields*AccWidth-1:0] total, kept, initial_state;
  logic [Lanes*AccWidth-1:0] sent, sent_q5;
  logic [5:3] end_p, fresh_out_p;
  logic [5:3][RowBits-1:0] send_row_p;
  logic [5:3][ColumnBits-1:0] send_column_p;
  logic [3:0] credit_q;
  logic queue_ready;

  assign current = operand[row_p[4][BankBits-1:0]];
  assign kept = operand[send_row_p[4][BankBits-1:0]][StateWidth-2:0];
  assign touch = go_q[4] && !current[StateWidth-1] && !fresh_p[4];
  assign grant = valid_s2 && credit_q != 0 && (end_s2 || !(go_q[2] && row_p[2][BankBits-1:0] == ring_s2[BankBits-1:0]));

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    logic [AccWidth-1:0] addend;
    logic hit;
    assign hit = !Channelwise || lane_p[4] == LaneBits'(lane);
    assign addend = hit ? AccWidth'($signed(product_q4[Channelwise?0 : lane])) : '0;
    if (Taps == 0) begin : g_sum
      assign total[lane*AccWidth+:AccWidth] = current[lane*AccWidth+:AccWidth] + addend;
      assign sent[lane*AccWidth+:AccWidth]  = kept[lane*AccWidth+:AccWidth];
    end else begin : g_window
      logic [Taps-1:0][AccWidth-1:0] codes, window;
      logic [AccWidth-1:0] most;
      assign {codes, window} = {current[lane*Taps*AccWidth+:Taps*AccWidth], kept[lane*Taps*AccWidth+:Taps*AccWidth]};
      for (genvar tap = 0; tap < Taps; tap++) begin : g_tap
        assign total[(lane*Taps+tap)*AccWidth+:AccWidth] =
            codes[tap] + (g_taps.tap_q4 == WeightBits'(tap) ? addend : '0);
      end
      always_comb begin
        most = window[0];
        for (int unsigned tap = 1; tap < Taps; tap++) begin
          if (AccSigned ? $signed(window[tap]) > $signed(most) : window[tap] > most) most = window[tap];
        end
      end
      assign sent[lane*AccWidth+:AccWidth] = most;
    end
  end
  if (Taps != 0) begin : g_taps
    logic [WeightBits-1:0] tap_q1, tap_q2, tap_q3, tap_q4;
    always_ff @(posedge clk_i) {tap_q4, tap_q3, tap_q2, tap_q1} <= {tap_q3, tap_q2, tap_q1, line};
  end

  for (genvar bank = 0; bank < Banks; bank++) begin : g_bank
    logic add, send;
    logic [4:3] add_q;
    assign add  = go_q[2] && row_p[2][BankBits-1:0] == BankBits'(bank);
    assign send = grant && !end_s2 && ring_s2[BankBits-1:0] == BankBits'(bank);
    always_ff @(posedge clk_i) add_q <= {add_q[3], add};
    delta_state #(
        .Words(BankWords),
        .Width(StateWidth)
    ) i_state (
        .clk_i,
        .rst_ni,
        .enable_i (1'b1),
        .valid_i  (add || send || sweep_q),
        .load_i   (sweep_q),
        .word_i   (sweep_q ? sweep_spot_q : add ? spot_q2 : spot_s2),
        .initial_i({1'b0, initial_state}),
        .operand_o(operand[bank]),
        .result_i (add_q[4] ? {1'b1, total} : {1'b0, operand[bank][StateWidth-2:0]})
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
    send_row_p <= {send_row_p[4:3], RowBits'(ring_s2[HalfBits-1:0])};
    send_column_p <= {send_column_p[4:3], column_s2};
    sent_q5 <= sent;
  end
  delta_fifo #(
      .Width(3 + WordBits + Lanes * AccWidth),
      .Depth(OutputDepth)
  ) i_output (
      .clk_i,
      .rst_ni,
      .valid_i(grant_q[5]),
      .ready_o(queue_ready),
      .data_i({
        fresh_out_p[5],
        !end_p[5],
        end_p[5],
        WordBits'(32'(send_row_p[5]) * RowWords + 32'(send_column_p[5])),
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
