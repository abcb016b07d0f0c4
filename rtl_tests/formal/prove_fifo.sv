// SPDX-License-Identifier: Apache-2.0
// delta_fifo is a queue. Nothing is assumed of its source and its reader.
module prove_fifo #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 4,
    parameter bit Registered = 1'b1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic [Width-1:0] data_i,
    input logic ready_i,
    input logic mark_i
);
  localparam int unsigned Most = Depth + 32'(Registered);
  localparam int unsigned CountWidth = $clog2(Most + 2);
  logic ready, valid, marked;
  logic [Width-1:0] data, value;
  logic [CountWidth-1:0] tokens, ahead;

  assume_reset i_reset (.*);
  delta_fifo #(
      .Width     (Width),
      .Depth     (Depth),
      .Registered(Registered)
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .data_i,
      .valid_o(valid),
      .ready_i,
      .data_o (data)
  );
  check_stream #(
      .Width(Width),
      .Most (Most)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (valid_i && ready),
      .before_i    ('0),
      .enter_data_i(data_i),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (data),
      .inside_o    (tokens),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // What ties the registers to the model, for the step of the induction.
  logic [31:0] place;
  assign place = (32'(dut.read_q) + 32'(ahead) - 32'(Registered)) % Depth;
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      a_room : assert (ready == (32'(tokens) - 32'(Registered && valid) < Depth));
      i_count : assert (32'(tokens) == 32'(dut.count_q) + 32'(Registered && valid));
      i_pointers : assert (32'(dut.read_q) < Depth && 32'(dut.write_q) < Depth);
      i_distance : assert (32'(dut.write_q) == (32'(dut.read_q) + 32'(dut.count_q)) % Depth);
      i_empty : assert (dut.empty_q == (dut.count_q == 0) && (dut.empty_q || valid));
      i_marked : assert (!marked || (Registered && ahead == 0) || dut.memory[place] == value);
    end
  end
endmodule
