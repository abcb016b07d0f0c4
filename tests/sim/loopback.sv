// SPDX-License-Identifier: Apache-2.0
// Function: sends every input beat out again, one register later; the identity network with the ports of an emitted
//   top. Breaks one rule on demand, from the fourth frame on, so that the harness' checks are proved: the rule is
//   chosen by stat_addr_i[7:4].
// Latency: 1. Throughput: 1 beat a cycle. Timing: s_axis_tready depends on m_axis_tready. Reset: synchronous.
module loopback_top #(
    parameter int unsigned Bits = 8
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             skip_i,
    input  logic [Bits-1:0]  s_axis_tdata,
    input  logic             s_axis_tvalid,
    output logic             s_axis_tready,
    input  logic             s_axis_tlast,
    input  logic [0:0]       s_axis_tuser,
    output logic [Bits-1:0]  m_axis_tdata,
    output logic             m_axis_tvalid,
    input  logic             m_axis_tready,
    output logic             m_axis_tlast,
    output logic [1:0]       error_o,
    input  logic [7:0]       stat_addr_i,
    output logic [31:0]      stat_data_o,
    output logic [3:0]       probe_o
);
  localparam logic [3:0] Hang = 4'd1, DropValid = 4'd2, ChangeData = 4'd3, MoveLast = 4'd4, Stray = 4'd5,
                         MissDone = 4'd6, RaiseError = 4'd7, Assertion = 4'd8, Endless = 4'd9;

  logic [7:0] mask[1];  // zero; proves that memory files are found
  initial $readmemh("loopback.mem", mask);

  logic [Bits-1:0] data_q;
  logic [31:0] frame_q, streams_q, unknown_q;
  logic [3:0] fault;
  logic valid_q, last_q, error_q, taken, held;

  assign fault = frame_q == 3 ? stat_addr_i[7:4] : 4'd0;
  assign s_axis_tready = (!valid_q || m_axis_tready) && fault != Hang && fault != Stray && fault != Endless;
  assign taken = s_axis_tvalid && s_axis_tready;
  assign held = valid_q && !m_axis_tready;

  assign m_axis_tvalid = valid_q;
  assign m_axis_tdata = data_q ^ Bits'(mask[0]);
  assign m_axis_tlast = last_q ^ (fault == MoveLast);
  assign error_o = {1'b0, error_q};
  // {frame_done, stalled, busy, event}
  assign probe_o = {
    taken && s_axis_tlast && fault != MissDone, held, taken, (taken && skip_i) || fault == Endless
  };

  always_ff @(posedge clk_i) begin
    unique case (stat_addr_i[3:0])
      4'd0: stat_data_o <= frame_q;
      4'd1: stat_data_o <= streams_q;
      default: stat_data_o <= unknown_q;  // not reset: a different number for each seed
    endcase
    if (valid_q && m_axis_tready) begin
      valid_q <= 1'b0;
      frame_q <= frame_q + 32'(last_q);
    end
    if (taken) begin
      valid_q   <= 1'b1;
      data_q    <= s_axis_tdata;
      last_q    <= s_axis_tlast;
      streams_q <= streams_q + 32'(s_axis_tuser);
    end
    if (fault == DropValid && held) valid_q <= 1'b0;
    if (fault == ChangeData && held) data_q <= ~data_q;
    if (fault == Stray) {valid_q, last_q} <= 2'b10;
    if (fault == RaiseError) error_q <= 1'b1;
    if (&stat_addr_i) unknown_q <= '0;
    if (fault == Assertion) $error("fault on demand");
    if (!rst_ni) begin
      valid_q   <= 1'b0;
      error_q   <= 1'b0;
      frame_q   <= '0;
      streams_q <= '0;
    end
  end
endmodule
