// SPDX-License-Identifier: Apache-2.0
// The SDRAM controller with the pads of an ECP5 and a chip, for its bench; if Crossing, at a clock of its own.
module sdram_top #(
    parameter int unsigned ClockMhz = 100,
    parameter int unsigned CasLatency = 2,
    parameter int unsigned StartNs = 200_000,
    parameter int unsigned PadCycles = 2,
    parameter int unsigned ClockPs = 10_000,
    parameter bit Crossing = 1'b0
) (
    input  logic        clk_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic        sdram_clk_i,    // if Crossing
    // verilator lint_on UNUSEDSIGNAL
    input  logic        rst_ni,
    input  logic [24:0] s_axi_araddr,
    input  logic [ 7:0] s_axi_arlen,
    input  logic        s_axi_arvalid,
    output logic        s_axi_arready,
    output logic [31:0] s_axi_rdata,
    output logic        s_axi_rlast,
    output logic        s_axi_rvalid,
    input  logic        s_axi_rready,
    input  logic [24:0] s_axi_awaddr,
    input  logic [ 7:0] s_axi_awlen,
    input  logic        s_axi_awvalid,
    output logic        s_axi_awready,
    input  logic [31:0] s_axi_wdata,
    input  logic        s_axi_wlast,
    input  logic        s_axi_wvalid,
    output logic        s_axi_wready,
    output logic        s_axi_bvalid,
    input  logic        s_axi_bready
);
  logic ras, cas, we, masked, drive;
  logic [1:0] ba;
  logic [12:0] a;
  logic [15:0] to_chip, from_chip;
  logic sdram_clk, sdram_cke, sdram_csn, sdram_rasn, sdram_casn, sdram_wen;
  logic [1:0] sdram_ba, sdram_dqm;
  logic [12:0] sdram_a;
  wire [15:0] sdram_d;

  logic clk, rst_n;  // of the controller
  logic [24:0] araddr, awaddr;
  logic [31:0] rdata, wdata;
  logic [7:0] arlen, awlen;
  logic arvalid, arready, rlast, rvalid, rready, awvalid, awready, wlast, wvalid, wready, bvalid, bready;
  if (Crossing) begin : g_crossing
    assign clk = sdram_clk_i;
    sdram_crossing i_crossing (
        .clk_i,
        .rst_ni,
        .s_axi_araddr,
        .s_axi_arlen,
        .s_axi_arvalid,
        .s_axi_arready,
        .s_axi_rdata,
        .s_axi_rlast,
        .s_axi_rvalid,
        .s_axi_rready,
        .s_axi_awaddr,
        .s_axi_awlen,
        .s_axi_awvalid,
        .s_axi_awready,
        .s_axi_wdata,
        .s_axi_wlast,
        .s_axi_wvalid,
        .s_axi_wready,
        .s_axi_bvalid,
        .s_axi_bready,
        .sdram_clk_i,
        .sdram_rst_no (rst_n),
        .m_axi_araddr (araddr),
        .m_axi_arlen  (arlen),
        .m_axi_arvalid(arvalid),
        .m_axi_arready(arready),
        .m_axi_rdata  (rdata),
        .m_axi_rlast  (rlast),
        .m_axi_rvalid (rvalid),
        .m_axi_rready (rready),
        .m_axi_awaddr (awaddr),
        .m_axi_awlen  (awlen),
        .m_axi_awvalid(awvalid),
        .m_axi_awready(awready),
        .m_axi_wdata  (wdata),
        .m_axi_wlast  (wlast),
        .m_axi_wvalid (wvalid),
        .m_axi_wready (wready),
        .m_axi_bvalid (bvalid),
        .m_axi_bready (bready)
    );
  end else begin : g_one_clock
    assign clk = clk_i;
    assign rst_n = rst_ni;
    assign {araddr, arlen, arvalid, s_axi_arready} = {s_axi_araddr, s_axi_arlen, s_axi_arvalid, arready};
    assign {s_axi_rdata, s_axi_rlast, s_axi_rvalid, rready} = {rdata, rlast, rvalid, s_axi_rready};
    assign {awaddr, awlen, awvalid, s_axi_awready} = {s_axi_awaddr, s_axi_awlen, s_axi_awvalid, awready};
    assign {wdata, wlast, wvalid, s_axi_wready} = {s_axi_wdata, s_axi_wlast, s_axi_wvalid, wready};
    assign {s_axi_bvalid, bready} = {bvalid, s_axi_bready};
  end

  sdram_controller #(
      .ClockMhz(ClockMhz),
      .CasLatency(CasLatency),
      .StartNs(StartNs),
      .PadCycles(PadCycles)
  ) i_controller (
      .clk_i        (clk),
      .rst_ni       (rst_n),
      .s_axi_araddr (araddr),
      .s_axi_arlen  (arlen),
      .s_axi_arvalid(arvalid),
      .s_axi_arready(arready),
      .s_axi_rdata  (rdata),
      .s_axi_rlast  (rlast),
      .s_axi_rvalid (rvalid),
      .s_axi_rready (rready),
      .s_axi_awaddr (awaddr),
      .s_axi_awlen  (awlen),
      .s_axi_awvalid(awvalid),
      .s_axi_awready(awready),
      .s_axi_wdata  (wdata),
      .s_axi_wlast  (wlast),
      .s_axi_wvalid (wvalid),
      .s_axi_wready (wready),
      .s_axi_bvalid (bvalid),
      .s_axi_bready (bready),
      .ras_o        (ras),
      .cas_o        (cas),
      .we_o         (we),
      .ba_o         (ba),
      .a_o          (a),
      .dqm_o        (masked),
      .dq_o         (to_chip),
      .dq_oe_o      (drive),
      .dq_i         (from_chip)
  );

  sdram_pads_ecp5 i_pads (
      .clk_i     (clk),
      .chip_clk_i(clk),
      .ras_i     (ras),
      .cas_i     (cas),
      .we_i      (we),
      .ba_i      (ba),
      .a_i       (a),
      .dqm_i     (masked),
      .dq_i      (to_chip),
      .dq_oe_i   (drive),
      .dq_o      (from_chip),
      .sdram_clk,
      .sdram_cke,
      .sdram_csn,
      .sdram_rasn,
      .sdram_casn,
      .sdram_wen,
      .sdram_ba,
      .sdram_a,
      .sdram_dqm,
      .sdram_d
  );

  sdram_chip #(
      .ClockPs(longint'(ClockPs)),
      .StartPs(1000 * longint'(StartNs)),
      .Late(PadCycles == 2)
  ) i_chip (
      .clk (sdram_clk),
      .cke (sdram_cke),
      .csn (sdram_csn),
      .rasn(sdram_rasn),
      .casn(sdram_casn),
      .wen (sdram_wen),
      .ba  (sdram_ba),
      .a   (sdram_a),
      .dqm (sdram_dqm),
      .dq  (sdram_d)
  );
endmodule
