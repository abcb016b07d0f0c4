// SPDX-License-Identifier: Apache-2.0
// delta_fork gives every token to every reader once. Its readers take it from the wires of the source.
module prove_fork #(
    parameter int unsigned Outputs = 2
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic [Outputs-1:0] ready_i
);
  logic ready;
  logic [Outputs-1:0] valid, got_q, waits_q;  // got_q: the reader has the token that the source offers

  assume_reset i_reset (.*);
  assume_stream i_source (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_i(ready),
      .data_i ('0)
  );
  delta_fork #(
      .Outputs(Outputs)
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .valid_o(valid),
      .ready_i
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) {got_q, waits_q} <= '0;
    else begin
      got_q   <= valid_i && !ready ? got_q | (valid & ready_i) : '0;
      waits_q <= valid & ~ready_i;
      a_once : assert (valid == ({Outputs{valid_i}} & ~got_q));
      a_stable : assert ((waits_q & ~valid) == '0);
      a_taken : assert (!valid_i || ready == ((got_q | ready_i) == '1));
      i_taken : assert (dut.taken_q == got_q && got_q != '1 && (got_q == '0 || i_source.stalled_q));
      c_apart : cover (got_q[0] && !got_q[1] && waits_q[1] && ready && valid_i);
    end
  end
endmodule
