// SPDX-License-Identifier: Apache-2.0
// Function:   one byte of the CRC-32 of IEEE 802.3 (reflected, polynomial EDB88320): crc_o = step(crc_i, data_i).
//             Start with FFFFFFFF; the CRC is the inverted register, its lowest byte first on the wire. After a packet
//             and its own CRC the register is DEBB20E3
// Latency:    combinational
// Throughput: 1 byte per cycle
// Timing:     combinational, a few levels of exclusive or
// Reset:      none
// Model:      zlib.crc32
module board_crc32 (
    input  logic [31:0] crc_i,
    input  logic [ 7:0] data_i,
    output logic [31:0] crc_o
);
  function automatic logic [31:0] step(input logic [31:0] crc, input logic [7:0] data);
    step = crc ^ {24'd0, data};
    for (int unsigned i = 0; i < 8; i++) step = (step >> 1) ^ (step[0] ? 32'hEDB88320 : 32'd0);
  endfunction

  assign crc_o = step(crc_i, data_i);
endmodule
