// SPDX-License-Identifier: Apache-2.0
// Function:   a frame's codes, row by row, channels fastest -> the codes under the kernel of each output position,
//             each with the line of its weights, (ky * Kernel + kx) * Channels + c. Square frames and kernels
// Latency:    a row of outputs begins when the last row under its kernel is in
// Throughput: 1 code per cycle in and out; what lies on the padding takes no cycle
// Timing:     no combinational path from ready_i to ready_o; block RAM behind counters
// Reset:      empty, at the start of a frame
// Model:      codesign.graph.golden.compute
// The line buffer is a ring of Rows rows of Size * Channels codes; consecutive frames follow each other in it.
module lean_window #(
    parameter int unsigned Size = 4,  // rows, and columns
    parameter int unsigned Outputs = 4,
    parameter int unsigned Kernel = 3,
    parameter int unsigned Stride = 1,
    parameter int unsigned Pad = 1,
    parameter int unsigned Channels = 1,
    parameter int unsigned CodeWidth = 4,
    parameter int unsigned Rows = 8,  // power of two, at least Kernel + Stride so that rows come in meanwhile
    parameter int unsigned LineBits = $clog2(Kernel * Kernel * Channels)
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 valid_i,
    output logic                 ready_o,
    input  logic [CodeWidth-1:0] code_i,
    output logic                 valid_o,
    input  logic                 ready_i,
    output logic [CodeWidth-1:0] code_o,
    output logic [ LineBits-1:0] line_o,
    output logic                 last_o    // of an output position
);
  if (1 << $clog2(Rows) != Rows || Rows < Kernel + Stride) begin : g_bad
    $error("lean_window: Rows must be a power of two, at least Kernel + Stride");
  end
  localparam int unsigned Codes = Size * Channels;  // of a row
  localparam int unsigned CodeBits = Codes > 1 ? $clog2(Codes) : 1;
  localparam int unsigned PositionBits = Size > 1 ? $clog2(Size) : 1;
  localparam int unsigned TapBits = Kernel > 1 ? $clog2(Kernel) : 1;
  localparam int unsigned ElementBits = Kernel > 1 ? $clog2(Kernel * Kernel) : 1;
  localparam int unsigned ChannelBits = Channels > 1 ? $clog2(Channels) : 1;
  localparam int unsigned SlotBits = $clog2(Rows);
  localparam int unsigned HaveBits = $clog2(Size + Rows + 1);
  localparam int unsigned AddressBits = $clog2(Rows * Codes);

  (* no_rw_check, ram_style = "block" *) logic [CodeWidth-1:0] memory[Rows*Codes];

  // ---- In. Rows are counted from row 0 of the frame that is read.
  logic [HaveBits-1:0] have_q;  // complete ones
  logic [SlotBits-1:0] write_slot_q, read_slot_q;  // of the row that comes in, and of row 0
  logic [CodeBits-1:0] code_q;
  logic write, row_done, frame_done;
  logic [PositionBits-1:0] lowest, highest;
  assign ready_o  = have_q - HaveBits'(lowest) != HaveBits'(Rows);
  assign write    = valid_i && ready_o;
  assign row_done = write && code_q == CodeBits'(Codes - 1);
  always_ff @(posedge clk_i) begin
    if (write) memory[AddressBits'(32'(write_slot_q)*Codes+32'(code_q))] <= code_i;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      have_q <= '0;
      {write_slot_q, read_slot_q} <= '0;
      code_q <= '0;
    end else begin
      have_q <= have_q + HaveBits'(row_done) - (frame_done ? HaveBits'(Size) : '0);
      if (frame_done) read_slot_q <= read_slot_q + SlotBits'(Size);
      if (write) code_q <= row_done ? '0 : code_q + CodeBits'(1);
      if (row_done) write_slot_q <= write_slot_q + SlotBits'(1);
    end
  end

  // ---- Out: channels, then columns of the kernel, its rows, columns of the output, its rows.
  logic [ChannelBits-1:0] channel_q;
  // verilator lint_off UNUSEDSIGNAL
  logic [PositionBits-1:0] row;  // its low bits are the slot's
  // verilator lint_on UNUSEDSIGNAL
  logic [PositionBits-1:0] column;
  logic [TapBits-1:0] tap_y, tap_x;
  logic [SlotBits-1:0] slot;
  logic go, step, channel_last, tap_x_last, tap_y_last, column_last, row_last, code_last;
  assign go = have_q > HaveBits'(highest);
  assign step = go && (ready_i || !valid_o);
  assign channel_last = channel_q == ChannelBits'(Channels - 1);
  assign code_last = channel_last && tap_x_last && tap_y_last;
  assign frame_done = step && code_last && column_last && row_last;
  assign slot = read_slot_q + SlotBits'(row);

  // Element of the kernel, tap_y * Kernel + tap_x, by comparison: a product would go into a multiplier block.
  logic [ElementBits-1:0] element;
  always_comb begin
    element = '0;
    for (int unsigned e = 0; e < Kernel * Kernel; e++) begin
      if (32'(tap_y) == e / Kernel && 32'(tap_x) == e % Kernel) element = ElementBits'(e);
    end
  end

  lean_axis #(
      .Size   (Size),
      .Outputs(Outputs),
      .Kernel (Kernel),
      .Stride (Stride),
      .Pad    (Pad)
  ) i_y (
      .clk_i,
      .rst_ni,
      .step_i       (step && channel_last && tap_x_last),
      .next_i       (tap_y_last && column_last),
      .position_o   (row),
      .tap_o        (tap_y),
      .lowest_o     (lowest),
      .highest_o    (highest),
      .last_tap_o   (tap_y_last),
      .last_output_o(row_last)
  );
  // verilator lint_off PINCONNECTEMPTY
  lean_axis #(
      .Size   (Size),
      .Outputs(Outputs),
      .Kernel (Kernel),
      .Stride (Stride),
      .Pad    (Pad)
  ) i_x (
      .clk_i,
      .rst_ni,
      .step_i       (step && channel_last),
      .next_i       (tap_x_last && tap_y_last),
      .position_o   (column),
      .tap_o        (tap_x),
      .lowest_o     (),
      .highest_o    (),
      .last_tap_o   (tap_x_last),
      .last_output_o(column_last)
  );
  // verilator lint_on PINCONNECTEMPTY

  always_ff @(posedge clk_i) begin
    if (ready_i || !valid_o) begin
      code_o <= memory[AddressBits'(32'(slot)*Codes+32'(column)*Channels+32'(channel_q))];
      line_o <= LineBits'(32'(element) * Channels + 32'(channel_q));
      last_o <= code_last;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o   <= 1'b0;
      channel_q <= '0;
    end else begin
      if (ready_i || !valid_o) valid_o <= go;
      if (step) channel_q <= channel_last ? '0 : channel_q + ChannelBits'(1);
    end
  end
`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_payload :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({code_o, line_o, last_o}));
`endif
endmodule
