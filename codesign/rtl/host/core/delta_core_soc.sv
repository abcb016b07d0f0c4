// SPDX-License-Identifier: Apache-2.0
// Function:   the delta core in a system on chip: registers on AXI4-Lite, images, frames and packets as AXI4-Streams that a
//             DMA can carry, and its memory as an AXI4 master
// Latency:    a register is read or written in 6 cycles, a reset in 518; delta_core's for everything else
// Throughput: one access to a register at a time; delta_core's for everything else
// Timing:     s_axis_tready, s_axis_load_tready as those of delta_core; registers at all other outputs
// Reset:      no network
// Model:      codesign.core.interpret, codesign.core.registers
// A code has 16 bits on s_axis, a sum 32 on m_axis, whatever the core's own widths are. An image is a packet of
// s_axis_load, its last word with tlast; bit 1 of CONTROL forgets what has come of one. The first frame after a load or a
// reset starts a stream, as one does with tuser, or after a 1 was written to STREAM. A reset within a frame cuts its packet
// off. MEMORY has the region of the processor's memory that is the core's (bits 31..12 of its address, and bit 0: it is
// given); a write forgets the network. Nothing is read or written before it is given, and bit 1 is 0 once nothing is under
// way that began before it was taken back.
module delta_core_soc
  import core_pkg::*;
