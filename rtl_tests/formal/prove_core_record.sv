// SPDX-License-Identifier: Apache-2.0
// core_record is its formula, with products. The model has the words of the four stages.
module prove_core_record
  import core_pkg::*;
  import core_types::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic enable_i,
    input logic [IndexBits-1:0] code_base_i,
    input logic [3:0] parts_i,
    input logic [MemoryAddressBits-1:0] origin_i,
    input logic [IndexBits-1:0] word_i
);
  step_t step;
  logic outside;
  logic [MemoryAddressBits-1:0] address;
  always_comb begin
    step = '0;
    {step.code_base, step.parts} = {code_base_i, parts_i};
  end
  assume_reset i_reset (.*);
  core_record dut (
      .clk_i,
      .enable_i,
      .step_i   (step),
      .origin_i,
      .word_i,
      .outside_o(outside),
      .address_o(address)
  );

  logic [4:1] full_q;
  logic [4:1][IndexBits-1:0] word_q;
  logic [IndexBits-1:0] code_base_q;
  logic [3:0] parts_q;
  logic [MemoryAddressBits-1:0] origin_q;
  function automatic logic [31:0] first_of(input logic [IndexBits-1:0] word);  // row of a word
    first_of = 32'(code_base_q) + 32'(word) * 32'(parts_q);
  endfunction
  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    {code_base_q, parts_q, origin_q} <= {code_base_i, parts_i, origin_i};
    m_step : assume (!past_q || (code_base_i == code_base_q && parts_i == parts_q && origin_i == origin_q));
    m_parts : assume (parts_i != 0 && 32'(parts_i) <= MostParts);
    m_word : assume (!past_q || first_of(word_i) + 32'(parts_i) <= 2 ** IndexBits);
    if (!rst_ni) full_q <= '0;
    else begin
      if (enable_i) {full_q, word_q} <= {full_q[3:1], 1'b1, word_q[3:1], word_i};

      a_outside : assert (!full_q[4] || outside == (first_of(word_q[4]) + 32'(parts_q) > CodeDepth));
      a_address : assert (!full_q[4] || address == origin_q + MemoryAddressBits'(first_of(word_q[4]) * RowBeats));
      i_past : assert (32'(dut.past_q) == 32'(code_base_q) + 32'(parts_q));
      i_1 : assert (!full_q[1] || 32'(dut.rows_q) == 32'(word_q[1]) * 32'(parts_q));
      i_2 : assert (!full_q[2] || (32'(dut.first_q2) == first_of(word_q[2]) &&
                    32'(dut.past_q2) == first_of(word_q[2]) + 32'(parts_q)));
      i_3 : assert (!full_q[3] || (dut.outside_q3 == (first_of(word_q[3]) + 32'(parts_q) > CodeDepth) &&
                    dut.beats_q3 == MemoryAddressBits'(first_of(word_q[3]) * RowBeats)));
      i_words : assert ((!full_q[1] || first_of(word_q[1]) + 32'(parts_q) <= 2 ** IndexBits) &&
                        (!full_q[2] || first_of(word_q[2]) + 32'(parts_q) <= 2 ** IndexBits));
      c_outside : cover (full_q[4] && !enable_i && outside && 32'(parts_q) == MostParts && address != origin_q);
      c_inside : cover (full_q[4] && !outside && word_q[4] != 0);
    end
  end
endmodule
