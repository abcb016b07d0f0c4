// SPDX-License-Identifier: Apache-2.0
// Function:   bytes of a packet {kind, sequence, length (2), payload, CRC (4)} -> one request, judged when the packet
//             is complete: refusal_o is 0 or the reason why not (1 CRC, 2 length, 3 kind, 4 too long). Beats of a FRAME
//             wait in block RAM and leave as an AXI4-Stream packet on start_i, as often as it comes
// Latency:    1 cycle from end_i to request_o; 2 cycles from start_i to the first beat
// Throughput: 1 byte per cycle in, 1 beat per cycle out
// Timing:     no combinational path from inputs to outputs
// Reset:      no request; what is left of a packet under way must not come (board_hdlc_rx drops it)
// Model:      codesign.host.framing.Decoder, codesign.host.link.parse
// A packet that begins while a request is held is dropped without an answer: the host repeats it. One too short for a
// head and a CRC is line noise. The sequence number counts only where the CRC was right.
// Costs Beats words of block RAM.
module board_inbox #(
    parameter int unsigned Beats = 1,
    parameter int unsigned BeatBytes = 1
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    input  logic                   valid_i,
    input  logic [            7:0] data_i,
    input  logic                   end_i,
    input  logic                   crc_ok_i,
    input  logic                   drop_i,
    output logic                   request_o,    // held until taken
    input  logic                   take_i,
    output logic [            2:0] refusal_o,
    output logic [            7:0] kind_o,
    output logic [            7:0] sequence_o,
    output logic [           47:0] argument_o,   // the first six bytes of the payload
    input  logic                   start_i,
    output logic [8*BeatBytes-1:0] m_axis_tdata,
    output logic                   m_axis_tvalid,
    input  logic                   m_axis_tready,
    output logic                   m_axis_tlast,
    output logic                   m_axis_tuser
);
  if (Beats < 1 || BeatBytes < 1 || 1 + Beats * BeatBytes > 65535) begin : g_bad
    $error("board_inbox: Beats and BeatBytes must be at least 1, a frame and its flags at most 65535 bytes");
  end

  localparam int unsigned Overhead = 8, ReadBytes = 4, WriteBytes = 6, FrameBytes = 1 + Beats * BeatBytes;
  localparam int unsigned Most = Overhead + (FrameBytes > WriteBytes ? FrameBytes : WriteBytes);
  localparam int unsigned CountWidth = $clog2(Most + 2);
  localparam int unsigned BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned LaneWidth = BeatBytes > 1 ? $clog2(BeatBytes) : 1;
  localparam logic [7:0] Frame = 8'h01, Read = 8'h02, Write = 8'h03;
  localparam logic [2:0] Fine = 3'd0, BadCrc = 3'd1, BadLength = 3'd2, BadKind = 3'd3, TooLong = 3'd4;

  // Bytes of the packet.
  logic [CountWidth-1:0] count_q, payload;  // count stops one above the longest packet
  logic [3:0] head_q;  // the same up to the last byte that is kept in a register
  logic [15:0] length_q;
  logic skip_q, skip, take_byte, in_beats;

  assign skip = skip_q || (head_q == 0 && request_o);
  assign take_byte = valid_i && !skip;
  assign payload = count_q - CountWidth'(Overhead);

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
  always_comb begin
    case (kind_o)
      Frame:   refusal = payload == CountWidth'(FrameBytes) ? Fine : BadLength;
      Read:    refusal = payload == CountWidth'(ReadBytes) && argument_o[31:30] == 0 ? Fine : BadLength;
      Write:   refusal = payload == CountWidth'(WriteBytes) ? Fine : BadLength;
      default: refusal = BadKind;
    endcase
    if (length_q != 16'(payload)) refusal = BadLength;
    if (!crc_ok_i) refusal = BadCrc;
    if (count_q > CountWidth'(Most)) refusal = TooLong;
  end

  always_ff @(posedge clk_i) begin
    if (end_i && !skip) refusal_o <= refusal;
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

  // The beats, from byte 5 on: the CRC after them is no beat.
  logic [8*BeatBytes-1:0] memory[Beats];
  logic [8*BeatBytes-1:0] beat;
  logic [BeatWidth-1:0] write_q, read_q;
  logic [LaneWidth-1:0] lane_q;
  logic full_q, last_lane, sending_q, load;

  if (BeatBytes > 1) begin : g_bytes
    logic [8*(BeatBytes-1)-1:0] bytes_q;
    assign beat = {data_i, bytes_q};
    always_ff @(posedge clk_i) if (take_byte) bytes_q <= beat[8*BeatBytes-1:8];
  end else begin : g_byte
    assign beat = data_i;
  end

  assign in_beats  = take_byte && head_q > 4'd4 && !full_q;
  assign last_lane = lane_q == LaneWidth'(BeatBytes - 1);
  assign load = sending_q && (m_axis_tready || !m_axis_tvalid);

  always_ff @(posedge clk_i) begin
    if (in_beats && last_lane) memory[write_q] <= beat;
    if (load) begin
      m_axis_tdata <= memory[read_q];
      m_axis_tlast <= read_q == BeatWidth'(Beats - 1);
      m_axis_tuser <= read_q == 0 && argument_o[0];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {write_q, lane_q, full_q} <= '0;
      {read_q, sending_q, m_axis_tvalid} <= '0;
    end else begin
      if (end_i || drop_i) {write_q, lane_q, full_q} <= '0;
      else if (in_beats) begin
        lane_q <= last_lane ? '0 : lane_q + 1'b1;
        if (last_lane) begin
          write_q <= write_q + 1'b1;
          full_q  <= write_q == BeatWidth'(Beats - 1);
        end
      end
      if (start_i) sending_q <= 1'b1;
      else if (load && read_q == BeatWidth'(Beats - 1)) sending_q <= 1'b0;
      if (load) begin
        m_axis_tvalid <= 1'b1;
        read_q <= read_q == BeatWidth'(Beats - 1) ? '0 : read_q + 1'b1;
      end else if (m_axis_tready) m_axis_tvalid <= 1'b0;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      m_axis_tvalid && !m_axis_tready |=> $stable({m_axis_tdata, m_axis_tlast, m_axis_tuser}));
`endif
endmodule
