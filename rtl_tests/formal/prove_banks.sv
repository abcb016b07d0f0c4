// SPDX-License-Identifier: Apache-2.0
// delta_banks: one word is watched, any one: its sum, and whether it was added to since it was read. Biases are
// anything.
module prove_banks #(
    parameter int unsigned Banks = 2,
    parameter int unsigned Words = 2,
    parameter int unsigned Slots = 1,
    parameter int unsigned Groups = 1,
    localparam int unsigned BankBits = Banks > 1 ? $clog2(Banks) : 1,
    localparam int unsigned SpotBits = Words > 1 ? $clog2(Words) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,
    input logic [Slots-1:0] add_i,
    input logic [Slots-1:0][BankBits-1:0] bank_i,
    input logic [Slots-1:0][SpotBits-1:0] spot_i,
    input logic [Slots-1:0][3:0] addend_i,
    input logic ask_i,
    input logic read_i,
    input logic [BankBits-1:0] read_bank_i,
    input logic [SpotBits-1:0] read_spot_i,
    input logic [BankBits-1:0] some_bank_i,
    input logic [SpotBits-1:0] some_spot_i
);
  logic swept;
  logic [Banks-1:0] first, busy;
  logic [3:0] data, bias;
  assume_reset i_reset (.*);
  delta_banks #(
      .Banks   (Banks),
      .Words   (Words),
      .Slots   (Slots),
      .AccWidth(4),
      .Groups  (Groups),
      .BiasFile("biases.hex")
  ) dut (
      .clk_i,
      .rst_ni,
      .start_i,
      .swept_o(swept),
      .add_i,
      .bank_i,
      .spot_i,
      .addend_i,
      .first_o(first),
      .busy_o (busy),
      .ask_i,
      .read_i,
      .read_bank_i,
      .read_spot_i,
      .data_o (data)
  );

  logic [BankBits-1:0] bank_q;  // of the watched word: what it is in the first cycle
  logic [SpotBits-1:0] spot_q;
  logic sweeps_q;  // words are being set
  logic known_q;  // the word was set since the reset
  logic [4:1] swept_q, any_q;  // every word is set, 1 to 4 cycles ago; accesses of any word
  logic add, look, mark_q;
  logic [3:1] add_q, look_q;
  logic [2:1][Slots-1:0] slot_q;
  logic [Slots-1:0] slot;
  logic [3:0] value_q, look_value_q, look_value_q2, addend;
  logic [2:1] first_q;
  logic apart;  // every slot has a bank of its own
  for (genvar s = 0; s < Slots; s++) begin : g_slot
    assign slot[s] = add_i[s] && bank_i[s] == bank_q && spot_i[s] == spot_q;
  end
  if (Groups == 1) begin : g_bias
    assign bias = dut.g_bias.biases[0];
  end else begin : g_biases
    assign bias = dut.g_biases.biases[32'(spot_q)%Groups];
  end
  assign add  = slot != '0;
  assign look = read_i && read_bank_i == bank_q && read_spot_i == spot_q;
  always_comb begin
    apart  = 1'b1;
    addend = '0;
    for (int unsigned s = 0; s < Slots; s++) begin
      apart &= 32'(bank_i[s]) < Banks && 32'(spot_i[s]) < Words;
      for (int unsigned t = 0; t < s; t++) apart &= bank_i[s] != bank_i[t];
      if (slot_q[2][s]) addend |= addend_i[s];
    end
  end

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) {bank_q, spot_q} <= {some_bank_i, some_spot_i};
    m_watched : assume (!past_q || (32'(bank_q) < Banks && 32'(spot_q) < Words));
    m_slots : assume (apart && 32'(read_bank_i) < Banks && 32'(read_spot_i) < Words);
    m_read : assume (!read_i || (ask_i && !busy[read_bank_i] && !sweeps_q && swept_q[3:1] == '0));
    m_late : assume (!look || (add_q == '0 && !add));
    m_start : assume (!start_i || (any_q == '0 && add_i == '0 && !read_i));
    m_sweep : assume (!sweeps_q || (add_i == '0 && !read_i));
    if (!rst_ni) begin
      {sweeps_q, known_q, mark_q} <= '0;
      {add_q, look_q, slot_q, swept_q, any_q, first_q} <= '0;
    end else begin
      sweeps_q <= sweeps_q ? !swept : start_i;
      swept_q <= {swept_q[3:1], sweeps_q};
      any_q <= {any_q[3:1], add_i != '0 || read_i || sweeps_q};
      add_q <= {add_q[2:1], add};
      look_q <= {look_q[2:1], look};
      slot_q <= {slot_q[1], slot};
      {look_value_q2, look_value_q} <= {look_value_q, value_q};
      first_q <= {first_q[1], add && !mark_q};
      if (sweeps_q || look) mark_q <= 1'b0;
      else if (add) mark_q <= 1'b1;
      if (sweeps_q && swept) {known_q, value_q} <= {1'b1, bias};
      else if (add_q[2]) value_q <= value_q + addend;
      a_read : assert (!known_q || !look_q[2] || data == look_value_q2);
      a_first : assert (!known_q || !add_q[2] || first[bank_q] == first_q[2]);
      a_busy : assert (!add || busy[bank_q]);
      i_sweep : assert (dut.sweep_q == sweeps_q && 32'(dut.sweep_spot_q) < Words &&
                        (sweeps_q || dut.sweep_spot_q == '0));
      c_first : cover (known_q && first_q[2] && look_q[3] && add);
      c_read : cover (known_q && look_q[2] && data != bias && data != '0);
    end
  end
endmodule
