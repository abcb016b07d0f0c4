// SPDX-License-Identifier: Apache-2.0
// Function:   which words to send: once a row is complete (it lies before low_i) the words that were added to in it
//             leave (delta_lists), row by row, bank by bank, in the order in which they were reached, then the end of
//             the frame. In the first frame of a stream every word leaves, in raster order
// Latency:    3 cycles from low_i to the first word of the oldest row, if it is complete with it
// Throughput: 1 word per cycle; of rows without words 1 per cycle, or all at once if no list has a word
// Timing:     the outputs are read from a queue in distributed RAM; unsent_o is a register; no combinational path
// Reset:      no word; the next frame is the first of its stream
// Model:      rtl_tests.bench_rows.Frames
// Rows lie on the ring of delta_walk, Stride from frame to frame; a row's lists are those of its place there modulo
// Lists. It holds no sums: delta_banks does.
module delta_rows #(
    parameter int unsigned Rows = 1,
    parameter int unsigned Columns = 1,
    parameter int unsigned Groups = 1,  // words of one position
    parameter int unsigned Slots = 1,  // words that are reached in one cycle, in different banks
    parameter int unsigned BankRows = 2,  // see delta_spot
    parameter int unsigned BankColumns = 1,
    parameter int unsigned Lists = 8,  // power of two, at least 2 * BankRows
    parameter int unsigned Stride = 8,  // a multiple of BankRows, above Rows, at least Lists
    parameter int unsigned RowBits = 1,
    parameter int unsigned ColumnBits = 1,
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1,
    localparam int unsigned Banks = BankRows * BankColumns,
    localparam int unsigned BankBits = $clog2(Banks),
    localparam int unsigned RowWords = (Columns + BankColumns - 1) / BankColumns * Groups,  // of a row in a bank
    localparam int unsigned BankWords = (Rows + BankRows - 1) / BankRows * RowWords,
    localparam int unsigned SpotBits = BankWords > 1 ? $clog2(BankWords) : 1,
    localparam int unsigned ListBits = $clog2(Lists / BankRows),
    localparam int unsigned RingBits = $clog2(2 * Stride + 2)
) (
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic [Slots-1:0]                 add_i,         // as they come from delta_walk
    input  logic [Slots-1:0][  BankBits-1:0] bank_i,
    input  logic [Slots-1:0][   RowBits-1:0] row_i,
    input  logic [Slots-1:0][ColumnBits-1:0] column_i,
    input  logic [            GroupBits-1:0] group_i,
    input  logic                             first_frame_i,
    input  logic [             ListBits-1:0] list_i,
    input  logic [                Banks-1:0] first_i,       // of the words of add_i, 2 cycles later
    input  logic [             RingBits-1:0] low_i,         // past a row 3 cycles after its last word at the earliest
    input  logic                             restart_i,     // the next frame starts a stream; only while idle_o
    output logic                             idle_o,        // nothing before low_i is left
    output logic [             RingBits-1:0] unsent_o,      // the oldest row that is left
    output logic                             unsent_odd_o,  // its frame, counted modulo 2
    output logic                             valid_o,
    input  logic                             ready_i,
    output logic [              RowBits-1:0] row_o,
    output logic [           ColumnBits-1:0] column_o,
    output logic [            GroupBits-1:0] group_o,
    output logic [             BankBits-1:0] bank_o,
    output logic [             SpotBits-1:0] spot_o,
    output logic                             end_o,         // no word, but the end of a frame
    output logic                             first_frame_o  // the word is of a first frame
);
  localparam int unsigned IndexBits = RowWords > 1 ? $clog2(RowWords) : 1;
  localparam int unsigned PickBits = BankColumns > 1 ? $clog2(BankColumns) : 1;
  localparam int unsigned RowIndexBits = $clog2(Lists);
  localparam int unsigned QueueDepth = 4;
  if (Stride <= Rows || Stride < Lists || Stride % BankRows != 0 || Groups < 1) begin : g_bad
    $error("delta_rows: Stride must be a multiple of BankRows, above Rows and at least Lists");
  end

  typedef struct packed {
    logic odd;
    logic [RingBits-1:0] ring;
    logic [RowBits-1:0] row;
    logic end_of_frame;  // no row, but the mark after the last one
    logic first_of_stream;
  } row_t;
  typedef struct packed {
    logic [ColumnBits-1:0] column;
    logic [GroupBits-1:0] group;
  } entry_t;
  typedef struct packed {
    row_t at;
    entry_t entry;
    logic [BankBits-1:0] bank;
    logic [SpotBits-1:0] spot;
  } word_t;

  row_t row_q, word_row_q;  // the row at work; that of the next word
  word_t sent;
  entry_t raster_q, raster_q2, listed, entry;  // the next word of a whole row or of a list; the picked one
  logic [BankBits-1:0] bank;
  logic [SpotBits-1:0] spot;
  logic row_valid_q, word_valid_q, word_ready;
  logic [RingBits-1:0] oldest_q, base_q;  // the first row that has not been taken, the first one of its frame
  logic [RingBits-1:0] end_row_q, last_row_q;  // of that frame: the mark of its end, and the row before
  logic [RingBits-1:0] target_q;
  logic odd_q, first_frame_q, at_end_q;  // of the oldest row
  logic skip, skip_q;  // no row before target_q has a word
  logic row_done, no_word, fetch, take, last_entry, last_word, some, filled;
  logic [BankColumns-1:0][IndexBits:0] counts, counts_q;  // of the oldest row; of the row at work
  logic [PickBits-1:0] pick;  // column of banks that is sent: the first that has words
  logic [IndexBits:0] picked_count, next_sent_q;
  logic [IndexBits-1:0] sent_q;  // words of its list that have been read; next_sent_q: one more
  logic [Slots-1:0][ColumnBits+GroupBits-1:0] reached;

  for (genvar s = 0; s < Slots; s++) begin : g_entry
    assign reached[s] = {column_i[s], group_i};
  end
  delta_lists #(
      .Slots      (Slots),
      .BankRows   (BankRows),
      .BankColumns(BankColumns),
      .Lists      (Lists),
      .RowWords   (RowWords),
      .RowBits    (RowBits),
      .EntryBits  (ColumnBits + GroupBits)
  ) i_lists (
      .clk_i,
      .rst_ni,
      .add_i,
      .bank_i,
      .row_i,
      .entry_i      (reached),
      .first_frame_i,
      .list_i,
      .first_i,
      .some_o       (some),
      .oldest_i     (RowIndexBits'(oldest_q)),
      .filled_o     (filled),
      .counts_o     (counts),
      .take_i       (fetch && !at_end_q),
      .read_i       (take),
      .read_row_i   (RowIndexBits'(row_q.ring)),
      .read_column_i(pick),
      .read_index_i (sent_q),
      .entry_o      (listed)
  );

  // ---- The next row with words (any row of a first frame) and their counts, or the end of the frame. The row after it
  // is looked for while its words leave.
  assign row_done = oldest_q != low_i;
  assign no_word = !first_frame_q && !filled;
  assign fetch = row_done && (at_end_q || !no_word) && (!row_valid_q || (take && last_word));
  assign skip = row_done && !at_end_q && !first_frame_q && !some && !skip_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      oldest_q <= '0;
      base_q <= '0;
      end_row_q <= RingBits'(Rows);
      last_row_q <= RingBits'(Rows - 1);
      at_end_q <= 1'b0;
      skip_q <= 1'b0;
      odd_q <= 1'b0;
      first_frame_q <= 1'b1;
      row_valid_q <= 1'b0;
    end else begin
      skip_q <= skip;
      if (fetch && at_end_q) begin
        oldest_q <= base_q + RingBits'(Stride);
        base_q <= base_q + RingBits'(Stride);
        end_row_q <= end_row_q + RingBits'(Stride);
        last_row_q <= last_row_q + RingBits'(Stride);
        at_end_q <= 1'b0;
        odd_q <= !odd_q;
      end else if (skip_q) begin
        oldest_q <= target_q;
        at_end_q <= target_q == end_row_q;
      end else if (fetch || (row_done && !at_end_q && no_word && !skip)) begin
        oldest_q <= oldest_q + 1'b1;
        at_end_q <= oldest_q == last_row_q;
      end
      if (restart_i) first_frame_q <= 1'b1;
      else if (fetch && at_end_q) first_frame_q <= 1'b0;
      if (fetch) row_valid_q <= 1'b1;
      else if (take && last_word) row_valid_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    // A cycle old when it is used: rows before it have stayed empty.
    target_q <= low_i - base_q < RingBits'(Rows) ? low_i : end_row_q;
    if (fetch) begin
      row_q <= {odd_q, oldest_q, RowBits'(oldest_q - base_q), at_end_q, first_frame_q};
      counts_q <= counts;
    end else if (BankColumns > 1 && take && last_entry) begin  // the next bank's are next
      for (int unsigned b = 0; b < BankColumns; b++) if (pick == PickBits'(b)) counts_q[b] <= '0;
    end
  end

  // ---- The next word of the row at work.
  assign last_entry = next_sent_q == picked_count;
  assign take = row_valid_q && (!word_valid_q || word_ready);

  always_comb begin
    pick = '0;
    picked_count = counts_q[0];
    for (int unsigned b = BankColumns; b > 0; b--) begin
      if (counts_q[b-1] != 0) begin
        pick = PickBits'(b - 1);
        picked_count = counts_q[b-1];
      end
    end
  end
  always_comb begin
    last_word = 1'b1;  // of its row: no other bank has one
    for (int unsigned b = 0; b < BankColumns; b++) begin
      if (b != 32'(pick) && counts_q[b] != 0) last_word = 1'b0;
    end
    last_word = last_word && last_entry;
    if (row_q.first_of_stream) last_word = 32'(raster_q.column) == Columns - 1 && 32'(raster_q.group) == Groups - 1;
    if (row_q.end_of_frame) last_word = 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sent_q <= '0;
      next_sent_q <= (IndexBits + 1)'(1);
      raster_q <= '0;
      word_valid_q <= 1'b0;
    end else begin
      if (take && row_q.first_of_stream && !row_q.end_of_frame) begin
        raster_q.group <= 32'(raster_q.group) == Groups - 1 ? '0 : raster_q.group + 1'b1;
        if (32'(raster_q.group) == Groups - 1) raster_q.column <= last_word ? '0 : raster_q.column + 1'b1;
      end else if (take && !row_q.end_of_frame) begin
        sent_q <= last_entry ? '0 : IndexBits'(next_sent_q);
        next_sent_q <= last_entry ? (IndexBits + 1)'(1) : next_sent_q + 1'b1;
      end
      if (take) word_valid_q <= 1'b1;
      else if (word_ready) word_valid_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (take) {word_row_q, raster_q2} <= {row_q, raster_q};
  end

  // ---- The queue of words to send.
  assign entry = word_row_q.first_of_stream ? raster_q2 : listed;
  delta_spot #(
      .Rows       (Rows),
      .Columns    (Columns),
      .Groups     (Groups),
      .BankRows   (BankRows),
      .BankColumns(BankColumns),
      .RowBits    (RowBits),
      .ColumnBits (ColumnBits)
  ) i_spot (
      .row_i   (word_row_q.row),
      .column_i(entry.column),
      .group_i (entry.group),
      .bank_o  (bank),
      .spot_o  (spot)
  );
  delta_fifo #(
      .Width($bits(sent)),
      .Depth(QueueDepth),
      .Registered(1'b0)
  ) i_places (
      .clk_i,
      .rst_ni,
      .valid_i(word_valid_q),
      .ready_o(word_ready),
      .data_i ({word_row_q, entry, bank, spot}),
      .valid_o,
      .ready_i,
      .data_o (sent)
  );
  assign {row_o, column_o, group_o} = {sent.at.row, sent.entry};
  assign {bank_o, spot_o} = {sent.bank, sent.spot};
  assign {end_o, first_frame_o} = {sent.at.end_of_frame, sent.at.first_of_stream};

  assign idle_o = oldest_q == low_i && !row_valid_q && !word_valid_q && !valid_o;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {unsent_odd_o, unsent_o} <= '0;
    else begin
      {unsent_odd_o, unsent_o} <= valid_o ? {sent.at.odd, sent.at.ring} :
                                  word_valid_q ? {word_row_q.odd, word_row_q.ring} :
                                  row_valid_q ? {row_q.odd, row_q.ring} : {odd_q, oldest_q};
    end
  end
endmodule
