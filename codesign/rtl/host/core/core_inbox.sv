// SPDX-License-Identifier: Apache-2.0
// Function:   bytes of a packet {kind, sequence, length (2), payload, CRC (4)} -> one request, judged when the packet is
//             complete: refusal_o is 0 or the reason why not (1 CRC, 2 length, 3 kind, 4 too long, 5 a frame without a
//             network). What follows the first byte of the payload is kept as words of 32 bits. On start_i they leave: of a
//             FRAME as beats of Codes codes of 16 bits, with flag 1 made of 8 bits each, without sign; of a LOAD word by
//             word, without the first, which is the offset
// Latency:    1 cycle from end_i to request_o; 4 cycles from start_i to the first beat
// Throughput: 1 byte per cycle in, 1 beat per cycle out
// Timing:     no combinational path from inputs to outputs
// Reset:      no request; what is left of a packet under way must not come (board_hdlc_rx drops it)
// Model:      codesign.host.framing.Decoder, codesign.host.link.parse
// A packet that begins while a request is held is dropped without an answer: the host repeats it. One too short for a
// head and a CRC is line noise. The sequence number counts only where the CRC was right.
// Costs Words words of block RAM. Frames of another length than beats_i says are refused.
module core_inbox #(
    parameter int unsigned Codes = 2,  // of a beat; a power of two
    parameter int unsigned Words = 2   // kept; a power of two, at least a beat
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    input  logic                valid_i,
    input  logic [         7:0] data_i,
    input  logic                end_i,
    input  logic                crc_ok_i,
    input  logic                drop_i,
    input  logic                network_i,     // there is one
    input  logic [        31:0] beats_i,       // of its frames
    output logic                request_o,     // held until taken
    input  logic                take_i,        // what is left of it does not leave
    output logic [         2:0] refusal_o,
    output logic [         7:0] kind_o,
    output logic [         7:0] sequence_o,
    output logic [        47:0] argument_o,    // the first six bytes of the payload
    output logic [        15:0] words_o,       // of a LOAD, without the offset
    input  logic                start_i,
    output logic [16*Codes-1:0] m_axis_tdata,
    output logic                m_axis_tvalid,
    input  logic                m_axis_tready,
    output logic                m_axis_tlast,
    output logic                m_axis_tuser
);
  localparam int unsigned BeatWords = Codes / 2;  // a row of the memory
  localparam int unsigned WordBits = $clog2(Words);
  localparam int unsigned ColumnBits = BeatWords > 1 ? $clog2(BeatWords) : 1;
  localparam int unsigned RowBits = Words > BeatWords ? $clog2(Words / BeatWords) : 1;
  if (Codes < 2 || Codes != 1 << $clog2(Codes) || Words != 1 << $clog2(Words) || Words < 2 * BeatWords ||
      Words > 16383) begin : g_bad
    $error("core_inbox: Codes and Words must be powers of two, at least 2 codes and 2 beats, at most 16383 words");
  end

  localparam int unsigned Overhead = 8, ReadBytes = 4, WriteBytes = 6, FewestBytes = 9;
  localparam int unsigned Most = Overhead + (1 + 4 * Words > WriteBytes ? 1 + 4 * Words : WriteBytes);
  localparam int unsigned CountWidth = $clog2(Most + 2);
  localparam logic [7:0] Frame = 8'h01, Read = 8'h02, Write = 8'h03, Load = 8'h04;
  localparam logic [2:0] Fine = 3'd0, BadCrc = 3'd1, BadLength = 3'd2, BadKind = 3'd3, TooLong = 3'd4, NoNetwork = 3'd5;

  // Bytes of the packet.
  logic [CountWidth-1:0] count_q, payload;  // count stops one above the longest packet
  logic [3:0] head_q;  // the same up to the last byte that is kept in a register
  logic [15:0] length_q;
  logic skip_q, skip, take_byte, compact;

  assign skip = skip_q || (head_q == 0 && request_o);
  assign take_byte = valid_i && !skip;
  assign payload = count_q - CountWidth'(Overhead);
  assign compact = argument_o[1];

  always_ff @(posedge clk_i) begin
    if (take_byte) begin
      case (head_q)
        0: kind_o <= data_i;
        1: sequence_o <= data_i;
        2: length_q[7:0] <= data_i;
        3: length_q[15:8] <= data_i;
        default: ;
      endcase
      for (int unsigned i = 0; i < 6; i++) begin
        if (head_q == 4'(4 + i)) argument_o[8*i+:8] <= data_i;
      end
    end
  end

  // The judgement.
  logic [2:0] refusal;
  logic [31:0] whole_q;  // words of a frame of codes of 16 bits
  logic [31:0] frame_q;
  always_ff @(posedge clk_i) begin
    whole_q <= beats_i * BeatWords;
    frame_q <= compact ? (whole_q + 1) >> 1 : whole_q;
  end
  always_comb begin
    case (kind_o)
      Frame: refusal = !network_i ? NoNetwork : 34'(payload) == {frame_q, 2'd1} ? Fine : BadLength;
      Read: refusal = payload == CountWidth'(ReadBytes) && argument_o[31:30] == 0 ? Fine : BadLength;
      Write: refusal = payload == CountWidth'(WriteBytes) ? Fine : BadLength;
      Load: refusal = payload >= CountWidth'(FewestBytes) && payload[1:0] == 2'd1 ? Fine : BadLength;
      default: refusal = BadKind;
    endcase
    if (length_q != 16'(payload)) refusal = BadLength;
    if (!crc_ok_i) refusal = BadCrc;
    if (count_q > CountWidth'(Most)) refusal = TooLong;
  end

  always_ff @(posedge clk_i) begin
    if (end_i && !skip) begin
      refusal_o <= refusal;
      words_o   <= 16'(payload >> 2) - 16'd1;
    end
    if (!rst_ni) begin
      count_q   <= '0;
      head_q    <= '0;
      skip_q    <= 1'b0;
      request_o <= 1'b0;
    end else begin
      if (end_i || drop_i) {count_q, head_q} <= '0;
      else if (valid_i) begin
        if (count_q <= CountWidth'(Most)) count_q <= count_q + 1'b1;
        if (head_q != 4'd10) head_q <= head_q + 1'b1;
      end
      skip_q <= (valid_i ? skip : skip_q) && !end_i && !drop_i;
      if (end_i && !skip && count_q >= CountWidth'(Overhead)) request_o <= 1'b1;
      else if (take_i) request_o <= 1'b0;
    end
  end

  // The words, from byte 5 on; the CRC after them is one that nobody reads, if there is room for it.
  logic [23:0] bytes_q;
  logic [1:0] lane_q;
  logic [WordBits-1:0] write_q, read_q;
  logic full_q, write;
  logic [BeatWords-1:0][31:0] row_q, row_q2;
  logic [RowBits-1:0] write_row, read_row;
  logic [ColumnBits-1:0] write_column, read_column;

  assign write = take_byte && head_q > 4'd4 && !full_q && lane_q == 2'd3;
  if (BeatWords > 1) begin : g_columns
    assign {write_row, write_column} = write_q;
    assign read_column = read_q[ColumnBits-1:0];
  end else begin : g_column
    assign write_row = write_q;
    assign {write_column, read_column} = '0;
  end
  always_ff @(posedge clk_i) if (take_byte) bytes_q <= {data_i, bytes_q[23:8]};
  always_ff @(posedge clk_i) begin
    if (!rst_ni || end_i || drop_i) {write_q, lane_q, full_q} <= '0;
    else if (take_byte && head_q > 4'd4) begin
      lane_q <= lane_q + 1'b1;
      if (write) {full_q, write_q} <= {1'b0, write_q} + 1'b1;
    end
  end

  // Stages: a row is read, kept, as block RAM is slow, and leaves as a beat or gives a word. Waits end in a register.
  typedef struct packed {
    logic [ColumnBits-1:0] column;
    logic half;
    logic last;
    logic first;
  } place_t;
  place_t place_q, place_q2;
  logic sending_q, valid_q, valid_q2, move, ready, last;
  logic frame;
  logic [15:0] left_q;  // beats or words to read after this one
  assign frame = kind_o == Frame;
  assign move = ready || !valid_q2;
  assign last = left_q == '0;
  if (BeatWords > 1) begin : g_rows
    assign read_row = !frame ? read_q[WordBits-1:ColumnBits] : RowBits'(compact ? read_q >> 1 : read_q);
  end else begin : g_words
    assign read_row = frame && compact ? read_q >> 1 : read_q;
  end
  for (genvar c = 0; c < int'(BeatWords); c++) begin : g_memory
    (* no_rw_check, ram_style = "block" *) logic [31:0] memory[Words/BeatWords];
    always_ff @(posedge clk_i) begin
      if (write && write_column == ColumnBits'(c)) memory[write_row] <= {data_i, bytes_q};
      if (move) {row_q2[c], row_q[c]} <= {row_q[c], memory[read_row]};
    end
  end

  logic [BeatWords*32-1:0] row;
  logic [Codes-1:0][15:0] beat;
  logic [16*Codes-1:0] data;
  assign row = row_q2;
  for (genvar i = 0; i < int'(Codes); i++) begin : g_code
    assign beat[i] = !compact ? row[16*i+:16] : place_q2.half ? 16'(row[8*Codes+8*i+:8]) : 16'(row[8*i+:8]);
  end
  always_comb begin
    data = beat;
    if (!frame) data[31:0] = row_q2[place_q2.column];
  end
  delta_fifo #(
      .Width(16 * Codes + 2),
      .Depth(1)
  ) i_beats (
      .clk_i,
      .rst_ni (rst_ni && !take_i),
      .valid_i(valid_q2),
      .ready_o(ready),
      .data_i ({place_q2.first && argument_o[0], place_q2.last, data}),
      .valid_o(m_axis_tvalid),
      .ready_i(m_axis_tready),
      .data_o ({m_axis_tuser, m_axis_tlast, m_axis_tdata})
  );
  always_ff @(posedge clk_i) begin
    if (move) begin
      place_q  <= '{column: read_column, half: read_q[0], last: last, first: read_q == '0};
      place_q2 <= place_q;
    end
    if (!rst_ni || take_i) {sending_q, valid_q, valid_q2} <= '0;
    else begin
      if (start_i) sending_q <= 1'b1;
      else if (move && last) sending_q <= 1'b0;
      if (move) {valid_q, valid_q2} <= {sending_q, valid_q};
    end
    if (start_i) begin
      read_q <= frame ? '0 : WordBits'(1);
      left_q <= (frame ? 16'(beats_i) : words_o) - 16'd1;
    end else if (move) begin
      read_q <= read_q + 1'b1;
      left_q <= left_q - 16'(sending_q);
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      m_axis_tvalid && !m_axis_tready && !take_i |=> m_axis_tvalid);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      m_axis_tvalid && !m_axis_tready |=> $stable({m_axis_tdata, m_axis_tlast, m_axis_tuser}));
`endif
endmodule
