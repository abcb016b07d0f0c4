// SPDX-License-Identifier: Apache-2.0
// delta_maximum: the largest value of a lane is one of its values, and none is larger. It keeps one word.
module prove_maximum #(
    parameter int unsigned Lanes = 2,
    parameter int unsigned Window = 5,
    parameter int unsigned Width = 4,
    parameter bit Signed = 1'b1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic enable_i,
    input logic [Lanes-1:0][Window-1:0][Width-1:0] values_i
);
  logic [Lanes-1:0][Width-1:0] most;
  logic full_q;
  logic [Lanes-1:0][Window-1:0][Width-1:0] values_q;
  logic [Lanes-1:0] found, least;
  delta_maximum #(
      .Lanes (Lanes),
      .Window(Window),
      .Width (Width),
      .Signed(Signed)
  ) dut (
      .clk_i,
      .enable_i,
      .values_i,
      .most_o(most)
  );

  assume_reset i_reset (.*);
  always_comb begin
    found = '0;
    least = '1;
    for (int unsigned i = 0; i < Lanes; i++) begin
      for (int unsigned f = 0; f < Window; f++) begin
        if (values_q[i][f] == most[i]) found[i] = 1'b1;
        if (Signed ? $signed(values_q[i][f]) > $signed(most[i]) : values_q[i][f] > most[i]) least[i] = 1'b0;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) full_q <= 1'b0;
    else if (enable_i) {full_q, values_q} <= {1'b1, values_i};
    if (rst_ni && full_q) begin
      a_one_of_them : assert (found == '1);
      a_none_larger : assert (least == '1);
      c_kept : cover (!enable_i && values_i != values_q && most[0] != most[Lanes-1]);
    end
  end
endmodule
