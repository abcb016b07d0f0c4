// SPDX-License-Identifier: Apache-2.0
// Declares cells of an ECP5 to readers that know no vendor's cells.

(* blackbox *)
module OFS1P3BX #(
    parameter GSR = "ENABLED"
) (
    input  wire D,
    input  wire SP,
    input  wire SCLK,
    input  wire PD,
    output wire Q
);
endmodule

(* blackbox *)
module OFS1P3DX #(
    parameter GSR = "ENABLED"
) (
    input  wire D,
    input  wire SP,
    input  wire SCLK,
    input  wire CD,
    output wire Q
);
endmodule

(* blackbox *)
module IFS1P3DX #(
    parameter GSR = "ENABLED"
) (
    input  wire D,
    input  wire SP,
    input  wire SCLK,
    input  wire CD,
    output wire Q
);
endmodule

(* blackbox *)
module ODDRX1F #(
    parameter GSR = "ENABLED"
) (
    input  wire SCLK,
    input  wire RST,
    input  wire D0,
    input  wire D1,
    output wire Q
);
endmodule

(* blackbox *)
module DELAYG #(
    parameter DEL_MODE = "USER_DEFINED"
) (
    input  wire A,
    output wire Z
);
endmodule

(* blackbox *)
module BB (
    input  wire I,
    input  wire T,
    output wire O,
    inout  wire B
);
endmodule
