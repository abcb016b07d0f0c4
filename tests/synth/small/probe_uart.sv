// SPDX-License-Identifier: Apache-2.0
// In place of a core in a board top: an AXI4 master whose signals are shifted in and out.
module probe_uart #(
    parameter bit Skip = 1'b1,
    parameter int unsigned ClockHz = 25_000_000,
    parameter int unsigned Baud = 1_000_000
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        rx_i,
    output logic        tx_o,
    output logic [31:0] m_axi_araddr,
    output logic [ 7:0] m_axi_arlen,
    output logic        m_axi_arvalid,
    input  logic        m_axi_arready,
    input  logic [31:0] m_axi_rdata,
    input  logic [ 1:0] m_axi_rresp,
    input  logic        m_axi_rlast,
    input  logic        m_axi_rvalid,
    output logic        m_axi_rready,
    output logic [31:0] m_axi_awaddr,
    output logic [ 7:0] m_axi_awlen,
    output logic        m_axi_awvalid,
    input  logic        m_axi_awready,
    output logic [31:0] m_axi_wdata,
    output logic        m_axi_wlast,
    output logic        m_axi_wvalid,
    input  logic        m_axi_wready,
    input  logic [ 1:0] m_axi_bresp,
    input  logic        m_axi_bvalid,
    output logic        m_axi_bready,
    output logic [ 7:0] led_o
);
  logic [117:0] in_q;
  logic [37:0] out_q;
  always_ff @(posedge clk_i) begin
    in_q <= {in_q[116:0], rx_i};
    out_q <= in_q[117] ? {m_axi_arready, m_axi_rdata, m_axi_rlast, m_axi_rvalid, m_axi_awready, m_axi_wready, m_axi_bvalid} :
        out_q >> 1;
    if (!rst_ni) {m_axi_arvalid, m_axi_awvalid, m_axi_wvalid} <= '0;
    else {m_axi_arvalid, m_axi_awvalid, m_axi_wvalid} <= in_q[2:0];
  end
  assign {m_axi_araddr, m_axi_arlen, m_axi_rready, m_axi_awaddr, m_axi_awlen} = in_q[80:0];
  assign {m_axi_wdata, m_axi_wlast, m_axi_bready} = in_q[114:81];
  assign {tx_o, led_o} = {out_q[0], 8'd0};
endmodule
