// SPDX-License-Identifier: Apache-2.0
// Function:   what the registers do to the core: its reset, a new stream from the next frame on, and thresholds that
//             change between streams only: a frame whose thresholds are not those in force waits until every frame
//             before it has left, and starts a new stream (see delta_emit); new_stream_o: the last frame that began
//             started a new stream, for whatever reason
// Latency:    0 cycles for a beat, 2 where thresholds change; 2 from a frame's first beat to new_stream_o; the core is
//             in reset for 4 cycles from the cycle after reset_i on
// Throughput: 1 beat per cycle
// Timing:     combinational core_tready_i -> s_axis_tready, s_axis_tvalid -> core_tvalid_o
// Reset:      the core too; no new stream asked for (its first frame is one anyway)
// Model:      rtl_tests.bench_board_control.Control
// The core must answer each frame (a packet in, up to TLAST) with one packet.
module board_control #(
    parameter int unsigned ThresholdWidth = 1
) (
    input  logic                      clk_i,
    input  logic                      rst_ni,
    input  logic                      reset_i,        // a pulse
    input  logic                      new_stream_i,   // a pulse
    input  logic [ThresholdWidth-1:0] threshold_i,
    input  logic                      s_axis_tvalid,
    output logic                      s_axis_tready,
    input  logic                      s_axis_tlast,
    input  logic                      s_axis_tuser,
    output logic                      core_tvalid_o,
    input  logic                      core_tready_i,
    output logic                      core_tuser_o,
    input  logic                      packet_i,       // the last beat of a packet leaves
    output logic                      core_rst_no,
    output logic                      new_stream_o,
    output logic [ThresholdWidth-1:0] threshold_o
);
  if (ThresholdWidth < 1) begin : g_bad
    $error("board_control: ThresholdWidth must be at least 1");
  end

  logic [2:0] reset_q;  // cycles to come
  logic [15:0] inside_q;  // frames in the core, as of the cycle before
  logic enter_q, leave_q;
  logic [ThresholdWidth-1:0] wanted_q;
  logic after_reset_q;  // nothing has begun since the core's reset
  logic first_q, new_q, starts_q, differs_q, change, open, beat;

  assign open = core_rst_no && !(first_q && differs_q);
  assign change = first_q && differs_q && inside_q == 0 && !enter_q;
  assign core_tvalid_o = s_axis_tvalid && open;
  assign s_axis_tready = core_tready_i && open;
  assign core_tuser_o = s_axis_tuser || new_q;
  assign beat = core_tvalid_o && core_tready_i;

  always_ff @(posedge clk_i) begin
    differs_q <= threshold_i != threshold_o;
    wanted_q  <= threshold_i;
    starts_q  <= core_tuser_o || after_reset_q;
    if (change) threshold_o <= wanted_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || reset_i) begin
      core_rst_no <= 1'b0;
      reset_q     <= 3'd3;
      inside_q    <= '0;
      enter_q     <= 1'b0;
      leave_q     <= 1'b0;
      first_q     <= 1'b1;
      new_q       <= 1'b0;
      after_reset_q <= 1'b1;
      new_stream_o <= 1'b0;
    end else begin
      core_rst_no <= reset_q == 0;
      if (reset_q != 0) reset_q <= reset_q - 1'b1;
      if (beat) begin
        first_q <= s_axis_tlast;
        if (first_q) begin
          new_q <= 1'b0;
          after_reset_q <= 1'b0;
        end
      end
      if (new_stream_i || (change && core_rst_no)) new_q <= 1'b1;
      enter_q <= beat && first_q;
      if (enter_q) new_stream_o <= starts_q;
      leave_q <= packet_i;
      inside_q <= inside_q + 16'(enter_q) - 16'(leave_q);
    end
  end
endmodule
