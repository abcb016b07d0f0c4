// SPDX-License-Identifier: Apache-2.0
// core_gather: the model puts the parts of a word together as they are taken; the word enters with its last part.
module prove_core_gather
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic end_i,
    input logic [IndexBits-1:0] word_i,
    input logic last_part_i,
    input logic [Quantisers-1:0] mask_i,
    input logic [Quantisers-1:0][DeltaBits-1:0] deltas_i,
    input logic ready_i,
    input logic mark_i
);
  typedef struct packed {
    logic end_of_pass;
    logic [IndexBits-1:0] word;
    logic [Lanes-1:0] mask;
    logic [Lanes-1:0][DeltaBits-1:0] deltas;
  } token_t;
  logic ready, valid, take, marked, enter;
  token_t token, shown, value, whole;

  assume_reset i_reset (.*);
  core_gather dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o (ready),
      .end_i,
      .word_i,
      .last_part_i,
      .mask_i,
      .deltas_i,
      .valid_o (valid),
      .ready_i,
      .end_o   (token.end_of_pass),
      .word_o  (token.word),
      .mask_o  (token.mask),
      .deltas_o(token.deltas)
  );
  assign take = valid_i && ready;

  // The parts of the word that are here, the lanes of later ones are 0.
  logic [3:0] parts_q;
  logic [Lanes-1:0] mask_q, mask;
  logic [Lanes-1:0][DeltaBits-1:0] deltas_q, deltas;
  always_comb begin
    {mask, deltas} = parts_q == 0 ? '0 : {mask_q, deltas_q};
    for (int unsigned i = 0; i < Quantisers; i++) begin
      for (int unsigned p = 0; p < MostParts; p++) begin
        if (32'(parts_q) == p) {mask[p*Quantisers+i], deltas[p*Quantisers+i]} = {mask_i[i], deltas_i[i]};
      end
    end
  end
  assign enter = take && (end_i || (last_part_i && mask != '0));
  assign whole = end_i ? {1'b1, ($bits(token_t) - 1)'(0)} : {1'b0, word_i, mask, deltas};
  assign shown = token.end_of_pass ? '{end_of_pass: 1'b1, mask: token.mask, default: '0} : token;

  check_stream #(
      .Width($bits(token_t)),
      .Most (1)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (enter),
      .before_i    ('0),
      .enter_data_i(whole),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (shown),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (marked),
      .value_o     (value)
  );

  always_ff @(posedge clk_i) begin
    m_parts : assume (!end_i || parts_q == 0);
    m_most : assume (32'(parts_q) != MostParts - 1 || end_i || last_part_i);
    if (!rst_ni) parts_q <= '0;
    else begin
      if (take) begin
        parts_q <= end_i || last_part_i ? '0 : parts_q + 1'b1;
        {mask_q, deltas_q} <= {mask, deltas};
      end
      a_room : assert (ready == (ready_i || !valid));
      i_parts : assert (dut.part_q == parts_q && 32'(parts_q) < MostParts && (parts_q == 0 || !valid));
      i_word : assert (parts_q == 0 || (token.mask == mask_q && token.deltas == deltas_q &&
                       dut.changed_q == (mask_q != '0) &&
                       mask_q >> (32'(parts_q) * Quantisers) == '0));
      i_inside : assert ((i_stream.inside_o != 0) == valid && (!marked || i_stream.ahead_o == '0));
      i_marked : assert (!marked || shown == value);
      c_last : cover (enter && 32'(parts_q) == MostParts - 1 && mask_q != mask);
    end
  end
endmodule
