// SPDX-License-Identifier: Apache-2.0
// delta_accumulate: one word is watched, any one. Its model adds at once what the leaf adds in a pipeline: what is read
// is the model, for every pattern of accesses, also of additions to the same word in consecutive cycles.
module prove_accumulate #(
    parameter int unsigned Banks = 2,
    parameter int unsigned Words = 3,
    parameter int unsigned Lanes = 1,
    parameter int unsigned AccWidth = 4,
    localparam int unsigned BankWidth = Banks > 1 ? $clog2(Banks) : 1,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned Width = Lanes * AccWidth
) (
    input logic clk_i,
    input logic rst_ni,
    input logic add_i,
    input logic [BankWidth-1:0] add_bank_i,
    input logic [WordWidth-1:0] add_word_i,
    input logic [Lanes-1:0][AccWidth-1:0] addend_i,
    input logic set_i,
    input logic [WordWidth-1:0] set_word_i,
    input logic [Width-1:0] set_value_i,
    input logic read_i,
    input logic [BankWidth-1:0] read_bank_i,
    input logic [WordWidth-1:0] read_word_i,
    input logic [BankWidth-1:0] some_bank_i,
    input logic [WordWidth-1:0] some_word_i
);
  logic [Width-1:0] data;
  logic [BankWidth-1:0] bank_q;  // of the watched word: what it is in the first cycle
  logic [WordWidth-1:0] word_q;

  assume_reset i_reset (.*);
  delta_accumulate #(
      .Banks   (Banks),
      .Words   (Words),
      .Lanes   (Lanes),
      .AccWidth(AccWidth)
  ) dut (
      .clk_i,
      .rst_ni,
      .add_i,
      .add_bank_i,
      .add_word_i,
      .addend_i,
      .set_i,
      .set_word_i,
      .set_value_i,
      .read_i,
      .read_bank_i,
      .read_word_i,
      .data_o(data)
  );

  logic add, set, look;  // of the watched word
  logic [3:1] add_q, set_q;  // the same, 1 to 3 cycles ago
  logic [2:1] look_q;
  logic known_q;  // it was set since the reset, else its value is not known
  logic [Lanes-1:0][AccWidth-1:0] value_q, look_value_q, look_value_q2;
  assign add  = add_i && add_bank_i == bank_q && add_word_i == word_q;
  assign set  = set_i && set_word_i == word_q;
  assign look = read_i && read_bank_i == bank_q && read_word_i == word_q;

  logic [Banks-1:0][Width-1:0] words;
  logic [Width-1:0] stored;
  for (genvar b = 0; b < Banks; b++) begin : g_word
    assign words[b] = dut.g_bank[b].memory[word_q];
  end
  assign stored = words[bank_q];

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) {bank_q, word_q} <= {some_bank_i, some_word_i};
    m_watched : assume (!past_q || (32'(bank_q) < Banks && 32'(word_q) < Words));
    m_one_access : assume (!(add_i && set_i));
    m_places : assume (32'(add_bank_i) < Banks && 32'(add_word_i) < Words && 32'(set_word_i) < Words &&
                       32'(read_bank_i) < Banks && 32'(read_word_i) < Words);
    m_other_bank : assume (!(add_i && read_i) || read_bank_i != add_bank_i);
    m_reading : assume (!look || (!add && !set && add_q == '0 && set_q == '0));

    look_value_q2 <= look_value_q;
    look_value_q  <= value_q;
    if (!rst_ni) begin
      {add_q, set_q, look_q} <= '0;
      known_q <= 1'b0;
    end else begin
      add_q  <= {add_q[2:1], add};
      set_q  <= {set_q[2:1], set};
      look_q <= {look_q[1], look};
      if (set_q[2]) {known_q, value_q} <= {1'b1, set_value_i};
      else if (add_q[2]) begin
        for (int unsigned i = 0; i < Lanes; i++) value_q[i] <= value_q[i] + addend_i[i];
      end
      a_read : assert (!known_q || !look_q[2] || data == look_value_q2);
      a_sum : assert (!known_q || !(add_q[3] || set_q[3]) || dut.result_q == value_q);
      i_memory : assert (!known_q || add_q[3] || set_q[3] || stored == value_q);
      i_pipeline : assert (add_q[1] == (dut.add_q && dut.bank_q == bank_q && dut.word_q == word_q) &&
                           set_q[1] == (dut.set_q && dut.word_q == word_q));
      c_chain : cover (known_q && add_q == '1 && add && value_q != 0 && data != 0);
      c_read : cover (known_q && look_q[2] && data != 0);
    end
  end
endmodule
