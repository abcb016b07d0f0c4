// SPDX-License-Identifier: Apache-2.0
// Function:   the memory of codes: codes_o are the codes of row code_base + word_i * parts + part_i, SendRead enabled
//             cycles after the part; SendStages after it, codes_i replace them if row_i
// Latency:    SendRead enabled cycles
// Throughput: 1 row a cycle
// Timing:     registers at codes_o; combinational enable_i -> read enables of the block RAM
// Reset:      none (data path only); the memory keeps what it holds
// Model:      rtl_tests.bench_core_codes.Codes
// No row is taken twice in a pass, so that reads and writes need no order; a pass has left before the next one begins.
module core_codes
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned BankRows = 2048  // of 8 or 9 bits are a block RAM, with no other one to choose from
) (
    input  logic                           clk_i,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                          step_i,    // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic                           enable_i,  // the stages of core_send move
    input  logic  [         IndexBits-1:0] word_i,
    input  logic  [                   3:0] part_i,
    output logic  [Quantisers*CodeBits-1:0] codes_o,
    input  logic                           row_i,     // codes_i are the new ones of a row; again while nothing moves
    input  logic  [Quantisers*CodeBits-1:0] codes_i
);
  localparam int unsigned AddressBits = CodeDepth > 1 ? $clog2(CodeDepth) : 1;
  localparam int unsigned Banks = (CodeDepth + BankRows - 1) / BankRows;
  localparam int unsigned BankBits = Banks > 1 ? $clog2(Banks) : 1;

  if (2 ** $clog2(BankRows) != BankRows) begin : g_bad
    $error("core_codes: BankRows must be a power of two");
  end

  // Stage 1: the row from the start of the node's. 2: memory.
  logic [IndexBits-1:0] row_q, part_q;
  // verilator lint_off UNUSEDSIGNAL
  logic [IndexBits-1:0] row;  // below CodeDepth
  // verilator lint_on UNUSEDSIGNAL
  logic [SendStages:2][AddressBits-1:0] address_q;
  assign row = row_q + part_q;
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      row_q <= rows_of(word_i, step_i.parts);
      part_q <= step_i.code_base + IndexBits'(part_i);
      address_q <= {address_q[SendStages-1:2], AddressBits'(row)};
    end
  end

  // Every bank has a register right behind its block RAM, which is slow: stage 3. 4: the bank of the row.
  logic [Banks-1:0][Quantisers*CodeBits-1:0] banks_q3;
  logic [Quantisers*CodeBits-1:0] codes_q4;
  logic [BankBits-1:0] bank_q3, written;
  if (Banks > 1) begin : g_banks
    assign {bank_q3, written} = {
      address_q[3][AddressBits-1-:BankBits], address_q[SendStages][AddressBits-1-:BankBits]
    };
  end else begin : g_one
    assign {bank_q3, written} = '0;
  end
  for (genvar b = 0; b < Banks; b++) begin : g_bank
    localparam int unsigned Rows = CodeDepth - b * BankRows > BankRows ? BankRows : CodeDepth - b * BankRows;
    localparam int unsigned RowBits = Rows > 1 ? $clog2(Rows) : 1;
    (* no_rw_check, ram_style = "block" *) logic [Quantisers*CodeBits-1:0] codes[Rows];
    logic [Quantisers*CodeBits-1:0] codes_q2;
    always_ff @(posedge clk_i) begin
      if (row_i && written == BankBits'(b)) codes[address_q[SendStages][RowBits-1:0]] <= codes_i;
      if (enable_i) {codes_q2, banks_q3[b]} <= {codes[row[RowBits-1:0]], codes_q2};
    end
  end
  always_ff @(posedge clk_i) if (enable_i) {codes_q4, codes_o} <= {banks_q3[bank_q3], codes_q4};
endmodule
