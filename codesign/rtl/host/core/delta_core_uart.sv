// SPDX-License-Identifier: Apache-2.0
// Function:   the delta core on a serial port, 8N1: a host loads a network and sends frames of it, see docs/board.md
// Latency:    that of board_uart_rx, core_link and delta_core, one after the other
// Throughput: one packet at a time
// Timing:     registered at rx_i and tx_o
// Reset:      no network
// Model:      codesign.host.link
// On the line a code has 16 bits or 8, a sum 32, whatever the core's own widths are. LEDs, from bit 0 on: a byte comes in,
// a byte goes out, a frame runs, the last image was refused, there is a network, and the low bits of the frames since reset.
module delta_core_uart
  import core_pkg::*;
#(
    parameter bit Skip = 1'b1,  // 0: every element is an event (the dense baseline)
    parameter int unsigned ClockHz = 25_000_000,
    parameter int unsigned Baud = 1_000_000,
    parameter int unsigned FrameWords = HasMemory ? 8192 : 2048,  // most 32-bit words of a frame on the line
    parameter int unsigned PacketWords = 512   // most sums of a packet
) (
    input  logic                    clk_i,
    input  logic                    rst_ni,
    input  logic                    rx_i,
    output logic                    tx_o,
    output logic             [31:0] m_axi_araddr,
    output logic             [ 7:0] m_axi_arlen,
    output logic             [ 2:0] m_axi_arsize,
    output logic             [ 1:0] m_axi_arburst,
    output logic                    m_axi_arvalid,
    input  logic                    m_axi_arready,
    input  logic   [MemoryBits-1:0] m_axi_rdata,
    input  logic             [ 1:0] m_axi_rresp,
    input  logic                    m_axi_rlast,
    input  logic                    m_axi_rvalid,
    output logic                    m_axi_rready,
    output logic             [31:0] m_axi_awaddr,
    output logic             [ 7:0] m_axi_awlen,
    output logic             [ 2:0] m_axi_awsize,
    output logic             [ 1:0] m_axi_awburst,
    output logic                    m_axi_awvalid,
    input  logic                    m_axi_awready,
    output logic   [MemoryBits-1:0] m_axi_wdata,
    output logic [MemoryBits/8-1:0] m_axi_wstrb,
    output logic                    m_axi_wlast,
    output logic                    m_axi_wvalid,
    input  logic                    m_axi_wready,
    input  logic             [ 1:0] m_axi_bresp,
    input  logic                    m_axi_bvalid,
    output logic                    m_axi_bready,
    output logic              [7:0] led_o
);
  if (CodeBits > 16 || SumBits > 32) begin : g_bad
    $error("delta_core_uart: codes of at most 16 bits, sums of at most 32");
  end

  // verilator lint_off PINCONNECTEMPTY
  logic rx_valid, tx_valid, tx_ready, answer_valid, answer_ready, answer_last;
  logic [7:0] rx_data, tx_data, answer, status;
  logic [2:0] frames_q;
  // verilator lint_off UNUSEDSIGNAL
  logic [Quantisers-1:0][15:0] frame_codes;  // a core may take fewer bits
  // verilator lint_on UNUSEDSIGNAL
  logic frame_tvalid, frame_tready, frame_tlast, frame_tuser;
  logic [Quantisers-1:0][CodeBits-1:0] frame_tdata;
  logic packet_tvalid, packet_tready, packet_tlast;
  logic [Quantisers-1:0][SumBits-1:0] packet_tdata;
  logic [Quantisers-1:0][31:0] packet_words;
  logic load_forget, load_valid, load_ready, load_last, loaded, cut, restart;
  logic [31:0] load_data, load_crc, design_id, beats, probe, register_data, read_data;
  logic [3:0] load_error;
  logic [1:0] error;
  logic [15:0] packet_size;
  logic read, write, read_valid, written, frame_done;
  logic [12:2] address;

  assign led_o = {frames_q, loaded, load_error != '0, probe[3], !tx_o, !rx_i};
  always_ff @(posedge clk_i) frames_q <= restart ? '0 : frames_q + 3'(frame_done);
  for (genvar i = 0; i < int'(Quantisers); i++) begin : g_lane
    assign frame_tdata[i]  = frame_codes[i][CodeBits-1:0];
    assign packet_words[i] = 32'($signed(packet_tdata[i]));
  end

  board_uart_rx #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) i_uart_rx (
      .clk_i,
      .rst_ni,
      .rx_i,
      .valid_o(rx_valid),
      .data_o (rx_data),
      .error_o()
  );

  board_uart_tx #(
      .ClockHz(ClockHz),
      .Baud(Baud)
  ) i_uart_tx (
      .clk_i,
      .rst_ni,
      .valid_i(tx_valid),
      .ready_o(tx_ready),
      .data_i (tx_data),
      .tx_o
  );

  board_hdlc_tx i_hdlc_tx (
      .clk_i,
      .rst_ni,
      .valid_i(answer_valid),
      .ready_o(answer_ready),
      .data_i (answer),
      .last_i (answer_last),
      .valid_o(tx_valid),
      .ready_i(tx_ready),
      .data_o (tx_data)
  );

  core_link #(
      .Codes(Quantisers),
      .FrameWords(FrameWords),
      .PacketWords(PacketWords)
  ) i_link (
      .clk_i,
      .rst_ni,
      .valid_i       (rx_valid),
      .data_i        (rx_data),
      .valid_o       (answer_valid),
      .ready_i       (answer_ready),
      .data_o        (answer),
      .last_o        (answer_last),
      .m_axis_tdata  (frame_codes),
      .m_axis_tvalid (frame_tvalid),
      .m_axis_tready (frame_tready),
      .m_axis_tlast  (frame_tlast),
      .m_axis_tuser  (frame_tuser),
      .s_axis_tdata  (packet_words),
      .s_axis_tvalid (packet_tvalid),
      .s_axis_tready (packet_tready),
      .s_axis_tlast  (packet_tlast),
      .frame_i       (frame_done),
      .load_forget_o (load_forget),
      .load_valid_o  (load_valid),
      .load_ready_i  (load_ready),
      .load_data_o   (load_data),
      .load_last_o   (load_last),
      .loaded_i      (loaded),
      .load_error_i  (load_error),
      .load_crc_i    (load_crc),
      .beats_i       (beats),
      .read_o        (read),
      .write_o       (write),
      .address_o     (address),
      .write_data_o  (register_data),
      .read_valid_i  (read_valid),
      .read_data_i   (read_data),
      .written_i     (written),
      .resetting_i   (restart),
      .status_i      (status),
      .packet_words_o(packet_size),
      .cut_o         (cut)
  );

  core_registers #(
      .ClockHz(ClockHz),
      .FrameWords(FrameWords),
      .PacketWords(PacketWords),
      .Skip(Skip)
  ) i_registers (
      .clk_i,
      .rst_ni,
      .read_i        (read),
      .write_i       (write),
      .address_i     (address),
      .data_i        (register_data),
      .read_valid_o  (read_valid),
      .read_data_o   (read_data),
      .written_o     (written),
      .restart_o     (restart),
      .forget_o      (),
      .frame_o       (frame_done),
      .status_o      (status),
      .probe_i       (probe),
      .error_i       (error),
      .loaded_i      (loaded),
      .load_error_i  (load_error),
      .load_crc_i    (load_crc),
      .design_id_i   (design_id),
      .beats_i       (beats),
      .packet_words_i(packet_size),
      .cut_i         (cut)
  );

  delta_core i_core (
      .clk_i,
      .rst_ni,
      .restart_i    (restart),
      .skip_i       (Skip),
      .load_forget_i(load_forget),
      .load_valid_i (load_valid),
      .load_ready_o (load_ready),
      .load_data_i  (load_data),
      .load_last_i  (load_last),
      .loaded_o     (loaded),
      .load_error_o (load_error),
      .load_crc_o   (load_crc),
      .design_id_o  (design_id),
      .beats_o      (beats),
      .s_axis_tdata (frame_tdata),
      .s_axis_tvalid(frame_tvalid),
      .s_axis_tready(frame_tready),
      .s_axis_tlast (frame_tlast),
      .s_axis_tuser (frame_tuser),
      .m_axis_tvalid(packet_tvalid),
      .m_axis_tready(packet_tready),
      .m_axis_tdata (packet_tdata),
      .m_axis_tlast (packet_tlast),
      .m_axi_araddr,
      .m_axi_arlen,
      .m_axi_arsize,
      .m_axi_arburst,
      .m_axi_arvalid,
      .m_axi_arready,
      .m_axi_rdata,
      .m_axi_rresp,
      .m_axi_rlast,
      .m_axi_rvalid,
      .m_axi_rready,
      .m_axi_awaddr,
      .m_axi_awlen,
      .m_axi_awsize,
      .m_axi_awburst,
      .m_axi_awvalid,
      .m_axi_awready,
      .m_axi_wdata,
      .m_axi_wstrb,
      .m_axi_wlast,
      .m_axi_wvalid,
      .m_axi_wready,
      .m_axi_bresp,
      .m_axi_bvalid,
      .m_axi_bready,
      .error_o      (error),
      .probe_o      (probe)
  );
  // verilator lint_on PINCONNECTEMPTY
endmodule
