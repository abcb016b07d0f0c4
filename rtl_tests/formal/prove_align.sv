// SPDX-License-Identifier: Apache-2.0
// delta_align shifts every lane by what its line of the table says; the table holds anything with low < 2^shift.
module prove_align #(
    parameter int unsigned Words = 4,
    parameter int unsigned Lines = 2,
    parameter int unsigned Lanes = 2
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic [2:0] flags_i,
    input logic [$clog2(Words)-1:0] word_i,
    input logic [Lanes-1:0][4:0] sums_i,
    input logic ready_i,
    input logic mark_i
);
  localparam int unsigned HeadWidth = 3 + $clog2(Words);
  localparam int unsigned Width = HeadWidth + Lanes * 9;
  logic ready, valid;
  logic [Width-1:0] token;
  logic [Lanes-1:0][8:0] expected;

  assume_reset i_reset (.*);
  delta_align #(
      .Words     (Words),
      .Lanes     (Lanes),
      .InWidth   (5),
      .OutWidth  (9),
      .ShiftWidth(2),
      .LowWidth  (3),
      .Lines     (Lines),
      .File      ("lines.hex")
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .token_i({flags_i, word_i, sums_i}),
      .valid_o(valid),
      .ready_i,
      .token_o(token)
  );

  logic [Lanes*5-1:0] line;
  logic right;  // the table holds what it may hold
  assign line = dut.lines[32'(word_i)%Lines];
  always_comb begin
    right = 1'b1;
    for (int unsigned i = 0; i < Lanes; i++) begin
      expected[i] = 9'($signed(9'($signed(sums_i[i]))) * $signed(9'd1 << line[i*5+:2])) + 9'(line[i*5+2+:3]);
      right &= 4'(line[i*5+2+:3]) < 4'd1 << line[i*5+:2];
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      m_table : assume (right && 32'(word_i) < Words);
      a_room : assert (ready == (ready_i || !valid));
      i_valid : assert (valid == (i_stream.inside_o != 0));
      i_marked : assert (!i_stream.marked_o || token == i_stream.value_o);
    end
  end
  check_stream #(
      .Width(Width)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (valid_i && ready),
      .before_i    ('0),
      .enter_data_i({flags_i, word_i, expected}),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (token),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (),
      .value_o     ()
  );
endmodule
