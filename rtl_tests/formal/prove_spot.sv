// SPDX-License-Identifier: Apache-2.0
// delta_spot: two words never have the same place, and neighbours of BankRows x BankColumns are in different banks.
module prove_spot #(
    parameter int unsigned Rows = 5,
    parameter int unsigned Columns = 7,
    parameter int unsigned Groups = 3,
    parameter int unsigned BankRows = 4,
    parameter int unsigned BankColumns = 2,
    localparam int unsigned RowBits = $clog2(Rows + 1),
    localparam int unsigned ColumnBits = $clog2(Columns + 1),
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1,
    localparam int unsigned Words = (Rows + BankRows - 1) / BankRows *
                                    ((Columns + BankColumns - 1) / BankColumns * Groups),
    localparam int unsigned BankBits = $clog2(BankRows * BankColumns),
    localparam int unsigned SpotBits = Words > 1 ? $clog2(Words) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [1:0][RowBits-1:0] row_i,
    input logic [1:0][ColumnBits-1:0] column_i,
    input logic [1:0][GroupBits-1:0] group_i
);
  logic [1:0][BankBits-1:0] bank;
  logic [1:0][SpotBits-1:0] spot;
  for (genvar i = 0; i < 2; i++) begin : g_word
    delta_spot #(
        .Rows       (Rows),
        .Columns    (Columns),
        .Groups     (Groups),
        .BankRows   (BankRows),
        .BankColumns(BankColumns),
        .RowBits    (RowBits),
        .ColumnBits (ColumnBits)
    ) dut (
        .row_i   (row_i[i]),
        .column_i(column_i[i]),
        .group_i (group_i[i]),
        .bank_o  (bank[i]),
        .spot_o  (spot[i])
    );
    always_ff @(posedge clk_i) begin
      m_place : assume (32'(row_i[i]) < Rows && 32'(column_i[i]) < Columns && 32'(group_i[i]) < Groups);
      a_inside : assert (32'(bank[i]) < BankRows * BankColumns && 32'(spot[i]) < Words);
    end
  end
  logic same, near;
  assign same = row_i[0] == row_i[1] && column_i[0] == column_i[1];
  assign near = 32'(row_i[1]) - 32'(row_i[0]) < BankRows && 32'(column_i[1]) - 32'(column_i[0]) < BankColumns;
  always_ff @(posedge clk_i) begin
    a_one_each : assert (bank[0] != bank[1] || spot[0] != spot[1] || (same && group_i[0] == group_i[1]));
    a_neighbours : assert (!near || same || bank[0] != bank[1]);
    c_near : cover (near && !same && rst_ni);
  end
endmodule
