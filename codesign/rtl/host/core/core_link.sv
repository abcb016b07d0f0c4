// SPDX-License-Identifier: Apache-2.0
// Function:   answers the packets of a host: LOAD takes a part of a network's image, FRAME runs a frame of it, READ and
//             WRITE go to the registers. One request, one answer with its sequence number; a FRAME with the sequence
//             number of the last one is answered from memory and not run again, until a WRITE resets the core or a LOAD
//             begins. A LOAD is taken if its offset is what was taken of this image so far, and at 0, where another one
//             begins; its answer says what was taken, so that one which comes twice does nothing
// Latency:    a frame starts 5 cycles after its closing flag; RESULT leaves when the frame is done
// Throughput: one request at a time; packets that arrive meanwhile are dropped
// Timing:     registered towards the core; all outputs of bytes are registers
// Reset:      idle, no frame remembered, no image begun
// Model:      codesign.host.link, rtl_tests.bench_core_link.Board
// Nothing here waits for the host, and there is no timeout: after a damaged packet the next flag starts afresh. It
// waits for the core without limit, unless that loses its network: the frame is refused then, as one without a network.
// cycles of a RESULT: from the frame's first beat taken to the packet's last beat.
module core_link #(
    parameter int unsigned Codes = 2,       // of a beat to the core, 16 bits each; from it, 32 bits each
    parameter int unsigned FrameWords = 4,  // of 32 bits: most of a frame, and of a part of an image but for one
    parameter int unsigned PacketWords = 4  // most of the core's that are kept
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    // Bytes of the line; of answers, for board_hdlc_tx.
    input  logic                valid_i,
    input  logic [         7:0] data_i,
    output logic                valid_o,
    input  logic                ready_i,
    output logic [         7:0] data_o,
    output logic                last_o,
    // Frames to the core, results from it.
    output logic [16*Codes-1:0] m_axis_tdata,
    output logic                m_axis_tvalid,
    input  logic                m_axis_tready,
    output logic                m_axis_tlast,
    output logic                m_axis_tuser,
    input  logic [32*Codes-1:0] s_axis_tdata,
    input  logic                s_axis_tvalid,
    output logic                s_axis_tready,
    input  logic                s_axis_tlast,
    input  logic                frame_i,         // one is done, and status_i is that after it
    // Its network.
    output logic                load_forget_o,
    output logic                load_valid_o,
    input  logic                load_ready_i,
    output logic [        31:0] load_data_o,
    output logic                load_last_o,
    input  logic                loaded_i,
    input  logic [         3:0] load_error_i,
    input  logic [        31:0] load_crc_i,
    input  logic [        31:0] beats_i,         // of a frame
    // Its registers.
    output logic                read_o,
    output logic                write_o,
    output logic [        12:2] address_o,
    output logic [        31:0] write_data_o,
    input  logic                read_valid_i,
    input  logic [        31:0] read_data_i,
    input  logic                written_i,
    input  logic                resetting_i,     // nothing is begun meanwhile
    input  logic [         7:0] status_i,
    output logic [        15:0] packet_words_o,  // of the last packet
    output logic                cut_o            // it had more
);
  localparam logic [7:0] Frame = 8'h01, Read = 8'h02, Write = 8'h03, Load = 8'h04;
  localparam logic [7:0] Result = 8'h81, Data = 8'h82, Done = 8'h83, Loaded = 8'h84, Refused = 8'hFF;
  localparam logic [2:0] BadCrc = 3'd1, TooLong = 3'd4, NoNetwork = 3'd5;
  localparam logic [12:2] Control = 11'h003;

  // The request.
  logic byte_valid, packet_end, crc_ok, packet_drop, request, take, start, out_valid, out_ready, frame_q, load_q;
  logic [7:0] byte_data, kind, sequence_number;
  logic [2:0] refusal, judged;
  logic lose, lost_q;  // the network goes within the frame; it has gone
  // verilator lint_off UNUSEDSIGNAL
  logic [47:0] argument;  // READ {count, address}, WRITE {data, address}, LOAD {offset, flags}
  // verilator lint_on UNUSEDSIGNAL
  logic [15:0] words;

  board_hdlc_rx i_hdlc_rx (
      .clk_i,
      .rst_ni,
      .valid_i,
      .data_i,
      .valid_o (byte_valid),
      .data_o  (byte_data),
      .end_o   (packet_end),
      .crc_ok_o(crc_ok),
      .drop_o  (packet_drop)
  );

  core_inbox #(
      .Codes(Codes),
      .Words(FrameWords)
  ) i_inbox (
      .clk_i,
      .rst_ni,
      .valid_i      (byte_valid),
      .data_i       (byte_data),
      .end_i        (packet_end),
      .crc_ok_i     (crc_ok),
      .drop_i       (packet_drop),
      .network_i    (loaded_i),
      .beats_i,
      .request_o    (request),
      .take_i       (take),
      .refusal_o    (judged),
      .kind_o       (kind),
      .sequence_o   (sequence_number),
      .argument_o   (argument),
      .words_o      (words),
      .start_i      (start),
      .m_axis_tdata,
      .m_axis_tvalid(out_valid),
      .m_axis_tready(out_ready),
      .m_axis_tlast,
      .m_axis_tuser
  );
  assign m_axis_tvalid = out_valid && frame_q && !lost_q;
  assign load_valid_o = out_valid && load_q;
  assign load_data_o = m_axis_tdata[31:0];
  assign load_last_o = m_axis_tlast && argument[0];
  assign out_ready = frame_q ? m_axis_tready : load_ready_i;
  always_ff @(posedge clk_i) {frame_q, load_q} <= {kind == Frame, kind == Load};  // known before anything is out

  // What is done with it, and the answer.
  typedef enum logic [3:0] {
    Idle,  // waits for a request
    Run,  // a frame is in the core
    Take,  // words of an image go to the core
    Store,  // a register is written
    Head,  // then the words of the answer: its head,
    Cycles,  // cycles, status and packet of a frame,
    State,  // (or why a request was refused)
    Packet,
    Fetch,  // or registers, each read and sent,
    Word,
    Count,  // or how much of an image was taken, its CRC and what the core says to it
    Check,
    Finish  // the request is done with
  } state_t;

  state_t state_q;
  logic [31:0] cycles_q, register_q, taken_q, word;  // taken: words of the image
  logic [13:0] left_q;  // registers to read
  logic [7:0] last_q, status_q;  // sequence number and status of the last frame, which says if it started a stream
  logic known_q, timing_q, done_q;  // there was a last frame; its cycles are counted; all of its packet has come
  logic open_q, begins_q, next_q;  // an image is under way; this is its first part; its next, or a new frame
  logic refused, word_valid, word_ready, word_last, sent;
  logic [2:0] word_bytes;
  logic [7:0] answer;
  logic [15:0] answer_bytes;

  assign lose = state_q == Run && !loaded_i && !frame_i;
  assign refusal = lost_q ? NoNetwork : judged;
  assign refused = refusal != 0;
  // Known when a request is there: what is compared came before its CRC, and what it is compared with stays meanwhile.
  always_ff @(posedge clk_i) begin
    begins_q <= kind == Load && argument[39:8] == '0;
    next_q <= (kind == Frame && !(known_q && last_q == sequence_number)) ||
        (kind == Load && (argument[39:8] == '0 || (open_q && argument[39:8] == taken_q)));
  end
  assign start = state_q == Idle && request && !resetting_i && judged == '0 && next_q;
  assign take = state_q == Finish && word_ready;
  assign sent = word_valid && word_ready;
  assign write_data_o = argument[47:16];

  always_comb begin
    answer = Done;
    answer_bytes = '0;
    if (refused) {answer, answer_bytes} = {Refused, 16'd1};
    else if (kind == Frame) {answer, answer_bytes} = {Result, {packet_words_o[13:0], 2'd0} + 16'd5};
    else if (kind == Read) {answer, answer_bytes} = {Data, argument[29:16], 2'd0};
    else if (kind == Load) {answer, answer_bytes} = {Loaded, 16'd9};
  end

  // The words of the answer.
  always_comb begin
    word = {answer_bytes, refusal == BadCrc || refusal == TooLong ? 8'd0 : sequence_number, answer};
    word_valid = 1'b0;
    word_bytes = 3'd4;
    word_last = 1'b0;
    case (state_q)
      Head: {word_valid, word_last} = {1'b1, answer_bytes == 0};
      Cycles: {word_valid, word} = {1'b1, cycles_q};
      State: {word_valid, word_bytes, word_last} = {1'b1, 3'd1, refused || kind == Load};
      Packet: {word_valid, word_last} = 2'b11;
      Word: {word_valid, word_last, word} = {1'b1, left_q == 14'd1, register_q};
      Count: {word_valid, word} = {1'b1, taken_q};
      Check: {word_valid, word} = {1'b1, load_crc_i};
      default: ;
    endcase
    if (state_q == State)
      word = refused ? 32'(refusal) : kind == Load ? 32'({load_error_i, 3'd0, loaded_i}) : 32'(status_q);
  end

  always_ff @(posedge clk_i) begin
    if (read_valid_i) register_q <= read_data_i;
    if (state_q == Run && m_axis_tvalid && m_axis_tready && !timing_q && !done_q) cycles_q <= 32'd1;
    else if (timing_q && !(s_axis_tvalid && s_axis_tlast)) cycles_q <= cycles_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    {read_o, write_o, load_forget_o} <= '0;
    if (!rst_ni) begin
      state_q  <= Idle;
      timing_q <= 1'b0;
      {done_q, known_q, open_q, lost_q} <= '0;
      last_q   <= '0;
      left_q   <= '0;
      taken_q  <= '0;
    end else begin
      if (state_q == Run && m_axis_tvalid && m_axis_tready && !done_q) timing_q <= 1'b1;
      if (s_axis_tvalid && s_axis_tlast) {timing_q, done_q} <= {1'b0, timing_q};
      case (state_q)
        Idle:
        if (request && !resetting_i) begin
          state_q <= Head;
          left_q <= argument[29:16];
          address_o <= argument[12:2];
          if (start) begin
            state_q <= load_q ? Take : Run;
            done_q  <= 1'b0;
            if (frame_q || begins_q) known_q <= 1'b0;
            if (begins_q) begin
              load_forget_o <= 1'b1;
              {taken_q, open_q} <= {32'd0, 1'b1};
            end
          end else if (kind == Write && !refused) begin
            state_q <= Store;
            write_o <= 1'b1;
            if (argument[12:2] == Control && argument[16]) known_q <= 1'b0;
          end
        end
        Run:
        if (frame_i) begin
          state_q  <= Head;
          status_q <= status_i;
          known_q  <= 1'b1;
          last_q   <= sequence_number;
        end else if (lose) {state_q, lost_q, timing_q} <= {Head, 2'b10};
        Take:
        if (load_valid_o && load_ready_i && m_axis_tlast) begin
          state_q <= Head;
          taken_q <= taken_q + 32'(words);
          open_q  <= !argument[0];
        end
        Store: if (written_i) state_q <= Head;
        Head:
        if (sent) begin
          state_q <= word_last ? Finish : refused ? State : kind == Read ? Fetch : kind == Load ? Count : Cycles;
          read_o  <= kind == Read && !word_last && !refused;
        end
        Cycles, Check: if (sent) state_q <= State;
        State: if (sent) state_q <= word_last ? Finish : Packet;
        Count: if (sent) state_q <= Check;
        Fetch: if (read_valid_i) state_q <= Word;
        Word:
        if (sent) begin
          state_q <= word_last ? Finish : Fetch;
          left_q <= left_q - 1'b1;
          address_o <= address_o + 1'b1;
          read_o <= !word_last;
        end
        Packet: if (sent) state_q <= Finish;
        default: if (take) {state_q, lost_q} <= {Idle, 1'b0};
      endcase
    end
  end

  core_outbox #(
      .Lanes(Codes),
      .Words(PacketWords)
  ) i_outbox (
      .clk_i,
      .rst_ni,
      .s_axis_tdata,
      .s_axis_tvalid,
      .s_axis_tready,
      .s_axis_tlast,
      .cut_off_i   (lose),
      .words_o     (packet_words_o),
      .cut_o,
      .word_valid_i(word_valid),
      .word_ready_o(word_ready),
      .word_i      (word),
      .bytes_i     (word_bytes),
      .packet_i    (state_q == Packet),
      .last_i      (word_last),
      .valid_o,
      .ready_i,
      .data_o,
      .last_o
  );

`ifndef SYNTHESIS
  a_idle :
  assert property (@(posedge clk_i) disable iff (!rst_ni) state_q != Run |-> !m_axis_tvalid && !s_axis_tvalid);
  a_load :
  assert property (@(posedge clk_i) disable iff (!rst_ni) state_q != Take |-> !load_valid_o);
`endif
endmodule
