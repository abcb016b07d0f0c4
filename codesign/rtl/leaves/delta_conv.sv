// SPDX-License-Identifier: Apache-2.0
// Function:   located tokens (delta_locate) -> a[o] += W[k, c] * delta for every output word o that the event reaches
//             -> word tokens {first_of_stream, has_word, end_of_frame, word, accumulators} of the touched words, row by
//             row; a = bias at the start of a stream, when every word is sent. Without a WeightFile every weight is 1.
//             Window > 0: keeps the Window codes that an output sees instead, and sends their maximum
// Latency:    a row leaves as soon as no later event of the frame can reach it
// Throughput: ceil(rows / TapRows) * ceil(columns / TapColumns) * Inner cycles per event, without gaps; sending uses a
//             bank that accumulation leaves idle
// Timing:     no combinational path from ready_i to ready_o; both sides of the multiplier registered
// Reset:      as a new stream: all words are set to the bias, BankWords cycles
// Model:      codesign.graph.golden.scatter, codesign.graph.golden.compute (pooling and joins)
// It wires delta_walk (events to cycles), delta_product (what is added), delta_banks (the words), delta_rows (which
// words leave, and when) and delta_maximum. Lists of Lists rows, from the oldest unsent to the newest touched, exist at
// once, so an event waits while its last row is too far ahead. After a delta_join there is a list for every row, so
// that no input ever waits for another one within a frame.
module delta_conv #(
    parameter int unsigned Rows = 1,  // output rows
    parameter int unsigned Columns = 1,  // output columns
    parameter int unsigned Groups = 1,  // output words of one position
    parameter int unsigned Lanes = 1,
    parameter bit Channelwise = 1'b0,  // an event reaches one word of a position, and one lane of it
    parameter bit Joined = 1'b0,  // events are not in the order of rows: floor_i says what is complete
    parameter int unsigned Late = 0,  // rows by which events may be out of order, see delta_walk
    parameter int unsigned Window = 0,  // codes whose maximum is sent; a weight line is then one of them
    parameter int unsigned TapRows = 1,  // output positions reached in one cycle
    parameter int unsigned TapColumns = 1,
    parameter int unsigned StepX = 1,  // lines of the weight memory from one column's element back to the next column's
    parameter int unsigned StepY = 1,  // the same for rows
    parameter int unsigned WeightLines = 1,
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned WeightWidth = 8,
    parameter int unsigned AccWidth = 24,
    parameter bit AccSigned = 1'b1,  // of the codes whose maximum is sent
    parameter int unsigned BankRows = 2,  // power of two, more than TapRows
    parameter int unsigned BankColumns = 1,  // power of two, at least TapColumns
    parameter int unsigned Lists = 8,  // power of two, at least 2 * BankRows, above the rows an event reaches and Late
    parameter int unsigned RowBits = 1,
    parameter int unsigned ColumnBits = 1,
    parameter int unsigned WeightBits = 1,
    parameter WeightFile = "",  // line (element * Channels + c) * Groups + group; channelwise: element * Groups + group
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
    input  logic [                  RowBits-1:0] floor_i,  // if Joined: no later event reaches a row before
    output logic                                 valid_o,
    input  logic                                 ready_i,
    output logic [3+WordBits+Lanes*AccWidth-1:0] token_o,
    output logic [                          3:0] probe_o   // {frame_done, stalled, busy, event}
);
  localparam int unsigned Banks = BankRows * BankColumns;
  localparam int unsigned BankBits = $clog2(Banks);
  localparam int unsigned BankWords = (Rows + BankRows - 1) / BankRows *
                                      ((Columns + BankColumns - 1) / BankColumns) * Groups;
  localparam int unsigned SpotBits = BankWords > 1 ? $clog2(BankWords) : 1;
  localparam int unsigned Slots = TapRows * TapColumns;  // words of a cycle
  localparam int unsigned Fields = Window > 0 ? Window : 1;  // values kept for an output
  localparam int unsigned OutputDepth = 8;
  if (1 << $clog2(BankRows) != BankRows || 1 << $clog2(BankColumns) != BankColumns || BankRows <= TapRows ||
      BankColumns < TapColumns) begin : g_bad_banks
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
  localparam int unsigned ListBits = $clog2(Lists / BankRows);

  typedef struct packed {  // what leaves: a word, or the end of a frame
    logic first_of_stream;
    logic end_of_frame;
    logic [RowBits-1:0] row;
    logic [ColumnBits-1:0] column;
    logic [GroupBits-1:0] group;
  } sent_t;

  // ---- Events to cycles. Slots have their places in stage 2, their addends in stage 4.
  logic [Slots-1:0] add, add_q;
  logic [Slots-1:0][BankBits-1:0] bank;
  logic [Slots-1:0][SpotBits-1:0] spot;
  logic [Slots-1:0][RowBits-1:0] row;
  logic [Slots-1:0][ColumnBits-1:0] column;
  logic [GroupBits-1:0] group;
  logic first_frame;
  logic [ListBits-1:0] list;
  logic has_event, event_q;  // line, lane and delta are of an event; a cycle later
  logic [Slots-1:0][WeightBits-1:0] line;
  logic [LaneBits-1:0] lane;
  logic [DeltaWidth-1:0] delta;
  logic [RingBits-1:0] low, unsent;
  logic unsent_odd, unclean, still, swept, start;
  delta_walk #(
      .Rows       (Rows),
      .Columns    (Columns),
      .Groups     (Groups),
      .Lanes      (Lanes),
      .Channelwise(Channelwise),
      .Joined     (Joined),
      .Late       (Late),
      .TapRows    (TapRows),
      .TapColumns (TapColumns),
      .StepX      (StepX),
      .StepY      (StepY),
      .DeltaWidth (DeltaWidth),
      .BankRows   (BankRows),
      .BankColumns(BankColumns),
      .Lists      (Lists),
      .Stride     (Stride),
      .RowBits    (RowBits),
      .ColumnBits (ColumnBits),
      .WeightBits (WeightBits)
  ) i_walk (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o,
      .token_i,
      .floor_i,
      .unsent_i    (unsent),
      .unsent_odd_i(unsent_odd),
      .swept_i     (swept),
      .unclean_o   (unclean),
      .still_o     (still),
      .event_o     (has_event),
      .line_o      (line),
      .lane_o      (lane),
      .delta_o     (delta),
      .add_o       (add),
      .bank_o      (bank),
      .spot_o      (spot),
      .row_o       (row),
      .column_o    (column),
      .group_o     (group),
      .first_frame_o(first_frame),
      .list_o      (list),
      .low_o       (low),
      .probe_o
  );

  always_ff @(posedge clk_i) {event_q, add_q} <= {has_event, add};
  logic [Slots-1:0][Lanes*Fields*AccWidth-1:0] addend;
  for (genvar s = 0; s < Slots; s++) begin : g_product
    delta_product #(
        .Lanes      (Lanes),
        .Channelwise(Channelwise),
        .Window     (Window),
        .DeltaWidth (DeltaWidth),
        .WeightWidth(WeightWidth),
        .AccWidth   (AccWidth),
        .WeightLines(WeightLines),
        .WeightBits (WeightBits),
        .WeightFile (WeightFile)
    ) i_product (
        .clk_i,
        .enable_i({add_q[s], add[s], event_q, has_event}),
        .line_i  (line[s]),
        .lane_i  (lane),
        .delta_i (delta),
        .addend_o(addend[s])
    );
  end

  // ---- Words: accumulation goes first, sending takes a bank that it leaves idle.
  logic [Banks-1:0] first, busy;
  logic [Lanes*Fields*AccWidth-1:0] kept;
  logic send_valid, grant, idle, queue_ready;
  logic [BankBits-1:0] send_bank;
  logic [SpotBits-1:0] send_spot;
  sent_t send, sent_q, sent_q2, sent_q3;
  logic [3:1] grant_q;
  logic [3:0] credit_q;

  assign grant = send_valid && credit_q != 0 && (send.end_of_frame || !busy[send_bank]);
  assign start = unclean && still && idle && grant_q == 0;  // all of the old stream has left
  delta_banks #(
      .Banks   (Banks),
      .Words   (BankWords),
      .Slots   (Slots),
      .Lanes   (Lanes * Fields),
      .AccWidth(AccWidth),
      .Groups  (Groups),
      .BiasFile(BiasFile)
  ) i_banks (
      .clk_i,
      .rst_ni,
      .start_i    (start),
      .swept_o    (swept),
      .add_i      (add),
      .bank_i     (bank),
      .spot_i     (spot),
      .addend_i   (addend),
      .first_o    (first),
      .busy_o     (busy),
      .ask_i      (send_valid),
      .read_i     (grant && !send.end_of_frame),
      .read_bank_i(send_bank),
      .read_spot_i(send_spot),
      .data_o     (kept)
  );
  delta_rows #(
      .Rows       (Rows),
      .Columns    (Columns),
      .Groups     (Groups),
      .Slots      (Slots),
      .BankRows   (BankRows),
      .BankColumns(BankColumns),
      .Lists      (Lists),
      .Stride     (Stride),
      .RowBits    (RowBits),
      .ColumnBits (ColumnBits)
  ) i_rows (
      .clk_i,
      .rst_ni,
      .add_i       (add),
      .bank_i      (bank),
      .row_i       (row),
      .column_i    (column),
      .group_i     (group),
      .first_frame_i(first_frame),
      .list_i      (list),
      .first_i     (first),
      .low_i       (low),
      .restart_i   (start),
      .idle_o      (idle),
      .unsent_o    (unsent),
      .unsent_odd_o(unsent_odd),
      .valid_o     (send_valid),
      .ready_i     (grant),
      .row_o       (send.row),
      .column_o    (send.column),
      .group_o     (send.group),
      .bank_o      (send_bank),
      .spot_o      (send_spot),
      .end_o       (send.end_of_frame),
      .first_frame_o(send.first_of_stream)
  );

  // ---- Output queue with credits: a stalled consumer never freezes accumulation.
  logic [Lanes*AccWidth-1:0] values;
  logic [WordBits-1:0] word;
  assign word = WordBits'((32'(sent_q3.row) * Columns + 32'(sent_q3.column)) * Groups + 32'(sent_q3.group));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      grant_q  <= '0;
      credit_q <= 4'(OutputDepth);
    end else begin
      grant_q  <= {grant_q[2:1], grant};
      credit_q <= credit_q + 4'(valid_o && ready_i) - 4'(grant);
    end
  end
  always_ff @(posedge clk_i) {sent_q3, sent_q2, sent_q} <= {sent_q2, sent_q, send};
  delta_maximum #(
      .Lanes (Lanes),
      .Window(Fields),
      .Width (AccWidth),
      .Signed(AccSigned)
  ) i_maximum (
      .clk_i,
      .enable_i(grant_q[2]),
      .values_i(kept),
      .most_o  (values)
  );
  delta_fifo #(
      .Width(3 + WordBits + Lanes * AccWidth),
      .Depth(OutputDepth),
      .Registered(1'b0)
  ) i_output (
      .clk_i,
      .rst_ni,
      .valid_i(grant_q[3]),
      .ready_o(queue_ready),
      .data_i ({sent_q3.first_of_stream, !sent_q3.end_of_frame, sent_q3.end_of_frame, word, values}),
      .valid_o,
      .ready_i,
      .data_o (token_o)
  );

`ifndef SYNTHESIS
  a_credit :
  assert property (@(posedge clk_i) disable iff (!rst_ni) grant_q[3] |-> queue_ready);
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
