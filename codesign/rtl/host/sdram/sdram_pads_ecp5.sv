// SPDX-License-Identifier: Apache-2.0
// Function:   the pads between sdram_controller and the chip on an ECP5: a flip-flop in each, and the chip's clock
// Latency:    1 cycle out, 1 cycle in: PadCycles = 2
// Throughput: a word per cycle
// Timing:     registered both ways, in the IO cells
// Reset:      none: the controller's outputs are reset, and there is no command after the configuration
// Model:      rtl_tests.bench_sdram.Memory
// The chip's clock is chip_clk_i inverted, by a DDR cell in a pad like the others. With chip_clk_i = clk_i, what
// leaves at a rising edge of clk_i is at the chip half a cycle before its edge and stays for half a cycle after it,
// however slow the pads are. What the chip sends comes tAC after its edge, and is taken at the second rising edge of
// clk_i, 1.5 cycles after it. So if the clock out and the data back take d together, tAC + d must be below 1.5 cycles,
// and tOH + d above half a cycle: docs/sdram.md says what d may be. Another phase, from a PLL, moves both limits.
module sdram_pads_ecp5 (
    input  logic        clk_i,
    input  logic        chip_clk_i,
    input  logic        ras_i,
    input  logic        cas_i,
    input  logic        we_i,
    input  logic [ 1:0] ba_i,
    input  logic [12:0] a_i,
    input  logic        dqm_i,
    input  logic [15:0] dq_i,
    input  logic        dq_oe_i,
    output logic [15:0] dq_o,
    output logic        sdram_clk,
    output logic        sdram_cke,
    output logic        sdram_csn,
    output logic        sdram_rasn,
    output logic        sdram_casn,
    output logic        sdram_wen,
    output logic [ 1:0] sdram_ba,
    output logic [12:0] sdram_a,
    output logic [ 1:0] sdram_dqm,
    inout  wire  [15:0] sdram_d
);
  assign sdram_cke = 1'b1;
  assign sdram_csn = 1'b0;

  ODDRX1F i_clock (
      .SCLK(chip_clk_i),
      .RST (1'b0),
      .D0  (1'b0),
      .D1  (1'b1),
      .Q   (sdram_clk)
  );

  localparam int unsigned Outputs = 3 + 2 + 13 + 2;
  logic [Outputs-1:0] from, to;
  assign from = {!ras_i, !cas_i, !we_i, ba_i, a_i, {2{dqm_i}}};
  assign {sdram_rasn, sdram_casn, sdram_wen, sdram_ba, sdram_a, sdram_dqm} = to;
  for (genvar i = 0; i < int'(Outputs); i++) begin : g_output
    OFS1P3BX #(  // begins with 1: no command
        .GSR("DISABLED")
    ) i_register (
        .D   (from[i]),
        .SP  (1'b1),
        .SCLK(clk_i),
        .PD  (1'b0),
        .Q   (to[i])
    );
  end

  for (genvar i = 0; i < 16; i++) begin : g_data
    logic out, off, pad, late;
    OFS1P3DX #(
        .GSR("DISABLED")
    ) i_out (
        .D   (dq_i[i]),
        .SP  (1'b1),
        .SCLK(clk_i),
        .CD  (1'b0),
        .Q   (out)
    );
    OFS1P3BX #(
        .GSR("DISABLED")
    ) i_off (
        .D   (!dq_oe_i),
        .SP  (1'b1),
        .SCLK(clk_i),
        .PD  (1'b0),
        .Q   (off)
    );
    BB i_pad (
        .I(out),
        .T(off),
        .O(pad),
        .B(sdram_d[i])
    );
    DELAYG #(
        .DEL_MODE("SCLK_ZEROHOLD")
    ) i_delay (
        .A(pad),
        .Z(late)
    );
    IFS1P3DX #(
        .GSR("DISABLED")
    ) i_in (
        .D   (late),
        .SP  (1'b1),
        .SCLK(clk_i),
        .CD  (1'b0),
        .Q   (dq_o[i])
    );
  end
endmodule
