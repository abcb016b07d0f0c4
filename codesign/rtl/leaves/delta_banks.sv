// SPDX-License-Identifier: Apache-2.0
// Function:   the words of a layer in Banks memories: up to Slots additions a cycle, each in another bank, and the
//             reading of a word in a bank that adds nothing (busy_o). first_o[bank]: the addition was the first one to
//             its word since that was last read. start_i sets every word to its bias
// Latency:    data_o 2 cycles after read_i; first_o 2 cycles after add_i, which is when addend_i is taken; swept_o, at
//             the earliest Words cycles after start_i: from the next cycle on every word is its bias
// Throughput: Slots additions and 1 reading a cycle
// Timing:     combinational add_i -> busy_o; the inputs choose addresses of memories, addend_i is added to registers
// Reset:      no access in flight; words and marks are not cleared: use start_i first
// Model:      rtl_tests.bench_banks.Words
// Additions go first: a reader waits for its bank. A reading must be 4 cycles or more after the last addition to its
// word and after swept_o, and nothing may be in flight at start_i. Slots > 1 costs one adder per bank, 1 only one. It
// does not say which words were reached: delta_rows keeps lists of them.
module delta_banks #(
    parameter int unsigned Banks = 2,
    parameter int unsigned Words = 1,  // of a bank
    parameter int unsigned Slots = 1,  // words that are added to in one cycle
    parameter int unsigned Lanes = 1,  // values of a word
    parameter int unsigned AccWidth = 24,
    parameter int unsigned Groups = 1,  // biases: word w of a bank starts as that of group w % Groups
    parameter BiasFile = "",  // one line of Lanes biases per group, lane 0 in the low bits; "": 0
    localparam int unsigned BankBits = Banks > 1 ? $clog2(Banks) : 1,
    localparam int unsigned SpotBits = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned Width = Lanes * AccWidth
) (
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  logic                           start_i,      // ignored until swept_o
    output logic                           swept_o,
    input  logic [Slots-1:0]               add_i,
    input  logic [Slots-1:0][BankBits-1:0] bank_i,       // of an idle slot: no other slot's either
    input  logic [Slots-1:0][SpotBits-1:0] spot_i,
    input  logic [Slots-1:0][   Width-1:0] addend_i,
    output logic [Banks-1:0]               first_o,
    output logic [Banks-1:0]               busy_o,
    input  logic                           ask_i,       // read_i may come: read the memory; always with read_i
    input  logic                           read_i,
    input  logic [ BankBits-1:0]           read_bank_i,
    input  logic [ SpotBits-1:0]           read_spot_i,
    output logic [    Width-1:0]           data_o
);
  if (Banks < Slots || Slots < 1 || Words < 1 || Lanes < 1 || Groups < 1) begin : g_bad
    $error("delta_banks: Slots, Words, Lanes and Groups must be at least 1, Banks at least Slots");
  end

  // ---- Sweep: set every word to its bias.
  localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  logic sweep_q;
  logic [SpotBits-1:0] sweep_spot_q;
  logic [GroupBits-1:0] sweep_group_q;
  logic [Width-1:0] initial_state;
  assign swept_o = sweep_q && sweep_spot_q == SpotBits'(Words - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sweep_q <= 1'b0;
      sweep_spot_q <= '0;
      sweep_group_q <= '0;
    end else if (sweep_q) begin
      sweep_q <= !swept_o;
      sweep_spot_q <= swept_o ? '0 : sweep_spot_q + 1'b1;
      sweep_group_q <= sweep_group_q == GroupBits'(Groups - 1) ? '0 : sweep_group_q + 1'b1;
    end else if (start_i) sweep_q <= 1'b1;
  end
  if (BiasFile != "" && Groups == 1) begin : g_bias
    logic [Width-1:0] biases[Groups];
    initial $readmemh(BiasFile, biases);
    assign initial_state = biases[0];
  end else if (BiasFile != "") begin : g_biases
    logic [Width-1:0] biases[Groups];
    logic [GroupBits-1:0] group_q;
    initial $readmemh(BiasFile, biases);
    always_ff @(posedge clk_i) begin
      group_q <= sweep_group_q;
      initial_state <= biases[group_q];
    end
  end else begin : g_zero
    assign initial_state = '0;
  end

  // ---- Sums: the banks share one adder if there is one word per cycle, and have one each if there are more.
  localparam int unsigned Adders = Slots > 1 ? Banks : 1;
  localparam int unsigned AdderBanks = Banks / Adders;
  localparam int unsigned AdderBankBits = AdderBanks > 1 ? $clog2(AdderBanks) : 1;
  logic [Slots-1:0][BankBits-1:0] bank_q, bank_q2;
  logic [BankBits-1:0] read_bank_q, read_bank_q2;
  logic [2:1] read_q;
  logic [Adders-1:0][Width-1:0] read;

  always_ff @(posedge clk_i) begin
    {bank_q2, bank_q} <= {bank_q, bank_i};
    {read_bank_q2, read_bank_q} <= {read_bank_q, read_bank_i};
    read_q <= {read_q[1], read_i};
  end
  always_comb begin
    data_o = '0;
    if (Adders == 1 || read_q[2]) begin
      for (int unsigned a = 0; a < Adders; a++) if (Adders == 1 || read_bank_q2 == BankBits'(a)) data_o |= read[a];
    end
  end

  for (genvar a = 0; a < Adders; a++) begin : g_adder
    logic any, any_q, any_q2;
    logic [AdderBankBits-1:0] bank;
    logic [SpotBits-1:0] word;
    logic [Width-1:0] addend;
    always_comb begin
      {any, bank, word, addend} = '0;
      for (int unsigned s = 0; s < Slots; s++) begin
        if (Adders == 1 || bank_i[s] == BankBits'(a)) begin
          any |= add_i[s];
          if (AdderBanks > 1) bank |= AdderBankBits'(bank_i[s]);
          word |= spot_i[s];
        end
      end
      if (Adders == 1 || any_q2) begin
        for (int unsigned s = 0; s < Slots; s++) begin
          if (Adders == 1 || bank_q2[s] == BankBits'(a)) addend |= addend_i[s];
        end
      end
    end
    always_ff @(posedge clk_i) {any_q2, any_q} <= {any_q, any};
    delta_accumulate #(
        .Banks   (AdderBanks),
        .Words   (Words),
        .Lanes   (Lanes),
        .AccWidth(AccWidth)
    ) i_sums (
        .clk_i,
        .rst_ni,
        .add_i      (any),
        .add_bank_i (bank),
        .add_word_i (word),
        .addend_i   (addend),
        .set_i      (sweep_q),
        .set_word_i (sweep_spot_q),
        .set_value_i(initial_state),
        .read_i     (ask_i && (Adders == 1 || read_bank_i == BankBits'(a))),
        .read_bank_i(AdderBanks > 1 ? AdderBankBits'(read_bank_i) : '0),
        .read_word_i(read_spot_i),
        .data_o     (read[a])
    );
  end

  // ---- Marks: which words were added to since they were read.
  for (genvar b = 0; b < Banks; b++) begin : g_mark
    logic read_here, marked;
    logic [2:1] add_q;
    logic [SpotBits-1:0] spot;
    assign read_here = read_i && read_bank_i == BankBits'(b);
    always_comb begin
      {busy_o[b], spot} = '0;
      for (int unsigned s = 0; s < Slots; s++) begin
        if (add_i[s] && bank_i[s] == BankBits'(b)) begin
          busy_o[b] = 1'b1;
          spot |= spot_i[s];
        end
      end
    end
    always_ff @(posedge clk_i) add_q <= {add_q[1], busy_o[b]};
    assign first_o[b] = add_q[2] && !marked;
    delta_state #(
        .Words(Words),
        .Width(1)
    ) i_mark (
        .clk_i,
        .rst_ni,
        .enable_i (1'b1),
        .valid_i  (busy_o[b] || read_here || sweep_q),
        .load_i   (1'b0),
        .word_i   (sweep_q ? sweep_spot_q : busy_o[b] ? spot : read_spot_i),
        .initial_i(1'b0),
        .operand_o(marked),
        .result_i (add_q[2])
    );
  end
endmodule
