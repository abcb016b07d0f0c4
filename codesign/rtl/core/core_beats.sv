// SPDX-License-Identifier: Apache-2.0
// Function:   after start_i, an AXI4-Stream frame of step_i.words beats of Quantisers codes -> sums, part 0 of a word a
//             beat, group = beat % step_i.groups; then the end of the pass
// Latency:    1 cycle
// Throughput: 1 beat a cycle, and a cycle for the end
// Timing:     s_axis_tready depends on registers; registers at all outputs but waiting_o, fresh_o, begin_o, malformed_o
// Reset:      between frames, next frame is the first of a stream, error bits clear
// Model:      rtl_tests.models.Encode (malformed frames), rtl_tests.bench_core_beats.beats_of
// As delta_encode: early TLAST: the rest of the frame is unchanged, in a frame with fresh_i it is 0, a beat a cycle.
// Late TLAST: extra beats are dropped, also before start_i. A frame is taken only after start_i: waiting_o asks for it,
// with fresh_o as what fresh_i has to be. step_i and fresh_i stay until the end was taken.
module core_beats
  import core_pkg::*;
(
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  logic                           start_i,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                          step_i,         // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic                           fresh_i,
    input  logic                           s_axis_tvalid,
    output logic                           s_axis_tready,
    input  logic [Quantisers*CodeBits-1:0] s_axis_tdata,
    input  logic                           s_axis_tlast,
    input  logic                           s_axis_tuser,
    output logic                           waiting_o,      // the first beat of a frame is there
    output logic                           fresh_o,        // that frame is the first of its stream
    output logic                           valid_o,
    input  logic                           ready_i,
    output logic                           end_o,
    output logic [          IndexBits-1:0] word_o,
    output logic [                    3:0] part_o,
    output logic                           last_part_o,
    output logic [          IndexBits-1:0] group_o,
    output logic [ Quantisers*SumBits-1:0] z_o,
    output logic                           begin_o,        // the first beat of a frame is taken
    output logic                           malformed_o,    // a frame ends early or late
    output logic                           error_early_o,  // sticky
    output logic                           error_late_o
);
  logic active_q;  // in a frame
  logic ending_q;  // its end is to be given
  logic fill_q;  // writing 0 to the rest of a short first frame
  logic drop_q;  // waiting for the TLAST of a long frame
  logic first_frame_q;  // after reset, whatever tuser says
  logic [IndexBits-1:0] word_q, group_q, left_q, group_left_q;  // beats to the end of the frame, of the groups
  logic [Quantisers*CodeBits-1:0] codes, codes_q;
  logic enable, beat, scan, last, early, late, end_of_frame;

  assign s_axis_tready = drop_q || (enable && active_q && !fill_q);
  assign beat = s_axis_tvalid && active_q && !fill_q && !drop_q;
  assign scan = beat || (active_q && fill_q);
  assign last = left_q == 1;
  assign early = beat && s_axis_tlast && !last;
  assign late = beat && !s_axis_tlast && last;
  assign end_of_frame = last || (early && !fresh_i);
  assign waiting_o = s_axis_tvalid && !active_q && !ending_q && !drop_q;
  assign fresh_o = first_frame_q || s_axis_tuser;
  assign begin_o = enable && beat && word_q == 0;
  assign malformed_o = enable && (early || late);

  assign part_o = '0;
  assign last_part_o = 1'b1;
  for (genvar i = 0; i < Quantisers; i++) begin : g_lane
    assign z_o[i*SumBits+:SumBits] = SumBits'($signed(codes_q[i*CodeBits+:CodeBits]));
  end

  assign codes = fill_q ? '0 : s_axis_tdata;
  delta_fifo #(
      .Width(1 + 2 * IndexBits + Quantisers * CodeBits),
      .Depth(1)
  ) u_tokens (
      .clk_i,
      .rst_ni,
      .valid_i(scan || ending_q),
      .ready_o(enable),
      .data_i ({!scan, word_q, group_q, codes}),
      .valid_o,
      .ready_i,
      .data_o ({end_o, word_o, group_o, codes_q})
  );

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      {word_q, group_q} <= '0;
      {left_q, group_left_q} <= {step_i.words, step_i.groups};
    end else if (enable && scan) begin
      {word_q, left_q} <= {word_q + 1'b1, left_q - 1'b1};
      group_q <= group_left_q == 1 ? '0 : group_q + 1'b1;
      group_left_q <= group_left_q == 1 ? step_i.groups : group_left_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {active_q, ending_q, fill_q, drop_q, error_early_o, error_late_o} <= '0;
      first_frame_q <= 1'b1;
    end else begin
      if (start_i) active_q <= 1'b1;
      if (enable) begin
        ending_q <= scan && end_of_frame;
        if (scan) begin
          active_q <= !end_of_frame;
          fill_q <= (fill_q || early) && !end_of_frame;
          first_frame_q <= first_frame_q && !end_of_frame;
        end
      end
      if (malformed_o) {error_early_o, error_late_o} <= {error_early_o || early, error_late_o || late};
      if (enable && late) drop_q <= 1'b1;
      else if (s_axis_tvalid && s_axis_tlast) drop_q <= 1'b0;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=>
      $stable({end_o, word_o, group_o, z_o}));
  a_start :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !active_q && !ending_q);
`endif
endmodule
