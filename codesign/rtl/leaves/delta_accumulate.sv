// SPDX-License-Identifier: Apache-2.0
// Function:   Banks memories of Words words side by side: word (bank, word) += addend, lane by lane; a word of another
//             bank is read in the same cycle; set_i sets a word of all banks to one value
// Latency:    data_o 2 cycles after read_i; addend_i and set_value_i are taken 2 cycles after add_i and set_i
// Throughput: 1 addition and 1 reading a cycle; an addition sees all before it, also that of the previous cycle
// Timing:     addend_i is added to a multiplexer of registers; data_o is one of the banks' registers, fed by the
//             memories directly
// Reset:      no addition in flight; the memories are not cleared: use set_i
// Model:      rtl_tests.bench_accumulate.Accesses
// A reading must be 4 cycles or more after the last addition to its word. All banks share one adder, which costs two
// multiplexers per bit with Banks inputs each. If one access per cycle reads and writes a word, use delta_state.
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
    input  logic                 read_i,
    input  logic [BankWidth-1:0] read_bank_i,  // not add_bank_i
    input  logic [WordWidth-1:0] read_word_i,
    output logic [    Width-1:0] data_o
);
  if (Banks < 1 || Words < 1 || Lanes < 1 || AccWidth < 1) begin : g_bad
    $error("delta_accumulate: Banks, Words, Lanes and AccWidth must be at least 1");
  end

  // Stage 1: words read. 2: operand. 3: result. Forwarding covers every addition that meets an earlier one. A stage
  // without an access keeps its data.
  logic [Banks-1:0][Width-1:0] read_q, read_q2;
  logic [Width-1:0] result_q, written_q, forward_q;
  logic [WordWidth-1:0] word, word_q, word_q2, word_q3;
  logic [BankWidth-1:0] bank_q, bank_q2, bank_q3, read_bank_q, read_bank_q2;
  logic add_q, add_q2, add_q3, set_q, set_q2, set_q3, look_q, look_q2;
  logic match_1_q, match_2_q, match_3_q;  // same word as the access 1, 2, 3 cycles before
  logic forwarded_q;  // match_2 or match_3, with forward_q

  assign word = set_i ? set_word_i : add_word_i;

  function automatic logic [Width-1:0] of_bank(input logic [BankWidth-1:0] bank);
    of_bank = '0;  // constant indices: a variable one would be a multiplication
    for (int unsigned b = 0; b < Banks; b++) if (Banks == 1 || bank == BankWidth'(b)) of_bank |= read_q2[b];
  endfunction
  function automatic logic [Width-1:0] sum(input logic [Width-1:0] one, input logic [Width-1:0] other);
    for (int unsigned i = 0; i < Lanes; i++) begin
      sum[i*AccWidth+:AccWidth] = one[i*AccWidth+:AccWidth] + other[i*AccWidth+:AccWidth];
    end
  endfunction

  always_comb data_o = Banks == 1 || look_q2 ? of_bank(read_bank_q2) : '0;

  for (genvar b = 0; b < Banks; b++) begin : g_bank
    // Above 16 words distributed RAM costs too much (6 LUTs per 16x4 bits): use block RAM.
    (* no_rw_check, ram_style = Words > 16 ? "block" : "auto" *) logic [Width-1:0] memory[Words];
    logic add_here, add_here_q, read_here, read_here_q;
    assign add_here = add_i && add_bank_i == BankWidth'(b);
    assign add_here_q = add_q && bank_q == BankWidth'(b);
    assign read_here = read_i && read_bank_i == BankWidth'(b);
    assign read_here_q = look_q && read_bank_q == BankWidth'(b);
    always_ff @(posedge clk_i) begin
      if (set_q3 || (add_q3 && bank_q3 == BankWidth'(b))) memory[word_q3] <= result_q;
      if (add_here || read_here) read_q[b] <= memory[add_here ? add_word_i : read_word_i];
      if (add_here_q || read_here_q) read_q2[b] <= read_q[b];
    end
  end

  always_ff @(posedge clk_i) begin
    {read_bank_q2, read_bank_q} <= {read_bank_q, read_bank_i};
    if (add_i || set_i) begin
      {word_q, bank_q} <= {word, add_bank_i};
      match_2_q <= (set_q2 || (add_q2 && add_bank_i == bank_q2)) && add_word_i == word_q2;
      match_3_q <= (set_q3 || (add_q3 && add_bank_i == bank_q3)) && add_word_i == word_q3;
    end
    if (add_q || set_q) begin
      {word_q2, bank_q2} <= {word_q, bank_q};
      match_1_q <= (set_q2 || (add_q2 && bank_q == bank_q2)) && word_q == word_q2;
      forward_q <= match_2_q ? result_q : written_q;
      forwarded_q <= match_2_q || match_3_q;
    end
    if (add_q2 || set_q2) {word_q3, bank_q3} <= {word_q2, bank_q2};
    if (set_q2) result_q <= set_value_i;  // a synchronous set of the flip-flop, where it is a constant
    else if (add_q2) result_q <= sum(match_1_q ? result_q : forwarded_q ? forward_q : of_bank(bank_q2), addend_i);
    if (add_q3 || set_q3) written_q <= result_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {add_q3, add_q2, add_q} <= '0;
      {set_q3, set_q2, set_q} <= '0;
      {look_q2, look_q} <= '0;
    end else begin
      {add_q3, add_q2, add_q} <= {add_q2, add_q, add_i};
      {set_q3, set_q2, set_q} <= {set_q2, set_q, set_i};
      {look_q2, look_q} <= {look_q, read_i};
    end
  end
endmodule
