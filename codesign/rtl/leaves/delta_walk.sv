// SPDX-License-Identifier: Apache-2.0
// Function:   events to cycles: a located token (delta_locate) reaches `rows` x `columns` positions; each cycle visits
//             TapRows x TapColumns of them in one group: line_o, lane_o and delta_o for the products, then the words of
//             these slots {add, bank, spot, row, column, group}, and of the frame whether it is the first of its stream
//             (first_frame_o) and the list of its first row (list_o). Rows before low_o are complete: 3 cycles after
//             their last word at the earliest
// Latency:    line_o, lane_o, delta_o 1 cycle after the token is taken, slots 2 cycles after these, low_o 4
// Throughput: ceil(rows / TapRows) * ceil(columns / TapColumns) * Inner cycles per event, without gaps
// Timing:     combinational unsent_odd_i -> ready_o; slots, first_frame_o, list_o and low_o are registers
// Reset:      no token; the first one must start a stream
// Model:      rtl_tests.models.walk, rtl_tests.bench_walk.Walk
// Rows of consecutive frames lie on a ring, Stride rows from one frame to the next; the mark of a frame's end is a row
// after its rows. An event waits while its last row is Lists or more after unsent_i, the oldest row not sent yet; a
// frame's end waits while a row of the frame before is not sent; a new stream until every word is its bias (swept_i).
module delta_walk #(
    parameter int unsigned Rows = 1,  // of the output, as Columns and Groups
    parameter int unsigned Columns = 1,
    parameter int unsigned Groups = 1,  // words of one position
    parameter int unsigned Lanes = 1,
    parameter bit Channelwise = 1'b0,  // an event reaches one group only
    parameter bit Joined = 1'b0,  // events are not in the order of rows: floor_i says what is complete
    parameter int unsigned Late = 0,  // rows before the first one of an event, or floor_i, that later events may reach
    parameter int unsigned TapRows = 1,
    parameter int unsigned TapColumns = 1,
    parameter int unsigned StepX = 1,  // weight lines from one column's element back to the next column's
    parameter int unsigned StepY = 1,  // the same for rows
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned BankRows = 2,  // see delta_spot
    parameter int unsigned BankColumns = 1,
    parameter int unsigned Lists = 8,  // power of two
    parameter int unsigned Stride = 8,  // a multiple of BankRows
    parameter int unsigned RowBits = 1,
    parameter int unsigned ColumnBits = 1,
    parameter int unsigned WeightBits = 1,
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1,
    localparam int unsigned PlaceBits = 2 * RowBits + 2 * ColumnBits + GroupBits + WeightBits + LaneBits,
    localparam int unsigned Slots = TapRows * TapColumns,  // slot = row * TapColumns + column
    localparam int unsigned RowWords = (Columns + BankColumns - 1) / BankColumns * Groups,  // of a row in a bank
    localparam int unsigned BankWords = (Rows + BankRows - 1) / BankRows * RowWords,
    localparam int unsigned BankBits = $clog2(BankRows * BankColumns),
    localparam int unsigned SpotBits = BankWords > 1 ? $clog2(BankWords) : 1,
    localparam int unsigned ListBits = $clog2(Lists / BankRows),
    localparam int unsigned RingBits = $clog2(2 * Stride + 2)
) (
    input  logic                              clk_i,
    input  logic                              rst_ni,
    input  logic                              valid_i,
    output logic                              ready_o,
    input  logic [3+PlaceBits+DeltaWidth-1:0] token_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [               RowBits-1:0] floor_i,       // if Joined: no later event reaches a row before
    // verilator lint_on UNUSEDSIGNAL
    input  logic [              RingBits-1:0] unsent_i,
    input  logic                              unsent_odd_i,  // its frame, counted modulo 2
    input  logic                              swept_i,       // from the next cycle on every word is its bias
    output logic                              unclean_o,     // a new stream waits for that
    output logic                              still_o,       // low_o is final, and no word follows
    output logic                              event_o,       // line_o, lane_o and delta_o are of an event
    output logic [ Slots-1:0][WeightBits-1:0] line_o,
    output logic [              LaneBits-1:0] lane_o,
    output logic [            DeltaWidth-1:0] delta_o,
    output logic [                 Slots-1:0] add_o,
    output logic [   Slots-1:0][BankBits-1:0] bank_o,
    output logic [   Slots-1:0][SpotBits-1:0] spot_o,
    output logic [    Slots-1:0][RowBits-1:0] row_o,
    output logic [ Slots-1:0][ColumnBits-1:0] column_o,
    output logic [             GroupBits-1:0] group_o,
    output logic                              first_frame_o,
    output logic [              ListBits-1:0] list_o,
    output logic [              RingBits-1:0] low_o,
    output logic [                       3:0] probe_o        // {frame_done, stalled, busy, event}
);
  if (Stride <= Rows || Stride < Lists || Stride % BankRows != 0 || BankRows <= TapRows || BankColumns < TapColumns)
  begin : g_bad
    $error("delta_walk: Stride must be a multiple of BankRows, above Rows, at least Lists; banks at least as taps");
  end

  localparam int unsigned Inner = Channelwise ? 1 : Groups;
  typedef struct packed {
    logic first_of_stream;
    logic has_event;
    logic end_of_frame;
    logic [RowBits-1:0] first_row;
    logic [RowBits-1:0] rows;
    logic [ColumnBits-1:0] first_column;
    logic [ColumnBits-1:0] columns;
    logic [GroupBits-1:0] group;
    logic [WeightBits-1:0] line;
    logic [LaneBits-1:0] lane;
    logic [DeltaWidth-1:0] delta;
  } place_t;
  typedef struct packed {  // what stays while a token is at work
    logic first_of_stream;
    logic has_event;
    logic end_of_frame;
    logic odd;  // of its frame, as in unsent_odd_i
    logic [RingBits-1:0] base;  // ring row of its frame's first row
    logic [RingBits-1:0] last;  // ring row of its last row
    logic [RingBits-1:0] floor;  // ring row before which no later event reaches
    logic [ColumnBits-1:0] first_column;
    logic [ColumnBits-1:0] columns;
    logic [GroupBits-1:0] group;
    logic [LaneBits-1:0] lane;
    logic [DeltaWidth-1:0] delta;
  } head_t;
  typedef struct packed {  // what moves: the first slot, and how much is left from it on
    logic [RowBits-1:0] row;
    logic [RowBits-1:0] rows;
    logic [ColumnBits-1:0] column;
    logic [ColumnBits-1:0] columns;
    logic [GroupBits-1:0] inner;
    logic [WeightBits-1:0] line;
    logic [WeightBits-1:0] row_line;  // of the first column of this row
  } cursor_t;

  // ---- Head: the token at work, its place in the ring and whether there is room for it.
  place_t token;
  head_t head_q;
  cursor_t at_q;
  logic valid_q, odd_q;  // odd_q, base_q: of the frame that comes in
  logic room_q;  // lists for all rows that the head reaches
  logic first_frame_q;  // the head's frame is the first of its stream
  logic clean_q;  // every word is its bias
  logic [RingBits-1:0] base_q, next_base, ring_first, ring_last, span, head_span, floor, low, lowest_q;
  logic [RowBits-1:0] floor_row;
  logic load, admit, go, bare, pop, last_inner, last_x, last_y;

  assign token = token_i;
  assign load = pop || !valid_q;
  assign ready_o = load;
  assign ring_first = base_q + RingBits'(token.first_row);
  assign ring_last = ring_first + RingBits'(token.rows) - 1'b1;
  assign floor_row = Joined ? floor_i : token.first_row;

  // There are lists for the rows up to the last one of the token that comes in, or of the head.
  assign span = (RingBits'(token.first_row) + RingBits'(token.rows)) + (base_q - unsent_i - 1'b1);  // side by side
  assign head_span = head_q.last - unsent_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      base_q  <= '0;
      odd_q   <= 1'b0;
    end else if (load) begin
      valid_q <= valid_i;
      if (valid_i && token.end_of_frame) begin
        base_q <= base_q + RingBits'(Stride);
        odd_q  <= !odd_q;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    room_q <= load ? span < RingBits'(Lists) : head_span < RingBits'(Lists);
    if (load) begin
      {head_q.first_of_stream, head_q.has_event, head_q.end_of_frame} <= {
        token.first_of_stream, token.has_event, token.end_of_frame
      };
      {head_q.odd, head_q.base, head_q.last} <= {odd_q, base_q, ring_last};
      head_q.floor <= base_q + (32'(floor_row) > Late ? RingBits'(floor_row) - RingBits'(Late) : '0);
      {head_q.first_column, head_q.columns, head_q.group} <= {token.first_column, token.columns, token.group};
      {head_q.lane, head_q.delta} <= {token.lane, token.delta};
    end
  end

  // ---- Issue: TapRows x TapColumns words of the head a cycle.
  assign unclean_o = valid_q && head_q.first_of_stream && !clean_q;
  assign admit = !unclean_o && (!head_q.end_of_frame || unsent_odd_i == head_q.odd);  // at most two frames in the ring
  assign go = valid_q && head_q.has_event && admit && room_q;
  assign bare = valid_q && !head_q.has_event && admit;
  assign last_inner = at_q.inner == GroupBits'(Inner - 1);
  // verilator lint_off CMPCONST
  assign last_x = last_inner && 32'(at_q.columns) <= TapColumns;
  assign last_y = last_x && 32'(at_q.rows) <= TapRows;
  // verilator lint_on CMPCONST
  assign pop = bare || (go && last_y);
  // No later event reaches a row before this one. It moves even while the head waits, so that those rows can leave.
  if (Late > 0) begin : g_late  // what is complete stays so
    assign floor = head_q.floor - head_q.base > lowest_q - head_q.base ? head_q.floor : lowest_q;
  end else begin : g_in_order
    assign floor = head_q.floor;
  end
  assign next_base = head_q.base + RingBits'(Stride);
  assign low = bare && head_q.end_of_frame ? next_base :
               valid_q && head_q.has_event && !unclean_o ? floor : lowest_q;
  assign probe_o = {pop && head_q.end_of_frame, valid_q && !go && !bare, go, pop && head_q.has_event};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_frame_q  <= 1'b1;
      clean_q  <= 1'b0;
      lowest_q <= '0;
    end else begin
      lowest_q <= pop && head_q.end_of_frame ? next_base : low;
      if (unclean_o) first_frame_q <= 1'b1;
      else if (pop && head_q.end_of_frame) first_frame_q <= 1'b0;
      if (pop) clean_q <= 1'b0;
      else if (swept_i) clean_q <= 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (load) begin
      {at_q.row, at_q.rows} <= {token.first_row, token.rows};
      {at_q.column, at_q.columns, at_q.inner} <= {token.first_column, token.columns, GroupBits'(0)};
      {at_q.line, at_q.row_line} <= {2{token.line}};
    end else if (go) begin
      at_q.inner <= last_inner ? '0 : at_q.inner + 1'b1;
      if (last_x) begin
        {at_q.row, at_q.rows} <= {at_q.row + RowBits'(TapRows), at_q.rows - RowBits'(TapRows)};
        {at_q.column, at_q.columns} <= {head_q.first_column, head_q.columns};
        at_q.line <= at_q.row_line - WeightBits'(StepY * TapRows);
        at_q.row_line <= at_q.row_line - WeightBits'(StepY * TapRows);
      end else if (last_inner) begin
        at_q.column <= at_q.column + ColumnBits'(TapColumns);
        at_q.columns <= at_q.columns - ColumnBits'(TapColumns);
        at_q.line <= at_q.line - WeightBits'(StepX * TapColumns + Inner - 1);
      end else at_q.line <= at_q.line + 1'b1;
    end
  end

  // ---- Slots. Stage 1: the first one. 2: their places. 3, 4: additions under way, for low_o and still_o.
  logic [4:1] go_q;
  logic [3:1][RingBits-1:0] low_q;
  logic [RowBits-1:0] row_q, rows_q;
  logic [ColumnBits-1:0] column_q, columns_q;
  logic [GroupBits-1:0] group_q;
  logic first_frame_q2;
  logic [ListBits-1:0] list_q;

  assign event_o = valid_q && head_q.has_event;
  assign lane_o = head_q.lane;
  assign delta_o = head_q.delta;
  assign still_o = low_o == lowest_q && go_q == 0;

  for (genvar s = 0; s < Slots; s++) begin : g_slot
    logic [BankBits-1:0] bank;
    logic [SpotBits-1:0] spot;
    logic [RowBits-1:0] row;
    logic [ColumnBits-1:0] column;
    assign line_o[s] = at_q.line - WeightBits'((s / TapColumns) * StepY + (s % TapColumns) * StepX);
    assign row = row_q + RowBits'(s / TapColumns);
    assign column = column_q + ColumnBits'(s % TapColumns);
    delta_spot #(
        .Rows       (Rows),
        .Columns    (Columns),
        .Groups     (Groups),
        .BankRows   (BankRows),
        .BankColumns(BankColumns),
        .RowBits    (RowBits),
        .ColumnBits (ColumnBits)
    ) i_spot (
        .row_i   (row),
        .column_i(column),
        .group_i (group_q),
        .bank_o  (bank),
        .spot_o  (spot)
    );
    always_ff @(posedge clk_i) begin
      if (go_q[1]) {bank_o[s], spot_o[s], row_o[s], column_o[s]} <= {bank, spot, row, column};
      add_o[s] <= rst_ni && go_q[1] && s / TapColumns < 32'(rows_q) && s % TapColumns < 32'(columns_q);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      go_q <= '0;
      {low_o, low_q} <= '0;
    end else begin
      go_q <= {go_q[3:1], go};
      {low_o, low_q} <= {low_q, low};
    end
  end
  always_ff @(posedge clk_i) begin
    {row_q, rows_q, column_q, columns_q} <= {at_q.row, at_q.rows, at_q.column, at_q.columns};
    {group_o, group_q} <= {group_q, head_q.group + at_q.inner};
    {first_frame_o, first_frame_q2} <= {first_frame_q2, first_frame_q};
    {list_o, list_q} <= {list_q, head_q.base[$clog2(BankRows)+:ListBits]};
  end
endmodule
