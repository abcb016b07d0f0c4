// SPDX-License-Identifier: Apache-2.0
// Function:   AXI4-Stream frames of Beats beats of Lanes codes -> word tokens {first_of_stream, has_word, end_of_frame,
//             address, codes}; first_of_stream = frame starts a new stream (s_axis_tuser on its first beat, or first
//             frame after reset). No frame begins while hold_i (delta_admit)
// Latency:    1 cycle
// Throughput: 1 beat per cycle
// Timing:     combinational ready_i, hold_i -> s_axis_tready
// Reset:      between frames, next frame is the first of a stream, error_o clear
// Model:      codesign.graph.golden.Golden (frames), rtl_tests.models.Encode (malformed frames)
// Early TLAST: the rest of the frame is unchanged; in a first frame it is filled with 0, a word per cycle. Late TLAST:
// extra beats are dropped. It does not compare (delta_emit does). Code bits above CodeWidth in a lane are ignored.
module delta_encode #(
    parameter int unsigned Beats = 1,
    parameter int unsigned Lanes = 1,
    parameter int unsigned CodeWidth = 8,
    parameter int unsigned LaneWidth = 8,
    localparam int unsigned WordWidth = Beats > 1 ? $clog2(Beats) : 1,
    localparam int unsigned TokenWidth = 3 + WordWidth + Lanes * CodeWidth
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    // Padding bits above the code of each lane are not read.
    // verilator lint_off UNUSEDSIGNAL
    input  logic [Lanes*LaneWidth-1:0] s_axis_tdata,
    // verilator lint_on UNUSEDSIGNAL
    input  logic                       s_axis_tvalid,
    output logic                       s_axis_tready,
    input  logic                       s_axis_tlast,
    input  logic                       s_axis_tuser,
    input  logic                       hold_i,      // no frame may begin
    output logic                       valid_o,
    input  logic                       ready_i,
    output logic [     TokenWidth-1:0] token_o,
    output logic                       busy_o,      // a word is scanned
    output logic                       stalled_o,   // a word waits for ready_i, or a frame for hold_i
    output logic                       begin_o,     // the first word of a frame is taken
    output logic                       malformed_o, // a frame ends early or late
    output logic [                1:0] error_o      // sticky {late, early}
);
  if (Beats < 1 || Lanes < 1 || LaneWidth < CodeWidth) begin : g_bad
    $error("delta_encode: Beats and Lanes must be at least 1, LaneWidth at least CodeWidth");
  end

  logic [WordWidth-1:0] word_q;
  logic first_frame_q;  // this frame is the first of its stream; between frames: the next one is, whatever tuser says
  logic fill_q;  // writing 0 to the rest of a short first frame
  logic drop_q;  // waiting for the TLAST of a long frame
  logic enable, held, beat, scan, first_of_stream, last, early, late, end_of_frame;
  logic [Lanes*CodeWidth-1:0] codes;

  assign enable = ready_i || !valid_o;
  assign held = hold_i && word_q == 0 && !drop_q;
  assign s_axis_tready = enable && !fill_q && !held;
  assign beat = s_axis_tvalid && !fill_q && !drop_q && !held;
  assign scan = beat || fill_q;
  assign first_of_stream = first_frame_q || (word_q == 0 && s_axis_tuser);
  assign last = word_q == WordWidth'(Beats - 1);
  assign early = beat && s_axis_tlast && !last;
  assign late = beat && !s_axis_tlast && last;
  assign end_of_frame = last || (early && !first_of_stream);
  assign busy_o = scan && enable;
  assign stalled_o = (scan && !enable) || (s_axis_tvalid && held);
  assign begin_o = beat && enable && word_q == 0;
  assign malformed_o = enable && (early || late);

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    assign codes[lane*CodeWidth+:CodeWidth] = fill_q ? '0 : s_axis_tdata[lane*LaneWidth+:CodeWidth];
  end

  always_ff @(posedge clk_i) begin
    if (enable && scan) token_o <= {first_of_stream, 1'b1, end_of_frame, word_q, codes};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      word_q  <= '0;
      first_frame_q <= 1'b1;
      fill_q  <= 1'b0;
      drop_q  <= 1'b0;
      valid_o <= 1'b0;
      error_o <= '0;
    end else if (enable) begin
      valid_o <= scan;
      if (scan) begin
        word_q  <= end_of_frame ? '0 : word_q + 1'b1;
        first_frame_q <= first_of_stream && !end_of_frame;
        fill_q  <= (fill_q || early) && !end_of_frame;
        drop_q  <= late;
        error_o <= error_o | {late, early};
      end
      if (drop_q && s_axis_tvalid && s_axis_tlast) drop_q <= 1'b0;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
