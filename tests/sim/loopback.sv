// SPDX-License-Identifier: Apache-2.0
// Function: sends every input beat out again, one register later; the identity network with the ports of an emitted
//   top. Breaks one rule on demand (Fault), so that the harness' checks are proved.
// Latency: 1. Throughput: 1 beat a cycle. Timing: s_axis_tready depends on m_axis_tready. Reset: synchronous.
module loopback_top #(
    parameter bit Skip = 1'b1,
    parameter int unsigned Bits = `BITS,
    parameter int unsigned Fault = `FAULT
) (
    input  logic             clk_i,
    input  logic             rst_ni,
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
  localparam int unsigned FaultFrame = 3;  // the fault happens in this frame, or from it on

  logic [7:0] mask[1];  // zero; proves that memory files are found
  initial $readmemh("loopback.mem", mask);

  logic [Bits-1:0] data_q;
  logic valid_q, last_q, error_q;
  logic [31:0] frame_q, streams_q;
  logic faulty, taken, given;

  assign faulty = frame_q == FaultFrame;
  assign s_axis_tready = (!valid_q || m_axis_tready) && !(Fault == 1 && frame_q >= FaultFrame)
                         && !(Fault == 5 && faulty);
  assign taken = s_axis_tvalid && s_axis_tready;
  assign given = m_axis_tvalid && m_axis_tready;

  assign m_axis_tvalid = valid_q;
  assign m_axis_tdata  = data_q ^ Bits'(mask[0]);
  assign m_axis_tlast  = last_q ^ (Fault == 4 && faulty);
  assign error_o       = {1'b0, error_q};
  // {frame_done, stalled, busy, event}
  assign probe_o = {
    taken && s_axis_tlast && !(Fault == 6 && faulty), valid_q && !m_axis_tready, taken, taken && Skip
  };

  always_ff @(posedge clk_i) begin
    stat_data_o <= stat_addr_i == 8'd0 ? frame_q : stat_addr_i == 8'd1 ? streams_q : '0;
    if (given) begin
      valid_q <= 1'b0;
      if (last_q) frame_q <= frame_q + 1;
    end
    if (Fault == 5 && faulty) valid_q <= 1'b1;
    if (Fault == 2 && faulty && valid_q && !m_axis_tready) valid_q <= 1'b0;
    if (Fault == 3 && faulty && valid_q && !m_axis_tready) data_q <= ~data_q;
    if (Fault == 7 && faulty) error_q <= 1'b1;
    if (Fault == 8 && faulty) $error("fault on demand");
    if (taken) begin
      valid_q <= 1'b1;
      data_q  <= s_axis_tdata;
      last_q  <= s_axis_tlast;
      if (s_axis_tuser[0]) streams_q <= streams_q + 1;
    end
    if (!rst_ni) begin
      valid_q   <= 1'b0;
      error_q   <= 1'b0;
      frame_q   <= '0;
      streams_q <= '0;
    end
  end
endmodule
