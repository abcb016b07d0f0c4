// SPDX-License-Identifier: Apache-2.0
// The SDRAM controller with the pads of an ECP5 and a chip, for its bench.
module sdram_top #(
    parameter int unsigned ClockMhz = 100,
    parameter int unsigned CasLatency = 2,
    parameter int unsigned StartNs = 200_000,
    parameter int unsigned PadCycles = 2,
    parameter int unsigned ClockPs = 10_000
) (
    input  logic        clk_i,
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

  sdram_controller #(
      .ClockMhz(ClockMhz),
      .CasLatency(CasLatency),
      .StartNs(StartNs),
      .PadCycles(PadCycles)
  ) i_controller (
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
      .ras_o  (ras),
      .cas_o  (cas),
      .we_o   (we),
      .ba_o   (ba),
      .a_o    (a),
      .dqm_o  (masked),
      .dq_o   (to_chip),
      .dq_oe_o(drive),
      .dq_i   (from_chip)
  );

  sdram_pads_ecp5 i_pads (
      .clk_i,
      .chip_clk_i(clk_i),
      .ras_i  (ras),
      .cas_i  (cas),
      .we_i   (we),
      .ba_i   (ba),
      .a_i    (a),
      .dqm_i  (masked),
      .dq_i   (to_chip),
      .dq_oe_i(drive),
      .dq_o   (from_chip),
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
