// SPDX-License-Identifier: Apache-2.0
// What a core asks of its memory, core_memory, with the SDRAM controller, the pads of an ECP5 and a chip; if
// Crossing, these are at a clock of their own.
module core_sdram_top
  import core_pkg::*;
#(
    parameter int unsigned Readers = 4,
    parameter int unsigned Writers = 3,
    parameter int unsigned ClockMhz = 100,
    parameter int unsigned CasLatency = 2,
    parameter int unsigned StartNs = 2000,
    parameter int unsigned ClockPs = 10_000,
    parameter bit Crossing = 1'b0
) (
    input  logic                                      clk_i,
    input  logic                                      sdram_clk_i,
    input  logic                                      rst_ni,
    input  logic                                      restart_i,
    input  logic [Readers-1:0]                        read_valid_i,
    output logic [Readers-1:0]                        read_ready_o,
    input  logic [Readers-1:0][MemoryAddressBits-1:0] read_address_i,
    input  logic [Readers-1:0][                  7:0] read_beats_i,
    output logic [Readers-1:0]                        data_valid_o,
    output logic [                    MemoryBits-1:0] data_o,
    output logic                                      data_last_o,
    input  logic [Writers-1:0]                        write_valid_i,
    output logic [Writers-1:0]                        write_ready_o,
    input  logic [Writers-1:0][MemoryAddressBits-1:0] write_address_i,
    input  logic [Writers-1:0][                  7:0] write_beats_i,
    input  logic [Writers-1:0][       MemoryBits-1:0] write_data_i,
    input  logic [Writers-1:0]                        write_last_i,
    output logic                                      idle_o,
    output logic                                      silent_o,
    output logic                                      error_o
);
  // verilator lint_off UNUSEDSIGNAL
  logic [31:0] araddr, awaddr;
  // verilator lint_on UNUSEDSIGNAL
  logic [31:0] rdata, wdata;
  logic [7:0] arlen, awlen;
  logic arvalid, arready, rlast, rvalid, rready, awvalid, awready, wlast, wvalid, wready, bvalid, bready;

  core_memory #(
      .Readers(Readers),
      .Writers(Writers)
  ) i_memory (
      .clk_i,
      .rst_ni,
      .restart_i,
      .read_valid_i,
      .read_ready_o,
      .read_address_i,
      .read_beats_i,
      .data_valid_o,
      .data_o,
      .data_last_o,
      .write_valid_i,
      .write_ready_o,
      .write_address_i,
      .write_beats_i,
      .write_data_i,
      .write_last_i,
      .idle_o,
      .silent_o,
      .error_o,
      .m_axi_araddr (araddr),
      .m_axi_arlen  (arlen),
      .m_axi_arsize (),
      .m_axi_arburst(),
      .m_axi_arvalid(arvalid),
      .m_axi_arready(arready),
      .m_axi_rdata  (rdata),
      .m_axi_rresp  ('0),
      .m_axi_rlast  (rlast),
      .m_axi_rvalid (rvalid),
      .m_axi_rready (rready),
      .m_axi_awaddr (awaddr),
      .m_axi_awlen  (awlen),
      .m_axi_awsize (),
      .m_axi_awburst(),
      .m_axi_awvalid(awvalid),
      .m_axi_awready(awready),
      .m_axi_wdata  (wdata),
      .m_axi_wstrb  (),
      .m_axi_wlast  (wlast),
      .m_axi_wvalid (wvalid),
      .m_axi_wready (wready),
      .m_axi_bresp  ('0),
      .m_axi_bvalid (bvalid),
      .m_axi_bready (bready)
  );

  sdram_top #(
      .ClockMhz(ClockMhz),
      .CasLatency(CasLatency),
      .StartNs(StartNs),
      .ClockPs(ClockPs),
      .Crossing(Crossing)
  ) i_sdram (
      .clk_i,
      .sdram_clk_i,
      .rst_ni,
      .s_axi_araddr (araddr[24:0]),
      .s_axi_arlen  (arlen),
      .s_axi_arvalid(arvalid),
      .s_axi_arready(arready),
      .s_axi_rdata  (rdata),
      .s_axi_rlast  (rlast),
      .s_axi_rvalid (rvalid),
      .s_axi_rready (rready),
      .s_axi_awaddr (awaddr[24:0]),
      .s_axi_awlen  (awlen),
      .s_axi_awvalid(awvalid),
      .s_axi_awready(awready),
      .s_axi_wdata  (wdata),
      .s_axi_wlast  (wlast),
      .s_axi_wvalid (wvalid),
      .s_axi_wready (wready),
      .s_axi_bvalid (bvalid),
      .s_axi_bready (bready)
  );
endmodule