#(
    parameter bit Skip = 1'b1,  // 0: every element is an event (the dense baseline)
    parameter int unsigned ClockHz = 0  // readable at clock_hz; not used by the logic
) (
    input  logic                     clk_i,
    input  logic                     rst_ni,
    input  logic [Quantisers*16-1:0] s_axis_tdata,
    input  logic                     s_axis_tvalid,
    output logic                     s_axis_tready,
    input  logic                     s_axis_tlast,
    input  logic                     s_axis_tuser,
    output logic [Quantisers*32-1:0] m_axis_tdata,
    output logic                     m_axis_tvalid,
    input  logic                     m_axis_tready,
    output logic                     m_axis_tlast,
    input  logic [             31:0] s_axis_load_tdata,
    input  logic                     s_axis_load_tvalid,
    output logic                     s_axis_load_tready,
    input  logic                     s_axis_load_tlast,
    input  logic [             13:0] s_axil_awaddr,
    input  logic [              2:0] s_axil_awprot,
    input  logic                     s_axil_awvalid,
    output logic                     s_axil_awready,
    input  logic [             31:0] s_axil_wdata,
    input  logic [              3:0] s_axil_wstrb,
    input  logic                     s_axil_wvalid,
    output logic                     s_axil_wready,
    output logic [              1:0] s_axil_bresp,
    output logic                     s_axil_bvalid,
    input  logic                     s_axil_bready,
    input  logic [             13:0] s_axil_araddr,
    input  logic [              2:0] s_axil_arprot,
    input  logic                     s_axil_arvalid,
    output logic                     s_axil_arready,
    output logic [             31:0] s_axil_rdata,
    output logic [              1:0] s_axil_rresp,
    output logic                     s_axil_rvalid,
    input  logic                     s_axil_rready,
    output logic [             31:0] m_axi_araddr,
    output logic [              7:0] m_axi_arlen,
    output logic [              2:0] m_axi_arsize,
    output logic [              1:0] m_axi_arburst,
    output logic                     m_axi_arvalid,
    input  logic                     m_axi_arready,
    input  logic [   MemoryBits-1:0] m_axi_rdata,
    input  logic [              1:0] m_axi_rresp,
    input  logic                     m_axi_rlast,
    input  logic                     m_axi_rvalid,
    output logic                     m_axi_rready,
    output logic [             31:0] m_axi_awaddr,
    output logic [              7:0] m_axi_awlen,
    output logic [              2:0] m_axi_awsize,
    output logic [              1:0] m_axi_awburst,
    output logic                     m_axi_awvalid,
    input  logic                     m_axi_awready,
    output logic [   MemoryBits-1:0] m_axi_wdata,
    output logic [ MemoryBits/8-1:0] m_axi_wstrb,
    output logic                     m_axi_wlast,
    output logic                     m_axi_wvalid,
    input  logic                     m_axi_wready,
    input  logic [              1:0] m_axi_bresp,
    input  logic                     m_axi_bvalid,
    output logic                     m_axi_bready
);
  if (CodeBits > 16 || SumBits > 32) begin : g_bad
    $error("delta_core_soc: codes of at most 16 bits, sums of at most 32");
  end
  localparam int unsigned Unlimited = 32'h7FFF_FFFF;  // words of a frame, of a packet: nothing is kept here

  // Widths of the streams.
  // verilator lint_off UNUSEDSIGNAL
  logic [Quantisers-1:0][15:0] codes;  // a core may take fewer bits
  // verilator lint_on UNUSEDSIGNAL
  logic [Quantisers-1:0][CodeBits-1:0] frame_tdata;
  logic [Quantisers-1:0][SumBits-1:0] packet_tdata;
  assign codes = s_axis_tdata;
  for (genvar i = 0; i < int'(Quantisers); i++) begin : g_lane
    assign frame_tdata[i] = codes[i][CodeBits-1:0];
    assign m_axis_tdata[i*32+:32] = 32'($signed(packet_tdata[i]));
  end

  // The registers: one access at a time.
  delta_core_registers_pkg::delta_core_registers__in_t hwif_in;
  // verilator lint_off UNUSEDSIGNAL
  delta_core_registers_pkg::delta_core_registers__out_t hwif_out;  // no byte enables, no bytes of an address
  // verilator lint_on UNUSEDSIGNAL
  logic read_q, write_q, read_valid, written;
  logic [12:2] address_q;
  logic [31:0] data_q, read_data;
  always_ff @(posedge clk_i) begin
    read_q  <= rst_ni && hwif_out.map.req && !hwif_out.map.req_is_wr;
    write_q <= rst_ni && hwif_out.map.req && hwif_out.map.req_is_wr;
    if (hwif_out.map.req) {address_q, data_q} <= {hwif_out.map.addr[12:2], hwif_out.map.wr_data};
  end
  assign hwif_in.map.rd_ack = read_valid;
  assign hwif_in.map.rd_data = read_data;
  assign hwif_in.map.wr_ack = written;

  delta_core_registers i_map (
      .clk(clk_i),
      .rst_n(rst_ni),
      .s_axil_awready,
      .s_axil_awvalid,
      .s_axil_awaddr,
      .s_axil_awprot,
      .s_axil_wready,
      .s_axil_wvalid,
      .s_axil_wdata,
      .s_axil_wstrb,
      .s_axil_bready,
      .s_axil_bvalid,
      .s_axil_bresp,
      .s_axil_arready,
      .s_axil_arvalid,
      .s_axil_araddr,
      .s_axil_arprot,
      .s_axil_rready,
      .s_axil_rvalid,
      .s_axil_rdata,
      .s_axil_rresp,
      .hwif_in,
      .hwif_out
  );

  logic restart, forget, forget_asked, loaded, frame_tready, load_ready;
  logic [3:0] load_error;
  logic [1:0] error;
  logic [15:0] packet_words_q, words_q;
  logic [31:0] load_crc, design_id, beats, probe;
  // verilator lint_off PINCONNECTEMPTY
  core_registers #(
      .ClockHz(ClockHz),
      .FrameWords(Unlimited),
      .PacketWords(Unlimited),
      .Skip(Skip)
  ) i_registers (
      .clk_i,
      .rst_ni,
      .read_i(read_q),
      .write_i(write_q),
      .address_i(address_q),
      .data_i(data_q),
      .read_valid_o(read_valid),
      .read_data_o(read_data),
      .written_o(written),
      .restart_o(restart),
      .forget_o(forget_asked),
      .frame_o(),
      .status_o(),
      .probe_i(probe),
      .error_i(error),
      .loaded_i(loaded),
      .load_error_i(load_error),
      .load_crc_i(load_crc),
      .design_id_i(design_id),
      .beats_i(beats),
      .packet_words_i(packet_words_q),
      .cut_i(1'b0)
  );
  // verilator lint_on PINCONNECTEMPTY

  always_ff @(posedge clk_i) begin
    if (m_axis_tvalid && m_axis_tready) begin
      words_q <= m_axis_tlast ? 16'(Quantisers) : words_q + 16'(Quantisers);
      if (m_axis_tlast) packet_words_q <= words_q;
    end
    if (!rst_ni || restart) words_q <= 16'(Quantisers);
  end

  // A stream that was asked for begins with the next frame.
  logic first_q, between_q;
  always_ff @(posedge clk_i) begin
    if (s_axis_tvalid && s_axis_tready) begin
      between_q <= s_axis_tlast;
      if (between_q) first_q <= 1'b0;
    end
    if (hwif_out.stream.first.value) first_q <= 1'b1;
    if (!rst_ni || restart) {first_q, between_q} <= 2'b01;
  end

  // The memory outside lies in a region of the processor's.
  logic [1:0] busy;
  logic ar_valid, ar_ready, aw_valid, aw_ready;
  logic [31:0] ar_address, aw_address;
  logic [7:0] ar_length, aw_length;
  assign hwif_in.memory.busy.next = busy != '0;
  always_ff @(posedge clk_i) forget <= forget_asked || hwif_out.memory.base.swmod;
  if (HasMemory) begin : g_memory
    core_region i_reads (
        .clk_i,
        .rst_ni,
        .base_i   (hwif_out.memory.base.value),
        .given_i  (hwif_out.memory.given.value),
        .busy_o   (busy[0]),
        .valid_i  (ar_valid),
        .ready_o  (ar_ready),
        .address_i(ar_address),
        .length_i (ar_length),
        .valid_o  (m_axi_arvalid),
        .ready_i  (m_axi_arready),
        .address_o(m_axi_araddr),
        .length_o (m_axi_arlen),
        .done_i   (m_axi_rvalid && m_axi_rready && m_axi_rlast)
    );
    core_region i_writes (
        .clk_i,
        .rst_ni,
        .base_i   (hwif_out.memory.base.value),
        .given_i  (hwif_out.memory.given.value),
        .busy_o   (busy[1]),
        .valid_i  (aw_valid),
        .ready_o  (aw_ready),
        .address_i(aw_address),
        .length_i (aw_length),
        .valid_o  (m_axi_awvalid),
        .ready_i  (m_axi_awready),
        .address_o(m_axi_awaddr),
        .length_o (m_axi_awlen),
        .done_i   (m_axi_bvalid && m_axi_bready)
    );
  end else begin : g_no_memory
    assign {busy, ar_ready, aw_ready} = '0;
    assign {m_axi_arvalid, m_axi_araddr, m_axi_arlen} = {ar_valid, ar_address, ar_length};
    assign {m_axi_awvalid, m_axi_awaddr, m_axi_awlen} = {aw_valid, aw_address, aw_length};
  end

  // Nothing is begun within a reset; no word of an image comes with what forgets it.
  assign s_axis_tready = frame_tready && !restart;
  assign s_axis_load_tready = load_ready && !forget;

  delta_core i_core (
      .clk_i,
      .rst_ni,
      .restart_i(restart),
      .skip_i(Skip),
      .load_forget_i(forget),
      .load_valid_i(s_axis_load_tvalid && !forget),
      .load_ready_o(load_ready),
      .load_data_i(s_axis_load_tdata),
      .load_last_i(s_axis_load_tlast),
      .loaded_o(loaded),
      .load_error_o(load_error),
      .load_crc_o(load_crc),
      .design_id_o(design_id),
      .beats_o(beats),
      .s_axis_tdata(frame_tdata),
      .s_axis_tvalid(s_axis_tvalid && !restart),
      .s_axis_tready(frame_tready),
      .s_axis_tlast,
      .s_axis_tuser(s_axis_tuser || first_q),
      .m_axis_tdata(packet_tdata),
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tlast,
      .m_axi_araddr(ar_address),
      .m_axi_arlen(ar_length),
      .m_axi_arsize,
      .m_axi_arburst,
      .m_axi_arvalid(ar_valid),
      .m_axi_arready(ar_ready),
      .m_axi_rdata,
      .m_axi_rresp,
      .m_axi_rlast,
      .m_axi_rvalid,
      .m_axi_rready,
      .m_axi_awaddr(aw_address),
      .m_axi_awlen(aw_length),
      .m_axi_awsize,
      .m_axi_awburst,
      .m_axi_awvalid(aw_valid),
      .m_axi_awready(aw_ready),
      .m_axi_wdata,
      .m_axi_wstrb,
      .m_axi_wlast,
      .m_axi_wvalid,
      .m_axi_wready,
      .m_axi_bresp,
      .m_axi_bvalid,
      .m_axi_bready,
      .error_o(error),
      .probe_o(probe)
  );
endmodule
