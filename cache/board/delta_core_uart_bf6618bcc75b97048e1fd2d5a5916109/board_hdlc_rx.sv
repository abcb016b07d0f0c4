// SPDX-License-Identifier: Apache-2.0
// Function:   bytes of the line -> bytes of packets: 7E ends a packet and begins the next, 7D b is b ^ 20. With the
//             flag: end_o, and whether the bytes since the last flag, their CRC-32 included, are intact (crc_ok_o)
// Latency:    1 cycle
// Throughput: 1 byte per cycle; nothing can hold it back
// Timing:     everything registered
// Reset:      everything up to the first flag is dropped
// Model:      codesign.host.framing.Decoder
// A packet that is cut off after 7D is dropped: drop_o instead of end_o. It does not count bytes: board_inbox does.
module board_hdlc_rx (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       valid_i,
    input  logic [7:0] data_i,
    output logic       valid_o,
    output logic [7:0] data_o,
    output logic       end_o,
    output logic       crc_ok_o,
    output logic       drop_o
);
  localparam logic [7:0] Flag = 8'h7E, Escape = 8'h7D, Flip = 8'h20;

  logic [31:0] crc_q, crc_d;
  logic escaped_q, hunting_q, flag, escape;
  logic [7:0] data;

  assign flag = valid_i && data_i == Flag;
  assign escape = valid_i && data_i == Escape && !escaped_q;
  assign data = escaped_q ? data_i ^ Flip : data_i;

  board_crc32 i_crc (
      .crc_i (crc_q),
      .data_i(data),
      .crc_o (crc_d)
  );

  always_ff @(posedge clk_i) begin
    data_o   <= data;
    crc_ok_o <= crc_q == 32'hDEBB20E3;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      crc_q <= '1;
      escaped_q <= 1'b0;
      hunting_q <= 1'b1;
      {valid_o, end_o, drop_o} <= '0;
    end else begin
      valid_o <= valid_i && !flag && !escape && !hunting_q;
      end_o   <= flag && !escaped_q && !hunting_q;
      drop_o  <= flag && (escaped_q || hunting_q);
      if (flag) begin
        crc_q <= '1;
        escaped_q <= 1'b0;
        hunting_q <= 1'b0;
      end else if (valid_i) begin
        escaped_q <= escape;
        if (!escape) crc_q <= crc_d;
      end
    end
  end
endmodule
