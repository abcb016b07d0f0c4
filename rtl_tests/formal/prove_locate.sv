// SPDX-License-Identifier: Apache-2.0
// delta_locate: the place of an event is what division and the tables say; the tables hold anything.
module prove_locate #(
    parameter int unsigned Height = 2,
    parameter int unsigned Width = 3,
    parameter int unsigned Channels = 3,
    parameter int unsigned Groups = 2,
    parameter int unsigned Lanes = 2,
    parameter bit Channelwise = 1'b0,
    parameter int unsigned ChannelOffset = 0,
    parameter bit Weighted = 1'b1,
    parameter int unsigned Shift = 0,
    localparam int unsigned RowBits = 2,
    localparam int unsigned ColumnBits = 2,
    localparam int unsigned WeightBits = 5,
    localparam int unsigned Size = Height * Width * Channels,
    localparam int unsigned AddressBits = Size > 1 ? $clog2(Size) : 1,
    localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1,
    localparam int unsigned GroupBits = Groups > 1 ? $clog2(Groups) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic first_i,
    input logic has_event_i,
    input logic end_i,
    input logic [AddressBits-1:0] address_i,
    input logic [1:0] delta_i,
    input logic ready_i,
    input logic mark_i
);
  typedef struct packed {
    logic first_of_stream;
    logic has_event;
    logic end_of_frame;
    logic [RowBits-1:0] first_row;
    logic [RowBits-1:0] rows;
    logic [ColumnBits-1:0] first_column;
    logic [ColumnBits-1:0] columns;
    logic [GroupBits-1:0] group;
    logic [WeightBits-1:0] line;
    logic [LaneBits-1:0] lane;
    logic [3:0] delta;
  } place_t;
  logic ready, valid, take, reaches, keep;
  place_t token, masked, expected;

  assume_reset i_reset (.*);
  delta_locate #(
      .Height       (Height),
      .Width        (Width),
      .Channels     (Channels),
      .Groups       (Groups),
      .Lanes        (Lanes),
      .Channelwise  (Channelwise),
      .ChannelOffset(ChannelOffset),
      .Weighted     (Weighted),
      .DeltaWidth   (2),
      .Shift        (Shift),
      .OutWidth     (4),
      .RowBits      (RowBits),
      .ColumnBits   (ColumnBits),
      .WeightBits   (WeightBits),
      .RowFile      ("rows.hex"),
      .ColumnFile   ("columns.hex")
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .token_i({first_i, has_event_i, end_i, address_i, delta_i}),
      .valid_o(valid),
      .ready_i,
      .token_o(token)
  );

  // The specification, with divisions.
  logic [31:0] y, x, c, out;  // out: the channel of the output, if Channelwise
  logic [RowBits-1:0] rows, first_row;
  logic [ColumnBits-1:0] columns, first_column;
  logic [WeightBits-1:0] row_line, column_line, channel_line;
  assign y = 32'(address_i) / (Width * Channels);
  assign x = 32'(address_i) / Channels % Width;
  assign c = 32'(address_i) % Channels;
  assign out = c + ChannelOffset;
  assign {rows, first_row, row_line} = dut.row_table[y];
  assign {columns, first_column, column_line} = dut.column_table[x];
  assign reaches = has_event_i && rows != 0 && columns != 0;
  assign take = valid_i && ready;
  assign keep = reaches || first_i || end_i;
  assign channel_line = !Weighted ? '0 : Channelwise ? WeightBits'(out / Lanes) : WeightBits'(out * Groups);
  assign expected = '{
      first_of_stream: first_i, has_event: reaches, end_of_frame: end_i, first_row: first_row, rows: rows,
      first_column: first_column, columns: columns, group: Channelwise ? GroupBits'(out / Lanes) : '0,
      line: row_line + column_line + channel_line, lane: Channelwise ? LaneBits'(out % Lanes) : '0,
      delta: 4'($signed(delta_i)) <<< Shift
  };

  function automatic place_t flags(input place_t place);  // without an event only they matter
    flags = place.has_event ? place : '{
        first_of_stream: place.first_of_stream, end_of_frame: place.end_of_frame, default: '0
    };
  endfunction
  assign masked = flags(token);
  check_stream #(
      .Width   ($bits(place_t)),
      .Most    (6),
      .Patience(5)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (take && keep),
      .before_i    ('0),
      .enter_data_i(flags(expected)),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (masked),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (),
      .value_o     ()
  );
  always_ff @(posedge clk_i) begin
    m_address : assume (!has_event_i || 32'(address_i) < Size);
    if (rst_ni) a_room : assert (ready == (ready_i || !valid));
  end
endmodule
