// SPDX-License-Identifier: Apache-2.0
// Function:   numbers the codes of a frame, which are the lines of a dense layer's weights
// Latency:    none (combinational but for the counter)
// Throughput: 1 code per cycle
// Timing:     valid, ready and the code pass through
// Reset:      at the start of a frame
// Model:      codesign.graph.golden.compute
module lean_count #(
    parameter int unsigned Codes = 1,  // of a frame
    parameter int unsigned CodeWidth = 4,
    parameter int unsigned LineBits = Codes > 1 ? $clog2(Codes) : 1
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 valid_i,
    output logic                 ready_o,
    input  logic [CodeWidth-1:0] code_i,
    output logic                 valid_o,
    input  logic                 ready_i,
    output logic [CodeWidth-1:0] code_o,
    output logic [ LineBits-1:0] line_o,
    output logic                 last_o
);
  logic [LineBits-1:0] line_q;
  assign {valid_o, ready_o, code_o, line_o} = {valid_i, ready_i, code_i, line_q};
  assign last_o = line_q == LineBits'(Codes - 1);
  always_ff @(posedge clk_i) begin
    if (!rst_ni) line_q <= '0;
    else if (valid_i && ready_i) line_q <= last_o ? '0 : line_q + LineBits'(1);
  end
endmodule
