// SPDX-License-Identifier: Apache-2.0
// Function:   the words reached in Lists rows of a frame: a word of a slot goes to the end of the list of its row and
//             bank, if it was added to for the first time (first_i) and not in a first frame (first_frame_i). filled_o
//             and counts_o say how many words row_i has in each column of banks; take_i empties its lists; read_i reads
//             the word read_index_i of a list
// Latency:    a word counts 3 cycles after add_i; 1 cycle after take_i filled_o falls, 2 after it counts_o; entry_o 1
//             cycle after read_i
// Throughput: Slots words and 1 reading a cycle
// Timing:     combinational row_i -> filled_o, counts_o; entry_o is a multiplexer of registers after the memories
// Reset:      all lists empty
// Model:      rtl_tests.bench_lists.Lists
// A list that was emptied can still be read until its next word comes. Costs one memory per bank, of Lists / BankRows
// rows of RowWords entries, and one counter per list. It does not know which rows are complete: delta_rows does.
module delta_lists #(
    parameter int unsigned Slots = 1,  // words that are reached in one cycle, in different banks
    parameter int unsigned BankRows = 2,  // see delta_spot
    parameter int unsigned BankColumns = 1,
    parameter int unsigned Lists = 8,  // rows; power of two, at least 2 * BankRows
    parameter int unsigned RowWords = 1,  // most words of a row in a bank
    parameter int unsigned RowBits = 1,
    parameter int unsigned EntryBits = 1,  // what a list holds of a word
    localparam int unsigned Banks = BankRows * BankColumns,
    localparam int unsigned BankBits = $clog2(Banks),
    localparam int unsigned PickBits = BankColumns > 1 ? $clog2(BankColumns) : 1,
    localparam int unsigned ListBits = $clog2(Lists / BankRows),
    localparam int unsigned RowIndexBits = $clog2(Lists),
    localparam int unsigned IndexBits = RowWords > 1 ? $clog2(RowWords) : 1
) (
    input  logic                                  clk_i,
    input  logic                                  rst_ni,
    input  logic [      Slots-1:0]                add_i,
    input  logic [      Slots-1:0][ BankBits-1:0] bank_i,
    input  logic [      Slots-1:0][  RowBits-1:0] row_i,
    input  logic [      Slots-1:0][EntryBits-1:0] entry_i,
    input  logic                                  first_frame_i,
    input  logic [   ListBits-1:0]                list_i,         // of the frame's first row
    input  logic [      Banks-1:0]                first_i,        // 2 cycles after add_i
    output logic                                  some_o,         // any list has a word
    input  logic [RowIndexBits-1:0]               oldest_i,       // a row on the ring modulo Lists
    output logic                                  filled_o,       // it has words
    output logic [BankColumns-1:0][  IndexBits:0] counts_o,
    input  logic                                  take_i,
    input  logic                                  read_i,
    input  logic [RowIndexBits-1:0]               read_row_i,
    input  logic [   PickBits-1:0]                read_column_i,  // of banks
    input  logic [  IndexBits-1:0]                read_index_i,
    output logic [  EntryBits-1:0]                entry_o
);
  if (1 << $clog2(Lists) != Lists || Lists < 2 * BankRows || Slots < 1 || RowWords < 1) begin : g_bad
    $error("delta_lists: Lists must be a power of two, at least 2 * BankRows, Slots and RowWords at least 1");
  end

  localparam int unsigned RowShift = $clog2(BankRows);
  localparam int unsigned ListRows = Lists / BankRows;  // lists of a bank
  logic [Banks-1:0][ListRows-1:0][IndexBits:0] count_q;
  logic [Lists-1:0] filled_q;
  logic [Banks-1:0][EntryBits-1:0] read_q;
  logic [BankBits-1:0] read_bank_q;
  logic [RowIndexBits-1:0] taken_q;
  logic take_q;

  assign some_o = filled_q != 0;
  assign filled_o = filled_q[oldest_i];
  always_comb begin  // constant indices only: a variable one into these fields would be a multiplication
    counts_o = '0;
    for (int unsigned row = 0; row < Lists; row++) begin
      for (int unsigned b = 0; b < BankColumns; b++) begin
        if (oldest_i == RowIndexBits'(row)) counts_o[b] |= count_q[row%BankRows*BankColumns+b][row/BankRows];
      end
    end
  end
  always_comb begin
    entry_o = '0;
    for (int unsigned b = 0; b < Banks; b++) if (read_bank_q == BankBits'(b)) entry_o |= read_q[b];
  end

  // Stage 1: the slots. Stage 2: what each bank gets.
  logic [Slots-1:0] add_q;
  logic [Slots-1:0][BankBits-1:0] bank_q;
  logic [Slots-1:0][ListBits-1:0] list_q;
  logic [Slots-1:0][EntryBits-1:0] entry_q;
  logic first_frame_q;
  logic [Banks-1:0] touch;
  logic [Banks-1:0][ListBits-1:0] touch_list;

  always_ff @(posedge clk_i) begin
    add_q <= rst_ni ? add_i : '0;
    if (add_i != 0) begin
      bank_q <= bank_i;
      entry_q <= entry_i;
      first_frame_q <= first_frame_i;
      for (int unsigned s = 0; s < Slots; s++) list_q[s] <= list_i + ListBits'(row_i[s] >> RowShift);
    end
  end
  for (genvar b = 0; b < Banks; b++) begin : g_list
    logic [EntryBits-1:0] list[ListRows << IndexBits];
    logic [EntryBits-1:0] reached_entry, entry_q2;
    logic [ListBits-1:0] reached_list, list_q2;
    logic [IndexBits-1:0] count;
    logic reached, reached_q2;
    always_comb begin
      {reached, reached_list, reached_entry} = '0;
      if (add_q != 0) begin
        for (int unsigned s = 0; s < Slots; s++) begin
          if (add_q[s] && bank_q[s] == BankBits'(b)) begin
            reached = !first_frame_q;
            reached_list |= list_q[s];
            reached_entry |= entry_q[s];
          end
        end
      end
    end
    assign touch[b] = reached_q2 && first_i[b];
    assign touch_list[b] = list_q2;
    always_comb begin
      count = '0;
      for (int unsigned row = 0; row < ListRows; row++) begin
        if (list_q2 == ListBits'(row)) count |= IndexBits'(count_q[b][row]);
      end
    end
    always_ff @(posedge clk_i) begin
      reached_q2 <= reached;
      if (reached) {list_q2, entry_q2} <= {reached_list, reached_entry};
      if (touch[b]) list[{list_q2, count}] <= entry_q2;
      if (read_i) read_q[b] <= list[{read_row_i[RowShift+:ListBits], read_index_i}];
    end
  end
  always_ff @(posedge clk_i) begin
    if (take_i) taken_q <= oldest_i;
    if (read_i) read_bank_q <= BankBits'((32'(read_row_i) % BankRows) * BankColumns + 32'(read_column_i));
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
      filled_q <= '0;
      take_q <= 1'b0;
    end else begin
      take_q <= take_i;
      if (take_i) filled_q[oldest_i] <= 1'b0;
      if (take_q || touch != 0) begin
        for (int unsigned b = 0; b < Banks; b++) begin
          for (int unsigned row = 0; row < ListRows; row++) begin
            // Its counts have been read since the last cycle. No word can come at once: the row's list is not free yet.
            if (take_q && taken_q == RowIndexBits'(row * BankRows + b / BankColumns)) count_q[b][row] <= '0;
            if (touch[b] && touch_list[b] == ListBits'(row)) begin
              count_q[b][row] <= count_q[b][row] + 1'b1;
              filled_q[row*BankRows+b/BankColumns] <= 1'b1;
            end
          end
        end
      end
    end
  end
endmodule
