// SPDX-License-Identifier: Apache-2.0
// Function:   event tokens {first_of_stream, has_event, end_of_frame, address, delta} -> located tokens
//             {first_of_stream, has_event, end_of_frame, first row, rows, first column, columns, group, weight line,
//             lane, delta}: the output words of a frame that an event at address = (y * Width + x) * Channels + c
//             reaches. Channelwise: only the word and the lane of channel c + ChannelOffset. delta << Shift leaves,
//             OutWidth bits wide
// Latency:    6 cycles
// Throughput: 1 token per cycle; an event that reaches no output is dropped (its flags stay)
// Timing:     combinational ready_i -> ready_o (the pipeline freezes as a whole)
// Reset:      empty
// Model:      rtl_tests.models.locate, codesign.graph.axis.Axis.first, codesign.graph.engines.Conv.reach
// Division by a constant is a multiplication by its reciprocal, exact for every address; by a power of two it is free.
// It does not accumulate: delta_conv does.
module delta_locate #(
    parameter int unsigned Height = 1,
    parameter int unsigned Width = 1,
    parameter int unsigned Channels = 1,
    parameter int unsigned Groups = 1,  // output words of one position
    parameter int unsigned Lanes = 1,
    parameter bit Channelwise = 1'b0,
    parameter int unsigned ChannelOffset = 0,
    parameter bit Weighted = 1'b1,  // the weight line depends on the channel too
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned Shift = 0,
    parameter int unsigned OutWidth = DeltaWidth,
    parameter int unsigned RowBits = 1,  // of an output row, and of a count of rows
    parameter int unsigned ColumnBits = 1,  // of an output column, and of a count of columns
    parameter int unsigned WeightBits = 1,  // of a line of the weight memory
    parameter RowFile = "",  // line y: {rows, first row, its weight line}
    parameter ColumnFile = "",  // line x: {columns, first column, its weight line}
    localparam int unsigned Size = Height * Width * Channels,
    localparam int unsigned AddressBits = Size > 1 ? $clog2(Size) : 1,
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1,
    localparam int unsigned PlaceBits = 2 * RowBits + 2 * ColumnBits + GroupBits + WeightBits + LaneBits
) (
    input  logic                                clk_i,
    input  logic                                rst_ni,
    input  logic                                valid_i,
    output logic                                ready_o,
    input  logic [3+AddressBits+DeltaWidth-1:0] token_i,
    output logic                                valid_o,
    input  logic                                ready_i,
    output logic [    3+PlaceBits+OutWidth-1:0] token_o
);
  if (Height < 1 || Width < 1 || Channels < 1 || Groups < 1 || Lanes < 1) begin : g_bad
    $error("delta_locate: Height, Width, Channels, Groups and Lanes must be at least 1");
  end

  localparam int unsigned OutChannels = Groups * Lanes;
  localparam int unsigned ChannelBits = OutChannels > Channels ? $clog2(OutChannels + 1) : $clog2(Channels + 1);
  localparam int unsigned DivideBits = AddressBits > ChannelBits ? AddressBits : ChannelBits;

  // floor(number / divisor): with 2^shift >= divisor * 2^DivideBits the rounded-up reciprocal is exact.
  function automatic logic [DivideBits-1:0] divide(input logic [DivideBits-1:0] number, input int unsigned divisor);
    logic [63:0] reciprocal;
    int unsigned shift;
    shift = DivideBits + $clog2(divisor);
    reciprocal = ((64'd1 << shift) + 64'(divisor) - 1) / 64'(divisor);
    divide = DivideBits'((64'(number) * reciprocal) >> shift);
  endfunction

  localparam int unsigned RowLine = 2 * RowBits + WeightBits;
  localparam int unsigned ColumnLine = 2 * ColumnBits + WeightBits;
  localparam int unsigned YBits = Height > 1 ? $clog2(Height) : 1;
  localparam int unsigned XBits = Width > 1 ? $clog2(Width) : 1;
  localparam int unsigned GroupScale = Weighted && Channelwise ? 1 : 0;
  localparam int unsigned ChannelScale = Weighted && !Channelwise ? Groups : 0;

  logic [RowLine-1:0] row_table[Height];
  logic [ColumnLine-1:0] column_table[Width];
  initial $readmemh(RowFile, row_table);
  initial $readmemh(ColumnFile, column_table);

  logic enable;
  logic [5:1] valid_q;
  logic [5:1][2:0] flags_q;
  logic [5:1][DeltaWidth-1:0] delta_q;
  logic [AddressBits-1:0] address_q, position_q, position_q2, y_q2;
  logic [ChannelBits-1:0] channel_q2, channel_q3, group_q3;  // of the output, if Channelwise
  logic [YBits-1:0] y_q3;
  logic [XBits-1:0] x_q3;
  logic [5:4][WeightBits-1:0] channel_line_q;
  logic [5:4][GroupBits-1:0] group_q;
  logic [5:4][LaneBits-1:0] lane_q;
  logic [5:4][RowLine-1:0] row_q;
  logic [5:4][ColumnLine-1:0] column_q;
  logic [RowBits-1:0] rows, first_row;
  logic [ColumnBits-1:0] columns, first_column;
  logic [WeightBits-1:0] row_line, column_line;
  logic reaches;

  assign enable = ready_i || !valid_o;
  assign ready_o = enable;
  assign {rows, first_row, row_line} = row_q[5];
  assign {columns, first_column, column_line} = column_q[5];
  assign reaches = flags_q[5][1] && rows != 0 && columns != 0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= '0;
      valid_o <= 1'b0;
    end else if (enable) begin
      valid_q <= {valid_q[4:1], valid_i};
      valid_o <= valid_q[5] && (reaches || flags_q[5][2] || flags_q[5][0]);
    end
  end

  // Stage 1: position = address / Channels. 2: y = position / Width, c. 3: x, group. 4: tables. 5: a register
  // after them. 6: sums.
  always_ff @(posedge clk_i) begin
    if (enable && (valid_i || valid_q != 0)) begin
      flags_q <= {flags_q[4:1], token_i[AddressBits+DeltaWidth+:3]};
      delta_q <= {delta_q[4:1], token_i[DeltaWidth-1:0]};
      address_q <= token_i[DeltaWidth+:AddressBits];
      position_q <= AddressBits'(divide(DivideBits'(token_i[DeltaWidth+:AddressBits]), Channels));
      position_q2 <= position_q;
      channel_q2 <= ChannelBits'(32'(address_q) - 32'(position_q) * Channels + ChannelOffset);
      y_q2 <= AddressBits'(divide(DivideBits'(position_q), Width));
      y_q3 <= YBits'(y_q2);
      x_q3 <= XBits'(position_q2 - y_q2 * AddressBits'(Width));
      channel_q3 <= channel_q2;
      group_q3 <= Channelwise ? ChannelBits'(divide(DivideBits'(channel_q2), Lanes)) : '0;
      row_q <= {row_q[4], row_table[y_q3]};
      column_q <= {column_q[4], column_table[x_q3]};
      channel_line_q[5] <= channel_line_q[4];
      channel_line_q[4] <= WeightBits'(32'(group_q3) * GroupScale + 32'(channel_q3) * ChannelScale);
      group_q <= {group_q[4], GroupBits'(group_q3)};
      lane_q[5] <= lane_q[4];
      lane_q[4] <= Channelwise ? LaneBits'(32'(channel_q3) - 32'(group_q3) * Lanes) : '0;
      token_o <= {
        flags_q[5][2],
        reaches,
        flags_q[5][0],
        first_row,
        rows,
        first_column,
        columns,
        group_q[5],
        WeightBits'(row_line + column_line + channel_line_q[5]),
        lane_q[5],
        OutWidth'($signed(delta_q[5])) <<< Shift
      };
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
