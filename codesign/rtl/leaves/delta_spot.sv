// SPDX-License-Identifier: Apache-2.0
// Function:   where the word {row, column, group} of a layer lies: bank = (row % BankRows) * BankColumns + column %
//             BankColumns; spot = its place in that bank, row by row, groups side by side
// Latency:    0 cycles
// Throughput: any
// Timing:     combinational: the bank is low bits, the spot two multiplications by constants and two additions
// Reset:      none
// Model:      rtl_tests.models.Layout.place
// BankRows x BankColumns neighbours lie in different banks. It holds no words: delta_banks does.
module delta_spot #(
    parameter int unsigned Rows = 1,
    parameter int unsigned Columns = 1,
    parameter int unsigned Groups = 1,  // words of one position
    parameter int unsigned BankRows = 2,  // power of two, at least 2
    parameter int unsigned BankColumns = 1,  // power of two
    parameter int unsigned RowBits = 1,
    parameter int unsigned ColumnBits = 1,
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1,
    localparam int unsigned RowWords = (Columns + BankColumns - 1) / BankColumns * Groups,  // of a row in a bank
    localparam int unsigned Words = (Rows + BankRows - 1) / BankRows * RowWords,  // of a bank
    localparam int unsigned BankBits = $clog2(BankRows * BankColumns),
    localparam int unsigned SpotBits = Words > 1 ? $clog2(Words) : 1
) (
    input  logic [   RowBits-1:0] row_i,
    input  logic [ColumnBits-1:0] column_i,
    input  logic [ GroupBits-1:0] group_i,
    output logic [  BankBits-1:0] bank_o,
    output logic [  SpotBits-1:0] spot_o
);
  localparam int unsigned RowShift = $clog2(BankRows);
  localparam int unsigned ColumnShift = $clog2(BankColumns);
  if (1 << RowShift != BankRows || 1 << ColumnShift != BankColumns || BankRows < 2 || Words < 1) begin : g_bad
    $error("delta_spot: BankRows and BankColumns must be powers of two, BankRows at least 2, no size 0");
  end

  assign bank_o = BankBits'((32'(row_i) % BankRows) * BankColumns + 32'(column_i) % BankColumns);
  assign spot_o = SpotBits'((32'(row_i) >> RowShift) * RowWords + (32'(column_i) >> ColumnShift) * Groups +
                            32'(group_i));
endmodule
