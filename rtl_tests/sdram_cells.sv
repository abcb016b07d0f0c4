// SPDX-License-Identifier: Apache-2.0
// Models of the cells of an ECP5 in sdram_pads_ecp5: what they do with a clock, without their delays.

// verilator lint_off DECLFILENAME
// verilator lint_off PROCASSINIT
// verilator lint_off UNUSEDPARAM
// verilator lint_off UNUSEDSIGNAL
module OFS1P3BX #(
    parameter GSR = "ENABLED"
) (
    input  logic D,
    input  logic SP,
    input  logic SCLK,
    input  logic PD,
    output logic Q = 1'b1
);
  always_ff @(posedge SCLK) if (SP) Q <= D;
endmodule

module OFS1P3DX #(
    parameter GSR = "ENABLED"
) (
    input  logic D,
    input  logic SP,
    input  logic SCLK,
    input  logic CD,
    output logic Q
);
  always_ff @(posedge SCLK) if (SP) Q <= D;
endmodule

module IFS1P3DX #(
    parameter GSR = "ENABLED"
) (
    input  logic D,
    input  logic SP,
    input  logic SCLK,
    input  logic CD,
    output logic Q
);
  always_ff @(posedge SCLK) if (SP) Q <= D;
endmodule

module ODDRX1F #(
    parameter GSR = "ENABLED"
) (
    input  logic SCLK,
    input  logic RST,
    input  logic D0,
    input  logic D1,
    output logic Q
);
  assign Q = SCLK ? D0 : D1;
endmodule

module DELAYG #(
    parameter DEL_MODE = "USER_DEFINED"
) (
    input  logic A,
    output logic Z
);
  assign Z = A;
endmodule

module BB (
    input  logic I,
    input  logic T,
    output logic O,
    inout  wire  B
);
  assign B = T ? 1'bz : I;
  assign O = B;
endmodule
