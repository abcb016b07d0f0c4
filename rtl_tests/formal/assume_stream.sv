// SPDX-License-Identifier: Apache-2.0
// What a source promises: a token that is not taken stays, unchanged.
module assume_stream #(
    parameter int unsigned Width = 1
) (
    input logic             clk_i,
    input logic             rst_ni,
    input logic             valid_i,
    input logic             ready_i,
    input logic [Width-1:0] data_i
);
  logic stalled_q = 1'b0;
  logic [Width-1:0] data_q;
  always_ff @(posedge clk_i) begin
    stalled_q <= rst_ni && valid_i && !ready_i;
    data_q <= data_i;
    m_stable : assume (!stalled_q || !rst_ni || (valid_i && data_i == data_q));
  end
endmodule
