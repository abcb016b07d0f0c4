// SPDX-License-Identifier: Apache-2.0
// Function:   keeps the last AXI4-Stream packet, of up to Words words of 32 bits, and sends words as bytes, lowest byte
//             first: the low bytes_i bytes of word_i, or with packet_i the whole packet. last_o marks the last byte of a
//             word sent with last_i. words_o: of the packet that is kept; cut_o: it had more, which are gone
// Latency:    2 cycles from an accepted word to its first byte, 4 from the packet
// Throughput: 1 byte per cycle, a pause of 3 cycles before each word of the packet; 1 beat in Lanes cycles
// Timing:     all outputs are registers but word_ready_o, which depends on registers only
// Reset:      nothing under way; the packet is kept, but its next beat is taken for the first, as with cut_off_i
// Model:      rtl_tests.bench_core_outbox.Outbox
// Costs Words words of block RAM. It does not frame: board_hdlc_tx does.
module core_outbox #(
    parameter int unsigned Lanes = 2,  // words of a beat; a power of two
    parameter int unsigned Words = 4   // a power of two, at least a beat
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    input  logic [32*Lanes-1:0] s_axis_tdata,
    input  logic                s_axis_tvalid,
    output logic                s_axis_tready,
    input  logic                cut_off_i,      // no more of this packet comes
    input  logic                s_axis_tlast,
    output logic [        15:0] words_o,
    output logic                cut_o,
    input  logic                word_valid_i,
    output logic                word_ready_o,
    input  logic [        31:0] word_i,
    input  logic [         2:0] bytes_i,        // 1 to 4
    input  logic                packet_i,
    input  logic                last_i,
    output logic                valid_o,
    input  logic                ready_i,
    output logic [         7:0] data_o,
    output logic                last_o
);
  localparam int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1;
  localparam int unsigned WordBits = $clog2(Words);
  if (Lanes != 1 << $clog2(Lanes) || Words != 1 << $clog2(Words) || Words < 2 || Words < Lanes || Words > 8192) begin : g_bad
    $error("core_outbox: Lanes and Words must be powers of two, at least 2 words and a beat, at most 8192 words");
  end

  (* no_rw_check, ram_style = "block" *) logic [31:0] memory[Words];

  // The packet, word by word.
  logic [31:0] lanes[Lanes];
  logic [LaneBits-1:0] lane_q;
  logic [WordBits:0] write_q;  // stops at Words
  logic last_lane, full;
  for (genvar i = 0; i < int'(Lanes); i++) begin : g_lane
    assign lanes[i] = s_axis_tdata[32*i+:32];
  end
  assign last_lane = lane_q == LaneBits'(Lanes - 1);
  assign full = write_q[WordBits];
  always_ff @(posedge clk_i) begin
    if (s_axis_tvalid && !full) memory[write_q[WordBits-1:0]] <= lanes[lane_q];
    if (s_axis_tvalid) begin
      words_o <= 16'(write_q) + 16'(!full);
      cut_o   <= full;
    end
    if (!rst_ni || cut_off_i) begin
      {lane_q, write_q} <= '0;
      s_axis_tready <= Lanes == 1;
    end else if (s_axis_tvalid) begin
      s_axis_tready <= Lanes == 1 || lane_q == LaneBits'(Lanes - 2);
      lane_q <= last_lane ? '0 : lane_q + 1'b1;
      if (!full) write_q <= write_q + 1'b1;
      if (last_lane && s_axis_tlast) write_q <= '0;
    end
  end

  // Words of it, and words from outside.
  typedef enum logic [1:0] {
    Idle,
    Fetch,  // a word is read
    Pick,
    Bytes
  } state_t;
  state_t state_q;
  logic [WordBits-1:0] read_q;
  logic packet_q, last_q, last_word, one;
  logic [31:0] word_q, shift_q;
  logic [2:0] left_q;  // bytes after the one at the output

  always_ff @(posedge clk_i) word_q <= memory[read_q];
  assign word_ready_o = state_q == Idle;
  assign last_word = !packet_q || 16'(read_q) == words_o - 1'b1;
  assign one = left_q == '0;
  always_ff @(posedge clk_i) begin
    case (state_q)
      Idle: begin
        {packet_q, last_q} <= {packet_i, last_i};
        read_q  <= '0;
        shift_q <= word_i;
        left_q  <= bytes_i - 1'b1;
        if (word_valid_i) state_q <= packet_i ? Fetch : Bytes;
      end
      Fetch: state_q <= Pick;
      Pick: begin
        shift_q <= word_q;
        left_q  <= 3'd3;
        state_q <= Bytes;
      end
      default:
      if (!valid_o || ready_i) begin
        shift_q <= shift_q >> 8;
        left_q  <= left_q - 1'b1;
        data_o  <= shift_q[7:0];
        last_o  <= last_q && one && last_word;
        if (one) begin
          state_q <= last_word ? Idle : Fetch;
          read_q  <= read_q + 1'b1;
        end
      end
    endcase
    if (!rst_ni) state_q <= Idle;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_o <= 1'b0;
    else if (!valid_o || ready_i) valid_o <= state_q == Bytes;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({data_o, last_o}));
`endif
endmodule
