// SPDX-License-Identifier: Apache-2.0
// Function:   one lane of delta_emit, with f = max(z, 0) or z, k = step_i, T = threshold_i:
//               q = clip(round_half_even(f / 2^(Shift+k)) * 2^k, Lo, Hi)
//               after = Hold && |f - before * 2^Shift| < T ? before : q;  delta = after - before;  changed = delta != 0
// Latency:    3 enabled cycles from z_i; step_i and threshold_i are taken 1 cycle after z_i, before_i 3 cycles after
//             it. Stage s moves in cycles with enable_i[s]
// Throughput: 1 value a cycle
// Timing:     combinational before_i -> after_o, delta_o: two comparisons with bounds made in the stages before, for
//             |f - r * 2^s| >= T  <=>  r <= floor((f - T) / 2^s)  or  r >= ceil((f + T) / 2^s)
// Reset:      none (data path only)
// Model:      codesign.graph.golden.activate, codesign.graph.golden.quantize, codesign.graph.golden.send
module delta_quantise #(
    parameter int unsigned InWidth = 8,
    parameter bit InSigned = 1'b1,
    parameter int unsigned Widen = 0,
    parameter int unsigned Shift = 0,
    parameter bit Relu = 1'b0,
    parameter int unsigned CodeWidth = 8,
    parameter bit CodeSigned = 1'b1,
    parameter int unsigned DeltaWidth = CodeWidth + 1,
    parameter int Lo = -128,
    parameter int Hi = 127,
    parameter int unsigned StepMax = 0,
    parameter bit Hold = 1'b0,
    parameter int unsigned ThresholdWidth = 1,
    localparam int unsigned StepWidth = StepMax > 0 ? $clog2(StepMax + 1) : 1
) (
    input  logic                      clk_i,
    input  logic [               2:0] enable_i,
    input  logic [       InWidth-1:0] z_i,
    input  logic [     StepWidth-1:0] step_i,
    input  logic [ThresholdWidth-1:0] threshold_i,
    input  logic [     CodeWidth-1:0] before_i,
    output logic [     CodeWidth-1:0] after_o,
    output logic [    DeltaWidth-1:0] delta_o,
    output logic                      changed_o
);
  if (InWidth < 1 || CodeWidth < 1 || CodeWidth > 30 || Lo > 0 || Hi < 0) begin : g_bad
    $error("delta_quantise: InWidth must be at least 1, CodeWidth 1 to 30, Lo <= 0 <= Hi");
  end

  localparam int unsigned ActiveWidth = InWidth + (InSigned ? 0 : 1) + Widen;
  localparam int unsigned RestWidth = Shift + StepMax + 2;  // at least 2: half is 1 << (Shift + k) >> 1
  localparam int unsigned ReachWidth = CodeWidth + Shift > RestWidth ? CodeWidth + Shift : RestWidth;
  // f saturates where that changes nothing: q is clipped and every reference is more than T away.
  localparam int unsigned Width = (ReachWidth > ThresholdWidth ? ReachWidth : ThresholdWidth) + 2;
  localparam int unsigned FloorWidth = Width - Shift;
  localparam int unsigned FullWidth = (ActiveWidth > Width ? ActiveWidth : Width) + 1;
  localparam int unsigned BoundWidth = CodeWidth + 2;  // Lo - 1 .. Hi + 1, signed

  // Functions, so that a simulator skips all of a stage that is not enabled.
  // Stage 0: activation.
  function automatic logic signed [Width-1:0] active(input logic signed [FullWidth-1:0] z);
    if (Relu && z < 0) active = '0;
    else if (z[FullWidth-1:Width-1] == {(FullWidth - Width + 1) {z[FullWidth-1]}}) active = z[Width-1:0];
    else active = {z[FullWidth-1], {(Width - 1) {!z[FullWidth-1]}}};
  endfunction
  logic signed [FullWidth-1:0] z;
  logic signed [Width-1:0] f_q;
  if (InSigned) begin : g_signed
    assign z = FullWidth'($signed(z_i)) <<< Widen;
  end else begin : g_unsigned
    assign z = FullWidth'(z_i) << Widen;
  end

  // Stage 1: floor and round: {up, floor}.
  function automatic logic [FloorWidth:0] halves(input logic signed [Width-1:0] f, input logic [StepWidth-1:0] step);
    logic signed [FloorWidth-1:0] floor;
    logic [RestWidth-1:0] rest, half;
    floor = $signed(FloorWidth'(f >>> Shift)) >>> step;
    half = (RestWidth'(1) << (Shift + 32'(step))) >> 1;
    rest = f[RestWidth-1:0] & ~({RestWidth{1'b1}} << (Shift + 32'(step)));
    halves = {(rest & half) != 0 && ((rest & ~half) != 0 || floor[0]), floor};
  endfunction
  logic signed [FloorWidth-1:0] floor_q;
  logic up_q;
  logic [StepWidth-1:0] step_q;

  // Stage 2: step and clip.
  function automatic logic signed [BoundWidth-1:0] clip(
      input logic signed [63:0] value, input logic signed [BoundWidth-1:0] under, over);
    if (value < 64'(Lo)) clip = under;
    else if (value > 64'(Hi)) clip = over;
    else clip = BoundWidth'(value);
  endfunction
  logic signed [FloorWidth:0] rounded;  // one bit more: rounding may carry
  logic signed [BoundWidth-1:0] q_q;
  assign rounded = ((FloorWidth + 1)'(floor_q) + (FloorWidth + 1)'(up_q)) <<< step_q;

  always_ff @(posedge clk_i) begin
    if (enable_i[0]) f_q <= active(z);
    if (enable_i[1]) {up_q, floor_q, step_q} <= {halves(f_q, step_i), step_i};
    if (enable_i[2]) q_q <= clip(64'(rounded), BoundWidth'(Lo), BoundWidth'(Hi));
  end

  // Stage 3: hold or send.
  logic signed [BoundWidth-1:0] old_code;
  logic moved;
  assign old_code = CodeSigned ? BoundWidth'($signed(before_i)) : BoundWidth'(before_i);
  assign after_o = moved ? q_q[CodeWidth-1:0] : before_i;
  assign delta_o = moved ? DeltaWidth'(q_q - old_code) : '0;
  assign changed_o = moved && q_q != old_code;

  if (Hold) begin : g_hold
    localparam int unsigned SumWidth = Width + 1;
    localparam logic signed [SumWidth-1:0] RoundUp = (SumWidth'(1) << Shift) - SumWidth'(1);
    logic signed [SumWidth-1:0] minus_q, plus_q;
    logic signed [SumWidth-Shift-1:0] below, above;
    logic signed [BoundWidth-1:0] below_q, above_q;
    assign below = (SumWidth - Shift)'(minus_q >>> Shift);
    assign above = (SumWidth - Shift)'(plus_q >>> Shift);
    always_ff @(posedge clk_i) begin
      if (enable_i[1]) begin
        minus_q <= SumWidth'(f_q) - $signed(SumWidth'(threshold_i));
        plus_q <= SumWidth'(f_q) + $signed(SumWidth'(threshold_i)) + RoundUp;
      end
      if (enable_i[2]) begin
        below_q <= clip(64'(below), BoundWidth'(Lo - 1), BoundWidth'(Hi));
        above_q <= clip(64'(above), BoundWidth'(Lo), BoundWidth'(Hi + 1));
      end
    end
    assign moved = old_code <= below_q || old_code >= above_q;
  end else begin : g_memoryless
    assign moved = 1'b1;
    // verilator lint_off UNUSEDSIGNAL
    logic unused_threshold;
    // verilator lint_on UNUSEDSIGNAL
    assign unused_threshold = ^threshold_i;
  end
endmodule
