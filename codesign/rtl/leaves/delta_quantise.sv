// SPDX-License-Identifier: Apache-2.0
// Function:   one lane of delta_emit, with f = max(z, 0) or z, k = step_i, T = threshold_i:
//               q = clip(round_half_even(f / 2^(Shift+k)) * 2^k, Lo, Hi)
//               after = Hold && |f - before * 2^Shift| < T ? before : q;  delta = after - before;  changed = delta != 0
// Latency:    3 enabled cycles from z_i; step_i and threshold_i are taken 1 cycle after z_i, before_i 3 cycles after it
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
    input  logic                      enable_i,
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

  // Stage 0: activation.
  logic signed [FullWidth-1:0] z;
  logic signed [Width-1:0] f_q;
  logic beyond;
  if (InSigned) begin : g_signed
    assign z = FullWidth'($signed(z_i)) <<< Widen;
  end else begin : g_unsigned
    assign z = FullWidth'(z_i) << Widen;
  end
  assign beyond = z[FullWidth-1:Width-1] != {(FullWidth - Width + 1) {z[FullWidth-1]}};

  // Stage 1: floor and round.
  logic signed [FloorWidth-1:0] floor, floor_q;
  logic [RestWidth-1:0] rest, half;
  logic up, up_q;
  logic [StepWidth-1:0] step_q;
  assign floor = $signed(FloorWidth'(f_q >>> Shift)) >>> step_i;
  assign half = (RestWidth'(1) << (Shift + 32'(step_i))) >> 1;
  assign rest = f_q[RestWidth-1:0] & ~({RestWidth{1'b1}} << (Shift + 32'(step_i)));
  assign up = (rest & half) != 0 && ((rest & ~half) != 0 || floor[0]);

  // Stage 2: step and clip.
  logic signed [FloorWidth:0] rounded;  // one bit more: rounding may carry
  logic signed [BoundWidth-1:0] q_q;
  assign rounded = ((FloorWidth + 1)'(floor_q) + (FloorWidth + 1)'(up_q)) <<< step_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      if (Relu && z < 0) f_q <= '0;
      else if (beyond) f_q <= {z[FullWidth-1], {(Width - 1) {!z[FullWidth-1]}}};
      else f_q <= z[Width-1:0];
      floor_q <= floor;
      up_q <= up;
      step_q <= step_i;
      if (64'(rounded) < 64'(Lo)) q_q <= BoundWidth'(Lo);
      else if (64'(rounded) > 64'(Hi)) q_q <= BoundWidth'(Hi);
      else q_q <= BoundWidth'(rounded);
    end
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
      if (enable_i) begin
        minus_q <= SumWidth'(f_q) - $signed(SumWidth'(threshold_i));
        plus_q <= SumWidth'(f_q) + $signed(SumWidth'(threshold_i)) + RoundUp;
        if (64'(below) < 64'(Lo)) below_q <= BoundWidth'(Lo - 1);
        else if (64'(below) > 64'(Hi)) below_q <= BoundWidth'(Hi);
        else below_q <= BoundWidth'(below);
        if (64'(above) < 64'(Lo)) above_q <= BoundWidth'(Lo);
        else if (64'(above) > 64'(Hi)) above_q <= BoundWidth'(Hi + 1);
        else above_q <= BoundWidth'(above);
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
