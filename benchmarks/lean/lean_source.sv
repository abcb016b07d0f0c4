// SPDX-License-Identifier: Apache-2.0
// Function:   AXI4-Stream beats of Lanes codes -> their codes, one after the other, lane 0 first
// Latency:    none (combinational)
// Throughput: 1 code per cycle
// Timing:     combinational ready_i -> s_axis_tready, s_axis_tdata -> code_o
// Reset:      at lane 0
// Model:      codesign.rtl.beats.to_beats
// Has no register for a beat, as a source holds it until its last code is taken. A frame is a whole number of beats.
module lean_source #(
    parameter int unsigned Lanes = 1,
    parameter int unsigned LaneWidth = 8,
    parameter int unsigned CodeWidth = 8
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [Lanes*LaneWidth-1:0] s_axis_tdata,  // lanes are padded to bytes
    // verilator lint_on UNUSEDSIGNAL
    input  logic                       s_axis_tvalid,
    output logic                       s_axis_tready,
    output logic                       valid_o,
    input  logic                       ready_i,
    output logic [      CodeWidth-1:0] code_o
);
  if (Lanes < 1 || LaneWidth < CodeWidth) begin : g_bad
    $error("lean_source: Lanes must be at least 1, LaneWidth at least CodeWidth");
  end
  localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1;
  localparam logic [LaneBits-1:0] Last = LaneBits'(Lanes - 1);

  logic [LaneBits-1:0] lane_q;
  assign valid_o = s_axis_tvalid;
  assign s_axis_tready = ready_i && lane_q == Last;
  assign code_o = s_axis_tdata[32'(lane_q)*LaneWidth+:CodeWidth];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) lane_q <= '0;
    else if (valid_o && ready_i) lane_q <= lane_q == Last ? '0 : lane_q + LaneBits'(1);
  end
endmodule
