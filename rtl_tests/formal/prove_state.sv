// SPDX-License-Identifier: Apache-2.0
// delta_state: one word is watched, any one. An access adds its addend to what it is given, so that result_i depends on
// operand_o as in the leaves that use it, and on something free. What every access is given is the result of the one
// before it to the same word, however many cycles are between them (at least Distance), and however often it freezes.
module prove_state #(
    parameter int unsigned Words = 3,
    parameter int unsigned Width = 4,
    parameter int unsigned Distance = 1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic enable_i,
    input logic valid_i,
    input logic load_i,
    input logic [WordWidth-1:0] word_i,
    input logic [Width-1:0] initial_i,
    input logic [Width-1:0] addend_i,
    input logic [WordWidth-1:0] some_word_i
);
  logic [Width-1:0] operand, result;
  logic [WordWidth-1:0] word_q;  // the watched one

  assume_reset i_reset (.*);
  assign result = operand + addend_i;
  delta_state #(
      .Words   (Words),
      .Width   (Width),
      .Distance(Distance)
  ) dut (
      .clk_i,
      .rst_ni,
      .enable_i,
      .valid_i,
      .load_i,
      .word_i,
      .initial_i,
      .operand_o(operand),
      .result_i (result)
  );

  logic access;
  logic [3:1] access_q;  // to the watched word, 1 to 3 enabled cycles ago
  logic [1:1] load_q;
  logic load_q2;
  logic [Width-1:0] initial_q2, value_q, expected;
  logic known_q;  // it was loaded since the reset
  assign access   = valid_i && (Words == 1 || word_i == word_q);
  assign expected = load_q2 ? initial_q2 : value_q;

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) word_q <= some_word_i;
    m_watched : assume (!past_q || 32'(word_q) < Words);
    m_word : assume (32'(word_i) < Words);
    m_distance : assume (!access || (access_q & ~(3'b111 << (Distance - 1))) == '0);
    if (!rst_ni) begin
      access_q <= '0;
      known_q  <= 1'b0;
    end else begin
      if (enable_i) begin
        access_q <= {access_q[2:1], access};
        if (access) load_q[1] <= load_i;
        if (access_q[1]) {load_q2, initial_q2} <= {load_q[1], initial_i};
        if (access_q[2]) begin
          value_q <= result;
          known_q <= known_q || load_q2;
        end
      end
      a_operand : assert (!access_q[2] || !(known_q || load_q2) || operand == expected);
      i_apart : assert ((Distance < 2 || (access_q[2:1] & access_q[3:2]) == '0) &&
                        (Distance < 3 || !(access_q[1] && access_q[3])));
      c_chain : cover (known_q && access_q == '1 && access && !load_q2 && operand != 0);
      c_frozen : cover (known_q && access_q == '1 && !enable_i && operand != 0);
    end
  end

  // What ties the registers to the model, for the step of the induction.
  if (Words == 1) begin : g_register
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        i_pipeline : assert (dut.valid_q == access_q[1] && dut.valid_q2 == access_q[2]);
        i_load : assert (!access_q[1] || dut.load_q == load_q[1]);
        i_loaded : assert (!access_q[2] || (dut.g_register.load_q2 == load_q2 &&
                           (!load_q2 || dut.g_register.initial_q == initial_q2)));
        i_value : assert (!known_q || dut.g_register.value_q == value_q);
      end
    end
  end else begin : g_memory
    logic [3:1] here;
    logic [Width-1:0] found;  // by an access in stage 1: the word that was read, or the result 3 accesses before
    assign found   = dut.g_memory.match_3_q ? dut.g_memory.written_q : dut.g_memory.read_q;
    assign here[1] = dut.valid_q && dut.g_memory.word_q == word_q;
    assign here[2] = dut.valid_q2 && dut.g_memory.word_q2 == word_q;
    assign here[3] = dut.g_memory.valid_q3 && dut.g_memory.word_q3 == word_q;
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        i_pipeline : assert (here == access_q);
        i_load : assert (!access_q[1] || dut.load_q == load_q[1]);
        i_loaded : assert (!access_q[2] || (dut.g_memory.load_q2 == load_q2 &&
                           (!load_q2 || dut.g_memory.initial_q == initial_q2)));
        i_result : assert (!known_q || !access_q[3] || dut.g_memory.result_q == value_q);
        i_memory : assert (!known_q || access_q[3] || dut.g_memory.memory[word_q] == value_q);
        i_match : assert (!access_q[1] || dut.g_memory.match_2_q == (Distance <= 2 && access_q[3]));
        i_read : assert (!known_q || !access_q[1] || access_q[2] || access_q[3] || found == value_q);
      end
    end
  end
endmodule
