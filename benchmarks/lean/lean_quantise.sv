// SPDX-License-Identifier: Apache-2.0
// Function:   accumulators -> codes q(z) of a memoryless delta layer, one by one: delta_quantise with a handshake
// Latency:    3 cycles
// Throughput: 1 code per cycle
// Timing:     combinational ready_i -> ready_o; three stages
// Reset:      empty
// Model:      codesign.graph.golden.quantize
module lean_quantise #(
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1'b1,
    parameter int unsigned Widen = 0,
    parameter int unsigned Shift = 0,
    parameter bit Relu = 1'b0,
    parameter int unsigned CodeWidth = 8,
    parameter bit CodeSigned = 1'b1,
    parameter int Lo = -128,
    parameter int Hi = 127
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 valid_i,
    output logic                 ready_o,
    input  logic [  InWidth-1:0] z_i,
    output logic                 valid_o,
    input  logic                 ready_i,
    output logic [CodeWidth-1:0] code_o
);
  logic [3:1] valid_q;
  assign valid_o = valid_q[3];
  assign ready_o = !valid_o || ready_i;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (ready_o) valid_q <= {valid_q[2:1], valid_i};
  end

  // verilator lint_off PINCONNECTEMPTY
  delta_quantise #(
      .InWidth   (InWidth),
      .InSigned  (InSigned),
      .Widen     (Widen),
      .Shift     (Shift),
      .Relu      (Relu),
      .CodeWidth (CodeWidth),
      .CodeSigned(CodeSigned),
      .Lo        (Lo),
      .Hi        (Hi)
  ) i_quantise (
      .clk_i,
      .enable_i   ({3{ready_o}}),
      .z_i,
      .step_i     ('0),
      .threshold_i('0),
      .before_i   ('0),
      .after_o    (code_o),
      .delta_o    (),
      .changed_o  ()
  );
  // verilator lint_on PINCONNECTEMPTY
`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_payload :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(code_o));
`endif
endmodule
