// SPDX-License-Identifier: Apache-2.0
// Function:   read-modify-write memory: operand_o = value of word_i (or initial_i if load_i), then value = result_i
// Latency:    operand_o 2 enabled cycles after word_i; initial_i is taken 1 enabled cycle after word_i
// Throughput: 1 access a cycle; an access sees the results of all before it, also of the one in the previous cycle
// Timing:     result_i is registered; operand_o is a multiplexer of registers, one of them right behind the memory
// Reset:      no access in flight; the memory is not cleared: use load_i for the first access of a word
// Model:      a list, read then written
// Distance = fewest cycles between two accesses of one word: 1 forwards always, 4 and more removes the forwarding and
// its multiplexers. One word alone is a register.
module delta_state #(
    parameter int unsigned Words = 1,
    parameter int unsigned Width = 1,
    parameter int unsigned Distance = 1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 enable_i,
    input  logic                 valid_i,
    input  logic                 load_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [WordWidth-1:0] word_i,  // there may be only one
    // verilator lint_on UNUSEDSIGNAL
    input  logic [    Width-1:0] initial_i,
    output logic [    Width-1:0] operand_o,
    input  logic [    Width-1:0] result_i
);
  if (Words < 1 || Width < 1 || Distance < 1) begin : g_bad
    $error("delta_state: Words, Width and Distance must be at least 1");
  end

  logic valid_q, valid_qq, load_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_qq, valid_q} <= '0;
    else if (enable_i) {valid_qq, valid_q} <= {valid_q, valid_i};
  end
  always_ff @(posedge clk_i) if (enable_i) load_q <= load_i;

  if (Words == 1) begin : g_register
    logic [Width-1:0] initial_q, value_q;
    logic load_qq;
    assign operand_o = load_qq ? initial_q : value_q;
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        initial_q <= initial_i;
        load_qq <= load_q;
        if (valid_qq) value_q <= result_i;
      end
    end
  end else begin : g_memory
    // Stages: _q read data, _qq operand, _qqq result. Forwarding covers every collision of the read with the write, so
    // the memory may return anything on one. More than 16 words are dear in distributed RAM: six look-up tables for 16
    // words of 4 bits.
    (* no_rw_check, ram_style = Words > 16 && Width > 8 ? "block" : "auto" *) logic [Width-1:0] memory[Words];
    logic [Width-1:0] read_q, read_qq, initial_q, forward_q, result_q, written_q;
    logic [WordWidth-1:0] word_q, word_qq, word_qqq;
    logic valid_qqq;
    logic behind_1_q, behind_2_q, behind_3_q;  // distance to an access of the same word
    logic load_qq, forwarded_q;  // forwarded: behind_2 or behind_3, with forward_q

    assign operand_o = load_qq ? initial_q : behind_1_q ? result_q : forwarded_q ? forward_q : read_qq;

    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        if (valid_qqq) memory[word_qqq] <= result_q;
        read_q <= memory[word_i];
        read_qq <= read_q;
        initial_q <= initial_i;
        load_qq <= load_q;
        forward_q <= behind_2_q ? result_q : written_q;
        forwarded_q <= behind_2_q || behind_3_q;
        result_q <= result_i;
        written_q <= result_q;
        {word_qqq, word_qq, word_q} <= {word_qq, word_q, word_i};
        behind_1_q <= Distance <= 1 && valid_qq && word_q == word_qq;
        behind_2_q <= Distance <= 2 && valid_qq && word_i == word_qq;
        behind_3_q <= Distance <= 3 && valid_qqq && word_i == word_qqq;
      end
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_qqq <= 1'b0;
      else if (enable_i) valid_qqq <= valid_qq;
    end
  end
endmodule
