// SPDX-License-Identifier: Apache-2.0
// Function:   answers the packets of a host: FRAME runs a frame on the core (AXI4-Stream both ways), READ and WRITE go
//             to its registers (AXI4-Lite). One request, one answer with its sequence number; a FRAME with the sequence
//             number of the last one is answered from memory and not run again, until a WRITE resets the core
// Latency:    a frame starts 3 cycles after its closing flag; RESULT leaves when the frame is done and the status read
// Throughput: one request at a time; packets that arrive meanwhile are dropped
// Timing:     registered towards the core; the byte stream has the paths of board_hdlc_tx
// Reset:      idle, no frame remembered
// Model:      codesign.host.link, rtl_tests.bench_board_link.Board
// Nothing here waits for the host, and there is no timeout: after a damaged packet the next flag starts afresh. It
// waits for the core without limit. cycles of a RESULT: from the frame's first beat taken to the packet's last beat.
module board_link #(
    parameter int unsigned FrameBeats = 1,
    parameter int unsigned FrameBeatBytes = 1,
    parameter int unsigned PacketBeats = 1,
    parameter int unsigned PacketBeatBytes = 1
) (
    input  logic                         clk_i,
    input  logic                         rst_ni,
    // Bytes of the line.
    input  logic                         rx_valid_i,
    input  logic [                  7:0] rx_data_i,
    output logic                         tx_valid_o,
    input  logic                         tx_ready_i,
    output logic [                  7:0] tx_data_o,
    // Frames to the core, results from it.
    output logic [ 8*FrameBeatBytes-1:0] m_axis_tdata,
    output logic                         m_axis_tvalid,
    input  logic                         m_axis_tready,
    output logic                         m_axis_tlast,
    output logic [                  0:0] m_axis_tuser,
    input  logic [8*PacketBeatBytes-1:0] s_axis_tdata,
    input  logic                         s_axis_tvalid,
    output logic                         s_axis_tready,
    input  logic                         s_axis_tlast,
    // Its registers; responses are not looked at.
    output logic [                 11:0] m_axil_awaddr,
    output logic                         m_axil_awvalid,
    input  logic                         m_axil_awready,
    output logic [                 31:0] m_axil_wdata,
    output logic                         m_axil_wvalid,
    input  logic                         m_axil_wready,
    input  logic                         m_axil_bvalid,
    output logic                         m_axil_bready,
    output logic [                 11:0] m_axil_araddr,
    output logic                         m_axil_arvalid,
    input  logic                         m_axil_arready,
    input  logic [                 31:0] m_axil_rdata,
    input  logic                         m_axil_rvalid,
    output logic                         m_axil_rready,
    output logic                         busy_o,         // a frame runs
    output logic                         refused_o,      // the last packet was refused
    output logic [                  3:0] frames_o        // run since reset
);
  localparam logic [7:0] Frame = 8'h01, Read = 8'h02, Write = 8'h03;
  localparam logic [7:0] Result = 8'h81, Data = 8'h82, Done = 8'h83, Refused = 8'hFF;
  localparam logic [2:0] BadCrc = 3'd1, TooLong = 3'd4;
  localparam logic [11:0] Control = 12'h00C, Status = 12'h010;
  localparam logic [15:0] ResultBytes = 16'(5 + PacketBeats * PacketBeatBytes);

  // The request.
  logic byte_valid, packet_end, crc_ok, packet_drop, request, take, start;
  logic [7:0] byte_data, kind, sequence_number;
  logic [2:0] refusal;
  // verilator lint_off UNUSEDSIGNAL
  logic [47:0] argument;  // READ {count, address}, WRITE {data, address}; the map ends below address 1000
  // verilator lint_on UNUSEDSIGNAL

  board_hdlc_rx i_hdlc_rx (
      .clk_i,
      .rst_ni,
      .valid_i (rx_valid_i),
      .data_i  (rx_data_i),
      .valid_o (byte_valid),
      .data_o  (byte_data),
      .end_o   (packet_end),
      .crc_ok_o(crc_ok),
      .drop_o  (packet_drop)
  );

  board_inbox #(
      .Beats    (FrameBeats),
      .BeatBytes(FrameBeatBytes)
  ) i_inbox (
      .clk_i,
      .rst_ni,
      .valid_i     (byte_valid),
      .data_i      (byte_data),
      .end_i       (packet_end),
      .crc_ok_i    (crc_ok),
      .drop_i      (packet_drop),
      .request_o   (request),
      .take_i      (take),
      .refusal_o   (refusal),
      .kind_o      (kind),
      .sequence_o  (sequence_number),
      .argument_o  (argument),
      .start_i     (start),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast,
      .m_axis_tuser(m_axis_tuser[0])
  );

  // What is done with it, and the answer.
  typedef enum logic [3:0] {
    Idle,  // waits for a request
    Run,  // a frame is in the core
    Look,  // reads the status after it
    Store,  // a register is written
    Head,  // then the words of the answer: its head,
    Reason,  // why a request was refused,
    Cycles,  // cycles, status and packet of a frame,
    State,
    Packet,
    Fetch,  // or registers, each read and sent
    Word,
    Finish  // the request is done with
  } state_t;

  state_t state_q;
  logic [31:0] cycles_q, register_q;  // of the last frame; read from a register, when it came
  logic read_q, written_q;  // a response came in the cycle before
  logic [13:0] left_q;  // registers to read
  logic [7:0] last_q, status_q;  // sequence number and status of the last frame, which says if it started a stream
  logic known_q, timing_q;  // there was a last frame; its cycles are counted
  logic repeated, refused, read, word_valid, word_ready, word_last, sent;
  logic [31:0] word;
  logic [2:0] word_bytes;
  logic [7:0] answer;
  logic [15:0] answer_bytes;

  assign refused = refusal != 0;
  assign read = kind == Read && !refused;
  assign repeated = known_q && last_q == sequence_number;
  assign start = state_q == Idle && request && !refused && kind == Frame && !repeated;
  assign take = state_q == Finish && word_ready;
  assign sent = word_valid && word_ready;
  assign s_axis_tready = 1'b1;
  assign m_axil_bready = 1'b1;
  assign m_axil_rready = 1'b1;
  assign m_axil_awaddr = argument[11:0];
  assign m_axil_wdata = argument[47:16];
  assign busy_o = state_q == Run;
  assign refused_o = refused;

  always_comb begin
    answer = Done;
    answer_bytes = '0;
    if (refused) {answer, answer_bytes} = {Refused, 16'd1};
    else if (kind == Frame) {answer, answer_bytes} = {Result, ResultBytes};
    else if (kind == Read) {answer, answer_bytes} = {Data, argument[29:16], 2'd0};
  end

  // The words of the answer.
  always_comb begin
    word = {answer_bytes, refusal == BadCrc || refusal == TooLong ? 8'd0 : sequence_number, answer};
    word_valid = 1'b0;
    word_bytes = 3'd4;
    word_last = 1'b0;
    case (state_q)
      Head: {word_valid, word_last} = {1'b1, answer_bytes == 0};
      Reason: {word_valid, word_last, word_bytes, word} = {2'b11, 3'd1, 32'(refusal)};
      Cycles: {word_valid, word} = {1'b1, cycles_q};
      State: {word_valid, word_bytes, word} = {1'b1, 3'd1, 32'(status_q)};
      Packet: {word_valid, word_last} = 2'b11;
      Word: {word_valid, word_last, word} = {1'b1, left_q == 14'd1, register_q};
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (m_axil_rvalid) register_q <= m_axil_rdata;
    if (state_q == Look && read_q) status_q <= register_q[7:0];
    if (busy_o && m_axis_tvalid && m_axis_tready && !timing_q) cycles_q <= 32'd1;
    else if (timing_q && !(s_axis_tvalid && s_axis_tlast)) cycles_q <= cycles_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q  <= Idle;
      timing_q <= 1'b0;
      known_q  <= 1'b0;
      last_q   <= '0;
      left_q   <= '0;
      frames_o <= '0;
      m_axil_araddr <= '0;
      {m_axil_awvalid, m_axil_wvalid, m_axil_arvalid} <= '0;
      {read_q, written_q} <= '0;
    end else begin
      {read_q, written_q} <= {m_axil_rvalid, m_axil_bvalid};
      if (m_axil_awready) m_axil_awvalid <= 1'b0;
      if (m_axil_wready) m_axil_wvalid <= 1'b0;
      if (m_axil_arready) m_axil_arvalid <= 1'b0;
      if (busy_o && m_axis_tvalid && m_axis_tready) timing_q <= 1'b1;
      case (state_q)
        Idle:
        if (request) begin
          state_q <= Head;
          left_q <= argument[29:16];
          m_axil_araddr <= argument[11:0];
          if (start) begin
            state_q <= Run;
            known_q <= 1'b0;
          end else if (kind == Write && !refused) begin
            state_q <= Store;
            {m_axil_awvalid, m_axil_wvalid} <= 2'b11;
            if (argument[11:0] == Control && argument[16]) known_q <= 1'b0;
          end
        end
        Run:
        if (s_axis_tvalid && s_axis_tlast) begin
          state_q <= Look;
          timing_q <= 1'b0;
          frames_o <= frames_o + 1'b1;
          m_axil_araddr <= Status;
          m_axil_arvalid <= 1'b1;
        end
        Look:
        if (read_q) begin
          state_q <= Head;
          known_q <= 1'b1;
          last_q  <= sequence_number;
        end
        Store: if (written_q) state_q <= Head;
        Head:
        if (sent) begin
          state_q <= word_last ? Finish : refused ? Reason : read ? Fetch : Cycles;
          m_axil_arvalid <= read && !word_last;
        end
        Cycles: if (sent) state_q <= State;
        State: if (sent) state_q <= Packet;
        Fetch: if (read_q) state_q <= Word;
        Word:
        if (sent) begin
          state_q <= word_last ? Finish : Fetch;
          left_q <= left_q - 1'b1;
          m_axil_araddr <= m_axil_araddr + 12'd4;
          m_axil_arvalid <= !word_last;
        end
        Reason, Packet: if (sent) state_q <= Finish;
        default: if (take) state_q <= Idle;
      endcase
    end
  end

  logic [7:0] out_data;
  logic out_valid, out_ready, out_last;

  board_outbox #(
      .Beats    (PacketBeats),
      .BeatBytes(PacketBeatBytes)
  ) i_outbox (
      .clk_i,
      .rst_ni,
      .s_axis_tdata,
      .s_axis_tvalid,
      .s_axis_tlast,
      .word_valid_i(word_valid),
      .word_ready_o(word_ready),
      .word_i      (word),
      .bytes_i     (word_bytes),
      .beats_i     (state_q == Packet),
      .last_i      (word_last),
      .valid_o     (out_valid),
      .ready_i     (out_ready),
      .data_o      (out_data),
      .last_o      (out_last)
  );

  board_hdlc_tx i_hdlc_tx (
      .clk_i,
      .rst_ni,
      .valid_i(out_valid),
      .ready_o(out_ready),
      .data_i (out_data),
      .last_i (out_last),
      .valid_o(tx_valid_o),
      .ready_i(tx_ready_i),
      .data_o (tx_data_o)
  );

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) tx_valid_o && !tx_ready_i |=> tx_valid_o);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) tx_valid_o && !tx_ready_i |=> $stable(tx_data_o));
  a_idle :
  assert property (@(posedge clk_i) disable iff (!rst_ni) !busy_o |-> !s_axis_tvalid);
`endif
endmodule
