// SPDX-License-Identifier: Apache-2.0
// The SDRAM controller and its pads, with an AXI4 side that is shifted in and out.
module sdram_probe (
    input  wire        clk_pad,
    input  wire        rx_pad,
    output wire        tx_pad,
    output wire        sdram_clk,
    output wire        sdram_cke,
    output wire        sdram_csn,
    output wire        sdram_rasn,
    output wire        sdram_casn,
    output wire        sdram_wen,
    output wire [ 1:0] sdram_ba,
    output wire [12:0] sdram_a,
    output wire [ 1:0] sdram_dqm,
    inout  wire [15:0] sdram_d
);
  wire clk, chip_clk, locked;
  // The PLL comes here.

  logic [103:0] in_q;
  logic [37:0] out_q, out;
  logic ras, cas, we, masked, drive;
  logic [1:0] ba;
  logic [12:0] a;
  logic [15:0] to_chip, from_chip;

  assign tx_pad = out_q[0];
  always_ff @(posedge clk) begin
    in_q  <= {in_q[102:0], rx_pad};
    out_q <= in_q[103] ? out : out_q >> 1;
  end

  sdram_controller i_controller (
      .clk_i        (clk),
      .rst_ni       (in_q[0] && locked),
      .s_axi_araddr (in_q[25:1]),
      .s_axi_arlen  (in_q[33:26]),
      .s_axi_arvalid(in_q[34]),
      .s_axi_arready(out[0]),
      .s_axi_rdata  (out[32:1]),
      .s_axi_rlast  (out[33]),
      .s_axi_rvalid (out[34]),
      .s_axi_rready (in_q[35]),
      .s_axi_awaddr (in_q[60:36]),
      .s_axi_awlen  (in_q[68:61]),
      .s_axi_awvalid(in_q[69]),
      .s_axi_awready(out[35]),
      .s_axi_wdata  (in_q[101:70]),
      .s_axi_wlast  (1'b0),
      .s_axi_wvalid (in_q[102]),
      .s_axi_wready (out[36]),
      .s_axi_bvalid (out[37]),
      .s_axi_bready (in_q[103]),
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
      .chip_clk_i(chip_clk),
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
endmodule
