// SPDX-License-Identifier: Apache-2.0
// Function:   read-modify-write memory: operand_o = value of word_i (or initial_i if load_i), then value = result_i
// Latency:    operand_o 2 enabled cycles after an access (valid_i); initial_i is taken 1 enabled cycle after it
// Throughput: 1 access a cycle; an access sees the results of all before it, also of the one in the previous cycle
// Timing:     result_i is registered; operand_o is a multiplexer of registers, one of them fed by the memory directly
// Reset:      no access in flight; the memory is not cleared: use load_i for the first access of a word
// Model:      rtl_tests.bench_state.Accesses
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

  logic valid_q, valid_q2, load_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_q2, valid_q} <= '0;
    else if (enable_i) {valid_q2, valid_q} <= {valid_q, valid_i};
  end
  always_ff @(posedge clk_i) if (enable_i && valid_i) load_q <= load_i;

  if (Words == 1) begin : g_register
    logic [Width-1:0] initial_q, value_q;
    logic load_q2;
    assign operand_o = load_q2 ? initial_q : value_q;
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        if (valid_q) {load_q2, initial_q} <= {load_q, initial_i};
        if (valid_q2) value_q <= result_i;
      end
    end
  end else begin : g_memory
    // Stage 1: word read. 2: operand. 3: result. Forwarding covers every collision of the read with the write, so the
    // memory may return anything on one. Above 16 words distributed RAM costs too much (6 LUTs per 16x4 bits): use
    // block RAM.
    (* no_rw_check, ram_style = Words > 16 && Width > 8 ? "block" : "auto" *) logic [Width-1:0] memory[Words];
    logic [Width-1:0] read_q, read_q2, initial_q, forward_q, result_q, written_q;
    logic [WordWidth-1:0] word_q, word_q2, word_q3;
    logic valid_q3;
    logic match_1_q, match_2_q, match_3_q;  // same word as the access 1, 2, 3 cycles before
    logic load_q2, forwarded_q;  // forwarded: match_2 or match_3, with forward_q

    assign operand_o = load_q2 ? initial_q : match_1_q ? result_q : forwarded_q ? forward_q : read_q2;

    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        if (valid_i) begin
          read_q <= memory[word_i];
          word_q <= word_i;
          match_2_q <= Distance <= 2 && valid_q2 && word_i == word_q2;
          match_3_q <= Distance <= 3 && valid_q3 && word_i == word_q3;
        end
        if (valid_q) begin
          read_q2 <= read_q;
          word_q2 <= word_q;
          {load_q2, initial_q} <= {load_q, initial_i};
          match_1_q <= Distance <= 1 && valid_q2 && word_q == word_q2;
          forward_q <= match_2_q ? result_q : written_q;
          forwarded_q <= match_2_q || match_3_q;
        end
        if (valid_q2) begin
          result_q <= result_i;
          word_q3  <= word_q2;
        end
        if (valid_q3) begin
          memory[word_q3] <= result_q;
          written_q <= result_q;
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) valid_q3 <= 1'b0;
      else if (enable_i) valid_q3 <= valid_q2;
    end
  end
endmodule
