// SPDX-License-Identifier: Apache-2.0
// Function:   one axis of a convolution: of each output o the kernel elements whose position, o * Stride - Pad + tap,
//             lies inside the frame, in order; what lies on the padding is passed over
// Latency:    none (counters)
// Throughput: 1 step per cycle
// Timing:     outputs are of registers and one adder
// Reset:      at the first element of output 0
// Model:      codesign.graph.axis.Axis
module lean_axis #(
    parameter int unsigned Size = 4,  // input positions
    parameter int unsigned Outputs = 4,
    parameter int unsigned Kernel = 3,
    parameter int unsigned Stride = 1,
    parameter int unsigned Pad = 1,  // before the first position
    localparam int unsigned PositionBits = Size > 1 ? $clog2(Size) : 1,
    localparam int unsigned TapBits = Kernel > 1 ? $clog2(Kernel) : 1
) (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    input  logic                    step_i,        // to the next element; from the last one to the first
    input  logic                    next_i,        // with a step from the last element: to the next output
    output logic [PositionBits-1:0] position_o,
    output logic [     TapBits-1:0] tap_o,
    output logic [PositionBits-1:0] lowest_o,      // position of the first element of this output
    output logic [PositionBits-1:0] highest_o,     // of the last one
    output logic                    last_tap_o,
    output logic                    last_output_o
);
  if (Pad >= Kernel || (Outputs - 1) * Stride >= Size + Pad) begin : g_bad
    $error("lean_axis: every output must reach a position");
  end
  localparam int unsigned Bits = $clog2(Size + Kernel + Stride) + 1;
  typedef logic signed [Bits-1:0] place_t;
  localparam place_t Start = -place_t'(Pad);
  localparam place_t End = place_t'((Outputs - 1) * Stride) - place_t'(Pad);

  function automatic logic [TapBits-1:0] first(input place_t base);
    first = base < 0 ? TapBits'(-base) : '0;
  endfunction

  place_t base_q, base, position, highest;  // position of tap 0, perhaps on the padding
  logic [TapBits-1:0] tap_q;
  assign last_output_o = base_q == End;
  assign base = !next_i ? base_q : last_output_o ? Start : base_q + place_t'(Stride);
  assign position = base_q + place_t'({1'b0, tap_q});
  assign highest = base_q + place_t'(Kernel - 1);
  assign last_tap_o = tap_q == TapBits'(Kernel - 1) || position == place_t'(Size - 1);
  assign tap_o = tap_q;
  assign position_o = PositionBits'(position);
  assign lowest_o = base_q < 0 ? '0 : PositionBits'(base_q);
  assign highest_o = highest > place_t'(Size - 1) ? PositionBits'(Size - 1) : PositionBits'(highest);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      base_q <= Start;
      tap_q  <= TapBits'(Pad);
    end else if (step_i) begin
      base_q <= base;
      tap_q  <= last_tap_o ? first(base) : tap_q + TapBits'(1);
    end
  end
endmodule
