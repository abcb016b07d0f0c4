// SPDX-License-Identifier: Apache-2.0
// Function:   Banks memories of Words words side by side: word (bank, word) += addend, lane by lane; a word of another
//             bank is read in the same cycle; set_i gives a word of all banks one value
// Latency:    data_o 2 cycles after read_bank_i; addend_i and set_value_i are taken 2 cycles after add_i and set_i
// Throughput: 1 addition and 1 reading a cycle; an addition sees all before it, also that of the previous cycle
// Timing:     addend_i is added to registers behind a multiplexer; data_o is one of the banks' registers, right behind
//             the memories
// Reset:      no addition in flight; the memories are not cleared: use set_i
// Model:      a list a bank
// A reading must be 4 cycles or more behind the last addition to its word. One adder for all banks: it costs the adder
// and two multiplexers a bit, and Banks inputs more. Words that only one access a cycle reads and writes: delta_state.
module delta_accumulate #(
    parameter int unsigned Banks = 2,
    parameter int unsigned Words = 1,  // of a bank
    parameter int unsigned Lanes = 1,
    parameter int unsigned AccWidth = 24,
    localparam int unsigned BankWidth = Banks > 1 ? $clog2(Banks) : 1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned Width = Lanes * AccWidth
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 add_i,
    input  logic [BankWidth-1:0] add_bank_i,
    input  logic [WordWidth-1:0] add_word_i,
    input  logic [    Width-1:0] addend_i,
    input  logic                 set_i,        // not in the cycle of add_i
    input  logic [WordWidth-1:0] set_word_i,
    input  logic [    Width-1:0] set_value_i,
    input  logic [BankWidth-1:0] read_bank_i,  // not add_bank_i
    input  logic [WordWidth-1:0] read_word_i,
    output logic [    Width-1:0] data_o
);
  if (Banks < 1 || Words < 1 || Lanes < 1 || AccWidth < 1) begin : g_bad
    $error("delta_accumulate: Banks, Words, Lanes and AccWidth must be at least 1");
  end

  // Stages: _q words read, _qq operand, _qqq result. Forwarding covers every addition that meets an earlier one.
  logic [Banks-1:0][Width-1:0] read_q, read_qq;
  logic [Width-1:0] added, asked, operand, sum, result_q, written_q, forward_q;
  logic [WordWidth-1:0] word, word_q, word_qq, word_qqq;
  logic [BankWidth-1:0] bank_q, bank_qq, bank_qqq, read_bank_q, read_bank_qq;
  logic add_q, add_qq, add_qqq, set_q, set_qq, set_qqq;
  logic behind_1_q, behind_2_q, behind_3_q;  // distance to an access to the same word
  logic forwarded_q;  // behind_2 or behind_3, with forward_q

  assign word = set_i ? set_word_i : add_word_i;
  assign operand = behind_1_q ? result_q : forwarded_q ? forward_q : added;
  assign data_o = asked;

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    assign sum[lane*AccWidth+:AccWidth] = operand[lane*AccWidth+:AccWidth] + addend_i[lane*AccWidth+:AccWidth];
  end

  always_comb begin  // constant indices: a variable one would be a multiplication
    {added, asked} = '0;
    for (int unsigned b = 0; b < Banks; b++) begin
      if (bank_qq == BankWidth'(b)) added |= read_qq[b];
      if (read_bank_qq == BankWidth'(b)) asked |= read_qq[b];
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : g_bank
    // More than 16 words are dear in distributed RAM: six look-up tables for 16 words of 4 bits.
    (* no_rw_check, ram_style = Words > 16 ? "block" : "auto" *) logic [Width-1:0] memory[Words];
    always_ff @(posedge clk_i) begin
      if (set_qqq || (add_qqq && bank_qqq == BankWidth'(b))) memory[word_qqq] <= result_q;
      read_q[b] <= memory[add_i && add_bank_i == BankWidth'(b) ? add_word_i : read_word_i];
    end
  end

  always_ff @(posedge clk_i) begin
    read_qq <= read_q;
    forward_q <= behind_2_q ? result_q : written_q;
    forwarded_q <= behind_2_q || behind_3_q;
    result_q <= set_qq ? set_value_i : sum;
    written_q <= result_q;
    {word_qqq, word_qq, word_q} <= {word_qq, word_q, word};
    {bank_qqq, bank_qq, bank_q} <= {bank_qq, bank_q, add_bank_i};
    {read_bank_qq, read_bank_q} <= {read_bank_q, read_bank_i};
    behind_1_q <= (set_qq || (add_qq && bank_q == bank_qq)) && word_q == word_qq;
    behind_2_q <= (set_qq || (add_qq && add_bank_i == bank_qq)) && add_word_i == word_qq;
    behind_3_q <= (set_qqq || (add_qqq && add_bank_i == bank_qqq)) && add_word_i == word_qqq;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {add_qqq, add_qq, add_q} <= '0;
      {set_qqq, set_qq, set_q} <= '0;
    end else begin
      {add_qqq, add_qq, add_q} <= {add_qq, add_q, add_i};
      {set_qqq, set_qq, set_q} <= {set_qq, set_q, set_i};
    end
  end
endmodule
